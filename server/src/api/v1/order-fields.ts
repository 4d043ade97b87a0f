import { ACTIONS, PRICE_TYPES, PRODUCTS } from '../../brokers/venue.ts'
import type { FieldError } from '../../kernel/errors.ts'
import { type Price, ZERO_PRICE, ZERO_QUANTITY } from '../../kernel/fixed.ts'
import { EXCHANGES } from '../../market/instrument.ts'
import { IDEMPOTENCY_KEY_LENGTH_MAX } from '../../trading/flow/idempotency.ts'
import { price, quantity } from '../number-fields.ts'
import { choice, text } from '../text-fields.ts'

/** Fields that several order operations share, each described once. */

export const strategy = text({
  description: 'Free tag of your program; shown in the books, never a filter.',
  example: 'my-strategy',
})
export const symbol = text({ min: 1, max: 50, canonical: true, description: 'Canonical symbol.', example: 'SBIN' })
export const exchange = choice(EXCHANGES, { description: 'Exchange of the symbol.' })
export const action = choice(ACTIONS, { lowerCase: true, description: 'Side of the order.' })
export const product = choice(PRODUCTS, { description: 'MIS intraday, CNC delivery, NRML carried derivatives.' })
export const priceType = choice(PRICE_TYPES, {
  description: 'MARKET, LIMIT, SL (stop with a limit) or SL-M (stop at market).',
  alsoKnownAs: { SLM: 'SL-M', SL_M: 'SL-M', MKT: 'MARKET', LMT: 'LIMIT' },
})
export const orderQuantity = quantity({ description: 'Units, not lots. Whole but for crypto.', example: 1 })
export const limitPrice = price({ description: 'Limit price of LIMIT and SL orders; 0 otherwise.', example: 0 })
export const triggerPrice = price({
  noun: 'Trigger price',
  description: 'Trigger of SL and SL-M orders; 0 otherwise.',
  example: 0,
})
export const disclosedQuantity = quantity({
  noun: 'Disclosed quantity',
  sign: 'non-negative',
  description: 'Part of the quantity shown to the market; 0 shows all.',
  example: 0,
})
export const orderId = text({
  min: 1,
  max: 50,
  digits: true,
  rule: 'Order ID is missing.',
  description: 'As returned by placeorder.',
  example: '26112500000001',
})

export const clientOrderId = text({
  min: 1,
  max: IDEMPOTENCY_KEY_LENGTH_MAX,
  description: 'Name that the request was given, in this field or the header Idempotency-Key.',
  example: 'signal-42',
})

/** What an order consists of, in placeorder and every operation built on it. */
export const orderFields = {
  exchange,
  symbol,
  action,
  quantity: orderQuantity,
  pricetype: priceType.optional('MARKET', 'MARKET'),
  product: product.optional('MIS', 'MIS'),
  price: limitPrice.optional(ZERO_PRICE, 0),
  trigger_price: triggerPrice.optional(ZERO_PRICE, 0),
  disclosed_quantity: disclosedQuantity.optional(ZERO_QUANTITY, 0),
} as const

/** Fields that client libraries send with plain orders although nothing ever came of them. */
export const VAIN_ORDER_FIELDS = {
  target: 'has no effect on a plain order; place a second order for the target',
  stoploss: 'has no effect on a plain order; place an SL or SL-M order for the stop',
  trailing_sl: 'has no effect on a plain order; trailing stops are not part of this operation',
} as const

/** A price type needs its prices: an order without them isn't one. */
export function missingPrices(order: { pricetype: string; price: Price; trigger_price: Price }): FieldError[] {
  const errors: FieldError[] = []
  const { pricetype } = order
  if ((pricetype === 'LIMIT' || pricetype === 'SL') && order.price === 0) {
    errors.push({ field: 'price', message: `${pricetype} orders require price. Got 0; send the limit price.` })
  }
  if ((pricetype === 'SL' || pricetype === 'SL-M') && order.trigger_price === 0) {
    errors.push({
      field: 'trigger_price',
      message: `${pricetype} orders require trigger_price. Got 0; send the price that releases the stop.`,
    })
  }
  return errors
}
