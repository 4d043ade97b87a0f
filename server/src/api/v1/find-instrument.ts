import { Refusal } from '../../kernel/errors.ts'
import type { Exchange, Instrument } from '../../market/instrument.ts'
import type { Instruments } from '../services.ts'

/** Names that a message about an unknown symbol offers. */
const OFFERED_MAX = 3

/** ` Did you mean SBIN or SBILIFE?`, or nothing when no symbol of that exchange looks like it. */
export function symbolHint(instruments: Instruments, symbol: string, exchange: Exchange): string {
  const offered = instruments.nearest(symbol, exchange, OFFERED_MAX)
  if (offered.length === 0) return ''
  const last = offered.at(-1)
  const list = offered.length === 1 ? last : `${offered.slice(0, -1).join(', ')} or ${last}`
  return ` Did you mean ${list}?`
}

/** What clients match on when a symbol is unknown. */
export const unknownSymbol = (symbol: string, exchange: Exchange): string =>
  `Symbol '${symbol}' not found for exchange '${exchange}'. Please verify the symbol name and ensure master contracts ` +
  'are downloaded.'

/** Throws symbol_not_found, with the names that may have been meant. */
export function instrumentOf(instruments: Instruments, wanted: { symbol: string; exchange: Exchange }): Instrument {
  const { symbol, exchange } = wanted
  const found = instruments.find(symbol, exchange)
  if (found !== undefined) return found
  throw new Refusal('symbol_not_found', unknownSymbol(symbol, exchange) + symbolHint(instruments, symbol, exchange))
}
