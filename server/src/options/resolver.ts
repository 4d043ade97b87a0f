import { assert } from '../kernel/assert.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Price } from '../kernel/fixed.ts'
import type { TradingCalendar } from '../market/calendar.ts'
import type { Instrument } from '../market/instrument.ts'
import type { InstrumentStore } from '../market/instrument-store.ts'
import type { Listed } from './expiries.ts'
import { findSeries, type SeriesWanted } from './find-series.ts'
import { type OptionChoice, type OptionSeries, pickOption } from './offset.ts'
import type { QuoteSource } from './quote-sheet.ts'
import { referencePrice } from './reference-price.ts'

/** One option that is wanted. */
export interface OptionWanted {
  readonly series: SeriesWanted
  readonly choice: OptionChoice
}

/** An option, and the price of its underlying by which it was chosen. */
export interface ResolvedOption {
  readonly option: Instrument
  readonly underlyingPrice: Price
}

export interface UnresolvedOption {
  readonly refusal: Refusal
  /** When it isn't the price that is missing. */
  readonly underlyingPrice: Price | undefined
}

export interface OptionResolverOptions {
  /** The instruments of today. */
  readonly store: () => InstrumentStore
  readonly marketData: QuoteSource
  readonly calendar: TradingCalendar
  readonly clock: Pick<Clock, 'now'>
}

/** Finds the option that an underlying, an expiry and an offset name. All that deals with options asks here. */
export class OptionResolver {
  readonly #options: OptionResolverOptions

  constructor(options: OptionResolverOptions) {
    this.#options = options
  }

  /** What is listed now. */
  listed(): Listed {
    const { store, calendar, clock } = this.#options
    return { store: store(), calendar, now: clock.now() }
  }

  /** Throws expiry_missing, symbol_not_found, option_not_found, contract_expired. Asks for no price. */
  series(wanted: SeriesWanted): OptionSeries {
    return findSeries(this.listed(), wanted)
  }

  /** Last price of each instrument, in order; a Refusal (quote_unavailable) where there is none that counts. */
  async prices(references: readonly Instrument[]): Promise<(Price | Refusal)[]> {
    const { marketData, calendar, clock } = this.#options
    const quotes = references.length === 0 ? [] : await marketData.quotes(references)
    const now = clock.now()
    return references.map((reference, index) => {
      const quote = quotes[index]
      return referencePrice(reference, quote, calendar, now)
    })
  }

  /** Throws what `series` and `pickOption` throw, and quote_unavailable. */
  async resolve(series: SeriesWanted, choice: OptionChoice): Promise<ResolvedOption> {
    const [found] = await this.resolveAll([{ series, choice }])
    assert(found !== undefined, 'one option was asked for')
    if ('refusal' in found) throw found.refusal
    return found
  }

  /** What became of each, in order. Every price is asked for once, all together. */
  async resolveAll(wanted: readonly OptionWanted[]): Promise<(ResolvedOption | UnresolvedOption)[]> {
    const listed = this.listed()
    const found = wanted.map(({ series }) => attempt(() => findSeries(listed, series)))
    const references = [...new Set(found.flatMap((each) => (each instanceof Refusal ? [] : [each.reference])))]
    const prices = await this.prices(references)
    const priceOfReference = new Map(references.map((reference, index) => [reference, prices[index]]))
    return wanted.map(({ choice }, index) => {
      const series = found[index]
      assert(series !== undefined, 'every option was looked for')
      if (series instanceof Refusal) return { refusal: series, underlyingPrice: undefined }
      const price = priceOfReference.get(series.reference)
      assert(price !== undefined, 'every reference was asked for its price')
      if (price instanceof Refusal) return { refusal: price, underlyingPrice: undefined }
      const option = attempt(() => pickOption(series, price, choice))
      return option instanceof Refusal
        ? { refusal: option, underlyingPrice: price }
        : { option, underlyingPrice: price }
    })
  }
}

/** What it gives, or the Refusal that it throws. */
function attempt<T>(run: () => T): T | Refusal {
  try {
    return run()
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}
