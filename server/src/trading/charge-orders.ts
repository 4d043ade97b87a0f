import type { NewOrder } from '../brokers/venue.ts'
import {
  type BrokerageTerms,
  type Charges,
  chargesOf,
  type Segment,
  segmentOf,
  sumOfCharges,
} from '../charges/index.ts'
import { Refusal } from '../kernel/errors.ts'
import type { ExchangeDate } from '../kernel/exchange-time.ts'
import { type Price, tradeValue } from '../kernel/fixed.ts'
import type { MarketData } from '../market/market-data.ts'
import { lastPrices } from './valuation.ts'

export interface OrderCharges {
  readonly total: Charges
  /** In the order of the orders. */
  readonly legs: readonly { readonly segment: Segment; readonly price: Price; readonly charges: Charges }[]
}

/**
 * What orders cost besides their prices when each is filled whole: at its limit, at its trigger, or at the last price.
 * Throws Refusal: quote_unavailable for an order at market whose price isn't known.
 */
export async function chargeOrders(
  orders: readonly NewOrder[],
  marketData: MarketData,
  terms: BrokerageTerms,
  date: ExchangeDate,
): Promise<OrderCharges> {
  const atMarket = orders.filter((order) => ownPrice(order) === 0)
  const prices = await lastPrices(atMarket, marketData)
  const known = new Map(atMarket.map((order, index) => [order, prices[index]]))
  const legs = orders.map((order) => {
    const own = ownPrice(order)
    const price = own > 0 ? own : known.get(order)
    const { instrument, action, product, quantity } = order
    if (price === undefined)
      throw new Refusal(
        'quote_unavailable',
        `No price of ${instrument.symbol} on ${instrument.exchange} is known. Send a LIMIT order with its price instead.`,
      )
    const value = tradeValue(price, quantity, instrument.multiplier, 'nearest')
    const charges = chargesOf({ instrument, action, product, value }, terms, date)
    return { segment: segmentOf(instrument, product), price, charges }
  })
  return { total: sumOfCharges(legs.map(({ charges }) => charges)), legs }
}

function ownPrice({ priceType, price, triggerPrice }: NewOrder): Price {
  return priceType === 'LIMIT' || priceType === 'SL' ? price : triggerPrice
}
