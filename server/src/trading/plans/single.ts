import type { Plan } from '../plan.ts'
import type { OrderRequest } from '../trading.ts'

/** One order, as it was asked for. */
export const singlePlan = (order: OrderRequest): Plan => ({
  legs: [{ position: 0, order }],
  onRefusal: 'stop',
  marginTogether: false,
})
