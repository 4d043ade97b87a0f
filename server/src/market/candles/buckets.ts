import { assert } from '../../kernel/assert.ts'
import { dateOf, dayNumberAt, dayNumberOf, dayStartAt, weekdayOf } from '../../kernel/exchange-time.ts'
import { add, greatest, least } from '../../kernel/fixed.ts'
import type { Session, TradingCalendar } from '../calendar.ts'
import type { Exchange } from '../instrument.ts'
import { type Candle, INTERVALS, type Interval } from '../market-data.ts'

/**
 * Where candles begin and end, for every interval and everybody who makes candles. Intraday candles are counted from
 * the opening of their session, so the last one of a session may be shorter; those of a day and longer begin at 00:00
 * of their period's first day, whether it trades or not, and hold the sessions of their dates.
 */
export const PERIODS = ['D', 'W', 'M', 'Q', 'Y'] as const
export type Period = (typeof PERIODS)[number]

export const isPeriod = (interval: Interval): interval is Period => interval.length === 1

/** Seconds of an intraday interval; undefined for days and longer. */
export function intervalSeconds(interval: Interval): number | undefined {
  const size = { s: 1, m: 60, h: 3600 }[interval.slice(-1)]
  return size === undefined ? undefined : Number(interval.slice(0, -1)) * size
}

/** First day of the period that `day` lies in. Weeks begin on Monday. */
export function periodStart(period: Period, day: number): number {
  if (period === 'D') return day
  if (period === 'W') return day - ((weekdayOf(day) + 6) % 7)
  const date = dateOf(day)
  const month = Number(date.slice(5, 7))
  const first = { M: month, Q: month - ((month - 1) % 3), Y: 1 }[period]
  return dayNumberOf(`${date.slice(0, 4)}-${String(first).padStart(2, '0')}-01`)
}

/** First day of the period after the one that begins on `day`. */
export function nextPeriod(period: Period, day: number): number {
  const step = { D: 1, W: 7, M: 31, Q: 92, Y: 366 }[period]
  return periodStart(period, day + step)
}

/** Instant at which the candle begins that holds `at`, an instant of that session. */
export function bucketStart(session: Session, interval: Interval, at: number): number {
  if (isPeriod(interval)) return dayStartAt(periodStart(interval, dayNumberOf(session.date)))
  const length = lengthMs(interval)
  return session.opensAt + Math.floor((at - session.opensAt) / length) * length
}

/** Instant at which an intraday candle of that session that begins at `startAt` is over. */
export const bucketEnd = (session: Session, interval: Interval, startAt: number): number =>
  Math.min(startAt + lengthMs(interval), session.closesAt)

/** Milliseconds of an intraday interval. */
const lengthMs = (interval: Interval): number => (intervalSeconds(interval) ?? 0) * 1000

/** One candle of two, the later of which begins where the earlier ends or after a gap. */
export const joined = (earlier: Candle, later: Candle): Candle => ({
  startAt: earlier.startAt,
  open: earlier.open,
  high: greatest(earlier.high, later.high),
  low: least(earlier.low, later.low),
  close: later.close,
  volume: add(earlier.volume, later.volume),
  openInterest: later.openInterest,
})

/** Whether candles of `to` can be made of those of `from`. */
export function canAggregate(from: Interval, to: Interval): boolean {
  if (from === to) return true
  if (isPeriod(from)) return isPeriod(to) && (from === 'D' || (from === 'M' && 'QY'.includes(to)) || from + to === 'QY')
  return isPeriod(to) || lengthMs(to) % lengthMs(from) === 0
}

/** The longest of these intervals that candles of `to` can be made of; undefined when there is none. */
export const baseOf = (offered: readonly Interval[], to: Interval): Interval | undefined =>
  INTERVALS.findLast((from) => offered.includes(from) && canAggregate(from, to))

/** All intervals that these, and candles made of them, give; shortest first. */
export const reachable = (offered: readonly Interval[]): readonly Interval[] =>
  INTERVALS.filter((interval) => baseOf(offered, interval) !== undefined)

/**
 * Candles of `interval` made of shorter ones of `from`, ascending by time. Only candles that are there count: where a
 * range cuts a longer candle, its part is what comes out. A candle outside its exchange's sessions, as imported data may
 * have, is counted from the opening of its own day, or from 00:00 when that day has no session; none is lost.
 */
export function aggregate(
  candles: Iterable<Candle>,
  interval: Interval,
  calendar: TradingCalendar,
  exchange: Exchange,
  from: Interval = '1m',
): Candle[] {
  const starts = bucketing(from, interval, calendar, exchange)
  const merged: Candle[] = []
  let current: Candle | undefined
  for (const candle of candles) {
    const startAt = starts(candle.startAt)
    if (current !== undefined && current.startAt === startAt) {
      current = joined(current, candle)
      continue
    }
    if (current !== undefined) merged.push(current)
    current = { ...candle, startAt }
  }
  if (current !== undefined) merged.push(current)
  return merged
}

/** Start of the candle of `interval` that a candle of `from` with some start is part of; for starts one after the other. */
export const bucketing = (
  from: Interval,
  interval: Interval,
  calendar: TradingCalendar,
  exchange: Exchange,
): ((startAt: number) => number) =>
  isPeriod(from) ? periodsOfDays(interval) : bucketsOfInstants(interval, calendar, exchange)

function periodsOfDays(interval: Interval): (startAt: number) => number {
  assert(isPeriod(interval), `${interval} can't be made of days`)
  return (startAt) => dayStartAt(periodStart(interval, dayNumberAt(startAt)))
}

/** Start of the candle that holds an instant. The session that was found last is asked first. */
function bucketsOfInstants(
  interval: Interval,
  calendar: TradingCalendar,
  exchange: Exchange,
): (startAt: number) => number {
  let session: Session | undefined
  return (at) => {
    if (session === undefined || at < session.opensAt || at >= session.closesAt) {
      session = calendar.sessionAt(exchange, at)
    }
    return session === undefined ? strayStart(interval, calendar, exchange, at) : bucketStart(session, interval, at)
  }
}

function strayStart(interval: Interval, calendar: TradingCalendar, exchange: Exchange, at: number): number {
  const day = dayNumberAt(at)
  const dayAt = dayStartAt(day)
  if (isPeriod(interval)) return dayStartAt(periodStart(interval, day))
  const opensAt = calendar.sessionOn(exchange, day)?.opensAt ?? dayAt
  const length = lengthMs(interval)
  return Math.max(dayAt, opensAt + Math.floor((at - opensAt) / length) * length)
}
