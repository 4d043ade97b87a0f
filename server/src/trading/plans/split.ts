import { Refusal } from '../../kernel/errors.ts'
import { least, type Quantity } from '../../kernel/fixed.ts'
import type { Plan } from '../plan.ts'
import type { OrderRequest } from '../trading.ts'
import { PIECES_MAX, pieceCount, piecesOf } from './pieces.ts'

/** An order in pieces of `size` and one of what remains; the rest stays unsent when a refusal would repeat. Throws too_many_orders. */
export function splitPlan(order: OrderRequest, size: Quantity): Plan {
  const count = pieceCount(order.quantity, size)
  if (count > PIECES_MAX)
    throw new Refusal(
      'too_many_orders',
      `Total number of orders would exceed maximum limit of ${PIECES_MAX}. Got ${count}; use a larger splitsize.`,
    )
  return {
    legs: piecesOf(order.quantity, size).map((quantity, position) => ({
      position,
      order: { ...order, quantity, disclosedQuantity: least(order.disclosedQuantity, quantity) },
    })),
    onRefusal: 'stop-if-it-repeats',
    marginTogether: false,
  }
}
