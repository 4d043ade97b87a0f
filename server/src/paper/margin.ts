import { assert } from '../kernel/assert.ts'
import {
  add,
  formatMoney,
  greatest,
  least,
  type Money,
  money,
  mulDiv,
  negate,
  type Price,
  type Quantity,
  subtract,
  tradeValue,
  ZERO_MONEY,
  ZERO_QUANTITY,
} from '../kernel/fixed.ts'
import type { PlaceCommand } from './command.ts'
import type { InstrumentFacts } from './order.ts'
import {
  instrumentKey,
  isWorking,
  type MarginTerms,
  type Order,
  type Product,
  positionKey,
  remainingOf,
} from './order.ts'
import { isInPortfolio, touchPortfolio } from './portfolio.ts'
import { type Place, tryOrders } from './scratch.ts'
import { type AccountState, availableOf } from './state.ts'

/** Margin for opening `quantity` at a price, in paise, rounded up. Notional ÷ leverage, contract multiplier included. */
export function marginFor(
  quantity: Quantity,
  reference: Price,
  instrument: InstrumentFacts,
  terms: MarginTerms,
): Money {
  assert(quantity >= 0, 'margin is for a quantity that opens')
  if (quantity === 0) return ZERO_MONEY
  const notional = tradeValue(
    terms.notionalPrice > 0 ? terms.notionalPrice : reference,
    quantity,
    instrument.multiplier,
    'up',
  )
  return money(mulDiv(notional, 100, terms.leverageHundredths, 'up'))
}

/** Shares that may be sold for delivery: bought today and still held, plus holdings. */
export function deliverable(
  state: AccountState,
  instrument: InstrumentFacts,
): { position: Quantity; holding: Quantity } {
  return {
    position: state.positions.get(positionKey(instrument, 'CNC'))?.quantity ?? ZERO_QUANTITY,
    holding: state.holdings.get(instrumentKey(instrument))?.quantity ?? ZERO_QUANTITY,
  }
}

export interface Requirement {
  readonly order: Order
  readonly margin: Money
}

/**
 * What each working order of one (instrument, product) must reserve now, oldest first.
 *
 * Orders against the position are covered by it, in order of arrival, and reserve nothing for the covered part; what
 * exceeds the position would open the other way and is margined. So two exits of one position can't both be free.
 * None where the portfolio decides: there its group reserves for all of them.
 */
export function requirements(
  state: AccountState,
  instrument: InstrumentFacts,
  product: Product,
  extra?: Order,
): Requirement[] {
  if (isInPortfolio(state, instrument)) return []
  const held = state.positions.get(positionKey(instrument, product))?.quantity ?? ZERO_QUANTITY
  let coverOfSells: Quantity = greatest(held, ZERO_QUANTITY)
  let coverOfBuys: Quantity = greatest(negate(held), ZERO_QUANTITY)
  if (product === 'CNC') coverOfSells = add(coverOfSells, deliverable(state, instrument).holding)
  const result: Requirement[] = []
  const require = (order: Order): void => {
    const remaining = remainingOf(order)
    const covered = least(remaining, order.action === 'SELL' ? coverOfSells : coverOfBuys)
    if (order.action === 'SELL') coverOfSells = subtract(coverOfSells, covered)
    else coverOfBuys = subtract(coverOfBuys, covered)
    result.push({
      order,
      margin: marginFor(subtract(remaining, covered), order.referencePrice, instrument, order.terms),
    })
  }
  for (const order of state.working.get(instrumentKey(instrument)) ?? [])
    if (order.product === product && isWorking(order)) require(order)
  if (extra !== undefined) require(extra)
  return result
}

/** Quantity of a new order that opens or increases a position, given what else already works against it. */
export function openingQuantity(state: AccountState, order: Order): Quantity {
  const held = state.positions.get(positionKey(order.instrument, order.product))?.quantity ?? ZERO_QUANTITY
  let cover: Quantity = greatest(order.action === 'SELL' ? held : negate(held), ZERO_QUANTITY)
  for (const other of state.working.get(instrumentKey(order.instrument)) ?? []) {
    if (other.product === order.product && other.action === order.action && other !== order)
      cover = subtract(cover, least(cover, remainingOf(other)))
  }
  return subtract(remainingOf(order), least(remainingOf(order), cover))
}

/** Sets an order's reservation and keeps the account's total in step. */
export function reserve(state: AccountState, order: Order, margin: Money): void {
  assert(margin >= 0, () => `order ${order.id} can't reserve ${margin}`)
  state.reserved = money(state.reserved + margin - order.margin)
  order.margin = margin
}

/** Money missing for a set of requirements; 0 when the account can pay or nothing more is needed. */
export function shortfall(state: AccountState, needs: readonly Requirement[]): { required: Money; missing: Money } {
  let required = 0
  for (const { order, margin } of needs) required += margin - order.margin
  const missing = required - availableOf(state)
  return { required: money(Math.max(required, 0)), missing: required > 0 && missing > 0 ? money(missing) : ZERO_MONEY }
}

/**
 * Re-reserves every working order of one (instrument, product) after its position changed. Where that needs more than
 * the account has (an exit that lost its position to another exit), the newest such orders are returned for cancelling.
 */
export function rebalance(state: AccountState, instrument: InstrumentFacts, product: Product): Order[] {
  if (touchPortfolio(state, instrument)) return []
  const needs = requirements(state, instrument, product)
  for (const { order, margin } of needs) if (margin < order.margin) reserve(state, order, margin)
  const unaffordable: Order[] = []
  for (const { order, margin } of needs) {
    if (margin === order.margin) continue
    const uncoveredDelivery = product === 'CNC' && order.action === 'SELL'
    if (uncoveredDelivery || margin - order.margin > availableOf(state)) unaffordable.push(order)
    else reserve(state, order, margin)
  }
  return unaffordable
}

/**
 * Why the funds don't suffice for new orders that are judged on what all of them lead to, whatever each needs on its
 * way; undefined when they do. Orders that are refused for another reason need nothing. What they need is all that
 * `place` would take from available cash, placed in that order.
 */
export function judgeTogether(
  state: AccountState,
  commands: readonly PlaceCommand[],
  place: Place,
): { readonly refusal: string } | undefined {
  const { needed } = tryOrders(state, commands, place)
  const available = availableOf(state)
  return needed > 0 && needed > available
    ? { refusal: insufficientFunds(needed, available, subtract(needed, available)) }
    : undefined
}

export const insufficientFunds = (required: Money, available: Money, missing: Money): string =>
  `Insufficient funds. Required: ₹${formatMoney(required)}, Available: ₹${formatMoney(available)}, Shortage: ₹${formatMoney(missing)}`
