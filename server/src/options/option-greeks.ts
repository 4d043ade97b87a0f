import { assert } from '../kernel/assert.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { dayStartAt, MINUTE_MS, timestampOf } from '../kernel/exchange-time.ts'
import { toNumber } from '../kernel/fixed.ts'
import type { TradingCalendar } from '../market/calendar.ts'
import { contractEnd } from '../market/contract-end.ts'
import type { Instrument } from '../market/instrument.ts'
import { type ForwardSource, yearsBetween } from './forward.ts'
import type { ForwardReading, Forwards } from './forwards.ts'
import type { OptionSeries } from './offset.ts'
import { analyseOption, type OptionAnalysis } from './pricing/analyse-option.ts'
import type { QuoteSheet } from './quote-sheet.ts'
import { PRICE_AGE_MAX_MS } from './reference-price.ts'

/** An option whose greeks are wanted. */
export interface GreeksWanted {
  readonly option: Instrument
  /** Whose last price is the forward; by default the forward is found as chains find it. */
  readonly underlying: Instrument | undefined
  /** The forward itself, in units of the price; wins. */
  readonly forward: number | undefined
}

/** Common to all options of a question. */
export interface GreeksTerms {
  /** Percent a year, continuously compounded. */
  readonly interestRate: number
  /** Minutes after midnight of the day of expiry at which options end; by default as the calendar says. */
  readonly expiryMinutes: number | undefined
}

/** Where the forward comes from: from the request as a number, or as an instrument's price, or as chains find it. */
export type GreeksForwardSource = ForwardSource | 'given' | 'named'

interface Reading {
  readonly option: Instrument
  /** In units of the price, like `forward`. */
  readonly price: number
  readonly forward: number
  readonly forwardSource: GreeksForwardSource
  readonly expiresAt: number
  /** Until it expires; 0 when it has. */
  readonly years: number
}

/** An option's greeks, and what they were computed from. `analysis` is missing when the option has expired. */
export interface GreeksReading extends Reading {
  readonly analysis: OptionAnalysis | undefined
}

export interface OptionGreeksOptions {
  readonly forwards: Forwards
  readonly calendar: TradingCalendar
  readonly clock: Pick<Clock, 'now'>
}

/** Implied volatility and greeks of options at their last prices. */
export class OptionGreeks {
  readonly #options: OptionGreeksOptions

  constructor(options: OptionGreeksOptions) {
    this.#options = options
  }

  /** Instant at which an option ends. */
  expiresAt(option: Instrument, expiryMinutes: number | undefined): number {
    const end = contractEnd(option, this.#options.calendar)
    assert(end !== undefined, 'every option expires')
    return expiryMinutes === undefined ? end.expiresAt : dayStartAt(end.day) + expiryMinutes * MINUTE_MS
  }

  /**
   * What became of each, in order: a Refusal where a price is missing or too old (quote_unavailable), or the underlying
   * isn't listed (symbol_not_found). Every price is asked for once, all together.
   */
  async read(wanted: readonly GreeksWanted[], terms: GreeksTerms): Promise<(GreeksReading | Refusal)[]> {
    const { forwards, clock } = this.#options
    const series = new Map<object, OptionSeries>()
    const found = wanted.map((each) => {
      if (each.forward !== undefined || each.underlying !== undefined) return undefined
      const own = this.#seriesOf(each.option)
      if (own instanceof Refusal) return own
      // Chains are one of a kind, so that options of one series share a forward
      const known = series.get(own.chain)
      if (known === undefined) series.set(own.chain, own)
      return known ?? own
    })
    const also = wanted.flatMap(({ option, underlying }) =>
      underlying === undefined ? [option] : [option, underlying],
    )
    const distinct = [...series.values()]
    const reading = await forwards.read(distinct, also, terms.interestRate)
    const forwardOfSeries = new Map(distinct.map((each, index) => [each, reading.forwards[index]]))
    const now = clock.now() // after the answer, as ages and times to expiry are counted from there
    return wanted.map((each, index) => {
      const own = found[index]
      if (own instanceof Refusal) return own
      const forward = own === undefined ? namedForward(each, reading.sheet) : forwardOfSeries.get(own)
      assert(forward !== undefined, 'a forward is there or refused')
      return forward instanceof Refusal ? forward : this.#analyse(each.option, forward, reading, terms, now)
    })
  }

  #seriesOf(option: Instrument): OptionSeries | Refusal {
    try {
      return this.#options.forwards.seriesOf(option)
    } catch (error) {
      if (error instanceof Refusal) return error
      throw error
    }
  }

  #analyse(
    option: Instrument,
    { price: forward, source }: { price: number; source: GreeksForwardSource },
    { sheet }: ForwardReading,
    { interestRate, expiryMinutes }: GreeksTerms,
    now: number,
  ): GreeksReading | Refusal {
    const last = lastPrice(option, sheet, 'Option LTP not available')
    if (last instanceof Refusal) return last
    const expiresAt = this.expiresAt(option, expiryMinutes)
    const years = yearsBetween(now, expiresAt)
    const read: Reading = { option, price: last, forward, forwardSource: source, expiresAt, years }
    if (years === 0) return { ...read, analysis: undefined }
    const analysis = analyseOption({
      price: last,
      forward,
      strike: toNumber.price(option.strike),
      years,
      rate: interestRate / 100,
      sign: option.kind === 'CE' ? 1 : -1,
      tick: toNumber.price(option.tickSize),
    })
    return { ...read, analysis }
  }
}

function namedForward(
  { forward, underlying }: GreeksWanted,
  sheet: QuoteSheet,
): { price: number; source: GreeksForwardSource } | Refusal {
  if (forward !== undefined) return { price: forward, source: 'given' }
  assert(underlying !== undefined, 'without a series the forward is named')
  const price = lastPrice(underlying, sheet, 'Underlying LTP not available')
  return price instanceof Refusal ? price : { price, source: 'named' }
}

/** Last price in units, or why it doesn't count. */
function lastPrice(instrument: Instrument, sheet: QuoteSheet, missing: string): number | Refusal {
  const price = sheet.price(instrument)
  if (price !== undefined) return toNumber.price(price)
  const { symbol, exchange } = instrument
  const quote = sheet.quote(instrument)
  if (quote instanceof Refusal) return new Refusal(quote.code, `${missing}. ${quote.message}`)
  const why =
    quote.ltp > 0
      ? `The last price of ${symbol} on ${exchange} is of ${timestampOf(quote.at)}, ${Math.round(sheet.ageMs(exchange, quote) / 1000)} s old; at most ${PRICE_AGE_MAX_MS / 1000} s count.`
      : `The source has no last price of ${symbol} on ${exchange}.`
  return new Refusal('quote_unavailable', `${missing}. ${why}`)
}
