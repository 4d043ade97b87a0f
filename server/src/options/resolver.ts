import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { timestampOf } from '../kernel/exchange-time.ts'
import type { Price } from '../kernel/fixed.ts'
import { lastSecondOf, sessionOpenedBy, type TradingCalendar } from '../market/calendar.ts'
import type { Instrument } from '../market/instrument.ts'
import type { InstrumentStore } from '../market/instrument-store.ts'
import type { MarketData, Quote } from '../market/market-data.ts'
import type { Listed } from './expiries.ts'
import { findSeries, type SeriesWanted } from './find-series.ts'
import { type OptionChoice, type OptionSeries, pickOption } from './offset.ts'

/** How far an underlying's price may lie behind the last moment at which it traded. */
export const UNDERLYING_AGE_MAX_MS = 10_000

/** An option, and the price of its underlying by which it was chosen. */
export interface ResolvedOption {
  readonly series: OptionSeries
  readonly option: Instrument
  readonly underlyingPrice: Price
}

export interface OptionResolverOptions {
  /** The instruments of today. */
  readonly store: () => InstrumentStore
  readonly marketData: MarketData
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
      return priceOf(reference, quote, calendar, now)
    })
  }

  /** Throws what `series`, `prices` and `pickOption` throw. */
  async resolve(wanted: SeriesWanted, choice: OptionChoice): Promise<ResolvedOption> {
    const series = this.series(wanted)
    const [price] = await this.prices([series.reference])
    if (typeof price !== 'number') throw price ?? noPrice(series.reference, '')
    return { series, option: pickOption(series, price, choice), underlyingPrice: price }
  }
}

/**
 * The quote's last price, or why it can't be relied on. Outside of trading hours the last price of the last session
 * counts: nothing newer can be known.
 */
function priceOf(
  reference: Instrument,
  quote: Quote | Error | undefined,
  calendar: TradingCalendar,
  now: number,
): Price | Refusal {
  if (quote instanceof Error) {
    if (quote instanceof Refusal) return new Refusal('quote_unavailable', `${failed(reference)} ${quote.message}`)
    throw quote
  }
  if (quote === undefined || quote.ltp <= 0) return noPrice(reference, ' The source has no last price of it.')
  const lastTradedAt = Math.min(now, lastSecondOf(sessionOpenedBy(calendar, reference.exchange, now)))
  const behindMs = lastTradedAt - quote.at
  if (behindMs <= UNDERLYING_AGE_MAX_MS) return quote.ltp
  return new Refusal(
    'quote_unavailable',
    `${failed(reference)} Its last price is of ${timestampOf(quote.at)}, ${Math.round(behindMs / 1000)} s old; strikes are chosen by one of the last ${UNDERLYING_AGE_MAX_MS / 1000} s. Try again when prices arrive.`,
  )
}

const failed = ({ symbol }: Instrument): string => `Failed to fetch LTP for ${symbol}.`

const noPrice = ({ symbol }: Instrument, why: string): Refusal =>
  new Refusal('quote_unavailable', `Could not determine LTP for ${symbol}.${why}`)
