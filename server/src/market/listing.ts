import type { Clock } from '../kernel/clock.ts'
import { dateAt, type ExchangeDate, MINUTE_MS } from '../kernel/exchange-time.ts'
import type { Exchange, Instrument } from './instrument.ts'
import { InstrumentStore } from './instrument-store.ts'
import { SymbolSearch } from './search.ts'

/** The instruments of one trading day. */
export type ListingSource = (date: ExchangeDate) => Iterable<Instrument>

/**
 * What is listed today. The store and its search index are immutable; when the date changes, new ones take their place
 * at once. Whoever asks sees one day or the other, never a mixture.
 */
export class Listing {
  readonly #source: ListingSource
  readonly #clock: Clock
  #date: ExchangeDate
  #store: InstrumentStore
  /** Built when first used: it takes as long as loading the instruments, and a start shouldn't wait for it. */
  #search: SymbolSearch | undefined

  constructor(source: ListingSource, clock: Clock) {
    this.#source = source
    this.#clock = clock
    this.#date = dateAt(clock.now())
    this.#store = new InstrumentStore(source(this.#date))
  }

  get store(): InstrumentStore {
    return this.#store
  }

  /** Looks every minute whether the date changed. Returns how to stop. A day that can't be loaded keeps the last one. */
  follow(onError: (error: unknown) => void): () => void {
    return this.#clock.every(MINUTE_MS, () => {
      try {
        this.refresh()
      } catch (error) {
        onError(error)
      }
    })
  }

  refresh(): void {
    const date = dateAt(this.#clock.now())
    if (date === this.#date) return
    const store = new InstrumentStore(this.#source(date))
    this.#store = store
    this.#search = undefined
    this.#date = date
  }

  find(symbol: string, exchange: Exchange): Instrument | undefined {
    return this.#store.find(symbol, exchange)
  }

  nearest(symbol: string, exchange: Exchange, count: number): readonly string[] {
    return this.#store.nearest(symbol, exchange, count)
  }

  search(query: string, exchange?: Exchange): readonly Instrument[] {
    this.#search ??= new SymbolSearch(this.#store)
    return this.#search.search(query, exchange)
  }
}
