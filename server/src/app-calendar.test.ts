import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type App, createApp } from './app.ts'
import { loadConfig } from './config.ts'
import { OWNER } from './identity/audit.ts'
import { ManualClock } from './kernel/clock.ts'

/** What an admin says of a day counts at once for everything that asks the calendar, and after a restart. */

const at = (text: string): number => Date.parse(`${text}+05:30`)
let folder: string
let clock: ManualClock
let app: App
let key = ''

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-calendar-'))
  await start('2026-11-25T11:00:00+05:30')
  key = (await app.keys.createFirstKey(OWNER))?.text ?? ''
})
afterAll(async () => {
  await app.close()
  rmSync(folder, { recursive: true })
})

async function start(now: string): Promise<void> {
  clock = new ManualClock(now)
  app = await createApp(
    loadConfig({ DATA_DIR: folder, MARKET_HOURS: 'exchange' }, folder),
    clock,
    pino({ level: 'silent' }),
  )
}

async function post(name: string, input: object = {}) {
  const answer = await app.http.inject({ method: 'POST', url: `/api/v1/${name}`, payload: { apikey: key, ...input } })
  return { ...answer.json<Record<string, unknown>>(), status: answer.statusCode }
}

const order = (over: object = {}) =>
  post('placeorder', {
    strategy: 'test',
    symbol: 'SBIN',
    exchange: 'NSE',
    action: 'BUY',
    quantity: 10,
    pricetype: 'MARKET',
    product: 'MIS',
    ...over,
  })
const SBIN = { symbol: 'SBIN', exchange: 'NSE' }
const HOURLY = { ...SBIN, interval: '1h', start_date: '2026-11-25', end_date: '2026-11-25' }
const TODAY = { date: '2026-11-25', exchanges: ['NSE', 'NFO'] }

it('a session that ends earlier squares off, closes and is charted so', async () => {
  expect(await order()).toMatchObject({ status: 200 })
  expect(await post('market/overrides/set', { ...TODAY, start_time: '09:15', end_time: '11:30' })).toMatchObject({
    status: 200,
  })
  clock.moveTo(at('2026-11-25T11:29:59'))
  expect(await post('positionbook')).toMatchObject({ data: [{ symbol: 'SBIN', quantity: 10 }] })
  clock.moveTo(at('2026-11-25T11:31:00'))
  expect(await post('positionbook')).toMatchObject({ data: [{ symbol: 'SBIN', quantity: 0 }] })
  expect(await order({ product: 'CNC' })).toMatchObject({
    status: 400,
    message: 'NSE is closed; it opens at 2026-11-26 09:15:00 IST',
  })
  const { data: candles } = (await post('history', HOURLY)) as unknown as { data: { timestamp: number }[] }
  expect(candles.map(({ timestamp }) => timestamp * 1000)).toEqual(
    ['09:15', '10:15', '11:15'].map((time) => at(`2026-11-25T${time}:00`)),
  )
})

it('it holds after a restart', async () => {
  await app.close()
  await start('2026-11-25T15:20:00+05:30')
  expect(await post('market/status', { exchange: 'NSE' })).toMatchObject({
    data: [{ open: false, reason: 'After the session', next_open: at('2026-11-26T09:15:00') }],
  })
  expect(await order({ product: 'CNC' })).toMatchObject({ status: 400 })
})

it('a session that was over goes on when its end is moved', async () => {
  expect(await post('market/overrides/remove', TODAY)).toMatchObject({ status: 200 })
  expect(await order({ product: 'CNC' })).toMatchObject({ status: 200 })
  const { data: candles } = (await post('history', HOURLY)) as unknown as { data: unknown[] }
  expect(candles).toHaveLength(7)
})

it('a day that is closed moves the next opening and the end of contracts', async () => {
  const closed = { date: '2026-11-26', exchanges: ['NSE', 'BSE', 'NFO', 'BFO'], closed: true, reason: 'Flood' }
  expect(await post('market/overrides/set', closed)).toMatchObject({ status: 200 })
  clock.moveTo(at('2026-11-25T15:40:00'))
  expect(await order({ product: 'CNC' })).toMatchObject({
    message: 'NSE is closed; it opens at 2026-11-27 09:15:00 IST',
  })
  const { data: expiries } = (await post('expiry', {
    symbol: 'SENSEX',
    exchange: 'BFO',
    instrumenttype: 'options',
  })) as unknown as { data: string[] }
  // The contracts of Thursday 26 ended with Wednesday's session
  expect(expiries[0]).toBe('03-DEC-26')
})

it('who did it is in the audit log', async () => {
  const url = '/api/v1/audit?action=calendar'
  const { data } = (await app.http.inject({ url, headers: { 'x-api-key': key } })).json<{ data: object[] }>()
  expect(data).toMatchObject([
    ...['BFO', 'NFO', 'BSE', 'NSE'].map((exchange) => ({
      action: 'calendar.overridden',
      target: `${exchange} 2026-11-26`,
      detail: { hours: 'closed', reason: 'Flood' },
    })),
    ...['NFO', 'NSE'].map((exchange) => ({ action: 'calendar.override_removed', target: `${exchange} 2026-11-25` })),
    ...['NFO', 'NSE'].map((exchange) => ({
      action: 'calendar.overridden',
      target: `${exchange} 2026-11-25`,
      detail: { hours: '09:15-11:30' },
    })),
  ])
})
