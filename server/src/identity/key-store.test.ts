import crypto from 'node:crypto'
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { StartRefused } from '../kernel/start-refused.ts'
import { OWNER } from './audit.ts'
import { type KeyIdentity, KeyStore, LIVE_KEYS_MAX, type NewKey } from './key-store.ts'
import { parseScopes } from './scope.ts'
import { HOUR_MS, refusalOf, START, TestRooms } from './test-rooms.ts'

const NEW_KEY = { account: 'default', name: 'bot', scopes: ['read', 'trade'] } satisfies NewKey

let rooms: TestRooms
beforeEach(async () => {
  rooms = await TestRooms.open()
})
afterEach(() => rooms.dispose())

const create = (wanted: Partial<NewKey> = {}) => rooms.keys.createKey({ ...NEW_KEY, ...wanted }, OWNER)
const check = (key: string) => rooms.keys.check(key, rooms.clock.now())

/** `known`, or why it isn't. */
function standing(key: string): string {
  const checked = check(key)
  return typeof checked === 'string' ? checked : 'known'
}

function identityOf(key: string): KeyIdentity {
  const checked = check(key)
  if (typeof checked === 'string') throw new Error(`the key is ${checked}`)
  return checked
}

/** A user and a key of theirs. */
async function keyOf(name: string, role: 'admin' | 'trader' | 'viewer', scopes: readonly string[]) {
  const user = await rooms.user(name, role)
  const key = await create({ account: rooms.accounts.defaultOf(user.id), userId: user.id, scopes })
  return { user, key }
}

test('a created key is known, with its account and scopes, also after a restart', async () => {
  const created = await create()
  expect(created.text).toMatch(/^sk_[A-Za-z0-9_-]{43}$/)
  expect(created.id).toMatch(/^key_[a-z2-7]{10}$/)
  const identity = {
    kind: 'key',
    keyId: created.id,
    account: 'default',
    scopes: new Set(['read', 'trade']),
    userId: undefined,
    userName: 'owner',
    expiresAt: undefined,
    networks: undefined,
  }
  expect(check(created.text)).toMatchObject(identity)
  await rooms.restart()
  expect(check(created.text)).toMatchObject(identity)
  const { text, ...info } = created
  expect(rooms.keys.list()).toEqual([{ ...info, lastUsedAt: START }])
  expect(info.createdAt).toBe(START)
})

test('what is almost a key is unknown', async () => {
  const { text } = await create()
  const almost = [
    '',
    'sk_',
    text.slice(0, -1),
    `${text} `,
    text.toUpperCase(),
    text.slice(3),
    '\u0000',
    'x'.repeat(300),
  ]
  expect(almost.map(check)).toEqual(almost.map(() => 'unknown'))
})

test('who a key belongs to is made when the key changes: two checks answer the same object, which nobody can change', async () => {
  const { text } = await create()
  expect(check(text)).toBe(check(text))
  expect(Object.isFrozen(check(text))).toBe(true)
})

// Revoking

test('a revoked key fails the next check, before the disk has answered, and after a restart', async () => {
  const revoked = await create()
  const other = await create({ name: 'other' })
  const revoking = rooms.keys.revoke(revoked.id, OWNER)
  expect(check(revoked.text)).toBe('unknown')
  expect(rooms.keys.callerOf(revoked.id)).toBeUndefined()
  await revoking
  await rooms.restart()
  expect(standing(revoked.text)).toBe('unknown')
  expect(standing(other.text)).toBe('known')
  expect(rooms.keys.list().map(({ name }) => name)).toEqual(['other'])
  await expect(rooms.keys.revoke(revoked.id, OWNER)).rejects.toMatchObject({ code: 'not_found' })
  expect(rooms.audit.filter(({ action }) => action === 'key.revoked')).toHaveLength(1)
})

test('a key that could not be revoked on disk stays refused, and revoking it can be tried again', async () => {
  const { user, key } = await keyOf('alice', 'admin', ['read'])
  await rooms.databases.money.writer.close()
  for (let attempt = 0; attempt < 2; attempt += 1) {
    await expect(rooms.keys.revoke(key.id, OWNER)).rejects.toMatchObject({ code: 'shutting_down' })
    rooms.keys.userChanged(user.id)
    expect(check(key.text)).toBe('unknown')
  }
})

test('nothing that happens while a key is being revoked makes it work again', async () => {
  const { user, key } = await keyOf('alice', 'admin', ['read'])
  const ownerless = await create()
  const revoking = [rooms.keys.revoke(key.id, OWNER), rooms.keys.revoke(ownerless.id, OWNER)]
  rooms.keys.userChanged(user.id)
  rooms.keys.adopt(user.id)
  expect([key.text, ownerless.text].map(standing)).toEqual(['unknown', 'unknown'])
  await Promise.all(revoking)
  expect([key.text, ownerless.text].map(standing)).toEqual(['unknown', 'unknown'])
})

test.each([0, 1])('a key that is revoked while it is being replaced, %i turns later, stays revoked', async (turns) => {
  const key = await create()
  const rotating = Promise.allSettled([rooms.keys.rotate(key.id, 24, OWNER)])
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  await rooms.keys.revoke(key.id, OWNER)
  await rotating
  expect(standing(key.text)).toBe('unknown')
  await rooms.restart()
  expect(standing(key.text)).toBe('unknown')
})

test('a key that did not reach the disk is not known', async () => {
  await rooms.databases.money.writer.close()
  await expect(create()).rejects.toMatchObject({ code: 'shutting_down' })
  expect(rooms.keys.list()).toEqual([])
})

// Owners

test("a disabled user's keys refuse at once, and work again when the user is enabled", async () => {
  await rooms.user('root')
  const { user, key } = await keyOf('alice', 'trader', ['read', 'trade'])
  await rooms.identity.changeUser(user.id, { disabled: true }, OWNER)
  expect(standing(key.text)).toBe('disabled')
  expect(rooms.keys.callerOf(key.id)).toBeUndefined()
  await rooms.restart()
  expect(standing(key.text)).toBe('disabled')
  expect(standing(`${key.text.slice(0, -1)}-`)).toBe('unknown')
  await rooms.identity.changeUser(user.id, { disabled: false }, OWNER)
  expect(identityOf(key.text)).toMatchObject({ userId: user.id, userName: 'alice', role: 'trader' })
})

test('a key never may more than its user, and follows when the role changes', async () => {
  await rooms.user('root')
  const { user, key } = await keyOf('alice', 'admin', ['read', 'trade', 'admin'])
  const scopesAs = async (role: string) => {
    await rooms.identity.changeUser(user.id, { role }, OWNER)
    return [...identityOf(key.text).scopes]
  }
  expect(await scopesAs('viewer')).toEqual(['read'])
  expect(await scopesAs('trader')).toEqual(['read', 'trade'])
  expect(await scopesAs('admin')).toEqual(['read', 'trade', 'admin'])
})

test('a key beyond the role of its user is refused', async () => {
  const viewer = await rooms.user('vera', 'viewer')
  const wanted = { account: rooms.accounts.defaultOf(viewer.id), userId: viewer.id }
  await expect(create({ ...wanted, scopes: ['read', 'trade'] })).rejects.toMatchObject({
    code: 'validation_failed',
    message: "A key of a viewer can't have the scope trade: choose from read.",
  })
  // Nor when only the account is named, as on the command line
  await expect(create({ account: wanted.account, scopes: ['trade'] })).rejects.toThrow("can't have the scope trade")
  expect((await create({ account: wanted.account, scopes: ['read'] })).userId).toBe(viewer.id)
})

test("a key for somebody else's account is refused like one for no account", async () => {
  const alice = await rooms.user('alice', 'trader')
  const bob = await rooms.user('bob', 'trader')
  const account = rooms.accounts.defaultOf(bob.id)
  const refused = create({ account, userId: alice.id })
  await expect(refused).rejects.toMatchObject({ message: `There is no account "${account}".` })
})

test("the list of one user's keys has no others", async () => {
  const { user, key } = await keyOf('alice', 'trader', ['read'])
  await keyOf('bob', 'trader', ['read'])
  await create()
  expect(rooms.keys.list(user.id).map(({ id }) => id)).toEqual([key.id])
  expect(rooms.keys.list()).toHaveLength(3)
})

test('keys of before there were users belong to the first one from then on', async () => {
  const key = await create({ scopes: ['read', 'trade', 'admin'] })
  const user = await rooms.user('alice', 'viewer')
  rooms.keys.adopt(user.id)
  expect(identityOf(key.text)).toMatchObject({ userId: user.id, userName: 'alice', scopes: new Set(['read']) })
  expect(rooms.keys.list(user.id)).toHaveLength(1)
})

test.each(['before', 'after'] as const)(
  'a key whose account finds its owner %s it is written, has the same owner',
  async (order) => {
    const user = await rooms.user('alice', 'viewer')
    const { kysely, writer, compile } = rooms.databases.money
    const adopt = async () => {
      await writer.write([
        compile(kysely.updateTable('account').set({ user_id: user.id, name: 'first' }).where('user_id', 'is', null)),
        compile(kysely.updateTable('api_key').set({ user_id: user.id }).where('user_id', 'is', null)),
      ])
      rooms.keys.adopt(user.id)
    }
    const creating = order === 'after' ? create({ scopes: ['read', 'admin'] }) : undefined
    // Read by now, not written yet
    if (order === 'after') await Promise.resolve()
    const adopting = adopt()
    const created = await (creating ?? create({ scopes: ['read', 'admin'] }))
    await adopting
    const owned = { userId: user.id, role: 'viewer', scopes: new Set(['read']) }
    expect(identityOf(created.text)).toMatchObject(owned)
    await rooms.restart()
    expect(identityOf(created.text)).toMatchObject(owned)
  },
)

// Networks

test('a key may be used from its networks only, and from everywhere when it has none', async () => {
  const home = identityOf((await create({ networks: '10.1.0.0/16, 203.0.113.9 2001:db8::/32' })).text)
  const addresses = ['10.1.255.255', '203.0.113.9', '2001:db8::5', '10.2.0.0', '203.0.113.8', '2001:db9::', '']
  const from = (identity: KeyIdentity) => addresses.filter((address) => rooms.keys.mayComeFrom(identity, address))
  expect(from(home)).toEqual(['10.1.255.255', '203.0.113.9', '2001:db8::5'])
  expect(from(identityOf((await create()).text))).toEqual(addresses)
  await rooms.restart()
  expect(rooms.keys.find(home.keyId)?.networks).toBe('10.1.0.0/16,203.0.113.9,2001:db8::/32')
})

// Last use

test('the last use is shown at once, and is on disk within a minute', async () => {
  const key = await create()
  expect(rooms.keys.list()).toMatchObject([{ lastUsedAt: undefined }])
  rooms.clock.advance(5_000)
  check(key.text)
  expect(rooms.keys.list()).toMatchObject([{ lastUsedAt: START + 5_000 }])
  const written = async () => {
    const { kysely } = rooms.databases.money
    return (await kysely.selectFrom('api_key').select('last_used_at').executeTakeFirstOrThrow()).last_used_at
  }
  expect(await written()).toBeNull()
  rooms.clock.advance(60_000)
  await expect.poll(written).toBe(START + 5_000)
  expect(rooms.errors).toEqual([])
})

test('the last use is known after a restart, also of a key that was replaced since', async () => {
  const key = await create()
  const unused = await create({ name: 'unused' })
  rooms.clock.advance(5_000)
  check(key.text)
  await rooms.keys.writeUses()
  const rotating = rooms.keys.rotate(key.id, 1, OWNER)
  rooms.clock.advance(2_000)
  check(key.text)
  await rotating
  await rooms.restart()
  expect(rooms.keys.find(key.id)?.lastUsedAt).toBe(START + 7_000)
  expect(rooms.keys.find(unused.id)?.lastUsedAt).toBeUndefined()
})

test('a use that can not be written is told, and refuses nobody', async () => {
  const key = await create()
  await rooms.databases.money.writer.close()
  check(key.text)
  rooms.clock.advance(60_000)
  await expect.poll(() => rooms.errors).toMatchObject([{ code: 'shutting_down' }])
  expect(standing(key.text)).toBe('known')
})

// Cost and secrets

test('a check is one hash, of a known key and of any other', async () => {
  const { text, id } = await create()
  const revoked = await create()
  await rooms.keys.revoke(revoked.id, OWNER)
  const hash = vi.spyOn(crypto, 'hash')
  syncBuiltinESMExports()
  try {
    const hashes = [text, revoked.text, `sk_${'A'.repeat(43)}`, '', 'x'].map((key) => {
      hash.mockClear()
      check(key)
      return hash.mock.calls.length
    })
    expect(hashes).toEqual([1, 1, 1, 1, 1])
    expect(identityOf(text).keyId).toBe(id)
  } finally {
    hash.mockRestore()
    syncBuiltinESMExports()
  }
})

test('the text of a key is in no file of the data folder', async () => {
  const { text } = await create()
  await rooms.keys.writeUses()
  expect(rooms.filesWith([text.slice(3)])).toEqual([])
  const bytes = Buffer.from(text.slice(3), 'base64url')
  expect(readFileSync(join(rooms.dataDir, 'money.db-wal')).includes(bytes)).toBe(false)
  expect(rooms.filesWith(['bot'])).toContain('money.db-wal') // the search finds what is there
  await rooms.stop()
  expect(rooms.filesWith([text.slice(3)])).toEqual([])
  expect(readFileSync(join(rooms.dataDir, 'money.db')).includes(bytes)).toBe(false)
  expect(JSON.stringify(rooms.audit)).not.toContain(text.slice(3))
})

// Bounds and refusals

test('the first key of an instance is made once, and never again, also when it was revoked', async () => {
  const first = await rooms.keys.createFirstKey(OWNER)
  expect(first).toMatchObject({ name: 'first', account: 'default', scopes: ['read', 'trade', 'admin'] })
  expect(await rooms.keys.createFirstKey(OWNER)).toBeUndefined()
  await rooms.keys.revoke(first?.id ?? '', OWNER)
  await rooms.restart()
  expect(await rooms.keys.createFirstKey(OWNER)).toBeUndefined()
})

test.each([
  [{ name: '' }, `A key's name has 1 to 64 printable characters; "" doesn't.`],
  [{ name: ' \n' }, 'printable characters'],
  [{ name: 'a\u0007b' }, 'printable characters'],
  [{ name: 'x'.repeat(65) }, 'printable characters'],
  [{ scopes: [] }, 'The key has no scope: choose from read, trade, admin.'],
  [{ scopes: ['read', 'write'] }, '"write" isn\'t a scope: choose from read, trade, admin.'],
  [{ account: 'other' }, 'There is no account "other".'],
  [{ expiresDays: 0 }, 'Must be a whole number from 1 to 3650. Got 0.'],
  [{ expiresDays: 3_651 }, 'Must be a whole number from 1 to 3650. Got 3651.'],
  [{ networks: '10.0.0.0/33' }, '"10.0.0.0/33" has no prefix length from 0 to 32.'],
  [{ networks: 'home' }, '"home" is no address and no network.'],
])('a key with %j is refused', async (wrong, message) => {
  const refused = await refusalOf(create(wrong))
  expect(refused).toMatchObject({ code: 'validation_failed' })
  expect(refused).toHaveProperty('message', expect.stringContaining(message))
  expect(rooms.keys.list()).toEqual([])
})

test('there are at most as many live keys as allowed; one that was replaced makes room when its overlap ends', async () => {
  const asked = Array.from({ length: LIVE_KEYS_MAX + 3 }, (_, index) => create({ name: `key ${index}` }))
  const settled = await Promise.allSettled(asked)
  expect(settled.filter(({ status }) => status === 'rejected').length).toBe(3)
  expect(rooms.keys.list().length).toBe(LIVE_KEYS_MAX)
  const [first, second] = rooms.keys.list().map(({ id }) => id)
  await rooms.keys.revoke(first ?? '', OWNER)
  await rooms.keys.rotate(second ?? '', 1, OWNER)
  await expect(create()).rejects.toMatchObject({ code: 'validation_failed' })
  rooms.clock.advance(HOUR_MS)
  await create()
})

test.skipIf(process.platform === 'win32')('the secret can be read by its owner alone', () => {
  expect(statSync(join(rooms.dataDir, 'secret.key')).mode & 0o777).toBe(0o600)
  expect(readFileSync(join(rooms.dataDir, 'secret.key')).length).toBe(32)
})

const reopen = () => {
  const { databases, dataDir, clock } = rooms
  const onError = (error: unknown): never => {
    throw error
  }
  const ownerOf = () => undefined
  return KeyStore.open({ money: databases.money, dataDir, clock, audit: () => undefined, ownerOf, onError })
}

test('a start without the secret is refused while keys exist', async () => {
  rmSync(join(rooms.dataDir, 'secret.key'))
  await rooms.restart()
  await create()
  rmSync(join(rooms.dataDir, 'secret.key'))
  const refused = await refusalOf(reopen())
  expect(refused).toBeInstanceOf(StartRefused)
  expect(refused).toHaveProperty('message', expect.stringContaining(`${join(rooms.dataDir, 'secret.key')} is missing`))
})

test('a damaged secret is refused', async () => {
  writeFileSync(join(rooms.dataDir, 'secret.key'), 'short')
  await expect(reopen()).rejects.toThrow('has 5 bytes instead of 32')
})

test('scopes are read from comma-separated text', () => {
  expect(parseScopes('trade, read')).toEqual(['read', 'trade'])
  expect(parseScopes('')).toBeUndefined()
  expect(parseScopes('read,write')).toBeUndefined()
})
