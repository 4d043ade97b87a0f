import { Refusal } from '../kernel/errors.ts'
import { formatPrice, formatQuantity, type Money } from '../kernel/fixed.ts'
import type { CancelCommand, ModifyCommand } from './command.ts'
import { insufficientFunds, requirements, shortfall } from './margin.ts'
import { isTriggered } from './matching.ts'
import { isWorking, type Order } from './order.ts'
import {
  deliveryRefusal,
  ORDER_VALUE_MAX_RUPEES,
  portfolioRefusal,
  priceRefusal,
  quantityRefusal,
  referencePrice,
} from './place.ts'
import { isInPortfolio } from './portfolio.ts'
import { type AccountState, availableOf } from './state.ts'

/**
 * Why an order can't be modified or cancelled; thrown before the command is journalled, since it changes nothing.
 * Throws Refusal: order_not_found, order_not_open, order_unchangeable.
 */
export function workingOrder(state: AccountState, orderId: string, verb: 'modify' | 'cancel'): Order {
  const order = state.orders.get(orderId)
  if (order === undefined) throw new Refusal('order_not_found', `Order ${orderId} not found`)
  if (!isWorking(order)) throw new Refusal('order_not_open', `Cannot ${verb} order in ${order.status} status`)
  return order
}

export const judgeCancel = (state: AccountState, command: CancelCommand): Order =>
  workingOrder(state, command.orderId, 'cancel')

/** The order as it would be after the change, judged by the same rules as a new one. The state isn't touched. */
export function judgeModify(state: AccountState, command: ModifyCommand): Order {
  const order = workingOrder(state, command.orderId, 'modify')
  const refuse = (message: string): never => {
    throw new Refusal('order_unchangeable', message)
  }
  const limited = order.priceType === 'LIMIT' || order.priceType === 'SL'
  const stop = order.priceType === 'SL' || order.priceType === 'SL-M'
  if (!limited && command.price !== 0)
    refuse(`${order.priceType} orders do not accept a price, got ${formatPrice(command.price)}; send 0`)
  if (!stop && command.triggerPrice !== 0) {
    refuse(`${order.priceType} orders do not accept a trigger_price, got ${formatPrice(command.triggerPrice)}; send 0`)
  }
  if (order.triggered && command.triggerPrice !== 0 && command.triggerPrice !== order.triggerPrice) {
    refuse(
      `The stop was triggered at ${formatPrice(order.triggerPrice)} already; its trigger can't change to ${formatPrice(command.triggerPrice)}`,
    )
  }
  if (command.quantity <= order.filledQuantity) {
    refuse(
      `${formatQuantity(order.filledQuantity)} of the order is filled; the new quantity must be above that, got ${formatQuantity(command.quantity)}`,
    )
  }
  if (!command.session.open) refuse(command.session.closedReason)
  const changed: Order = {
    ...order,
    quantity: command.quantity,
    disclosedQuantity: command.disclosedQuantity,
    price: limited && command.price !== 0 ? command.price : order.price,
    triggerPrice: stop && command.triggerPrice !== 0 ? command.triggerPrice : order.triggerPrice,
  }
  if (
    stop &&
    !changed.triggered &&
    command.book !== undefined &&
    isTriggered(changed.action, changed.triggerPrice, command.book.ltp)
  ) {
    changed.triggered = true
    changed.status = 'open'
  }
  changed.referencePrice = order.priceType === 'MARKET' ? order.referencePrice : referencePrice(changed, command.book)
  const refusal =
    quantityRefusal(changed) ?? priceRefusal(changed) ?? valueRefusal(changed) ?? deliveryRefusal(state, changed)
  if (refusal !== undefined) refuse(refusal)
  if (isInPortfolio(state, changed.instrument)) {
    const unaffordable = portfolioRefusal(state, changed)
    if (unaffordable !== undefined) refuse(unaffordable)
    return changed
  }
  const increase = marginIncrease(state, order, changed)
  if (increase.missing > 0) refuse(insufficientFunds(increase.required, availableOf(state), increase.missing))
  return changed
}

function valueRefusal(order: Order): string | undefined {
  const rupees = (order.referencePrice / 1e8) * (order.quantity / 1e6) * (order.instrument.multiplier / 1e8)
  return rupees > ORDER_VALUE_MAX_RUPEES
    ? `Order value of about ₹${rupees.toPrecision(3)} exceeds the largest the exchange takes`
    : undefined
}

/** What the change would reserve on top, with the changed order in the place of the old one in the queue. */
function marginIncrease(state: AccountState, order: Order, changed: Order): { required: Money; missing: Money } {
  const before = { quantity: order.quantity, referencePrice: order.referencePrice }
  order.quantity = changed.quantity
  order.referencePrice = changed.referencePrice
  const needs = requirements(state, order.instrument, order.product)
  order.quantity = before.quantity
  order.referencePrice = before.referencePrice
  return shortfall(state, needs)
}
