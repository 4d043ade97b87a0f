import { least, type Price, type Quantity, subtract, ZERO_QUANTITY } from '../kernel/fixed.ts'
import type { Book } from './command.ts'
import { type Action, type Order, remainingOf } from './order.ts'
import type { TakenLiquidity } from './state.ts'

/** Part of an order that trades at one price. */
export interface Fill {
  readonly price: Price
  readonly quantity: Quantity
}

type Level = readonly [Price, Quantity]

const UNLIMITED = Number.MAX_SAFE_INTEGER as Quantity

/** The levels an order of that side trades against. A source that knows only the last price trades at it, whole. */
export function opposingLevels(action: Action, book: Book): readonly Level[] {
  const levels = action === 'BUY' ? book.asks : book.bids
  return levels.length > 0 ? levels : [[book.ltp, UNLIMITED]]
}

/** True when the last price has reached the stop's trigger. Inclusive. */
export const isTriggered = (action: Action, triggerPrice: Price, ltp: Price): boolean =>
  action === 'BUY' ? ltp >= triggerPrice : ltp <= triggerPrice

const isStop = (order: Pick<Order, 'priceType'>): boolean => order.priceType === 'SL' || order.priceType === 'SL-M'
const isLimited = (order: Pick<Order, 'priceType'>): boolean => order.priceType === 'LIMIT' || order.priceType === 'SL'

/** True when a stop waits and this book would release it. */
export const triggersOn = (order: Order, book: Book): boolean =>
  isStop(order) && !order.triggered && isTriggered(order.action, order.triggerPrice, book.ltp)

/**
 * What the order trades on this book, best level first.
 *
 * An order that arrives (new, modified, or a stop released by this very quote) takes each level at the level's price.
 * A limit order that already rested is passive: others come to it, so it trades at its own limit, for as much as the
 * book offers at that limit or better. Liquidity already taken from the same book is gone.
 */
export function fillsOf(order: Order, book: Book, taken: TakenLiquidity | undefined, resting: boolean): Fill[] {
  if (isStop(order) && !order.triggered) return []
  const fills: Fill[] = []
  let remaining = remainingOf(order)
  let gone = taken !== undefined && taken.bookAt === book.at ? (order.action === 'BUY' ? taken.bought : taken.sold) : 0
  for (const [levelPrice, offered] of opposingLevels(order.action, book)) {
    if (remaining === 0) break
    if (isLimited(order) && (order.action === 'BUY' ? levelPrice > order.price : levelPrice < order.price)) break
    const skipped = Math.min(gone, offered)
    gone -= skipped
    const quantity = least(remaining, wholeLots(subtract(offered, skipped as Quantity), order))
    if (quantity === 0) continue
    fills.push({ price: resting && isLimited(order) ? order.price : levelPrice, quantity })
    remaining = subtract(remaining, quantity)
  }
  return fills
}

/** What is offered in whole lots, so that a partial fill never leaves a position that can't be closed. */
function wholeLots(offered: Quantity, order: Order): Quantity {
  if (offered === UNLIMITED) return offered
  return (offered - (offered % order.instrument.lotSize)) as Quantity
}

/** The whole remainder, level by level, what exceeds the book at its last level: how the exchange closes a position. */
export function fillsOfForcedClose(order: Order, book: Book): Fill[] {
  const fills: Fill[] = []
  let remaining = remainingOf(order)
  const levels = opposingLevels(order.action, book)
  for (const [index, [levelPrice, offered]] of levels.entries()) {
    const quantity = index === levels.length - 1 ? remaining : least(remaining, wholeLots(offered, order))
    if (quantity > 0) fills.push({ price: levelPrice, quantity })
    remaining = subtract(remaining, quantity)
    if (remaining === 0) break
  }
  return fills
}

/** Price of the last unit if the order took the book now: what a buyer who pays in full must have for each unit. */
export function worstPrice(action: Action, quantity: Quantity, book: Book): Price {
  let left = quantity
  let worst = book.ltp
  for (const [levelPrice, offered] of opposingLevels(action, book)) {
    worst = levelPrice
    left = subtract(left, least(left, offered))
    if (left === 0) break
  }
  return action === 'BUY' ? (Math.max(worst, book.ltp) as Price) : worst
}

/** True when this book would make the working order trade or trigger: only then the quote becomes a command. */
export function wouldAct(order: Order, book: Book, taken: TakenLiquidity | undefined): boolean {
  return triggersOn(order, book) || fillsOf(order, book, taken, true).length > 0
}

/** Notes quantity as taken, so that the next order which sees the same book doesn't get it again. */
export function take(
  taken: TakenLiquidity | undefined,
  book: Book,
  action: Action,
  quantity: Quantity,
): TakenLiquidity {
  const current =
    taken !== undefined && taken.bookAt === book.at
      ? taken
      : { bookAt: book.at, bought: ZERO_QUANTITY, sold: ZERO_QUANTITY }
  if (action === 'BUY') current.bought = (current.bought + quantity) as Quantity
  else current.sold = (current.sold + quantity) as Quantity
  return current
}
