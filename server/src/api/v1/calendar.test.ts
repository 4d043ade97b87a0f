import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TradingHours } from '../../market/exchange-calendar.ts'
import { call } from '../test-api.ts'
import { at, type CalendarServers, calendarServers, NOW, timingsOn } from './test-calendar-api.ts'

let servers: CalendarServers
let app: FastifyInstance
beforeAll(async () => {
  servers = await calendarServers()
})
afterAll(() => servers.close())
const fresh = async (): Promise<void> => {
  app = await servers.fresh()
}

describe('market/timings', () => {
  beforeAll(fresh)
  it('answers an ordinary day to the millisecond, whatever hours the server keeps', async () => {
    for (const hours of ['exchange', 'always'] as const) {
      app = await servers.start(NOW, hours)
      const { status, body } = await call(app, 'market/timings', { date: '2026-03-10' })
      expect(status).toBe(200)
      expect(body).toEqual({
        data: [
          { end_time: 1773136800000, exchange: 'NSE', start_time: 1773114300000 },
          { end_time: 1773136800000, exchange: 'BSE', start_time: 1773114300000 },
          { end_time: 1773137400000, exchange: 'NFO', start_time: 1773114300000 },
          { end_time: 1773137400000, exchange: 'BFO', start_time: 1773114300000 },
          { end_time: 1773167100000, exchange: 'MCX', start_time: 1773113400000 },
          { end_time: 1773142200000, exchange: 'BCD', start_time: 1773113400000 },
          { end_time: 1773142200000, exchange: 'CDS', start_time: 1773113400000 },
          { end_time: 1773167100000, exchange: 'NCO', start_time: 1773113400000 },
          { end_time: 1773167399000, exchange: 'CRYPTO', start_time: 1773081000000 },
        ],
        date: '2026-03-10',
        description: '',
        market_hours: hours,
        overridden_exchanges: [],
        provisional: false,
        status: 'success',
        timezone: 'Asia/Kolkata',
      })
    }
  })

  it('a weekend and a day on which everything is closed have coins alone', async () => {
    for (const date of ['2026-03-14', '2026-01-26'])
      expect(await timingsOn(app, date)).toEqual([['CRYPTO', at(`${date}T00:00:00`), at(`${date}T23:59:59`)]])
  })

  it('a holiday has the evening of MCX and NCO, and coins', async () => {
    expect(await timingsOn(app, '2026-03-03')).toEqual([
      ['MCX', 1772537400000, 1772562300000],
      ['NCO', 1772537400000, 1772562300000],
      ['CRYPTO', at('2026-03-03T00:00:00'), at('2026-03-03T23:59:59')],
    ])
  })

  it('Muhurat Trading ends on the next day where it does', async () => {
    const evening = [at('2026-11-08T18:00:00'), at('2026-11-08T19:15:00')]
    const night = [at('2026-11-08T18:00:00'), at('2026-11-09T00:15:00')]
    expect(await timingsOn(app, '2026-11-08')).toEqual([
      ['NSE', ...evening],
      ['BSE', ...evening],
      ['NFO', ...evening],
      ['BFO', ...evening],
      ['MCX', ...night],
      ['BCD', ...evening],
      ['CDS', ...evening],
      ['NCO', ...night],
      ['CRYPTO', at('2026-11-08T00:00:00'), at('2026-11-08T23:59:59')],
    ])
    const { body } = await call(app, 'market/timings', { date: '2026-11-08' })
    expect(body).toMatchObject({ provisional: true, description: 'Diwali Laxmi Pujan (Muhurat Trading)' })
  })

  it('a session in two parts has both', async () => {
    const parts = await timingsOn(app, '2024-03-02', { exchange: 'NSE' })
    expect(parts).toEqual([
      ['NSE', at('2024-03-02T09:15:00'), at('2024-03-02T10:00:00')],
      ['NSE', at('2024-03-02T11:30:00'), at('2024-03-02T12:30:00')],
    ])
  })

  it('one exchange, NCDEX and indices too', async () => {
    expect(await timingsOn(app, '2026-03-10', { exchange: 'NCDEX' })).toEqual([
      ['NCDEX', at('2026-03-10T09:00:00'), at('2026-03-10T17:00:00')],
    ])
    expect(await timingsOn(app, '2026-03-03', { exchange: 'MCX_INDEX' })).toEqual([
      ['MCX_INDEX', 1772537400000, 1772562300000],
    ])
  })

  it('a month and a day may have one digit', async () => {
    expect(await timingsOn(app, '2026-3-3')).toHaveLength(3)
  })
})

describe('market/holidays', () => {
  beforeAll(fresh)
  it('answers a year by date, with keys in alphabetical order', async () => {
    const { status, body, text } = await call(app, 'market/holidays', { year: 2026 })
    expect(status).toBe(200)
    const days = body.data as { date: string }[]
    expect(days.map(({ date }) => date)).toEqual(days.map(({ date }) => date).sort())
    expect(days.find(({ date }) => date === '2026-01-26')).toEqual({
      closed_exchanges: ['NSE', 'BSE', 'NFO', 'BFO', 'CDS', 'BCD', 'MCX', 'NCO', 'NCDEX'],
      date: '2026-01-26',
      description: 'Republic Day',
      holiday_type: 'TRADING_HOLIDAY',
      open_exchanges: [],
    })
    expect(days.find(({ date }) => date === '2026-03-03')).toEqual({
      closed_exchanges: ['NSE', 'BSE', 'NFO', 'BFO', 'CDS', 'BCD', 'NCDEX'],
      date: '2026-03-03',
      description: 'Holi',
      holiday_type: 'TRADING_HOLIDAY',
      open_exchanges: [
        { end_time: 1772562300000, exchange: 'MCX', start_time: 1772537400000 },
        { end_time: 1772562300000, exchange: 'NCO', start_time: 1772537400000 },
      ],
    })
    expect(days.find(({ date }) => date === '2026-11-08')).toMatchObject({
      closed_exchanges: [],
      holiday_type: 'SPECIAL_SESSION',
      provisional: true,
    })
    expect(body).toMatchObject({ provisional: false, status: 'success', timezone: 'Asia/Kolkata', year: 2026 })
    expect(text.indexOf('"closed_exchanges"')).toBeLessThan(text.indexOf('"date"'))
  })

  it('the epochs of 2025 lie on their own days', async () => {
    const { body } = await call(app, 'market/holidays', { year: 2025 })
    const days = body.data as { date: string; open_exchanges: { start_time: number; end_time: number }[] }[]
    const opens = days.flatMap(({ date, open_exchanges: open }) => open.map((row) => ({ date, ...row })))
    expect(opens.length).toBeGreaterThan(20)
    for (const { date, start_time: from, end_time: to } of opens) {
      expect(from).toBeGreaterThanOrEqual(at(`${date}T09:00:00`))
      expect(to).toBeLessThanOrEqual(at(`${date}T23:55:00`))
    }
  })

  it('the year is the current one of the exchanges, not of the host', async () => {
    app = await servers.start(at('2027-01-01T00:30:00'))
    const { body } = await call(app, 'market/holidays')
    expect(body).toMatchObject({ year: 2027, provisional: true, note: expect.stringContaining('not published') })
  })
})

describe('market/status', () => {
  const statusOf = async (now: number, exchange: string, hours: TradingHours = 'exchange') => {
    app = await servers.start(now, hours)
    const { body } = await call(app, 'market/status', { exchange })
    return (body.data as Record<string, unknown>[])[0]
  }

  it.each([
    ['NSE', '2026-11-25T10:00:00', true, 'Open until 2026-11-25 15:30:00 IST', '2026-11-26T09:15:00'],
    ['NSE', '2026-11-25T09:14:59', false, 'Before the session', '2026-11-25T09:15:00'],
    ['NSE', '2026-11-25T15:30:00', false, 'After the session', '2026-11-26T09:15:00'],
    ['NSE', '2026-11-28T12:00:00', false, 'Weekend', '2026-11-30T09:15:00'],
    ['NSE', '2026-11-24T12:00:00', false, 'Prakash Gurpurb Sri Guru Nanak Dev', '2026-11-25T09:15:00'],
    ['NSE_INDEX', '2026-11-24T12:00:00', false, 'Prakash Gurpurb Sri Guru Nanak Dev', '2026-11-25T09:15:00'],
    ['MCX', '2026-11-24T12:00:00', false, 'Before the session', '2026-11-24T17:00:00'],
    ['MCX', '2026-11-09T00:10:00', true, 'Open until 2026-11-09 00:15:00 IST', '2026-11-09T09:00:00'],
    ['CRYPTO', '2026-01-26T12:00:00', true, 'Open until 2026-01-27 00:00:00 IST', '2026-01-27T00:00:00'],
  ])('%s at %s: open %s, %s, next %s', async (exchange, now, open, reason, next) => {
    expect(await statusOf(at(now), exchange)).toMatchObject({ exchange, open, reason, next_open: at(next) })
  })

  it('says since when, until when and when next', async () => {
    expect(await statusOf(at('2026-11-27T10:00:00'), 'NFO')).toEqual({
      exchange: 'NFO',
      next_close: at('2026-11-30T15:40:00'),
      next_open: at('2026-11-30T09:15:00'),
      open: true,
      open_since: at('2026-11-27T09:15:00'),
      open_until: at('2026-11-27T15:40:00'),
      reason: 'Open until 2026-11-27 15:40:00 IST',
    })
    expect(await statusOf(at('2026-11-28T10:00:00'), 'NFO')).toMatchObject({ open_since: null, open_until: null })
  })

  it('with hours always everything is open, and the answer says so', async () => {
    const sunday = at('2026-11-29T03:00:00')
    expect(await statusOf(sunday, 'NSE', 'always')).toMatchObject({ open: true, open_until: at('2026-11-30T00:00:00') })
    const { body } = await call(app, 'market/status')
    expect(body).toMatchObject({ market_hours: 'always', server_time: sunday, provisional: false })
    expect((body.data as { open: boolean }[]).map(({ open }) => open)).toEqual(Array(10).fill(true))
  })

  it('in a year without a list, what is known is weekends, and the answer says so', async () => {
    app = await servers.start(at('2030-01-07T10:00:00'))
    const { status, body } = await call(app, 'market/status', {})
    expect(status).toBe(200)
    expect(body).toMatchObject({ provisional: true })
  })
})

describe('bad input', () => {
  beforeAll(fresh)
  const day = { date: '2026-11-27', exchanges: ['NSE'] }
  it.each<[name: string, input: object, field: string, message: RegExp]>([
    ['market/holidays', { year: 2019 }, 'year', /2020.*2050.*Got 2019/],
    ['market/holidays', { year: 2051 }, 'year', /2020.*2050/],
    ['market/holidays', { year: 'next' }, 'year', /Not a valid integer.*"next"/],
    ['market/holidays', { year: 2026.5 }, 'year', /Not a valid integer|whole/],
    ['market/holidays', { year: null }, 'year', /null/],
    ['market/holidays', { yaer: 2026 }, 'yaer', /did you mean year/],
    ['market/timings', {}, 'date', /Missing data/],
    ['market/timings', { date: 20260310 }, 'date', /Not a valid date.*YYYY-MM-DD/],
    ['market/timings', { date: '2026-02-30' }, 'date', /Not a valid date/],
    ['market/timings', { date: '10-03-2026' }, 'date', /YYYY-MM-DD/],
    [
      'market/timings',
      { date: '2019-12-31' },
      'date',
      /^Date must be between 2020-01-01 and 2050-12-31\. Got 2019-12-31\.$/,
    ],
    ['market/timings', { date: '2051-01-01' }, 'date', /between 2020-01-01 and 2050-12-31/],
    ['market/timings', { date: '2026-03-10', exchange: 'NYSE' }, 'exchange', /Must be one of/],
    ['market/status', { exchange: 'nse' }, 'exchange', /did you mean NSE\?/],
    ['market/overrides/set', { ...day, exchanges: [], closed: true }, 'exchanges', /1 to 10 items/],
    ['market/overrides/set', { ...day, exchanges: ['NSE_INDEX'], closed: true }, 'exchanges[0]', /Must be one of/],
    ['market/overrides/set', { ...day, exchanges: ['NSE', 'NSE'], closed: true }, 'exchanges[1]', /NSE is named twice/],
    ['market/overrides/set', { ...day, date: '2051-01-01', closed: true }, 'date', /2050-12-31/],
    ['market/overrides/set', { ...day, closed: 'perhaps' }, 'closed', /Not a valid boolean/],
    ['market/overrides/set', day, 'start_time', /when the session opens, or that the exchanges are closed/],
    ['market/overrides/set', { ...day, start_time: '09:15' }, 'end_time', /when the session closes/],
    ['market/overrides/set', { ...day, closed: true, end_time: '10:00' }, 'end_time', /has no hours/],
    [
      'market/overrides/set',
      { ...day, start_time: '9:15', end_time: '15:30' },
      'start_time',
      /Not a time\. Got "9:15"/,
    ],
    ['market/overrides/set', { ...day, start_time: '09:75', end_time: '15:30' }, 'start_time', /HH:MM/],
    ['market/overrides/set', { ...day, start_time: '09:15', end_time: '30:01' }, 'end_time', /from 00:00 to 30:00/],
    ['market/overrides/set', { ...day, start_time: 915, end_time: '15:30' }, 'start_time', /Not a time\. Got 915/],
    [
      'market/overrides/set',
      { ...day, start_time: '15:30', end_time: '09:15' },
      'end_time',
      /at least 15 minutes after.*24:15/,
    ],
    ['market/overrides/set', { ...day, start_time: '09:15', end_time: '09:29' }, 'end_time', /at least 15 minutes/],
    ['market/overrides/set', { ...day, start_time: '24:15', end_time: '26:00' }, 'start_time', /use the next date/],
    ['market/overrides/set', { ...day, start_time: '00:00', end_time: '24:01' }, 'end_time', /24 hours at most/],
    ['market/overrides/set', { ...day, closed: true, reason: '' }, 'reason', /Length must be between 1 and 200/],
    ['market/overrides/set', { ...day, closed: true, reason: 'x'.repeat(201) }, 'reason', /between 1 and 200/],
    ['market/overrides/set', { ...day, closed: true, why: 'x' }, 'why', /Unknown field/],
    ['market/overrides/remove', { date: '2026-11-27' }, 'exchanges', /Missing data/],
    ['market/overrides/remove', { ...day, date: '2019-01-01' }, 'date', /2020-01-01/],
  ])('%s with %j names %s', async (name, input, field, message) => {
    const { status, body } = await call(app, name, input)
    expect([status, body.code]).toEqual([400, 'validation_failed'])
    expect(body.errors).toEqual([{ field, message: expect.stringMatching(message) }])
  })

  it.each([
    ['market/holidays', { year: 2023 }],
    ['market/timings', { date: '2023-06-01' }],
    ['market/holidays', { year: 2028 }],
    ['market/timings', { date: '2028-06-01' }],
  ])('%s of a year that is not known says so: %j', async (name, input) => {
    const { status, body } = await call(app, name, input)
    expect([status, body.code]).toEqual([404, 'calendar_unknown'])
    expect(body.message).toMatch(/^The trading calendar of 20\d\d is not known; it covers 2024 to 2027\.$/)
  })

  it.each(['market/holidays', 'market/timings', 'market/status'])('%s wants a key that is known', async (name) => {
    expect(await call(app, name, { date: '2026-03-10' }, 'sk_wrong')).toMatchObject({ status: 403 })
    expect((await app.inject({ method: 'POST', url: `/api/v1/${name}`, payload: {} })).statusCode).toBe(401)
  })
})
