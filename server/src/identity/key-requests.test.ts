import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ManualClock } from '../kernel/clock.ts'
import { kyselyOver } from '../storage/dialect.ts'
import { migrate } from '../storage/migrate.ts'
import { moneyMigrations } from '../storage/migrations/money/index.ts'
import { openDatabases } from '../storage/open.ts'
import type { MoneyDatabase } from '../storage/schema.ts'
import { openFile } from '../storage/sqlite.ts'
import { OWNER } from './audit.ts'
import { KeyStore } from './key-store.ts'
import { keyedHash } from './keyed-hash.ts'
import { openSecret } from './secret.ts'

const AT = Date.parse('2026-11-26T10:00:00+05:30')
/** Before keys were kept with their requests. */
const MIGRATIONS_BEFORE = 9

test('keys from before requests had ids go on working, are replaced, and new ones are made once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sauda-key-requests-'))
  try {
    const hash = keyedHash(openSecret(folder, false))
    const before = openFile(join(folder, 'money.db'), 'FULL', 'read-write')
    const kysely = kyselyOver<MoneyDatabase>(before)
    await migrate(kysely, moneyMigrations.slice(0, MIGRATIONS_BEFORE), 'money.db', AT)
    const insert = before.prepare(
      "INSERT INTO api_key (id, account, name, scopes, hash, created_at) VALUES (?, 'default', 'old', 'read', ?, ?)",
    )
    for (const id of ['key_one', 'key_two']) insert.run(id, hash(`sk_${id}`), AT)
    await kysely.destroy()

    const made: string[] = []
    for (const start of [1, 2]) {
      const databases = await openDatabases(folder, new ManualClock(AT + start))
      const keys = await KeyStore.open({
        money: databases.money,
        dataDir: folder,
        clock: new ManualClock(AT + start),
        audit: () => undefined,
        ownerOf: () => undefined,
        onError: (error) => {
          throw error
        },
      })
      expect(keys.check('sk_key_one', AT + start)).toMatchObject({ keyId: 'key_one' })
      const create = (requestId: string | undefined) =>
        keys.requests.once('usr', requestId, (requestHash) =>
          keys.createKey({ account: 'default', name: 'new', scopes: ['read'], requestHash }, OWNER),
        )
      if (start === 1) {
        made.push((await create('request-1')).id, (await keys.rotate('key_two', 0, OWNER)).id)
        expect(keys.check('sk_key_two', AT + start)).toBe('expired')
      }
      await expect(create('request-1')).rejects.toMatchObject({ code: 'key_exists', extra: { key_id: made[0] } })
      made.push((await create(undefined)).id, (await create(undefined)).id)
      expect(keys.list().map(({ id }) => id)).toEqual(['key_one', ...made])
      await keys.close()
      await databases.close()
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('the disk refuses a second key of one request, whoever asks', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sauda-key-requests-'))
  const databases = await openDatabases(folder, new ManualClock(AT))
  const keys = await KeyStore.open({
    money: databases.money,
    dataDir: folder,
    clock: new ManualClock(AT),
    audit: () => undefined,
    ownerOf: () => undefined,
    onError: () => undefined,
  })
  const wanted = { account: 'default', name: 'new', scopes: ['read'], requestHash: 'the-same' }
  await keys.createKey(wanted, OWNER)
  await expect(keys.createKey(wanted, OWNER)).rejects.toThrow('UNIQUE constraint failed: api_key.request_hash')
  expect(keys.list()).toHaveLength(1)
  await keys.close()
  await databases.close()
  rmSync(folder, { recursive: true })
})
