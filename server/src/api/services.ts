import type { Exchange, Instrument } from '../market/instrument.ts'
import type { MarketData } from '../market/market-data.ts'
import type { Trading } from '../trading/index.ts'
import type { Cookies } from './session-cookie.ts'

/** The instruments of today. */
export interface Instruments {
  /** Exact and case-sensitive. */
  find(symbol: string, exchange: Exchange): Instrument | undefined
  /** At most `count` symbols of that exchange that look most like `symbol`, best first. */
  nearest(symbol: string, exchange: Exchange, count: number): readonly string[]
}

export interface SymbolSearch {
  /** Instruments that match all words of `query`, best first, of one exchange or of all. */
  search(query: string, exchange?: Exchange): readonly Instrument[]
}

/** What operations reach the rest of the platform through. The composition root fills it in. */
export interface Services {
  readonly instruments: Instruments
  readonly search: SymbolSearch
  readonly marketData: MarketData
  readonly trading: Trading
  readonly cookies: Cookies
}
