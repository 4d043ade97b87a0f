import { expect, test, vi } from 'vitest'
import { Refusal } from '../../kernel/errors.ts'
import type { AnyOperation } from '../operation.ts'
import type { Visit } from '../visit.ts'
import { onlyOnce } from './idempotency.ts'

/** What is noted of a named request that fails with the code, or whose answer can't be kept. */
async function noted(code: 'validation_failed' | 'overloaded' | 'account_stopped' | 'unkept', isResumed: boolean) {
  const giveUp = vi.fn(() => Promise.resolve())
  const finish = vi.fn(() => Promise.reject(new Refusal('overloaded', 'too much waits')))
  const begin = (request: never) =>
    Promise.resolve({ kind: 'new' as const, request, intent: { tag: 'idm_1', isResumed } })
  const visit = { headers: { 'idempotency-key': 'k' }, caller: { account: 'a' }, apiKey: '', answerHeaders: {} }
  const act = () =>
    code === 'unkept' ? Promise.resolve({ orderid: '1' }) : Promise.reject(new Refusal(code, 'it failed'))
  const answer = onlyOnce({ begin: begin as never, finish, giveUp })(
    visit as unknown as Visit,
    { name: 'splitorder', access: 'trade' } as AnyOperation,
    {},
    act,
  )
  await expect(answer).rejects.toMatchObject({ code: code === 'unkept' ? 'overloaded' : code })
  return giveUp.mock.calls.map((call: readonly unknown[]) => call[1])
}

// `true` leaves the request begun, so that a retry looks for its orders; `false` forgets it.
test.each([
  ['validation_failed', false, [false]],
  ['validation_failed', true, [true]],
  ['overloaded', false, [true]],
  ['account_stopped', false, [true]],
  ['unkept', false, []],
] as const)(
  'a request that ends with %s, resumed %s, is forgotten only when nothing was sent',
  async (code, isResumed, calls) => {
    expect(await noted(code, isResumed)).toEqual(calls)
  },
)
