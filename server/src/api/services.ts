import type { AccountStore } from '../identity/accounts.ts'
import type { BanList } from '../identity/bans.ts'
import type { ChartStore } from '../identity/chart-store.ts'
import type { Identity } from '../identity/identity.ts'
import type { KeyStore } from '../identity/key-store.ts'
import type { OverrideStore } from '../market/calendar/override-store.ts'
import type { CandleDownloads, StoredCandles } from '../market/candle-store/index.ts'
import type { CandleHistory } from '../market/candles/candle-history.ts'
import type { ExchangeCalendar } from '../market/exchange-calendar.ts'
import type { Exchange, Instrument } from '../market/instrument.ts'
import type { InstrumentUniverse } from '../market/instruments/instrument-universe.ts'
import type { MarketData } from '../market/market-data.ts'
import type { Quotes } from '../market/quotes/index.ts'
import type { SearchFilter, SearchResult } from '../market/search.ts'
import type { AuditLog } from '../monitor/audit-log.ts'
import type { Health } from '../monitor/health.ts'
import type { LatencyMonitor } from '../monitor/latency.ts'
import type { OrderLog } from '../monitor/order-log.ts'
import type { TrafficLog } from '../monitor/traffic-log.ts'
import type { Forwards, OptionChains, OptionGreeks, OptionResolver } from '../options/index.ts'
import type { Approvals } from '../trading/approvals.ts'
import type { Idempotency } from '../trading/flow/idempotency.ts'
import type { OrderFlow } from '../trading/flow/order-flow.ts'
import type { Closings, Gtts, Trading } from '../trading/index.ts'
import type { OrderEvents } from '../trading/order-events.ts'
import type { KillSwitch } from '../trading/risk/kill-switch.ts'
import type { LimitStore } from '../trading/risk/limit-store.ts'
import type { LimitsGate } from '../trading/risk/risk-gate.ts'
import type { Cookies } from './session-cookie.ts'

/** The instruments of today. */
export interface Instruments {
  /** Exact and case-sensitive. */
  find(symbol: string, exchange: Exchange): Instrument | undefined
  /** At most `count` symbols of that exchange that look most like `symbol`, best first. */
  nearest(symbol: string, exchange: Exchange, count: number): readonly string[]
}

export interface SymbolSearch {
  /** Instruments that match all words of `query` and the filter, best first. */
  find(query: string, filter: SearchFilter, limit: number): SearchResult
}

/** What operations reach the rest of the platform through. The composition root fills it in. */
export interface Services {
  readonly instruments: Instruments
  readonly search: SymbolSearch
  readonly universe: Pick<InstrumentUniverse, 'current' | 'reports' | 'reload'>
  readonly marketData: MarketData
  readonly quotes: Quotes
  readonly history: CandleHistory
  readonly candleStore: StoredCandles
  readonly candleDownloads: CandleDownloads
  readonly calendar: ExchangeCalendar
  readonly calendarOverrides: OverrideStore
  /** For orders: asks the source itself. */
  readonly options: OptionResolver
  /** For look-ups: shares prices that were asked for before, and waits no longer than it must. */
  readonly optionLookups: OptionResolver
  readonly forwards: Forwards
  readonly optionChains: OptionChains
  readonly optionGreeks: OptionGreeks
  readonly trading: Trading
  readonly orders: OrderFlow
  readonly closings: Closings
  readonly idempotency: Idempotency
  readonly gtts: Gtts
  readonly limits: LimitStore
  readonly gate: LimitsGate
  readonly killSwitch: KillSwitch
  readonly cookies: Cookies
  readonly identity: Identity
  readonly keys: KeyStore
  readonly accounts: AccountStore
  readonly bans: BanList
  readonly approvals: Approvals
  readonly charts: ChartStore
  readonly traffic: TrafficLog
  readonly orderLog: OrderLog
  readonly audit: AuditLog
  readonly latency: LatencyMonitor
  readonly health: Health
  readonly orderEvents: OrderEvents
}
