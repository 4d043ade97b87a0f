export type { ChainLeg, ChainRow, ChainTotals } from './chain-rows.ts'
export { SKEW_DELTA } from './chain-totals.ts'
export { type Listed, openExpiries, openFutureExpiries } from './expiries.ts'
export { findSeries, optionExchangeOf, type SeriesWanted } from './find-series.ts'
export { type Forward, type ForwardSource, forwardFuture, yearsBetween } from './forward.ts'
export { type ForwardReading, Forwards, type ForwardsOptions, seriesOfOption } from './forwards.ts'
export {
  atTheMoney,
  OFFSET_STEPS_MAX,
  type Offset,
  type OptionChoice,
  type OptionSeries,
  offsetText,
  parseOffset,
  pickOption,
  STRIKE_INTERVAL_MAX,
} from './offset.ts'
export {
  type ChainSnapshot,
  type ChainWanted,
  OptionChains,
  type OptionChainsOptions,
  STRIKES_PER_SIDE_MAX,
} from './option-chains.ts'
export {
  type GreeksForwardSource,
  type GreeksReading,
  type GreeksTerms,
  type GreeksWanted,
  OptionGreeks,
} from './option-greeks.ts'
export { parseUnderlying, type UnderlyingText } from './parse-underlying.ts'
export {
  analyseOption,
  type OptionAnalysis,
  type PricedOption,
  TIME_VALUE_LEAST,
  type VolatilityOutcome,
} from './pricing/analyse-option.ts'
export { QuoteSheet, type QuoteSource } from './quote-sheet.ts'
export { PRICE_AGE_MAX_MS } from './reference-price.ts'
export {
  OptionResolver,
  type OptionResolverOptions,
  type OptionWanted,
  type ResolvedOption,
  type UnresolvedOption,
} from './resolver.ts'
export { type SyntheticFuture, syntheticFuture } from './synthetic-future.ts'
