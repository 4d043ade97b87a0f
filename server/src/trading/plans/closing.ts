import type { PositionReport } from '../../brokers/venue.ts'
import { absolute, type Quantity, quantity, ZERO_PRICE, ZERO_QUANTITY } from '../../kernel/fixed.ts'
import type { Plan } from '../plan.ts'
import type { Closing } from '../risk/gate.ts'
import { PIECES_MAX, pieceCount, piecesOf } from './pieces.ts'

/** Strategy of orders that close what an account holds, as users of the platform know it. */
export const CLOSE_STRATEGY = 'AUTO_SQUARE_OFF'
/** Orders that one position may be closed with; each is at most the freeze quantity. */
export const CLOSING_ORDERS_MAX = PIECES_MAX

/** What is to be closed, with today's facts of its instrument. */
export type Held = Pick<PositionReport, 'symbol' | 'exchange' | 'product' | 'instrument' | 'quantity'>

export interface ClosingPlan extends Plan {
  /** Whether its orders close the position; false when more than CLOSING_ORDERS_MAX would be needed. */
  readonly isWhole: boolean
}

/**
 * Sells at market what is held, or buys it back when it is negative: no order when that is nothing, and several above the
 * exchange's freeze quantity, each of whole lots but the last. After a refused one nothing more is sent.
 */
export function closingPlan(held: Held, strategy: string, closing: Closing): ClosingPlan {
  const { symbol, exchange, product, instrument } = held
  const total = absolute(held.quantity)
  const size = largestOrder(instrument)
  const isWhole = pieceCount(total, size) <= CLOSING_ORDERS_MAX
  const pieces = total === 0 ? [] : piecesOf(isWhole ? total : quantity(size * CLOSING_ORDERS_MAX), size)
  return {
    legs: pieces.map((piece, position) => ({
      position,
      instrument,
      order: {
        symbol,
        exchange,
        action: held.quantity > 0 ? 'SELL' : 'BUY',
        quantity: piece,
        priceType: 'MARKET',
        product,
        price: ZERO_PRICE,
        triggerPrice: ZERO_PRICE,
        disclosedQuantity: ZERO_QUANTITY,
        strategy,
      },
    })),
    onRefusal: 'stop',
    marginTogether: false,
    closing,
    isWhole,
  }
}

/** 0 when there is no freeze quantity, or it is less than a lot. */
function largestOrder({ freezeQuantity, lotSize }: Held['instrument']): Quantity {
  return quantity(freezeQuantity - (freezeQuantity % lotSize))
}
