import { assert } from '../kernel/assert.ts'
import type { ExchangeDate } from '../kernel/exchange-time.ts'
import { type Money, money, type Quantity, ZERO_MONEY } from '../kernel/fixed.ts'
import { type Attribution, assertAttributed, emptyAttribution } from './attribution/attribution.ts'
import type { Gtt } from './gtt/gtt.ts'
import { assertGtts } from './gtt/invariants.ts'
import { type Holding, instrumentKey, isWorking, type Order, type Position, positionKey, type Trade } from './order.ts'
import { OrdersById } from './orders-by-id.ts'
import { assertPortfolio, emptyPortfolio, type Portfolio } from './portfolio.ts'

/** Shares or contracts already taken from the book that was current at `bookAt`. */
export interface TakenLiquidity {
  bookAt: number
  bought: Quantity
  sold: Quantity
}

/** All that one account has, now. Changed by `apply` alone. */
export interface AccountState {
  readonly account: string
  /** Number of the last command applied; 0 before the first. */
  seq: number
  /** Instant of the last command applied. */
  lastAt: number
  sessionDate: ExchangeDate
  capital: Money
  /** Profit and loss realised since the last reset. */
  realised: Money
  realisedToday: Money
  /** Sum of the margins of working orders, positions, groups of contracts and active triggers. Kept in step by `ledger.ts`. */
  reserved: Money
  /** Sum of the costs of holdings. */
  holdingsCost: Money
  resetAt: number
  resetCount: number
  /** Requests placed, modified and cancelled since the account exists. */
  requestCount: number
  /** The session's orders by id, oldest first. */
  readonly orders: OrdersById
  readonly trades: Trade[]
  /** Working orders by instrument, oldest first. */
  readonly working: Map<string, Order[]>
  workingCount: number
  readonly positions: Map<string, Position>
  readonly holdings: Map<string, Holding>
  readonly taken: Map<string, TakenLiquidity>
  /** Active triggers, and those that ended in this session, by id, oldest first. */
  readonly gtts: Map<string, Gtt>
  /** Active triggers by instrument, oldest first. */
  readonly watched: Map<string, Gtt[]>
  activeGttCount: number
  /** Contracts that are margined together. */
  readonly portfolio: Portfolio
  /** Whose the positions and the profit are. */
  readonly attribution: Attribution
}

export function openAccount(account: string, capital: Money, at: number, sessionDate: ExchangeDate): AccountState {
  return {
    account,
    seq: 0,
    lastAt: at,
    sessionDate,
    capital,
    realised: ZERO_MONEY,
    realisedToday: ZERO_MONEY,
    reserved: ZERO_MONEY,
    holdingsCost: ZERO_MONEY,
    resetAt: at,
    resetCount: 0,
    requestCount: 0,
    orders: new OrdersById(),
    trades: [],
    working: new Map(),
    workingCount: 0,
    positions: new Map(),
    holdings: new Map(),
    taken: new Map(),
    gtts: new Map(),
    watched: new Map(),
    activeGttCount: 0,
    portfolio: emptyPortfolio(),
    attribution: emptyAttribution(),
  }
}

/** Cash free for new business. Negative after losses beyond the margin of what was closed. */
export function availableOf(state: AccountState): Money {
  return money(state.capital + state.realised - state.reserved - state.holdingsCost)
}

/** Throws unless the books add up. Cheap enough for tests after every command; run on each start after recovery. */
export function assertInvariants(state: AccountState): void {
  let reserved = 0
  let workingCount = 0
  for (const order of state.orders.values()) {
    assert(order.margin >= 0, `order ${order.id} has margin ${order.margin}`)
    assert(order.filledQuantity >= 0 && order.filledQuantity <= order.quantity, `order ${order.id} is overfilled`)
    assert(isWorking(order) || order.margin === 0, `finished order ${order.id} still holds margin`)
    assert(
      (order.status === 'complete') === (order.filledQuantity === order.quantity),
      `order ${order.id} is ${order.status} with ${order.filledQuantity} of ${order.quantity}`,
    )
    reserved += order.margin
    if (isWorking(order)) {
      workingCount += 1
      assert(
        state.working.get(instrumentKey(order.instrument))?.includes(order) === true,
        `working order ${order.id} isn't on a book`,
      )
    }
  }
  let listed = 0
  for (const list of state.working.values()) listed += list.length
  assert(
    listed === workingCount && workingCount === state.workingCount,
    `${listed} listed, ${state.workingCount} counted, ${workingCount} working orders`,
  )
  for (const [key, position] of state.positions) {
    assert(key === positionKey(position.instrument, position.product), `position ${key} has a wrong key`)
    assert(position.margin >= 0, `position ${key} has margin ${position.margin}`)
    assert(
      position.quantity !== 0 || (position.cost === 0 && position.margin === 0),
      `flat position ${key} holds money`,
    )
    assert(position.product !== 'CNC' || position.quantity >= 0, `delivery position ${key} is short`)
    assert(
      position.product !== 'CNC' || position.margin === position.cost,
      `delivery position ${key} isn't paid in full`,
    )
    reserved += position.margin
  }
  let holdingsCost = 0
  for (const [key, holding] of state.holdings) {
    assert(holding.quantity > 0 && holding.cost >= 0, `holding ${key} is ${holding.quantity}`)
    holdingsCost += holding.cost
  }
  reserved += assertGtts(state) + assertPortfolio(state)
  assert(reserved === state.reserved, `reserved is ${state.reserved}, its owners hold ${reserved}`)
  assert(holdingsCost === state.holdingsCost, `holdings cost ${state.holdingsCost}, their sum is ${holdingsCost}`)
  assertAttributed(state)
}
