import Type from 'typebox'
import { entryOf } from '../../identity/audit.ts'
import { Refusal } from '../../kernel/errors.ts'
import { dateAt, dateOf, dayNumberAt, dayNumberOf, timestampOf } from '../../kernel/exchange-time.ts'
import { findYear } from '../../market/calendar/years.ts'
import {
  type Coverage,
  coverageDaysMax,
  coverageReport,
  type Series,
  type StoredSeries,
} from '../../market/candle-store/index.ts'
import { defineOperation } from '../operation.ts'
import type { Services } from '../services.ts'
import { actorOf, success, textOrNull } from './caller.ts'
import {
  anyExchange,
  checkDates,
  endDate,
  interval,
  rangeOf,
  shownSeries,
  startDate,
  storedOut,
} from './history-fields.ts'
import { exchange, symbol } from './instrument-fields.ts'
import { belowOf, cursorOf, paging } from './paging.ts'

const reportOut = Type.Object({
  days_without_calendar: Type.Integer({
    description: 'Days of years whose holidays aren’t known: every weekday counts as a session there.',
  }),
  empty_sessions: Type.Integer({ description: 'Sessions, or longer periods, without a single candle.' }),
  end_date: Type.String(),
  expected: Type.Integer({ description: 'Candles of the range that the calendar has and that are over.' }),
  holes: Type.Array(
    Type.Object({
      candles: Type.Integer(),
      first: Type.String({ description: 'Start of the first candle that is missing, in the exchange’s zone.' }),
      last: Type.String({ description: 'Start of the last one.' }),
    }),
    { description: 'Expected candles in a row that aren’t stored.' },
  ),
  holes_left_out: Type.Integer({ description: 'Holes beyond those listed.' }),
  missing: Type.Integer(),
  outside: Type.Integer({
    description: 'Stored candles that the calendar hasn’t, such as those of a pre-open session.',
  }),
  sessions: Type.Integer(),
  start_date: Type.String(),
  stored: Type.Integer({ description: 'Of those expected, how many are stored.' }),
})

function shownReport(report: Coverage, fromDay: number, toDay: number, unknownDays: number) {
  return {
    days_without_calendar: unknownDays,
    empty_sessions: report.emptySessions,
    end_date: dateOf(toDay),
    expected: report.expected,
    holes: report.holes.map(({ candles, firstAt, lastAt }) => ({
      candles,
      first: timestampOf(firstAt),
      last: timestampOf(lastAt),
    })),
    holes_left_out: report.holesLeftOut,
    missing: report.missing,
    outside: report.outside,
    sessions: report.sessions,
    start_date: dateOf(fromDay),
    stored: report.stored,
  }
}

export const historycoverage = defineOperation({
  name: 'history/coverage',
  method: 'GET',
  tag: 'Market data',
  summary: 'What the local candle store has, and what is missing',
  description:
    'The stored series, sorted by exchange, interval and symbol, a page at a time. With `symbol`, `exchange` and `interval` also a report of the holes between two dates, which are the first and last stored ones when left out.',
  access: 'read',
  rateClass: 'heavy',
  input: {
    symbol: symbol().optional(),
    exchange: anyExchange().optional(),
    interval: interval().optional(),
    start_date: startDate().optional(),
    end_date: endDate().optional(),
    ...paging,
  },
  check(input) {
    const isWhole = input.symbol !== undefined && input.exchange !== undefined && input.interval !== undefined
    const errors = [...checkDates(input)]
    for (const field of ['start_date', 'end_date'] as const)
      if (!isWhole && input[field] !== undefined)
        errors.push({ field, message: 'Is for a report alone: it needs symbol, exchange and interval too.' })
    return errors
  },
  output: Type.Object({
    data: Type.Array(Type.Object(storedOut)),
    next_cursor: textOrNull,
    report: Type.Union([reportOut, Type.Null()]),
    status: success,
  }),
  example: { symbol: 'SBIN', exchange: 'NSE', interval: '1m', start_date: '2026-08-03', end_date: '2026-08-07' },
  refusals: ['range_too_long', 'store_damaged', 'overloaded'],
  async handle(input, { services, now }) {
    const { candleStore } = services
    const { symbol: name, exchange: place, interval: length } = input
    const from = belowOf(input.cursor) ?? 0
    const matching = (await candleStore.series()).filter(
      (series) =>
        (name === undefined || series.symbol === name) &&
        (place === undefined || series.exchange === place) &&
        (length === undefined || series.interval === length),
    )
    const found = await candleStore.summaries(matching.slice(from, from + input.limit))
    const next = from + input.limit
    const isWhole = name !== undefined && place !== undefined && length !== undefined
    const days = isWhole ? daysOf(input, found[0]) : undefined
    return {
      data: found.map(shownSeries),
      next_cursor: cursorOf(matching.length > next ? next : undefined),
      report:
        isWhole && days !== undefined
          ? await reportOf(services, { symbol: name, exchange: place, interval: length }, days, now)
          : null,
      status: 'success' as const,
    }
  },
})

interface Days {
  readonly fromDay: number
  readonly toDay: number
}

/** Days of a report: those asked for, or those of what is stored; undefined when neither says. */
function daysOf(
  { start_date, end_date }: { readonly start_date: string | undefined; readonly end_date: string | undefined },
  stored: StoredSeries | undefined,
): Days | undefined {
  const from = start_date ?? (stored === undefined ? end_date : dateAt(stored.firstAt))
  const to = end_date ?? (stored === undefined ? start_date : dateAt(stored.lastAt))
  if (from === undefined || to === undefined) return undefined
  return { fromDay: dayNumberOf(from), toDay: Math.max(dayNumberOf(from), dayNumberOf(to)) }
}

async function reportOf(
  { candleStore, calendar }: Pick<Services, 'candleStore' | 'calendar'>,
  series: Series,
  { fromDay, toDay }: Days,
  now: number,
) {
  const most = coverageDaysMax(series.interval)
  if (toDay - fromDay >= most)
    throw new Refusal(
      'range_too_long',
      `The range has ${toDay - fromDay + 1} days; a report of ${series.interval} candles has ${most} at most.`,
    )
  // What is to come has no candles, and needn't be looked through
  const lastDay = Math.min(toDay, dayNumberAt(now))
  const report = await coverageReport(candleStore, calendar, series, rangeOf(dateOf(fromDay), dateOf(lastDay)), now)
  let unknownDays = 0
  for (let day = fromDay; day <= lastDay; day += 1) if (findYear(dateOf(day)) === undefined) unknownDays += 1
  return shownReport(report, fromDay, toDay, calendar.hours === 'always' ? 0 : unknownDays)
}

export const historydelete = defineOperation({
  name: 'history/delete',
  method: 'POST',
  tag: 'Market data',
  summary: 'Delete candles from the local store',
  description: 'All of one symbol, or those of one interval. They can’t be brought back.',
  access: 'admin',
  rateClass: 'heavy',
  input: { symbol: symbol(), exchange: exchange(), interval: interval().optional() },
  output: Type.Object({
    data: Type.Object({ intervals: Type.Array(Type.String(), { description: 'What was deleted.' }) }),
    message: Type.String(),
    status: success,
  }),
  example: { symbol: 'SAMPLE', exchange: 'NSE' },
  refusals: ['no_data', 'overloaded'],
  async handle({ symbol: name, exchange: place, interval: only }, context) {
    const { candleStore, audit } = context.services
    const of = { symbol: name, exchange: place }
    const intervals: string[] = []
    for (const length of await candleStore.intervals(of)) {
      if (only !== undefined && length !== only) continue
      if (await candleStore.remove({ ...of, interval: length })) intervals.push(length)
    }
    if (intervals.length === 0)
      throw new Refusal(
        'no_data',
        `Nothing is stored of ${name} (${place})${only === undefined ? '' : ` in ${only}`}. history/coverage lists what is.`,
      )
    audit.record(entryOf(actorOf(context), 'candles.deleted', name, { exchange: place, intervals }))
    return { data: { intervals }, message: `Deleted: ${intervals.join(', ')}`, status: 'success' as const }
  },
})
