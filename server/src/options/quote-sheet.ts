import { assert } from '../kernel/assert.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Price } from '../kernel/fixed.ts'
import { lastSecondOf, sessionOpenedBy, type TradingCalendar } from '../market/calendar.ts'
import type { Exchange, Instrument } from '../market/instrument.ts'
import type { MarketData, Quote } from '../market/market-data.ts'

/** How far a price may lie behind the last moment at which its exchange traded. */
export const PRICE_AGE_MAX_MS = 10_000

/** The last moment at which that exchange traded. Outside of trading hours nothing newer than its prices can be known. */
export const lastTradedAt = (calendar: TradingCalendar, exchange: Exchange, now: number): number =>
  Math.min(now, lastSecondOf(sessionOpenedBy(calendar, exchange, now)))

export interface QuoteSources {
  readonly marketData: Pick<MarketData, 'quotes'>
  readonly calendar: TradingCalendar
  readonly clock: Pick<Clock, 'now'>
}

/** Quotes that were asked for together. What is asked for again costs nothing. */
export class QuoteSheet {
  readonly #sources: QuoteSources
  readonly #quotes = new Map<Instrument, Quote | Refusal>()
  readonly #lastTradedAt = new Map<Exchange, number>()
  /** Instant of the last answer. */
  #now: number

  constructor(sources: QuoteSources) {
    this.#sources = sources
    this.#now = sources.clock.now()
  }

  /** Asks the source once for all of these that weren't asked for before. */
  async ask(instruments: Iterable<Instrument>): Promise<void> {
    const wanted = [...new Set(instruments)].filter((instrument) => !this.#quotes.has(instrument))
    if (wanted.length === 0) return
    const quotes = await this.#sources.marketData.quotes(wanted)
    for (let index = 0; index < wanted.length; index += 1) {
      const [instrument, quote] = [wanted[index], quotes[index]]
      assert(instrument !== undefined && quote !== undefined, 'a source answers every instrument it is asked for')
      if (quote instanceof Error && !(quote instanceof Refusal)) throw quote
      this.#quotes.set(instrument, quote)
    }
    this.#now = this.#sources.clock.now()
    this.#lastTradedAt.clear()
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

  /** Last price of what has a fresh quote. */
  price(instrument: Instrument): Price | undefined {
    return this.fresh(instrument)?.ltp
  }
}
