import type { LastingCause } from '../brokers/venue.ts'
import { dateAt, timestampOf } from '../kernel/exchange-time.ts'
import {
  add,
  formatPrice,
  formatQuantity,
  isMultipleOf,
  type Price,
  QUANTITY_ONE,
  type Quantity,
  subtract,
  toNumber,
  ZERO_MONEY,
  ZERO_PRICE,
  ZERO_QUANTITY,
} from '../kernel/fixed.ts'
import { DERIVATIVE_EXCHANGES } from '../market/instrument.ts'
import type { Book, PlaceCommand, SessionFacts } from './command.ts'
import { deliverable, insufficientFunds, openingQuantity, type Requirement, requirements, shortfall } from './margin.ts'
import { isTriggered, worstPrice } from './matching.ts'
import { instrumentKey, isPaidInFull, type Order, remainingOf } from './order.ts'
import { isInPortfolio, portfolioIncrease } from './portfolio.ts'
import { type AccountState, availableOf } from './state.ts'

/** Most orders that may work at once in one account. */
export const WORKING_ORDERS_MAX = 10_000
/** Most orders of one session, rejected ones included: they are kept in memory until it ends. */
export const SESSION_ORDERS_MAX = 500_000
/** Largest notional of one order, in rupees: 1,00,000 crore. Keeps every amount inside the exact range. */
export const ORDER_VALUE_MAX_RUPEES = 1e12

/** The order a place command asks for, before it is judged. */
export function orderOf(command: PlaceCommand): Order {
  const order: Order = {
    id: command.orderId,
    instrument: command.instrument,
    action: command.action,
    priceType: command.priceType,
    product: command.product,
    strategy: command.strategy,
    tag: command.tag,
    root: command.root,
    leg: command.leg,
    origin: command.origin,
    algoId: command.algoId,
    placedAt: command.at,
    terms: command.terms,
    charges: command.charges,
    quantity: command.quantity,
    disclosedQuantity: command.disclosedQuantity,
    price: command.priceType === 'LIMIT' || command.priceType === 'SL' ? command.price : ZERO_PRICE,
    triggerPrice: command.priceType === 'SL' || command.priceType === 'SL-M' ? command.triggerPrice : ZERO_PRICE,
    status: 'open',
    triggered: false,
    filledQuantity: ZERO_QUANTITY,
    filledValue: ZERO_MONEY,
    trades: 0,
    referencePrice: ZERO_PRICE,
    margin: ZERO_MONEY,
    reason: '',
    updatedAt: command.at,
  }
  const stop = order.priceType === 'SL' || order.priceType === 'SL-M'
  if (stop && !(command.book !== undefined && isTriggered(order.action, order.triggerPrice, command.book.ltp)))
    order.status = 'trigger pending'
  order.triggered = stop && order.status === 'open'
  order.referencePrice = referencePrice(order, command.book)
  return order
}

/**
 * Price an order's margin is computed on: the limit, the trigger of a stop, the last price for MARKET. Who pays in full
 * must have the most that it can cost: the limit, or the worst level a market order would reach.
 */
export function referencePrice(order: Order, book: Book | undefined): Price {
  const paid = isPaidInFull(order)
  switch (order.priceType) {
    case 'LIMIT':
      return order.price
    case 'SL':
      return paid ? order.price : order.triggerPrice
    case 'SL-M':
      return order.triggered && paid && book !== undefined
        ? worstPrice(order.action, remainingOf(order), book)
        : order.triggerPrice
    case 'MARKET':
      if (book === undefined) return ZERO_PRICE
      return paid ? worstPrice(order.action, order.quantity, book) : book.ltp
  }
}

interface Refused {
  readonly refusal: string
  readonly cause?: LastingCause
}

/**
 * Why the exchange refuses a new order, or what it and the others in its instrument must reserve when it is taken.
 * A reason says the value that is wrong and what would be right. `judged`: with others, by `judgeTogether`.
 */
export function judgePlace(
  state: AccountState,
  order: Order,
  command: { at: number; session: SessionFacts; book: Book | undefined; denied?: string | undefined },
  funds: 'judge' | 'judged' = 'judge',
): Refused | { readonly needs: readonly Requirement[] } {
  if (command.denied !== undefined) return { refusal: command.denied }
  const unfit = instrumentRefusal(order, order.placedAt)
  if (unfit !== undefined) return { refusal: unfit, cause: 'instrument' }
  const wrong = ownRefusal(order)
  if (wrong !== undefined) return { refusal: wrong }
  const closed = sessionRefusal(state, order, command.at, command.session)
  if (closed !== undefined) return { refusal: closed, cause: 'session' }
  const tooMuch = limitRefusal(state, order, command.book) ?? deliveryRefusal(state, order)
  if (tooMuch !== undefined) return { refusal: tooMuch }
  const needs = requirements(state, order.instrument, order.product, order)
  if (funds === 'judged') return { needs }
  if (isInPortfolio(state, order.instrument)) {
    const unaffordable = portfolioRefusal(state, order)
    return unaffordable === undefined ? { needs } : { refusal: unaffordable, cause: 'funds' }
  }
  const { required, missing } = shortfall(state, needs)
  if (missing === 0) return { needs }
  return { refusal: insufficientFunds(required, availableOf(state), missing), cause: 'funds' }
}

/** An order that makes its group need no more is always taken, whatever the account has left. */
export function portfolioRefusal(state: AccountState, order: Order): string | undefined {
  const { required, unsettled } = portfolioIncrease(state, order)
  const available = subtract(availableOf(state), unsettled)
  return required > 0 && required > available
    ? insufficientFunds(required, available, subtract(required, available))
    : undefined
}

/** Why an order can't be taken at its time, whatever the market does and the account holds. */
export const standingRefusal = (order: Order): string | undefined =>
  instrumentRefusal(order, order.placedAt) ?? ownRefusal(order)

const ownRefusal = (order: Order): string | undefined => quantityRefusal(order) ?? priceRefusal(order)

function instrumentRefusal(order: Order, at: number): string | undefined {
  const { symbol, exchange, kind, expiry } = order.instrument
  if (kind === 'INDEX')
    return `${symbol} on ${exchange} is an index and can't be traded. Trade its futures or options instead.`
  if (expiry !== undefined && dateAt(at) > expiry) return `${symbol} on ${exchange} expired on ${expiry}`
  const derivative = DERIVATIVE_EXCHANGES.has(exchange)
  if (!derivative && order.product === 'NRML') {
    return `NRML product not allowed for ${exchange} equity segment. Use CNC for delivery or MIS for intraday.`
  }
  if (derivative && order.product === 'CNC') {
    return `CNC product not allowed for ${exchange} derivatives segment. Use NRML for carryforward or MIS for intraday.`
  }
  return undefined
}

/** Also judges a modified quantity. */
export function quantityRefusal(order: Order): string | undefined {
  const { lotSize, freezeQuantity, symbol, exchange } = order.instrument
  const { quantity } = order
  if (quantity <= 0) return `Quantity must be positive, got ${formatQuantity(quantity)}`
  if (!isMultipleOf(quantity, lotSize)) {
    const below = subtract(quantity, (quantity % lotSize) as Quantity)
    const above = add(below, lotSize)
    const nearest = below > 0 ? `${formatQuantity(below)} or ${formatQuantity(above)}` : formatQuantity(above)
    if (lotSize === QUANTITY_ONE)
      return `Quantity must be a whole number for ${symbol} on ${exchange}, got ${formatQuantity(quantity)}`
    return `Quantity must be in multiples of lot size ${formatQuantity(lotSize)} for ${symbol} on ${exchange}, got ${formatQuantity(quantity)}; ${nearest} would be`
  }
  if (freezeQuantity > 0 && quantity > freezeQuantity) {
    return `Quantity ${formatQuantity(quantity)} exceeds the freeze quantity ${formatQuantity(freezeQuantity)} of ${symbol} on ${exchange}; split the order`
  }
  if (order.disclosedQuantity > quantity) {
    return `Disclosed quantity ${formatQuantity(order.disclosedQuantity)} exceeds the quantity ${formatQuantity(quantity)}`
  }
  return undefined
}

/** Also judges modified prices. */
export function priceRefusal(order: Order): string | undefined {
  const { tickSize, symbol } = order.instrument
  for (const [name, value] of [
    ['Price', order.price],
    ['Trigger price', order.triggerPrice],
  ] as const) {
    if (isMultipleOf(value, tickSize)) continue
    const below = (value - (value % tickSize)) as Price
    const above = add(below, tickSize)
    const nearest = below > 0 ? `${formatPrice(below)} or ${formatPrice(above)}` : formatPrice(above)
    return `${name} ${formatPrice(value)} isn't a multiple of the tick size ${formatPrice(tickSize)} of ${symbol}; ${nearest} would be`
  }
  if (order.priceType !== 'SL') return undefined
  if (order.action === 'BUY' && order.triggerPrice > order.price) {
    return `A BUY SL needs its trigger price at or below its price, got trigger ${formatPrice(order.triggerPrice)} and price ${formatPrice(order.price)}`
  }
  if (order.action === 'SELL' && order.triggerPrice < order.price) {
    return `A SELL SL needs its trigger price at or above its price, got trigger ${formatPrice(order.triggerPrice)} and price ${formatPrice(order.price)}`
  }
  return undefined
}

function sessionRefusal(state: AccountState, order: Order, at: number, session: SessionFacts): string | undefined {
  if (!session.open) return session.closedReason
  if (order.product !== 'MIS' || at < session.squareOffAt) return undefined
  if (openingQuantity(state, order) === 0) return undefined
  return `MIS orders cannot be placed after square-off time (${timestampOf(session.squareOffAt).slice(11, 16)} IST) unless they only reduce a position`
}

function limitRefusal(state: AccountState, order: Order, book: Book | undefined): string | undefined {
  if (order.priceType === 'MARKET' && book === undefined) {
    return `Cannot place MARKET order for ${order.instrument.symbol}: there is no fresh price. Try again, or use a LIMIT order.`
  }
  const dearest = Math.max(order.referencePrice, order.price, order.triggerPrice, order.terms.notionalPrice)
  const rupees =
    toNumber.price(dearest as Price) *
    toNumber.quantity(order.quantity) *
    toNumber.multiplier(order.instrument.multiplier)
  if (rupees > ORDER_VALUE_MAX_RUPEES) {
    return `Order value of about ₹${rupees.toPrecision(3)} exceeds the largest the exchange takes, ₹${ORDER_VALUE_MAX_RUPEES.toPrecision(3)}`
  }
  if (state.workingCount >= WORKING_ORDERS_MAX)
    return `The account already has ${WORKING_ORDERS_MAX} working orders, the most allowed; cancel some first`
  return undefined
}

/** Also judges a modified quantity: `order` itself doesn't count among the pending sells. */
export function deliveryRefusal(state: AccountState, order: Order): string | undefined {
  if (order.product !== 'CNC' || order.action !== 'SELL') return undefined
  const { symbol } = order.instrument
  const { position, holding } = deliverable(state, order.instrument)
  let pending = 0
  for (const other of state.working.get(instrumentKey(order.instrument)) ?? []) {
    if (other !== order && other.id !== order.id && other.product === 'CNC' && other.action === 'SELL')
      pending += remainingOf(other)
  }
  const free = position + holding - pending
  if (remainingOf(order) <= free) return undefined
  if (position + holding <= 0) {
    return `Cannot sell ${symbol} in CNC. No positions or holdings available. CNC (delivery) requires existing shares. Use MIS for intraday short selling.`
  }
  return `Cannot sell ${formatQuantity(remainingOf(order))} shares of ${symbol} in CNC. Only ${formatQuantity(Math.max(0, free) as Quantity)} shares available (Position: ${formatQuantity(position)}, Holdings: ${formatQuantity(holding)}, Pending sells: ${formatQuantity(pending as Quantity)})`
}
