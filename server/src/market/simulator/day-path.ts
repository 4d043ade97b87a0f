import { assert } from '../../kernel/assert.ts'
import { hash, hash2, normal, unit } from './noise.ts'

/** Minutes of a block; option volatility and time to expiry stand still inside one. */
export const BLOCK_MINUTES = 15
export const BLOCK_SECONDS = BLOCK_MINUTES * 60

/** Open, high, low and close of a stretch of time. */
export type Bar = [open: number, high: number, low: number, close: number]

/**
 * The price of one underlying through one session, second by second.
 *
 * The day's open, high, low and close are given. A tree splits the day into blocks, blocks into minutes and minutes
 * into seconds; at each split one half gets the parent's high and one its low, at places drawn for them, so that bars of any two lengths agree
 * exactly, and any second is found without computing those before it. Blocks are kept, minutes and seconds only those
 * last asked for.
 */
export class DayPath {
  readonly day: number
  readonly opensAt: number
  readonly seconds: number
  readonly whole: Readonly<Bar>
  readonly #seed: number
  readonly #volatility: number
  #blocks: Float64Array | undefined
  #minutes = new Float64Array(BLOCK_MINUTES * 4)
  #minutesBlock = -1
  #prices = new Float64Array(60)
  #pricesMinute = -1

  /** `volatility` is the deviation of the price over the root of one minute. */
  constructor(day: number, opensAt: number, seconds: number, whole: Readonly<Bar>, volatility: number, seed: number) {
    assert(seconds > 0 && seconds % 60 === 0, 'a session is whole minutes')
    this.day = day
    this.opensAt = opensAt
    this.seconds = seconds
    this.whole = whole
    this.#volatility = volatility
    this.#seed = seed
  }

  /** Price in that second of the session. */
  priceAt(second: number): number {
    this.#loadPrices(Math.floor(second / 60))
    return this.#prices[second % 60] ?? 0
  }

  /** Price at which that block of BLOCK_MINUTES opens. */
  blockOpen(block: number): number {
    return this.#loadBlocks()[block * 4] ?? 0
  }

  /** Writes the bar of the seconds [from, to) into `bar`. */
  barOf(from: number, to: number, bar: Bar): void {
    assert(from >= 0 && from < to && to <= this.seconds, 'seconds lie in the session')
    if (from === 0 && to === this.seconds) {
      for (let i = 0; i < 4; i += 1) bar[i] = this.whole[i] ?? 0
      return
    }
    bar[1] = -Infinity
    bar[2] = Infinity
    let first = true
    let second = from
    while (second < to) {
      let length: number
      if (second % BLOCK_SECONDS === 0 && (to - second >= BLOCK_SECONDS || to === this.seconds)) {
        length = Math.min(BLOCK_SECONDS, this.seconds - second)
        merge(bar, this.#loadBlocks(), (second / BLOCK_SECONDS) * 4, first)
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

  #loadBlocks(): Float64Array {
    if (this.#blocks !== undefined) return this.#blocks
    const minutes = this.seconds / 60
    const count = Math.ceil(minutes / BLOCK_MINUTES)
    const blocks = new Float64Array(count * 4)
    for (let i = 0; i < 4; i += 1) blocks[i] = this.whole[i] ?? 0
    this.#split(blocks, 0, count, BLOCK_MINUTES, minutes, this.#seed)
    this.#blocks = blocks
    return blocks
  }

  #loadMinutes(block: number): void {
    if (this.#minutesBlock === block) return
    const blocks = this.#loadBlocks()
    const count = Math.min(BLOCK_MINUTES, this.seconds / 60 - block * BLOCK_MINUTES)
    for (let i = 0; i < 4; i += 1) this.#minutes[i] = blocks[block * 4 + i] ?? 0
    this.#split(this.#minutes, 0, count, 1, count, hash2(this.#seed, 1, block))
    this.#minutesBlock = block
  }

  /**
   * `bars[first]` holds the bar of `count` units, `minutes` long together; afterwards each unit has its own. The halves
   * reuse the place of the whole, so no other memory is needed.
   */
  #split(bars: Float64Array, first: number, count: number, unitMinutes: number, minutes: number, seed: number): void {
    if (count <= 1) return
    const leftCount = count >> 1
    const leftMinutes = leftCount * unitMinutes
    const rightMinutes = minutes - leftMinutes
    const at = first * 4
    const open = bars[at] ?? 0
    const high = bars[at + 1] ?? 0
    const low = bars[at + 2] ?? 0
    const close = bars[at + 3] ?? 0

    const h = hash2(seed, first, count)
    const highPlace = open >= high ? 0 : close >= high ? minutes : unit(hash(h, 1)) * minutes
    const lowPlace = open <= low ? 0 : close <= low ? minutes : unit(hash(h, 2)) * minutes
    const volatility = this.#volatility
    const [mean, deviation] =
      highPlace < lowPlace
        ? bridge(open, highPlace, high, lowPlace, low, close, leftMinutes, minutes)
        : bridge(open, lowPlace, low, highPlace, high, close, leftMinutes, minutes)
    const middle = inside(mean + normal(h) * volatility * deviation, low, high)
    const nextOpen = inside(middle + normal(hash(h, 3)) * volatility * 0.12, low, high)

    const leftReach = volatility * 0.6 * Math.sqrt(leftMinutes)
    const rightReach = volatility * 0.6 * Math.sqrt(rightMinutes)
    const leftTop = Math.max(open, middle)
    const rightTop = Math.max(nextOpen, close)
    const leftBottom = Math.min(open, middle)
    const rightBottom = Math.min(nextOpen, close)
    const highIsLeft = highPlace < leftMinutes
    const lowIsLeft = lowPlace < leftMinutes
    const leftHigh = highIsLeft ? high : leftTop + excess(hash(h, 4), leftReach, high - leftTop)
    const rightHigh = highIsLeft ? rightTop + excess(hash(h, 4), rightReach, high - rightTop) : high
    const leftLow = lowIsLeft ? low : leftBottom - excess(hash(h, 5), leftReach, leftBottom - low)
    const rightLow = lowIsLeft ? rightBottom - excess(hash(h, 5), rightReach, rightBottom - low) : low

    const right = (first + leftCount) * 4
    bars[at] = open
    bars[at + 1] = Math.min(high, leftHigh)
    bars[at + 2] = Math.max(low, leftLow)
    bars[at + 3] = middle
    bars[right] = nextOpen
    bars[right + 1] = Math.min(high, rightHigh)
    bars[right + 2] = Math.max(low, rightLow)
    bars[right + 3] = close
    this.#split(bars, first, leftCount, unitMinutes, leftMinutes, seed)
    this.#split(bars, first + leftCount, count - leftCount, unitMinutes, rightMinutes, seed)
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
    const seed = hash2(this.#seed, 2, minute)
    const highPlace = 1 + Math.floor(unit(hash(seed, 0)) * 58)
    const drawn = 1 + Math.floor(unit(hash(seed, 1)) * 57)
    const lowPlace = drawn >= highPlace ? drawn + 1 : drawn

    const prices = this.#prices
    const noise = (high - low) * 0.09
    const firstPlace = Math.min(highPlace, lowPlace)
    const lastPlace = Math.max(highPlace, lowPlace)
    const firstExtreme = highPlace < lowPlace ? high : low
    const lastExtreme = highPlace < lowPlace ? low : high
    prices[0] = open
    prices[firstPlace] = firstExtreme
    prices[lastPlace] = lastExtreme
    prices[59] = close
    for (let i = 1; i < 59; i += 1) {
      if (i === firstPlace || i === lastPlace) continue
      let value: number
      if (i < firstPlace) value = open + ((firstExtreme - open) * i) / firstPlace
      else if (i < lastPlace)
        value = firstExtreme + ((lastExtreme - firstExtreme) * (i - firstPlace)) / (lastPlace - firstPlace)
      else value = lastExtreme + ((close - lastExtreme) * (i - lastPlace)) / (59 - lastPlace)
      prices[i] = Math.min(high, Math.max(low, value + normal(hash(seed, i + 2)) * noise))
    }
    this.#pricesMinute = minute
  }
}

/** `value`, thrown back by the bound that it passes, so that prices don't stick to a day's extremes. */
function inside(value: number, low: number, high: number): number {
  const bounced = value > high ? high - (value - high) * 0.5 : value < low ? low + (low - value) * 0.5 : value
  return Math.min(high, Math.max(low, bounced))
}

/**
 * Where a walk that passes the given extremes at their places is after `place` of `length` minutes: the mean, and the
 * deviation for a volatility of 1.
 */
function bridge(
  open: number,
  place1: number,
  extreme1: number,
  place2: number,
  extreme2: number,
  close: number,
  place: number,
  length: number,
): readonly [mean: number, deviation: number] {
  if (place <= place1) return between(0, open, place1, extreme1, place)
  return place <= place2
    ? between(place1, extreme1, place2, extreme2, place)
    : between(place2, extreme2, length, close, place)
}

function between(from: number, start: number, to: number, end: number, place: number): readonly [number, number] {
  const length = to - from
  if (length <= 0) return [end, 0]
  const done = place - from
  return [start + ((end - start) * done) / length, Math.sqrt((done * (length - done)) / length)]
}

/** How far a half that doesn't hold the extreme goes beyond its ends: usually `reach`, never quite `room`. */
function excess(h: number, reach: number, room: number): number {
  const wanted = Math.abs(normal(h)) * reach
  return wanted < room ? wanted : unit(hash(h, 1)) * room
}

function merge(bar: Bar, bars: Float64Array, at: number, first: boolean): void {
  const high = bars[at + 1] ?? 0
  const low = bars[at + 2] ?? 0
  if (first) bar[0] = bars[at] ?? 0
  if (high > bar[1]) bar[1] = high
  if (low < bar[2]) bar[2] = low
  bar[3] = bars[at + 3] ?? 0
}
