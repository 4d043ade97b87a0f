import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { type App, createApp } from './app.ts'
import { loadConfig } from './config.ts'
import { OWNER } from './identity/audit.ts'
import { ManualClock } from './kernel/clock.ts'
import { moneyOf } from './kernel/fixed.ts'
import { LIMIT_NAMES } from './trading/risk/limits.ts'

/**
 * For tests of limits: the whole platform, asked over HTTP by an admin and a trader. One is shared by the tests of a file;
 * all are closed after them.
 */

const UNLIMITED = {
  ADDRESS_RATE_LIMIT: '1000000 per second',
  API_RATE_LIMIT: '1000000 per second',
  ORDER_RATE_LIMIT: '1000000 per second',
  SMART_ORDER_RATE_LIMIT: '1000000 per second',
}
export const BUY = { strategy: 's', exchange: 'NSE', symbol: 'SBIN', action: 'BUY', quantity: 1, product: 'MIS' }
export const RESTING = { ...BUY, pricetype: 'LIMIT', price: 500 }
const { strategy: _, ...leg } = RESTING
export const LEG = leg
export const GTT = { ...BUY, trigger_type: 'SINGLE', symbol: 'IDEA', product: 'CNC', price: 1, triggerprice_sl: 1.05 }

export interface Reply {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

export class Running {
  readonly app: App
  readonly clock: ManualClock
  readonly folder: string
  readonly admin: string
  readonly trader: string

  constructor(parts: Pick<Running, 'app' | 'clock' | 'folder' | 'admin' | 'trader'>) {
    this.app = parts.app
    this.clock = parts.clock
    this.folder = parts.folder
    this.admin = parts.admin
    this.trader = parts.trader
  }

  static async start(folder: string, settings: Record<string, string> = {}): Promise<Running> {
    const clock = new ManualClock('2026-11-25T11:00:00+05:30')
    const config = loadConfig({ DATA_DIR: folder, ...UNLIMITED, ...settings }, folder)
    const app = await createApp(config, clock, pino({ level: 'silent' }))
    const key = async (scopes: string[]) =>
      (await app.keys.createKey({ account: 'default', name: 'test', scopes }, OWNER)).text
    const running = new Running({ app, clock, folder, admin: await key(['admin']), trader: await key(['trade']) })
    started.push(running)
    return running
  }

  async post(name: string, payload: object, key = this.trader): Promise<Reply> {
    const answer = await this.app.http.inject({
      method: 'POST',
      url: `/api/v1/${name}`,
      headers: { 'x-api-key': key },
      payload,
    })
    return { status: answer.statusCode, body: answer.json() }
  }

  async set(limits: object, more: object = { scope: 'account' }): Promise<void> {
    const { status, body } = await this.post('risk/set', { ...more, limits }, this.admin)
    expect([status, body]).toEqual([200, expect.anything()])
  }

  async orders(): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const { body } = await this.post('orderbook', {})
    return (body['data'] as { orders: readonly Readonly<Record<string, unknown>>[] }).orders
  }

  async working(): Promise<number> {
    const orders = await this.orders()
    return orders.filter(({ order_status: is }) => is === 'open' || is === 'trigger pending').length
  }

  async close(): Promise<void> {
    started.splice(started.indexOf(this), 1)
    await this.app.close()
  }
}

const started: Running[] = []
const folders: string[] = []
export const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'sauda-risk-'))
  folders.push(folder)
  return folder
}
/** Of its own, for what a setting or a restart changes. */
export const start = (settings?: Record<string, string>) => Running.start(newFolder(), settings)
let shared: Running
beforeAll(async () => {
  shared = await start()
})
afterEach(async () => {
  for (const running of started.filter((one) => one !== shared)) await running.close()
})
afterAll(async () => {
  for (const running of [...started]) await running.close()
  for (const folder of folders) rmSync(folder, { recursive: true })
})

/** The shared one, with nothing set and nothing in its books. */
export async function fresh(): Promise<Running> {
  const { app, clock } = shared
  for (const { scope, state } of app.limits.rules()) {
    if (state === 'halted') await app.limits.release(scope, OWNER)
    const limits = Object.fromEntries(LIMIT_NAMES.map((name) => [name, null]))
    await app.limits.set(scope, { limits, state: 'active' }, OWNER)
  }
  await app.paper.venue('default')?.reset(moneyOf(10_000_000))
  clock.advance(2_000)
  return shared
}

export const codesOf = (replies: readonly Reply[]): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const { status, body } of replies) {
    const code = status === 200 ? 'ok' : String(body['code'])
    counts[code] = (counts[code] ?? 0) + 1
  }
  return counts
}
export const many = (count: number, send: (index: number) => Promise<Reply>): Promise<Reply[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => send(index)))
