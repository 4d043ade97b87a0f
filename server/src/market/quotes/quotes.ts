import type { Clock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import type { TradingCalendar } from '../calendar.ts'
import type { Instrument } from '../instrument.ts'
import type { Depth, MarketDataSource, Quote } from '../market-data.ts'
import { SharedRequests } from './shared-requests.ts'
import { noPrice } from './source-failure.ts'

/** A source has so long to answer. */
export const QUOTE_DEADLINE_MS = 5_000
/** While its exchange is open, a quote whose data are older is stale. */
export const STALE_AFTER_MS = 10_000

export interface QuotesOptions {
  readonly source: MarketDataSource
  readonly calendar: Pick<TradingCalendar, 'sessionAt'>
  readonly clock: Clock
  readonly deadlineMs?: number
}

/**
 * Quotes and books of the present, of any source. A source that computes in this process is asked directly; any other
 * through SharedRequests, so that it is spared what can be. Never a price of 0: an instrument without one has a Refusal.
 */
export class Quotes {
  readonly #source: MarketDataSource
  readonly #clock: Clock
  readonly #calendar: Pick<TradingCalendar, 'sessionAt'>
  readonly #quotes: SharedRequests<Quote>
  readonly #depths: SharedRequests<Depth>

  constructor({ source, clock, calendar, deadlineMs = QUOTE_DEADLINE_MS }: QuotesOptions) {
    this.#source = source
    this.#clock = clock
    this.#calendar = calendar
    const shared = {
      source: source.name,
      deadlineMs,
      clock,
      accept: <T extends Quote>(answer: T, instrument: Instrument) => this.#priced(answer, instrument),
      dataAt: ({ at }: Quote) => at,
    }
    this.#quotes = new SharedRequests<Quote>({
      ...shared,
      batchMax: source.quotesMax,
      ask: (instruments, signal) => source.quotes(instruments, undefined, signal),
    })
    this.#depths = new SharedRequests<Depth>({
      ...shared,
      batchMax: 1,
      ask: (instruments, signal) =>
        Promise.all(instruments.map((instrument) => source.depth(instrument, undefined, signal))),
    })
  }

  /** The quote or why there is none, at once when the source or the cache can. */
  quote(instrument: Instrument): Quote | Refusal | Promise<Quote | Refusal> {
    return this.#source.quoteNow === undefined ? this.#quotes.get(instrument) : this.#quoteNow(instrument)
  }

  /** One of each instrument, in order; the same instrument may come twice. */
  quotes(instruments: readonly Instrument[]): (Quote | Refusal)[] | Promise<(Quote | Refusal)[]> {
    if (this.#source.quoteNow !== undefined) return instruments.map((instrument) => this.#quoteNow(instrument))
    return Promise.all(instruments.map((instrument) => this.#quotes.get(instrument)))
  }

  depth(instrument: Instrument): Depth | Refusal | Promise<Depth | Refusal> {
    const { depthNow } = this.#source
    if (depthNow === undefined) return this.#depths.get(instrument)
    return orRefusal(() => this.#priced(depthNow.call(this.#source, instrument), instrument))
  }

  /** Whether the quote's data are old although its exchange is open. */
  isStale({ exchange }: Pick<Instrument, 'exchange'>, { at }: Pick<Quote, 'at'>): boolean {
    const now = this.#clock.now()
    if (now - at <= STALE_AFTER_MS) return false
    const session = this.#calendar.sessionAt(exchange, now)
    return session !== undefined && now - session.opensAt > STALE_AFTER_MS
  }

  /** Answers who waits with `shutting_down`. */
  close(): void {
    this.#quotes.close()
    this.#depths.close()
  }

  #quoteNow(instrument: Instrument): Quote | Refusal {
    return orRefusal(() => this.#priced(this.#source.quoteNow?.(instrument), instrument))
  }

  #priced<T extends Quote>(answer: T | undefined, instrument: Instrument): T | Refusal {
    return answer === undefined || answer.ltp <= 0 ? noPrice(this.#source.name, instrument) : answer
  }
}

function orRefusal<T>(ask: () => T | Refusal): T | Refusal {
  try {
    return ask()
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}
