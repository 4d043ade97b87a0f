import type { OrderMode } from '../../identity/accounts.ts'
import { Refusal } from '../../kernel/errors.ts'
import { scrub } from '../../kernel/scrub.ts'
import type { Approval, Approvals, NewApproval } from '../../trading/approvals.ts'
import type { Intent } from '../../trading/flow/intent.ts'
import type { AnyOperation, InSemiAuto } from '../operation.ts'
import type { Services } from '../services.ts'
import type { Visit } from '../visit.ts'
import { CLIENT_ORDER_ID } from './idempotency.ts'

export interface HoldOptions {
  /** Of an account that isn't known, `semi_auto`. */
  readonly orderMode: (account: string) => OrderMode
  /** Resolves when it is on disk, in one commit with what belongs alongside. */
  readonly queue: Approvals['queue']
  readonly services: () => Services
}

/** An operation that nobody decided about. */
const UNDECIDED: InSemiAuto = {
  refuse: 'This operation is not allowed in Semi-Auto mode. Please switch to Auto mode to use it.',
}

/**
 * In an account that is in semi-automatic mode, what is asked for by key waits for a person, or is refused, as the
 * operation says. By now it has been found right in every part, so that nobody is asked about an order that can't be.
 */
export function holdForApproval({ orderMode, queue, services }: HoldOptions) {
  return (visit: Visit, operation: AnyOperation, input: object, source: object): Promise<object> | undefined => {
    const inSemiAuto = operation.inSemiAuto ?? (operation.access === 'trade' ? UNDECIDED : undefined)
    const { caller } = visit
    if (
      inSemiAuto === undefined ||
      inSemiAuto === 'do' ||
      caller.kind !== 'key' ||
      orderMode(caller.account) === 'auto'
    )
      return undefined
    if (inSemiAuto !== 'queue') throw new Refusal('semi_auto', inSemiAuto.refuse)
    const { intent } = visit
    // Begun in automatic mode: its orders may be there, and a person would let them be sent once more
    if (intent?.isResumed === true) return undefined
    operation.beforeQueue?.(input as never, caller.account, services())
    const { apikey: _, [CLIENT_ORDER_ID]: __, ...fields } = source as Readonly<Record<string, unknown>>
    const wanted: NewApproval = {
      account: caller.account,
      operation: operation.name,
      input: scrub(fields) as Readonly<Record<string, unknown>>, // another key may stand anywhere in them
      keyId: caller.keyId ?? '',
      requestId: visit.id,
      intent: intent?.tag,
    }
    return queued(queue(wanted, intent && keepingHeld(intent)))
  }
}

const queued = async (queueing: Promise<Approval>): Promise<object> => held((await queueing).id)

const keepingHeld = (intent: Intent) => (id: number) => intent.keep(() => held(id))

const held = (id: number) => ({
  message: 'Order queued for approval in Action Center',
  mode: 'semi_auto',
  pending_order_id: id,
  status: 'success',
})
