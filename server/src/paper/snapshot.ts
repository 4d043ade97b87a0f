import { unattributed } from './attribution/attribution.ts'
import { decodeAttribution, type EncodedAttribution, encodeAttribution } from './attribution/encoding.ts'
import { decodeGtts } from './gtt/apply.ts'
import type { Gtt } from './gtt/gtt.ts'
import { type Holding, instrumentKey, isWorking, type Order, type Position, positionKey, type Trade } from './order.ts'
import { OrdersById } from './orders-by-id.ts'
import { decodePortfolio, type EncodedGroup, encodePortfolio } from './portfolio.ts'
import type { AccountState, TakenLiquidity } from './state.ts'

/** The state as JSON. Everything in it is integers and text, so that it comes back exactly. */
export function encodeState(state: AccountState): string {
  const {
    orders,
    positions,
    holdings,
    taken,
    portfolio,
    attribution,
    working: _derived,
    workingCount: _counted,
    ...other
  } = state
  const { gtts, watched: _watched, activeGttCount: _active, ...rest } = other
  return JSON.stringify({
    ...rest,
    orders: [...orders.values()],
    positions: [...positions.values()],
    holdings: [...holdings.values()],
    taken: [...taken],
    gtts: [...gtts.values()],
    portfolio: encodePortfolio(portfolio),
    attribution: encodeAttribution(attribution),
  })
}

interface Encoded
  extends Omit<
    AccountState,
    | 'orders'
    | 'working'
    | 'workingCount'
    | 'positions'
    | 'holdings'
    | 'taken'
    | 'gtts'
    | 'watched'
    | 'activeGttCount'
    | 'portfolio'
    | 'attribution'
  > {
  readonly orders: Order[]
  readonly trades: Trade[]
  readonly positions: Position[]
  readonly holdings: Holding[]
  readonly taken: [string, TakenLiquidity][]
  /** Absent in snapshots from before there were any. */
  readonly gtts?: Gtt[]
  /** Absent in snapshots from before contracts could be margined together. */
  readonly portfolio?: EncodedGroup[]
  /** Absent in snapshots from before strategies were kept apart. */
  readonly attribution?: EncodedAttribution
}

export function decodeState(text: string): AccountState {
  const {
    orders,
    positions,
    holdings,
    taken,
    gtts = [],
    portfolio = [],
    attribution,
    ...rest
  } = JSON.parse(text) as Encoded
  const working = new Map<string, Order[]>()
  let workingCount = 0
  for (const order of orders) {
    if (!isWorking(order)) continue
    const key = instrumentKey(order.instrument)
    const list = working.get(key)
    if (list === undefined) working.set(key, [order])
    else list.push(order)
    workingCount += 1
  }
  const state = {
    ...rest,
    orders: new OrdersById(orders),
    positions: new Map(positions.map((position) => [positionKey(position.instrument, position.product), position])),
    holdings: new Map(holdings.map((holding) => [instrumentKey(holding.instrument), holding])),
    taken: new Map(taken),
    working,
    workingCount,
    portfolio: decodePortfolio(portfolio),
    ...decodeGtts(gtts),
  }
  return {
    ...state,
    attribution: attribution === undefined ? unattributed(state, state.trades.length) : decodeAttribution(attribution),
  }
}
