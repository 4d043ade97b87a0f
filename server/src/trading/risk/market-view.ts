import { Refusal } from '../../kernel/errors.ts'
import type { Instrument } from '../../market/instrument.ts'
import type { Depth, MarketData, Quote } from '../../market/market-data.ts'
import type { Judged, MarketView } from './check.ts'
import { worstPrice } from './worst-price.ts'

/** An order that some limit needs the market for; `of` is what it is found under. */
export interface Wanted<Of> {
  readonly of: Of
  readonly instrument: Instrument
  readonly order: Judged
  /** The book, not only the last price. */
  readonly depth: boolean
}

/** Looks at the market once for each order. What has no quote isn't in the answer. */
export async function seeMarket<Of>(
  marketData: MarketData,
  wanted: readonly Wanted<Of>[],
): Promise<ReadonlyMap<Of, MarketView>> {
  const seen = new Map<Of, MarketView>()
  const plain = wanted.filter(({ depth }) => !depth)
  const [quotes] = await Promise.all([
    plain.length === 0 ? [] : marketData.quotes(plain.map(({ instrument }) => instrument)),
    ...wanted.filter(({ depth }) => depth).map((one) => seeDepth(marketData, one, seen)),
  ])
  for (const [index, { of }] of plain.entries()) {
    const quote = quotes[index]
    if (quote !== undefined && !(quote instanceof Error)) seen.set(of, viewOf(quote, undefined))
  }
  return seen
}

async function seeDepth<Of>(
  marketData: MarketData,
  { of, instrument, order }: Wanted<Of>,
  seen: Map<Of, MarketView>,
): Promise<void> {
  let depth: Depth
  try {
    depth = await marketData.depth(instrument)
  } catch (error) {
    if (error instanceof Refusal && error.code === 'quote_unavailable') return // the limit says that there is none
    throw error
  }
  seen.set(of, viewOf(depth, worstPrice(depth, order.action, order.quantity)))
}

const viewOf = ({ ltp, at }: Quote, worst: MarketView['worst']): MarketView => ({ lastPrice: ltp, at, worst })
