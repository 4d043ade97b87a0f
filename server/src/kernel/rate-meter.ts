import { assert } from './assert.ts'
import type { Rate } from './rates.ts'

/** How uses of a rate are counted. */
export const RATE_ALGORITHMS = ['fixed-window', 'sliding-window', 'token-bucket'] as const
export type RateAlgorithm = (typeof RATE_ALGORITHMS)[number]

/**
 * The uses of one rate by many, each with a slot: a small whole number. `now` is in milliseconds, above 0, and never goes
 * back from one call to the next; a cost is a whole number from 1.
 */
export interface Meter {
  /** What may be taken now; a whole number. */
  remaining(slot: number, now: number): number
  /** Milliseconds until so much, the rate's count at most, may be taken when nothing else is; 0 when it may be now. */
  waitMs(slot: number, cost: number, now: number): number
  /**
   * Takes what `waitMs` said may be taken, or, from an unused slot, more than the count. Then nothing more may be taken
   * until the rate has made up for it.
   */
  take(slot: number, cost: number, now: number): void
  /** Milliseconds until the slot is as if unused; 0 when it is. */
  resetMs(slot: number, now: number): number
  copy(from: number, to: number): void
}

export function newMeter(algorithm: RateAlgorithm, rate: Rate): Meter {
  switch (algorithm) {
    case 'fixed-window':
      return new FixedWindow(rate)
    case 'sliding-window':
      return new SlidingWindow(rate)
    case 'token-bucket':
      return new TokenBucket(rate)
  }
}

const SLOTS_OF_PAGE = 1024

/** Numbers of each slot side by side in memory, which comes as slots are used. A slot begins with zeros. */
class Slots {
  readonly #width: number
  readonly #pages: Float64Array[] = []

  constructor(width: number) {
    this.#width = width
  }

  page(slot: number): Float64Array {
    const number = Math.floor(slot / SLOTS_OF_PAGE)
    const page = this.#pages[number]
    if (page !== undefined) return page
    while (this.#pages.length <= number) this.#pages.push(new Float64Array(SLOTS_OF_PAGE * this.#width))
    return this.page(slot)
  }

  /** Index in its page of the first of the slot's numbers. */
  indexOf(slot: number): number {
    return (slot % SLOTS_OF_PAGE) * this.#width
  }

  copy(from: number, to: number): void {
    const index = this.indexOf(from)
    this.page(to).set(this.page(from).subarray(index, index + this.#width), this.indexOf(to))
  }
}

/** How much longer than a window the rate takes to make up for `used`, in whole windows. */
const owedMs = (used: number, { count, windowMs }: Rate): number => (Math.ceil(used / count) - 1) * windowMs

function read(page: Float64Array, index: number): number {
  const value = page[index]
  assert(value !== undefined, 'a slot lies in its page')
  return value
}

/** A window begins with the first use after the one before has ended. Two windows' counts may meet at their border. */
class FixedWindow implements Meter {
  /** Of each: when its window ends, and what is used of it. */
  readonly #slots = new Slots(2)
  readonly #rate: Rate

  constructor(rate: Rate) {
    this.#rate = rate
  }

  remaining(slot: number, now: number): number {
    const page = this.#slots.page(slot)
    const index = this.#slots.indexOf(slot)
    return now >= read(page, index) ? this.#rate.count : Math.max(0, this.#rate.count - read(page, index + 1))
  }

  waitMs(slot: number, cost: number, now: number): number {
    return cost <= this.remaining(slot, now) ? 0 : this.resetMs(slot, now)
  }

  take(slot: number, cost: number, now: number): void {
    const page = this.#slots.page(slot)
    const index = this.#slots.indexOf(slot)
    if (now >= read(page, index)) {
      page[index] = now + this.#rate.windowMs
      page[index + 1] = cost
    } else page[index + 1] = read(page, index + 1) + cost
    const used = read(page, index + 1)
    if (used > this.#rate.count) page[index] = read(page, index) + owedMs(used, this.#rate)
  }

  resetMs(slot: number, now: number): number {
    return Math.max(0, read(this.#slots.page(slot), this.#slots.indexOf(slot)) - now)
  }

  copy(from: number, to: number): void {
    this.#slots.copy(from, to)
  }
}

/**
 * Uses that a sliding window remembers one by one. With a greater count, uses that come closer together than this part of
 * the window are remembered as one, at the time of the last.
 */
export const SLICES = 32

const [LENGTH, HEAD, USED, NEWEST_SINCE, USES] = [0, 1, 2, 3, 4]

/**
 * Never more than the count in any window, wherever it begins. With a count above `SLICES`, a use may be remembered for
 * up to a 32nd of the window longer than the window.
 */
class SlidingWindow implements Meter {
  /**
   * Of each: how many uses are remembered, where in the ring the oldest is, their sum, when the newest began; then the
   * ring: when each was, and its cost.
   */
  readonly #slots: Slots
  readonly #rate: Rate
  readonly #sliceMs: number
  /**
   * Each use costs 1 at least. Slices begin a slice apart, and the oldest that counts began less than a window and a
   * slice ago: there are 33 at most, and one more for what rounding may do.
   */
  readonly #usesMax: number

  constructor(rate: Rate) {
    this.#rate = rate
    this.#sliceMs = rate.count > SLICES ? rate.windowMs / SLICES : 0
    this.#usesMax = Math.min(rate.count, SLICES + 2)
    this.#slots = new Slots(USES + 2 * this.#usesMax)
  }

  remaining(slot: number, now: number): number {
    const page = this.#slots.page(slot)
    const index = this.#slots.indexOf(slot)
    this.#forget(page, index, now)
    return Math.max(0, this.#rate.count - read(page, index + USED))
  }

  waitMs(slot: number, cost: number, now: number): number {
    const page = this.#slots.page(slot)
    const index = this.#slots.indexOf(slot)
    this.#forget(page, index, now)
    let missing = cost + read(page, index + USED) - this.#rate.count
    if (missing <= 0) return 0
    for (let nth = 0; ; nth++) {
      const use = this.#useAt(page, index, nth)
      missing -= read(page, use + 1)
      if (missing <= 0) return read(page, use) + this.#rate.windowMs - now
    }
  }

  take(slot: number, cost: number, now: number): void {
    const page = this.#slots.page(slot)
    const index = this.#slots.indexOf(slot)
    const length = read(page, index + LENGTH)
    const since = read(page, index + NEWEST_SINCE)
    const used = read(page, index + USED) + cost
    page[index + USED] = used
    // What is above the count is remembered for longer, as if it were used later
    const at = used > this.#rate.count ? now + owedMs(used, this.#rate) : now
    if (length > 0 && (now === since || now - since < this.#sliceMs)) {
      const newest = this.#useAt(page, index, length - 1)
      page[newest] = at
      page[newest + 1] = read(page, newest + 1) + cost
      return
    }
    assert(length < this.#usesMax, 'a sliding window remembers no more uses than it must')
    page[index + LENGTH] = length + 1
    page[index + NEWEST_SINCE] = now
    const newest = this.#useAt(page, index, length)
    page[newest] = at
    page[newest + 1] = cost
  }

  resetMs(slot: number, now: number): number {
    const page = this.#slots.page(slot)
    const index = this.#slots.indexOf(slot)
    const length = read(page, index + LENGTH)
    if (length === 0) return 0
    return Math.max(0, read(page, this.#useAt(page, index, length - 1)) + this.#rate.windowMs - now)
  }

  copy(from: number, to: number): void {
    this.#slots.copy(from, to)
  }

  /** Index in the page of the slot's nth use, the oldest being 0. */
  #useAt(page: Float64Array, index: number, nth: number): number {
    return index + USES + 2 * this.#inRing(read(page, index + HEAD) + nth)
  }

  /** A place in the ring, below twice its size. Dividing takes longer than all else here. */
  #inRing(place: number): number {
    return place < this.#usesMax ? place : place - this.#usesMax
  }

  #forget(page: Float64Array, index: number, now: number): void {
    while (read(page, index + LENGTH) > 0) {
      const oldest = this.#useAt(page, index, 0)
      if (read(page, oldest) + this.#rate.windowMs > now) return
      page[index + LENGTH] = read(page, index + LENGTH) - 1
      page[index + USED] = read(page, index + USED) - read(page, oldest + 1)
      page[index + HEAD] = this.#inRing(read(page, index + HEAD) + 1)
    }
  }
}

/** Tokens. Adding up fractions of them must not make a bucket that has just filled refuse. */
const ROUNDING = 1e-6

/** A bucket of `count` tokens that fills evenly, whole in one window: at most the count at once, and the rate on average. */
class TokenBucket implements Meter {
  /** Of each: tokens that were missing, and when. */
  readonly #slots = new Slots(2)
  readonly #rate: Rate

  constructor(rate: Rate) {
    this.#rate = rate
  }

  remaining(slot: number, now: number): number {
    return Math.max(0, Math.floor(this.#rate.count - this.#missing(slot, now) + ROUNDING))
  }

  waitMs(slot: number, cost: number, now: number): number {
    const lacking = cost + this.#missing(slot, now) - this.#rate.count
    return lacking <= ROUNDING ? 0 : this.#msOf(lacking)
  }

  take(slot: number, cost: number, now: number): void {
    const missing = this.#missing(slot, now)
    const page = this.#slots.page(slot)
    const index = this.#slots.indexOf(slot)
    page[index] = missing + cost
    page[index + 1] = now
  }

  resetMs(slot: number, now: number): number {
    return this.#msOf(this.#missing(slot, now))
  }

  copy(from: number, to: number): void {
    this.#slots.copy(from, to)
  }

  #missing(slot: number, now: number): number {
    const page = this.#slots.page(slot)
    const index = this.#slots.indexOf(slot)
    const filled = ((now - read(page, index + 1)) * this.#rate.count) / this.#rate.windowMs
    return Math.max(0, read(page, index) - filled)
  }

  #msOf(tokens: number): number {
    return (tokens * this.#rate.windowMs) / this.#rate.count
  }
}
