import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { AnyOperation } from './api/operation.ts'
import { operations } from './api/v1/index.ts'
import { type App, createApp } from './app.ts'
import { loadConfig } from './config.ts'
import { OWNER } from './identity/audit.ts'
import type { Role } from './identity/caller.ts'
import { ManualClock } from './kernel/clock.ts'

/** Every operation against everybody who may not have it, on the whole platform: the door holds for each of them. */

const all: readonly AnyOperation[] = operations
const HERE = '198.51.100.7'
const BANNED = '203.0.113.9'
const DAY_MS = 86_400_000
const PASSWORD = 'four random words'
const UNLIMITED = {
  ADDRESS_RATE_LIMIT: '1000000 per second',
  API_RATE_LIMIT: '1000000 per second',
  HEAVY_RATE_LIMIT: '1000000 per second',
  ORDER_RATE_LIMIT: '1000000 per second',
  SMART_ORDER_RATE_LIMIT: '1000000 per second',
  LOGIN_RATE_LIMIT: '1000000 per second',
  RESET_RATE_LIMIT: '1000000 per second',
}

const spies = all.map((operation) => vi.spyOn(operation, 'handle'))
const asked = (): number => spies.reduce((sum, spy) => sum + spy.mock.calls.length, 0)

interface Platform {
  readonly app: App
  readonly clock: ManualClock
  readonly key: (more?: { scopes?: string[]; networks?: string; expiresDays?: number }) => Promise<string>
  readonly close: () => Promise<void>
}

async function start(settings: Record<string, string>): Promise<Platform> {
  const folder = mkdtempSync(join(tmpdir(), 'sauda-refusals-'))
  const clock = new ManualClock('2026-11-25T11:00:00+05:30')
  const config = loadConfig({ DATA_DIR: folder, ...settings }, folder)
  const app = await createApp(config, clock, pino({ level: 'silent' }))
  return {
    app,
    clock,
    key: async (more = {}) => {
      const wanted = { account: 'default', name: 'test', scopes: ['read', 'trade', 'admin'], ...more }
      return (await app.keys.createKey(wanted, OWNER)).text
    },
    close: async () => {
      await app.close()
      rmSync(folder, { recursive: true })
    },
  }
}

interface Sent {
  readonly key?: string
  readonly cookie?: string
  readonly from?: string
}

async function send({ app }: Platform, operation: AnyOperation, { key, cookie, from = HERE }: Sent = {}) {
  const headers = {
    ...(key === undefined ? {} : { 'x-api-key': key }),
    ...(cookie === undefined ? {} : { cookie }),
  }
  const endless = 'follow' in operation.input ? '?follow=false' : ''
  const url = `/api/v1/${operation.name}${endless}`
  const answer = await app.http.inject({
    method: operation.method,
    url,
    headers,
    remoteAddress: from,
    ...(operation.method === 'POST' ? { payload: {} } : {}),
  })
  return { status: answer.statusCode, headers: answer.headers, text: answer.payload, code: codeOf(answer.payload) }
}

function codeOf(text: string): unknown {
  try {
    return (JSON.parse(text) as { code?: unknown }).code
  } catch {
    return undefined
  }
}

const isForKeys = ({ access }: AnyOperation): boolean => access !== 'public' && access !== 'session'
const named = (which: (operation: AnyOperation) => boolean) =>
  all.filter(which).map((operation) => [operation.name, operation] as const)

let platform: Platform
let before: number
beforeAll(async () => {
  platform = await start(UNLIMITED)
})
afterAll(() => platform.close())
beforeEach(() => {
  before = asked()
})

/** The right status, the right body, in the shape of every error, and nothing was done. */
function expectRefused(answer: Awaited<ReturnType<typeof send>>, status: number, code: string, key = ''): void {
  expect([answer.status, answer.code]).toEqual([status, code])
  const body = JSON.parse(answer.text) as Record<string, unknown>
  expect(body).toMatchObject({ status: 'error', request_id: answer.headers['x-request-id'] })
  expect(String(body['message']).length).toBeGreaterThan(10)
  if (key !== '') expect(answer.text).not.toContain(key)
  expect(asked()).toBe(before)
}

describe('without a key', () => {
  it.each(named((operation) => operation.access !== 'public'))('%s is refused', async (_, operation) => {
    const code = operation.access === 'session' ? 'session_missing' : 'api_key_missing'
    expectRefused(await send(platform, operation), 401, code)
  })
})

const person = (name: string, role: Role) =>
  platform.app.identity.createUser({ name, email: `${name}@example.com`, password: PASSWORD, role }, OWNER)

async function keyOfDisabled(): Promise<string> {
  const { identity, accounts, keys } = platform.app
  await person('root', 'admin')
  const { id: userId } = await person('gone', 'trader')
  const wanted = { account: accounts.defaultOf(userId), userId, name: 'test', scopes: ['read', 'trade'] }
  const { text } = await keys.createKey(wanted, OWNER)
  await identity.changeUser(userId, { disabled: true }, OWNER)
  return text
}

describe('with a key', () => {
  const keys: Record<'revoked' | 'expired' | 'disabled' | 'elsewhere' | 'read' | 'whole', string> = {
    revoked: '',
    expired: '',
    disabled: '',
    elsewhere: '',
    read: '',
    whole: '',
  }
  beforeAll(async () => {
    keys.revoked = await platform.key()
    const revoked = platform.app.keys.list().at(-1)
    await platform.app.keys.revoke(revoked?.id ?? '', OWNER)
    keys.expired = await platform.key({ expiresDays: 1 })
    platform.clock.advance(DAY_MS)
    keys.disabled = await keyOfDisabled()
    keys.elsewhere = await platform.key({ networks: '192.0.2.0/24' })
    keys.read = await platform.key({ scopes: ['read'] })
    keys.whole = await platform.key()
  })

  describe.each([
    ['that nobody has', () => `sk_${'x'.repeat(43)}`, 'api_key_invalid'],
    ['that was revoked', () => keys.revoked, 'api_key_invalid'],
    ['that has expired', () => keys.expired, 'api_key_expired'],
    ['whose user is disabled', () => keys.disabled, 'user_disabled'],
    ['for other addresses', () => keys.elsewhere, 'address_not_allowed'],
  ] as const)('%s', (_, key, code) => {
    it.each(named(({ access }) => access !== 'public'))('%s is refused', async (_name, operation) => {
      expectRefused(await send(platform, operation, { key: key() }), 403, code, key())
    })
  })

  it('that nobody has is a guess, which bans; one whose user is disabled, or that has expired, is none', async () => {
    const note = vi.spyOn(platform.app.bans, 'note')
    const [operation] = all.filter(isForKeys)
    for (const key of [keys.disabled, keys.expired, `sk_${'x'.repeat(43)}`])
      if (operation) await send(platform, operation, { key })
    await vi.waitFor(() => expect(note).toHaveBeenCalled())
    expect(note.mock.calls).toEqual([[HERE, 'bad_key']])
    note.mockRestore()
  })

  it.each(named(({ access }) => access === 'trade' || access === 'admin'))(
    'that may only read, %s is refused',
    async (_, operation) => {
      expectRefused(await send(platform, operation, { key: keys.read }), 403, 'scope_missing', keys.read)
    },
  )

  it.each(named(({ access }) => access === 'session'))('%s, which needs a person, is refused', async (_, operation) => {
    expectRefused(await send(platform, operation, { key: keys.whole }), 403, 'session_required', keys.whole)
  })

  it.each(named(isForKeys))('that may do everything, %s gets past the door', async (_, operation) => {
    const answer = await send(platform, operation, { key: keys.whole })
    expect([200, 400]).toContain(answer.status) // an empty request is wrong for many, but not for who sends it
    if (answer.status === 400) expect(answer.code).toBe('validation_failed')
  })
})

describe('signed in', () => {
  const cookies: Record<Role, string> = { admin: '', trader: '', viewer: '' }
  beforeAll(async () => {
    const { identity } = platform.app
    const from = { address: HERE, device: 'test', requestId: 'req-1' }
    for (const role of ['admin', 'trader', 'viewer'] as const) {
      await person(role, role)
      const result = await identity.login(role, PASSWORD, from)
      if (result.kind === 'session') cookies[role] = `sauda_session=${result.begun.token}`
    }
  }, 30_000)

  it.each(named(({ access }) => access === 'trade' || access === 'admin'))(
    'as somebody who may only look, %s is refused',
    async (_, operation) => {
      expectRefused(await send(platform, operation, { cookie: cookies.viewer }), 403, 'role_missing')
    },
  )

  it.each(named(({ access }) => access === 'admin'))('as a trader, %s is refused', async (_, operation) => {
    expectRefused(await send(platform, operation, { cookie: cookies.trader }), 403, 'role_missing')
  })

  it.each(named(isForKeys))('as an admin, %s gets past the door', async (_, operation) => {
    const answer = await send(platform, operation, { cookie: cookies.admin })
    expect([200, 400]).toContain(answer.status)
  })
})

describe('banned', () => {
  let key = ''
  beforeAll(async () => {
    key = await platform.key()
    const actor = { name: 'asha', address: HERE, requestId: '' }
    await platform.app.bans.ban(BANNED, 'test', 1, actor)
  })

  it.each(named(() => true))('%s is refused, with a good key too', async (_, operation) => {
    expectRefused(await send(platform, operation, { key, from: BANNED }), 403, 'address_banned', key)
  })
})

describe('over the limit', () => {
  let limited: Platform
  let key = ''
  beforeAll(async () => {
    const one = '1 per day'
    limited = await start({
      ...UNLIMITED,
      API_RATE_LIMIT: one,
      HEAVY_RATE_LIMIT: one,
      ORDER_RATE_LIMIT: one,
      SMART_ORDER_RATE_LIMIT: one,
      LOGIN_RATE_LIMIT: one,
      RESET_RATE_LIMIT: one,
    })
    key = await limited.key()
    // One request of each class spends the day's budget
    for (const rateClass of new Set(all.map((operation) => operation.rateClass))) {
      const operation = all.find((each) => each.rateClass === rateClass && each.access !== 'session')
      if (operation !== undefined) await send(limited, operation, { key })
      const open = all.find((each) => each.rateClass === rateClass && each.access === 'public')
      if (open !== undefined) await send(limited, open)
    }
  })
  afterAll(() => limited.close())

  // The kill switch has a limit of its own, which no other request uses up
  it.each(named(({ access, rateClass }) => access !== 'session' && rateClass !== 'killswitch'))(
    '%s is refused, and says when to come again',
    async (_, operation) => {
      const sent = operation.access === 'public' ? {} : { key }
      const answer = await send(limited, operation, sent)
      expectRefused(answer, 429, 'rate_limited', key)
      const { retry_after: seconds } = JSON.parse(answer.text) as { retry_after: number }
      expect(answer.headers['retry-after']).toBe(String(seconds))
      expect(seconds).toBeGreaterThan(0)
      expect(answer.headers['ratelimit-policy']).toMatch(/;q=1;w=86400/)
      expect(answer.headers['ratelimit']).toMatch(/;r=0;t=\d+/)
    },
  )
})
