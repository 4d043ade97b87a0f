import Type from 'typebox'
import { Refusal } from '../../kernel/errors.ts'
import { APPROVAL_STATUSES, type Approval, REASON_LENGTH_MAX } from '../../trading/approvals.ts'
import { choice, integer, text } from '../field.ts'
import { type Context, defineOperation } from '../operation.ts'
import type { Services } from '../services.ts'
import { actorOf, instantOrNull, instantOut, success, textOrNull } from './caller.ts'
import { belowOf, cursorOf, paging } from './paging.ts'

const approvalOut = {
  account: Type.String(),
  action: Type.String(),
  created_at: instantOut,
  decided_at: instantOrNull,
  decided_by: textOrNull,
  exchange: Type.String(),
  expires_at: instantOut,
  id: Type.Integer(),
  key_id: Type.String(),
  operation: Type.String(),
  orderids: Type.Array(Type.String()),
  price: Type.String(),
  price_type: Type.String(),
  product_type: Type.String(),
  quantity: Type.String(),
  reason: Type.String({ description: 'Why it was rejected, or failed.' }),
  request: Type.Unknown({ description: 'The fields as they were sent, without the key.' }),
  request_id: Type.String(),
  status: Type.String(),
  strategy: Type.String(),
  symbol: Type.String(),
  trigger_price: Type.String(),
}

function shownApproval(approval: Approval) {
  const field = (name: string): string => {
    const value = approval.input[name]
    return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
  }
  return {
    account: approval.account,
    action: field('action').toUpperCase(),
    created_at: approval.createdAt,
    decided_at: approval.decidedAt ?? null,
    decided_by: approval.decidedBy ?? null,
    exchange: field('exchange'),
    expires_at: approval.expiresAt,
    id: approval.id,
    key_id: approval.keyId,
    operation: approval.operation,
    orderids: [...approval.orderIds],
    price: field('price'),
    price_type: field('pricetype'),
    product_type: field('product'),
    quantity: field('quantity'),
    reason: approval.reason,
    request: approval.input,
    request_id: approval.requestId,
    status: approval.status,
    strategy: field('strategy'),
    symbol: field('symbol'),
    trigger_price: field('trigger_price'),
  }
}

export const approvals = defineOperation({
  name: 'approvals',
  method: 'GET',
  tag: 'Approvals',
  summary: 'Orders that wait for a person, and those that did',
  description:
    'Of the account, newest first. In semi-automatic mode, orders sent by key wait here until a person approves or rejects them, or they expire.',
  access: 'read',
  rateClass: 'read',
  input: {
    ...paging,
    status: choice([...APPROVAL_STATUSES, 'all'], { description: 'Only in this state.' }).optional('all', 'all'),
  },
  output: Type.Object({
    data: Type.Array(Type.Object(approvalOut)),
    next_cursor: textOrNull,
    statistics: Type.Object({
      total_executed: Type.Integer(),
      total_executing: Type.Integer(),
      total_expired: Type.Integer(),
      total_failed: Type.Integer(),
      total_pending: Type.Integer(),
      total_rejected: Type.Integer(),
    }),
    status: success,
  }),
  example: { status: 'pending' },
  async handle({ limit, cursor, status }, { account, services }) {
    const filter = { account, status: status === 'all' ? undefined : status }
    const found = await services.approvals.list(filter, limit, belowOf(cursor))
    const counts = services.approvals.counts(account)
    return {
      data: found.map(shownApproval),
      next_cursor: cursorOf(found.length === limit ? found.at(-1)?.id : undefined),
      statistics: {
        total_executed: counts.executed,
        total_executing: counts.executing,
        total_expired: counts.expired,
        total_failed: counts.failed,
        total_pending: counts.pending,
        total_rejected: counts.rejected,
      },
      status: 'success' as const,
    }
  },
})

/** Throws role_missing. */
function requireDecider({ caller }: Context): void {
  if (!caller.scopes.has('trade'))
    throw new Refusal('role_missing', `The role ${caller.role} may not decide on orders: it needs the right to trade.`)
}

/** Throws not_found unless the approval is of an account of the caller's, or the caller an admin; role_missing. */
async function requireOwn(context: Context, id: number): Promise<void> {
  requireDecider(context)
  const approval = await context.services.approvals.find(id)
  if (approval === undefined || !mayDecide(approval, context))
    throw new Refusal('not_found', `There is no approval ${id}.`)
}

const mayDecide = ({ account }: Approval, { caller, services }: Pick<Context, 'caller' | 'services'>): boolean =>
  caller.role === 'admin' || services.accounts.find(account)?.userId === caller.userId

/**
 * What one call sends at most, as many orders as a basket has: the budget of its user is in debt for so many only, and
 * isn't used up when an order has to be cancelled in a hurry.
 */
const SENT_ORDERS_MAX = 100

/** The oldest that wait, as far as one call goes, and how many orders they ask for. */
function firstWaiting(
  { approvals }: Services,
  account: string,
): { readonly sent: Approval[]; readonly orders: number } {
  const sent: Approval[] = []
  let orders = 0
  for (const approval of approvals.waiting(account)) {
    const more = approvals.ordersIn(approval)
    if (sent.length > 0 && orders + more > SENT_ORDERS_MAX) break
    sent.push(approval)
    orders += more
  }
  return { sent, orders }
}

const id = integer({
  min: 1,
  description: 'As approvals lists it, which is empty until an account in semi_auto mode has had an order by key.',
  example: 1,
})
const decided = Type.Object({
  data: Type.Object(approvalOut),
  message: Type.String(),
  status: success,
})
const messageOf = ({ status, reason }: Approval): string =>
  status === 'executed' ? 'Order approved and executed successfully' : `Order approved but execution failed: ${reason}`

export const approvalsapprove = defineOperation({
  name: 'approvals/approve',
  method: 'POST',
  tag: 'Approvals',
  summary: 'Send an order that waits',
  description:
    'Executes it once, however often and by however many it is approved. `data.status` is `executed`, or `failed` with the reason. It costs as much of the limit on orders as it sends.',
  access: 'session',
  rateClass: 'order',
  cost(input, asked) {
    const approval = asked.services.approvals.live(input.id)
    return approval !== undefined && mayDecide(approval, asked) ? asked.services.approvals.ordersIn(approval) : 1
  },
  input: { id },
  output: decided,
  example: { id: 1 },
  refusals: ['not_found', 'approval_decided', 'risk_halted'],
  async handle(input, context) {
    await requireOwn(context, input.id)
    const approval = await context.services.approvals.approve(input.id, actorOf(context))
    return { data: shownApproval(approval), message: messageOf(approval), status: 'success' as const }
  },
})

export const approvalsreject = defineOperation({
  name: 'approvals/reject',
  method: 'POST',
  tag: 'Approvals',
  summary: 'Refuse an order that waits',
  description: 'It is never sent.',
  access: 'session',
  rateClass: 'order',
  input: {
    id,
    reason: text({ max: REASON_LENGTH_MAX, description: 'For whoever asked.' }).optional('No reason provided'),
  },
  output: decided,
  example: { id: 1, reason: 'The market has moved.' },
  refusals: ['not_found', 'approval_decided'],
  async handle(input, context) {
    await requireOwn(context, input.id)
    const approval = await context.services.approvals.reject(input.id, input.reason, actorOf(context))
    return { data: shownApproval(approval), message: 'Order rejected', status: 'success' as const }
  },
})

export const approvalsapproveall = defineOperation({
  name: 'approvals/approve-all',
  method: 'POST',
  tag: 'Approvals',
  summary: 'Send every order of the account that waits',
  description:
    'One after the other, oldest first. Those that failed are named with the reason. It costs as much of the limit on orders as it sends, as a basket does: when the limit does not let all of it through, nothing is sent, and the answer is 429 with the time to wait. One call sends 100 orders at most; `still_waiting` names what is left for the next one.',
  access: 'session',
  rateClass: 'order',
  cost: (_input, { account, services }) => firstWaiting(services, account).orders,
  input: {},
  output: Type.Object({
    approved_count: Type.Integer(),
    executed_count: Type.Integer(),
    failed_executions: Type.Array(Type.Object({ error: Type.String(), order_id: Type.Integer() })),
    message: Type.String(),
    status: success,
    still_waiting: Type.Array(Type.Integer(), { description: 'Ids, oldest first.' }),
  }),
  example: {},
  async handle(_input, context) {
    requireDecider(context)
    const { services, account } = context
    const failed: { error: string; order_id: number }[] = []
    let executed = 0
    for (const { id: waiting } of firstWaiting(services, account).sent) {
      try {
        const approval = await services.approvals.approve(waiting, actorOf(context))
        if (approval.status === 'executed') executed += 1
        else failed.push({ error: approval.reason, order_id: waiting })
      } catch (error) {
        // Somebody else decided it meanwhile, or it expired
        if (!(error instanceof Refusal && error.code === 'approval_decided')) throw error
      }
    }
    const approved = executed + failed.length
    return {
      approved_count: approved,
      executed_count: executed,
      failed_executions: failed,
      message: approved === 0 ? 'No orders wait for approval' : `Approved ${approved} orders, executed ${executed}`,
      status: 'success' as const,
      still_waiting: services.approvals.waiting(account).map(({ id }) => id),
    }
  },
})
