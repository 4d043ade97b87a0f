import type { Clock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { dateAt, type ExchangeDate, MINUTE_MS } from '../../kernel/exchange-time.ts'
import { StartRefused } from '../../kernel/start-refused.ts'
import { InTurn } from '../../kernel/turns.ts'
import type { Exchange, Instrument } from '../instrument.ts'
import { InstrumentStore } from '../instrument-store.ts'
import { SymbolSearch } from '../search.ts'
import { symbolTableOf } from './columns.ts'
import { type Difference, differenceOf } from './difference.ts'
import type { InstrumentSource } from './instrument-source.ts'
import { type Loaded, load } from './load.ts'
import { readSnapshot, versionOf, writeSnapshot } from './snapshot-file.ts'

/** Reports of loads that are kept, newest first. */
export const REPORTS_KEPT = 20
/** Minutes until a load that failed is tried again: twice as many each time, up to so many. */
const RETRY_MINUTES_MAX = 30

/** What became of one load. */
export interface LoadReport {
  readonly at: number
  readonly durationMs: number
  /** Day of the instruments that were asked for. */
  readonly date: ExchangeDate
  readonly edition: string
  /** Where they were from: `disk` is what was kept of the same day. */
  readonly from: 'source' | 'disk'
  /** Why they weren't taken; empty when they were. */
  readonly refusal: string
  /** Instruments that came, right and unique ones. */
  readonly total: number
  /** Rows that were wrong or there twice, and what is wrong with the first of them. */
  readonly faultCount: number
  readonly faults: readonly string[]
  /** To what there was before. Undefined when nothing could be compared: the source failed, or nothing changed. */
  readonly difference: Difference | undefined
}

/** The instruments of one day. Unchangeable; another day is another snapshot. */
export class Snapshot {
  readonly store: InstrumentStore
  readonly date: ExchangeDate
  readonly edition: string
  #version: string | undefined
  /** Built when first used: it takes as long as loading the instruments, and a start shouldn't wait for it. */
  #search: SymbolSearch | undefined

  constructor(store: InstrumentStore, date: ExchangeDate, edition: string, version?: string) {
    this.store = store
    this.date = date
    this.edition = edition
    this.#version = version
  }

  /** Differs when anything about any instrument does, and is the same after a restart. */
  get version(): string {
    this.#version ??= versionOf(this.#content)
    return this.#version
  }

  get search(): SymbolSearch {
    this.#search ??= new SymbolSearch(this.store)
    return this.#search
  }

  async write(path: string): Promise<void> {
    this.#version = await writeSnapshot(path, this.#content)
  }

  get #content() {
    return { date: this.date, edition: this.edition, columns: this.store.columns }
  }
}

export interface InstrumentUniverseOptions {
  readonly source: InstrumentSource
  readonly clock: Clock
  /** File that keeps the snapshot over restarts; none when absent. */
  readonly file?: string
  /** Told of each load. */
  readonly onLoad?: (report: LoadReport) => void
  /** Told of a file that can't be read or written, and of a source that broke; what instruments there are stay. */
  readonly onError?: (error: unknown) => void
}

/**
 * What is listed today: one snapshot, exchanged as a whole for the next one. Whoever asks sees one day or the other, never
 * a mixture. A load that is wrong or incomplete is refused, and what there was stays.
 */
export class InstrumentUniverse {
  readonly #options: InstrumentUniverseOptions
  readonly #turn = new InTurn()
  readonly #reports: LoadReport[] = []
  #current: Snapshot
  #isKept: boolean
  #writing: Promise<void> = Promise.resolve()
  #failures = 0
  #nextTryAt = 0

  private constructor(options: InstrumentUniverseOptions, current: Snapshot, isKept: boolean) {
    this.#options = options
    this.#current = current
    this.#isKept = isKept
  }

  /**
   * Takes what was kept of today, or else loads. When the load fails, what was kept of the same source's other day stays in use. Throws
   * StartRefused when there is nothing to work with.
   */
  static async open(options: InstrumentUniverseOptions): Promise<InstrumentUniverse> {
    const { source, clock } = options
    const startedMs = clock.elapsedMs()
    const found = await keptSnapshot(options)
    const kept = found?.edition === source.edition ? found : undefined // another source's would be other instruments
    const date = dateAt(clock.now())
    if (kept?.date === date) {
      const universe = new InstrumentUniverse(options, kept, true)
      universe.#report({ startedMs, date, from: 'disk', loaded: fine(kept.store), difference: undefined })
      return universe
    }
    const universe = new InstrumentUniverse(options, kept ?? NOTHING, true)
    const report = await universe.#load({ mayShrink: false, isGentle: false })
    if (universe.#current.store.size > 0) return universe
    throw new StartRefused(`The instruments of ${date} can't be used: ${report.refusal}.`)
  }

  get current(): Snapshot {
    return this.#current
  }

  get store(): InstrumentStore {
    return this.#current.store
  }

  /** What became of the last loads, newest first. */
  get reports(): readonly LoadReport[] {
    return this.#reports
  }

  /** Loads again when the date changes, and keeps what is loaded on disk. Returns how to stop. */
  follow(): () => void {
    this.#keep()
    return this.#options.clock.every(MINUTE_MS, () => {
      this.refresh().catch((error: unknown) => this.#options.onError?.(error))
    })
  }

  /** Loads when the date has changed since; a load that failed is tried again after a while. */
  async refresh(): Promise<void> {
    const { clock } = this.#options
    if (dateAt(clock.now()) === this.#current.date || clock.now() < this.#nextTryAt || !this.#turn.isIdle) return
    await this.reload()
  }

  /** Loads again. `mayShrink` takes a load with however few instruments. Never throws what the source did. */
  async reload(options: { readonly mayShrink?: boolean } = {}): Promise<LoadReport> {
    return this.#turn.run(() => this.#load({ mayShrink: options.mayShrink ?? false, isGentle: true }))
  }

  /** Waits until what is being written is on disk. */
  async close(): Promise<void> {
    await this.#writing
  }

  find(symbol: string, exchange: Exchange): Instrument | undefined {
    return this.#current.store.find(symbol, exchange)
  }

  nearest(symbol: string, exchange: Exchange, count: number): readonly string[] {
    return this.#current.store.nearest(symbol, exchange, count)
  }

  async #load(how: { readonly mayShrink: boolean; readonly isGentle: boolean }): Promise<LoadReport> {
    const { source, clock } = this.#options
    const startedMs = clock.elapsedMs()
    const date = dateAt(clock.now())
    const before = this.#current.store.size === 0 ? undefined : this.#current.store
    let loaded: Loaded
    try {
      loaded = await load(source, date, { before, ...how })
    } catch (error) {
      if (!(error instanceof Refusal)) this.#options.onError?.(error)
      const refusal = `${source.edition} gave none: ${error instanceof Error ? error.message : String(error)}`
      loaded = { store: EMPTY, refusal, faultCount: 0, faults: [] }
      return this.#report({ startedMs, date, from: 'source', loaded, difference: undefined })
    }
    const difference = before === undefined ? undefined : await differenceOf(before, loaded.store)
    if (loaded.refusal === undefined) {
      this.#current = new Snapshot(loaded.store, date, source.edition)
      this.#isKept = false
      if (how.isGentle) this.#keep()
    }
    return this.#report({ startedMs, date, from: 'source', loaded, difference })
  }

  #report(done: {
    readonly startedMs: number
    readonly date: ExchangeDate
    readonly from: LoadReport['from']
    readonly loaded: Loaded
    readonly difference: Difference | undefined
  }): LoadReport {
    const { source, clock, onLoad } = this.#options
    const { startedMs, date, from, loaded, difference } = done
    const report = {
      at: clock.now(),
      durationMs: Math.round(clock.elapsedMs() - startedMs),
      date,
      edition: source.edition,
      from,
      refusal: loaded.refusal ?? '',
      total: loaded.store.size,
      faultCount: loaded.faultCount,
      faults: loaded.faults,
      difference,
    }
    this.#failures = loaded.refusal === undefined ? 0 : this.#failures + 1
    const minutes = Math.min(2 ** (this.#failures - 1), RETRY_MINUTES_MAX)
    this.#nextTryAt = this.#failures === 0 ? 0 : clock.now() + minutes * MINUTE_MS
    this.#reports.unshift(report)
    if (this.#reports.length > REPORTS_KEPT) this.#reports.pop()
    onLoad?.(report)
    return report
  }

  /** Writes behind: what is loaded is in use already. */
  #keep(): void {
    const { file, onError } = this.#options
    if (file === undefined || this.#isKept) return
    this.#isKept = true
    this.#writing = this.#writing
      .then(() => this.#current.write(file))
      .catch((error: unknown) => {
        this.#isKept = false
        onError?.(error)
      })
  }
}

const EMPTY = new InstrumentStore([])
/** Of before the first load. */
const NOTHING = new Snapshot(EMPTY, '', '')

const fine = (store: InstrumentStore): Loaded => ({ store, refusal: undefined, faultCount: 0, faults: [] })

async function keptSnapshot({ file, onError }: InstrumentUniverseOptions): Promise<Snapshot | undefined> {
  if (file === undefined) return undefined
  try {
    const kept = await readSnapshot(file)
    if (kept === undefined) return undefined
    const store = new InstrumentStore({ columns: kept.columns, bySymbol: symbolTableOf(kept.columns) })
    return new Snapshot(store, kept.date, kept.edition, kept.version)
  } catch (error) {
    onError?.(error) // the next load replaces it
    return undefined
  }
}
