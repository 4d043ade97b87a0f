import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AuditEntry } from '../../identity/audit.ts'
import { ManualClock } from '../../kernel/clock.ts'
import { priceOf, quantityOf } from '../../kernel/fixed.ts'
import { CandleDownloads, StoredCandles } from '../../market/candle-store/index.ts'
import { ExchangeCalendar } from '../../market/exchange-calendar.ts'
import type { Exchange, Instrument } from '../../market/instrument.ts'
import type { Candle, Interval } from '../../market/market-data.ts'
import { type Databases, openDatabases } from '../../storage/open.ts'
import type { Services } from '../services.ts'
import { ADMIN_KEY, READ_KEY, TRADE_KEY, testApi } from '../test-api.ts'
import { operations } from './index.ts'

/** The local candle store over HTTP. */

const NOW = '2026-11-25T11:00:00+05:30'
const OPENING = Date.parse('2026-08-03T09:15:00+05:30')
const MINUTE = 60_000
const LISTED = ['SBIN', 'INFY', 'TCS']

let folder: string
let databases: Databases
let candleStore: StoredCandles
let downloads: CandleDownloads
let http: FastifyInstance
let audited: AuditEntry[]
const ours = operations.filter(({ name }) => name.startsWith('history/'))

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-history-'))
  const clock = new ManualClock(NOW)
  databases = await openDatabases(folder, clock)
  const calendar = new ExchangeCalendar('exchange')
  const within = (name: string): string => join(folder, name)
  candleStore = new StoredCandles({
    folders: { candles: within('candles'), imports: within('import'), exports: within('export') },
    memoryMib: 128,
    clock,
    onError: (error) => {
      throw error
    },
  })
  const find = (symbol: string, exchange: Exchange) =>
    LISTED.includes(symbol) ? ({ symbol, exchange } as Instrument) : undefined
  downloads = await CandleDownloads.open({
    record: databases.record,
    source: { name: 'test', intervals: ['1m', 'D'] as readonly Interval[], candles: async () => [] },
    store: candleStore,
    find,
    calendar,
    clock,
    rates: [{ count: 100, windowMs: 1_000 }],
    audit: () => undefined,
    onError: (error) => {
      throw error
    },
  })
  const services: Partial<Services> = {
    candleStore,
    candleDownloads: downloads,
    calendar,
    instruments: { find, nearest: () => ['SBIN'] },
    audit: { record: (entry: AuditEntry) => audited.push(entry) } as unknown as Services['audit'],
  }
  http = await testApi(ours, services, { now: clock.now() })
})
afterAll(async () => {
  await http.close()
  await downloads.close()
  await candleStore.close()
  await databases.close()
  rmSync(folder, { recursive: true })
})
beforeEach(() => {
  audited = []
})

async function ask(name: string, input: Record<string, unknown>, key = ADMIN_KEY) {
  const method = ours.find((operation) => operation.name === name)?.method ?? 'POST'
  const query = new URLSearchParams(Object.entries(input).map(([field, value]) => [field, String(value)]))
  const headers = { 'x-api-key': key }
  const answer =
    method === 'GET'
      ? await http.inject({ method, url: `/api/v1/${name}?${query}`, headers })
      : await http.inject({ method, url: `/api/v1/${name}`, headers, payload: input })
  return { status: answer.statusCode, body: answer.json() as Record<string, unknown> }
}

const candle = (startAt: number): Candle => ({
  startAt,
  ...{ open: priceOf(1), high: priceOf(2), low: priceOf(1), close: priceOf('1.05'), volume: quantityOf(5) },
  openInterest: quantityOf(0),
})
const SBIN = { symbol: 'SBIN', exchange: 'NSE' } as const
const WEEK = { start_date: '2026-08-03', end_date: '2026-08-04' }
const JOB = { symbols: [SBIN], interval: '1m', ...WEEK }
const ROW = { timestamp: 1_785_728_700, open: 1, high: 2, low: 1, close: 1.5 }
const ROWS = { ...SBIN, interval: '1m', candles: [ROW] }

describe('who may not', () => {
  it.each([
    ['history/coverage', READ_KEY, 200, {}],
    ['history/jobs', READ_KEY, 200, {}],
    ['history/jobs/start', TRADE_KEY, 403, JOB],
    ['history/jobs/pause', TRADE_KEY, 403, { job: 1 }],
    ['history/jobs/resume', TRADE_KEY, 403, { job: 1 }],
    ['history/jobs/cancel', TRADE_KEY, 403, { job: 1 }],
    ['history/import', TRADE_KEY, 403, ROWS],
    ['history/export', TRADE_KEY, 403, JOB],
    ['history/delete', TRADE_KEY, 403, SBIN],
  ] as const)('asks for %s in vain', async (name, key, status, input) => {
    expect((await ask(name, input, key)).status).toBe(status)
  })
})

describe('a field that is wrong', () => {
  const many = Array.from({ length: 501 }, (_, index) => ({ symbol: `S${index}`, exchange: 'NSE' }))
  it.each([
    ['history/jobs/start', { ...JOB, symbols: undefined }, 'symbols', /Missing/],
    ['history/jobs/start', { ...JOB, symbols: [] }, 'symbols', /1 to 500 items\. Got 0/],
    ['history/jobs/start', { ...JOB, symbols: many }, 'symbols', /1 to 500 items\. Got 501/],
    ['history/jobs/start', { ...JOB, symbols: 'SBIN' }, 'symbols', /list/],
    ['history/jobs/start', { ...JOB, symbols: [{ symbol: 'SBIN' }] }, 'symbols[0].exchange', /Missing/],
    ['history/jobs/start', { ...JOB, symbols: [{ ...SBIN, exchange: 'NYSE' }] }, 'symbols[0].exchange', /NSE/],
    ['history/jobs/start', { ...JOB, symbols: [{ ...SBIN, symbol: '' }] }, 'symbols[0].symbol', /between 1 and 50/],
    ['history/jobs/start', { ...JOB, symbols: [SBIN, SBIN] }, 'symbols[1].symbol', /there already, as symbols\[0\]/],
    ['history/jobs/start', { ...JOB, interval: '7m' }, 'interval', /1s, 5s/],
    ['history/jobs/start', { ...JOB, interval: '1d' }, 'interval', /did you mean D/],
    ['history/jobs/start', { ...JOB, interval: '5m' }, 'interval', /source has no 5m candles\. Use one of: 1m, D/],
    ['history/jobs/start', { ...JOB, start_date: '2026-02-30' }, 'start_date', /YYYY-MM-DD/],
    ['history/jobs/start', { ...JOB, start_date: '2026-08-05' }, 'start_date', /after end_date/],
    ['history/jobs/start', { ...JOB, start_date: '2027-01-01', end_date: '2027-01-02' }, 'start_date', /future/],
    ['history/jobs/start', { ...JOB, only_missing: 'perhaps' }, 'only_missing', /boolean/],
    ['history/jobs/start', { ...JOB, days: 7 }, 'days', /Unknown field/],
    ['history/jobs/pause', {}, 'job', /Missing/],
    ['history/jobs/resume', { job: 0 }, 'job', /1/],
    ['history/jobs/cancel', { job: 'first' }, 'job', /integer|number/i],
    ['history/jobs', { state: 'done' }, 'state', /waiting, running/],
    ['history/jobs', { limit: 0 }, 'limit', /1/],
    ['history/jobs', { cursor: 'x' }, 'cursor', /cursor/],
    ['history/coverage', { exchange: 'NYSE' }, 'exchange', /NSE/],
    ['history/coverage', { interval: '1d' }, 'interval', /did you mean D/],
    ['history/coverage', { symbol: 'SBIN', ...WEEK }, 'start_date', /needs symbol, exchange and interval/],
    [
      'history/coverage',
      { ...SBIN, interval: '1m', start_date: '2026-08-05', end_date: '2026-08-04' },
      'start_date',
      /after end_date/,
    ],
    ['history/import', {}, 'file', /either file or candles/],
    ['history/import', { ...ROWS, file: 'a.csv' }, 'file', /either file or candles/],
    ['history/import', { file: '../money.db' }, 'file', /a name such as sbin-2026\.csv/],
    ['history/import', { file: 'a.xlsx' }, 'file', /a name such as/],
    ['history/import', { ...ROWS, interval: undefined }, 'interval', /need symbol, exchange and interval/],
    ['history/import', { ...ROWS, candles: [] }, 'candles', /1 to 1000/],
    ['history/import', { ...ROWS, candles: [{ ...ROW, timestamp: 'now' }] }, 'candles[0].timestamp', /No time/],
    ['history/import', { ...ROWS, candles: [{ ...ROW, close: -1 }] }, 'candles[0].close', /non-negative/],
    ['history/import', { ...ROWS, candles: [{ ...ROW, high: undefined }] }, 'candles[0].high', /Missing/],
    ['history/import', { ...ROWS, candles: [{ ...ROW, volume: 'lots' }] }, 'candles[0].volume', /number/],
    ['history/export', { ...JOB, format: 'xlsx' }, 'format', /csv, parquet/],
    ['history/export', { ...JOB, file: 'a.parquet' }, 'file', /end in \.csv/],
    ['history/export', { ...JOB, file: '/tmp/a.csv' }, 'file', /a name such as/],
    ['history/export', { ...JOB, symbols: [SBIN, SBIN] }, 'symbols[1].symbol', /there already/],
    ['history/delete', { symbol: 'SBIN' }, 'exchange', /Missing/],
    ['history/delete', { ...SBIN, interval: '1d' }, 'interval', /did you mean D/],
  ] as const)('%s with %j is refused for %s', async (name, input, field, message) => {
    const { status, body } = await ask(name, input)
    expect([status, body['code']]).toEqual([400, 'validation_failed'])
    const errors = body['errors'] as { field: string; message: string }[]
    expect(errors).toContainEqual({ field, message: expect.stringMatching(message) })
    expect(audited).toEqual([])
  })

  it('of a candle that can’t be is told by its place', async () => {
    const { status, body } = await ask('history/import', { ...ROWS, candles: [ROW, { ...ROW, high: 0.5 }] })
    expect([status, body['code']]).toEqual([400, 'file_unreadable'])
    expect(body['message']).toMatch(/candles\[1\]: high is below/)
  })

  it('of a symbol that no folder can be named after is refused, or nothing is stored of it', async () => {
    const symbol = '₹'.repeat(50)
    const { body } = await ask('history/import', { ...ROWS, symbol })
    expect([body['code'], body['message']]).toEqual(['file_unreadable', expect.stringMatching(/plain characters/)])
    const coverage = await ask('history/coverage', { ...SBIN, symbol, interval: '1m', ...WEEK })
    expect([coverage.status, coverage.body['data']]).toEqual([200, []])
    expect((await ask('history/delete', { ...SBIN, symbol })).body['code']).toBe('no_data')
  })

  it('names every symbol that isn’t listed, with near names', async () => {
    const symbols = ['SBIM', 'INFY', 'SBINN'].map((symbol) => ({ symbol, exchange: 'NSE' }))
    const { status, body } = await ask('history/jobs/start', { ...JOB, symbols })
    expect([status, body['code']]).toEqual([400, 'symbol_not_found'])
    expect(body['message']).toMatch(/'SBIM' not found.*Did you mean SBIN\? \(and 1 more\)/)
    expect(body['errors']).toMatchObject([{ field: 'symbols[0].symbol' }, { field: 'symbols[2].symbol' }])
  })

  it('of a range that is too long is told how long it may be', async () => {
    const long = { start_date: '1900-01-01', end_date: '2026-08-04' }
    for (const [name, input] of [
      ['history/jobs/start', { ...JOB, ...long }],
      ['history/coverage', { ...SBIN, interval: '1m', ...long }],
    ] as const) {
      const { status, body } = await ask(name, input)
      expect([status, body['code'], String(body['message'])]).toEqual([
        400,
        'range_too_long',
        expect.stringMatching(/3660/),
      ])
    }
  })

  it.each([
    ['history/jobs', { job: 99 }, 'job_not_found'],
    ['history/jobs/pause', { job: 99 }, 'job_not_found'],
    ['history/import', { file: 'nothing.csv' }, 'file_not_found'],
    ['history/export', { ...JOB, symbols: [{ symbol: 'NOTHING', exchange: 'NSE' }] }, 'no_data'],
    ['history/delete', { symbol: 'NOTHING', exchange: 'NSE' }, 'no_data'],
  ] as const)('%s of what isn’t there is 404', async (name, input, code) => {
    const { status, body } = await ask(name, input)
    expect([status, body['code']]).toEqual([404, code])
  })
})

describe('coverage', () => {
  it('lists what is stored a page at a time, and reports holes against the calendar', async () => {
    const minutes = Array.from({ length: 375 }, (_, index) => candle(OPENING + index * MINUTE))
    await candleStore.put({ ...SBIN, interval: '1m' }, minutes.toSpliced(10, 5))
    await candleStore.put({ ...SBIN, interval: 'D' }, [candle(Date.parse('2026-08-03T00:00:00+05:30'))])
    const first = await ask('history/coverage', { limit: 1 })
    expect(first.body).toEqual({
      data: [{ ...SBIN, interval: '1m', candles: 370, first: '2026-08-03 09:15:00', last: '2026-08-03 15:29:00' }],
      next_cursor: '1',
      report: null,
      status: 'success',
    })
    const second = await ask('history/coverage', { limit: 1, cursor: '1' })
    expect(second.body).toMatchObject({ data: [{ interval: 'D', candles: 1 }], next_cursor: null })
    const whole = await ask('history/coverage', { ...SBIN, interval: '1m', ...WEEK })
    expect(whole.body['report']).toEqual({
      days_without_calendar: 0,
      empty_sessions: 1,
      ...WEEK,
      expected: 750,
      holes: [
        { candles: 5, first: '2026-08-03 09:25:00', last: '2026-08-03 09:29:00' },
        { candles: 375, first: '2026-08-04 09:15:00', last: '2026-08-04 15:29:00' },
      ],
      holes_left_out: 0,
      missing: 380,
      outside: 0,
      sessions: 2,
      stored: 370,
    })
    const own = await ask('history/coverage', { ...SBIN, interval: '1m' })
    expect(own.body['report']).toMatchObject({ start_date: '2026-08-03', end_date: '2026-08-03', missing: 5 })
    const unknown = await ask('history/coverage', {
      ...SBIN,
      interval: 'D',
      start_date: '2016-01-01',
      end_date: '2016-01-10',
    })
    expect(unknown.body['report']).toMatchObject({ days_without_calendar: 10 })
    const nothing = await ask('history/coverage', { ...SBIN, interval: '5m' })
    expect(nothing.body).toMatchObject({ data: [], report: null })
  })
})

describe('candles that are sent', () => {
  it('are kept, written to a file, and deleted, each in the audit log', async () => {
    const rows = [ROW, { ...ROW, timestamp: '2026-08-03 09:16', close: '1.05', volume: 7, oi: 3 }]
    const given = { symbol: 'sample', exchange: 'NSE', interval: '1m', candles: rows }
    const put = await ask('history/import', given)
    const of = { symbol: 'SAMPLE', exchange: 'NSE', interval: '1m' }
    const range = { first: '2026-08-03 09:15:00', last: '2026-08-03 09:16:00' }
    expect(put.body['data']).toEqual([{ ...of, ...range, candles: 2, added: 2, changed: 0 }])
    expect((await ask('history/import', given)).body['data']).toEqual([
      { ...of, ...range, candles: 2, added: 0, changed: 0 },
    ])
    expect(await candleStore.candles({ symbol: 'SAMPLE', exchange: 'NSE' }, '1m', 0, 4e12)).toMatchObject([
      { startAt: OPENING, close: priceOf('1.5'), volume: 0 },
      { startAt: OPENING + MINUTE, close: priceOf('1.05'), volume: quantityOf(7), openInterest: quantityOf(3) },
    ])
    const written = await ask('history/export', { ...JOB, symbols: [{ symbol: 'SAMPLE', exchange: 'NSE' }] })
    const file = 'SAMPLE-NSE-1m-2026-08-03-2026-08-04.csv'
    expect(written.body).toMatchObject({ data: { file, candles: 2 }, message: `2 candles written to ${file}` })
    expect(existsSync(join(folder, 'export', file))).toBe(true)
    const deleted = await ask('history/delete', { symbol: 'SAMPLE', exchange: 'NSE' })
    expect(deleted.body).toMatchObject({ data: { intervals: ['1m'] }, message: 'Deleted: 1m' })
    expect(audited.map(({ action, target }) => [action, target])).toEqual([
      ['candles.imported', 'request'],
      ['candles.imported', 'request'],
      ['candles.exported', file],
      ['candles.deleted', 'SAMPLE'],
    ])
  })
})

describe('jobs', () => {
  it('are listed newest first, a page at a time, and one with its symbols', async () => {
    const symbols = LISTED.map((symbol) => ({ symbol, exchange: 'NSE' }))
    const made = await ask('history/jobs/start', { ...JOB, symbols, only_missing: true })
    expect(made.body).toMatchObject({ data: { job: 1, state: 'waiting', symbols: 3, progress: 0, only_missing: true } })
    await ask('history/jobs/start', JOB)
    await ask('history/jobs/start', { ...JOB, interval: 'D' })
    const page = await ask('history/jobs', { limit: 2 }, READ_KEY)
    expect(page.body).toMatchObject({ data: [{ job: 3, interval: 'D', parts: [] }, { job: 2 }], next_cursor: '2' })
    const rest = await ask('history/jobs', { limit: 2, cursor: '2' }, READ_KEY)
    expect(rest.body).toMatchObject({ data: [{ job: 1 }], next_cursor: null })
    const states = []
    for (const verb of ['pause', 'resume', 'cancel']) {
      const { body } = await ask(`history/jobs/${verb}`, { job: 2 })
      states.push([(body['data'] as { state: string }).state, body['message']])
    }
    expect(states).toEqual([
      ['paused', 'Job 2 is paused'],
      ['waiting', 'Job 2 is waiting'],
      ['cancelled', 'Job 2 is cancelled'],
    ])
    expect((await ask('history/jobs', { state: 'cancelled' })).body).toMatchObject({ data: [{ job: 2 }] })
    expect((await ask('history/jobs/resume', { job: 2 })).body['code']).toBe('job_over')
    const one = await ask('history/jobs', { job: 1 })
    const part = { exchange: 'NSE', state: 'waiting', done_until: null, missing: 0, problem: '' }
    expect(one.body['data']).toMatchObject([{ job: 1, parts: LISTED.map((symbol) => ({ ...part, symbol })) }])
  })
})
