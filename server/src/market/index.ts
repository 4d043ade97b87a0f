export type { CalendarYear, Holiday, HolidayType, SessionWindow, Window } from './calendar/day.ts'
export { MARKETS, type Market, TRADING_HOURS, tradingHoursOn } from './calendar/hours.ts'
export type { CalendarOverride } from './calendar/override.ts'
export { OverrideStore } from './calendar/override-store.ts'
export { CALENDAR_YEARS, calendarYear, calendarYearOf, HOLIDAYS } from './calendar/years.ts'
export { lastSecondOf, previousSession, type Session, sessionOpenedBy, type TradingCalendar } from './calendar.ts'
export * from './candles/index.ts'
export { type ContractEnd, contractEnd, expiryInstant } from './contract-end.ts'
export { createCalendar, ExchangeCalendar, type TradingHours } from './exchange-calendar.ts'
export * from './instrument.ts'
export { InstrumentStore } from './instrument-store.ts'
export { type InstrumentSource, sourceOf } from './instruments/instrument-source.ts'
export { InstrumentUniverse, type LoadReport, type Snapshot } from './instruments/instrument-universe.ts'
export * from './market-data.ts'
export { firstNotBelow, OptionChain, type OptionType } from './option-chain-index.ts'
export * from './quotes/index.ts'
export { QUERY_LENGTH_MAX, SEARCH_RESULTS_MAX, type SearchFilter, type SearchResult, SymbolSearch } from './search.ts'
export {
  createSimulator,
  createUniverse,
  SimulatedMarket,
  type SimulatorOptions,
  simulatedInstruments,
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
