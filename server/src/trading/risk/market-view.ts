import { Refusal } from '../../kernel/errors.ts'
import type { Instrument } from '../../market/instrument.ts'
import type { Depth, MarketData, MarketDataSource, Quote } from '../../market/market-data.ts'
import type { Judged, MarketView } from './check.ts'
import { BOOK, LAST_PRICE, NO_SIGHT, type Sight } from './needs.ts'
import { worstPrice } from './worst-price.ts'

/** Where limits look. A source that computes in this process is asked without a promise. */
export type Market = MarketData & Pick<MarketDataSource, 'quoteNow' | 'depthNow'>

/** An order, and how far some limit looks at the market for it. */
export interface Seeing {
  readonly instrument: Instrument
  readonly order: Judged
  readonly sight: Sight
}

/** What is seen for each order, in order; undefined where nothing is looked for or there is no quote. */
export type Views = readonly (MarketView | undefined)[]
export const NOTHING_SEEN: Views = Object.freeze([])

/** What can be seen without waiting; undefined when not all of it can. */
export function seeNow(market: Market, orders: readonly Seeing[]): Views | undefined {
  if (orders.every(({ sight }) => sight === NO_SIGHT)) return NOTHING_SEEN
  const { quoteNow, depthNow } = market
  if (quoteNow === undefined || depthNow === undefined) return undefined
  try {
    return orders.map(({ instrument, order, sight }) => {
      if (sight === NO_SIGHT) return undefined
      return sight === BOOK
        ? bookView(depthNow.call(market, instrument), order)
        : viewOf(quoteNow.call(market, instrument), undefined)
    })
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}

/** Looks at the market once for each order. Throws the source's Refusal. */
export async function seeMarket(market: Market, orders: readonly Seeing[]): Promise<Views> {
  const plain = orders.filter(({ sight }) => sight === LAST_PRICE)
  const [quotes, books] = await Promise.all([
    plain.length === 0 ? [] : market.quotes(plain.map(({ instrument }) => instrument)),
    Promise.all(orders.map((one) => (one.sight === BOOK ? seeBook(market, one) : undefined))),
  ])
  let next = 0
  return orders.map(({ sight }, index) => {
    const quote = sight === LAST_PRICE ? quotes[next++] : undefined
    return quote === undefined || quote instanceof Error ? books[index] : viewOf(quote, undefined)
  })
}

async function seeBook(market: Market, { instrument, order }: Seeing): Promise<MarketView | undefined> {
  try {
    return bookView(await market.depth(instrument), order)
  } catch (error) {
    if (error instanceof Refusal && error.code === 'quote_unavailable') return undefined // the limit says that there is none
    throw error
  }
}

const bookView = (depth: Depth, { action, quantity }: Judged): MarketView =>
  viewOf(depth, worstPrice(depth, action, quantity))

const viewOf = ({ ltp, at }: Quote, worst: MarketView['worst']): MarketView => ({ lastPrice: ltp, at, worst })
