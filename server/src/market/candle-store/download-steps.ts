import { dateOf, dayNumberOf } from '../../kernel/exchange-time.ts'
import { intervalSeconds } from '../candles/buckets.ts'
import type { Interval } from '../market-data.ts'

/** Days, both included. */
export interface Days {
  readonly first: number
  readonly last: number
}

/** Days of candles of seconds that are held in memory at once for one symbol. */
const SECONDS_STEP_DAYS = 2
/** What one request asks for at most, unless the source says what it allows: some 2,000 candles of an exchange's day. */
const REQUEST_DAYS_OF_1M = 5
const REQUEST_DAYS_MAX = 366

/**
 * The days from `first` on that are asked for, written and noted as done together: those of its month, as a month is a
 * file; of days and longer those of its year; of seconds, of which a month is too much, a few.
 */
export function stepFrom(interval: Interval, first: number, lastOfAll: number): Days {
  const seconds = intervalSeconds(interval)
  return { first, last: Math.min(lastOfAll, lastOfStep(seconds, first)) }
}

function lastOfStep(seconds: number | undefined, first: number): number {
  if (seconds !== undefined && seconds < 60) return first + SECONDS_STEP_DAYS - 1
  const date = dateOf(first)
  const year = Number(date.slice(0, 4))
  if (seconds === undefined) return dayNumberOf(`${year + 1}-01-01`) - 1
  const month = Number(date.slice(5, 7))
  const next = month === 12 ? `${year + 1}-01-01` : `${year}-${String(month + 1).padStart(2, '0')}-01`
  return dayNumberOf(next) - 1
}

/** Parts of a step, each one request. */
export function requestsOf({ first, last }: Days, interval: Interval, daysMax: number | undefined): Days[] {
  const length = Math.max(1, Math.min(daysMax ?? requestDays(interval), REQUEST_DAYS_MAX))
  const requests: Days[] = []
  for (let day = first; day <= last; day += length)
    requests.push({ first: day, last: Math.min(last, day + length - 1) })
  return requests
}

function requestDays(interval: Interval): number {
  const seconds = intervalSeconds(interval)
  return seconds === undefined ? REQUEST_DAYS_MAX : Math.floor((REQUEST_DAYS_OF_1M * seconds) / 60)
}
