import type { OrderReport, Venue } from '../../brokers/venue.ts'
import { Refusal, type RefusalCode } from '../../kernel/errors.ts'
import { ZERO_QUANTITY } from '../../kernel/fixed.ts'
import type { Leg, LegOutcome, Plan } from '../plan.ts'
import type { OrderRequest } from '../trading.ts'
import type { Work } from './intent.ts'

/** What became of a leg whose order is there. `denied` is the code of the limits' denial. */
export function outcomeOf(leg: Leg, report: OrderReport, denied: string | undefined, venue: Venue): LegOutcome {
  if (report.status !== 'rejected') return { kind: 'placed', leg, report }
  const code = (denied ?? 'order_rejected') as RefusalCode
  const refusal = new Refusal(code, report.reason, { extra: { mode: venue.mode, orderid: report.id } })
  return { kind: 'refused', leg, refusal, orderId: report.id, cause: report.cause }
}

export const inPlace = (outcomes: readonly LegOutcome[]): readonly LegOutcome[] =>
  outcomes.toSorted((one, other) => one.leg.position - other.leg.position)

/** Orders that an earlier process had sent, oldest first. */
export function sentBefore(
  plan: Plan,
  known: readonly OrderReport[],
  denied: NonNullable<Work['denied']>,
  venue: Venue,
): readonly LegOutcome[] {
  return known
    .toSorted((one, other) => (one.id < other.id ? -1 : 1))
    .map((report) => {
      const position = report.leg ?? 0
      const planned = plan.legs.find((leg) => leg.position === position)
      return outcomeOf({ ...planned, position, order: requestOf(report) }, report, denied[position], venue)
    })
}

export const abandoned = (leg: Leg): LegOutcome => ({
  kind: 'not-sent',
  leg,
  reason: 'Not sent, because the server stopped before, and not all that is missing is listed any more.',
})

const requestOf = (report: OrderReport): OrderRequest => ({
  symbol: report.symbol,
  exchange: report.exchange,
  action: report.action,
  quantity: report.quantity,
  priceType: report.priceType,
  product: report.product,
  price: report.price,
  triggerPrice: report.triggerPrice,
  disclosedQuantity: ZERO_QUANTITY,
  strategy: report.strategy,
  tag: report.tag,
})
