import { Refusal } from '../../kernel/errors.ts'
import { least, type Quantity } from '../../kernel/fixed.ts'
import type { Instrument } from '../../market/instrument.ts'
import type { Plan } from '../plan.ts'
import type { OrderRequest } from '../trading.ts'
import { PIECES_MAX, pieceCount, piecesOf } from './pieces.ts'

/** An order for an option that was named by its offset. */
export interface OptionOrder extends Omit<OrderRequest, 'symbol' | 'exchange'> {
  /** Size of the orders that it is sent as; 0 sends it whole. */
  readonly splitSize: Quantity
}

/**
 * The order, or its pieces in order; the rest stays unsent after a refusal whose cause would repeat.
 * Throws too_many_orders.
 */
export function optionsOrderPlan(order: OptionOrder, option: Instrument): Plan {
  const { quantity, splitSize } = order
  refuseTooManyPieces(order)
  const legs = piecesOf(quantity, splitSize).map((piece, position) => ({
    position,
    order: pieceOf(order, option, piece),
  }))
  const onRefusal = splitSize === 0 ? 'stop' : 'stop-if-it-repeats'
  return { legs, onRefusal, marginTogether: false, listName: 'pieces' }
}

/** Throws too_many_orders. */
export function refuseTooManyPieces({ quantity, splitSize }: Pick<OptionOrder, 'quantity' | 'splitSize'>): void {
  const count = pieceCount(quantity, splitSize)
  if (count <= PIECES_MAX) return
  throw new Refusal(
    'too_many_orders',
    `Total number of orders would exceed maximum limit of ${PIECES_MAX}. Got ${count}; use a larger splitsize.`,
  )
}

/** The order for a part of the quantity. */
export function pieceOf(order: OptionOrder, option: Instrument, piece: Quantity): OrderRequest {
  const { splitSize, disclosedQuantity, ...rest } = order
  return {
    ...rest,
    symbol: option.symbol,
    exchange: option.exchange,
    quantity: piece,
    disclosedQuantity: splitSize === 0 ? disclosedQuantity : least(disclosedQuantity, piece),
  }
}
