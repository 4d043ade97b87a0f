import type { FastifyInstance } from 'fastify'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Role } from '../../identity/caller.ts'
import { FRESH_MS } from '../../identity/identity.ts'
import { HOUR_MS, TestRooms } from '../../identity/test-rooms.ts'
import { arrivals } from '../middleware/arrive.ts'
import { authenticator, authorise } from '../middleware/authenticate.ts'
import { sessionCallers } from '../middleware/session-caller.ts'
import { Cookies } from '../session-cookie.ts'
import { testApi } from '../test-api.ts'
import { accounts, accountscreate, accountsordermode } from './accounts.ts'
import { keys, keyscreate, keysrevoke, keysrotate } from './keys.ts'

/** The operations on keys and accounts, over the real rooms, for people who are signed in and for keys. */

const OPERATIONS = [keys, keyscreate, keysrevoke, keysrotate, accounts, accountscreate, accountsordermode]
const READS: readonly string[] = ['keys', 'accounts']

let rooms: TestRooms
let app: FastifyInstance
let asha: Person
let ravi: Person
let vera: Person

interface Person {
  readonly id: string
  readonly name: string
  readonly account: string
  readonly headers: Record<string, string>
}

async function person(name: string, role: Role): Promise<Person> {
  const user = await rooms.user(name, role)
  const { token, caller } = await rooms.signedIn(user)
  return { id: user.id, name, account: caller.account, headers: { cookie: `sauda_session=${token}` } }
}

/** The same rooms at the instant that it is now. */
async function serve(): Promise<void> {
  const cookies = new Cookies({ isHttps: false })
  const { identity, keys: keyStore, accounts: accountStore, clock } = rooms
  const sessionCaller = sessionCallers({
    cookies,
    callerOf: (token, now, accountOf) => identity.callerOf(token, now, accountOf),
    findAccount: (id) => accountStore.find(id),
    defaultAccount: (userId) => accountStore.defaultOf(userId),
  })
  const services = { identity, keys: keyStore, accounts: accountStore }
  app = await testApi(OPERATIONS, services, {
    now: clock.now(),
    pipeline: {
      arrive: arrivals({ clock, addressOf: (peer) => peer }),
      beforeFields: [authenticator({ keys: keyStore, sessionCaller, isForeign: () => false }), authorise],
    },
  })
}

beforeAll(async () => {
  rooms = await TestRooms.open()
})
let tests = 0
beforeEach(async () => {
  tests += 1
  asha = await person(`asha${tests}`, 'admin')
  ravi = await person(`ravi${tests}`, 'trader')
  vera = await person(`vera${tests}`, 'viewer')
  rooms.audit.length = 0
  await serve()
})
afterEach(async () => {
  expect(rooms.errors).toEqual([])
  await app.close()
})
afterAll(() => rooms.dispose())

interface Shown {
  readonly id: string
  readonly key: string
  readonly name: string
  readonly account: string
  readonly order_mode: string
}

async function ask(who: Person | string, name: string, input: Record<string, unknown> = {}) {
  const headers = typeof who === 'string' ? { 'x-api-key': who } : who.headers
  const url = `/api/v1/${name}`
  const query = new URLSearchParams(Object.entries(input).map(([field, value]) => [field, String(value)]))
  const answer = READS.includes(name)
    ? await app.inject({ method: 'GET', url: `${url}?${query}`, headers })
    : await app.inject({ method: 'POST', url, headers, payload: input })
  const body = answer.json<{ code?: string; message?: string; key_id?: string; data: Shown & readonly Shown[] }>()
  const { code, message, key_id: keyId, data } = body
  return { status: answer.statusCode, code, message, keyId, data }
}

async function made(who: Person, input: object = {}): Promise<Shown> {
  const answer = await ask(who, 'keys/create', { name: 'bot', scopes: ['read'], ...input })
  expect(answer).toMatchObject({ status: 200 })
  return answer.data
}

const opens = async (key: string): Promise<boolean> => (await ask(key, 'accounts')).status === 200
const idsOf = (list: readonly Shown[]): readonly string[] => list.map(({ id }) => id)

describe('keys/create', () => {
  it('answers the key, which works for the user and the account, and is never shown again', async () => {
    const key = await made(ravi, { name: ' chart alerts ', scopes: ['trade', 'read'] })
    expect(key).toEqual({
      account: ravi.account,
      created_at: rooms.clock.now(),
      expires_at: null,
      id: expect.stringMatching(/^key_[a-z2-7]{10}$/),
      key: expect.stringMatching(/^sk_[A-Za-z0-9_-]{43}$/),
      last_used_at: null,
      name: 'chart alerts',
      networks: '',
      replaced_by: null,
      revoked_at: null,
      scopes: ['read', 'trade'],
      user_id: ravi.id,
    })
    expect((await ask(key.key, 'accounts')).data).toMatchObject([{ id: ravi.account }])
    const { key: text, ...shown } = key
    expect((await ask(ravi, 'keys')).data).toEqual([{ ...shown, last_used_at: rooms.clock.now() }])
    expect(JSON.stringify(rooms.audit)).not.toContain(text)
    expect(rooms.audit.at(-1)).toMatchObject({ actor: ravi.name, action: 'key.created', target: key.id })
  })

  it('may bind it to another account of the user, to networks, and to an end', async () => {
    const { data: second } = await ask(ravi, 'accounts/create', { name: 'options' })
    const key = await made(ravi, { account: second.id, expires_days: 2, networks: '10.0.0.0/8 127.0.0.1' })
    expect(key).toMatchObject({
      account: second.id,
      expires_at: rooms.clock.now() + 48 * HOUR_MS,
      networks: '10.0.0.0/8,127.0.0.1',
    })
    expect((await ask(key.key, 'accounts')).data).toMatchObject([{ id: second.id, name: 'options' }])
    rooms.clock.advance(48 * HOUR_MS)
    expect(await ask(key.key, 'accounts')).toMatchObject({ status: 403, code: 'api_key_expired' })
    const elsewhere = await made(await person('mira', 'trader'), { networks: '10.0.0.0/8' })
    expect(await ask(elsewhere.key, 'accounts')).toMatchObject({ status: 403, code: 'address_not_allowed' })
  })

  it.each([
    ['a viewer', 'trade', () => vera],
    ['a trader', 'admin', () => ravi],
  ] as const)('gives %s no key with the scope %s', async (_, scope, who) => {
    const refused = await ask(who(), 'keys/create', { name: 'bot', scopes: ['read', scope] })
    expect(refused).toMatchObject({ status: 400, code: 'validation_failed' })
    expect(refused.message).toContain(`can't have the scope ${scope}`)
    expect((await ask(who(), 'keys')).data).toEqual([])
  })

  it.each([
    [{ scopes: [] }],
    [{ scopes: ['write'] }],
    [{ name: '' }],
    [{ networks: 'example.com' }],
    [{ expires_days: 0 }],
    [{ account: 'acc_unknown' }],
    [{ account: 'default' }],
  ])('with %j is refused', async (wrong) => {
    const refused = await ask(ravi, 'keys/create', { name: 'bot', scopes: ['read'], ...wrong })
    expect(refused).toMatchObject({ status: 400, code: 'validation_failed' })
  })

  it("binds nobody to somebody else's account, not even an admin", async () => {
    const refused = await ask(asha, 'keys/create', { name: 'bot', scopes: ['read'], account: ravi.account })
    expect(refused).toMatchObject({ status: 400, message: expect.stringContaining('There is no account') })
  })
})

it('keys are made and replaced by people who gave their password lately, not by keys', async () => {
  const { key, id } = await made(asha, { scopes: ['read', 'trade', 'admin'] })
  for (const [name, input] of [
    ['keys', {}],
    ['keys/create', { name: 'bot', scopes: ['read'] }],
    ['keys/rotate', { id }],
    ['keys/revoke', { id }],
    ['accounts/create', { name: 'options' }],
    ['accounts/order-mode', { account: asha.account, mode: 'auto' }],
  ] as const)
    expect([name, await ask(key, name, input)]).toMatchObject([name, { status: 403, code: 'session_required' }])

  rooms.clock.advance(FRESH_MS)
  await app.close()
  await serve()
  const stale = { status: 403, code: 'reauthentication_required' }
  expect(await ask(asha, 'keys/create', { name: 'bot', scopes: ['read'] })).toMatchObject(stale)
  expect(await ask(asha, 'keys/rotate', { id })).toMatchObject(stale)
  expect(idsOf((await ask(asha, 'keys')).data)).toEqual([id])
  // What takes rights away must never have to wait
  expect(await ask(asha, 'keys/revoke', { id })).toMatchObject({ status: 200 })
})

describe('the list of keys', () => {
  it("shows a user's own, and everybody's to an admin who asks for all", async () => {
    const own = await made(ravi)
    const other = await made(vera)
    const admins = await made(asha)
    expect(idsOf((await ask(ravi, 'keys')).data)).toEqual([own.id])
    expect(idsOf((await ask(ravi, 'keys', { all: true })).data)).toEqual([own.id])
    expect(idsOf((await ask(asha, 'keys')).data)).toEqual([admins.id])
    expect(idsOf((await ask(asha, 'keys', { all: true })).data)).toEqual(
      expect.arrayContaining([own.id, other.id, admins.id]),
    )
  })
})

describe('keys/revoke', () => {
  it('makes the key useless at once', async () => {
    const { id, key } = await made(ravi)
    expect(await opens(key)).toBe(true)
    expect(await ask(ravi, 'keys/revoke', { id })).toMatchObject({ status: 200, message: `Revoked ${id}` })
    expect(await ask(key, 'accounts')).toMatchObject({ status: 403, code: 'api_key_invalid' })
    expect(await ask(ravi, 'keys/revoke', { id })).toMatchObject({ status: 404, code: 'not_found' })
  })

  it("touches nobody else's, except that an admin revokes any; another's is as unknown as one that never was", async () => {
    const { id, key } = await made(ravi)
    for (const name of ['keys/revoke', 'keys/rotate']) {
      const others = await ask(vera, name, { id })
      const nobodys = await ask(vera, name, { id: 'key_aaaaaaaaaa' })
      expect(others).toMatchObject({ status: 404, code: 'not_found' })
      expect(others.message?.replace(id, '')).toBe(nobodys.message?.replace('key_aaaaaaaaaa', ''))
    }
    // An admin ends what others may do, and never gets to do it
    expect(await ask(asha, 'keys/rotate', { id })).toMatchObject({ status: 404, code: 'not_found' })
    expect(await opens(key)).toBe(true)
    expect(await ask(asha, 'keys/revoke', { id })).toMatchObject({ status: 200 })
    expect(await opens(key)).toBe(false)
  })
})

describe('keys/rotate', () => {
  it('answers a key with the same rights and ends the old one', async () => {
    const old = await made(ravi, { networks: '127.0.0.0/8', expires_days: 9 })
    const { status, data } = await ask(ravi, 'keys/rotate', { id: old.id })
    expect(status).toBe(200)
    expect(data).toEqual({ ...old, id: data.id, key: data.key })
    expect([data.id === old.id, data.key === old.key]).toEqual([false, false])
    expect([await opens(old.key), await opens(data.key)]).toEqual([false, true])
  })

  it('lets the old one work for the overlap, which the list shows', async () => {
    const old = await made(ravi)
    const { data } = await ask(ravi, 'keys/rotate', { id: old.id, overlap_hours: 24 })
    const ends = rooms.clock.now() + 24 * HOUR_MS
    expect((await ask(ravi, 'keys')).data).toMatchObject([
      { id: old.id, revoked_at: ends, replaced_by: data.id },
      { id: data.id, revoked_at: null, replaced_by: null },
    ])
    rooms.clock.moveTo(ends - 1)
    expect(await opens(old.key)).toBe(true)
    rooms.clock.moveTo(ends)
    expect([await opens(old.key), await opens(data.key)]).toEqual([false, true])
  })

  it('is refused for an overlap of more than 24 hours, and of a key that was replaced', async () => {
    const { id } = await made(ravi)
    expect(await ask(ravi, 'keys/rotate', { id, overlap_hours: 25 })).toMatchObject({ status: 400 })
    await ask(ravi, 'keys/rotate', { id, overlap_hours: 1 })
    expect(await ask(ravi, 'keys/rotate', { id })).toMatchObject({ status: 400, code: 'validation_failed' })
  })
})

describe('a request for a key that its client has an id for', () => {
  const wanted = { name: 'bot', scopes: ['read'], client_request_id: 'request-1' }
  const exists = (keyId: string) => ({ status: 409, code: 'key_exists', keyId })

  it('makes one key, also when it is sent at once, with another wish or after the key was revoked', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => ask(ravi, 'keys/create', wanted)))
    const [first, ...again] = answers.toSorted((one, other) => one.status - other.status)
    const { id = '', key = '' } = first?.data ?? {}
    expect(await opens(key)).toBe(true)
    for (const answer of again) {
      expect(answer).toMatchObject(exists(id))
      expect(JSON.stringify(answer)).not.toContain(key)
    }
    expect(await ask(ravi, 'keys/create', { ...wanted, name: 'other' })).toMatchObject(exists(id))
    await ask(ravi, 'keys/revoke', { id })
    expect(await ask(ravi, 'keys/create', wanted)).toMatchObject(exists(id))
    expect((await ask(ravi, 'keys')).data).toEqual([])
  })

  it('replaces one key once, and says so when the old one is gone', async () => {
    const old = await made(ravi)
    const rotate = { id: old.id, client_request_id: 'request-1' }
    const { data } = await ask(ravi, 'keys/rotate', rotate)
    expect(await ask(ravi, 'keys/rotate', rotate)).toMatchObject(exists(data.id))
    expect(await ask(ravi, 'keys/create', wanted)).toMatchObject(exists(data.id))
    expect([await opens(old.key), await opens(data.key)]).toEqual([false, true])
  })

  it('is known again after a restart, and when the password was given too long ago for a new key', async () => {
    const { id } = await made(ravi, wanted)
    await app.close()
    await rooms.restart()
    await serve()
    expect(await ask(ravi, 'keys/create', wanted)).toMatchObject(exists(id))
    rooms.clock.advance(FRESH_MS)
    await serve()
    expect(await ask(ravi, 'keys/create', wanted)).toMatchObject(exists(id))
    const other = { ...wanted, client_request_id: 'request-2' }
    expect(await ask(ravi, 'keys/create', other)).toMatchObject({ code: 'reauthentication_required' })
  })

  it('that made none can be sent again, and others may have the same id', async () => {
    expect(await ask(ravi, 'keys/create', { ...wanted, networks: 'nowhere' })).toMatchObject({ status: 400 })
    const { id } = await made(ravi, wanted)
    expect((await made(vera, wanted)).id).not.toBe(id)
    const { id: own } = await made(asha)
    expect(await ask(asha, 'keys/rotate', { id: own, client_request_id: 'request-1' })).toMatchObject({ status: 200 })
  })

  it.each(['', 'x'.repeat(65), '\u0000'])('is refused with the id %j', async (id) => {
    expect(await ask(ravi, 'keys/create', { ...wanted, client_request_id: id })).toMatchObject({
      status: 400,
      code: 'validation_failed',
    })
  })
})

describe('accounts', () => {
  it('are shown to their user, and to a key only the one it trades for', async () => {
    const { data: second } = await ask(ravi, 'accounts/create', { name: 'options' })
    expect(second).toEqual({
      created_at: rooms.clock.now(),
      id: second.id,
      name: 'options',
      order_mode: 'auto',
      venue: 'paper',
    })
    expect(rooms.openedBooks).toContain(second.id)
    expect(idsOf((await ask(ravi, 'accounts')).data)).toEqual([ravi.account, second.id])
    expect(idsOf((await ask(asha, 'accounts')).data)).toEqual([asha.account])
    const { key } = await made(ravi)
    expect(idsOf((await ask(key, 'accounts')).data)).toEqual([ravi.account])
  })

  it('are opened by people who may trade, each under a name of its own', async () => {
    expect(await ask(vera, 'accounts/create', { name: 'options' })).toMatchObject({ status: 403, code: 'role_missing' })
    expect(await ask(ravi, 'accounts/create', { name: 'default' })).toMatchObject({ status: 400 })
    expect(await ask(ravi, 'accounts/create', { name: '<b>' })).toMatchObject({ status: 400 })
  })

  it('have an order mode that their user and an admin may change, and nobody else', async () => {
    const mode = (who: Person, wanted: string, account = ravi.account) =>
      ask(who, 'accounts/order-mode', { account, mode: wanted })
    const other = await person(`mira${tests}`, 'trader')
    expect(await mode(other, 'semi_auto')).toMatchObject({ status: 404, code: 'account_not_found' })
    expect(await mode(vera, 'semi_auto', vera.account)).toMatchObject({ status: 403, code: 'role_missing' })
    expect(await mode(asha, 'semi_auto', 'acc_unknown')).toMatchObject({ status: 404, code: 'account_not_found' })
    expect(rooms.accounts.orderMode(ravi.account)).toBe('auto')
    expect((await mode(asha, 'semi_auto')).data).toMatchObject({ id: ravi.account, order_mode: 'semi_auto' })
    expect((await ask(ravi, 'accounts')).data[0]?.order_mode).toBe('semi_auto')
    expect((await mode(ravi, 'auto')).data).toMatchObject({ order_mode: 'auto' })
    expect(await mode(ravi, 'manual')).toMatchObject({ status: 400 })
    const changes = rooms.audit.filter(({ action }) => action === 'account.order-mode')
    expect(changes).toMatchObject([
      { actor: asha.name, target: ravi.account, detail: { from: 'auto', to: 'semi_auto' } },
      { actor: ravi.name, target: ravi.account, detail: { from: 'semi_auto', to: 'auto' } },
    ])
  })
})
