import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ManualClock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { DAY_MS } from '../../kernel/exchange-time.ts'
import { type Databases, openDatabases } from '../../storage/open.ts'
import { Idempotency, type NamedRequest, RETENTION_MS } from './idempotency.ts'

let folder = ''
let databases: Databases
let clock: ManualClock
let idempotency: Idempotency

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-names-'))
  clock = new ManualClock('2026-11-25T05:30:00Z')
  databases = await openDatabases(folder, clock)
  idempotency = open()
})
afterEach(async () => {
  await idempotency.close()
  await databases.close()
  rmSync(folder, { recursive: true })
})

const open = (): Idempotency =>
  new Idempotency({
    money: databases.money,
    clock,
    onError: (error) => {
      throw error
    },
  })

const named = (key: string, payload: object = { a: 1 }, account = 'acc_1'): NamedRequest => ({
  account,
  key,
  operation: 'placeorder',
  payload,
})
const ANSWER = { kind: 'answer', body: { orderid: '1' } } as const

async function codeOf(act: Promise<unknown>): Promise<string> {
  try {
    await act
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
  return ''
}

const count = async (): Promise<number> =>
  (await databases.money.kysely.selectFrom('idempotency').select('key').execute()).length

test('a name stands for one request of one account, whatever the order of its fields', async () => {
  expect(await idempotency.begin(named('k', { a: 1, b: { c: 2, d: [3] } }))).toMatchObject({ kind: 'new' })
  expect(await idempotency.begin(named('k', { a: 1 }, 'acc_2'))).toMatchObject({ kind: 'new' })
  await idempotency.finish(named('k', { a: 1, b: { c: 2, d: [3] } }), ANSWER)
  const again = named('k', { b: { d: [3], c: 2 }, a: 1 })
  expect(await idempotency.begin(again)).toEqual({ kind: 'replay', first: ANSWER })
  for (const other of [{ a: 1, b: { c: 2, d: [4] } }, { a: '1', b: { c: 2, d: [3] } }, { a: 1 }])
    expect(await codeOf(idempotency.begin(named('k', other)))).toBe('idempotency_key_reused')
  expect(await codeOf(idempotency.begin({ ...again, operation: 'cancelorder' }))).toBe('idempotency_key_reused')
})

test('what was begun and not answered is resumed by another process, under its tag', async () => {
  const begun = await idempotency.begin(named('k'))
  expect(await codeOf(idempotency.begin(named('k')))).toBe('request_running')
  await databases.money.writer.query('SELECT 1') // behind what begins it
  const next = open()
  const resumed = await next.begin(named('k'))
  expect(begun.kind === 'new' && begun.intent.isResumed).toBe(false)
  expect(resumed).toMatchObject({ kind: 'new', intent: { isResumed: true } })
  expect(resumed.kind === 'new' && begun.kind === 'new' && resumed.intent.tag === begun.intent.tag).toBe(true)
  await next.finish(named('k'), ANSWER)
  expect(await open().begin(named('k'))).toEqual({ kind: 'replay', first: ANSWER })
})

test('what came to nothing may be tried again; what nobody can tell is resumed', async () => {
  await idempotency.begin(named('nothing'))
  await idempotency.giveUp(named('nothing'), false)
  expect(await count()).toBe(0)
  expect(await idempotency.begin(named('nothing', { other: 1 }))).toMatchObject({ intent: { isResumed: false } })
  await idempotency.begin(named('unknown'))
  await idempotency.giveUp(named('unknown'), true)
  expect(await idempotency.begin(named('unknown'))).toMatchObject({ intent: { isResumed: true } })
})

test('an answer is kept for a day, and swept an hour later at the earliest', async () => {
  await idempotency.begin(named('k'))
  await idempotency.finish(named('k'), ANSWER)
  clock.advance(RETENTION_MS)
  expect(await idempotency.begin(named('k'))).toEqual({ kind: 'replay', first: ANSWER })
  await idempotency.sweep()
  expect(await count()).toBe(1)
  clock.advance(1)
  expect(await idempotency.tagOf('acc_1', 'k')).toBeUndefined()
  expect(await idempotency.begin(named('k', { other: 2 }))).toMatchObject({ intent: { isResumed: false } })
  await idempotency.finish(named('k', { other: 2 }), ANSWER)
  clock.advance(2 * DAY_MS)
  await idempotency.sweep()
  expect(await count()).toBe(0)
})
