import {
  greatest,
  least,
  type Money,
  money,
  type Price,
  subtract,
  ZERO_MONEY,
  ZERO_QUANTITY,
} from '../../kernel/fixed.ts'
import { deliverable, marginFor, openingQuantity } from '../margin.ts'
import { instrumentKey, type Order, remainingOf } from '../order.ts'
import type { AccountState } from '../state.ts'
import type { Gtt } from './gtt.ts'

/** What the order of a leg would be margined on: its limit, or its trigger when it trades at market. */
export const legReferencePrice = (gtt: Pick<Gtt, 'priceType'>, leg: { price: Price; triggerPrice: Price }): Price =>
  gtt.priceType === 'LIMIT' ? leg.price : leg.triggerPrice

/**
 * Money to reserve while it waits: what the dearest of its orders would need if it were placed now. Only one of them
 * ever is. A part that closes what the account holds needs nothing.
 */
export function gttMargin(state: AccountState, orders: readonly Order[]): Money {
  return orders.reduce((most, order) => greatest(most, orderMargin(state, order)), ZERO_MONEY)
}

function orderMargin(state: AccountState, order: Order): Money {
  return marginFor(openingPart(state, order), order.referencePrice, order.instrument, order.terms)
}

function openingPart(state: AccountState, order: Order) {
  if (order.product !== 'CNC' || order.action === 'BUY') return openingQuantity(state, order)
  const { position, holding } = deliverable(state, order.instrument)
  let free = position + holding
  for (const other of state.working.get(instrumentKey(order.instrument)) ?? [])
    if (other.product === 'CNC' && other.action === 'SELL') free -= remainingOf(other)
  return subtract(order.quantity, least(order.quantity, greatest(ZERO_QUANTITY, free as typeof order.quantity)))
}

/** Sets its reservation and keeps the account's total in step. */
export function reserveForGtt(state: AccountState, gtt: Gtt, margin: Money): void {
  state.reserved = money(state.reserved + margin - gtt.margin)
  gtt.margin = margin
}
