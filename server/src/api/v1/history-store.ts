import Type from 'typebox'
import { entryOf } from '../../identity/audit.ts'
import { Refusal } from '../../kernel/errors.ts'
import { dateAt, dateOf, dayNumberAt, dayNumberOf, timestampOf } from '../../kernel/exchange-time.ts'
import { formatPrice, formatQuantity } from '../../kernel/fixed.ts'
import { findYear } from '../../market/calendar/years.ts'
import {
  CandleRows,
  type Coverage,
  candlesOf,
  coverageDaysMax,
  coverageReport,
  FILE_FORMATS,
  instantOf,
  type Series,
  type StoredSeries,
  TIME_FORMS,
} from '../../market/candle-store/index.ts'
import type { Exchange } from '../../market/instrument.ts'
import type { Interval } from '../../market/market-data.ts'
import { choice, list, object, price, quantity } from '../field.ts'
import { makeField, problem, shown, type ValueOf } from '../field-type.ts'
import { defineOperation } from '../operation.ts'
import type { Services } from '../services.ts'
import { actorOf, success, textOrNull } from './caller.ts'
import {
  anyExchange,
  checkDates,
  checkTwice,
  endDate,
  fileName,
  interval,
  rangeOf,
  seriesOf,
  startDate,
  symbols,
} from './history-fields.ts'
import { exchange, symbol } from './instrument-fields.ts'
import { belowOf, cursorOf, paging } from './paging.ts'

const storedOut = {
  candles: Type.Integer(),
  exchange: Type.String(),
  first: Type.String({ description: 'Start of the first candle, in the exchange’s zone.' }),
  interval: Type.String(),
  last: Type.String({ description: 'Start of the last candle.' }),
  symbol: Type.String(),
}
const shownSeries = (series: StoredSeries) => ({
  candles: series.candles,
  exchange: series.exchange,
  first: timestampOf(series.firstAt),
  interval: series.interval,
  last: timestampOf(series.lastAt),
  symbol: series.symbol,
})

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

/** Candles of one request; more come by file. */
const CANDLES_MAX = 1_000

const instant = makeField<number | string, string>(
  { type: ['integer', 'string'] },
  { description: `Start of the candle: ${TIME_FORMS}.`, example: 1_785_728_700 },
  (value) => {
    const text = typeof value === 'number' || typeof value === 'string' ? String(value) : ''
    return instantOf(text) === undefined ? problem(`No time. Got ${shown(value)}; write it as ${TIME_FORMS}.`) : text
  },
)

const CANDLE = {
  timestamp: instant,
  open: price({ noun: 'open' }),
  high: price({ noun: 'high' }),
  low: price({ noun: 'low' }),
  close: price({ noun: 'close' }),
  volume: quantity({ noun: 'volume', sign: 'non-negative' }).optional(),
  oi: quantity({ noun: 'oi', sign: 'non-negative' }).optional(),
} as const

const HEADER = ['timestamp', 'open', 'high', 'low', 'close', 'volume', 'oi']

export const historyimport = defineOperation({
  name: 'history/import',
  method: 'POST',
  tag: 'Market data',
  summary: 'Put candles into the local store',
  description:
    'From a file of CSV or Parquet in the folder `import` of Sauda’s data, or from the request itself, as `history` answers them. A file has the columns timestamp (or date and time), open, high, low and close, and may have volume, oi, symbol, exchange and interval; those that it lacks the request names. A time without a zone is the exchange’s. Nothing is kept of a file with something wrong, and the same file again changes nothing.',
  access: 'admin',
  rateClass: 'heavy',
  input: {
    file: fileName('Name of a file in the folder `import`.').optional(),
    candles: list(object(CANDLE), {
      min: 1,
      max: CANDLES_MAX,
      noun: 'Candles',
      description: 'Candles of one series.',
    }).optional(),
    symbol: symbol().optional(),
    exchange: exchange().optional(),
    interval: interval().optional(),
  },
  check(input) {
    if ((input.file === undefined) === (input.candles === undefined))
      return [{ field: 'file', message: 'Send either file or candles.' }]
    if (input.file !== undefined) return []
    return (['symbol', 'exchange', 'interval'] as const)
      .filter((field) => input[field] === undefined)
      .map((field) => ({ field, message: 'Missing: candles need symbol, exchange and interval.' }))
  },
  output: Type.Object({
    data: Type.Array(
      Type.Object({
        ...storedOut,
        added: Type.Integer({ description: 'Candles that weren’t there.' }),
        changed: Type.Integer({ description: 'Candles that were there with other values.' }),
      }),
      { description: 'Each series, with what was read of it.' },
    ),
    message: Type.String(),
    status: success,
  }),
  example: {
    symbol: 'SAMPLE',
    exchange: 'NSE',
    interval: '1m',
    candles: [
      { timestamp: '2026-08-03T09:15:00+05:30', open: 100.05, high: 101, low: 99.5, close: 100.5, volume: 1200, oi: 0 },
      { timestamp: 1_785_728_760, open: 100.5, high: 100.75, low: 100.5, close: 100.7, volume: 800, oi: 0 },
    ],
  },
  refusals: ['file_not_found', 'file_unreadable', 'store_damaged', 'store_unwritable', 'overloaded'],
  async handle(input, context) {
    const { candleStore, audit } = context.services
    const { file } = input
    const series =
      file === undefined ? await putAll(candleStore, input) : (await candleStore.importFile({ ...input, file })).series
    const total = series.reduce((sum, { candles }) => sum + candles, 0)
    audit.record(
      entryOf(actorOf(context), 'candles.imported', file ?? 'request', { series: series.length, candles: total }),
    )
    return {
      data: series.map(({ added, changed, ...one }) => ({ ...shownSeries(one), added, changed })),
      message: `${total} candles read, ${series.reduce((sum, { added }) => sum + added, 0)} of them new`,
      status: 'success' as const,
    }
  },
})

interface Sent {
  readonly candles: readonly ValueOf<typeof CANDLE>[] | undefined
  readonly symbol: string | undefined
  readonly exchange: Exchange | undefined
  readonly interval: Interval | undefined
}

/** Keeps the candles of a request, by the rules of a file. */
async function putAll(store: Services['candleStore'], sent: Sent) {
  const { symbol: name, exchange: place, interval: length, candles = [] } = sent
  const rows = new CandleRows(HEADER, { symbol: name, exchange: place, interval: length })
  for (const [index, { timestamp, open, high, low, close, volume, oi }] of candles.entries()) {
    const prices = [open, high, low, close].map(formatPrice)
    const quantities = [volume, oi].map((count) => (count === undefined ? '' : formatQuantity(count)))
    rows.add([timestamp, ...prices, ...quantities], `candles[${index}]`)
  }
  const kept = []
  for (const { series, columns } of rows.take()) {
    const read = candlesOf(columns)
    const starts = read.map(({ startAt }) => startAt)
    const { added, changed } = await store.put(series, read)
    kept.push({
      ...series,
      candles: read.length,
      firstAt: Math.min(...starts),
      lastAt: Math.max(...starts),
      added,
      changed,
    })
  }
  return kept
}

export const historyexport = defineOperation({
  name: 'history/export',
  method: 'POST',
  tag: 'Market data',
  summary: 'Write candles of the local store to a file',
  description:
    'To the folder `export` of Sauda’s data, in place of a file of that name. CSV has times with their offset and exact decimals; Parquet has instants and exact decimals. `history/import` reads both.',
  access: 'admin',
  rateClass: 'heavy',
  input: {
    symbols: symbols('What to write; each once, in this order.'),
    interval: interval(),
    start_date: startDate(),
    end_date: endDate(),
    format: choice(FILE_FORMATS, { description: 'Kind of file.' }).optional('csv', 'csv'),
    file: fileName('Name of the file, which ends as its format; made of what it holds when left out.').optional(),
  },
  check(input) {
    const errors = [...checkDates(input), ...checkTwice(input.symbols)]
    if (input.file !== undefined && !input.file.endsWith(`.${input.format}`))
      errors.push({ field: 'file', message: `Must end in .${input.format}, as format is ${input.format}.` })
    return errors
  },
  output: Type.Object({
    data: Type.Object({
      bytes: Type.Integer(),
      candles: Type.Integer(),
      file: Type.String({ description: 'Its name in the folder `export`.' }),
    }),
    message: Type.String(),
    status: success,
  }),
  example: {
    symbols: [{ symbol: 'SAMPLE', exchange: 'NSE' }],
    interval: '1m',
    start_date: '2026-08-03',
    end_date: '2026-08-07',
  },
  refusals: ['no_data', 'range_too_long', 'store_unwritable', 'overloaded'],
  async handle(input, context) {
    const { candleStore, audit } = context.services
    const file = input.file ?? nameOf(input)
    const range = rangeOf(input.start_date, input.end_date)
    const data = await candleStore.exportFile({ file, series: seriesOf(input.symbols, input.interval), ...range })
    audit.record(entryOf(actorOf(context), 'candles.exported', file, { candles: data.candles }))
    return { data, message: `${data.candles} candles written to ${file}`, status: 'success' as const }
  },
})

function nameOf(wanted: {
  readonly symbols: readonly { readonly symbol: string; readonly exchange: string }[]
  readonly interval: string
  readonly start_date: string
  readonly end_date: string
  readonly format: string
}): string {
  const [first] = wanted.symbols
  const of = wanted.symbols.length === 1 ? `${first?.symbol}-${first?.exchange}` : `${wanted.symbols.length}-symbols`
  const plain = of.replace(/[^A-Za-z0-9._-]/g, '_').replace(/^[^A-Za-z0-9]+/, '') || 'candles'
  return `${plain}-${wanted.interval}-${wanted.start_date}-${wanted.end_date}.${wanted.format}`
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
