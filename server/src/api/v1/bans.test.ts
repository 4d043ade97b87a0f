import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { AuditEntry } from '../../identity/audit.ts'
import { BanList } from '../../identity/bans.ts'
import { ManualClock } from '../../kernel/clock.ts'
import { Networks } from '../../kernel/networks.ts'
import { type Databases, openDatabases } from '../../storage/open.ts'
import { arrivals } from '../middleware/arrive.ts'
import { refuseBanned } from '../middleware/ban-gate.ts'
import { ADMIN_KEY, cookieOf, TRADE_KEY, testApi } from '../test-api.ts'
import { bans, banscreate, banslift } from './bans.ts'

const START = Date.UTC(2026, 2, 2, 4, 0)
const HOUR_MS = 3_600_000
const BAD = '203.0.113.9'
const HERE = '198.51.100.7'

let folder: string
let databases: Databases
let list: BanList
let audit: AuditEntry[]
let app: FastifyInstance
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-bans-'))
  const clock = new ManualClock(START)
  databases = await openDatabases(folder, clock)
  audit = []
  const proxies = Networks.parse('')
  if (typeof proxies === 'string') throw new Error(proxies)
  list = await BanList.open({
    money: databases.money,
    clock,
    rules: { automatic: false, windowMs: 1, thresholds: { not_found: 1, bad_key: 1, failed_login: 1 }, firstMs: 1 },
    audit: (entry) => void audit.push(entry),
    proxies,
    onError: (error) => {
      throw error
    },
  })
  app = await testApi(
    [bans, banscreate, banslift],
    { bans: list },
    {
      now: START,
      pipeline: {
        arrive: arrivals({ clock, addressOf: (peer) => peer }),
        beforeBody: [refuseBanned((address) => list.of(address))],
      },
    },
  )
})
afterEach(async () => {
  await app.close()
  await databases.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Body {
  readonly code?: string
  readonly message?: string
  readonly data: readonly { readonly address: string }[]
  readonly history: readonly { readonly address: string }[]
  readonly next_cursor: string | null
}

async function ask(name: string, input: Record<string, unknown> = {}, headers: object = {}, from = HERE) {
  const all = { 'x-api-key': ADMIN_KEY, ...headers }
  const query = new URLSearchParams(Object.entries(input).map(([field, value]) => [field, String(value)]))
  const answer = await app.inject(
    name === 'bans'
      ? { method: 'GET', url: `/api/v1/bans?${query}`, headers: all, remoteAddress: from }
      : { method: 'POST', url: `/api/v1/${name}`, headers: all, payload: input, remoteAddress: from },
  )
  return { ...answer.json<Body>(), status: answer.statusCode }
}

it('a banned address is refused whatever it sends, until the ban is lifted', async () => {
  const made = await ask('bans/create', { address: BAD, reason: 'Guesses keys.', hours: 24 })
  expect(made).toMatchObject({
    status: 200,
    data: {
      address: BAD,
      cause: 'manual',
      created_at: START,
      expires_at: START + 24 * HOUR_MS,
      reason: 'Guesses keys.',
    },
  })
  const refused = await ask('bans', {}, {}, BAD)
  expect(refused).toMatchObject({
    status: 403,
    code: 'address_banned',
    message: `Your address ${BAD} is banned until 2026-03-03 09:30:00 IST.`,
  })
  expect(await ask('bans', {}, {}, `::ffff:${HERE}`)).toMatchObject({ status: 200 })
  expect(await ask('bans/lift', { address: BAD })).toMatchObject({ status: 200, message: `${BAD} may come again` })
  expect(await ask('bans', {}, {}, BAD)).toMatchObject({ status: 200 })
  expect(audit.map(({ action, target, address }) => [action, target, address])).toEqual([
    ['ban.created', BAD, HERE],
    ['ban.lifted', BAD, HERE],
  ])
})

it('without hours it is for ever', async () => {
  expect(await ask('bans/create', { address: BAD })).toMatchObject({ data: { expires_at: null } })
  const { message } = await ask('bans', {}, {}, BAD)
  expect(message).toBe(`Your address ${BAD} is banned.`)
})

it('the list has all that are in force, and the history a page at a time', async () => {
  for (let index = 1; index <= 5; index += 1) await ask('bans/create', { address: `203.0.113.${index}`, hours: index })
  await ask('bans/lift', { address: '203.0.113.5' })
  const seen: string[] = []
  let cursor: string | null = ''
  for (let page = 0; cursor !== null; page += 1) {
    expect(page).toBeLessThan(4)
    const answer: Awaited<ReturnType<typeof ask>> = await ask('bans', {
      limit: 2,
      ...(cursor === '' ? {} : { cursor }),
    })
    expect(answer.data.map(({ address }) => address)).toEqual([
      '203.0.113.4',
      '203.0.113.3',
      '203.0.113.2',
      '203.0.113.1',
    ])
    seen.push(...answer.history.map(({ address }) => address))
    cursor = answer.next_cursor
  }
  expect(seen).toEqual([5, 4, 3, 2, 1].map((index) => `203.0.113.${index}`))
  const { history } = await ask('bans', { limit: 1 })
  expect(history).toMatchObject([{ lifted_at: START, lifted_by: 'owner' }])
})

it.each([
  [{ address: HERE }, 'your own address'],
  [{ address: '127.0.0.1' }, 'This machine itself'],
  [{ address: 'example.com' }, 'is no IP address'],
  [{ address: BAD, hours: 0 }, 'hours'],
  [{ hours: 1 }, 'address'],
])('bans/create with %j is refused', async (input, message) => {
  expect(await ask('bans/create', input)).toMatchObject({ status: 400, code: 'validation_failed' })
  expect(JSON.stringify(await ask('bans/create', input))).toContain(message)
  expect((await ask('bans')).history).toEqual([])
})

it('to lift what is not banned is 404', async () => {
  expect(await ask('bans/lift', { address: BAD })).toMatchObject({ status: 404, code: 'not_found' })
})

it('only an admin may look at bans, make or lift them: by key or signed in', async () => {
  for (const name of ['bans', 'bans/create', 'bans/lift']) {
    const input = name === 'bans' ? {} : { address: BAD }
    expect(await ask(name, input, { 'x-api-key': TRADE_KEY })).toMatchObject({ status: 403, code: 'scope_missing' })
    for (const role of ['trader', 'viewer'] as const)
      expect(await ask(name, input, { 'x-api-key': '', cookie: cookieOf(role) })).toMatchObject({
        status: 403,
        code: 'role_missing',
      })
  }
  expect(list.list()).toEqual([])
  const signedIn = { 'x-api-key': '', cookie: cookieOf('admin') }
  expect(await ask('bans/create', { address: BAD }, signedIn)).toMatchObject({ status: 200 })
  expect(audit).toMatchObject([{ actor: 'admin' }])
})
