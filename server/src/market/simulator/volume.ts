import { BLOCK_MINUTES, BLOCK_SECONDS } from './day-path.ts'
import { hash2, unit } from './noise.ts'

/** Sessions this long have no rush at opening and closing. */
const ROUND_THE_CLOCK_SECONDS = 20 * 3600

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

/**
 * Share of the day's volume traded in the first `second` seconds of a session of `seconds`, from 0 to exactly 1, never
 * falling. Each block, minute and second has a lively or a quiet share of its own.
 */
export function volumeShare(seed: number, second: number, seconds: number): number {
  if (second <= 0) return 0
  if (second >= seconds) return 1
  const block = Math.floor(second / BLOCK_SECONDS)
  const blockEnd = Math.min((block + 1) * BLOCK_SECONDS, seconds)
  const from = blockKnot(seed, block, seconds)
  const to = blockEnd === seconds ? 1 : blockKnot(seed, block + 1, seconds)
  if (second === block * BLOCK_SECONDS) return from

  const minutes = (blockEnd - block * BLOCK_SECONDS) / 60
  const minute = Math.floor(second / 60)
  const minuteInBlock = minute - block * BLOCK_MINUTES
  const start = between(from, to, minuteKnot(seed, minute, minuteInBlock, minutes))
  if (second === minute * 60) return start
  const end = between(from, to, minuteKnot(seed, minute + 1, minuteInBlock + 1, minutes))
  return between(start, end, (second - minute * 60 + 0.9 * (unit(hash2(seed, 3, second)) - 0.5)) / 60)
}

function blockKnot(seed: number, block: number, seconds: number): number {
  if (block === 0) return 0
  const shareAt = (second: number) =>
    seconds >= ROUND_THE_CLOCK_SECONDS ? second / seconds : usualShare(second / seconds)
  const share = shareAt(block * BLOCK_SECONDS)
  const before = share - shareAt((block - 1) * BLOCK_SECONDS)
  const after = shareAt(Math.min((block + 1) * BLOCK_SECONDS, seconds)) - share
  return share + 0.8 * (unit(hash2(seed, 1, block)) - 0.5) * Math.min(before, after)
}

function minuteKnot(seed: number, minute: number, minuteInBlock: number, minutes: number): number {
  if (minuteInBlock === 0) return 0
  if (minuteInBlock >= minutes) return 1
  return (minuteInBlock + 0.85 * (unit(hash2(seed, 2, minute)) - 0.5)) / minutes
}

/** Rounding must not carry the result past `to`, or volume would shrink by a unit where two stretches meet. */
const between = (from: number, to: number, share: number): number => Math.min(to, from + (to - from) * share)
