import { type Price, ZERO_PRICE } from '../kernel/fixed.ts'
import { DERIVATIVE_EXCHANGES, type Instrument, isOption } from '../market/instrument.ts'
import type { Action, MarginTerms, Product } from './order.ts'
import type { RiskReference } from './portfolio.ts'

/** Leverages in hundredths: 500 is 5x. */
export interface MarginSettings {
  /** `portfolio`: contracts on one underlying together, by scenarios. `simple`, and without: each by leverage. */
  readonly paperMargin?: 'portfolio' | 'simple'
  readonly equityMisLeverageHundredths: number
  readonly futuresLeverageHundredths: number
  readonly optionBuyLeverageHundredths: number
  readonly optionSellLeverageHundredths: number
  /** What a sold option blocks: `futures`, its underlying's notional like a future; `premium`, its premium only. */
  readonly optionSellMargin: 'futures' | 'premium'
}

/** How the opening part of an order is margined; at once unless the price of an underlying must be asked for. */
export type TermsOf = (instrument: Instrument, action: Action, product: Product) => MarginTerms | Promise<MarginTerms>

/** `underlyingPrice`: of what an option is on. */
export function marginTerms(
  settings: MarginSettings,
  underlyingPrice: (instrument: Instrument) => Promise<Price | undefined>,
  reference: (instrument: Instrument) => Promise<RiskReference | undefined> = async () => undefined,
): TermsOf {
  const known = new Map<number, MarginTerms>()
  const at = (leverageHundredths: number): MarginTerms => {
    let terms = known.get(leverageHundredths)
    if (terms === undefined) {
      terms = { leverageHundredths, notionalPrice: ZERO_PRICE }
      known.set(leverageHundredths, terms)
    }
    return terms
  }
  /** Like a future on the underlying. Without its price the strike stands in: near the money they are close. */
  const ofSoldOption = async (instrument: Instrument): Promise<MarginTerms> => ({
    leverageHundredths: settings.futuresLeverageHundredths,
    notionalPrice: (await underlyingPrice(instrument)) ?? instrument.strike,
  })
  const byLeverage: TermsOf = (instrument, action, product) => {
    if (product === 'CNC') return at(100)
    if (isOption(instrument)) {
      if (action === 'BUY') return at(settings.optionBuyLeverageHundredths)
      return settings.optionSellMargin === 'premium'
        ? at(settings.optionSellLeverageHundredths)
        : ofSoldOption(instrument)
    }
    const equity = instrument.exchange === 'NSE' || instrument.exchange === 'BSE'
    return at(equity ? settings.equityMisLeverageHundredths : settings.futuresLeverageHundredths)
  }
  if (settings.paperMargin !== 'portfolio') return byLeverage
  return (instrument, action, product) => {
    const terms = byLeverage(instrument, action, product)
    if (!DERIVATIVE_EXCHANGES.has(instrument.exchange) || instrument.kind === 'SPOT') return terms
    return Promise.all([terms, reference(instrument)]).then(([known, found]) => ({ ...known, reference: found }))
  }
}
