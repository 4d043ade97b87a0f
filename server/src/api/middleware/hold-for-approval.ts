import type { OrderMode } from '../../identity/accounts.ts'
import { Refusal } from '../../kernel/errors.ts'
import type { Approval, NewApproval } from '../../trading/approvals.ts'
import type { AnyOperation } from '../operation.ts'
import type { Visit } from '../visit.ts'

export interface HoldOptions {
  /** Of an account that isn't known, `semi_auto`. */
  readonly orderMode: (account: string) => OrderMode
  readonly queue: (wanted: NewApproval) => Promise<Approval>
}

/**
 * In an account that is in semi-automatic mode, what is asked for by key waits for a person, or is refused, as the
 * operation says. By now it has been found right in every part, so that nobody is asked about an order that can't be.
 */
export function holdForApproval({ orderMode, queue }: HoldOptions) {
  return (visit: Visit, operation: AnyOperation, _input: object, source: object): Promise<object> | undefined => {
    const { inSemiAuto } = operation
    const { caller } = visit
    if (inSemiAuto === undefined || caller.kind !== 'key' || orderMode(caller.account) === 'auto') return undefined
    if (inSemiAuto !== 'queue') throw new Refusal('semi_auto', inSemiAuto.refuse)
    const { apikey: _, ...input } = source as Readonly<Record<string, unknown>>
    const wanted: NewApproval = {
      account: caller.account,
      operation: operation.name,
      input,
      keyId: caller.keyId ?? '',
      requestId: visit.id,
    }
    return queue(wanted).then(({ id }) => ({
      message: 'Order queued for approval in Action Center',
      mode: 'semi_auto',
      pending_order_id: id,
      status: 'success',
    }))
  }
}
