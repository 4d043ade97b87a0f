import { describe, expect, it } from 'vitest'
import { call, READ_KEY } from '../test-api.ts'
import { asked, at, rows, SBIN, seconds, serveCandles } from './test-candles.ts'

const server = serveCandles()

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
    const { text, headers } = await call(server.app, 'history', SBIN, READ_KEY)
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
    const daily = await call(server.app, 'history', { ...SBIN, interval: 'D' })
    expect(daily.text).toBe(
      `{"data":[${rows(seconds('2026-08-03T00:00Z'), seconds('2026-08-04T00:00Z'))}],"status":"success"}`,
    )
    const weekly = await call(server.app, 'history', { ...SBIN, interval: 'W', end_date: '2026-08-03' })
    expect(weekly.body.data).toMatchObject([{ timestamp: seconds('2026-08-03T00:00Z'), volume: 3 * 6_234_100 }])
  })

  it('makes lengths that the source lacks of shorter ones', async () => {
    const { body } = await call(server.app, 'history', { ...SBIN, interval: '10m', end_date: '2026-08-03' })
    expect(asked.map(({ interval }) => interval)).toEqual(['5m'])
    expect(body.data).toMatchObject([
      { timestamp: seconds('2026-08-03T09:15+05:30'), volume: 2 * 6_234_100 },
      { timestamp: seconds('2026-08-03T11:55+05:30'), volume: 6_234_100 },
    ])
  })

  it('says which candle is not over yet', async () => {
    const today = await call(server.app, 'history', { ...SBIN, end_date: '2026-08-05' })
    expect(today.body).toMatchObject({ running: seconds('2026-08-05T12:00+05:30') })
    const daily = await call(server.app, 'history', { ...SBIN, interval: 'D', end_date: '2026-08-05' })
    expect(daily.body).toMatchObject({ running: seconds('2026-08-05T00:00Z') })
  })

  it('ends today when the end is in the future, and is empty when the start is, or no day has a session', async () => {
    await call(server.app, 'history', { ...SBIN, end_date: '2030-01-01' })
    expect(asked.at(-1)?.toAt).toBe(at('2026-08-06T00:00:00+05:30'))
    for (const [start_date, end_date] of [
      ['2029-01-01', '2030-01-01'],
      ['2026-08-01', '2026-08-02'],
    ]) {
      const { status, body } = await call(server.app, 'history', { ...SBIN, start_date, end_date })
      expect([status, body]).toEqual([200, { data: [], status: 'success' }])
    }
  })

  it('takes a year of minutes', async () => {
    const { text } = await call(server.app, 'history', { ...SBIN, interval: '1m', start_date: '2025-08-05' })
    expect((JSON.parse(text) as { data: object[] }).data).toHaveLength(6)
  })

  it.each(WRONG)('refuses a wrong %s: %j', async (field, change, message) => {
    const { status, body } = await call(server.app, 'history', { ...SBIN, ...change })
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
    const answer = await call(server.app, 'history', { ...SBIN, ...change })
    expect([answer.status, answer.body.code]).toEqual([status, code])
    expect(answer.body.message).toContain(message)
  })

  it('reads the local store, of contracts that are not listed any more too', async () => {
    const { body } = await call(server.app, 'history', { ...SBIN, source: 'db' })
    expect(body.data).toMatchObject([
      { timestamp: seconds('2026-08-03T09:15+05:30'), close: 1505.5, volume: 12_468_200 },
    ])
    const weekend = await call(server.app, 'history', {
      ...SBIN,
      source: 'db',
      start_date: '2026-08-01',
      end_date: '2026-08-02',
    })
    expect(weekend.body).toEqual({ data: [], status: 'success' })
    const expired = { symbol: 'nifty28jul2624000ce ', exchange: 'NFO', start_date: '2026-07-28' }
    for (const from of ['db', 'merged']) {
      const { status, body: found } = await call(server.app, 'history', { ...SBIN, ...expired, source: from })
      expect([status, found.data]).toMatchObject([200, [{ timestamp: seconds('2026-07-28T15:25+05:30') }]])
    }
    expect(asked).toEqual([])
  })

  it('merges the store and the source, whose candle counts where both have one', async () => {
    const { body } = await call(server.app, 'history', {
      ...SBIN,
      interval: '1m',
      source: 'merged',
      end_date: '2026-08-03',
    })
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
    const { body } = await call(server.app, 'intervals')
    expect(body).toEqual({ data: ALL, status: 'success' })
    for (const interval of Object.values(ALL).flat()) {
      expect([interval, (await call(server.app, 'history', { ...SBIN, interval })).status]).toEqual([interval, 200])
    }
  })

  it('of the store are those of one instrument', async () => {
    const stored = await call(server.app, 'intervals', { source: 'db', symbol: 'sbin', exchange: 'NSE' })
    expect(stored.body.data).toEqual(ALL)
    const none = await call(server.app, 'intervals', { source: 'db', symbol: 'M&M', exchange: 'NSE' })
    expect(none.body.data).toEqual(NONE)
    const unsaid = await call(server.app, 'intervals', { source: 'db', symbol: 'SBIN' })
    expect([unsaid.status, unsaid.body.message]).toEqual([
      400,
      'exchange: Missing data for required field: source "db" has other intervals for each instrument.',
    ])
  })
})
