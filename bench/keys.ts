import { randomBytes } from 'node:crypto'
import { OWNER } from '../server/src/identity/audit.ts'
import { KeyStore } from '../server/src/identity/key-store.ts'
import { systemClock } from '../server/src/kernel/clock.ts'
import { openDatabases } from '../server/src/storage/open.ts'

const CHECKS = 300_000

export interface KeyTimes {
  readonly oneNs: number
  readonly thousandNs: number
  readonly unknownNs: number
}

/** What checking a key costs: the only one, one of a thousand, and one that doesn't exist. */
export async function keyTimes(folder: string): Promise<KeyTimes> {
  const databases = await openDatabases(folder, systemClock)
  const fail = (error: unknown): never => {
    throw error
  }
  const keys = await KeyStore.open({
    money: databases.money,
    dataDir: folder,
    clock: systemClock,
    audit: () => undefined,
    ownerOf: () => undefined,
    onError: fail,
  })
  const texts: string[] = []
  const create = async (count: number) => {
    while (texts.length < count) {
      const wanted = { account: 'default', name: `key ${texts.length}`, scopes: ['read'] }
      texts.push((await keys.createKey(wanted, OWNER)).text)
    }
  }
  const unknown = Array.from({ length: 1_000 }, () => `sk_${randomBytes(32).toString('base64url')}`)
  await create(1)
  time(keys, texts)
  const oneNs = time(keys, texts)
  await create(1_000)
  const thousandNs = Math.min(time(keys, texts), time(keys, texts))
  const unknownNs = Math.min(time(keys, unknown), time(keys, unknown))
  await keys.close()
  await databases.close()
  return { oneNs, thousandNs, unknownNs }
}

function time(keys: KeyStore, texts: readonly string[]): number {
  const startedAt = performance.now()
  for (let index = 0; index < CHECKS; index += 1) keys.check(texts[index % texts.length] ?? '', 0)
  return ((performance.now() - startedAt) * 1e6) / CHECKS
}
