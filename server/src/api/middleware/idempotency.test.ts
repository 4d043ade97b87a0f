import { expect, test, vi } from 'vitest'
import { Refusal, type RefusalCode } from '../../kernel/errors.ts'
import type { FirstAnswer } from '../../trading/flow/idempotency.ts'
import type { AnyOperation } from '../operation.ts'
import type { Visit } from '../visit.ts'
import { onlyOnce } from './idempotency.ts'

const KEPT: FirstAnswer = { kind: 'answer', body: { orderid: '7' } }

interface Course {
  /** What the operation throws; undefined when it answers. */
  readonly thrown?: Refusal
  /** Its answer was given to the venue's commit. */
  readonly isKept?: boolean
  /** The commit of its own that keeps the answer fails. */
  readonly isUnkept?: boolean
}

/** A named request on that course: what it is answered with, what is kept of it, and how often its name is released. */
async function asked({ thrown, isKept = false, isUnkept = false }: Course) {
  const written: FirstAnswer[] = []
  const finish = (first: FirstAnswer): Promise<FirstAnswer> => {
    if (isKept) return Promise.resolve(KEPT)
    if (isUnkept) return Promise.reject(new Refusal('overloaded', 'too much waits'))
    written.push(first)
    return Promise.resolve(first)
  }
  const release = vi.fn()
  const intent = { finish, release, kept: isKept ? KEPT : undefined }
  const begin = (): never => ({ kind: 'new', intent }) as never
  const visit = { headers: { 'idempotency-key': 'k' }, caller: { account: 'a' }, apiKey: '', answerHeaders: {} }
  const act = () => (thrown === undefined ? Promise.resolve({ orderid: '1' }) : Promise.reject(thrown))
  const operation = { name: 'splitorder', access: 'trade' } as AnyOperation
  const answer = await Promise.resolve(onlyOnce({ begin })(visit as unknown as Visit, operation, {}, act)).catch(
    (error: Refusal) => error.code,
  )
  return { answer, written, released: release.mock.calls.length, headers: visit.answerHeaders }
}

const refusal = (code: RefusalCode, extra = {}): Refusal => new Refusal(code, 'it failed', { extra })

test.each([
  ['an answer is kept', {}, { orderid: '1' }, [{ kind: 'answer', body: { orderid: '1' } }]],
  ['an answer that its venue kept is told as it is on disk', { isKept: true }, { orderid: '7' }, []],
  ['an answer that can’t be kept is told to nobody', { isUnkept: true }, 'overloaded', []],
  ['what fails isn’t kept', { thrown: refusal('account_stopped') }, 'account_stopped', []],
  ['what validation refuses isn’t kept', { thrown: refusal('validation_failed') }, 'validation_failed', []],
  [
    'an answer whose commit fails is told to nobody',
    { thrown: refusal('account_stopped'), isKept: true },
    'account_stopped',
    [],
  ],
] as const)('%s, and the name is free again', async (_what, course, answer, written) => {
  expect(await asked(course)).toEqual({ answer, written, released: 1, headers: {} })
})

test.each([
  ['order_not_open', {}],
  ['risk_order_value', { orderid: '1' }],
  ['order_rejected', { trigger_id: '1' }],
] as const)(
  'a refusal that says how something stands, or left something behind, is the answer: %s',
  async (code, extra) => {
    const { answer, written } = await asked({ thrown: refusal(code, extra) })
    expect([answer, written]).toEqual([code, [{ kind: 'refusal', code, message: 'it failed', extra }]])
  },
)
