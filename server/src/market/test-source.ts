import type { Clock } from '../kernel/clock.ts'
import type { Refusal } from '../kernel/errors.ts'
import type { Instrument } from './instrument.ts'
import type { Candle, Depth, Interval, MarketDataSource, Quote, QuoteStream } from './market-data.ts'

/** Counts the tasks that a clock has. */
export class CountingClock implements Clock {
  readonly #clock: Clock
  tasks = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  now(): number {
    return this.#clock.now()
  }

  elapsedMs(): number {
    return this.#clock.elapsedMs()
  }

  every(intervalMs: number, task: () => void): () => void {
    const stop = this.#clock.every(intervalMs, task)
    this.tasks += 1
    let isStopped = false
    return () => {
      if (isStopped) return
      isStopped = true
      this.tasks -= 1
      stop()
    }
  }
}

/**
 * A source like a broker's: it has the prices of another one, but answers later, takes a few instruments at a time, and can
 * be made slow, or fail.
 */
export class RemoteSource implements MarketDataSource {
  readonly name = 'remote'
  readonly intervals: readonly Interval[]
  readonly quotesMax: number
  /** Symbols of each request for quotes or depth, in the order in which they came. */
  readonly asked: string[][] = []
  /** Requests that were given up. */
  aborted = 0
  /** Gives the failure of a request for these instruments, or nothing. */
  failure: (symbols: readonly string[]) => Refusal | Error | undefined = () => undefined
  /** Changes a quote on its way. */
  change: (quote: Quote) => Quote | Error = (quote) => quote
  readonly #prices: MarketDataSource
  #isHolding = false
  #release: (() => void)[] = []

  constructor(prices: MarketDataSource, quotesMax = 50) {
    this.#prices = prices
    this.quotesMax = quotesMax
    this.intervals = prices.intervals
  }

  /** From now on nothing is answered. */
  hold(): void {
    this.#isHolding = true
  }

  /** Answers what has been held longest. */
  releaseFirst(): void {
    this.#release.shift()?.()
  }

  /** Answers everything that was held. */
  release(): void {
    this.#isHolding = false
    for (const answer of this.#release.splice(0)) answer()
  }

  async quotes(instruments: readonly Instrument[], at?: number, signal?: AbortSignal): Promise<(Quote | Error)[]> {
    await this.#arrive(instruments, signal)
    const quotes = await this.#prices.quotes(instruments, at)
    return quotes.map((quote) => (quote instanceof Error ? quote : this.change(quote)))
  }

  async depth(instrument: Instrument, at?: number, signal?: AbortSignal): Promise<Depth> {
    await this.#arrive([instrument], signal)
    return this.#prices.depth(instrument, at)
  }

  candles(instrument: Instrument, interval: Interval, fromAt: number, toAt: number): Promise<Candle[]> {
    return this.#prices.candles(instrument, interval, fromAt, toAt)
  }

  subscribe(instruments: readonly Instrument[], wake: () => void): QuoteStream {
    return this.#prices.subscribe(instruments, wake)
  }

  async #arrive(instruments: readonly Instrument[], signal: AbortSignal | undefined): Promise<void> {
    const symbols = instruments.map(({ symbol }) => symbol)
    this.asked.push(symbols)
    signal?.addEventListener('abort', () => {
      this.aborted += 1
    })
    if (this.#isHolding) await new Promise<void>((resolve) => this.#release.push(resolve))
    const failure = this.failure(symbols)
    if (failure !== undefined) throw failure
  }
}
