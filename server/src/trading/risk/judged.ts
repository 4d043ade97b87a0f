import type { Quantity } from '../../kernel/fixed.ts'
import type { Judged } from './check.ts'
import type { RiskChange, RiskRequest } from './gate.ts'

export type Asked = RiskRequest['orders'][number]

/** An order as limits see it. */
export const judgedOrder = ({ order, instrument }: Asked, waits: boolean): Judged => ({
  symbol: instrument.symbol,
  exchange: instrument.exchange,
  action: order.action,
  product: order.product,
  priceType: order.priceType,
  quantity: order.quantity,
  added: order.quantity,
  price: order.price,
  triggerPrice: order.triggerPrice,
  multiplier: instrument.multiplier,
  isNew: true,
  waits,
})

/** A working order as it would be. A change of 0 leaves a price as it is. */
export const judgedChange = ({ existing, change, instrument }: RiskChange): Judged => ({
  symbol: instrument.symbol,
  exchange: instrument.exchange,
  action: existing.action,
  product: existing.product,
  priceType: existing.priceType,
  quantity: change.quantity,
  added: Math.max(0, change.quantity - existing.quantity) as Quantity,
  price: change.price > 0 ? change.price : existing.price,
  triggerPrice: change.triggerPrice > 0 ? change.triggerPrice : existing.triggerPrice,
  multiplier: instrument.multiplier,
  isNew: false,
  waits: false,
})

/** It makes the order smaller, or leaves its size, and no price is another one. */
export const onlyShrinks = ({ existing, change }: RiskChange): boolean =>
  change.quantity <= existing.quantity &&
  (change.price === 0 || change.price === existing.price) &&
  (change.triggerPrice === 0 || change.triggerPrice === existing.triggerPrice)
