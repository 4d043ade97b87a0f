import type { Judged } from './check.ts'
import type { Effective } from './effective.ts'
import type { NumberLimit } from './limits.ts'

/** What has to be known to judge an order. */
export interface Needs {
  /** What the account holds and what works in it. */
  readonly account: boolean
  /** What that is worth now. */
  readonly prices: boolean
  /** The last price of the order's instrument. */
  readonly quote: boolean
  /** Its book too. */
  readonly depth: boolean
}

const OF_ACCOUNT: readonly NumberLimit[] = [
  'open_orders',
  'orders_per_day',
  'position_quantity',
  'gross_exposure',
  'net_exposure',
  'daily_loss',
]
const OF_PRICES: readonly NumberLimit[] = ['gross_exposure', 'net_exposure', 'daily_loss']
const PROTECTION: readonly NumberLimit[] = ['market_protection_percent']
const AGE: readonly NumberLimit[] = ['quote_age_ms']
const DISTANCE: readonly NumberLimit[] = ['price_distance_percent']
const VALUE: readonly NumberLimit[] = ['order_value']

export function needsOf(effective: Effective, order: Judged): Needs {
  const { account, strategy, state } = effective
  const has = (names: readonly NumberLimit[]): boolean =>
    names.some((name) => account.numbers[name] !== undefined || strategy.numbers[name] !== undefined)
  const prices = has(OF_PRICES)
  const hasPrice = order.price > 0 || order.triggerPrice > 0
  return {
    account: state === 'reduce_only' || has(OF_ACCOUNT),
    prices,
    depth: isAtMarket(order) && !order.waits && has(PROTECTION),
    quote:
      (!order.waits && has(AGE)) ||
      (order.priceType === 'LIMIT' && has(DISTANCE)) ||
      (!hasPrice && (prices || has(VALUE))),
  }
}

const isAtMarket = ({ priceType }: Judged): boolean => priceType === 'MARKET' || priceType === 'SL-M'

/** Whether nothing says how bad a price an order at market may get. */
export const isUnprotected = ({ account, strategy }: Effective, order: Judged): boolean =>
  isAtMarket(order) &&
  account.numbers.market_protection_percent === undefined &&
  strategy.numbers.market_protection_percent === undefined
