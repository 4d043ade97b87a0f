import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ManualClock } from '../../kernel/clock.ts'
import { moneyOf } from '../../kernel/fixed.ts'
import { type Databases, openDatabases } from '../../storage/open.ts'
import { LimitStore } from './limit-store.ts'
import { decodeLimits } from './limits.ts'
import { parseScope, type RiskScope, scopeKey } from './scope.ts'

const ACTOR = { name: 'owner', address: '', requestId: '' }
const ACCOUNT: RiskScope = { kind: 'account', account: 'default' }
const clock = new ManualClock('2026-11-25T11:00:00+05:30')

let folder: string
let databases: Databases
const openStore = () =>
  LimitStore.open({
    money: databases.money,
    clock,
    audit: () => undefined,
    exchangeRules: () => false,
    isBound: () => true,
    onError: () => undefined,
  })
const reopened = async (): Promise<LimitStore> => {
  await databases.close()
  databases = await openDatabases(folder, clock)
  return openStore()
}
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-limits-'))
  databases = await openDatabases(folder, clock)
})
afterEach(async () => {
  await databases.close()
  rmSync(folder, { recursive: true })
})

test('what is set is there after a restart, what is cleared is gone', async () => {
  const store = await openStore()
  await store.set(ACCOUNT, { limits: { order_value: moneyOf(5), open_orders: 3 }, algoId: 'A1' }, ACTOR)
  await store.set(ACCOUNT, { limits: { open_orders: null } }, ACTOR)
  const again = await reopened()
  expect(again.rule(ACCOUNT)).toEqual({
    ...store.rule(ACCOUNT),
    limits: { order_value: 500 },
    algoId: 'A1',
    version: 2,
  })
  expect(again.effective('default', '', 's').account.numbers).toEqual({
    order_value: { value: 500, source: 'account default' },
  })
})

test('a halt holds before anything is on disk, and nothing that was asked for before ends it', async () => {
  const store = await openStore()
  await store.halt(ACCOUNT, { squareOff: false }, ACTOR)
  const released = store.release(ACCOUNT, ACTOR)
  const halted = store.halt(ACCOUNT, { squareOff: true }, ACTOR)
  expect(store.accountState('default')).toBe('halted')
  await Promise.all([released, halted])
  expect(store.accountState('default')).toBe('halted')
  expect((await reopened()).rule(ACCOUNT)).toMatchObject({ state: 'halted', sweep: { squareOff: true } })
})

test('a state that is set meanwhile doesn’t end a halt', async () => {
  const store = await openStore()
  const set = store.set(ACCOUNT, { state: 'reduce_only', limits: { open_orders: 1 } }, ACTOR)
  const halted = store.halt(ACCOUNT, { squareOff: false }, ACTOR)
  await Promise.allSettled([set, halted])
  expect(store.accountState('default')).toBe('halted')
  await expect(store.set(ACCOUNT, { state: 'active' }, ACTOR)).rejects.toMatchObject({ code: 'risk_halted' })
  expect((await reopened()).accountState('default')).toBe('halted')
})

test('what a sweep has done isn’t done again; the halt stays', async () => {
  const store = await openStore()
  await store.halt(ACCOUNT, { squareOff: false }, ACTOR)
  await store.swept(ACCOUNT)
  expect((await reopened()).rule(ACCOUNT)).toMatchObject({ state: 'halted', sweep: undefined, version: 1 })
})

test('a release of what isn’t halted says so', async () => {
  const store = await openStore()
  await expect(store.release(ACCOUNT, ACTOR)).rejects.toMatchObject({ code: 'not_found' })
})

test('when the file can’t be written the store is in doubt', async () => {
  const store = await openStore()
  const { kysely, writer, compile } = databases.money
  await writer.write([compile(kysely.schema.dropTable('risk_rule'))])
  await expect(store.set(ACCOUNT, { limits: { open_orders: 1 } }, ACTOR)).rejects.toThrow()
  expect((await openStore()).doubt).toContain('risk_rule')
})

test.each([
  ['no JSON', '{'],
  ['a list', '[]'],
  ['an unknown limit', '{"order_valu":1}'],
  ['text for a number', '{"order_value":"1"}'],
  ['a fraction', '{"order_value":1.5}'],
  ['less than nothing', '{"order_value":-1}'],
  ['an unknown exchange', '{"exchanges":["NYSE"]}'],
  ['an empty list', '{"exchanges":[]}'],
  ['a window that ends before it begins', '{"trading_windows":[{"fromMinute":9,"toMinute":8}]}'],
])('limits that are %s aren’t read as anything else', (_, text) => {
  expect(decodeLimits(text)).toBeUndefined()
})

test.each<RiskScope>([
  { kind: 'instance' },
  ACCOUNT,
  { kind: 'key', keyId: 'key_1' },
  { kind: 'strategy', account: 'default', strategy: '' },
  { kind: 'strategy', account: 'default', strategy: 'a:b c' },
])('a scope is read as it was written: %o', (scope) => {
  expect(parseScope(scopeKey(scope))).toEqual(scope)
})
