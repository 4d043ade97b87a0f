import type { Plan } from '../plan.ts'
import type { OrderRequest } from '../trading.ts'

/** All orders as one thing: what is bought first, then what is sold, each in the order of the request. */
export function basketPlan(orders: readonly OrderRequest[]): Plan {
  const legs = orders.map((order, position) => ({ position, order }))
  return {
    legs: [
      ...legs.filter(({ order }) => order.action === 'BUY'),
      ...legs.filter(({ order }) => order.action === 'SELL'),
    ],
    onRefusal: 'continue',
    marginTogether: true,
  }
}
