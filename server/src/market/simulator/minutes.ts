import { hash2, hashes, heavyTails, normal } from './noise.ts'
import type { Profile } from './profile.ts'
import { SHAPE_BITS, SHAPE_COUNT } from './shapes.ts'

/** Minutes of a block; option volatility and time to expiry stand still inside one. */
export const BLOCK_MINUTES = 15
export const BLOCK_SECONDS = BLOCK_MINUTES * 60

/**
 * Seconds of the minutes of one day, a block at a time. Within a minute a price is a straight line between two knots
 * plus multiples of the shapes; the multiples are told so that whoever looks for a block's extremes can skip minutes.
 */
export interface MinuteSource {
  readonly minutes: number
  /** Writes the knots of that block's minutes, one more than minutes, and the sizes of their shapes, minute by minute. */
  enterBlock(block: number, knots: Float64Array, sizes: Float64Array): void
}

/** What a share's day is made of, in its currency. */
export interface DayShape {
  readonly open: number
  /** Where the day closes but for its event. */
  readonly close: number
  /** What the paths of market and sector are multiplied by, and the deviation over the day of what is the share's own. */
  readonly market: number
  readonly sector: number
  readonly own: number
  /** Change of the price for an event that changes the market by 1. */
  readonly event: number
  readonly seed: number
  readonly sectorPath: FactorPath | undefined
}

/** What all underlyings of a family share on a day. */
export interface DayFactors {
  readonly profile: Profile
  readonly market: FactorPath
  readonly event: Float64Array | undefined
}

/** Lively and quiet quarters of an hour follow each other. */
const BLOCK_UNREST = 0.3
const SHAPE_SIZE = 1.6
/** A draw of a minute gives its change, and mixed by this its shape. */
const SHAPE_MIX = 0x85ebca6b
const SHAPE_SHIFT = 32 - SHAPE_BITS
const SIZE_ONE = 2 ** (31 - SHAPE_BITS)
const SIZE_MASK = 2 * SIZE_ONE - 1

/** Draws of the block that is being computed, and the changes over its minutes. */
const blockDraws = new Uint32Array(BLOCK_MINUTES)
const blockChanges = new Float64Array(BLOCK_MINUTES)

export const blockUnrest = (seed: number, block: number): number =>
  Math.exp(BLOCK_UNREST * normal(hash2(seed, 1, block)) - BLOCK_UNREST * BLOCK_UNREST)

const shapeDraw = (drawn: number): number => Math.imul(drawn, SHAPE_MIX) >>> 0
const shapeOf = (draw: number): number => draw >>> SHAPE_SHIFT
const shapeSize = (draw: number): number => SHAPE_SIZE * ((draw & SIZE_MASK) / SIZE_ONE - 1)

/** The day of something that many prices follow: a walk over minutes in deviations of an ordinary day, from 0 to 0 at the closing. */
export class FactorPath {
  /** Factor of the volatility of that day. */
  readonly unrest: number
  /** Before each minute, and after the last. */
  readonly bridge: Float64Array
  /** Shape of each minute, and its size. */
  readonly shapes: Uint8Array
  readonly sizes: Float64Array

  constructor(seed: number, unrest: number, profile: Profile) {
    const minutes = profile.step.length
    this.unrest = unrest
    this.bridge = new Float64Array(minutes + 1)
    this.shapes = new Uint8Array(minutes)
    this.sizes = new Float64Array(minutes)
    addWalk(seed, unrest, profile, this.bridge)
    const draws = new Uint32Array(minutes)
    hashes(seed, 0, minutes, draws)
    for (let minute = 0; minute < minutes; minute += 1) {
      const draw = shapeDraw(draws[minute] ?? 0)
      const deviation = blockUnrest(seed, Math.floor(minute / BLOCK_MINUTES)) * (profile.step[minute] ?? 0)
      this.shapes[minute] = shapeOf(draw)
      this.sizes[minute] = shapeSize(draw) * unrest * deviation
    }
  }
}

/** Adds `scale` times a walk over the minutes of the day, tied to 0 at opening and closing, to the knots of the day. */
function addWalk(seed: number, scale: number, { step, time, closing }: Profile, knots: Float64Array): void {
  const minutes = step.length
  let sum = 0
  let whole = 0
  for (let first = 0; first < minutes; first += BLOCK_MINUTES) {
    const unrest = scale * blockUnrest(seed, first / BLOCK_MINUTES)
    const count = Math.min(minutes - first, BLOCK_MINUTES)
    heavyTails(seed, first, count, blockChanges)
    for (let i = 0; i < count; i += 1) {
      const minute = first + i
      sum += (blockChanges[i] ?? 0) * unrest * (step[minute] ?? 0)
      knots[minute + 1] = (knots[minute + 1] ?? 0) + sum
      if (minute + 1 === closing) whole = sum
    }
  }
  for (let minute = 1; minute <= minutes; minute += 1)
    knots[minute] = (knots[minute] ?? 0) - whole * (time[minute] ?? 0)
}

/** The minutes of a price of its own. Kept are sums at the blocks' ends; the rest is drawn again when it is asked for. */
export class ShareMinutes implements MinuteSource {
  readonly minutes: number
  readonly #shape: DayShape
  readonly #factors: DayFactors
  /** Sum of the own walk's changes before each block, and until the closing. */
  readonly #sums: Float64Array
  readonly #whole: number

  constructor(shape: DayShape, factors: DayFactors) {
    const { step, closing } = factors.profile
    const { seed } = shape
    this.minutes = step.length
    this.#shape = shape
    this.#factors = factors
    const blocks = Math.ceil(this.minutes / BLOCK_MINUTES)
    this.#sums = new Float64Array(blocks)
    let sum = 0
    let whole = 0
    for (let block = 0; block < blocks; block += 1) {
      const unrest = blockUnrest(seed, block)
      const first = block * BLOCK_MINUTES
      const count = Math.min(BLOCK_MINUTES, this.minutes - first)
      heavyTails(seed, first, count, blockChanges)
      this.#sums[block] = sum
      for (let i = 0; i < count; i += 1) {
        const minute = first + i
        sum += (blockChanges[i] ?? 0) * unrest * (step[minute] ?? 0)
        if (minute + 1 === closing) whole = sum
      }
    }
    this.#whole = whole
  }

  enterBlock(block: number, knots: Float64Array, sizes: Float64Array): void {
    const { seed, own, market } = this.#shape
    const { profile, market: marketPath } = this.#factors
    const unrest = blockUnrest(seed, block)
    const first = block * BLOCK_MINUTES
    const count = Math.min(BLOCK_MINUTES, this.minutes - first)
    let sum = this.#sums[block] ?? 0
    sizes.fill(0)
    knots[0] = this.#knot(first, sum)
    hashes(seed, first, count, blockDraws)
    heavyTails(seed, first, count, blockChanges)
    for (let i = 0; i < count; i += 1) {
      const minute = first + i
      const deviation = unrest * (profile.step[minute] ?? 0)
      sum += (blockChanges[i] ?? 0) * deviation
      knots[i + 1] = this.#knot(minute + 1, sum)
      const draw = shapeDraw(blockDraws[i] ?? 0)
      const at = i * SHAPE_COUNT
      sizes[at + shapeOf(draw)] = shapeSize(draw) * deviation * own
      const marketAt = at + (marketPath.shapes[minute] ?? 0)
      sizes[marketAt] = (sizes[marketAt] ?? 0) + market * (marketPath.sizes[minute] ?? 0)
    }
  }

  #knot(minute: number, sum: number): number {
    const { open, close, market, sector, own, event, sectorPath } = this.#shape
    const { profile, market: marketPath, event: changes } = this.#factors
    const time = profile.time[minute] ?? 0
    let knot =
      open + (close - open) * time + own * (sum - this.#whole * time) + market * (marketPath.bridge[minute] ?? 0)
    if (sectorPath !== undefined) knot += sector * (sectorPath.bridge[minute] ?? 0)
    return changes === undefined ? knot : knot + event * (changes[minute] ?? 0)
  }
}

/** One share's part of an index: so many shares of that day. */
export interface Part {
  readonly shares: number
  readonly shape: DayShape
}

/**
 * The minutes of an index: exactly the sum of its shares' minutes, but for rounding. Because all minutes are straight
 * lines plus multiples of the same few shapes, the lines and multiples are summed instead of the seconds.
 */
export class IndexMinutes implements MinuteSource {
  readonly minutes: number
  readonly #parts: readonly Part[]
  readonly #factors: DayFactors
  readonly #knots: Float64Array
  readonly #market: number

  constructor(parts: readonly Part[], factors: DayFactors) {
    const { profile, market: marketPath, event: changes } = factors
    this.minutes = profile.step.length
    this.#parts = parts
    this.#factors = factors
    const knots = new Float64Array(this.minutes + 1)
    let open = 0
    let close = 0
    let market = 0
    let event = 0
    const sectors = new Map<FactorPath, number>()
    for (const { shares, shape } of parts) {
      open += shares * shape.open
      close += shares * shape.close
      market += shares * shape.market
      event += shares * shape.event
      addWalk(shape.seed, shares * shape.own, profile, knots)
      const { sectorPath } = shape
      if (sectorPath !== undefined) sectors.set(sectorPath, (sectors.get(sectorPath) ?? 0) + shares * shape.sector)
    }
    for (const [path, scale] of sectors) addScaled(knots, path.bridge, scale)
    addScaled(knots, marketPath.bridge, market)
    if (changes !== undefined) addScaled(knots, changes, event)
    for (let minute = 0; minute <= this.minutes; minute += 1) {
      knots[minute] = (knots[minute] ?? 0) + open + (close - open) * (profile.time[minute] ?? 0)
    }
    this.#knots = knots
    this.#market = market
  }

  enterBlock(block: number, knots: Float64Array, sizes: Float64Array): void {
    const { profile, market } = this.#factors
    const first = block * BLOCK_MINUTES
    const count = Math.min(BLOCK_MINUTES, this.minutes - first)
    const shapes = SHAPE_COUNT
    sizes.fill(0)
    for (const { shares, shape } of this.#parts) {
      const { seed } = shape
      const scale = shares * shape.own * blockUnrest(seed, block)
      hashes(seed, first, count, blockDraws)
      for (let i = 0; i < count; i += 1) {
        const draw = shapeDraw(blockDraws[i] ?? 0)
        const at = i * shapes + shapeOf(draw)
        sizes[at] = (sizes[at] ?? 0) + scale * shapeSize(draw)
      }
    }
    for (let i = 0; i <= count; i += 1) knots[i] = this.#knots[first + i] ?? 0
    for (let i = 0; i < count; i += 1) {
      const minute = first + i
      const deviation = profile.step[minute] ?? 0
      for (let at = i * shapes; at < (i + 1) * shapes; at += 1) sizes[at] = (sizes[at] ?? 0) * deviation
      const marketAt = i * shapes + (market.shapes[minute] ?? 0)
      sizes[marketAt] = (sizes[marketAt] ?? 0) + this.#market * (market.sizes[minute] ?? 0)
    }
  }
}

function addScaled(sum: Float64Array, values: Float64Array, scale: number): void {
  for (let i = 0; i < sum.length; i += 1) sum[i] = (sum[i] ?? 0) + scale * (values[i] ?? 0)
}
