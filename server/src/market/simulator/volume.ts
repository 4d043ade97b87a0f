import { BLOCK_MINUTES, BLOCK_SECONDS } from './minutes.ts'
import { hash2, unit } from './noise.ts'
import { ROUND_THE_CLOCK_MINUTES } from './profile.ts'

const OPENING_WEIGHT = 0.072
const OPENING_SPAN = 0.06
const CLOSING_WEIGHT = 0.072
const CLOSING_SPAN = 0.08
const WHOLE =
  1 + OPENING_WEIGHT * (1 - Math.exp(-1 / OPENING_SPAN)) + CLOSING_WEIGHT * (1 - Math.exp(-1 / CLOSING_SPAN))

/** Share of the day's volume traded in the first part `x` (0 … 1) of a session: busy at both ends, calm in between. */
function usualShare(x: number): number {
  const opening = OPENING_WEIGHT * (1 - Math.exp(-x / OPENING_SPAN))
  const closing = CLOSING_WEIGHT * (Math.exp((x - 1) / CLOSING_SPAN) - Math.exp(-1 / CLOSING_SPAN))
  return (x + opening + closing) / WHOLE
}

/** Shares of the day's volume usually traded before each block of a session, by its length. */
const usualShares = new Map<number, Float64Array>()
const USUAL_SHARES_MAX = 256

function usualSharesOf(seconds: number): Float64Array {
  let shares = usualShares.get(seconds)
  if (shares === undefined) {
    const blocks = Math.ceil(seconds / BLOCK_SECONDS)
    shares = new Float64Array(blocks + 1).fill(1)
    for (let block = 0; block < blocks; block += 1) {
      const x = (block * BLOCK_SECONDS) / seconds
      shares[block] = seconds >= ROUND_THE_CLOCK_MINUTES * 60 ? x : usualShare(x)
    }
    if (usualShares.size >= USUAL_SHARES_MAX) usualShares.clear()
    usualShares.set(seconds, shares)
  }
  return shares
}

/**
 * How one instrument's volume of a day is spread over its session. Each block, minute and second has a lively or a
 * quiet share of its own. Kept is the block that was asked for last.
 */
export class VolumeCurve {
  readonly #seed: number
  readonly #seconds: number
  readonly #usual: Float64Array
  #block = -1
  #from = 0
  #to = 0
  #minute = -1
  #start = 0
  #end = 0

  constructor(seed: number, seconds: number) {
    this.#seed = seed
    this.#seconds = seconds
    this.#usual = usualSharesOf(seconds)
  }

  get seconds(): number {
    return this.#seconds
  }

  /** Share of the day's volume traded in the first `second` seconds of the session, from 0 to exactly 1, never falling. */
  shareUntil(second: number): number {
    if (second <= 0) return 0
    if (second >= this.#seconds) return 1
    const minute = Math.floor(second / 60)
    if (minute !== this.#minute) this.#enterMinute(minute)
    if (second === minute * 60) return this.#start
    const place = (second - minute * 60 + 0.9 * (unit(hash2(this.#seed, 3, second)) - 0.5)) / 60
    return between(this.#start, this.#end, place)
  }

  #enterMinute(minute: number): void {
    const block = Math.floor(minute / BLOCK_MINUTES)
    if (block !== this.#block) {
      this.#from = this.#blockKnot(block)
      this.#to = this.#blockKnot(block + 1)
      this.#block = block
    }
    const minutes = Math.min(BLOCK_MINUTES, this.#seconds / 60 - block * BLOCK_MINUTES)
    const inBlock = minute - block * BLOCK_MINUTES
    this.#start = between(this.#from, this.#to, minuteKnot(this.#seed, minute, inBlock, minutes))
    this.#end = between(this.#from, this.#to, minuteKnot(this.#seed, minute + 1, inBlock + 1, minutes))
    this.#minute = minute
  }

  #blockKnot(block: number): number {
    const usual = this.#usual
    if (block === 0) return 0
    if (block >= usual.length - 1) return 1
    const share = usual[block] ?? 0
    const before = share - (usual[block - 1] ?? 0)
    const after = (usual[block + 1] ?? 1) - share
    return share + 0.8 * (unit(hash2(this.#seed, 1, block)) - 0.5) * Math.min(before, after)
  }
}

function minuteKnot(seed: number, minute: number, minuteInBlock: number, minutes: number): number {
  if (minuteInBlock === 0) return 0
  if (minuteInBlock >= minutes) return 1
  return (minuteInBlock + 0.85 * (unit(hash2(seed, 2, minute)) - 0.5)) / minutes
}

/** Rounding must not carry the result past `to`, or volume would shrink by a unit where two stretches meet. */
const between = (from: number, to: number, share: number): number => Math.min(to, from + (to - from) * share)
