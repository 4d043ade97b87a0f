import { BLOCK_MINUTES, type MinuteSource } from './minutes.ts'
import { MINUTE, SHAPE_COUNT, SHAPE_REACH, SHAPES } from './shapes.ts'

/** Room for rounding, as a share of the price, when a minute is skipped. */
const ROUNDING = 1e-12

/** One block of minutes of one day at a time: its seconds, and the exact extremes of its minutes. */
export class Block {
  #source: MinuteSource | undefined
  readonly #knots = new Float64Array(BLOCK_MINUTES + 1)
  readonly #sizes = new Float64Array(BLOCK_MINUTES * SHAPE_COUNT)
  #entered = -1
  /** Minutes of the block. */
  minutes = 0

  /** Makes `block` of that day the one that all else is asked of. */
  enter(source: MinuteSource, block: number): void {
    if (source === this.#source && block === this.#entered) return
    source.enterBlock(block, this.#knots, this.#sizes)
    this.#source = source
    this.#entered = block
    this.minutes = Math.min(BLOCK_MINUTES, source.minutes - block * BLOCK_MINUTES)
  }

  /** Writes the 60 prices of a minute of the block. The sum is the same, term by term, as in `bar`. */
  fill(minute: number, prices: Float64Array): void {
    const start = this.#knots[minute] ?? 0
    const slope = ((this.#knots[minute + 1] ?? 0) - start) / (MINUTE - 1)
    const sizes = this.#sizes
    const at = minute * SHAPE_COUNT
    const a = sizes[at] ?? 0
    const b = sizes[at + 1] ?? 0
    const c = sizes[at + 2] ?? 0
    const d = sizes[at + 3] ?? 0
    const shapes = SHAPES
    for (let i = 0, j = 0; i < prices.length; i += 1, j += 4) {
      const wander =
        a * (shapes[j] ?? 0) + b * (shapes[j + 1] ?? 0) + c * (shapes[j + 2] ?? 0) + d * (shapes[j + 3] ?? 0)
      prices[i] = start + slope * i + wander
    }
  }

  /** Writes open, high, low and close of a minute of the block to `bars`. */
  bar(minute: number, bars: Float64Array, to: number): void {
    const start = this.#knots[minute] ?? 0
    const slope = ((this.#knots[minute + 1] ?? 0) - start) / (MINUTE - 1)
    const sizes = this.#sizes
    const at = minute * SHAPE_COUNT
    const a = sizes[at] ?? 0
    const b = sizes[at + 1] ?? 0
    const c = sizes[at + 2] ?? 0
    const d = sizes[at + 3] ?? 0
    const shapes = SHAPES
    let open = 0
    let high = -Infinity
    let low = Infinity
    let close = 0
    for (let i = 0, j = 0; j < shapes.length; i += 1, j += 4) {
      const wander =
        a * (shapes[j] ?? 0) + b * (shapes[j + 1] ?? 0) + c * (shapes[j + 2] ?? 0) + d * (shapes[j + 3] ?? 0)
      close = start + slope * i + wander
      if (i === 0) open = close
      if (close > high) high = close
      if (close < low) low = close
    }
    bars[to] = open
    bars[to + 1] = high
    bars[to + 2] = low
    bars[to + 3] = close
  }

  /** Price in the first second of the block. */
  get open(): number {
    const sizes = this.#sizes
    const shapes = SHAPES
    const wander =
      (sizes[0] ?? 0) * (shapes[0] ?? 0) +
      (sizes[1] ?? 0) * (shapes[1] ?? 0) +
      (sizes[2] ?? 0) * (shapes[2] ?? 0) +
      (sizes[3] ?? 0) * (shapes[3] ?? 0)
    return (this.#knots[0] ?? 0) + wander
  }

  /** Widens the high and low in `extremes` to the block's. Minutes that can't reach beyond them are skipped. */
  widen(extremes: Float64Array): void {
    const { minutes } = this
    const knots = this.#knots
    let [high = -Infinity, low = Infinity] = extremes
    // The minutes that end highest and lowest come first: most others then lie between.
    let highest = 0
    let lowest = 0
    for (let minute = 1; minute < minutes; minute += 1) {
      if ((knots[minute + 1] ?? 0) > (knots[highest + 1] ?? 0)) highest = minute
      if ((knots[minute + 1] ?? 0) < (knots[lowest + 1] ?? 0)) lowest = minute
    }
    for (let pass = -2; pass < minutes; pass += 1) {
      const minute = pass === -2 ? highest : pass === -1 ? lowest : pass
      const from = knots[minute] ?? 0
      const end = knots[minute + 1] ?? 0
      const reach = this.#reachOf(minute)
      if (Math.max(from, end) + reach <= high && Math.min(from, end) - reach >= low) continue
      this.bar(minute, scratch, 0)
      high = Math.max(high, scratch[1] ?? 0)
      low = Math.min(low, scratch[2] ?? 0)
    }
    extremes[0] = high
    extremes[1] = low
  }

  /** Writes the bar of the whole block. */
  barOfAll(bars: Float64Array, to: number): void {
    this.bar(this.minutes - 1, scratch, 0)
    const close = scratch[3] ?? 0
    blockExtremes[0] = -Infinity
    blockExtremes[1] = Infinity
    this.widen(blockExtremes)
    bars[to] = this.open
    bars[to + 1] = blockExtremes[0] ?? 0
    bars[to + 2] = blockExtremes[1] ?? 0
    bars[to + 3] = close
  }

  /** How far a minute's price may get from its straight line. */
  #reachOf(minute: number): number {
    const most = SHAPE_REACH
    const sizes = this.#sizes
    const first = minute * most.length
    let reach = ROUNDING * Math.abs(this.#knots[minute] ?? 0)
    for (let shape = 0; shape < most.length; shape += 1) {
      reach += Math.abs(sizes[first + shape] ?? 0) * (most[shape] ?? 0)
    }
    return reach
  }
}

const scratch = new Float64Array(4)
const blockExtremes = new Float64Array(2)
