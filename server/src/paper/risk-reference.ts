import type { Exchange, Instrument, InstrumentStore, MarketData } from '../market/index.ts'
import { underlyingOf } from '../market/index.ts'
import type { RiskReference } from './portfolio.ts'
import type { RiskClass } from './portfolio-margin/index.ts'

const CLASS_ON: Partial<Record<Exchange, RiskClass>> = {
  MCX: 'commodity',
  NCO: 'commodity',
  NCDEX: 'commodity',
  CDS: 'currency',
  BCD: 'currency',
  CRYPTO: 'crypto',
}

/**
 * What a contract is margined by as one of a portfolio: the price of its underlying, or of the nearest future where the
 * underlying itself has none, and what that is. Undefined for what isn't a contract, and without a price.
 */
export async function riskReference(
  market: MarketData,
  store: InstrumentStore,
  instrument: Instrument,
): Promise<RiskReference | undefined> {
  const { exchange, name, kind } = instrument
  if (kind === 'EQ' || kind === 'INDEX' || kind === 'SPOT') return undefined
  const own = CLASS_ON[exchange]
  const future = own === undefined || own === 'crypto' ? undefined : store.futures(name, exchange)[0]
  const underlying = future ?? underlyingOf(store, instrument)
  if (underlying === undefined) return undefined
  const [quote] = await market.quotes([underlying])
  if (quote === undefined || quote instanceof Error || quote.ltp <= 0) return undefined
  return { price: quote.ltp, riskClass: own ?? (underlying.kind === 'INDEX' ? 'index' : 'stock') }
}
