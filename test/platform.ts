import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pino from 'pino'
import { type App, createApp } from '../server/src/app.ts'
import { loadConfig } from '../server/src/config.ts'
import { OWNER } from '../server/src/identity/audit.ts'
import { ManualClock } from '../server/src/kernel/clock.ts'
import { ADMIN } from './sign-in.ts'

/** The whole platform in process, on a clock that stands where it is put, for what takes days or must be exact. */

export type Settings = Readonly<Record<string, string>>

export interface Sent {
  readonly method?: 'GET' | 'POST' | 'OPTIONS'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: object
  /** Address of the peer. */
  readonly from?: string
}

export interface Given {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
  /** What stands at a path of names and places in the JSON of the answer; undefined when nothing does. */
  readonly at: (...path: readonly (string | number)[]) => unknown
}

const UNLIMITED = '1000000 per second'
const LIMITS = ['ADDRESS', 'API', 'HEAVY', 'ORDER', 'SMART_ORDER', 'LOGIN', 'RESET']
const NO_LIMITS = Object.fromEntries(LIMITS.map((name) => [`${name}_RATE_LIMIT`, UNLIMITED]))
const UNTIL_MS_MAX = 10_000

export class Platform {
  readonly app: App
  readonly clock: ManualClock
  readonly key: string
  readonly #folder: string

  private constructor(app: App, clock: ManualClock, key: string, folder: string) {
    this.app = app
    this.clock = clock
    this.key = key
    this.#folder = folder
  }

  /** A fresh instance, whose rates are without limits unless the settings have some. */
  static async open(settings: Settings, at = '2026-11-25T11:00:00+05:30'): Promise<Platform> {
    const folder = mkdtempSync(join(tmpdir(), 'sauda-settings-'))
    const clock = new ManualClock(Temporal.Instant.from(at).epochMilliseconds)
    const config = loadConfig({ DATA_DIR: join(folder, 'data'), ...NO_LIMITS, ...settings }, folder)
    const app = await createApp(config, clock, pino({ level: 'silent' }))
    const { text } = await app.keys.createKey(
      { account: 'default', name: 'test', scopes: ['read', 'trade', 'admin'] },
      OWNER,
    )
    app.start()
    return new Platform(app, clock, text, folder)
  }

  /** Runs `use` on a fresh instance of its own. */
  static async with<T>(settings: Settings, use: (platform: Platform) => Promise<T>, at?: string): Promise<T> {
    const platform = await Platform.open(settings, at)
    try {
      return await use(platform)
    } finally {
      await platform.close()
    }
  }

  /** Ends it and deletes its data. */
  async close(): Promise<void> {
    await this.app.close()
    rmSync(this.#folder, { recursive: true })
  }

  get dataDir(): string {
    return join(this.#folder, 'data')
  }

  /** POSTs with a body, else GETs. */
  async send(url: string, sent: Sent = {}): Promise<Given> {
    const { method = sent.body === undefined ? 'GET' : 'POST', headers = {}, body, from = '198.51.100.7' } = sent
    const payload = body === undefined ? {} : { payload: body }
    const answer = await this.app.http.inject({ method, url, headers, remoteAddress: from, ...payload })
    const at: Given['at'] = (...path) =>
      path.reduce<unknown>(
        (value, step) => (typeof value === 'object' && value !== null ? (value as never)[step] : undefined),
        answer.json(),
      )
    return { status: answer.statusCode, headers: answer.headers, text: answer.payload, at }
  }

  /** An operation, with the key. */
  ask(name: string, body?: object, more: Omit<Sent, 'body'> = {}): Promise<Given> {
    const headers = { 'x-api-key': this.key, ...more.headers }
    return this.send(`/api/v1/${name}`, { ...more, headers, ...(body === undefined ? {} : { body }) })
  }

  /** Creates the first user. Answers the whole cookie, with its attributes. */
  async setUp(): Promise<string> {
    const token = await this.app.identity.newSetUpToken()
    const answer = await this.send('/api/v1/auth/setup', { body: { token, ...ADMIN } })
    return [answer.headers['set-cookie']].flat().join()
  }

  async isSignedIn(cookie: string): Promise<boolean> {
    const answer = await this.send('/api/v1/auth/status', { headers: { cookie: cookie.split(';', 1).join() } })
    return answer.at('data', 'authenticated') === true
  }

  order(fields: object): Promise<Given> {
    return this.ask('placeorder', {
      strategy: 's',
      exchange: 'NSE',
      symbol: 'SBIN',
      action: 'BUY',
      quantity: 100,
      product: 'MIS',
      ...fields,
    })
  }

  /** Rupees that are blocked. */
  async blocked(): Promise<number> {
    return Number((await this.ask('funds', {})).at('data', 'utiliseddebits'))
  }
}

/** Asks again and again, of what happens beside the requests, until it is so. */
export async function until(isSo: () => Promise<boolean>): Promise<boolean> {
  const deadlineAt = performance.now() + UNTIL_MS_MAX
  while (!(await isSo())) {
    if (performance.now() > deadlineAt) return false
    await sleep(20)
  }
  return true
}
