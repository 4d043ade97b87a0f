import { dayNumberAt, dayStartAt } from '../../kernel/exchange-time.ts'
import type { TradingCalendar } from '../calendar.ts'
import type { Exchange } from '../instrument.ts'
import type { Candle, Interval } from '../market-data.ts'
import { aggregate, bucketEnd, bucketStart, isPeriod, nextPeriod, periodStart } from './buckets.ts'

/** Instants [fromAt, toAt). */
export interface Range {
  readonly fromAt: number
  readonly toAt: number
}

/** The exchange whose sessions candles are counted from. */
export interface Place {
  readonly calendar: TradingCalendar
  readonly exchange: Exchange
}

/** Candles of a length that begin in a range. */
export type ReadCandles = (interval: Interval, range: Range) => Promise<Candle[]>

/**
 * Candles of `base` that all candles of `interval` which begin in `range` are made of; undefined when none begins there.
 * A candle that began before the range isn't in it, so two ranges that meet never share one.
 */
export function baseRange(base: Interval, interval: Interval, range: Range, place: Place): Range | undefined {
  if (range.fromAt >= range.toAt) return undefined
  if (base === interval) return range
  return isPeriod(interval)
    ? daysOfPeriods(base, interval, range, place)
    : { ...range, toAt: lastEnd(interval, range, place) }
}

function daysOfPeriods(base: Interval, interval: Interval, range: Range, place: Place): Range | undefined {
  if (!isPeriod(interval)) return undefined
  const begun = periodStart(interval, dayNumberAt(range.fromAt))
  const first = dayStartAt(begun) < range.fromAt ? nextPeriod(interval, begun) : begun
  const last = periodStart(interval, dayNumberAt(range.toAt - 1))
  if (last < first) return undefined
  const after = nextPeriod(interval, last)
  // The session of the last day may run past midnight
  const closesAt = isPeriod(base) ? 0 : (place.calendar.sessionOn(place.exchange, after - 1)?.closesAt ?? 0)
  return { fromAt: dayStartAt(first), toAt: Math.max(dayStartAt(after), closesAt) }
}

/** End of the last intraday candle that begins in the range: a session may be under way where the range ends. */
function lastEnd(interval: Interval, { toAt }: Range, { calendar, exchange }: Place): number {
  const session = calendar.sessionAt(exchange, toAt)
  if (session === undefined || session.opensAt >= toAt) return toAt
  return bucketEnd(session, interval, bucketStart(session, interval, toAt - 1))
}

/** Candles of `interval` that begin in `range`, made of `candles` of `base`, those of its `baseRange`. */
export function derived(
  candles: Candle[],
  base: Interval,
  interval: Interval,
  range: Range,
  { calendar, exchange }: Place,
): Candle[] {
  if (base === interval) return candles
  const made = aggregate(candles, interval, calendar, exchange, base)
  return made.filter(({ startAt }) => startAt >= range.fromAt && startAt < range.toAt)
}

/** Whether a candle isn't over at `now`: the last session that it holds has not closed, or its time is not up. */
export function isRunning(candle: Candle, interval: Interval, { calendar, exchange }: Place, now: number): boolean {
  const { startAt } = candle
  if (!isPeriod(interval)) {
    const session = calendar.sessionAt(exchange, startAt)
    return session !== undefined && now < bucketEnd(session, interval, startAt)
  }
  const first = dayNumberAt(startAt)
  for (let day = nextPeriod(interval, first) - 1; day >= first; day -= 1) {
    const session = calendar.sessionOn(exchange, day)
    if (session !== undefined) return now < session.closesAt
  }
  return false
}
