import { ZERO_PRICE, ZERO_QUANTITY } from '../../kernel/fixed.ts'
import type { OrderRequest } from '../../trading/index.ts'
import type { ValueOf } from '../field.ts'
import { list, object } from '../nested-fields.ts'
import {
  action,
  exchange,
  limitPrice,
  missingPrices,
  orderQuantity,
  priceType,
  product,
  symbol,
  triggerPrice,
} from './order-fields.ts'

/** Most positions that one request may ask about. */
export const POSITIONS_MAX = 50

const positionFields = {
  exchange,
  symbol,
  action,
  quantity: orderQuantity,
  product,
  pricetype: priceType,
  price: limitPrice.optional(ZERO_PRICE, 0),
  trigger_price: triggerPrice.optional(ZERO_PRICE, 0),
} as const

/** Positions that a request asks about, each as the order that would open it. */
export const positions = list(object(positionFields, { check: missingPrices }), {
  min: 1,
  max: POSITIONS_MAX,
  noun: 'Positions',
  description: 'Each as the order that would open it.',
})

export const orderRequestsOf = (given: ValueOf<{ positions: typeof positions }>['positions']): OrderRequest[] =>
  given.map((position) => ({
    symbol: position.symbol,
    exchange: position.exchange,
    action: position.action,
    quantity: position.quantity,
    priceType: position.pricetype,
    product: position.product,
    price: position.price,
    triggerPrice: position.trigger_price,
    disclosedQuantity: ZERO_QUANTITY,
    strategy: '',
  }))
