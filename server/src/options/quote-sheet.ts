import { assert } from '../kernel/assert.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Price } from '../kernel/fixed.ts'
import type { TradingCalendar } from '../market/calendar.ts'
import type { Exchange, Instrument } from '../market/instrument.ts'
import type { Quote } from '../market/market-data.ts'
import { lastTradedAt, PRICE_AGE_MAX_MS, referencePrice } from './reference-price.ts'

/** A service or source of quotes; one of each instrument, in order. */
export interface QuoteSource {
  quotes(instruments: readonly Instrument[]): readonly (Quote | Error)[] | Promise<readonly (Quote | Error)[]>
}

export interface QuoteSources {
  readonly marketData: QuoteSource
  readonly calendar: TradingCalendar
  readonly clock: Pick<Clock, 'now'>
}

/** Quotes that were asked for together. What is asked for again costs nothing. */
export class QuoteSheet {
  readonly #sources: QuoteSources
  readonly #quotes = new Map<Instrument, Quote | Refusal>()
  readonly #lastTradedAt = new Map<Exchange, number>()
  #now: number

  constructor(sources: QuoteSources) {
    this.#sources = sources
    this.#now = sources.clock.now()
  }

  /** Asks the source once for all of these that weren't asked for before. */
  async ask(instruments: Iterable<Instrument>): Promise<void> {
    const wanted = [...new Set(instruments)].filter((instrument) => !this.#quotes.has(instrument))
    if (wanted.length > 0) this.fill(wanted, await this.#sources.marketData.quotes(wanted))
  }

  /** Takes what the source has just answered, one of each instrument. */
  fill(instruments: readonly Instrument[], answers: readonly (Quote | Error)[]): void {
    for (let index = 0; index < instruments.length; index += 1) {
      const [instrument, answer] = [instruments[index], answers[index]]
      assert(instrument !== undefined && answer !== undefined, 'a source answers every instrument it is asked for')
      if (answer instanceof Error && !(answer instanceof Refusal)) throw answer
      this.#quotes.set(instrument, answer)
    }
    this.#now = this.#sources.clock.now()
    this.#lastTradedAt.clear()
  }

  /** Instant of the last answer. */
  get now(): number {
    return this.#now
  }

  /** What the source answered. Only for what was asked for. */
  quote(instrument: Instrument): Quote | Refusal {
    const quote = this.#quotes.get(instrument)
    assert(quote !== undefined, 'a quote is looked up after it was asked for')
    return quote
  }

  /** How far a quote of that exchange lies behind the last moment at which it traded; never below 0. */
  ageMs(exchange: Exchange, quote: Quote): number {
    let at = this.#lastTradedAt.get(exchange)
    if (at === undefined) {
      at = lastTradedAt(this.#sources.calendar, exchange, this.#now)
      this.#lastTradedAt.set(exchange, at)
    }
    return Math.max(0, at - quote.at)
  }

  /** The quote, when there is one that counts: with a last price, and no older than PRICE_AGE_MAX_MS. */
  fresh(instrument: Instrument): Quote | undefined {
    const quote = this.#quotes.get(instrument)
    if (quote === undefined || quote instanceof Refusal || quote.ltp <= 0) return undefined
    return this.ageMs(instrument.exchange, quote) <= PRICE_AGE_MAX_MS ? quote : undefined
  }

  /** Last price of an underlying, or why it can't be relied on. */
  referencePrice(reference: Instrument): Price | Refusal {
    return referencePrice(reference, this.#quotes.get(reference), this.#sources.calendar, this.#now)
  }

  /** Last price of what has a fresh quote. */
  price(instrument: Instrument): Price | undefined {
    return this.fresh(instrument)?.ltp
  }
}
