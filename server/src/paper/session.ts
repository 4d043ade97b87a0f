import { PRODUCTS } from '../brokers/venue.ts'
import type { ChargeTerms } from '../charges/index.ts'
import { assert } from '../kernel/assert.ts'
import { absolute, add, type Price, subtract, ZERO_MONEY, ZERO_PRICE, ZERO_QUANTITY } from '../kernel/fixed.ts'
import type { Exchange } from '../market/instrument.ts'
import {
  clearAttribution,
  crossAt,
  EXPIRY_STRATEGY,
  openAttributionDay,
  SQUARE_OFF_STRATEGY,
} from './attribution/attribution.ts'
import type { ExpireCommand, OpenSessionCommand, ResetCommand, SquareOffCommand } from './command.ts'
import type { Event } from './event.ts'
import { enlist, execute, finish } from './fills.ts'
import { endGtts, takeEndedGtts } from './gtt/apply.ts'
import { fillsOfForcedClose } from './matching.ts'
import { instrumentKey, type Order, type Position, type Product, positionKey } from './order.ts'
import { clearPortfolio } from './portfolio.ts'
import type { AccountState } from './state.ts'

/** Working orders that a filter selects, oldest first. A copy: the books change while they are ended. */
function workingOrders(state: AccountState, select: (order: Order) => boolean): Order[] {
  return [...state.working.values()].flat().filter(select)
}

function cancelAll(state: AccountState, orders: readonly Order[], reason: string, at: number, events: Event[]): void {
  for (const order of orders) {
    finish(state, order, 'cancelled', reason, at)
    events.push({ kind: 'order', order: { ...order } })
  }
}

/** An order of the exchange's own that closes a position whole. */
function closingOrder(
  position: Position,
  { orderId, charges }: { readonly orderId: string; readonly charges?: ChargeTerms | undefined },
  strategy: string,
  at: number,
): Order {
  return {
    id: orderId,
    instrument: position.instrument,
    action: position.quantity > 0 ? 'SELL' : 'BUY',
    priceType: 'MARKET',
    product: position.product,
    strategy,
    placedAt: at,
    terms: { leverageHundredths: 100, notionalPrice: ZERO_PRICE },
    charges,
    quantity: absolute(position.quantity),
    disclosedQuantity: ZERO_QUANTITY,
    price: ZERO_PRICE,
    triggerPrice: ZERO_PRICE,
    status: 'open',
    triggered: false,
    filledQuantity: ZERO_QUANTITY,
    filledValue: ZERO_MONEY,
    trades: 0,
    referencePrice: ZERO_PRICE,
    margin: ZERO_MONEY,
    reason: '',
    updatedAt: at,
  }
}

export function applySquareOff(state: AccountState, command: SquareOffCommand, events: Event[]): void {
  const exchanges: ReadonlySet<Exchange> = new Set(command.exchanges)
  const intraday = (order: Order): boolean => order.product === 'MIS' && exchanges.has(order.instrument.exchange)
  cancelAll(state, workingOrders(state, intraday), 'Intraday square-off', command.at, events)
  for (const close of command.closes) {
    const position = state.positions.get(positionKey(close, 'MIS'))
    assert(position !== undefined && position.quantity !== 0, `no MIS position in ${close.symbol} to square off`)
    const order = closingOrder(position, close, SQUARE_OFF_STRATEGY, command.at)
    state.orders.set(order)
    enlist(state, order)
    execute(state, order, fillsOfForcedClose(order, close.book), undefined, command.at, events)
    assert(order.status === 'complete', `square-off order ${order.id} is ${order.status}`)
  }
  for (const { price, ...of } of command.crossings ?? []) cross(state, positionKey(of, 'MIS'), price)
}

export function applyExpire(state: AccountState, command: ExpireCommand, events: Event[]): void {
  const expired = (order: Order): boolean => instrumentKey(order.instrument) === instrumentKey(command)
  cancelAll(state, workingOrders(state, expired), 'The contract expired', command.at, events)
  const waiting = state.watched.get(instrumentKey(command)) ?? []
  endGtts(state, [...waiting], 'expired', 'The contract expired', command.at, events)
  for (const close of command.closes) {
    const position = state.positions.get(positionKey(command, close.product))
    assert(
      position !== undefined && position.quantity !== 0,
      `no ${close.product} position in ${command.symbol} to settle`,
    )
    const order = closingOrder(position, close, EXPIRY_STRATEGY, command.at)
    state.orders.set(order)
    enlist(state, order)
    execute(state, order, [{ price: command.settlementPrice, quantity: order.quantity }], undefined, command.at, events)
    assert(order.status === 'complete', `settlement order ${order.id} is ${order.status}`)
  }
  for (const product of PRODUCTS) cross(state, positionKey(command, product), command.settlementPrice)
}

/** Strategies' opposite positions end with the account's own, though there is nothing to trade for them. */
function cross(state: AccountState, key: string, price: Price): void {
  const held = state.positions.get(key)?.quantity ?? 0
  if (held === 0) crossAt(state.attribution, key, price)
}

/** Ends every working order and hands the day's books out of the state. */
function closeBooks(state: AccountState, reason: string, at: number, events: Event[]): void {
  const all = workingOrders(state, () => true)
  cancelAll(state, all, reason, at, events)
  const { sessionDate: date, orders, trades } = state
  events.push({
    kind: 'session-closed',
    date,
    orders: [...orders.values()],
    trades: [...trades],
    gtts: takeEndedGtts(state),
  })
  orders.clear()
  trades.length = 0
  state.taken.clear()
}

/**
 * The trading day changes. Orders are day orders and lapse. Shares bought yesterday become holdings: rows move and
 * nothing else, since their cost left the available cash when they were bought. The finished books leave the state.
 */
export function applyOpenSession(state: AccountState, command: OpenSessionCommand, events: Event[]): void {
  assert(command.date > state.sessionDate, `session ${command.date} can't follow ${state.sessionDate}`)
  closeBooks(state, 'Day order lapsed at the end of the session', command.at, events)
  for (const [key, position] of state.positions) {
    if (position.product === ('CNC' satisfies Product) && position.quantity > 0)
      settleDelivery(state, position, command)
    if (position.quantity === 0) state.positions.delete(key)
    else position.realisedToday = ZERO_MONEY
  }
  state.realisedToday = ZERO_MONEY
  openAttributionDay(state.attribution)
  state.sessionDate = command.date
}

function settleDelivery(state: AccountState, position: Position, command: OpenSessionCommand): void {
  const key = instrumentKey(position.instrument)
  const holding = state.holdings.get(key) ?? {
    instrument: position.instrument,
    quantity: ZERO_QUANTITY,
    cost: ZERO_MONEY,
    settledOn: command.date,
  }
  assert(position.margin === position.cost, `delivery position ${key} isn't paid in full`)
  holding.quantity = add(holding.quantity, position.quantity)
  holding.cost = add(holding.cost, position.cost)
  holding.settledOn = command.date
  state.holdings.set(key, holding)
  state.holdingsCost = add(state.holdingsCost, position.cost)
  state.reserved = subtract(state.reserved, position.margin)
  position.quantity = ZERO_QUANTITY
  position.cost = ZERO_MONEY
  position.margin = ZERO_MONEY
}

/** Working orders are cancelled in the same command, so that nothing of the old account can fill into the new one. */
export function applyReset(state: AccountState, command: ResetCommand, events: Event[]): void {
  endGtts(state, [...state.watched.values()].flat(), 'cancelled', 'The account was reset', command.at, events)
  closeBooks(state, 'The account was reset', command.at, events)
  state.positions.clear()
  clearPortfolio(state)
  state.holdings.clear()
  clearAttribution(state.attribution)
  state.reserved = ZERO_MONEY
  state.holdingsCost = ZERO_MONEY
  state.realised = ZERO_MONEY
  state.realisedToday = ZERO_MONEY
  state.capital = command.capital
  state.resetAt = command.at
  state.resetCount += 1
  events.push({ kind: 'reset' })
}
