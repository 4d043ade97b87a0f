import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ManualClock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { DAY_MS } from '../../kernel/exchange-time.ts'
import { type Databases, openDatabases } from '../../storage/open.ts'
import type { Statement } from '../../storage/writer.ts'
import { Idempotency, type NamedIntent, type NamedRequest, RETENTION_MS } from './idempotency.ts'

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

/** Takes a name that is free, or was begun. */
function take(request: NamedRequest, by = idempotency): NamedIntent {
  const begun = by.begin(request)
  if (begun.kind === 'new') return begun.intent
  throw new Error(`"${request.key}" was answered before`)
}
/** Does nothing, and answers. */
async function answer(request: NamedRequest, by = idempotency): Promise<void> {
  const intent = take(request, by)
  await intent.finish(ANSWER)
  intent.release()
}

function codeOf(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
  return ''
}

const count = async (): Promise<number> =>
  (await databases.money.kysely.selectFrom('idempotency').select('key').execute()).length
const commit = (...statements: Statement[]): Promise<void> => databases.money.writer.write(statements)
const MISSING_TABLE: Statement = { sql: 'INSERT INTO nowhere VALUES (1)', parameters: [] }

test('a name stands for one request of one account, whatever the order of its fields', async () => {
  const intent = take(named('k', { a: 1, b: { c: 2, d: [3] } }))
  take(named('k', { a: 1 }, 'acc_2'))
  await intent.finish(ANSWER)
  intent.release()
  const again = named('k', { b: { d: [3], c: 2 }, a: 1 })
  expect(idempotency.begin(again)).toEqual({ kind: 'replay', first: ANSWER })
  for (const other of [{ a: 1, b: { c: 2, d: [4] } }, { a: '1', b: { c: 2, d: [3] } }, { a: 1 }])
    expect(codeOf(() => idempotency.begin(named('k', other)))).toBe('idempotency_key_reused')
  expect(codeOf(() => idempotency.begin({ ...again, operation: 'cancelorder' }))).toBe('idempotency_key_reused')
})

test('nothing is written for a name that is taken, and only one has it at a time', async () => {
  const intent = take(named('k'))
  expect([intent.isResumed, intent.work, await count()]).toEqual([false, undefined, 0])
  expect(codeOf(() => idempotency.begin(named('k')))).toBe('request_running')
  expect(codeOf(() => idempotency.begin(named('k', { other: 1 })))).toBe('idempotency_key_reused')
  intent.release()
  expect(take(named('k', { other: 1 }))).toMatchObject({ isResumed: false })
})

describe('an answer that is kept', () => {
  test('is on disk with the commit that it was given to, and not written again', async () => {
    const intent = take(named('k'))
    await commit(intent.keep(() => ANSWER.body))
    expect(await intent.finish({ kind: 'answer', body: { orderid: 'another' } })).toEqual(ANSWER)
    expect(open().begin(named('k'))).toEqual({ kind: 'replay', first: ANSWER })
  })

  test('is not there when that commit fails', async () => {
    const intent = take(named('k'))
    await expect(
      commit(
        MISSING_TABLE,
        intent.keep(() => ANSWER.body),
      ),
    ).rejects.toThrow('nowhere')
    expect(await count()).toBe(0)
    intent.release()
    expect(take(named('k'))).toMatchObject({ isResumed: false })
  })

  test('may be a refusal, which keeps its code', async () => {
    const intent = take(named('k'))
    const extra = { orderid: '1', mode: 'analyze' }
    await commit(
      intent.keep(() => {
        throw new Refusal('risk_order_value', 'too much', { extra })
      }),
    )
    const first = { kind: 'refusal', code: 'risk_order_value', message: 'too much', extra }
    expect(open().begin(named('k'))).toEqual({ kind: 'replay', first })
  })

  test('that can’t be worded leaves the request begun: what was done isn’t done again', async () => {
    const intent = take(named('k'))
    const broken = (): never => {
      throw new Error('a bug')
    }
    await commit(intent.keep(broken))
    expect([intent.kept, await count()]).toEqual([undefined, 1])
    expect(take(named('k'), open())).toMatchObject({ isResumed: true, tag: intent.tag, work: {} })
  })
})

test('what was begun and not answered is resumed by another process, under its tag and with its work', async () => {
  const intent = take(named('k'))
  const work = { cancels: ['1', '2'], denied: { 0: 'risk_halted' } } as const
  await intent.begin(work)
  expect(codeOf(() => idempotency.begin(named('k')))).toBe('request_running')
  const next = open()
  expect(codeOf(() => next.begin(named('k', { other: 1 })))).toBe('idempotency_key_reused')
  const resumed = take(named('k'), next)
  expect(resumed).toMatchObject({ isResumed: true, tag: intent.tag, work })
  await resumed.finish(ANSWER)
  expect(open().begin(named('k'))).toEqual({ kind: 'replay', first: ANSWER })
  const rows = await databases.money.kysely.selectFrom('idempotency').select(['status', 'work']).execute()
  expect(rows).toEqual([{ status: 200, work: null }])
})

test('an answer is kept for a day, and swept an hour later at the earliest', async () => {
  const intent = take(named('k'))
  await intent.begin({})
  clock.advance(DAY_MS / 2)
  await intent.finish(ANSWER)
  intent.release()
  clock.advance(RETENTION_MS)
  expect(idempotency.begin(named('k'))).toEqual({ kind: 'replay', first: ANSWER })
  await idempotency.sweep()
  expect(await count()).toBe(1)
  clock.advance(1)
  expect(idempotency.tagOf('acc_1', 'k')).toBeUndefined()
  await answer(named('k', { other: 2 }))
  clock.advance(2 * DAY_MS)
  await idempotency.sweep()
  expect(await count()).toBe(0)
})
