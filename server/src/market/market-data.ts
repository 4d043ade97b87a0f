import type { Refusal } from '../kernel/errors.ts'
import type { Price, Quantity } from '../kernel/fixed.ts'
import type { Instrument } from './instrument.ts'

/** Prices of an instrument's day at one instant. Prices are 0 where there is none (bid and ask of an index). */
export interface Quote {
  /** Instant of the data, not of the request. */
  readonly at: number
  readonly ltp: Price
  readonly bid: Price
  readonly ask: Price
  readonly open: Price
  readonly high: Price
  readonly low: Price
  readonly prevClose: Price
  readonly volume: Quantity
  readonly openInterest: Quantity
  /** Quantity at the best bid and offer, of sources that tell them with their quotes. */
  readonly bidQuantity?: Quantity
  readonly askQuantity?: Quantity
}

export interface DepthLevel {
  readonly price: Price
  readonly quantity: Quantity
}

export const DEPTH_LEVELS = 5

/** The order book's visible side, best price first, at most DEPTH_LEVELS each. What was handed out never changes. */
export interface Depth extends Quote {
  readonly bids: readonly DepthLevel[]
  readonly asks: readonly DepthLevel[]
  readonly lastQuantity: Quantity
  readonly totalBuyQuantity: Quantity
  readonly totalSellQuantity: Quantity
}

export interface Candle {
  /** Instant at which the candle begins. */
  readonly startAt: number
  readonly open: Price
  readonly high: Price
  readonly low: Price
  readonly close: Price
  readonly volume: Quantity
  readonly openInterest: Quantity
}

export const INTERVALS = [
  '1s',
  '5s',
  '10s',
  '15s',
  '30s',
  '45s',
  '1m',
  '2m',
  '3m',
  '5m',
  '10m',
  '15m',
  '20m',
  '30m',
  '1h',
  '2h',
  '3h',
  '4h',
  'D',
  'W',
  'M',
  'Q',
  'Y',
] as const
export type Interval = (typeof INTERVALS)[number]

/**
 * Where prices come from. The simulator implements it, and every broker's feed will.
 * `at` asks for the past; a source that doesn't know it refuses with `quote_unavailable`.
 */
export interface MarketData {
  readonly intervals: readonly Interval[]
  /** One quote for each instrument, in order; a Refusal where the source has none. */
  quotes(instruments: readonly Instrument[], at?: number): Promise<(Quote | Error)[]>
  depth(instrument: Instrument, at?: number): Promise<Depth>
  /** Candles that begin in [fromAt, toAt), ascending, none in the future, at most CANDLES_MAX. */
  candles(instrument: Instrument, interval: Interval, fromAt: number, toAt: number): Promise<Candle[]>
}

/** Most candles in one answer; a longer range is refused with `range_too_long`. */
export const CANDLES_MAX = 200_000

/** Most instruments that one subscription may follow. */
export const SUBSCRIBED_INSTRUMENTS_MAX = 3_000
/** Most subscriptions that one source serves at the same time. */
export const SUBSCRIPTIONS_MAX = 1_000

/** The newest of one instrument: its quote, or why it has none. */
export interface QuoteUpdate {
  readonly instrument: Instrument
  readonly quote: Quote | Refusal
}

/**
 * What a subscriber reads from. It holds at most one update of each instrument, the newest, so a slow reader misses
 * steps in between and never grows the queue. Quotes of one instrument never go back in time.
 */
export interface QuoteStream {
  /** Updates since the last call, at most `most`: the instrument that has waited longest comes first. */
  take(most?: number): QuoteUpdate[]
  /** Ends the subscription; nothing is kept or told after it. May be called twice. */
  close(): void
}

/**
 * The market-data port: what every source of prices implements, the simulated market and each broker's feed.
 * `market/test-market-data-port.ts` is what each of them must pass.
 *
 * Failures are Refusals: `source_slow` (no answer in time), `source_down` (it can't be reached, or fails),
 * `not_subscribed` (this account may not have these data), `quote_unavailable` (it knows no price of this instrument). A
 * failure of one instrument stands in its place; a failure of the whole request rejects. Anything else thrown is a bug.
 */
export interface MarketDataSource extends MarketData {
  /** What messages call it. */
  readonly name: string
  /** Most instruments that one call of `quotes` may name. */
  readonly quotesMax: number
  /** Quote now, of a source that computes in this process and needs no cache, throwing Refusal; others don't have it. */
  quoteNow?(instrument: Instrument, at?: number): Quote
  /** A source that has `quoteNow` has this too. */
  depthNow?(instrument: Instrument, at?: number): Depth
  /** As in MarketData; it settles soon after `signal` is aborted. */
  quotes(instruments: readonly Instrument[], at?: number, signal?: AbortSignal): Promise<(Quote | Error)[]>
  depth(instrument: Instrument, at?: number, signal?: AbortSignal): Promise<Depth>
  /** As in MarketData, for at most `candleDays` days; it settles soon after `signal` is aborted. */
  candles(
    instrument: Instrument,
    interval: Interval,
    fromAt: number,
    toAt: number,
    signal?: AbortSignal,
  ): Promise<Candle[]>
  /** Most days of one call of `candles`; absent when any range will do. Longer ranges are asked for in pieces. */
  candleDays?(interval: Interval): number
  /**
   * Follows these instruments; each one's present quote is the first update of it. `wake` is called when there is
   * something to take after there was nothing, never before this returns. Refuses with `overloaded` more than
   * SUBSCRIBED_INSTRUMENTS_MAX instruments or SUBSCRIPTIONS_MAX subscriptions.
   */
  subscribe(instruments: readonly Instrument[], wake: () => void): QuoteStream
}
