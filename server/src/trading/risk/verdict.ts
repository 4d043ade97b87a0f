import type { Instrument } from '../../market/instrument.ts'
import type { AccountView } from './account-view.ts'
import { check, DENIAL_PREFIX, type Judged, type MarketView, onlyReduces, type Standing } from './check.ts'
import type { Bounds } from './effective.ts'
import type { Denial } from './gate.ts'
import { type Measured, measured } from './look.ts'
import { isAtMarket, type Sight, sightOf } from './needs.ts'
import type { InForce } from './ready-limits.ts'
import type { RecentOrders } from './recent-orders.ts'

/** An order, or a change of one, with all that holds for it. */
export interface Case {
  readonly order: Judged
  readonly instrument: Instrument
  readonly strategy: string
  readonly inForce: InForce
  readonly sight: Sight
}

export const caseOf = (order: Judged, instrument: Instrument, strategy: string, inForce: InForce): Case => ({
  order,
  instrument,
  strategy,
  inForce,
  sight: sightOf(inForce.needs, order),
})

/** What an order is measured on, as it is at one moment. */
export interface Measures {
  /** Undefined when no limit asks for what the account holds. */
  readonly view: AccountView | undefined
  readonly recent: RecentOrders
  /** Orders that the key has sent today. */
  readonly keyOrdersToday: number
  readonly market: MarketView | undefined
  readonly now: number
  readonly elapsedMs: number
}

const UNMEASURED = measured()

/** Whether an order may be sent, by the states and limits of every scope; undefined allows it. */
export function verdictOf(judged: Case, measures: Measures): Denial | undefined {
  const { strategy, inForce } = judged
  const { view, keyOrdersToday } = measures
  const { account, key, strategy: own, subjects } = inForce
  return (
    stateDenial(judged, view) ??
    addressDenial(judged) ??
    protectionDenial(judged) ??
    verdictOn(account, view?.account, subjects.account, judged, measures) ??
    verdictOn(key, undefined, subjects.key, judged, measures, keyOrdersToday) ??
    verdictOn(own, view?.strategy(strategy), subjects.strategy, judged, measures)
  )
}

function verdictOn(
  bounds: Bounds,
  { book, loss }: Measured = UNMEASURED,
  subject: string,
  { order }: Case,
  { recent, market, now, elapsedMs }: Measures,
  ordersToday = book.ordersToday,
): Denial | undefined {
  if (bounds.isEmpty) return undefined
  const { numbers } = bounds
  const standing: Standing = {
    openOrders: book.openOrders,
    ordersToday,
    ordersInSecond: numbers.orders_per_second === undefined ? 0 : recent.count(subject, elapsedMs),
    segmentOrdersInSecond:
      numbers.segment_orders_per_second === undefined ? 0 : recent.count(subject, elapsedMs, order.exchange),
    position: book.position(order, order.product),
    instrument: book.instrument(order),
    grossExposure: book.grossExposure,
    netHigh: book.netHigh,
    netLow: book.netLow,
    dailyLoss: loss,
  }
  return check({ order, bounds, standing, market, now })
}

function stateDenial({ order, inForce }: Case, view: AccountView | undefined): Denial | undefined {
  const { state, stateSource } = inForce
  if (state === 'active') return undefined
  if (state === 'halted') return halted(stateSource)
  const position = view?.account.book.position(order, order.product)
  if (position !== undefined && onlyReduces(order, position)) return undefined
  const message = `${DENIAL_PREFIX} ${stateSource} is in reduce_only, and this order does more than make the position in ${order.symbol} ${order.product} smaller.`
  return { code: 'risk_reduce_only', message }
}

/** Where the exchanges' rules apply, they must know the addresses that orders by API come from. */
function addressDenial({ inForce: { unboundSource } }: Case): Denial | undefined {
  if (unboundSource === undefined) return undefined
  const message = `${DENIAL_PREFIX} the exchanges' rules (${unboundSource}) take orders by API only from known addresses, and this key may be used from any. Make one with networks, such as "203.0.113.7".`
  return { code: 'risk_address_unbound', message }
}

/** Where the exchanges' rules apply, something must say how bad a price an order at market may get. */
function protectionDenial({ order, inForce: { protectionSource, needs } }: Case): Denial | undefined {
  if (protectionSource === undefined || needs.protection || !isAtMarket(order.priceType)) return undefined
  const message = `${DENIAL_PREFIX} the exchanges' rules (${protectionSource}) take ${order.priceType} orders by API only with protection. Set market_protection_percent, or send a LIMIT order.`
  return { code: 'risk_unprotected', message }
}

export const halted = (source: string): Denial => ({
  code: 'risk_halted',
  message: `${DENIAL_PREFIX} ${source} is halted. Nothing is sent until killswitch/release has ended that.`,
})
