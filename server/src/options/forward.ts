import { DAY_MS, dayNumberOf } from '../kernel/exchange-time.ts'
import { type Price, toNumber } from '../kernel/fixed.ts'
import type { Instrument } from '../market/instrument.ts'
import type { InstrumentStore } from '../market/instrument-store.ts'
import type { Quote } from '../market/market-data.ts'
import { firstNotBelow, type OptionChain } from '../market/option-chain-index.ts'
import { atTheMoney, type OptionSeries } from './offset.ts'

/**
 * Where a forward comes from, best first: the future of the options' own expiry (of options on futures, the future that
 * they are exercised into); put-call parity over the strikes around the money; the underlying's price with carry.
 */
export type ForwardSource = 'future' | 'synthetic' | 'spot'

/** What the market expects the underlying to cost when the options expire, in units of the price. */
export interface Forward {
  readonly price: number
  readonly source: ForwardSource
}

/** Strikes around the money whose calls and puts are looked at: as many below it as above. */
export const PARITY_STRIKES_MAX = 7
/** Fewer strikes that can be used say too little. */
export const PARITY_STRIKES_MIN = 3
/** A pair whose spreads together are wider than this part of its strike says nothing of the forward. */
export const PARITY_SPREAD_MAX = 0.01
/** A future with a wider spread is one that nobody trades. */
export const FUTURE_SPREAD_MAX = 0.01

const YEAR_MS = 365 * DAY_MS

/** Years of 365 days; 0 when the end has passed. */
export const yearsBetween = (now: number, end: number): number => Math.max(0, end - now) / YEAR_MS

/** Exchanges whose options are exercised into a future that expires after them. */
const ON_FUTURES: ReadonlySet<string> = new Set(['MCX', 'NCO', 'NCDEX'])

/** The future whose price is the forward of these options; undefined when none is listed. */
export function forwardFuture(store: InstrumentStore, series: Pick<OptionSeries, 'base' | 'exchange' | 'chain'>) {
  const { base, exchange, chain } = series
  const day = dayNumberOf(chain.expiry)
  const isIt = ON_FUTURES.has(exchange)
    ? (future: Instrument) => dayNumberOf(future.expiry ?? '') >= day
    : (future: Instrument) => future.expiry === chain.expiry
  return store.futures(base, exchange).find(isIt)
}

/** A call and a put of one strike. */
export interface Pair {
  readonly strike: Price
  readonly call: Instrument
  readonly put: Instrument
}

/** Pairs of the strikes around that price, ascending: at most PARITY_STRIKES_MAX. */
export function pairsAround(chain: OptionChain, money: Price): Pair[] {
  const puts = chain.strikes('PE')
  const strikes = chain.strikes('CE').filter((strike) => puts[firstNotBelow(puts, strike)] === strike)
  const from = Math.max(0, atTheMoney(strikes, money) - (PARITY_STRIKES_MAX - 1) / 2)
  return strikes.slice(from, from + PARITY_STRIKES_MAX).flatMap((strike) => {
    const call = chain.find(strike, 'CE')
    const put = chain.find(strike, 'PE')
    return call === undefined || put === undefined ? [] : [{ strike, call, put }]
  })
}

/** Fresh quotes of a pair; undefined where there is none. */
export interface QuotedPair {
  readonly strike: Price
  readonly call: Quote | undefined
  readonly put: Quote | undefined
}

export interface ForwardQuotes {
  /** Of the future that `forwardFuture` names, when its price is fresh. */
  readonly future: Quote | undefined
  /** None are needed while there is a future. */
  readonly pairs: readonly QuotedPair[]
  /** The underlying's price, when it is fresh. */
  readonly underlying: Price | undefined
}

export interface ForwardTerms {
  /** Years until the options expire. */
  readonly years: number
  /** Years by which an underlying that is itself a future expires after now; 0 of what has no expiry. */
  readonly underlyingYears: number
  /** Percent a year, continuously compounded. */
  readonly interestRate: number
}

/** The forward of options by the best source that there is; undefined without any. */
export function forwardOf(quotes: ForwardQuotes, terms: ForwardTerms): Forward | undefined {
  const { future, pairs, underlying } = quotes
  const rate = terms.interestRate / 100
  if (saysForward(future)) return { price: toNumber.price(heldPrice(future)), source: 'future' }
  const synthetic = syntheticForward(pairs, Math.exp(rate * terms.years))
  if (synthetic !== undefined) return { price: synthetic, source: 'synthetic' }
  if (underlying === undefined) return undefined
  const carried = toNumber.price(underlying) * Math.exp(rate * (terms.years - terms.underlyingYears))
  return { price: carried, source: 'spot' }
}

/** Strike + (call - put) with interest, in the median of the pairs that can be used: a wrong quote or two change nothing. */
export function syntheticForward(pairs: readonly QuotedPair[], growth: number): number | undefined {
  const forwards: number[] = []
  for (const { strike, call, put } of pairs) {
    if (call === undefined || put === undefined || !isTwoSided(call) || !isTwoSided(put)) continue
    if (call.ask - call.bid + put.ask - put.bid > PARITY_SPREAD_MAX * strike) continue
    const difference = toNumber.price(heldPrice(call)) - toNumber.price(heldPrice(put))
    forwards.push(toNumber.price(strike) + difference * growth)
  }
  if (forwards.length < PARITY_STRIKES_MIN) return undefined
  const forward = median(forwards)
  return forward > 0 ? forward : undefined
}

const isTwoSided = ({ bid, ask }: Quote): boolean => bid > 0 && ask >= bid

/**
 * Whether a future's fresh quote says what the forward is: its spread isn't wide. Without a book, as after the close, the
 * last price is all there is.
 */
export const saysForward = (future: Quote | undefined): future is Quote =>
  future !== undefined && (!isTwoSided(future) || future.ask - future.bid <= FUTURE_SPREAD_MAX * future.bid)

/** The last price, held within the best bid and ask: what traded long ago follows the book. */
const heldPrice = (quote: Quote): Price =>
  isTwoSided(quote) ? (Math.min(Math.max(quote.ltp, quote.bid), quote.ask) as Price) : quote.ltp

function median(values: number[]): number {
  values.sort((a, b) => a - b)
  const middle = values.length >> 1
  const upper = values[middle] ?? 0
  return values.length % 2 === 1 ? upper : ((values[middle - 1] ?? 0) + upper) / 2
}
