import { Refusal } from '../kernel/errors.ts'
import { dayNumberOf, type ExchangeDate, timestampOf } from '../kernel/exchange-time.ts'
import { contractEnd } from '../market/contract-end.ts'
import type { Exchange, Instrument } from '../market/instrument.ts'
import type { InstrumentStore } from '../market/instrument-store.ts'
import { expiryCode } from '../market/symbol.ts'
import { type Listed, openExpiries } from './expiries.ts'
import type { OptionSeries } from './offset.ts'
import { parseUnderlying, type UnderlyingText } from './parse-underlying.ts'

/** What a request says about whose options it means. */
export interface SeriesWanted {
  /** `NIFTY`, or with an expiry: `NIFTY28OCT25`, `NIFTY28OCT25FUT`. */
  readonly underlying: string
  /** Of the underlying, or of its contracts. */
  readonly exchange: Exchange
  /** Wins over one that `underlying` carries. */
  readonly expiry: ExchangeDate | undefined
}

/** Where options on what that exchange trades are listed. */
const OPTION_EXCHANGE: Readonly<Record<Exchange, Exchange>> = {
  NSE: 'NFO',
  NSE_INDEX: 'NFO',
  NFO: 'NFO',
  BSE: 'BFO',
  BSE_INDEX: 'BFO',
  BFO: 'BFO',
  MCX: 'MCX',
  MCX_INDEX: 'MCX',
  CDS: 'CDS',
  BCD: 'BCD',
  NCO: 'NCO',
  NCDEX: 'NCDEX',
  CRYPTO: 'CRYPTO',
  GLOBAL_INDEX: 'NFO',
}

export const optionExchangeOf = (exchange: Exchange): Exchange => OPTION_EXCHANGE[exchange]

/** Expiries that a message offers. */
const OFFERED_EXPIRIES = 3

/**
 * The options that a request means, and the instrument whose price counts for them: the index or share; for commodities
 * and currencies the future that is named, or that of the expiry or the next one; for coins the perpetual.
 * Throws expiry_missing, symbol_not_found, option_not_found, contract_expired.
 */
export function findSeries(listed: Listed, wanted: SeriesWanted): OptionSeries {
  const text = parseUnderlying(wanted.underlying)
  const exchange = optionExchangeOf(wanted.exchange)
  const expiry = wanted.expiry ?? text.expiry
  if (expiry === undefined) {
    throw new Refusal(
      'expiry_missing',
      `Expiry date required. Provide via expiry_date parameter or embed in underlying (e.g., NIFTY28OCT25FUT).${expiriesHint(listed, text.base, exchange)}`,
    )
  }
  const reference = referenceOf(listed.store, text, wanted.exchange, expiry)
  const chain = listed.store.optionChain(text.base, exchange, expiry)
  if (chain === undefined) {
    throw new Refusal(
      'option_not_found',
      `No strikes found for ${text.base} expiring ${expiryCode(expiry)}. Please check expiry date or update master contract.${expiriesHint(listed, text.base, exchange)}`,
    )
  }
  const end = contractEnd({ exchange, expiry }, listed.calendar)
  if (end !== undefined && listed.now >= end.expiresAt) {
    throw new Refusal(
      'contract_expired',
      `Options of ${text.base} expiring ${expiryCode(expiry)} ended at ${timestampOf(end.expiresAt)}.${expiriesHint(listed, text.base, exchange)}`,
    )
  }
  return { base: text.base, exchange, chain, reference }
}

function expiriesHint(listed: Listed, base: string, exchange: Exchange): string {
  const open = openExpiries(listed, base, exchange)
  if (open.length > 0) {
    const rest = open.length - OFFERED_EXPIRIES
    const more = rest > 0 ? ` and ${rest} more` : ''
    return ` Options of ${base} on ${exchange} expire on ${open.slice(0, OFFERED_EXPIRIES).map(expiryCode).join(', ')}${more}.`
  }
  const alike = listed.store.nearestOptionRoots(base, exchange, 3)
  const offer = alike.length === 0 ? '' : ` Did you mean ${alike.join(' or ')}?`
  return ` No options of ${base} are listed on ${exchange}.${offer}`
}

function referenceOf(
  store: InstrumentStore,
  text: UnderlyingText,
  exchange: Exchange,
  expiry: ExchangeDate,
): Instrument {
  const { base } = text
  switch (exchange) {
    case 'NFO':
      return store.find(base, 'NSE_INDEX') ?? store.find(base, 'NSE') ?? unknown(store, base, 'NSE')
    case 'BFO':
      return store.find(base, 'BSE_INDEX') ?? store.find(base, 'BSE') ?? unknown(store, base, 'BSE')
    case 'MCX':
    case 'CDS':
    case 'BCD':
    case 'NCO':
    case 'NCDEX':
      return text.future === undefined
        ? futureFrom(store, base, exchange, expiry)
        : (store.find(text.future, exchange) ?? unknownFuture(store, text.future, base, exchange))
    case 'CRYPTO': {
      const perpetual = store.find(`${base}USDFUT`, exchange)
      if (perpetual?.kind === 'PERPFUT') return perpetual
      const alike = store.nearestOptionRoots(base, exchange, 3)
      throw new Refusal(
        'option_not_found',
        `No perpetual futures found for ${base} on ${exchange}${alike.length === 0 ? '' : `. Did you mean ${alike.join(' or ')}?`}`,
      )
    }
    default:
      return store.find(base, exchange) ?? unknown(store, base, exchange)
  }
}

/** The future that expires with the options, or the first one after them: options on futures end before their future. */
function futureFrom(store: InstrumentStore, base: string, exchange: Exchange, expiry: ExchangeDate): Instrument {
  const futures = store.futures(base, exchange)
  const future = futures.find((each) => dayNumberOf(each.expiry ?? '') >= dayNumberOf(expiry))
  if (future !== undefined) return future
  if (futures.length === 0 && store.optionExpiries(base, exchange).length > 0) {
    throw new Refusal(
      'option_not_found',
      `No unexpired futures found for ${base} on ${exchange}. ${exchange} options are priced against the future behind them, which this product does not currently have.`,
    )
  }
  if (futures.length === 0) return unknown(store, base, exchange)
  throw new Refusal(
    'option_not_found',
    `No strikes found for ${base} expiring ${expiryCode(expiry)}: its last future on ${exchange} is ${futures.at(-1)?.symbol}.`,
  )
}

const OFFERED_FUTURES = 3

function unknownFuture(store: InstrumentStore, symbol: string, base: string, exchange: Exchange): never {
  const futures = store.futures(base, exchange)
  if (futures.length === 0) return unknown(store, base, exchange)
  throw new Refusal(
    'symbol_not_found',
    `Failed to fetch LTP for ${symbol}. Symbol '${symbol}' not found for exchange '${exchange}'. Futures of ${base} are ${futures
      .slice(0, OFFERED_FUTURES)
      .map((future) => future.symbol)
      .join(', ')}.`,
  )
}

/** Exchanges of whatever has a price of its own, and of futures that stand for one. */
const SPOT_EXCHANGES: readonly Exchange[] = ['NSE_INDEX', 'BSE_INDEX', 'NSE', 'BSE']
const FUTURE_EXCHANGES: readonly Exchange[] = ['MCX', 'CDS', 'NCO', 'NCDEX']

/** Names where the underlying is listed, when it is, or else what was meant by it. */
function unknown(store: InstrumentStore, symbol: string, exchange: Exchange): never {
  const home =
    SPOT_EXCHANGES.find((other) => store.find(symbol, other) !== undefined) ??
    FUTURE_EXCHANGES.find((other) => other !== exchange && store.futures(symbol, other).length > 0)
  throw new Refusal(
    'symbol_not_found',
    `Failed to fetch LTP for ${symbol}. Symbol '${symbol}' not found for exchange '${exchange}'.${home === undefined ? alikeHint(store, symbol, exchange) : ` ${symbol} is listed on ${home}; send that exchange.`}`,
  )
}

function alikeHint(store: InstrumentStore, symbol: string, exchange: Exchange): string {
  const symbols = store.nearest(symbol, exchange, 3)
  const alike = symbols.length > 0 ? symbols : store.nearestOptionRoots(symbol, exchange, 3)
  return alike.length === 0 ? '' : ` Did you mean ${alike.join(' or ')}?`
}
