import { multiplierOf, priceOf, quantityOf } from '../../kernel/fixed.ts'
import { type CheckInput, check, type Judged, type Standing } from './check.ts'
import { effectiveOf, type RiskRule } from './effective.ts'
import type { Limits } from './limits.ts'
import type { RiskScope } from './scope.ts'
import { NO_RULES } from './test-rules.ts'

/** For tests of the check: an order, what its account has, and the verdict on them. */

export const NOW = Date.parse('2026-11-25T11:00:00+05:30')
export const ACCOUNT: RiskScope = { kind: 'account', account: 'default' }

export const rule = (limits: Limits, scope: RiskScope = ACCOUNT): RiskRule => ({
  scope,
  state: 'active',
  limits,
  algoId: '',
  algoRegistration: '',
})
export const boundsOf = (limits: Limits) => effectiveOf({ ...NO_RULES, account: rule(limits) }).account

export const order = (over: Partial<Judged> = {}): Judged => {
  const quantity = over.quantity ?? quantityOf(10)
  return {
    symbol: 'SBIN',
    exchange: 'NSE',
    action: 'BUY',
    product: 'MIS',
    priceType: 'LIMIT',
    quantity,
    added: quantity,
    price: priceOf(100),
    triggerPrice: priceOf(0),
    multiplier: multiplierOf(1),
    isNew: true,
    waits: false,
    ...over,
  }
}
export const holding = (quantity = 0, buying = 0, selling = 0) => ({
  quantity: quantityOf(quantity) as number,
  buying: quantityOf(buying) as number,
  selling: quantityOf(selling) as number,
})
export const standing = (over: Partial<Standing> = {}): Standing => ({
  openOrders: 0,
  ordersToday: 0,
  ordersInSecond: 0,
  segmentOrdersInSecond: 0,
  position: holding(),
  instrument: holding(),
  grossExposure: 0,
  netHigh: 0,
  netLow: 0,
  dailyLoss: 0,
  ...over,
})
export const held = (quantity: number, buying = 0, selling = 0): Partial<Standing> => ({
  position: holding(quantity, buying, selling),
  instrument: holding(quantity, buying, selling),
})
export const quote = (last: number, worst: number | undefined = last, ageMs = 0) => ({
  lastPrice: priceOf(last),
  worst: worst === undefined ? undefined : priceOf(worst),
  at: NOW - ageMs,
})

export interface Case {
  readonly limits: Limits
  readonly order?: Partial<Judged>
  readonly standing?: Partial<Standing>
  readonly market?: CheckInput['market']
  readonly now?: number
}
export const run = (given: Case) =>
  check({
    order: order(given.order),
    bounds: boundsOf(given.limits),
    standing: standing(given.standing),
    market: given.market,
    now: given.now ?? NOW,
  })
