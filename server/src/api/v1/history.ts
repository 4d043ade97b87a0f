import Type from 'typebox'
import { Refusal } from '../../kernel/errors.ts'
import { dayNumberAt, dayNumberOf, type ExchangeDate } from '../../kernel/exchange-time.ts'
import {
  CANDLE_ORIGINS,
  type CandleOrigin,
  type History,
  type HistoryWanted,
  INTRADAY_DAYS_MAX,
  PERIOD_DAYS_MAX,
} from '../../market/candles/candle-history.ts'
import type { Exchange, Instrument } from '../../market/instrument.ts'
import { CANDLES_MAX, type Candle, INTERVALS, type Interval } from '../../market/market-data.ts'
import { parseSymbol } from '../../market/symbol.ts'
import { choice, date } from '../field.ts'
import { asBody } from '../json-text.ts'
import { defineOperation } from '../operation.ts'
import type { Services } from '../services.ts'
import { CandleRow, rowsText, stampOf } from './candle-rows.ts'
import { instrumentOf } from './find-instrument.ts'
import { exchange, symbol } from './instrument-fields.ts'

/** Length of a candle, with what others call it named in the refusal. */
export const interval = () =>
  choice(INTERVALS, {
    description: 'Length of a candle; `m` is a minute, `M` a month. The operation `intervals` lists what there is.',
    alsoKnownAs: { '1d': 'D', '1D': 'D', d: 'D', day: 'D', '60m': '1h', '60': '1h', '1w': 'W', '1W': 'W', '1M': 'M' },
  })

/** Body of an answer with candles. */
export const CandleAnswer = Type.Object({
  data: Type.Array(CandleRow),
  running: Type.Optional(
    Type.Number({
      description:
        'Timestamp of the last row when that candle is not over yet; its figures go on changing until it is.',
    }),
  ),
  status: Type.Literal('success'),
})

interface Wanted {
  readonly symbol: string
  readonly exchange: Exchange
  readonly interval: Interval
  readonly first: ExchangeDate
  readonly last: ExchangeDate
  readonly origin: CandleOrigin
}

/** Candles of a request. Throws symbol_not_found, contract_expired, and what CandleHistory throws. */
export async function candlesOf(wanted: Wanted, services: Services, now: number): Promise<History> {
  const { symbol: name, exchange: place, origin } = wanted
  const instrument = services.instruments.find(name, place) ?? (await unlisted(wanted, services, now))
  const asked: HistoryWanted = {
    symbol: name,
    exchange: place,
    instrument,
    interval: wanted.interval,
    firstDay: dayNumberOf(wanted.first),
    lastDay: dayNumberOf(wanted.last),
    origin,
  }
  return services.history.candles(asked)
}

/** What is stored outlives its listing: undefined when there is something. Refuses otherwise. */
async function unlisted(wanted: Wanted, services: Services, now: number): Promise<Instrument | undefined> {
  if (wanted.origin !== 'api' && (await services.history.storedIntervals(wanted)).length > 0) return undefined
  const parsed = parseSymbol(wanted.symbol, wanted.exchange)
  const expiry = parsed !== undefined && 'expiry' in parsed ? parsed.expiry : undefined
  if (expiry === undefined || dayNumberOf(expiry) >= dayNumberAt(now)) return instrumentOf(services.instruments, wanted)
  throw new Refusal(
    'contract_expired',
    `${wanted.symbol} on ${wanted.exchange} expired on ${expiry}: it is not listed any more, and none of its candles are stored. Candles that were downloaded before are read with source "db".`,
  )
}

/** The body, whose rows are `rows`: the candles in any order. */
export async function answerText(found: History, rows: readonly Candle[], length: Interval): Promise<string> {
  const last = found.candles.at(-1)
  const running = found.isLastRunning && last !== undefined ? `"running":${stampOf(last.startAt, length)},` : ''
  return `{"data":${await rowsText(rows, length)},${running}"status":"success"}`
}

export const history = defineOperation({
  name: 'history',
  method: 'POST',
  tag: 'Market data',
  summary: 'Candles of one instrument',
  description: `Candles that begin from \`start_date\` to \`end_date\`, both included, oldest first, so that two ranges that meet give what the whole gives. Intraday candles are counted from the opening of their session; days and longer hold whole periods, and a week is in the range that its Monday is in. A range without a session is an empty list. The last candle may still be running; \`running\` says so.

\`source\`: \`api\` asks the market data source; \`db\` reads the local store and nothing else: longer candles are made of what is stored, and no data for days that had sessions is \`no_data\`; \`merged\` takes the sessions that are over and stored without a hole from the store, and all others from the source, whose candle counts where both have one. Intervals that a source or the store lacks are made of shorter ones. Contracts that have expired can be had from the store alone.

At most ${CANDLES_MAX.toLocaleString('en')} candles, ${INTRADAY_DAYS_MAX.toLocaleString('en')} days of intraday candles and ${PERIOD_DAYS_MAX.toLocaleString('en')} days of longer ones in one answer.`,
  access: 'read',
  rateClass: 'read',
  input: {
    symbol: symbol(),
    exchange: exchange(),
    interval: interval(),
    start_date: date({ description: 'First exchange date.', example: '2026-08-03' }),
    end_date: date({ description: 'Last exchange date; a future date means today.', example: '2026-08-07' }),
    source: choice(CANDLE_ORIGINS, {
      description: 'Where from: the market data source, the local store, or both.',
    }).optional('api', 'api'),
  },
  check({ start_date, end_date }) {
    if (start_date <= end_date) return []
    const message = `Must not be after end_date. Got ${start_date}, and end_date is ${end_date}.`
    return [{ field: 'start_date', message }]
  },
  output: CandleAnswer,
  example: { symbol: 'SBIN', exchange: 'NSE', interval: '5m', start_date: '2026-08-03', end_date: '2026-08-03' },
  refusals: [
    'symbol_not_found',
    'contract_expired',
    'range_too_long',
    'no_data',
    'quote_unavailable',
    'source_slow',
    'source_down',
  ],
  async handle(input, { services, now }) {
    const { start_date: first, end_date: last, source: origin, ...of } = input
    const found = await candlesOf({ ...of, first, last, origin }, services, now)
    return asBody(await answerText(found, found.candles, input.interval))
  },
})

const Names = Type.Array(Type.String())

export const intervals = defineOperation({
  name: 'intervals',
  method: 'POST',
  tag: 'Market data',
  summary: 'Candle lengths that history accepts',
  description:
    'The intervals that the operation `history` gives, grouped by unit, shortest first: those of the market data source, and with `source` `db` those that the stored candles of one instrument give. Lengths that are made of shorter ones are among them.',
  access: 'read',
  rateClass: 'read',
  input: {
    source: choice(CANDLE_ORIGINS, {
      description: 'As in `history`; `db` needs `symbol` and `exchange`.',
    }).optional('api', 'api'),
    symbol: symbol().optional(),
    exchange: exchange().optional(),
  },
  check({ source, symbol: name, exchange: place }) {
    const message = 'Missing data for required field: source "db" has other intervals for each instrument.'
    if (source !== 'db') return []
    return [
      ...(name === undefined ? [{ field: 'symbol', message }] : []),
      ...(place === undefined ? [{ field: 'exchange', message }] : []),
    ]
  },
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
  async handle({ source, symbol: name, exchange: place }, { services }) {
    const offered =
      source === 'db' && name !== undefined && place !== undefined
        ? await services.history.storedIntervals({ symbol: name, exchange: place })
        : services.history.intervals
    const ending = (unit: string) => INTERVALS.filter((one) => one.endsWith(unit) && offered.includes(one))
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
