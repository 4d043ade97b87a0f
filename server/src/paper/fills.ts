import { chargeOfFill } from '../charges/index.ts'
import { assert } from '../kernel/assert.ts'
import {
  absolute,
  add,
  formatMoney,
  greatest,
  least,
  type Money,
  money,
  negate,
  type Quantity,
  share,
  subtract,
  tradeValue,
  ZERO_MONEY,
  ZERO_QUANTITY,
} from '../kernel/fixed.ts'
import { attribute } from './attribution/attribution.ts'
import type { Book } from './command.ts'
import type { Event } from './event.ts'
import { marginFor, rebalance, reserve } from './margin.ts'
import { type Fill, take } from './matching.ts'
import {
  instrumentKey,
  isPaidInFull,
  isWorking,
  type Order,
  type OrderStatus,
  type Position,
  positionKey,
  remainingOf,
  signed,
  type Trade,
} from './order.ts'
import { isInPortfolio, touchPortfolio } from './portfolio.ts'
import { type AccountState, availableOf } from './state.ts'

/**
 * Trades an order at the given prices: trade rows, position, money, then the reservations of whatever else works in the
 * same instrument. A buyer who pays in full and can't pay a fill keeps what it has bought; the rest is cancelled.
 */
export function execute(
  state: AccountState,
  order: Order,
  fills: readonly Fill[],
  book: Book | undefined,
  at: number,
  events: Event[],
): void {
  for (const fill of fills) {
    assert(
      fill.quantity > 0 && fill.quantity <= remainingOf(order),
      () => `order ${order.id} can't fill ${fill.quantity}`,
    )
    const value = tradeValue(
      fill.price,
      fill.quantity,
      order.instrument.multiplier,
      order.action === 'BUY' ? 'up' : 'down',
    )
    const lacking = isPaidInFull(order) ? unpaid(state, order, fill, value) : ZERO_MONEY
    if (lacking > 0) {
      finish(state, order, 'cancelled', `Insufficient funds for the rest: ₹${formatMoney(lacking)} short`, at)
      break
    }
    if (book !== undefined) {
      const key = instrumentKey(order.instrument)
      state.taken.set(key, take(state.taken.get(key), book, order.action, fill.quantity))
    }
    trade(state, order, fill, value, at, events)
  }
  if (fills.length > 0) settleReservations(state, order, at, events)
  events.push({ kind: 'order', order: { ...order } })
}

/** What a buyer who pays in full can't pay of a fill's opening part; 0 or less when the account can. */
function unpaid(state: AccountState, order: Order, fill: Fill, value: Money): Money {
  const held = state.positions.get(positionKey(order.instrument, order.product))?.quantity ?? ZERO_QUANTITY
  const opening = subtract(fill.quantity, held < 0 ? least(fill.quantity, absolute(held)) : ZERO_QUANTITY)
  if (opening === 0) return ZERO_MONEY
  const available = availableFor(state, order)
  if (isInPortfolio(state, order.instrument)) {
    // What the order's own price comes to was judged with the rest of its group.
    const judged = tradeValue(order.referencePrice, fill.quantity, order.instrument.multiplier, 'up')
    const dearer = share(subtract(value, judged), opening, fill.quantity, 'up')
    return dearer <= 0 ? ZERO_MONEY : subtract(dearer, available)
  }
  return subtract(share(value, opening, fill.quantity, 'up'), add(order.margin, available))
}

/**
 * What an order may take besides its reservation. Charges are due whatever is available, and may leave less than nothing:
 * not at the cost of what an order that is charged has reserved, or its own first fills would keep it from the rest.
 */
function availableFor(state: AccountState, { charges }: Order): Money {
  const available = availableOf(state)
  return charges === undefined ? available : greatest(available, ZERO_MONEY)
}

/** After a fill: what else works in this instrument is margined against the new position. */
function settleReservations(state: AccountState, order: Order, at: number, events: Event[]): void {
  for (const other of rebalance(state, order.instrument, order.product)) {
    finish(
      state,
      other,
      'cancelled',
      'The position it would have closed is gone, and the funds to open one the other way are insufficient',
      at,
    )
    if (other !== order) events.push({ kind: 'order', order: { ...other } })
  }
}

function trade(state: AccountState, order: Order, fill: Fill, value: Money, at: number, events: Event[]): void {
  const gross =
    order.product === 'CNC' && order.action === 'SELL'
      ? deliver(state, order, fill, value, at)
      : movePosition(state, order, fill, value, at)
  const charges = order.charges && chargeOfFill(order.charges, order.filledValue, value)
  const realised = charges === undefined ? gross : charge(state, order, gross, charges)
  attribute(state, order, fill, value, charges ?? ZERO_MONEY)
  state.realised = add(state.realised, realised)
  state.realisedToday = add(state.realisedToday, realised)
  order.filledQuantity = add(order.filledQuantity, fill.quantity)
  order.filledValue = add(order.filledValue, value)
  order.trades += 1
  order.updatedAt = at
  if (remainingOf(order) === 0) finish(state, order, 'complete', '', at)
  const row: Trade = {
    id: `T${order.id}-${order.trades}`,
    orderId: order.id,
    instrument: order.instrument,
    action: order.action,
    product: order.product,
    strategy: order.strategy,
    quantity: fill.quantity,
    price: fill.price,
    value,
    charges,
    realised,
    at,
  }
  state.trades.push(row)
  events.push({ kind: 'trade', trade: row })
}

/** Takes charges from what a fill realised, and returns what is left of it. */
function charge(state: AccountState, order: Order, gross: Money, charges: Money): Money {
  const position = state.positions.get(positionKey(order.instrument, order.product))
  assert(position !== undefined && charges >= 0, () => `order ${order.id} is charged ${charges}`)
  position.realisedToday = subtract(position.realisedToday, charges)
  return subtract(gross, charges)
}

/** Any fill but a delivery sale: closes what it can of the position, opens with the rest. Returns what it realised. */
function movePosition(state: AccountState, order: Order, fill: Fill, value: Money, at: number): Money {
  const position = positionFor(state, order, at)
  const before = position.quantity
  const change = signed(order.action, fill.quantity)
  const opposite = before !== 0 && Math.sign(before) !== Math.sign(change)
  const closing = opposite ? least(fill.quantity, absolute(before)) : ZERO_QUANTITY
  const opening = subtract(fill.quantity, closing)
  const closingValue =
    closing === 0 ? ZERO_MONEY : share(value, closing, fill.quantity, order.action === 'BUY' ? 'up' : 'down')
  const realised =
    closing === 0
      ? ZERO_MONEY
      : close(state, position, closing, order.action === 'BUY' ? negate(closingValue) : closingValue, at)
  if (opening > 0) open(state, order, fill, position, opening, subtract(value, closingValue), at)
  position.realisedToday = add(position.realisedToday, realised)
  return realised
}

/** Takes `closing` out of a position against `proceeds` (negative when paid) and returns the realised profit. */
function close(state: AccountState, position: Position, closing: Quantity, proceeds: Money, at: number): Money {
  const size = absolute(position.quantity)
  const cost = share(position.cost, closing, size, 'up')
  const released = position.product === 'CNC' ? cost : share(position.margin, closing, size, 'down')
  position.quantity = position.quantity > 0 ? subtract(position.quantity, closing) : add(position.quantity, closing)
  position.cost = subtract(position.cost, cost)
  position.margin = subtract(position.margin, released)
  state.reserved = subtract(state.reserved, released)
  position.updatedAt = at
  return subtract(proceeds, cost)
}

function open(
  state: AccountState,
  order: Order,
  fill: Fill,
  position: Position,
  opening: Quantity,
  value: Money,
  at: number,
): void {
  const paid = isPaidInFull(order)
  const own = paid ? value : marginFor(opening, order.referencePrice, order.instrument, order.terms)
  const margin = isInPortfolio(state, order.instrument) ? ZERO_MONEY : own
  if (position.quantity === 0) position.openedAt = at
  position.quantity = add(position.quantity, signed(order.action, opening))
  position.cost = add(position.cost, order.action === 'BUY' ? value : negate(value))
  // The order's reservation becomes the position's; what differs comes from, or returns to, available cash.
  reserve(
    state,
    order,
    money(Math.max(0, order.margin - marginFor(opening, order.referencePrice, order.instrument, order.terms))),
  )
  position.margin = add(position.margin, margin)
  state.reserved = add(state.reserved, margin)
  position.updatedAt = at
  assert(fill.quantity >= opening, 'a fill opens at most its quantity')
}

/** A delivery sale: shares bought today first, then holdings, each realised against its own cost. */
function deliver(state: AccountState, order: Order, fill: Fill, value: Money, at: number): Money {
  const position = positionFor(state, order, at)
  const fromPosition = least(fill.quantity, position.quantity)
  const fromHolding = subtract(fill.quantity, fromPosition)
  const positionValue = share(value, fromPosition, fill.quantity, 'down')
  let realised = fromPosition === 0 ? ZERO_MONEY : close(state, position, fromPosition, positionValue, at)
  if (fromHolding > 0) {
    const key = instrumentKey(order.instrument)
    const holding = state.holdings.get(key)
    assert(
      holding !== undefined && holding.quantity >= fromHolding,
      () => `order ${order.id} delivers shares that aren't held`,
    )
    const cost = share(holding.cost, fromHolding, holding.quantity, 'up')
    holding.quantity = subtract(holding.quantity, fromHolding)
    holding.cost = subtract(holding.cost, cost)
    state.holdingsCost = subtract(state.holdingsCost, cost)
    if (holding.quantity === 0) state.holdings.delete(key)
    realised = add(realised, subtract(subtract(value, positionValue), cost))
  }
  position.realisedToday = add(position.realisedToday, realised)
  position.updatedAt = at
  return realised
}

function positionFor(state: AccountState, order: Order, at: number): Position {
  const key = positionKey(order.instrument, order.product)
  let position = state.positions.get(key)
  if (position === undefined) {
    position = {
      instrument: order.instrument,
      product: order.product,
      quantity: ZERO_QUANTITY,
      cost: ZERO_MONEY,
      margin: ZERO_MONEY,
      realisedToday: ZERO_MONEY,
      openedAt: at,
      updatedAt: at,
    }
    state.positions.set(key, position)
  }
  return position
}

/** Puts a new order on its instrument's book. */
export function enlist(state: AccountState, order: Order): void {
  const key = instrumentKey(order.instrument)
  const list = state.working.get(key)
  if (list === undefined) state.working.set(key, [order])
  else list.push(order)
  state.workingCount += 1
  touchPortfolio(state, order.instrument)
}

/** Ends a working order: off the book, reservation released. The only way into a terminal state. */
export function finish(
  state: AccountState,
  order: Order,
  status: Extract<OrderStatus, 'complete' | 'cancelled'>,
  reason: string,
  at: number,
): void {
  assert(isWorking(order), () => `order ${order.id} is already ${order.status}`)
  reserve(state, order, ZERO_MONEY)
  order.status = status
  order.reason = reason
  order.updatedAt = at
  const key = instrumentKey(order.instrument)
  const list = state.working.get(key) ?? []
  const index = list.indexOf(order)
  assert(index >= 0, () => `working order ${order.id} isn't on a book`)
  list.splice(index, 1)
  if (list.length === 0) state.working.delete(key)
  state.workingCount -= 1
  touchPortfolio(state, order.instrument)
}
