import type { OrderStep } from '../brokers/venue.ts'
import type { Order } from './order.ts'

/** Steps of one order that are kept: the last ones. */
export const ORDER_STEPS_MAX = 100

/** What an order went through between its placing and its end, apart from its trades. Never changed, only replaced. */
export interface OrderSteps {
  /** Of all, those that aren't kept any more too. */
  readonly count: number
  readonly last: readonly OrderStep[]
}

/** Remembers how an order is before a change of it. */
export function noteStep(order: Order, kind: OrderStep['kind'], at: number): void {
  const { quantity, disclosedQuantity, price, triggerPrice, status } = order
  const last = order.steps?.last ?? []
  const kept = last.length < ORDER_STEPS_MAX ? last : last.slice(1)
  order.steps = {
    count: (order.steps?.count ?? 0) + 1,
    last: [...kept, { kind, at, quantity, disclosedQuantity, price, triggerPrice, status }],
  }
}
