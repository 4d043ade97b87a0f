import type { GttReport } from '../brokers/gtt.ts'
import type { OrderReport } from '../brokers/venue.ts'
import type { ApprovalTable } from '../storage/schema.ts'

/**
 * `pending` waits for a person. `executing` is on its way, and how far it came is found out after a crash. The others are
 * final: `executed`, `failed` (the venue or a check said no), `rejected` by a person, `expired` undecided.
 */
export const APPROVAL_STATUSES = ['pending', 'executing', 'executed', 'failed', 'rejected', 'expired'] as const
export type ApprovalStatus = (typeof APPROVAL_STATUSES)[number]

export interface Approval {
  readonly id: number
  readonly account: string
  readonly operation: string
  /** Fields of the request, without the key. */
  readonly input: Readonly<Record<string, unknown>>
  readonly keyId: string
  readonly requestId: string
  readonly intent?: string | undefined
  readonly status: ApprovalStatus
  readonly createdAt: number
  readonly expiresAt: number
  readonly decidedAt: number | undefined
  readonly decidedBy: string | undefined
  /** Why it was rejected, failed, or was carried out in part only; empty otherwise. */
  readonly reason: string
  readonly orderIds: readonly string[]
}

export interface NewApproval {
  readonly account: string
  readonly operation: string
  readonly input: Readonly<Record<string, unknown>>
  readonly keyId: string
  readonly requestId: string
  /** Tag of the request that its client named. */
  readonly intent?: string | undefined
}

/** What orders of an approval carry at their venue. */
export const tagOf = (id: number): string => `apv-${id}`

/** An order at its venue, as far as it tells of the approval that it comes from. */
export type TaggedOrder = Pick<OrderReport | GttReport, 'id' | 'status' | 'reason'>

/** What its orders tell of an approval; undefined when there are none. */
export function outcomeOf(
  orders: readonly TaggedOrder[],
): Pick<Approval, 'status' | 'orderIds' | 'reason'> | undefined {
  const [first] = orders
  if (first === undefined) return undefined
  const isFailed = orders.every(({ status }) => status === 'rejected')
  return {
    status: isFailed ? 'failed' : 'executed',
    orderIds: orders.map(({ id }) => id),
    reason: isFailed ? first.reason : '',
  }
}

/** What of an approval every row of the audit log has. */
export const auditedSubject = ({ id, account, operation }: Approval) => ({
  target: String(id),
  detail: { account, operation },
})

/** What the audit log says of how it ended, or that it waits again. */
export function auditedEnd(approval: Approval) {
  const { status, orderIds, reason } = approval
  const { target, detail } = auditedSubject(approval)
  return {
    action: `approval.${status === 'pending' ? 'waiting_again' : status}`,
    target,
    detail: {
      ...detail,
      ...(orderIds.length > 0 ? { orderids: orderIds } : {}),
      ...(reason === '' ? {} : { reason }),
      // What the venue said no to, it keeps as an order
      ...(status === 'failed' ? { refused_by: orderIds.length > 0 ? 'venue' : 'sauda' } : {}),
    },
  }
}

export function statusOf(text: string): ApprovalStatus {
  const status = APPROVAL_STATUSES.find((each) => each === text)
  if (status === undefined) throw new Error(`money.db: an approval has the status "${text}", which isn't known`)
  return status
}

export const approvalOf = (row: ApprovalTable): Approval => ({
  id: row.id,
  account: row.account,
  operation: row.operation,
  input: JSON.parse(row.input) as Record<string, unknown>,
  keyId: row.key_id,
  requestId: row.request_id,
  intent: row.intent ?? undefined,
  status: statusOf(row.status),
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  decidedAt: row.decided_at ?? undefined,
  decidedBy: row.decided_by ?? undefined,
  reason: row.reason,
  orderIds: row.order_ids === '' ? [] : row.order_ids.split(','),
})

export const rowOf = (approval: Approval): ApprovalTable => ({
  id: approval.id,
  account: approval.account,
  operation: approval.operation,
  input: JSON.stringify(approval.input),
  key_id: approval.keyId,
  request_id: approval.requestId,
  intent: approval.intent ?? null,
  status: approval.status,
  created_at: approval.createdAt,
  expires_at: approval.expiresAt,
  decided_at: approval.decidedAt ?? null,
  decided_by: approval.decidedBy ?? null,
  reason: approval.reason,
  order_ids: approval.orderIds.join(','),
})
