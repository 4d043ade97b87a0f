import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type App, createApp } from './app.ts'
import { loadConfig } from './config.ts'
import { OWNER } from './identity/audit.ts'
import { ManualClock } from './kernel/clock.ts'

/** Candles on the whole platform: downloaded, read again, and still there after a restart. */

let folder: string
let app: App
let key = ''
const clock = new ManualClock('2026-11-25T11:00:00+05:30')
const start = async (): Promise<App> => {
  const settings = { DATA_DIR: folder, MARKET_HOURS: 'exchange', API_RATE_LIMIT: '100000 per second' }
  const config = loadConfig({ ...settings, HEAVY_RATE_LIMIT: '100000 per second' }, folder)
  const made = await createApp(config, clock, pino({ level: 'silent' }))
  made.start()
  return made
}
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-candle-store-'))
  app = await start()
  key = (await app.keys.createFirstKey(OWNER))?.text ?? ''
})
afterAll(async () => {
  await app.close()
  rmSync(folder, { recursive: true })
})

async function ask(name: string, input: Record<string, unknown>, method: 'GET' | 'POST' = 'POST') {
  const headers = { 'x-api-key': key }
  const query = new URLSearchParams(Object.entries(input).map(([field, value]) => [field, String(value)]))
  const answer =
    method === 'GET'
      ? await app.http.inject({ method, url: `/api/v1/${name}?${query}`, headers })
      : await app.http.inject({ method, url: `/api/v1/${name}`, headers, payload: input })
  return answer.json() as { status: string; message?: string; data: unknown; report?: unknown }
}
const SBIN = { symbol: 'SBIN', exchange: 'NSE' }
const WEEK = { start_date: '2026-08-03', end_date: '2026-08-07' }
const candles = async (interval: string, source: string) =>
  (await ask('history', { ...SBIN, ...WEEK, interval, source })).data

async function ended(job: number): Promise<Record<string, unknown>> {
  for (let look = 0; look < 2_000; look += 1) {
    const [found = {}] = (await ask('history/jobs', { job }, 'GET')).data as Record<string, unknown>[]
    if (typeof found['ended_at'] === 'number') return found
    await new Promise((resolve) => setTimeout(resolve, 5))
    clock.advance(5)
  }
  throw new Error('The job never ended.')
}

it('what was downloaded answers as the source does, also for longer candles and after a restart', async () => {
  await ask('history/jobs/start', { ...WEEK, symbols: [SBIN], interval: '1m' })
  expect(await ended(1)).toMatchObject({ state: 'completed', progress: 100, stored: 1875, missing: 0, requests: 1 })
  const coverage = await ask('history/coverage', { ...SBIN, ...WEEK, interval: '1m' }, 'GET')
  expect(coverage.report).toMatchObject({ expected: 1875, stored: 1875, missing: 0, holes: [], sessions: 5 })
  const before: unknown[] = []
  for (const interval of ['1m', '5m', '1h', 'D']) {
    const stored = await candles(interval, 'db')
    expect(stored).toEqual(await candles(interval, 'api'))
    before.push(stored)
  }
  expect(before.map((rows) => (rows as unknown[]).length)).toEqual([1875, 375, 35, 5])

  await ask('history/jobs/start', { ...WEEK, symbols: [SBIN, { ...SBIN, symbol: 'INFY' }], interval: '5m' })
  await app.close()
  app = await start()
  expect(await candles('1m', 'db')).toEqual(before[0])
  expect(await ended(2)).toMatchObject({ state: 'completed', stored: 750, missing: 0 })
})
