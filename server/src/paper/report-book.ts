import type { OrderReport, TradeReport } from '../brokers/venue.ts'
import type { Order, Trade } from './order.ts'
import { reportOf, tradeReportOf } from './reports.ts'
import type { AccountState } from './state.ts'

/**
 * The session's orders and trades as reports. What hasn't changed since the last reading is the same report as then, and
 * when nothing has, the list is the same list: so who shows them needs to make anew only what is new.
 */
export class ReportBook {
  readonly #state: AccountState
  #ordersAt = -1
  #orders: readonly OrderReport[] = []
  #tradesAt = -1
  #trades: readonly TradeReport[] = []
  #firstTrade: Trade | undefined

  constructor(state: AccountState) {
    this.#state = state
  }

  /** Oldest first. */
  orders(): readonly OrderReport[] {
    const { seq, orders } = this.#state
    if (this.#ordersAt === seq) return this.#orders
    const before = this.#orders
    const reports: OrderReport[] = []
    for (const order of orders.values()) {
      const known = before[reports.length]
      reports.push(known !== undefined && isCurrent(known, order) ? known : reportOf(order))
    }
    this.#orders = reports
    this.#ordersAt = seq
    return reports
  }

  /** Oldest first. */
  trades(): readonly TradeReport[] {
    const { seq, trades } = this.#state
    if (this.#tradesAt === seq) return this.#trades
    // Trades never change, and all of a session leave together
    const known = this.#firstTrade === trades[0] ? this.#trades : []
    this.#trades = [...known, ...trades.slice(known.length).map(tradeReportOf)]
    this.#firstTrade = trades[0]
    this.#tradesAt = seq
    return this.#trades
  }
}

const isCurrent = (report: OrderReport, order: Order): boolean =>
  report.id === order.id &&
  report.status === order.status &&
  report.filledQuantity === order.filledQuantity &&
  report.updatedAt === order.updatedAt &&
  report.quantity === order.quantity &&
  report.price === order.price &&
  report.triggerPrice === order.triggerPrice &&
  report.reason === order.reason
