import { dayNumberAt, dayStartAt } from '../../kernel/exchange-time.ts'
import type { Session } from '../calendar.ts'
import type { Candle, Interval } from '../market-data.ts'
import { bucketEnd, bucketStart, intervalSeconds, isPeriod, nextPeriod, type Period, periodStart } from './buckets.ts'
import type { Place, Range } from './derived.ts'

/** Stored candles of one length, ascending, that candles of another are to be made of. */
export interface Stored {
  readonly base: Interval
  readonly candles: readonly Candle[]
}

/** Parts of a range that are asked for one by one; more are asked for as one. */
export const GAPS_MAX = 8

/**
 * Where stored candles can't give the candles of `interval` that begin in `range`: sessions, or whole periods, that
 * aren't over at `now` or of which a candle is missing. Ascending; neighbours are one, and so are too many.
 */
export function gapsOf(stored: Stored, interval: Interval, range: Range, place: Place, now: number): Range[] {
  const parts = isPeriod(interval)
    ? periodGaps(stored, interval, range, place, now)
    : sessionGaps(stored, interval, range, place, now)
  if (parts.length <= GAPS_MAX) return parts
  return [{ fromAt: parts[0]?.fromAt ?? range.fromAt, toAt: parts.at(-1)?.toAt ?? range.toAt }]
}

function sessionGaps(stored: Stored, interval: Interval, range: Range, place: Place, now: number): Range[] {
  const gaps: Range[] = []
  let isOpen = false
  // A session may have begun on the day before.
  for (let day = dayNumberAt(range.fromAt) - 1; day <= dayNumberAt(range.toAt - 1); day += 1) {
    const session = place.calendar.sessionOn(place.exchange, day)
    if (session === undefined || session.closesAt <= range.fromAt || session.opensAt > now) continue
    const part = { fromAt: Math.max(session.opensAt, range.fromAt), toAt: Math.min(session.closesAt, range.toAt) }
    if (part.fromAt >= part.toAt) continue
    // The last candle that begins in the range may end behind it, in a session past midnight
    const toAt = bucketEnd(session, interval, bucketStart(session, interval, part.toAt - 1))
    const isWhole = isComplete(stored, session, { fromAt: part.fromAt, toAt }, now)
    if (!isWhole && isOpen) gaps.push({ fromAt: gaps.pop()?.fromAt ?? part.fromAt, toAt: part.toAt })
    else if (!isWhole) gaps.push(part)
    isOpen = !isWhole
  }
  return gaps
}

function periodGaps(stored: Stored, period: Period, range: Range, place: Place, now: number): Range[] {
  const gaps: Range[] = []
  let isOpen = false
  let first = periodStart(period, dayNumberAt(range.fromAt))
  if (dayStartAt(first) < range.fromAt) first = nextPeriod(period, first)
  for (; dayStartAt(first) < range.toAt && dayStartAt(first) <= now; first = nextPeriod(period, first)) {
    const part = { fromAt: dayStartAt(first), toAt: dayStartAt(nextPeriod(period, first)) }
    const isWhole = isPeriodComplete(stored, part, place, now)
    if (!isWhole && isOpen) gaps.push({ fromAt: gaps.pop()?.fromAt ?? part.fromAt, toAt: part.toAt })
    else if (!isWhole) gaps.push(part)
    isOpen = !isWhole
  }
  return gaps
}

function isPeriodComplete(stored: Stored, part: Range, { calendar, exchange }: Place, now: number): boolean {
  for (let day = dayNumberAt(part.fromAt); day < dayNumberAt(part.toAt); day += 1) {
    const session = calendar.sessionOn(exchange, day)
    if (session === undefined) continue
    if (!isComplete(stored, session, { fromAt: session.opensAt, toAt: session.closesAt }, now)) return false
  }
  return true
}

/** Whether the session is over and every candle of it that begins in `part` is stored. */
function isComplete({ base, candles }: Stored, session: Session, part: Range, now: number): boolean {
  if (session.closesAt > now) return false
  if (isPeriod(base)) {
    const startAt = dayStartAt(periodStart(base, dayNumberAt(session.opensAt)))
    return candles[firstFrom(candles, startAt)]?.startAt === startAt
  }
  const lengthMs = (intervalSeconds(base) ?? 0) * 1000
  const startsBefore = (at: number): number => Math.ceil((at - session.opensAt) / lengthMs)
  const wanted = startsBefore(part.toAt) - startsBefore(part.fromAt)
  return firstFrom(candles, part.toAt) - firstFrom(candles, part.fromAt) >= wanted
}

/** Index of the first candle that begins at `at` or later. */
function firstFrom(candles: readonly Candle[], at: number): number {
  let low = 0
  let high = candles.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((candles[middle]?.startAt ?? at) < at) low = middle + 1
    else high = middle
  }
  return low
}

/** Both, ascending; of two that begin together the one of `winning`. */
export function mergedByStart(candles: readonly Candle[], winning: readonly Candle[]): Candle[] {
  const merged: Candle[] = []
  let index = 0
  for (const winner of winning) {
    for (let other = candles[index]; other !== undefined && other.startAt <= winner.startAt; other = candles[index]) {
      if (other.startAt < winner.startAt) merged.push(other)
      index += 1
    }
    merged.push(winner)
  }
  return merged.concat(candles.slice(index))
}
