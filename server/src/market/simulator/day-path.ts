import { assert } from '../../kernel/assert.ts'
import { BLOCK_MINUTES, BLOCK_SECONDS, type MinuteSource } from './minutes.ts'
import { MINUTE } from './shapes.ts'
import type { TradingDay } from './trading-day.ts'

/** Open, high, low and close of a stretch of time. */
export type Bar = [open: number, high: number, low: number, close: number]

/** Longest session: a whole day and what may lie beyond midnight. */
const MINUTES_MAX = 2880

/** What is known of a day before it begins. */
export interface DayTerms {
  readonly hours: TradingDay
  /** The last day before with trading. */
  readonly dayBefore: number
  readonly open: number
  /** Price that the exchange counts the day's changes from: yesterday's close, after corporate actions. */
  readonly base: number
  /** Factor of the volatility of these days. */
  readonly unrest: number
}

/**
 * The price of one underlying through one session, second by second, in seconds with trading.
 *
 * Bars of any two lengths agree exactly because longer ones are made of minutes, and minutes of their seconds. Kept are
 * the bars of the blocks that were asked for; minutes and seconds only those last asked for.
 */
export class DayPath {
  readonly hours: TradingDay
  readonly day: number
  readonly dayBefore: number
  readonly open: number
  readonly base: number
  readonly unrest: number
  /** Seconds with trading. */
  readonly seconds: number
  readonly #source: MinuteSource
  /** Bars of blocks; a block whose open is NaN hasn't been asked for. */
  readonly #blocks: Float64Array
  readonly #minutes = new Float64Array(BLOCK_MINUTES * 4)
  #minutesBlock = -1
  readonly #prices = new Float64Array(MINUTE)
  #pricesMinute = -1
  #enteredBlock = -1

  constructor(terms: DayTerms, source: MinuteSource) {
    const { hours } = terms
    const seconds = hours.tradedSeconds
    assert(
      seconds > 0 && seconds === source.minutes * 60 && source.minutes <= MINUTES_MAX,
      'a session is whole minutes, two days at most',
    )
    this.hours = hours
    this.day = hours.day
    this.dayBefore = terms.dayBefore
    this.open = terms.open
    this.base = terms.base
    this.unrest = terms.unrest
    this.seconds = seconds
    this.#source = source
    this.#blocks = new Float64Array(Math.ceil(source.minutes / BLOCK_MINUTES) * 4).fill(Number.NaN)
  }

  /** Price at which that block of BLOCK_MINUTES opens. */
  blockOpen(block: number): number {
    this.#loadBlock(block)
    return this.#blocks[block * 4] ?? 0
  }

  /** Price in that second of the session. */
  priceAt(second: number): number {
    this.#loadPrices(Math.floor(second / MINUTE))
    return this.#prices[second % MINUTE] ?? 0
  }

  /** Writes the bar of the seconds [from, to) into `bar`. */
  barOf(from: number, to: number, bar: Bar): void {
    assert(from >= 0 && from < to && to <= this.seconds, 'seconds lie in the session')
    bar[1] = -Infinity
    bar[2] = Infinity
    let first = true
    let second = from
    while (second < to) {
      let length: number
      if (second % BLOCK_SECONDS === 0 && (to - second >= BLOCK_SECONDS || to === this.seconds)) {
        length = Math.min(BLOCK_SECONDS, this.seconds - second)
        const block = second / BLOCK_SECONDS
        this.#loadBlock(block)
        merge(bar, this.#blocks, block * 4, first)
      } else if (second % MINUTE === 0 && to - second >= MINUTE) {
        length = MINUTE
        const minute = second / MINUTE
        this.#loadMinutes(Math.floor(minute / BLOCK_MINUTES))
        merge(bar, this.#minutes, (minute % BLOCK_MINUTES) * 4, first)
      } else {
        length = Math.min(MINUTE - (second % MINUTE), to - second)
        this.#mergeSeconds(bar, second, length, first)
      }
      first = false
      second += length
    }
  }

  #mergeSeconds(bar: Bar, second: number, length: number, first: boolean): void {
    this.#loadPrices(Math.floor(second / MINUTE))
    const start = second % MINUTE
    for (let i = start; i < start + length; i += 1) {
      const price = this.#prices[i] ?? 0
      if (price > bar[1]) bar[1] = price
      if (price < bar[2]) bar[2] = price
    }
    if (first) bar[0] = this.#prices[start] ?? 0
    bar[3] = this.#prices[start + length - 1] ?? 0
  }

  #loadBlock(block: number): void {
    const at = block * 4
    if (!Number.isNaN(this.#blocks[at] ?? 0)) return
    this.#loadMinutes(block)
    const last = (Math.min(BLOCK_MINUTES, this.#source.minutes - block * BLOCK_MINUTES) - 1) * 4
    let high = -Infinity
    let low = Infinity
    for (let i = 0; i <= last; i += 4) {
      high = Math.max(high, this.#minutes[i + 1] ?? 0)
      low = Math.min(low, this.#minutes[i + 2] ?? 0)
    }
    this.#blocks[at] = this.#minutes[0] ?? 0
    this.#blocks[at + 1] = high
    this.#blocks[at + 2] = low
    this.#blocks[at + 3] = this.#minutes[last + 3] ?? 0
  }

  #loadMinutes(block: number): void {
    if (this.#minutesBlock === block) return
    const first = block * BLOCK_MINUTES
    const count = Math.min(BLOCK_MINUTES, this.#source.minutes - first)
    const prices = this.#prices
    const last = prices.length - 1
    for (let i = 0; i < count; i += 1) {
      this.#loadPrices(first + i)
      let high = -Infinity
      let low = Infinity
      for (let second = 0; second <= last; second += 1) {
        const price = prices[second] ?? 0
        if (price > high) high = price
        if (price < low) low = price
      }
      const at = i * 4
      this.#minutes[at] = prices[0] ?? 0
      this.#minutes[at + 1] = high
      this.#minutes[at + 2] = low
      this.#minutes[at + 3] = prices[last] ?? 0
    }
    this.#minutesBlock = block
  }

  #loadPrices(minute: number): void {
    if (this.#pricesMinute === minute) return
    const block = Math.floor(minute / BLOCK_MINUTES)
    if (block !== this.#enteredBlock) {
      this.#source.enterBlock(block)
      this.#enteredBlock = block
    }
    this.#source.fill(minute - block * BLOCK_MINUTES, this.#prices)
    this.#pricesMinute = minute
  }
}

function merge(bar: Bar, bars: Float64Array, at: number, first: boolean): void {
  const high = bars[at + 1] ?? 0
  const low = bars[at + 2] ?? 0
  if (first) bar[0] = bars[at] ?? 0
  if (high > bar[1]) bar[1] = high
  if (low < bar[2]) bar[2] = low
  bar[3] = bars[at + 3] ?? 0
}
