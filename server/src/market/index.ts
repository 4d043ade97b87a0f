export { lastSecondOf, previousSession, type Session, sessionOpenedBy, type TradingCalendar } from './calendar.ts'
export { type ContractEnd, contractEnd } from './contract-end.ts'
export { createCalendar, TRADING_HOURS, type TradingHours, tradingHoursOn } from './exchange-calendar.ts'
export { HOLIDAYS, type Holiday, type SessionWindow } from './holidays.ts'
export * from './instrument.ts'
export { InstrumentStore } from './instrument-store.ts'
export { Listing } from './listing.ts'
export * from './market-data.ts'
export { firstNotBelow, OptionChain, type OptionType } from './option-chain-index.ts'
export { QUERY_LENGTH_MAX, SEARCH_RESULTS_MAX, type SearchResult, SymbolSearch } from './search.ts'
export {
  createSimulator,
  createUniverse,
  SimulatedMarket,
  type SimulatorOptions,
  type UniverseOptions,
} from './simulator/index.ts'
export {
  expiryCode,
  expiryLabel,
  formatSymbol,
  type ParsedSymbol,
  parseExpiryCode,
  parseExpiryLabel,
  parseSymbol,
} from './symbol.ts'
export { type SettlementSources, settlementPrice, underlyingOf } from './underlying.ts'
