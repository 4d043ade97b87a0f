import Type from 'typebox'
import type { FieldError } from '../../kernel/errors.ts'
import { Refusal } from '../../kernel/errors.ts'
import { dayNumberOf, dayStartAt, type ExchangeDate, timestampOf } from '../../kernel/exchange-time.ts'
import type { Series, SeriesOwner, StoredSeries } from '../../market/candle-store/index.ts'
import { FILE_NAME, FILE_NAME_RULE, JOB_SYMBOLS_MAX } from '../../market/candle-store/index.ts'
import { EXCHANGES, type Exchange } from '../../market/instrument.ts'
import { INTERVALS, type Interval } from '../../market/market-data.ts'
import { choice, date, list, object } from '../field.ts'
import { makeField, problem, shown } from '../field-type.ts'
import type { Instruments } from '../services.ts'
import { symbolHint, unknownSymbol } from './find-instrument.ts'
import { exchange, symbol } from './instrument-fields.ts'

/** Fields that the operations of the local candle store share. */

export const interval = () =>
  choice(INTERVALS, {
    description: 'Length of a candle; `m` is a minute, `M` a month.',
    alsoKnownAs: { '1d': 'D', '1D': 'D', d: 'D', day: 'D', '60m': '1h', '60': '1h', '1w': 'W', '1W': 'W', '1M': 'M' },
  })
export const anyExchange = () => choice<Exchange>(EXCHANGES, { description: 'Exchange code; all when left out.' })
export const startDate = () => date({ description: 'First exchange date.', example: '2026-08-03' })
export const endDate = () => date({ description: 'Last exchange date, included.', example: '2026-08-07' })
export const symbols = (description: string) =>
  list(object({ symbol: symbol(), exchange: exchange() }), {
    min: 1,
    max: JOB_SYMBOLS_MAX,
    noun: 'Symbols',
    description,
  })

/** A file's name, which can't lead anywhere. */
export const fileName = (description: string) =>
  makeField<string, string>(
    { type: 'string', pattern: FILE_NAME.source },
    { description, example: 'sbin-2026.csv' },
    (value) =>
      typeof value === 'string' && FILE_NAME.test(value)
        ? value
        : problem(`Not ${FILE_NAME_RULE}. Got ${shown(value)}.`),
  )

/** Rules between the two dates, where both are given. */
export function checkDates({
  start_date,
  end_date,
}: {
  start_date?: string | undefined
  end_date?: string | undefined
}) {
  if (start_date === undefined || end_date === undefined || start_date <= end_date) return []
  return [
    { field: 'start_date', message: `Must not be after end_date. Got ${start_date}, and end_date is ${end_date}.` },
  ]
}

/** Each symbol is there once. */
export function checkTwice(wanted: readonly SeriesOwner[]): FieldError[] {
  const first = new Map<string, number>()
  const errors: FieldError[] = []
  for (const [index, { symbol: name, exchange: place }] of wanted.entries()) {
    const key = `${place} ${name}`
    const before = first.get(key)
    if (before === undefined) first.set(key, index)
    else
      errors.push({
        field: `symbols[${index}].symbol`,
        message: `${name} of ${place} is there already, as symbols[${before}].`,
      })
  }
  return errors
}

/** Symbols whose near names a refusal tells. */
const HINTED_MAX = 3

/** Throws symbol_not_found, which names each that isn't listed. */
export function requireListed(instruments: Instruments, wanted: readonly SeriesOwner[]): void {
  const errors: FieldError[] = []
  for (const [index, { symbol: name, exchange: place }] of wanted.entries()) {
    if (instruments.find(name, place) !== undefined) continue
    const hint = errors.length < HINTED_MAX ? symbolHint(instruments, name, place) : ''
    errors.push({ field: `symbols[${index}].symbol`, message: unknownSymbol(name, place) + hint })
  }
  const [first] = errors
  if (first === undefined) return
  const more = errors.length === 1 ? '' : ` (and ${errors.length - 1} more)`
  throw new Refusal('symbol_not_found', first.message + more, { errors })
}

export const rangeOf = (from: ExchangeDate, to: ExchangeDate) => ({
  fromAt: dayStartAt(dayNumberOf(from)),
  toAt: dayStartAt(dayNumberOf(to) + 1),
})

export const seriesOf = (wanted: readonly SeriesOwner[], length: Interval): Series[] =>
  wanted.map((one) => ({ symbol: one.symbol, exchange: one.exchange, interval: length }))

/** A stored series, as answers show it. */
export const storedOut = {
  candles: Type.Integer(),
  exchange: Type.String(),
  first: Type.String({ description: 'Start of the first candle, in the exchange’s zone.' }),
  interval: Type.String(),
  last: Type.String({ description: 'Start of the last candle.' }),
  symbol: Type.String(),
}
export const shownSeries = (series: StoredSeries) => ({
  candles: series.candles,
  exchange: series.exchange,
  first: timestampOf(series.firstAt),
  interval: series.interval,
  last: timestampOf(series.lastAt),
  symbol: series.symbol,
})
