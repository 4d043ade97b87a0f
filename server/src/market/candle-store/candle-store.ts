import type { Exchange } from '../instrument.ts'
import type { Candle, Interval } from '../market-data.ts'

/** What a series of candles is of. It may be of an instrument that isn't listed any more. */
export interface SeriesOwner {
  readonly symbol: string
  readonly exchange: Exchange
}

/** All candles of one length of one instrument. */
export interface Series extends SeriesOwner {
  readonly interval: Interval
}

/** One series as it is stored: how many candles, and the first and last one's start. */
export interface StoredSeries extends Series {
  readonly candles: number
  readonly firstAt: number
  readonly lastAt: number
}

/** Stored candles that those of one answer are made of: ten years of minutes. */
export const MADE_OF_MAX = 1_000_000

/**
 * Candles that are kept. What is stored is what was downloaded or imported: nothing is derived here, so an interval that
 * was never stored has no candles. None of these loads the database engine when there is no file to read.
 */
export interface CandleStore {
  /**
   * Stored candles that begin in [fromAt, toAt), instants, ascending, no start twice. Empty when there are none.
   * Throws range_too_long beyond CANDLES_MAX, store_damaged when a file can't be read, overloaded, shutting_down.
   */
  candles(of: SeriesOwner, interval: Interval, fromAt: number, toAt: number): Promise<Candle[]>
  /**
   * Longer candles made of the stored ones that begin in [fromAt, toAt): those that `startOf` gives the same start are one.
   * It never goes back. Throws as `candles`, range_too_long beyond MADE_OF_MAX. A store without it has its candles made
   * elsewhere.
   */
  made?(
    of: SeriesOwner,
    interval: Interval,
    fromAt: number,
    toAt: number,
    startOf: (startAt: number) => number,
  ): Promise<Candle[]>
  /** Intervals of which something is stored, shortest first. Looks at names of files alone. */
  intervals(of: SeriesOwner): Promise<readonly Interval[]>
  /** Starts of the stored candles of [fromAt, toAt), ascending. Throws as `candles`. */
  starts(series: Series, fromAt: number, toAt: number): Promise<Float64Array>
}
