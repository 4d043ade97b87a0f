import { hash, hash2, heavyTailed, normal } from './noise.ts'
import type { Profile } from './profile.ts'
import { MINUTE, SHAPE_COUNT, SHAPES } from './shapes.ts'

/** Minutes of a block; option volatility and time to expiry stand still inside one. */
export const BLOCK_MINUTES = 15
export const BLOCK_SECONDS = BLOCK_MINUTES * 60

/** Seconds of the minutes of one day, a block at a time. */
export interface MinuteSource {
  readonly minutes: number
  /** Prepares the minutes of that block. */
  enterBlock(block: number): void
  /** Writes the 60 prices of a minute of the block that was entered last. */
  fill(minuteInBlock: number, prices: Float64Array): void
}

/** What a share's day is made of, in its currency. */
export interface DayShape {
  readonly open: number
  /** Where the day would end without its event. */
  readonly close: number
  /** Deviation over the whole day of what the market, the sector and the share itself contribute. */
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

export const blockUnrest = (seed: number, block: number): number =>
  Math.exp(BLOCK_UNREST * normal(hash2(seed, 1, block)) - BLOCK_UNREST * BLOCK_UNREST)

/** The change over a minute that was drawn, in deviations. */
const changeOf = (drawn: number): number => heavyTailed(drawn)
/** Shape of the minute that was drawn: low bits the shape, high bits its size. */
const shapeDraw = (drawn: number): number => hash(drawn, 2)
const shapeOffset = (draw: number): number => (draw % SHAPE_COUNT) * MINUTE
const shapeSize = (draw: number): number => SHAPE_SIZE * ((draw >>> 8) / 8_388_608 - 1)

/** The day of something that many prices follow: a walk over minutes in deviations of a day, from 0 to 0. */
export class FactorPath {
  /** Before each minute, and after the last. */
  readonly bridge: Float64Array
  readonly #seed: number
  readonly #profile: Profile
  #block = -1
  #unrest = 1

  constructor(seed: number, profile: Profile) {
    this.#seed = seed
    this.#profile = profile
    this.bridge = ownWalk(seed, profile)
  }

  offsetIn(minute: number): number {
    return shapeOffset(shapeDraw(hash(this.#seed, minute)))
  }

  sizeIn(minute: number): number {
    const block = Math.floor(minute / BLOCK_MINUTES)
    if (block !== this.#block) {
      this.#unrest = blockUnrest(this.#seed, block)
      this.#block = block
    }
    return shapeSize(shapeDraw(hash(this.#seed, minute))) * this.#unrest * (this.#profile.step[minute] ?? 0)
  }
}

/** A walk over the minutes of the day, tied to 0 at both ends. */
export function ownWalk(seed: number, { step, time }: Profile): Float64Array {
  const minutes = step.length
  const walk = new Float64Array(minutes + 1)
  let sum = 0
  let unrest = 1
  for (let minute = 0; minute < minutes; minute += 1) {
    if (minute % BLOCK_MINUTES === 0) unrest = blockUnrest(seed, minute / BLOCK_MINUTES)
    sum += changeOf(hash(seed, minute)) * unrest * (step[minute] ?? 0)
    walk[minute + 1] = sum
  }
  for (let minute = 1; minute <= minutes; minute += 1) walk[minute] = (walk[minute] ?? 0) - sum * (time[minute] ?? 0)
  return walk
}

/** The minutes of a price of its own. Kept are sums at the blocks' ends; the rest is drawn again when it is asked for. */
export class ShareMinutes implements MinuteSource {
  readonly minutes: number
  readonly #shape: DayShape
  readonly #factors: DayFactors
  /** Sum of the own walk's changes before each block, and after the last. */
  readonly #sums: Float64Array
  readonly #knots = new Float64Array(BLOCK_MINUTES + 1)
  readonly #sizes = new Float64Array(BLOCK_MINUTES)
  readonly #offsets = new Int32Array(BLOCK_MINUTES)
  #first = 0

  constructor(shape: DayShape, factors: DayFactors) {
    const { step } = factors.profile
    this.minutes = step.length
    this.#shape = shape
    this.#factors = factors
    const blocks = Math.ceil(this.minutes / BLOCK_MINUTES)
    this.#sums = new Float64Array(blocks + 1)
    let sum = 0
    for (let block = 0; block < blocks; block += 1) {
      const unrest = blockUnrest(shape.seed, block)
      const end = Math.min(this.minutes, (block + 1) * BLOCK_MINUTES)
      for (let minute = block * BLOCK_MINUTES; minute < end; minute += 1) {
        sum += changeOf(hash(shape.seed, minute)) * unrest * (step[minute] ?? 0)
      }
      this.#sums[block + 1] = sum
    }
  }

  enterBlock(block: number): void {
    const { seed, own } = this.#shape
    const { step } = this.#factors.profile
    const unrest = blockUnrest(seed, block)
    const first = block * BLOCK_MINUTES
    const count = Math.min(BLOCK_MINUTES, this.minutes - first)
    const whole = this.#sums[this.#sums.length - 1] ?? 0
    let sum = this.#sums[block] ?? 0
    this.#knots[0] = this.#knot(first, sum, whole)
    for (let i = 0; i < count; i += 1) {
      const drawn = hash(seed, first + i)
      const deviation = unrest * (step[first + i] ?? 0)
      sum += changeOf(drawn) * deviation
      this.#knots[i + 1] = this.#knot(first + i + 1, sum, whole)
      const draw = shapeDraw(drawn)
      this.#offsets[i] = shapeOffset(draw)
      this.#sizes[i] = shapeSize(draw) * deviation * own
    }
    this.#first = first
  }

  #knot(minute: number, sum: number, whole: number): number {
    const { open, close, market, sector, own, event, sectorPath } = this.#shape
    const { profile, market: marketPath, event: changes } = this.#factors
    const time = profile.time[minute] ?? 0
    let knot = open + (close - open) * time + own * (sum - whole * time) + market * (marketPath.bridge[minute] ?? 0)
    if (sectorPath !== undefined) knot += sector * (sectorPath.bridge[minute] ?? 0)
    return changes === undefined ? knot : knot + event * (changes[minute] ?? 0)
  }

  fill(minuteInBlock: number, prices: Float64Array): void {
    const minute = this.#first + minuteInBlock
    const { market } = this.#factors
    const marketSize = this.#shape.market * market.sizeIn(minute)
    const marketOffset = market.offsetIn(minute)
    const size = this.#sizes[minuteInBlock] ?? 0
    const offset = this.#offsets[minuteInBlock] ?? 0
    const start = this.#knots[minuteInBlock] ?? 0
    const slope = ((this.#knots[minuteInBlock + 1] ?? 0) - start) / (MINUTE - 1)
    const shapes = SHAPES
    const count = prices.length
    for (let second = 0; second < count; second += 1) {
      const wander = size * (shapes[offset + second] ?? 0) + marketSize * (shapes[marketOffset + second] ?? 0)
      prices[second] = start + slope * second + wander
    }
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
  readonly #line: Float64Array
  readonly #market: number
  readonly #sizes = new Float64Array(BLOCK_MINUTES * SHAPE_COUNT)
  #first = 0

  constructor(parts: readonly Part[], factors: DayFactors) {
    const { profile, market: marketPath, event: changes } = factors
    this.minutes = profile.step.length
    this.#parts = parts
    this.#factors = factors
    this.#line = new Float64Array(this.minutes + 1)
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
      addScaled(this.#line, ownWalk(shape.seed, profile), shares * shape.own)
      const { sectorPath } = shape
      if (sectorPath !== undefined) sectors.set(sectorPath, (sectors.get(sectorPath) ?? 0) + shares * shape.sector)
    }
    for (const [path, scale] of sectors) addScaled(this.#line, path.bridge, scale)
    addScaled(this.#line, marketPath.bridge, market)
    if (changes !== undefined) addScaled(this.#line, changes, event)
    for (let minute = 0; minute <= this.minutes; minute += 1) {
      this.#line[minute] = (this.#line[minute] ?? 0) + open + (close - open) * (profile.time[minute] ?? 0)
    }
    this.#market = market
  }

  enterBlock(block: number): void {
    const { step } = this.#factors.profile
    const first = block * BLOCK_MINUTES
    const count = Math.min(BLOCK_MINUTES, this.minutes - first)
    const sizes = this.#sizes
    sizes.fill(0)
    for (const { shares, shape } of this.#parts) {
      const scale = shares * shape.own * blockUnrest(shape.seed, block)
      for (let i = 0; i < count; i += 1) {
        const draw = shapeDraw(hash(shape.seed, first + i))
        const at = i * SHAPE_COUNT + (draw % SHAPE_COUNT)
        sizes[at] = (sizes[at] ?? 0) + scale * shapeSize(draw)
      }
    }
    for (let i = 0; i < count; i += 1) {
      const deviation = step[first + i] ?? 0
      for (let shape = 0; shape < SHAPE_COUNT; shape += 1) {
        const at = i * SHAPE_COUNT + shape
        sizes[at] = (sizes[at] ?? 0) * deviation
      }
      const marketAt = i * SHAPE_COUNT + this.#factors.market.offsetIn(first + i) / MINUTE
      sizes[marketAt] = (sizes[marketAt] ?? 0) + this.#market * this.#factors.market.sizeIn(first + i)
    }
    this.#first = first
  }

  fill(minuteInBlock: number, prices: Float64Array): void {
    const minute = this.#first + minuteInBlock
    const start = this.#line[minute] ?? 0
    const slope = ((this.#line[minute + 1] ?? 0) - start) / (MINUTE - 1)
    const shapes = SHAPES
    const count = prices.length
    for (let second = 0; second < count; second += 1) prices[second] = start + slope * second
    for (let shape = 0; shape < SHAPE_COUNT; shape += 1) {
      const size = this.#sizes[minuteInBlock * SHAPE_COUNT + shape] ?? 0
      const offset = shape * count
      for (let second = 0; second < count; second += 1) {
        prices[second] = (prices[second] ?? 0) + size * (shapes[offset + second] ?? 0)
      }
    }
  }
}

function addScaled(sum: Float64Array, values: Float64Array, scale: number): void {
  for (let i = 0; i < sum.length; i += 1) sum[i] = (sum[i] ?? 0) + scale * (values[i] ?? 0)
}
