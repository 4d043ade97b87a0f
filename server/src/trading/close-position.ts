import type { PositionReport, Venue } from '../brokers/venue.ts'
import { Refusal } from '../kernel/errors.ts'
import { absolute, least, type Quantity, subtract, ZERO_PRICE, ZERO_QUANTITY } from '../kernel/fixed.ts'
import { inTurnOf } from './flow/position-turns.ts'

/** Strategy tag of closing orders, as users of the platform know it. */
export const CLOSE_STRATEGY = 'AUTO_SQUARE_OFF'
/** Orders that one position may be closed with; each is at most the freeze quantity. */
export const CLOSING_ORDERS_MAX = 100

export interface CloseOutcome {
  readonly symbol: string
  readonly exchange: string
  readonly product: string
  readonly orderIds: readonly string[]
  /** Why the position isn't closed; undefined when every closing order was accepted. */
  readonly failure: string | undefined
}

/**
 * Closes one position at market. What still works in it is cancelled first: an exit left behind would open it the other
 * way. Above the exchange's freeze quantity it takes several orders.
 */
export const closePosition = (venue: Venue, position: PositionReport): Promise<CloseOutcome> =>
  inTurnOf(venue, position, () => closeInTurn(venue, position))

async function closeInTurn(venue: Venue, position: PositionReport): Promise<CloseOutcome> {
  const { symbol, exchange, product } = position
  await cancelWorking(venue, position)
  const left = (await venue.positions()).find(
    (other) => other.symbol === symbol && other.exchange === exchange && other.product === product,
  )
  return closeQuantity(venue, position, left?.quantity ?? ZERO_QUANTITY, CLOSE_STRATEGY)
}

/** Sells so much of what is held at market, or buys it back when it is negative. */
export async function closeQuantity(
  venue: Venue,
  held: Pick<PositionReport, 'symbol' | 'exchange' | 'product' | 'instrument'>,
  open: Quantity,
  strategy: string,
): Promise<CloseOutcome> {
  const { symbol, exchange, product, instrument } = held
  const orderIds: string[] = []
  const outcome = (failure?: string): CloseOutcome => ({ symbol, exchange, product, orderIds, failure })
  let remaining = absolute(open)
  const action = open > 0 ? 'SELL' : 'BUY'
  while (remaining > 0) {
    if (orderIds.length >= CLOSING_ORDERS_MAX)
      return outcome(`more than ${CLOSING_ORDERS_MAX} orders of the freeze quantity would be needed`)
    const quantity = least(remaining, largestOrder(instrument, remaining))
    const report = await venue.place({
      instrument,
      action,
      quantity,
      priceType: 'MARKET',
      product,
      price: ZERO_PRICE,
      triggerPrice: ZERO_PRICE,
      disclosedQuantity: ZERO_QUANTITY,
      strategy,
    })
    orderIds.push(report.id)
    if (report.status === 'rejected') return outcome(report.reason)
    remaining = subtract(remaining, quantity)
  }
  return outcome()
}

function largestOrder({ freezeQuantity, lotSize }: PositionReport['instrument'], remaining: Quantity): Quantity {
  return freezeQuantity === 0 ? remaining : ((freezeQuantity - (freezeQuantity % lotSize)) as Quantity)
}

async function cancelWorking(venue: Venue, position: PositionReport): Promise<void> {
  for (const order of await venue.orders()) {
    const same =
      order.symbol === position.symbol && order.exchange === position.exchange && order.product === position.product
    if (!same || (order.status !== 'open' && order.status !== 'trigger pending')) continue
    try {
      await venue.cancel(order.id)
    } catch (error) {
      // It finished meanwhile: what it filled is in the position that is read next.
      if (!(error instanceof Refusal && error.code === 'order_not_open')) throw error
    }
  }
}
