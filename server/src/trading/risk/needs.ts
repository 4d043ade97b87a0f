import type { Judged } from './check.ts'
import type { Effective } from './effective.ts'
import type { NumberLimit } from './limits.ts'

/** What limits ask for, whatever the order. */
export interface Needs {
  /** What the account holds and what works in it. */
  readonly account: boolean
  /** What that is worth now. */
  readonly prices: boolean
  /** Limits that look at the market. */
  readonly value: boolean
  readonly age: boolean
  readonly distance: boolean
  readonly protection: boolean
}

/** How far limits look at the market for one order: a book has the last price too. */
export const NO_SIGHT = 0
export const LAST_PRICE = 1
export const BOOK = 2
export type Sight = typeof NO_SIGHT | typeof LAST_PRICE | typeof BOOK

export function needsOf({ account, strategy, state }: Pick<Effective, 'account' | 'strategy' | 'state'>): Needs {
  const has = (...names: readonly NumberLimit[]): boolean =>
    names.some((name) => account.numbers[name] !== undefined || strategy.numbers[name] !== undefined)
  return {
    account:
      state === 'reduce_only' ||
      has('open_orders', 'orders_per_day', 'position_quantity', 'gross_exposure', 'net_exposure', 'daily_loss'),
    prices: has('gross_exposure', 'net_exposure', 'daily_loss'),
    value: has('order_value'),
    age: has('quote_age_ms'),
    distance: has('price_distance_percent'),
    protection: has('market_protection_percent'),
  }
}

export function sightOf(needs: Needs, { priceType, price, triggerPrice, waits }: Judged): Sight {
  if (needs.protection && !waits && isAtMarket(priceType)) return BOOK
  const isWanted =
    (needs.age && !waits) ||
    (needs.distance && priceType === 'LIMIT') ||
    ((needs.prices || needs.value) && price <= 0 && triggerPrice <= 0)
  return isWanted ? LAST_PRICE : NO_SIGHT
}

export const isAtMarket = (priceType: Judged['priceType']): boolean => priceType === 'MARKET' || priceType === 'SL-M'
