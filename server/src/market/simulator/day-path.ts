import { assert } from '../../kernel/assert.ts'
import { hash, hash2, normal, unit } from './noise.ts'

/** Minutes of a block; option volatility and time to expiry stand still inside one. */
export const BLOCK_MINUTES = 15
export const BLOCK_SECONDS = BLOCK_MINUTES * 60

/** Longest session: a whole day and what may lie beyond midnight. */
const MINUTES_MAX = 2880

/** Open, high, low and close of a stretch of time. */
export type Bar = [open: number, high: number, low: number, close: number]

export interface DayShape {
  readonly day: number
  readonly opensAt: number
  readonly seconds: number
  readonly open: number
  readonly close: number
  /** Deviation of the price over one minute. */
  readonly volatility: number
  readonly seed: number
}

/** Steps of the walk of the day that is being computed; they are needed only until its blocks are known. */
const steps = new Float64Array(MINUTES_MAX)

/**
 * The price of one underlying through one session, second by second.
 *
 * A random walk over minutes, tied to the day's open and close; each minute goes a little beyond its ends, and its
 * seconds wander between them. Bars of any two lengths agree exactly because longer ones are made of minutes. Kept are
 * the blocks and where the walk stands between them; minutes and seconds only those last asked for.
 */
export class DayPath {
  readonly day: number
  readonly opensAt: number
  readonly seconds: number
  readonly open: number
  readonly #shape: DayShape
  readonly #minuteCount: number
  readonly #blocks: Float64Array
  /** Sum of the walk's steps before each block, and after the last. */
  readonly #walk: Float64Array
  readonly #minutes = new Float64Array(BLOCK_MINUTES * 4)
  #minutesBlock = -1
  readonly #prices = new Float64Array(60)
  #pricesMinute = -1

  constructor(shape: DayShape) {
    const { seconds } = shape
    assert(
      seconds > 0 && seconds % 60 === 0 && seconds <= MINUTES_MAX * 60,
      'a session is whole minutes, two days at most',
    )
    this.day = shape.day
    this.opensAt = shape.opensAt
    this.seconds = seconds
    this.open = shape.open
    this.#shape = shape
    this.#minuteCount = seconds / 60
    const blocks = Math.ceil(this.#minuteCount / BLOCK_MINUTES)
    this.#walk = new Float64Array(blocks + 1)
    this.#blocks = new Float64Array(blocks * 4)
    this.#computeBlocks(blocks)
  }

  /** Price at which that block of BLOCK_MINUTES opens. */
  blockOpen(block: number): number {
    return this.#blocks[block * 4] ?? 0
  }

  /** Price in that second of the session. */
  priceAt(second: number): number {
    this.#loadPrices(Math.floor(second / 60))
    return this.#prices[second % 60] ?? 0
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
        merge(bar, this.#blocks, (second / BLOCK_SECONDS) * 4, first)
      } else if (second % 60 === 0 && to - second >= 60) {
        length = 60
        const minute = second / 60
        this.#loadMinutes(Math.floor(minute / BLOCK_MINUTES))
        merge(bar, this.#minutes, (minute % BLOCK_MINUTES) * 4, first)
      } else {
        length = Math.min(60 - (second % 60), to - second)
        this.#mergeSeconds(bar, second, length, first)
      }
      first = false
      second += length
    }
  }

  #mergeSeconds(bar: Bar, second: number, length: number, first: boolean): void {
    this.#loadPrices(Math.floor(second / 60))
    const start = second % 60
    for (let i = start; i < start + length; i += 1) {
      const price = this.#prices[i] ?? 0
      if (price > bar[1]) bar[1] = price
      if (price < bar[2]) bar[2] = price
    }
    if (first) bar[0] = this.#prices[start] ?? 0
    bar[3] = this.#prices[start + length - 1] ?? 0
  }

  #minutesIn(block: number): number {
    return Math.min(BLOCK_MINUTES, this.#minuteCount - block * BLOCK_MINUTES)
  }

  #computeBlocks(blocks: number): void {
    let sum = 0
    for (let block = 0; block < blocks; block += 1) {
      sum = this.#computeSteps(block, sum)
      this.#walk[block + 1] = sum
    }
    for (let block = 0; block < blocks; block += 1) {
      this.#computeMinutes(block)
      const at = block * 4
      const last = (this.#minutesIn(block) - 1) * 4
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
  }

  /** Fills in the steps of a block's minutes; returns `sum` with them added. */
  #computeSteps(block: number, sum: number): number {
    const volatility = this.#volatilityIn(block)
    const from = block * BLOCK_MINUTES
    const to = from + this.#minutesIn(block)
    let total = sum
    for (let minute = from; minute < to; minute += 1) {
      const step = normal(hash(this.#shape.seed, minute)) * volatility
      steps[minute] = step
      total += step
    }
    return total
  }

  /** Lively and quiet quarters of an hour follow each other; the first ones after the opening are lively. */
  #volatilityIn(block: number): number {
    const { seed, volatility } = this.#shape
    const opening = block < 2 ? 1.5 - 0.3 * block : 1
    return volatility * opening * Math.exp(0.35 * normal(hash2(seed, 1, block)))
  }

  /** Needs the block's steps. Where the walk stands at a minute doesn't depend on how it was come to. */
  #computeMinutes(block: number): void {
    const { seed, open, close } = this.#shape
    const from = block * BLOCK_MINUTES
    const count = this.#minutesIn(block)
    const volatility = this.#volatilityIn(block)
    const perMinute = (close - open - (this.#walk[this.#walk.length - 1] ?? 0)) / this.#minuteCount
    const minuteSeed = hash(seed, 0x3a11)
    let sum = this.#walk[block] ?? 0
    let level = open + sum + perMinute * from
    for (let i = 0; i < count; i += 1) {
      const minute = from + i
      sum += steps[minute] ?? 0
      const next = open + sum + perMinute * (minute + 1)
      const drawn = hash(minuteSeed, minute)
      const beyond = hash(drawn, 1)
      const start = minute === 0 ? level : level + (unit(drawn) - 0.5) * 0.3 * volatility
      const above = (beyond & 0xffff) / 65_536
      const below = (beyond >>> 16) / 65_536
      const at = i * 4
      this.#minutes[at] = start
      this.#minutes[at + 1] = Math.max(start, next) + above * above * volatility
      this.#minutes[at + 2] = Math.min(start, next) - below * below * volatility
      this.#minutes[at + 3] = next
      level = next
    }
    this.#minutesBlock = block
  }

  #loadMinutes(block: number): void {
    if (this.#minutesBlock === block) return
    this.#computeSteps(block, 0)
    this.#computeMinutes(block)
  }

  /** Seconds wander between the minute's open, its two extremes at drawn places, and its close. */
  #loadPrices(minute: number): void {
    if (this.#pricesMinute === minute) return
    const block = Math.floor(minute / BLOCK_MINUTES)
    this.#loadMinutes(block)
    const at = (minute - block * BLOCK_MINUTES) * 4
    const open = this.#minutes[at] ?? 0
    const high = this.#minutes[at + 1] ?? 0
    const low = this.#minutes[at + 2] ?? 0
    const close = this.#minutes[at + 3] ?? 0
    const seed = hash2(this.#shape.seed, 2, minute)
    const highPlace = 1 + Math.floor(unit(hash(seed, 0)) * 58)
    const drawn = 1 + Math.floor(unit(hash(seed, 1)) * 57)
    const lowPlace = drawn >= highPlace ? drawn + 1 : drawn
    const highFirst = highPlace < lowPlace

    const firstPlace = highFirst ? highPlace : lowPlace
    const lastPlace = highFirst ? lowPlace : highPlace
    const firstExtreme = highFirst ? high : low
    const lastExtreme = highFirst ? low : high
    const prices = this.#prices
    const noise = (high - low) * 0.09
    prices[0] = open
    for (let i = 1; i < 59; i += 1) {
      let value: number
      if (i < firstPlace) value = along(open, firstExtreme, i / firstPlace)
      else if (i < lastPlace) value = along(firstExtreme, lastExtreme, (i - firstPlace) / (lastPlace - firstPlace))
      else value = along(lastExtreme, close, (i - lastPlace) / (59 - lastPlace))
      prices[i] = Math.min(high, Math.max(low, value + normal(hash(seed, i + 2)) * noise))
    }
    prices[firstPlace] = firstExtreme
    prices[lastPlace] = lastExtreme
    prices[59] = close
    this.#pricesMinute = minute
  }
}

const along = (from: number, to: number, share: number): number => from + (to - from) * share

function merge(bar: Bar, bars: Float64Array, at: number, first: boolean): void {
  const high = bars[at + 1] ?? 0
  const low = bars[at + 2] ?? 0
  if (first) bar[0] = bars[at] ?? 0
  if (high > bar[1]) bar[1] = high
  if (low < bar[2]) bar[2] = low
  bar[3] = bars[at + 3] ?? 0
}
