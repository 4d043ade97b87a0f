import { Refusal } from '../../kernel/errors.ts'
import { dayNumberAt, dayStartAt } from '../../kernel/exchange-time.ts'
import type { Session } from '../calendar.ts'
import { intervalSeconds, joined, nextPeriod, type Period, periodStart } from '../candles/buckets.ts'
import { CANDLES_MAX, type Candle, type Interval } from '../market-data.ts'

/** Where candles are made of: the sessions of one instrument, and the candle of any seconds of one of them. */
export interface CandleSource {
  readonly name: string
  /** Days with prices, both inclusive. */
  readonly firstDay: number
  readonly lastDay: number
  readonly now: number
  sessionOn(day: number): Session | undefined
  /** Candle of the seconds [from, to) of a session, undefined when there was no trading in them; `to` has begun by now. */
  candle(session: Session, day: number, from: number, to: number, startAt: number): Candle | undefined
}

/**
 * Candles that begin in [fromAt, toAt), ascending, the running one up to now. Intraday candles are counted from the
 * session's opening; those of days and longer begin at 00:00 of the period's first day, whether it trades or not.
 */
export function buildCandles(source: CandleSource, interval: Interval, fromAt: number, toAt: number): Candle[] {
  const seconds = intervalSeconds(interval)
  const until = Math.min(toAt, source.now + 1)
  if (!(fromAt < until)) return []
  return seconds === undefined
    ? periodCandles(source, interval as Period, fromAt, until)
    : intradayCandles(source, interval, seconds, fromAt, until)
}

function intradayCandles(
  source: CandleSource,
  interval: Interval,
  length: number,
  fromAt: number,
  until: number,
): Candle[] {
  const candles: Candle[] = []
  // A session may have begun on the day before.
  const firstDay = Math.max(source.firstDay, dayNumberAt(fromAt) - 1)
  const lastDay = Math.min(source.lastDay, dayNumberAt(until - 1))
  for (let day = firstDay; day <= lastDay; day += 1) {
    const session = source.sessionOn(day)
    if (session === undefined) continue
    const begun = secondsBegun(session, source.now)
    const first = Math.max(0, Math.ceil((fromAt - session.opensAt) / 1000 / length))
    for (let start = first * length; start < begun; start += length) {
      const startAt = session.opensAt + start * 1000
      if (startAt >= until) break
      if (candles.length >= CANDLES_MAX) throw tooLong(source, interval)
      const candle = source.candle(session, day, start, Math.min(start + length, begun), startAt)
      if (candle !== undefined) candles.push(candle)
    }
  }
  return candles
}

function tooLong(source: CandleSource, interval: Interval): Refusal {
  return new Refusal(
    'range_too_long',
    `The range holds more than ${CANDLES_MAX} candles of ${interval} for ${source.name}; ask for a shorter range or a longer interval`,
  )
}

/** Seconds of the session that have begun. */
function secondsBegun(session: Session, now: number): number {
  if (now < session.opensAt) return 0
  return Math.min((session.closesAt - session.opensAt) / 1000, Math.floor((now - session.opensAt) / 1000) + 1)
}

function periodCandles(source: CandleSource, period: Period, fromAt: number, until: number): Candle[] {
  const candles: Candle[] = []
  let day = periodStart(period, Math.max(source.firstDay, dayNumberAt(fromAt)))
  if (dayStartAt(day) < fromAt) day = nextPeriod(period, day)
  for (; dayStartAt(day) < until && day <= source.lastDay; day = nextPeriod(period, day)) {
    const end = Math.min(nextPeriod(period, day) - 1, source.lastDay, dayNumberAt(source.now))
    const candle = mergedDays(source, day, end)
    if (candle !== undefined) candles.push(candle)
  }
  return candles
}

/** One candle of the sessions of the days `from` … `to`; undefined when there are none yet. */
function mergedDays(source: CandleSource, from: number, to: number): Candle | undefined {
  let merged: Candle | undefined
  for (let day = Math.max(from, source.firstDay); day <= to; day += 1) {
    const session = source.sessionOn(day)
    if (session === undefined) continue
    const begun = secondsBegun(session, source.now)
    if (begun === 0) continue
    const candle = source.candle(session, day, 0, begun, dayStartAt(from))
    if (candle !== undefined) merged = merged === undefined ? candle : joined(merged, candle)
  }
  return merged
}
