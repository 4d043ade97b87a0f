export { type Listed, openExpiries, openFutureExpiries } from './expiries.ts'
export { findSeries, optionExchangeOf, type SeriesWanted } from './find-series.ts'
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
export { parseUnderlying, type UnderlyingText } from './parse-underlying.ts'
export {
  OptionResolver,
  type OptionResolverOptions,
  type OptionWanted,
  type ResolvedOption,
  UNDERLYING_AGE_MAX_MS,
  type UnresolvedOption,
} from './resolver.ts'
