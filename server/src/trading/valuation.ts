import type { HoldingReport, PositionReport } from '../brokers/venue.ts'
import { add, type Money, type Price, subtract, tradeValue, ZERO_MONEY } from '../kernel/fixed.ts'
import type { Instrument } from '../market/instrument.ts'
import type { MarketData } from '../market/market-data.ts'

export interface ValuedPosition extends PositionReport {
  /** Undefined when the source has no price; then nothing is claimed to be unrealised. */
  readonly ltp: Price | undefined
  readonly unrealised: Money
  /** Realised today and unrealised. */
  readonly profitToday: Money
}

export interface ValuedHolding extends HoldingReport {
  readonly ltp: Price | undefined
  /** At the last price; at cost without one. */
  readonly value: Money
  readonly profit: Money
}

export async function valuePositions(
  positions: readonly PositionReport[],
  marketData: MarketData,
): Promise<ValuedPosition[]> {
  const prices = await lastPrices(positions, marketData)
  return positions.map((position, index) => {
    const ltp = prices[index]
    const unrealised =
      position.quantity === 0 || ltp === undefined
        ? ZERO_MONEY
        : subtract(tradeValue(ltp, position.quantity, position.multiplier, 'down'), position.cost)
    return { ...position, ltp, unrealised, profitToday: add(position.realisedToday, unrealised) }
  })
}

export async function valueHoldings(
  holdings: readonly HoldingReport[],
  marketData: MarketData,
): Promise<ValuedHolding[]> {
  const prices = await lastPrices(holdings, marketData)
  return holdings.map((holding, index) => {
    const ltp = prices[index]
    const value =
      ltp === undefined ? holding.cost : tradeValue(ltp, holding.quantity, holding.instrument.multiplier, 'down')
    return { ...holding, ltp, value, profit: subtract(value, holding.cost) }
  })
}

/** Undefined where the source has none. */
export async function lastPrices(
  of: readonly { readonly instrument: Instrument }[],
  marketData: MarketData,
): Promise<(Price | undefined)[]> {
  if (of.length === 0) return []
  const quotes = await marketData.quotes(of.map((row) => row.instrument))
  return quotes.map((quote) => (quote instanceof Error ? undefined : quote.ltp))
}
