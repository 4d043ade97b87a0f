import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ManualClock } from '../kernel/clock.ts'
import { StartRefused } from '../kernel/start-refused.ts'
import { type Databases, openDatabases } from '../storage/open.ts'
import { KeyStore, LIVE_KEYS_MAX } from './key-store.ts'
import { parseScopes } from './scope.ts'

const clock = new ManualClock(1_700_000_000_000)
const NEW_KEY = { account: 'default', name: 'bot', scopes: ['read', 'trade'] }

let dataDir: string
let databases: Databases
let keys: KeyStore
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'sauda-identity-'))
  databases = await openDatabases(dataDir, clock)
  keys = await KeyStore.open(databases.money, dataDir, clock)
})
afterEach(async () => {
  await databases.close()
  rmSync(dataDir, { recursive: true, force: true })
})

async function restart(): Promise<void> {
  await databases.close()
  databases = await openDatabases(dataDir, clock)
  keys = await KeyStore.open(databases.money, dataDir, clock)
}

test('a created key is known, with its account and scopes, also after a restart', async () => {
  const created = await keys.createKey(NEW_KEY)
  expect(created.text).toMatch(/^sk_[A-Za-z0-9_-]{43}$/)
  expect(created.id).toMatch(/^key_[a-z2-7]{10}$/)
  const identity = { keyId: created.id, account: 'default', scopes: new Set(['read', 'trade']) }
  expect(keys.check(created.text)).toEqual(identity)
  await restart()
  expect(keys.check(created.text)).toEqual(identity)
  const { text, ...info } = created
  expect(keys.list()).toEqual([info])
  expect(info.createdAt).toBe(1_700_000_000_000)
})

test('what is almost a key is unknown', async () => {
  const { text } = await keys.createKey(NEW_KEY)
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
  expect(almost.map((key) => keys.check(key))).toEqual(almost.map(() => undefined))
})

test('a revoked key fails the next check, before the disk has answered, and after a restart', async () => {
  const revoked = await keys.createKey(NEW_KEY)
  const other = await keys.createKey({ ...NEW_KEY, name: 'other' })
  const revoking = keys.revoke(revoked.id)
  expect(keys.check(revoked.text)).toBeUndefined()
  await revoking
  await restart()
  expect(keys.check(revoked.text)).toBeUndefined()
  expect(keys.check(other.text)).toBeDefined()
  expect(keys.list().map(({ name }) => name)).toEqual(['other'])
  await expect(keys.revoke(revoked.id)).rejects.toMatchObject({ code: 'not_found' })
})

test('a key that could not be revoked on disk stays refused, and revoking it can be tried again', async () => {
  const key = await keys.createKey(NEW_KEY)
  await databases.money.writer.close()
  for (let attempt = 0; attempt < 2; attempt += 1) {
    await expect(keys.revoke(key.id)).rejects.toMatchObject({ code: 'shutting_down' })
    expect(keys.check(key.text)).toBeUndefined()
  }
})

test('a key that did not reach the disk is not known', async () => {
  await databases.money.writer.close()
  await expect(keys.createKey(NEW_KEY)).rejects.toMatchObject({ code: 'shutting_down' })
  expect(keys.list()).toEqual([])
})

test('the first key of an instance is made once, and never again, also when it was revoked', async () => {
  const first = await keys.createFirstKey()
  expect(first).toMatchObject({ name: 'first', account: 'default', scopes: ['read', 'trade', 'admin'] })
  expect(await keys.createFirstKey()).toBeUndefined()
  await keys.revoke(first?.id ?? '')
  await restart()
  expect(await keys.createFirstKey()).toBeUndefined()
})

test('the text of a key is in no file of the data folder', async () => {
  const { text } = await keys.createKey(NEW_KEY)
  const bytes = Buffer.from(text.slice(3), 'base64url')
  const check = () => {
    const files = readdirSync(dataDir)
    for (const file of files) {
      const content = readFileSync(join(dataDir, file))
      expect([content.includes(text.slice(3)), content.includes(bytes)]).toEqual([false, false])
    }
    return files
  }
  // Reading a file of an open database drops its locks, which is harmless here: nobody else opens it
  expect(check()).toContain('money.db-wal')
  await databases.close()
  expect(check()).toContain('money.db')
})

test.each([
  [{ name: '' }, `A key's name has 1 to 64 printable characters; "" doesn't.`],
  [{ name: ' \n' }, 'printable characters'],
  [{ name: 'a\u0007b' }, 'printable characters'],
  [{ name: 'x'.repeat(65) }, 'printable characters'],
  [{ scopes: [] }, 'The key has no scope: choose from read, trade, admin.'],
  [{ scopes: ['read', 'write'] }, '"write" isn\'t a scope: choose from read, trade, admin.'],
  [{ account: 'other' }, 'There is no account "other".'],
])('a key with %j is refused', async (wrong, message) => {
  const refused = await keys.createKey({ ...NEW_KEY, ...wrong }).catch((error: unknown) => error)
  expect(refused).toMatchObject({ code: 'validation_failed' })
  expect(refused).toHaveProperty('message', expect.stringContaining(message))
  expect(keys.list()).toEqual([])
})

test('there are at most as many live keys as allowed, also when they are asked for at once', async () => {
  const asked = Array.from({ length: LIVE_KEYS_MAX + 3 }, (_, index) =>
    keys.createKey({ ...NEW_KEY, name: `key ${index}` }),
  )
  const settled = await Promise.allSettled(asked)
  expect(settled.filter(({ status }) => status === 'rejected').length).toBe(3)
  expect(keys.list().length).toBe(LIVE_KEYS_MAX)
  await keys.revoke(keys.list()[0]?.id ?? '')
  await keys.createKey(NEW_KEY)
})

test.skipIf(process.platform === 'win32')('the secret can be read by its owner alone', () => {
  expect(statSync(join(dataDir, 'secret.key')).mode & 0o777).toBe(0o600)
  expect(readFileSync(join(dataDir, 'secret.key')).length).toBe(32)
})

test('a start without the secret is refused while keys exist', async () => {
  rmSync(join(dataDir, 'secret.key'))
  await restart()
  await keys.createKey(NEW_KEY)
  rmSync(join(dataDir, 'secret.key'))
  const refused = await restart().catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(StartRefused)
  expect(refused).toHaveProperty('message', expect.stringContaining(`${join(dataDir, 'secret.key')} is missing`))
})

test('a damaged secret is refused', async () => {
  writeFileSync(join(dataDir, 'secret.key'), 'short')
  await expect(restart()).rejects.toThrow('has 5 bytes instead of 32')
})

test('scopes are read from comma-separated text', () => {
  expect(parseScopes('trade, read')).toEqual(['read', 'trade'])
  expect(parseScopes('')).toBeUndefined()
  expect(parseScopes('read,write')).toBeUndefined()
})
