import { DAY_MS } from '../../kernel/exchange-time.ts'
import { turn } from '../../kernel/turn.ts'
import type { TradingCalendar } from '../calendar.ts'
import { intervalSeconds } from '../candles/buckets.ts'
import { INTRADAY_DAYS_MAX, PERIOD_DAYS_MAX } from '../candles/candle-history.ts'
import type { CandleStore, Series } from './candle-store.ts'
import { type Coverage, CoverageCount, type CoverageRange } from './coverage.ts'

/** Of a range, what is looked at together: about a month's file. */
const SLICE_MS = 31 * DAY_MS

/** What of a range is stored, and what isn't; everything else may happen between its parts. Throws as `CandleStore.starts`. */
export async function coverageReport(
  store: Pick<CandleStore, 'starts'>,
  calendar: TradingCalendar,
  series: Series,
  { fromAt, toAt }: CoverageRange,
  now: number,
): Promise<Coverage> {
  const count = new CoverageCount(series, calendar, now)
  for (let at = fromAt; at < toAt; at += SLICE_MS) {
    const range = { fromAt: at, toAt: Math.min(toAt, at + SLICE_MS) }
    count.add(await store.starts(series, range.fromAt, range.toAt), range)
    await turn()
  }
  return count.take()
}

/** Days of candles of seconds in one report. */
const SECONDS_DAYS_MAX = 62

/** Most days of one report. */
export function coverageDaysMax(interval: Series['interval']): number {
  const seconds = intervalSeconds(interval)
  if (seconds === undefined) return PERIOD_DAYS_MAX
  return seconds < 60 ? SECONDS_DAYS_MAX : INTRADAY_DAYS_MAX
}
