import type { OrderRequest } from '../../trading/index.ts'
import type { ValueOf } from '../field.ts'
import type { orderFields } from './order-fields.ts'

/** The order that the fields of a request describe. */
export const orderRequestOf = (input: ValueOf<typeof orderFields>, strategy: string): OrderRequest => ({
  symbol: input.symbol,
  exchange: input.exchange,
  action: input.action,
  quantity: input.quantity,
  priceType: input.pricetype,
  product: input.product,
  price: input.price,
  triggerPrice: input.trigger_price,
  disclosedQuantity: input.disclosed_quantity,
  strategy,
})
