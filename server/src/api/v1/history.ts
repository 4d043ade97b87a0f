import Type, { type Static } from 'typebox'
import { Refusal } from '../../kernel/errors.ts'
import { DAY_MS, dayNumberAt, dayNumberOf, dayStartAt } from '../../kernel/exchange-time.ts'
import { toNumber } from '../../kernel/fixed.ts'
import { type Candle, INTERVALS, type Interval } from '../../market/market-data.ts'
import { choice, date } from '../field.ts'
import { defineOperation } from '../operation.ts'
import { instrumentOf } from './find-instrument.ts'
import { exchange, symbol } from './instrument-fields.ts'

const Row = Type.Object({
  close: Type.Number(),
  high: Type.Number(),
  low: Type.Number(),
  oi: Type.Number({ description: 'Open interest; 0 outside derivatives.' }),
  open: Type.Number(),
  timestamp: Type.Number({
    description: 'Begin of the candle in epoch seconds; for D and longer, 00:00 UTC of the exchange date.',
  }),
  volume: Type.Number(),
})

/** Intervals of a day and longer are stamped with the exchange date at 00:00 UTC, as client libraries show them. */
const isDaily = (interval: Interval): boolean => interval.length === 1

function rowOf(candle: Candle, daily: boolean): Static<typeof Row> {
  const stampMs = daily ? dayNumberAt(candle.startAt) * DAY_MS : candle.startAt
  return {
    close: toNumber.price(candle.close),
    high: toNumber.price(candle.high),
    low: toNumber.price(candle.low),
    oi: toNumber.quantity(candle.openInterest),
    open: toNumber.price(candle.open),
    timestamp: Math.floor(stampMs / 1000),
    volume: toNumber.quantity(candle.volume),
  }
}

export const history = defineOperation({
  name: 'history',
  method: 'POST',
  tag: 'Market data',
  summary: 'Candles of one instrument',
  description: 'Candles from `start_date` to `end_date`, both included, oldest first. No data is an empty list.',
  access: 'read',
  rateClass: 'read',
  input: {
    symbol: symbol(),
    exchange: exchange(),
    interval: choice(INTERVALS, {
      description: 'Length of a candle; `m` is a minute, `M` a month. The operation `intervals` lists what there is.',
      alsoKnownAs: { '1d': 'D', '1D': 'D', d: 'D', day: 'D', '60m': '1h', '60': '1h', '1w': 'W', '1W': 'W', '1M': 'M' },
    }),
    start_date: date({ description: 'First exchange date.', example: '2026-08-03' }),
    end_date: date({ description: 'Last exchange date; a future date means today.', example: '2026-08-07' }),
    source: choice(['api', 'db'], { description: 'Where from: the market data source or the local store.' }).optional(
      'api',
      'api',
    ),
  },
  check({ start_date, end_date }) {
    if (start_date <= end_date) return []
    const message = `Must not be after end_date. Got ${start_date}, and end_date is ${end_date}.`
    return [{ field: 'start_date', message }]
  },
  output: Type.Object({ data: Type.Array(Row), status: Type.Literal('success') }),
  example: { symbol: 'SBIN', exchange: 'NSE', interval: '5m', start_date: '2026-08-03', end_date: '2026-08-03' },
  refusals: ['symbol_not_found', 'range_too_long', 'not_implemented'],
  async handle(input, { services, now }) {
    if (input.source === 'db') {
      throw new Refusal(
        'not_implemented',
        'source "db" reads a local candle store, which this server does not have. Use source "api", or leave it out.',
      )
    }
    const { marketData } = services
    const instrument = instrumentOf(services.instruments, input)
    requireInterval(marketData.intervals, input.interval)
    const fromAt = dayStartAt(dayNumberOf(input.start_date))
    const lastDay = Math.min(dayNumberOf(input.end_date), dayNumberAt(now))
    const toAt = dayStartAt(lastDay + 1)
    const candles = fromAt < toAt ? await marketData.candles(instrument, input.interval, fromAt, toAt) : []
    const daily = isDaily(input.interval)
    return { data: candles.map((candle) => rowOf(candle, daily)), status: 'success' as const }
  },
})

function requireInterval(offered: readonly Interval[], interval: Interval): void {
  if (offered.includes(interval)) return
  const message = `The market data source has no ${interval} candles. Use one of: ${offered.join(', ')}.`
  throw new Refusal('validation_failed', `interval: ${message}`, { errors: [{ field: 'interval', message }] })
}

const Names = Type.Array(Type.String())

export const intervals = defineOperation({
  name: 'intervals',
  method: 'POST',
  tag: 'Market data',
  summary: 'Candle lengths that history accepts',
  description: 'The intervals of the market data source, grouped by unit, shortest first.',
  access: 'read',
  rateClass: 'read',
  input: {},
  output: Type.Object({
    data: Type.Object({
      days: Names,
      hours: Names,
      minutes: Names,
      months: Names,
      quarters: Names,
      seconds: Names,
      weeks: Names,
      years: Names,
    }),
    status: Type.Literal('success'),
  }),
  example: {},
  handle(_input, { services }) {
    const offered = services.marketData.intervals
    const ending = (unit: string) => INTERVALS.filter((name) => name.endsWith(unit) && offered.includes(name))
    const data = {
      days: ending('D'),
      hours: ending('h'),
      minutes: ending('m'),
      months: ending('M'),
      quarters: ending('Q'),
      seconds: ending('s'),
      weeks: ending('W'),
      years: ending('Y'),
    }
    return { data, status: 'success' as const }
  },
})
