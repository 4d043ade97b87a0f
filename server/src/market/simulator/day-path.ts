import { assert } from '../../kernel/assert.ts'
import { Block } from './block.ts'
import { BLOCK_MINUTES, BLOCK_SECONDS, type MinuteSource } from './minutes.ts'
import { MINUTE } from './shapes.ts'
import type { TradingDay } from './trading-day.ts'

/** Open, high, low and close of a stretch of time. */
export type Bar = [open: number, high: number, low: number, close: number]

const NONE = new Float64Array(0)

/** The block that is being computed, whoever asks; what a path keeps of it lasts for its minute or quarter of an hour. */
const shared = new Block()

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
  #minutes: Float64Array = NONE
  #minutesBlock = -1
  #prices: Float64Array = NONE
  #pricesMinute = -1
  #dayOpen = Number.NaN
  /** Extremes of the day's first blocks, kept because every quote asks for them. */
  #doneBlocks = 0
  readonly #doneExtremes = new Float64Array([-Infinity, Infinity])

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
    const known = this.#blocks[block * 4] ?? 0
    if (!Number.isNaN(known)) return known
    shared.enter(this.#source, block)
    return shared.open
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
    if (from === 0 && to >= BLOCK_SECONDS) {
      if (Number.isNaN(this.#dayOpen)) this.#dayOpen = this.blockOpen(0)
      bar[0] = this.#dayOpen
      second = this.#mergeDone(Math.floor(to / BLOCK_SECONDS), bar)
      if (second === to) bar[3] = this.priceAt(to - 1)
      first = false
    }
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

  /** Makes `bar` that of the day's first blocks, but for its close; returns how many seconds they have. */
  #mergeDone(blocks: number, bar: Bar): number {
    const extremes = this.#doneExtremes
    if (this.#doneBlocks > blocks) {
      this.#doneBlocks = 0
      extremes[0] = -Infinity
      extremes[1] = Infinity
    }
    for (; this.#doneBlocks < blocks; this.#doneBlocks += 1) {
      const at = this.#doneBlocks * 4
      if (Number.isNaN(this.#blocks[at] ?? 0)) {
        shared.enter(this.#source, this.#doneBlocks)
        shared.widen(extremes)
      } else {
        extremes[0] = Math.max(extremes[0] ?? 0, this.#blocks[at + 1] ?? 0)
        extremes[1] = Math.min(extremes[1] ?? 0, this.#blocks[at + 2] ?? 0)
      }
    }
    bar[1] = extremes[0] ?? 0
    bar[2] = extremes[1] ?? 0
    return blocks * BLOCK_SECONDS
  }

  #loadBlock(block: number): void {
    if (!Number.isNaN(this.#blocks[block * 4] ?? 0)) return
    shared.enter(this.#source, block)
    shared.barOfAll(this.#blocks, block * 4)
  }

  #loadMinutes(block: number): void {
    if (this.#minutesBlock === block) return
    if (this.#minutes === NONE) this.#minutes = new Float64Array(BLOCK_MINUTES * 4)
    shared.enter(this.#source, block)
    const count = shared.minutes
    for (let minute = 0; minute < count; minute += 1) shared.bar(minute, this.#minutes, minute * 4)
    this.#minutesBlock = block
  }

  #loadPrices(minute: number): void {
    if (this.#pricesMinute === minute) return
    if (this.#prices === NONE) this.#prices = new Float64Array(MINUTE)
    const block = Math.floor(minute / BLOCK_MINUTES)
    shared.enter(this.#source, block)
    shared.fill(minute - block * BLOCK_MINUTES, this.#prices)
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
