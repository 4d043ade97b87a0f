import type { Clock } from '../../kernel/clock.ts'
import { MINUTE_MS } from '../../kernel/exchange-time.ts'
import { CANDLES_MAX, type Candle, type Interval } from '../market-data.ts'
import type { Stored } from './candle-files.ts'
import { type CandleStore, MADE_OF_MAX, type Series, type SeriesOwner, type StoredSeries } from './candle-store.ts'
import { aggregateColumns, candlesOf, columnsOf } from './columns.ts'
import type { Exported, ExportWanted } from './export-file.ts'
import type { Imported, ImportWanted } from './import-file.ts'
import { storedIntervals, storedMonths, storedSeries } from './series-path.ts'
import type { StoreFolders } from './store-protocol.ts'
import { StoreThread } from './store-thread.ts'

export interface StoredCandlesOptions {
  readonly folders: StoreFolders
  /** What the database engine may use. */
  readonly memoryMib: number
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}

/** Looks at whether the engine is still needed; after two looks without a call it goes. */
const REST_LOOK_MS = 5 * MINUTE_MS

/** Candles on the disk of this machine: Parquet files that an engine in a thread of its own reads and writes. */
export class StoredCandles implements CandleStore {
  readonly #folder: string
  readonly #thread: StoreThread
  readonly #stopLooking: () => void
  #calls = 0
  #callsBefore = 0

  constructor({ folders, memoryMib, clock, onError }: StoredCandlesOptions) {
    this.#folder = folders.candles
    this.#thread = new StoreThread({ folders, memoryMib })
    this.#stopLooking = clock.every(REST_LOOK_MS, () => {
      if (this.#thread.isRunning && this.#calls === this.#callsBefore) this.#thread.rest().catch(onError)
      this.#callsBefore = this.#calls
    })
  }

  /** Whether the engine is loaded. */
  get isRunning(): boolean {
    return this.#thread.isRunning
  }

  async candles(of: SeriesOwner, interval: Interval, fromAt: number, toAt: number): Promise<Candle[]> {
    const series = { symbol: of.symbol, exchange: of.exchange, interval }
    if (!this.#hasAny(series, fromAt, toAt)) return []
    return candlesOf(await this.#counted().call('read', { series, fromAt, toAt, max: CANDLES_MAX }))
  }

  async made(
    of: SeriesOwner,
    interval: Interval,
    fromAt: number,
    toAt: number,
    startOf: (startAt: number) => number,
  ): Promise<Candle[]> {
    const series = { symbol: of.symbol, exchange: of.exchange, interval }
    if (!this.#hasAny(series, fromAt, toAt)) return []
    const columns = await this.#counted().call('read', { series, fromAt, toAt, max: MADE_OF_MAX })
    return candlesOf(aggregateColumns(columns, startOf))
  }

  async intervals(of: SeriesOwner): Promise<readonly Interval[]> {
    return storedIntervals(this.#folder, of)
  }

  async starts(series: Series, fromAt: number, toAt: number): Promise<Float64Array> {
    if (!this.#hasAny(series, fromAt, toAt)) return new Float64Array()
    return this.#counted().call('starts', { series, fromAt, toAt })
  }

  /** Keeps candles, in any order, in place of those with the same start. On disk when it resolves. */
  async put(series: Series, candles: readonly Candle[]): Promise<Stored> {
    if (candles.length === 0) return { months: 0, added: 0, changed: 0 }
    const columns = columnsOf(candles)
    return this.#counted().call('put', { series, columns }, [columns.values.buffer])
  }

  /** Deletes all of a series; false when there was nothing. */
  async remove(series: Series): Promise<boolean> {
    return storedMonths(this.#folder, series).length > 0 && this.#counted().call('remove', { series })
  }

  /** All that is stored, sorted by exchange, interval and symbol. Looks at names of files alone. */
  async series(): Promise<readonly Series[]> {
    return storedSeries(this.#folder)
  }

  /** How much there is of each; those without a candle are left out. */
  async summaries(series: readonly Series[]): Promise<readonly StoredSeries[]> {
    const some = series.filter((one) => storedMonths(this.#folder, one).length > 0)
    return some.length === 0 ? [] : this.#counted().call('summaries', { series: some })
  }

  /** Throws file_not_found, file_unreadable. */
  importFile(wanted: ImportWanted): Promise<Imported> {
    return this.#counted().call('importFile', wanted)
  }

  /** Throws no_data, range_too_long. */
  exportFile(wanted: ExportWanted): Promise<Exported> {
    return this.#counted().call('exportFile', wanted)
  }

  /** Lets what was accepted finish. */
  async close(): Promise<void> {
    this.#stopLooking()
    await this.#thread.close()
  }

  #hasAny(series: Series, fromAt: number, toAt: number): boolean {
    return fromAt < toAt && storedMonths(this.#folder, series, fromAt, toAt).length > 0
  }

  #counted(): StoreThread {
    this.#calls += 1
    return this.#thread
  }
}
