import { Refusal } from '../kernel/errors.ts'
import { type Price, price } from '../kernel/fixed.ts'
import { lastSecondOf, type TradingCalendar } from './calendar.ts'
import { contractEnd } from './contract-end.ts'
import { type Instrument, isOption } from './instrument.ts'
import type { InstrumentStore } from './instrument-store.ts'
import type { MarketData } from './market-data.ts'

/**
 * The instrument whose price a derivative is margined and settled by: the index or share of NFO and BFO contracts; for
 * commodity and currency options the future of their own expiry, or the next; for coins the perpetual or spot pair.
 * Undefined for what isn't a derivative, and for commodity and currency futures, which are their own reference.
 */
export function underlyingOf(store: InstrumentStore, instrument: Instrument): Instrument | undefined {
  const { exchange, name, kind } = instrument
  switch (exchange) {
    case 'NFO':
      return store.find(name, 'NSE_INDEX') ?? store.find(name, 'NSE')
    case 'BFO':
      return store.find(name, 'BSE_INDEX') ?? store.find(name, 'BSE')
    case 'MCX':
    case 'NCO':
    case 'NCDEX':
    case 'CDS':
    case 'BCD':
      return isOption(instrument) ? futureBehind(store, instrument) : store.find(name, 'MCX_INDEX')
    case 'CRYPTO': {
      const spot = store.find(`${name}USDT`, 'CRYPTO') ?? store.find(`${name}USD`, 'CRYPTO')
      if (kind === 'SPOT') return undefined
      return kind === 'PERPFUT' ? spot : (store.find(`${name}USDFUT`, 'CRYPTO') ?? spot)
    }
    default:
      return undefined
  }
}

function futureBehind(store: InstrumentStore, option: Instrument): Instrument | undefined {
  const expiry = option.expiry ?? ''
  return store.futures(option.name, option.exchange).find((future) => (future.expiry ?? '') >= expiry)
}

export interface SettlementSources {
  readonly market: MarketData
  readonly store: InstrumentStore
  readonly calendar: TradingCalendar
}

/**
 * Final settlement price of an expiring contract: the underlying's last price on the expiry day for a future, the
 * intrinsic value at that price for an option. Commodity and currency futures settle at their own last price.
 * Refuses with `quote_unavailable` what doesn't expire, and before the underlying has closed.
 */
export async function settlementPrice(sources: SettlementSources, instrument: Instrument): Promise<Price> {
  const end = contractEnd(instrument, sources.calendar)
  if (end === undefined) {
    throw new Refusal(
      'quote_unavailable',
      `${instrument.symbol} on ${instrument.exchange} doesn't expire and has no settlement price`,
    )
  }
  const reference = underlyingOf(sources.store, instrument) ?? instrument
  const at = lastSecondOf({ date: instrument.expiry ?? '', opensAt: 0, closesAt: end.settlesAt })
  const [quote] = await sources.market.quotes([reference], at)
  if (quote === undefined || quote instanceof Error) {
    throw quote ?? new Refusal('quote_unavailable', `No quote of ${reference.symbol} on ${reference.exchange}`)
  }
  if (!isOption(instrument)) return quote.ltp
  const gain = instrument.kind === 'CE' ? quote.ltp - instrument.strike : instrument.strike - quote.ltp
  return price(Math.max(0, gain))
}
