import type { Action } from '../../brokers/venue.ts'
import type { Price, Quantity } from '../../kernel/fixed.ts'
import type { Depth } from '../../market/market-data.ts'

/** Worst price that the visible book would fill an order at market at; undefined when it holds less than the order. */
export function worstPrice(depth: Pick<Depth, 'bids' | 'asks'>, action: Action, quantity: Quantity): Price | undefined {
  let left: number = quantity
  for (const level of action === 'BUY' ? depth.asks : depth.bids) {
    left -= level.quantity
    if (left <= 0) return level.price
  }
  return undefined
}
