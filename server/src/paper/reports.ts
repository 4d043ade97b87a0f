import type {
  BooksReport,
  FundsReport,
  HoldingReport,
  OrderReport,
  PositionReport,
  TradeReport,
} from '../brokers/venue.ts'
import { averagePrice } from '../kernel/fixed.ts'
import { type Holding, instrumentOf, type Order, type Position, type Trade } from './order.ts'
import { type AccountState, availableOf } from './state.ts'

/** The paper exchange's books in the words of venues. */

export function reportOf(order: Readonly<Order>): OrderReport {
  return {
    id: order.id,
    symbol: order.instrument.symbol,
    exchange: order.instrument.exchange,
    action: order.action,
    quantity: order.quantity,
    priceType: order.priceType,
    product: order.product,
    price: order.price,
    triggerPrice: order.triggerPrice,
    status: order.status,
    filledQuantity: order.filledQuantity,
    averagePrice: averagePrice(order.filledValue, order.filledQuantity, order.instrument.multiplier),
    reason: order.reason,
    cause: order.cause,
    strategy: order.strategy,
    tag: order.tag,
    root: order.root ?? order.id,
    leg: order.leg,
    origin: order.origin,
    algoId: order.algoId,
    placedAt: order.placedAt,
    updatedAt: order.updatedAt,
  }
}

export function tradeReportOf(trade: Trade): TradeReport {
  return {
    id: trade.id,
    orderId: trade.orderId,
    symbol: trade.instrument.symbol,
    exchange: trade.instrument.exchange,
    action: trade.action,
    product: trade.product,
    quantity: trade.quantity,
    price: trade.price,
    value: trade.value,
    charges: trade.charges,
    strategy: trade.strategy,
    at: trade.at,
  }
}

export const positionReportOf = (position: Readonly<Position>): PositionReport => ({
  symbol: position.instrument.symbol,
  exchange: position.instrument.exchange,
  product: position.product,
  multiplier: position.instrument.multiplier,
  quantity: position.quantity,
  cost: position.cost,
  averagePrice: averagePrice(position.cost, position.quantity, position.instrument.multiplier),
  realisedToday: position.realisedToday,
  instrument: instrumentOf(position.instrument),
})

export const holdingReportOf = (holding: Readonly<Holding>): HoldingReport => ({
  symbol: holding.instrument.symbol,
  exchange: holding.instrument.exchange,
  quantity: holding.quantity,
  cost: holding.cost,
  averagePrice: averagePrice(holding.cost, holding.quantity, holding.instrument.multiplier),
  settledOn: holding.settledOn,
  instrument: instrumentOf(holding.instrument),
})

export const fundsReportOf = (state: AccountState): FundsReport => ({
  available: availableOf(state),
  reserved: state.reserved,
  realised: state.realised,
  realisedToday: state.realisedToday,
  resetAt: state.resetAt,
  resetCount: state.resetCount,
})

export function booksReportOf(state: AccountState): BooksReport {
  return {
    funds: fundsReportOf(state),
    positions: [...state.positions.values()].map(positionReportOf),
    holdings: [...state.holdings.values()].map(holdingReportOf),
    strategies: [...state.attribution.strategies].map(([strategy, totals]) => ({ strategy, ...totals })),
    strategyPositions: [...state.attribution.lines.values()].flatMap((lines) =>
      [...lines].map(([strategy, { instrument, product, quantity, cost, realisedToday, lastPrice }]) => ({
        strategy,
        symbol: instrument.symbol,
        exchange: instrument.exchange,
        product,
        multiplier: instrument.multiplier,
        quantity,
        cost,
        averagePrice: averagePrice(cost, quantity, instrument.multiplier),
        realisedToday,
        lastPrice,
        instrument: instrumentOf(instrument),
      })),
    ),
  }
}
