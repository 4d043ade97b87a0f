import { Refusal } from '../kernel/errors.ts'
import type { Exchange, Instrument } from '../market/instrument.ts'

export interface InstrumentLookup {
  readonly find: (symbol: string, exchange: Exchange) => Instrument | undefined
  readonly nearest: (symbol: string, exchange: Exchange, count: number) => readonly string[]
}

/** The instrument that a request names. Throws symbol_not_found, with those that look most like it. */
export function namedInstrument(lookup: InstrumentLookup, symbol: string, exchange: Exchange): Instrument {
  const instrument = lookup.find(symbol, exchange)
  if (instrument !== undefined) return instrument
  const alike = lookup.nearest(symbol, exchange, 3)
  const hint = alike.length === 0 ? 'Look it up with the search operation.' : `Did you mean ${alike.join(' or ')}?`
  throw new Refusal('symbol_not_found', `Symbol ${symbol} not found on ${exchange}. ${hint}`)
}
