import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ADMIN_KEY, call, cookieOf, READ_KEY, TRADE_KEY } from '../test-api.ts'
import { at, type CalendarServers, calendarServers, timingsOn } from './test-calendar-api.ts'

let servers: CalendarServers
let app: FastifyInstance
beforeAll(async () => {
  servers = await calendarServers()
})
afterAll(() => servers.close())
const fresh = async (): Promise<void> => {
  app = await servers.fresh()
}

describe('overrides', () => {
  beforeEach(fresh)
  const closing = { date: '2026-11-27', exchanges: ['NSE', 'NFO'], closed: true, reason: 'Flood in Mumbai' }

  it('change holidays, timings and status at once, are listed, and can be removed', async () => {
    app = await servers.start(at('2026-11-27T12:00:00'))
    const before = [await timingsOn(app, '2026-11-27'), (await call(app, 'market/holidays', { year: 2026 })).text]
    const { status, body } = await call(app, 'market/overrides/set', closing)
    expect(status).toBe(200)
    expect(body.data).toEqual([
      {
        closed: true,
        date: '2026-11-27',
        end_time: null,
        exchange: 'NSE',
        reason: 'Flood in Mumbai',
        set_at: at('2026-11-27T12:00:00'),
        set_by: 'owner',
        start_time: null,
      },
      expect.objectContaining({ exchange: 'NFO' }),
    ])
    expect((await timingsOn(app, '2026-11-27')).map(([exchange]) => exchange)).not.toContain('NSE')
    expect((await call(app, 'market/timings', { date: '2026-11-27' })).body).toMatchObject({
      description: 'Flood in Mumbai',
      overridden_exchanges: ['NSE', 'NFO'],
    })
    const { body: holidays } = await call(app, 'market/holidays', { year: 2026 })
    expect((holidays.data as { date: string }[]).find(({ date }) => date === '2026-11-27')).toEqual({
      closed_exchanges: ['NSE', 'NFO'],
      date: '2026-11-27',
      description: 'Flood in Mumbai',
      holiday_type: 'TRADING_HOLIDAY',
      open_exchanges: [],
      overridden_exchanges: ['NSE', 'NFO'],
    })
    const { body: shown } = await call(app, 'market/status', { exchange: 'NSE_INDEX' })
    expect(shown.data).toMatchObject([{ open: false, reason: 'Flood in Mumbai', next_open: at('2026-11-30T09:15:00') }])
    const list = await app.inject({ url: '/api/v1/market/overrides?year=2026', headers: { 'x-api-key': READ_KEY } })
    expect(list.json()).toEqual({ data: body.data, status: 'success' })

    const removal = { date: '2026-11-27', exchanges: ['NFO', 'NSE'] }
    expect((await call(app, 'market/overrides/remove', removal)).status).toBe(200)
    expect([await timingsOn(app, '2026-11-27'), (await call(app, 'market/holidays', { year: 2026 })).text]).toEqual(
      before,
    )
  })

  it('give a holiday a session on some exchanges, and leave the others as they were', async () => {
    const input = { date: '2026-12-25', exchanges: ['MCX'], start_time: '18:00', end_time: '24:15' }
    expect((await call(app, 'market/overrides/set', input)).status).toBe(200)
    expect(await timingsOn(app, '2026-12-25')).toEqual([
      ['MCX', at('2026-12-25T18:00:00'), at('2026-12-26T00:15:00')],
      ['CRYPTO', at('2026-12-25T00:00:00'), at('2026-12-25T23:59:59')],
    ])
    const { body } = await call(app, 'market/holidays', { year: 2026 })
    expect((body.data as { date: string }[]).find(({ date }) => date === '2026-12-25')).toEqual({
      closed_exchanges: ['NSE', 'BSE', 'NFO', 'BFO', 'CDS', 'BCD', 'NCO', 'NCDEX'],
      date: '2026-12-25',
      description: 'Christmas',
      holiday_type: 'TRADING_HOLIDAY',
      open_exchanges: [{ end_time: at('2026-12-26T00:15:00'), exchange: 'MCX', start_time: at('2026-12-25T18:00:00') }],
      overridden_exchanges: ['MCX'],
    })
  })

  it('that change nothing are no holiday', async () => {
    const input = { date: '2026-11-27', exchanges: ['NSE'], start_time: '09:15', end_time: '15:30' }
    const before = (await call(app, 'market/holidays', { year: 2026 })).text
    expect((await call(app, 'market/overrides/set', input)).status).toBe(200)
    expect((await call(app, 'market/holidays', { year: 2026 })).text).toBe(before)
  })

  it('are for admins, by key or signed in; everybody may read them', async () => {
    for (const name of ['market/overrides/set', 'market/overrides/remove']) {
      expect(await call(app, name, closing, TRADE_KEY)).toMatchObject({ status: 403, body: { code: 'scope_missing' } })
      const signedIn = await app.inject({
        method: 'POST',
        url: `/api/v1/${name}`,
        headers: { cookie: cookieOf('trader') },
        payload: closing,
      })
      expect(signedIn.json()).toMatchObject({ code: 'role_missing' })
    }
    expect(await call(app, 'market/overrides/set', closing, ADMIN_KEY)).toMatchObject({ status: 200 })
  })

  it('to remove what is not there is 404', async () => {
    const answer = await call(app, 'market/overrides/remove', { date: '2026-11-27', exchanges: ['NSE'] })
    expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } })
  })
})
