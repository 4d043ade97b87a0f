import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { priceOf, quantityOf } from '../../kernel/fixed.ts'
import type { CandleStore } from '../../market/candle-store/candle-store.ts'
import { CandleHistory, type HistorySource } from '../../market/candles/candle-history.ts'
import { createCalendar } from '../../market/exchange-calendar.ts'
import type { Instrument } from '../../market/instrument.ts'
import type { Candle, Interval } from '../../market/market-data.ts'
import { type Answer, call, READ_KEY, testApi } from '../test-api.ts'
import { operations } from './index.ts'

const named = (symbol: string, exchange: Instrument['exchange']) => ({ symbol, exchange }) as Instrument
const listed = [named('SBIN', 'NSE'), named('M&M', 'NSE'), named('GONE', 'NSE'), named('NIFTY25AUG2626000CE', 'NFO')]

const at = (text: string): number => Temporal.Instant.from(text).epochMilliseconds
/** Wednesday, 12:00:30 at the exchange. */
const NOON = at('2026-08-05T12:00:30+05:30')

interface Asked {
  readonly interval: Interval
  readonly fromAt: number
  readonly toAt: number
}
let asked: Asked[] = []
beforeEach(() => {
  asked = []
})

const candle = (startAt: number, more: Partial<Candle> = {}): Candle => ({
  startAt,
  open: priceOf(1510),
  high: priceOf('1532'),
  low: priceOf('1504.1'),
  close: priceOf('1528.45'),
  volume: quantityOf(6_234_100),
  openInterest: quantityOf(0),
  ...more,
})

const source: HistorySource = {
  name: 'fixture',
  intervals: ['1m', '5m', '1h', 'D'],
  async candles(instrument, interval, fromAt, toAt) {
    asked.push({ interval, fromAt, toAt })
    if (instrument.symbol === 'GONE') throw new Refusal('source_down', 'The source is not available.')
    const starts = interval === 'D' ? ['T00:00', 'T00:00'] : ['T09:15', 'T09:20', 'T12:00']
    const all = ['2026-08-03', '2026-08-04', '2026-08-05'].flatMap((day) =>
      [...new Set(starts)].map((time) => at(`${day}${time}+05:30`)),
    )
    return all.filter((start) => start >= fromAt && start < toAt).map((start) => candle(start))
  },
}

const STORED: Readonly<Record<string, readonly Candle[]>> = {
  SBIN: [candle(at('2026-08-03T09:15+05:30')), candle(at('2026-08-03T09:16+05:30'), { close: priceOf('1505.5') })],
  NIFTY28JUL2624000CE: [candle(at('2026-07-28T15:29+05:30'))],
}
const store: CandleStore = {
  intervals: async ({ symbol }) => (STORED[symbol] === undefined ? [] : ['1m']),
  candles: async ({ symbol }, _interval, fromAt, toAt) =>
    (STORED[symbol] ?? []).filter(({ startAt }) => startAt >= fromAt && startAt < toAt),
  starts: async () => new Float64Array(),
}

let app: FastifyInstance
beforeAll(async () => {
  const calendar = createCalendar({ hours: 'exchange' })
  const history = new CandleHistory({ source, store, calendar, clock: new ManualClock(NOON) })
  const instruments = {
    find: (symbol: string, exchange: string) =>
      listed.find((entry) => entry.symbol === symbol && entry.exchange === exchange),
    nearest: (symbol: string) => (symbol.startsWith('SB') ? ['SBIN', 'SBILIFE'] : []),
  }
  app = await testApi(operations, { history, instruments }, { now: NOON })
})
afterAll(() => app.close())

const SBIN = { symbol: 'SBIN', exchange: 'NSE', interval: '5m', start_date: '2026-08-03', end_date: '2026-08-04' }
/** The rows; the first one's whole prices have a decimal place. */
const rows = (...timestamps: number[]): string =>
  timestamps
    .map((timestamp, index) => {
      const [high, open] = index === 0 ? ['1532.0', '1510.0'] : ['1532', '1510']
      return `{"close":1528.45,"high":${high},"low":1504.1,"oi":0,"open":${open},"timestamp":${timestamp},"volume":6234100}`
    })
    .join()
const seconds = (text: string): number => at(text) / 1000

/** Fields of every wrong kind; each refusal names the field and says what would be right. */
const WRONG: readonly (readonly [string, object, string])[] = [
  ['symbol', { symbol: 5 }, 'symbol: Not a valid string. Got 5.'],
  ['symbol', { symbol: ' ' }, 'symbol: Symbol must be between 1 and 50 characters. Got " ".'],
  ['symbol', { symbol: null }, 'symbol: Field may not be null.'],
  ['symbol', { symbol: undefined }, 'symbol: Missing data for required field.'],
  ['exchange', { exchange: 'NYSE' }, 'exchange: Must be one of: NSE,'],
  ['interval', { interval: '1d' }, 'Got "1d"; did you mean D?'],
  ['interval', { interval: 5 }, 'interval: Must be one of: 1s, 5s, 10s,'],
  ['interval', { interval: undefined }, 'interval: Missing data for required field.'],
  [
    'start_date',
    { start_date: '03-08-2026' },
    'start_date: Not a valid date. Got "03-08-2026"; write it as YYYY-MM-DD',
  ],
  ['start_date', { start_date: 1_754_179_200 }, 'start_date: Not a valid date. Got 1754179200;'],
  ['start_date', { start_date: '2026-02-30' }, 'start_date: Not a valid date.'],
  [
    'start_date',
    { start_date: '2026-08-05' },
    'start_date: Must not be after end_date. Got 2026-08-05, and end_date is 2026-08-04.',
  ],
  ['end_date', { end_date: ['2026-08-04'] }, 'end_date: Not a valid date. Got a list of 1 item;'],
  ['end_date', { end_date: undefined }, 'end_date: Missing data for required field.'],
  ['source', { source: 'DB' }, 'source: Must be one of: api, db, merged. Got "DB"; did you mean db?'],
  [
    'stat_date',
    { stat_date: '2026-08-04' },
    'stat_date: Unknown field. There is no field "stat_date"; did you mean start_date?',
  ],
]

describe('history', () => {
  it('asks for whole exchange days and gives rows in the order that tables are made from', async () => {
    const { text, headers } = await call(app, 'history', SBIN, READ_KEY)
    expect(asked).toEqual([
      { interval: '5m', fromAt: at('2026-08-03T00:00:00+05:30'), toAt: at('2026-08-05T00:00:00+05:30') },
    ])
    const starts = ['03T09:15', '03T09:20', '03T12:00', '04T09:15', '04T09:20', '04T12:00']
    expect(text).toBe(
      `{"data":[${rows(...starts.map((start) => seconds(`2026-08-${start}+05:30`)))}],"status":"success"}`,
    )
    expect(headers['content-type']).toBe('application/json; charset=utf-8')
  })

  it('stamps days and longer with the exchange date at 00:00 UTC', async () => {
    const daily = await call(app, 'history', { ...SBIN, interval: 'D' })
    expect(daily.text).toBe(
      `{"data":[${rows(seconds('2026-08-03T00:00Z'), seconds('2026-08-04T00:00Z'))}],"status":"success"}`,
    )
    const weekly = await call(app, 'history', { ...SBIN, interval: 'W', end_date: '2026-08-03' })
    expect(weekly.body.data).toMatchObject([{ timestamp: seconds('2026-08-03T00:00Z'), volume: 3 * 6_234_100 }])
  })

  it('makes lengths that the source lacks of shorter ones', async () => {
    const { body } = await call(app, 'history', { ...SBIN, interval: '10m', end_date: '2026-08-03' })
    expect(asked.map(({ interval }) => interval)).toEqual(['5m'])
    expect(body.data).toMatchObject([
      { timestamp: seconds('2026-08-03T09:15+05:30'), volume: 2 * 6_234_100 },
      { timestamp: seconds('2026-08-03T11:55+05:30'), volume: 6_234_100 },
    ])
  })

  it('says which candle is not over yet', async () => {
    const today = await call(app, 'history', { ...SBIN, end_date: '2026-08-05' })
    expect(today.body).toMatchObject({ running: seconds('2026-08-05T12:00+05:30') })
    const daily = await call(app, 'history', { ...SBIN, interval: 'D', end_date: '2026-08-05' })
    expect(daily.body).toMatchObject({ running: seconds('2026-08-05T00:00Z') })
  })

  it('ends today when the end is in the future, and is empty when the start is, or no day has a session', async () => {
    await call(app, 'history', { ...SBIN, end_date: '2030-01-01' })
    expect(asked.at(-1)?.toAt).toBe(at('2026-08-06T00:00:00+05:30'))
    for (const [start_date, end_date] of [
      ['2029-01-01', '2030-01-01'],
      ['2026-08-01', '2026-08-02'],
    ]) {
      const { status, body } = await call(app, 'history', { ...SBIN, start_date, end_date })
      expect([status, body]).toEqual([200, { data: [], status: 'success' }])
    }
  })

  it('gives a year of minutes in pieces, the same as one by one', async () => {
    const { text } = await call(app, 'history', { ...SBIN, interval: '1m', start_date: '2025-08-05' })
    expect((JSON.parse(text) as { data: object[] }).data).toHaveLength(6)
  })

  it.each(WRONG)('refuses a wrong %s: %j', async (field, change, message) => {
    const { status, body } = await call(app, 'history', { ...SBIN, ...change })
    expect([status, body]).toMatchObject([400, { code: 'validation_failed', errors: [{ field }] }])
    expect(body.message).toContain(message)
    expect(asked).toEqual([])
  })

  it.each([
    [{ symbol: 'SBIM' }, 400, 'symbol_not_found', 'Did you mean SBIN or SBILIFE?'],
    [
      { symbol: 'NIFTY28JUL2624100CE', exchange: 'NFO' },
      400,
      'contract_expired',
      'NIFTY28JUL2624100CE on NFO expired on 2026-07-28: it is not listed any more, and none of its candles are stored.',
    ],
    [{ symbol: 'NIFTY29SEP2624100CE', exchange: 'NFO' }, 400, 'symbol_not_found', 'Please verify the symbol name'],
    [
      { start_date: '2015-01-01' },
      400,
      'range_too_long',
      'at most 3660 days for candles of 5m; from 2015-01-01 it may end on',
    ],
    [
      { interval: '1m', start_date: '2023-08-05' },
      400,
      'range_too_long',
      'more than 200000 candles of 1m for SBIN on NSE',
    ],
    [
      { interval: '1s' },
      400,
      'validation_failed',
      'interval: The market data source has no 1s candles. Use one of: 1m, 2m,',
    ],
    [{ symbol: 'GONE' }, 502, 'source_down', 'The source is not available.'],
    [{ source: 'db', symbol: 'M&M' }, 404, 'no_data', 'No data found for M&M:NSE interval 5m in local database.'],
    [{ source: 'db', start_date: '2026-08-04' }, 404, 'no_data', 'history/coverage shows what is stored'],
    [{ source: 'db', symbol: 'SBIM' }, 400, 'symbol_not_found', 'Did you mean SBIN or SBILIFE?'],
  ])('answers %j with %d %s', async (change, status, code, message) => {
    const answer = await call(app, 'history', { ...SBIN, ...change })
    expect([answer.status, answer.body.code]).toEqual([status, code])
    expect(answer.body.message).toContain(message)
  })

  it('reads the local store, of contracts that are not listed any more too', async () => {
    const { body } = await call(app, 'history', { ...SBIN, source: 'db' })
    expect(body.data).toMatchObject([
      { timestamp: seconds('2026-08-03T09:15+05:30'), close: 1505.5, volume: 12_468_200 },
    ])
    const weekend = await call(app, 'history', {
      ...SBIN,
      source: 'db',
      start_date: '2026-08-01',
      end_date: '2026-08-02',
    })
    expect(weekend.body).toEqual({ data: [], status: 'success' })
    const expired = { symbol: 'nifty28jul2624000ce ', exchange: 'NFO', start_date: '2026-07-28' }
    for (const from of ['db', 'merged']) {
      const { status, body: found } = await call(app, 'history', { ...SBIN, ...expired, source: from })
      expect([status, found.data]).toMatchObject([200, [{ timestamp: seconds('2026-07-28T15:25+05:30') }]])
    }
    expect(asked).toEqual([])
  })

  it('merges the store and the source, whose candle counts where both have one', async () => {
    const { body } = await call(app, 'history', { ...SBIN, interval: '1m', source: 'merged', end_date: '2026-08-03' })
    const starts = ['09:15', '09:16', '09:20', '12:00'].map((time) => ({
      timestamp: seconds(`2026-08-03T${time}+05:30`),
    }))
    expect(body.data).toMatchObject(starts)
    expect(asked).toHaveLength(1)
  })
})

describe('intervals', () => {
  const NONE = { days: [], hours: [], minutes: [], months: [], quarters: [], seconds: [], weeks: [], years: [] }
  const FROM_DAYS = { days: ['D'], months: ['M'], quarters: ['Q'], weeks: ['W'], years: ['Y'] }
  const ALL = {
    ...NONE,
    ...FROM_DAYS,
    hours: ['1h', '2h', '3h', '4h'],
    minutes: ['1m', '2m', '3m', '5m', '10m', '15m', '20m', '30m'],
  }

  it('are those that the source has or gives, each of which history takes', async () => {
    const { body } = await call(app, 'intervals')
    expect(body).toEqual({ data: ALL, status: 'success' })
    for (const interval of Object.values(ALL).flat()) {
      expect([interval, (await call(app, 'history', { ...SBIN, interval })).status]).toEqual([interval, 200])
    }
  })

  it('of the store are those of one instrument', async () => {
    const stored = await call(app, 'intervals', { source: 'db', symbol: 'sbin', exchange: 'NSE' })
    expect(stored.body.data).toEqual(ALL)
    const none = await call(app, 'intervals', { source: 'db', symbol: 'M&M', exchange: 'NSE' })
    expect(none.body.data).toEqual(NONE)
    const unsaid = await call(app, 'intervals', { source: 'db', symbol: 'SBIN' })
    expect([unsaid.status, unsaid.body.message]).toEqual([
      400,
      'exchange: Missing data for required field: source "db" has other intervals for each instrument.',
    ])
  })
})

async function ticker(
  symbol: string,
  query: Record<string, string> = {},
  key = READ_KEY,
): Promise<Answer & { text: string }> {
  const all = new URLSearchParams({ apikey: key, interval: '5m', from: '2026-08-03', to: '2026-08-03', ...query })
  const answer = await app.inject({ method: 'GET', url: `/api/v1/ticker/${symbol}?${all}` })
  const isJson = String(answer.headers['content-type']).startsWith('application/json')
  return { status: answer.statusCode, headers: answer.headers, body: isJson ? answer.json() : {}, text: answer.payload }
}

describe('ticker', () => {
  it('gives the rows of history', async () => {
    const { text } = await call(app, 'history', { ...SBIN, end_date: '2026-08-03' })
    expect((await ticker('NSE:SBIN')).text).toBe(text)
    expect((await ticker('nse%20:%20sbin/')).text).toBe(text)
  })

  it('takes a symbol as addresses carry it, and days when no interval is named', async () => {
    const url = `/api/v1/ticker/NSE:M%26M?from=2026-8-3&to=2026-08-04`
    const answer = await app.inject({ method: 'GET', url, headers: { 'x-api-key': READ_KEY } })
    expect([answer.statusCode, answer.json<{ data: object[] }>().data]).toMatchObject([
      200,
      [{ timestamp: seconds('2026-08-03T00:00Z') }, { timestamp: seconds('2026-08-04T00:00Z') }],
    ])
  })

  it('gives lines of text, with the time of day for less than a day', async () => {
    const intraday = await ticker('NSE:SBIN', { format: 'TXT' })
    const figures = '1510.0,1532.0,1504.1,1528.45,6234100'
    expect(intraday.headers['content-type']).toBe('text/plain; charset=utf-8')
    expect(intraday.text).toBe(
      ['09:15:00', '09:20:00', '12:00:00'].map((time) => `NSE:SBIN,2026-08-03,${time},${figures}`).join('\n'),
    )
    for (const interval of ['D', 'W']) {
      const { text } = await ticker('NSE:SBIN', { format: 'txt', interval })
      expect(text).toMatch(/^NSE:SBIN,2026-08-03,1510\.0,1532\.0,1504\.1,1528\.45,\d+$/)
    }
    const none = await ticker('NSE:SBIN', { format: 'txt', from: '2026-08-01', to: '2026-08-02' })
    expect([none.status, none.text]).toEqual([200, ''])
  })

  it('gives the newest first when asked to', async () => {
    const { text } = await ticker('NSE:SBIN', { format: 'txt', sort: 'desc' })
    expect(text.split('\n').map((line) => line.slice(20, 25))).toEqual(['12:00', '09:20', '09:15'])
    const { body } = await ticker('NSE:SBIN', { sort: 'desc', to: '2026-08-05' })
    expect(body).toMatchObject({ running: seconds('2026-08-05T12:00+05:30') })
    expect((body.data as { timestamp: number }[])[0]?.timestamp).toBe(seconds('2026-08-05T12:00+05:30'))
  })

  it('says that adjusted has no effect', async () => {
    const { body } = await ticker('NSE:SBIN', { adjusted: 'true' })
    expect(body).toMatchObject({ warnings: [{ field: 'adjusted' }], status: 'success' })
  })

  it('keeps a long range, and refuses one that is too long', async () => {
    const { status } = await ticker('NSE:SBIN', { from: '2025-08-05' })
    expect([status, asked.at(-1)?.fromAt]).toEqual([200, at('2025-08-05T00:00+05:30')])
    const tooLong = await ticker('NSE:SBIN', { from: '2015-01-01' })
    expect([tooLong.status, tooLong.body.code]).toEqual([400, 'range_too_long'])
  })

  const SYMBOL_RULE = 'symbol: Must be an exchange and a symbol with a colon between them, such as NSE:RELIANCE.'
  it.each([
    ['SBIN', {}, SYMBOL_RULE],
    ['NSE:', {}, SYMBOL_RULE],
    ['NSE:A:B', {}, SYMBOL_RULE],
    ['NYSE:SBIN', {}, 'symbol: Must be one of: NSE,'],
    ['NSE:SBIN', { from: '' }, 'from: Not a valid date. Got "";'],
    ['NSE:SBIN', { from: '1754179200' }, 'from: Not a valid date.'],
    ['NSE:SBIN', { to: '2026-08-02' }, 'from: Must not be after to. Got 2026-08-03, and to is 2026-08-02.'],
    ['NSE:SBIN', { interval: '1d' }, 'did you mean D?'],
    ['NSE:SBIN', { format: 'csv' }, 'format: Must be one of: JSON, TXT, json, txt'],
    ['NSE:SBIN', { sort: 'up' }, 'sort: Must be one of: asc, desc. Got "up"'],
    ['NSE:SBIN', { source: 'db' }, 'source: Unknown field.'],
  ])('refuses %s with %j', async (symbol, query, message) => {
    const { status, body } = await ticker(symbol, query)
    expect([status, body.code]).toEqual([400, 'validation_failed'])
    expect(body.message).toContain(message)
  })

  it('without a date names the field as it is named here', async () => {
    const url = `/api/v1/ticker/NSE:SBIN?apikey=${READ_KEY}`
    const { errors } = (await app.inject({ method: 'GET', url })).json<{ errors: object[] }>()
    expect(errors).toMatchObject([{ field: 'from' }, { field: 'to' }])
  })

  it.each([
    ['NSE:SBIM', {}, READ_KEY, 400, /^Symbol 'SBIM' not found .* Did you mean SBIN or SBILIFE\?$/],
    ['SBIN', {}, READ_KEY, 400, /^symbol: Must be an exchange and a symbol/],
    ['NSE:GONE', {}, READ_KEY, 502, /^The source is not available\.$/],
    ['NSE:SBIN', {}, 'sk_wrong', 403, /^Invalid openalgo apikey$/],
    ['NSE:SBIN', { to: '' }, READ_KEY, 400, /^to: Not a valid date\./],
  ] as const)('%s with %j fails in text where text was asked for', async (symbol, query, key, status, message) => {
    const answer = await ticker(symbol, { ...query, format: 'txt' }, key)
    expect([answer.status, answer.headers['content-type']]).toEqual([status, 'text/plain; charset=utf-8'])
    expect(answer.text).toMatch(message)
    expect(answer.text).not.toContain(READ_KEY)
  })
})
