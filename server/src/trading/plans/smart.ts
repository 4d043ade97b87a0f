import type { Action, StandingReport } from '../../brokers/venue.ts'
import { absolute, type Quantity, subtract } from '../../kernel/fixed.ts'
import type { Plan } from '../plan.ts'
import type { OrderRequest } from '../trading.ts'

/** Name of the operation, on the orders that it decided about. */
export const SMART = 'placesmartorder'

/** What a smart order comes to: an order, or why there is none. */
export type SmartDecision =
  | { readonly action: Action; readonly quantity: Quantity }
  /** The position is what is wanted. */
  | 'matched'
  /** Nothing is held, and nothing is wanted. */
  | 'nothing-held'

/**
 * The order that brings a position to its target. `action` and `quantity` of the request count only where nothing is held
 * and nothing is wanted: then they are an entry.
 */
export function decideSmart(
  position: Quantity,
  target: Quantity,
  request: { readonly action: Action; readonly quantity: Quantity },
): SmartDecision {
  const { action, quantity } = request
  if (position === target) {
    if (target === 0 && quantity > 0) return { action, quantity }
    return quantity === 0 ? 'nothing-held' : 'matched'
  }
  const missing = subtract(target, position)
  return { action: missing > 0 ? 'BUY' : 'SELL', quantity: absolute(missing) }
}

/** What the position will be when every smart order that still works in it has traded. */
export function effectivePosition({ quantity, working }: StandingReport): Quantity {
  let effective = quantity
  for (const order of working) {
    if (order.origin !== SMART) continue
    const left = subtract(order.quantity, order.filledQuantity)
    effective = (effective + (order.action === 'BUY' ? left : -left)) as Quantity
  }
  return effective
}

export interface SmartPlan extends Plan {
  readonly decision: SmartDecision
}

/** The one order that a smart order comes to, or none. */
export function smartPlan(order: OrderRequest, position: Quantity, target: Quantity): SmartPlan {
  const decision = decideSmart(position, target, order)
  const legs = typeof decision === 'string' ? [] : [{ position: 0, order: { ...order, ...decision, origin: SMART } }]
  return { decision, legs, onRefusal: 'stop', marginTogether: false }
}
