import { multiplierOf, priceOf, quantityOf } from '../../kernel/fixed.ts'
import type { Instrument } from '../../market/instrument.ts'
import type { OptionType } from '../../market/option-chain-index.ts'
import { formatSymbol } from '../../market/symbol.ts'

/** An option on NIFTY, for tests. */
export function optionIn(type: OptionType, strike: number, expiry = '2025-10-28'): Instrument {
  const symbol = formatSymbol({ kind: 'option', base: 'NIFTY', expiry, strike: priceOf(strike), type })
  return {
    id: strike,
    symbol,
    exchange: 'NFO',
    kind: type,
    name: 'NIFTY',
    expiry,
    strike: priceOf(strike),
    lotSize: quantityOf(75),
    tickSize: priceOf('0.05'),
    freezeQuantity: quantityOf(1800),
    multiplier: multiplierOf(1),
    token: symbol,
    sourceSymbol: symbol,
    sourceExchange: 'NFO',
  }
}
