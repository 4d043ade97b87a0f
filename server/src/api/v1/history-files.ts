import Type from 'typebox'
import { entryOf } from '../../identity/audit.ts'
import { formatPrice, formatQuantity } from '../../kernel/fixed.ts'
import { CandleRows, candlesOf, FILE_FORMATS, instantOf, TIME_FORMS } from '../../market/candle-store/index.ts'
import type { Exchange } from '../../market/instrument.ts'
import type { Interval } from '../../market/market-data.ts'
import { choice, list, object, price, quantity } from '../field.ts'
import { makeField, problem, shown, type ValueOf } from '../field-type.ts'
import { defineOperation } from '../operation.ts'
import type { Services } from '../services.ts'
import { actorOf, success } from './caller.ts'
import {
  checkDates,
  checkTwice,
  endDate,
  fileName,
  interval,
  rangeOf,
  seriesOf,
  shownSeries,
  startDate,
  storedOut,
  symbols,
} from './history-fields.ts'
import { exchange, symbol } from './instrument-fields.ts'

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
