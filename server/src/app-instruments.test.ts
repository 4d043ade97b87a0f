import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type App, createApp } from './app.ts'
import { loadConfig } from './config.ts'
import { OWNER } from './identity/audit.ts'
import { ManualClock } from './kernel/clock.ts'
import { DAY_MS } from './kernel/exchange-time.ts'
import { requestLines } from './monitor/request-lines.ts'
import { RequestRows } from './monitor/request-rows.ts'

/** The instruments of a day over restarts and new days, and what is written of whoever asks for them. */

let app: App
let folder: string
let key: string
let logged = ''
let linesLost = 0
const clock = new ManualClock('2026-11-25T11:00:00+05:30')

async function start(): Promise<void> {
  const write = (line: string): void => {
    logged += line
  }
  const log = pino({ level: 'trace' }, { write })
  const config = loadConfig({ DATA_DIR: folder }, folder)
  const requests = new RequestRows(clock)
  requests.follow((rows) => write(requestLines(rows)))
  app = await createApp(config, clock, log, requests, () => linesLost)
  app.start()
}
async function restart(): Promise<void> {
  await app.close()
  await start()
}
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-instruments-'))
  await start()
  key = (await app.keys.createKey({ account: 'default', name: 'test', scopes: ['admin'] }, OWNER)).text
})
afterAll(() => rmSync(folder, { recursive: true }))

interface Loads {
  readonly date: string
  readonly version: string
  readonly loads: readonly { readonly from: string; readonly accepted: boolean; readonly added: { count: number } }[]
}

async function loads(): Promise<Loads> {
  const answer = await app.http.inject({
    method: 'GET',
    url: '/api/v1/instruments/loads',
    headers: { 'x-api-key': key },
  })
  return answer.json().data
}

test('a restart of the same day takes what is on disk, one of the next day loads and says what changed', async () => {
  const first = await loads()
  expect(first.loads).toMatchObject([{ from: 'source', accepted: true }])
  await restart()
  const second = await loads()
  expect(second.loads).toMatchObject([{ from: 'disk', accepted: true }])
  expect(second.version).toBe(first.version)
  clock.advance(DAY_MS)
  await restart()
  const third = await loads()
  expect([third.date, third.loads[0]?.from]).toEqual(['2026-11-26', 'source'])
  expect(third.loads[0]?.added.count).toBeGreaterThan(0)
  const answer = await app.http.inject({ method: 'GET', url: '/api/v1/audit', headers: { 'x-api-key': key } })
  const actions = answer.json().data.map(({ action }: { action: string }) => action)
  expect(actions.filter((action: string) => action === 'instruments.loaded')).toHaveLength(3)
})

test('lines that the log lost show in health and metrics', async () => {
  linesLost = 7
  const answer = await app.http.inject({ method: 'GET', url: '/api/v1/health', headers: { 'x-api-key': key } })
  expect(answer.json().data.checks).toContainEqual(
    expect.objectContaining({ name: 'log_lines_lost', state: 'warn', value: 7 }),
  )
  const { payload } = await app.http.inject({ method: 'GET', url: '/metrics' })
  expect(payload).toContain('sauda_log_lines_lost_total 7')
})

test('a key in the query is written nowhere', async () => {
  const answer = await app.http.inject({ method: 'GET', url: `/api/v1/instruments?exchange=MCX&apikey=${key}` })
  expect([answer.statusCode, answer.json().message]).toEqual([200, expect.stringMatching(/^Found \d+ instruments$/)])
  const refused = await app.http.inject({ method: 'GET', url: `/api/v1/instruments?exchange=NYSE&apikey=${key}` })
  expect(refused.statusCode).toBe(400)
  await app.close() // whatever is written behind is on disk then
  expect(logged).toContain('instruments')
  expect(logged).not.toContain(key)
  for (const name of readdirSync(folder)) {
    if (name.endsWith('.sock')) continue
    expect(readFileSync(join(folder, name)).includes(key), name).toBe(false)
  }
})
