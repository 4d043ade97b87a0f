import type { FundsReport, OrderReport, PositionReport, TradeReport } from '../brokers/venue.ts'
import type { VenueEvent } from '../brokers/venue-event.ts'

/**
 * Events as text, as the record file has them. Those that every order leads to are lists of their fields without names:
 * half the length and half the time of objects, as which the others stand, and as which earlier versions wrote all.
 */

/** JSON of a list of events. What is undefined stays so. */
export function textOfEvents(events: readonly VenueEvent[]): string {
  const written: unknown[] = []
  for (const event of events) written.push(writtenOf(event))
  return JSON.stringify(written)
}

/** The events of a parsed list. */
export const eventsOf = (written: readonly Written[]): readonly VenueEvent[] => written.map(eventOf)

export type Written = VenueEvent | OrderCells | TradeCells | PositionCells | FundsCells

function writtenOf(event: VenueEvent): Written {
  switch (event.type) {
    case 'order':
      return orderCells(event.order)
    case 'trade':
      return tradeCells(event.trade)
    case 'position':
      return positionCells(event.position)
    case 'funds':
      return fundsCells(event.funds)
    default:
      return event
  }
}

function eventOf(written: Written): VenueEvent {
  if (!isCells(written)) return written
  switch (written[0]) {
    case 'order':
      return { type: 'order', order: orderOf(written) }
    case 'trade':
      return { type: 'trade', trade: tradeOf(written) }
    case 'position':
      return { type: 'position', position: positionOf(written) }
    case 'funds':
      return { type: 'funds', funds: fundsOf(written) }
  }
}

const isCells = (written: Written): written is Exclude<Written, VenueEvent> => Array.isArray(written)

/** JSON knows no undefined. */
type Cell<Value> = undefined extends Value ? Exclude<Value, undefined> | null | undefined : Value
type Position = Omit<PositionReport, 'instrument'>

type OrderCells = readonly [
  'order',
  id: OrderReport['id'],
  symbol: OrderReport['symbol'],
  exchange: OrderReport['exchange'],
  action: OrderReport['action'],
  quantity: OrderReport['quantity'],
  priceType: OrderReport['priceType'],
  product: OrderReport['product'],
  price: OrderReport['price'],
  triggerPrice: OrderReport['triggerPrice'],
  status: OrderReport['status'],
  filledQuantity: OrderReport['filledQuantity'],
  averagePrice: OrderReport['averagePrice'],
  reason: OrderReport['reason'],
  cause: Cell<OrderReport['cause']>,
  strategy: OrderReport['strategy'],
  tag: Cell<OrderReport['tag']>,
  root: OrderReport['root'],
  leg: Cell<OrderReport['leg']>,
  origin: Cell<OrderReport['origin']>,
  algoId: Cell<OrderReport['algoId']>,
  placedAt: OrderReport['placedAt'],
  updatedAt: OrderReport['updatedAt'],
]

const orderCells = (order: OrderReport): OrderCells => [
  'order',
  order.id,
  order.symbol,
  order.exchange,
  order.action,
  order.quantity,
  order.priceType,
  order.product,
  order.price,
  order.triggerPrice,
  order.status,
  order.filledQuantity,
  order.averagePrice,
  order.reason,
  order.cause,
  order.strategy,
  order.tag,
  order.root,
  order.leg,
  order.origin,
  order.algoId,
  order.placedAt,
  order.updatedAt,
]

const orderOf = (cells: OrderCells): Required<OrderReport> => ({
  id: cells[1],
  symbol: cells[2],
  exchange: cells[3],
  action: cells[4],
  quantity: cells[5],
  priceType: cells[6],
  product: cells[7],
  price: cells[8],
  triggerPrice: cells[9],
  status: cells[10],
  filledQuantity: cells[11],
  averagePrice: cells[12],
  reason: cells[13],
  cause: cells[14] ?? undefined,
  strategy: cells[15],
  tag: cells[16] ?? undefined,
  root: cells[17],
  leg: cells[18] ?? undefined,
  origin: cells[19] ?? undefined,
  algoId: cells[20] ?? undefined,
  placedAt: cells[21],
  updatedAt: cells[22],
})

type TradeCells = readonly [
  'trade',
  id: TradeReport['id'],
  orderId: TradeReport['orderId'],
  symbol: TradeReport['symbol'],
  exchange: TradeReport['exchange'],
  action: TradeReport['action'],
  product: TradeReport['product'],
  quantity: TradeReport['quantity'],
  price: TradeReport['price'],
  value: TradeReport['value'],
  charges: Cell<TradeReport['charges']>,
  strategy: TradeReport['strategy'],
  at: TradeReport['at'],
]

const tradeCells = (trade: TradeReport): TradeCells => [
  'trade',
  trade.id,
  trade.orderId,
  trade.symbol,
  trade.exchange,
  trade.action,
  trade.product,
  trade.quantity,
  trade.price,
  trade.value,
  trade.charges,
  trade.strategy,
  trade.at,
]

const tradeOf = (cells: TradeCells): Required<TradeReport> => ({
  id: cells[1],
  orderId: cells[2],
  symbol: cells[3],
  exchange: cells[4],
  action: cells[5],
  product: cells[6],
  quantity: cells[7],
  price: cells[8],
  value: cells[9],
  charges: cells[10] ?? undefined,
  strategy: cells[11],
  at: cells[12],
})

type PositionCells = readonly [
  'position',
  symbol: Position['symbol'],
  exchange: Position['exchange'],
  product: Position['product'],
  multiplier: Position['multiplier'],
  quantity: Position['quantity'],
  cost: Position['cost'],
  averagePrice: Position['averagePrice'],
  realisedToday: Position['realisedToday'],
]

const positionCells = (position: Position): PositionCells => [
  'position',
  position.symbol,
  position.exchange,
  position.product,
  position.multiplier,
  position.quantity,
  position.cost,
  position.averagePrice,
  position.realisedToday,
]

const positionOf = (cells: PositionCells): Required<Position> => ({
  symbol: cells[1],
  exchange: cells[2],
  product: cells[3],
  multiplier: cells[4],
  quantity: cells[5],
  cost: cells[6],
  averagePrice: cells[7],
  realisedToday: cells[8],
})

type FundsCells = readonly [
  'funds',
  available: FundsReport['available'],
  reserved: FundsReport['reserved'],
  realised: FundsReport['realised'],
  realisedToday: FundsReport['realisedToday'],
  resetAt: FundsReport['resetAt'],
  resetCount: FundsReport['resetCount'],
]

const fundsCells = (funds: FundsReport): FundsCells => [
  'funds',
  funds.available,
  funds.reserved,
  funds.realised,
  funds.realisedToday,
  funds.resetAt,
  funds.resetCount,
]

const fundsOf = (cells: FundsCells): Required<FundsReport> => ({
  available: cells[1],
  reserved: cells[2],
  realised: cells[3],
  realisedToday: cells[4],
  resetAt: cells[5],
  resetCount: cells[6],
})
