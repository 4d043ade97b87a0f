import type { Measured } from './look.ts'

/** What somebody has used of their limits. */
export interface Use {
  readonly openOrders: number
  readonly ordersToday: number
  readonly ordersInSecond: number
  /** Paise; likewise the others. */
  readonly grossExposure: number
  readonly netExposure: number
  readonly dailyLoss: number
}

export interface Uses {
  readonly account: Use
  readonly key: Pick<Use, 'ordersToday' | 'ordersInSecond'>
  /** Undefined of a strategy that nothing is set for. */
  readonly strategy: Use | undefined
}

export const useOf = ({ book, loss }: Measured, ordersInSecond: number): Use => ({
  openOrders: book.openOrders,
  ordersToday: book.ordersToday,
  ordersInSecond,
  grossExposure: book.grossExposure,
  netExposure: Math.max(book.netHigh, -book.netLow, 0),
  dailyLoss: Math.max(loss, 0),
})
