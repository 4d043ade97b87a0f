import { type Caller, NOBODY } from '../identity/caller.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Approval } from '../trading/approvals.ts'
import { errorReply, inputRefusal, replyBody } from './errors.ts'
import { FieldProblem } from './field-type.ts'
import { objectDecoder } from './nested-fields.ts'
import type { AnyOperation } from './operation.ts'
import type { OperationOutcome } from './pipeline.ts'
import type { Services } from './services.ts'
import { Visit } from './visit.ts'

export interface ApprovedOptions {
  readonly operations: readonly AnyOperation[]
  readonly services: () => Services
  readonly clock: Clock
  /** The key as it is now; undefined when it may do nothing any more. */
  readonly keyCaller: (keyId: string) => Caller | undefined
  /** Told what came of it, as of any other request. */
  readonly tellOutcome: (visit: Visit, operation: AnyOperation, source: object, outcome: OperationOutcome) => void
}

/**
 * Does what waited for approval: the same operation, with the same fields, read again. A key that was revoked or whose
 * user may not trade any more takes its waiting orders with it.
 */
export function approvedOperations(options: ApprovedOptions) {
  const { operations, services, clock, keyCaller, tellOutcome } = options
  const decoders = decodersOf(operations)
  return async (approval: Approval, orderTag: string): Promise<readonly string[]> => {
    const found = decoders.get(approval.operation)
    if (found === undefined) throw new Refusal('not_found', `There is no operation "${approval.operation}" any more.`)
    const caller = keyCaller(approval.keyId)
    if (caller === undefined || caller.account !== approval.account || !mayTrade(caller))
      throw new Refusal('api_key_invalid', `Key ${approval.keyId}, which asked for this order, may not trade any more.`)
    const { operation, decode } = found
    const visit = visitOf(approval, clock)
    visit.caller = caller
    try {
      const input = decode(approval.input, [])
      if (input instanceof FieldProblem) throw inputRefusal(input.errors, '')
      const context = { caller, account: approval.account, visit, now: visit.at, orderTag, services: services() }
      const body = await operation.handle(input, context)
      tellOutcome(visit, operation, approval.input, { status: 200, code: '', body })
      return orderIdsOf(body)
    } catch (error) {
      const reply = errorReply(error, visit.id, operation.refusalStatus)
      const { status, code } = reply
      tellOutcome(visit, operation, approval.input, { status, code, body: replyBody(reply, visit.id) })
      throw error
    }
  }
}

/** Counts the orders that an approval asks for, as the limit on orders does; those that can't be read any more are one. */
export function ordersOfApproval(operations: readonly AnyOperation[], services: () => Services) {
  const decoders = decodersOf(operations)
  return ({ operation: name, account, input: source }: Approval): number => {
    const { operation, decode } = decoders.get(name) ?? {}
    if (operation?.cost === undefined || decode === undefined) return 1
    const input = decode(source, [])
    if (input instanceof FieldProblem) return 1
    return operation.cost(input as never, { caller: NOBODY, account, services: services() })
  }
}

/** Of the operations that may wait. */
const decodersOf = (operations: readonly AnyOperation[]) =>
  new Map(
    operations
      .filter(({ inSemiAuto }) => inSemiAuto === 'queue')
      .map((operation) => {
        const rules = { ignored: operation.ignored ?? {}, check: operation.check?.bind(operation) }
        return [operation.name, { operation, decode: objectDecoder(operation.input, rules) }] as const
      }),
  )

const mayTrade = ({ scopes }: Caller): boolean => scopes.has('trade') || scopes.has('admin')

const visitOf = (approval: Approval, clock: Clock): Visit =>
  new Visit({
    id: approval.requestId,
    at: clock.now(),
    elapsedMs: () => clock.elapsedMs(),
    method: 'POST',
    url: `/api/v1/${approval.operation}`,
    headers: {},
    address: '',
  })

/** Ids in an answer: `orderid` or `trigger_id`, or those of its `results`, whose pieces are in `split_results`. */
function orderIdsOf(answer: unknown): readonly string[] {
  if (typeof answer !== 'object' || answer === null) return []
  const { orderid, trigger_id: triggerId, results, split_results: pieces } = answer as Readonly<Record<string, unknown>>
  if (typeof orderid === 'string') return [orderid]
  if (typeof triggerId === 'string') return [triggerId]
  return [results, pieces].flatMap((rows) => (Array.isArray(rows) ? rows.flatMap(orderIdsOf) : []))
}
