import Type, { type Static, type TSchema } from 'typebox'
import { toNumber } from '../../kernel/fixed.ts'
import type { LegOutcome } from '../../trading/plan.ts'

/** Rows of answers that tell of several orders. */

/** Not required by the schema. To the compiler it is always there: who trades in automatic mode needn't ask. */
export const unlessQueued = <Schema extends TSchema>(schema: Schema): Schema =>
  Type.Optional(schema) as unknown as Schema

/** What the answer to a request that waits for approval has instead of its own. */
export const queuedFields = {
  message: Type.Optional(Type.String()),
  pending_order_id: Type.Optional(Type.Integer({ description: 'Of a request that waits in approvals.' })),
}

export const rowStatus = Type.Union([Type.Literal('success'), Type.Literal('error')])

/** What became of an order, as part of its row. */
export const outcomeFields = {
  code: Type.Optional(Type.String({ description: 'Why there is no order, for programs.' })),
  message: Type.Optional(Type.String({ description: 'Why there is no order, for people.' })),
  orderid: Type.Optional(Type.String({ description: 'Of a refused order too, when the order book shows it.' })),
  status: rowStatus,
}

export const pieceRow = Type.Object({
  order_num: Type.Integer({ description: 'From 1.' }),
  quantity: Type.Number(),
  ...outcomeFields,
})

/** One order of a split, by its place among them. */
export const pieceRowOf = (index: number, outcome: LegOutcome): Static<typeof pieceRow> => ({
  order_num: index + 1,
  quantity: toNumber.quantity(outcome.leg.order.quantity),
  ...outcomeRow(outcome),
})

/** Code of an order that was never sent, because of another. */
export const NOT_SENT = 'not_sent'

export interface OutcomeRow {
  readonly code?: string
  readonly message?: string
  readonly orderid?: string
  readonly status: 'success' | 'error'
}

export function outcomeRow(outcome: LegOutcome): OutcomeRow {
  switch (outcome.kind) {
    case 'placed':
      return { orderid: outcome.report.id, status: 'success' }
    case 'refused': {
      const { refusal, orderId } = outcome
      const seen = orderId === undefined ? {} : { orderid: orderId }
      return { ...seen, code: refusal.code, message: refusal.message, status: 'error' }
    }
    case 'not-sent':
      return { code: NOT_SENT, message: outcome.reason, status: 'error' }
  }
}
