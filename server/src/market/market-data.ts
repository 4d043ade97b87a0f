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
}

export interface DepthLevel {
  readonly price: Price
  readonly quantity: Quantity
}

export const DEPTH_LEVELS = 5

/** The order book's visible side, best price first, at most DEPTH_LEVELS each. */
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
