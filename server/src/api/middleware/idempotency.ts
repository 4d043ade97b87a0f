import { Refusal, type RefusalCode } from '../../kernel/errors.ts'
import { keyInText } from '../../kernel/scrub.ts'
import {
  type FirstAnswer,
  IDEMPOTENCY_KEY_LENGTH_MAX,
  type Idempotency,
  keptRefusal,
  type NamedIntent,
} from '../../trading/flow/idempotency.ts'
import { inputRefusal } from '../errors.ts'
import type { AnyOperation } from '../operation.ts'
import type { Visit } from '../visit.ts'

/** Field of a body that names the request, for clients that can't send headers. */
export const CLIENT_ORDER_ID = 'client_order_id'
const REPLAYED = 'idempotent-replayed'
const KEY = /^[\x21-\x7e]+$/

/** Refusals that say how something stands, and would say so again; every other one may be tried again. */
const LASTING: ReadonlySet<RefusalCode> = new Set([
  'order_not_open',
  'order_not_found',
  'order_unchangeable',
  'gtt_not_found',
  'gtt_unchangeable',
])

/**
 * Does what was named once: the first answer is kept and given again. Undefined for a request without a name. What is
 * refused before anything was done isn't kept.
 */
export function onlyOnce(idempotency: Pick<Idempotency, 'begin'>) {
  return (visit: Visit, operation: AnyOperation, source: object, act: () => unknown): Promise<object> | undefined => {
    if (operation.access !== 'trade') return undefined
    const key = nameOf(visit, source)
    return key === undefined ? undefined : once(idempotency, visit, operation, source, key, act)
  }
}

async function once(
  idempotency: Pick<Idempotency, 'begin'>,
  visit: Visit,
  operation: AnyOperation,
  source: object,
  key: string,
  act: () => unknown,
): Promise<object> {
  const { apikey: _, [CLIENT_ORDER_ID]: __, ...payload } = source as Readonly<Record<string, unknown>>
  const { account } = visit.caller
  const begun = idempotency.begin({ account, key, operation: operation.name, payload })
  if (begun.kind === 'replay') {
    visit.answerHeaders[REPLAYED] = 'true'
    return told(begun.first)
  }
  const { intent } = begun
  visit.intent = intent
  try {
    // An answer that can't be kept is told to nobody: sent again, the request finds what it did
    return told(await intent.finish(await firstAnswer(intent, act)))
  } finally {
    intent.release()
  }
}

/** Throws what is no answer, and what the commit of the answer failed with. */
async function firstAnswer(intent: Pick<NamedIntent, 'kept'>, act: () => unknown): Promise<FirstAnswer> {
  try {
    return { kind: 'answer', body: (await act()) as object }
  } catch (error) {
    // With its answer kept, it failed at the commit, or it is that answer
    if (intent.kept === undefined && error instanceof Refusal && isAnswer(error)) return keptRefusal(error)
    throw error
  }
}

/** A refusal that left something behind, such as a rejected order, is the answer. */
const isAnswer = ({ code, extra }: Refusal): boolean => LASTING.has(code) || 'orderid' in extra || 'trigger_id' in extra

function told(first: FirstAnswer): object {
  if (first.kind === 'answer') return first.body
  const { code, message, extra } = first
  throw new Refusal(code, message, { extra })
}

function nameOf(visit: Visit, source: object): string | undefined {
  const inHeader = visit.headers['idempotency-key']
  const inBody = CLIENT_ORDER_ID in source ? source[CLIENT_ORDER_ID] : undefined
  const fromHeader = inHeader === undefined ? undefined : checked(inHeader, 'Idempotency-Key', visit)
  const fromBody =
    inBody === undefined || inBody === null || inBody === '' ? undefined : checked(inBody, CLIENT_ORDER_ID, visit)
  if (fromHeader !== undefined && fromBody !== undefined && fromHeader !== fromBody) {
    const message = `The header Idempotency-Key names the request "${fromHeader}". Send one name, or the same one twice. Got "${fromBody}".`
    throw inputRefusal([{ field: CLIENT_ORDER_ID, message }], visit.apiKey)
  }
  return fromHeader ?? fromBody
}

function checked(value: unknown, field: string, visit: Visit): string {
  const text = typeof value === 'number' ? String(value) : value
  const leak = typeof text === 'string' ? keyInText(text) : undefined
  if (leak !== undefined) throw inputRefusal([{ field, message: leak }], visit.apiKey) // it would be kept
  if (typeof text === 'string' && text.length <= IDEMPOTENCY_KEY_LENGTH_MAX && KEY.test(text)) return text
  const message = `Must be 1 to ${IDEMPOTENCY_KEY_LENGTH_MAX} visible ASCII characters without spaces.`
  throw inputRefusal([{ field, message }], visit.apiKey)
}
