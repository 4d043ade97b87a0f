import { Refusal } from '../kernel/errors.ts'
import type { Price } from '../kernel/fixed.ts'
import { contractEnd } from '../market/contract-end.ts'
import type { Instrument } from '../market/instrument.ts'
import type { InstrumentStore } from '../market/instrument-store.ts'
import { underlyingOf } from '../market/underlying.ts'
import { type Forward, forwardFuture, forwardOf, type Pair, pairsAround, saysForward, yearsBetween } from './forward.ts'
import type { OptionSeries } from './offset.ts'
import { QuoteSheet, type QuoteSources } from './quote-sheet.ts'

/** Underlyings whose last price is remembered. */
export const REMEMBERED_PRICES_MAX = 4096

export interface ForwardsOptions extends QuoteSources {
  /** The instruments of today. */
  readonly store: () => InstrumentStore
}

/** Forwards of several series, and every quote that was asked for on the way. */
export interface ForwardReading {
  /** In the order of the series; a Refusal (quote_unavailable) where no price says what the forward is. */
  readonly forwards: readonly (Forward | Refusal)[]
  readonly sheet: QuoteSheet
  /** Whose quotes the forwards come from. */
  readonly used: ReadonlySet<Instrument>
}

/** The one forward by which chains and greeks are computed. */
export class Forwards {
  readonly #options: ForwardsOptions
  /** Last price of an underlying by its id: says around which strikes the money is, before its price is known. */
  readonly #lastPrices = new Map<number, Price>()

  constructor(options: ForwardsOptions) {
    this.#options = options
  }

  /**
   * Forwards of these series, with the quotes of `also`. One question to the source, and a second only when the money
   * has moved to strikes that weren't asked for, or a future that is listed has no price. What `sheet` has already isn't
   * asked for again.
   */
  async read(
    wanted: readonly OptionSeries[],
    also: readonly Instrument[],
    interestRate: number,
    sheet = new QuoteSheet(this.#options),
  ): Promise<ForwardReading> {
    const { store } = this.#options
    const today = store()
    const found = wanted.map((series) => ({ series, future: forwardFuture(today, series) }))
    const asked = new Set<Instrument>(also)
    for (const { series, future } of found) {
      asked.add(series.reference)
      if (future !== undefined) asked.add(future)
      const guess = future === undefined ? this.#lastPrices.get(series.reference.id) : undefined
      if (guess !== undefined) addPairs(asked, pairsAround(series.chain, guess))
    }
    await sheet.ask(asked)

    const used = new Set<Instrument>()
    const pairs = found.map(({ series, future }) => {
      const underlying = sheet.price(series.reference)
      if (underlying !== undefined) this.remember(series.reference, underlying)
      used.add(series.reference)
      if (future !== undefined) used.add(future)
      if (future !== undefined && saysForward(sheet.fresh(future))) return []
      const money = underlying ?? this.#lastPrices.get(series.reference.id)
      const around = money === undefined ? [] : pairsAround(series.chain, money)
      addPairs(used, around)
      return around
    })
    await sheet.ask(used)
    const forwards = found.map(({ series, future }, index) =>
      this.#forward(series, future, pairs[index] ?? [], sheet, interestRate),
    )
    return { forwards, sheet, used }
  }

  /** Keeps the price of an underlying, to know the next time around which strikes the money is. */
  remember({ id }: Instrument, price: Price): void {
    if (this.#lastPrices.size >= REMEMBERED_PRICES_MAX && !this.#lastPrices.has(id)) this.#lastPrices.clear()
    this.#lastPrices.set(id, price)
  }

  /** The last price that was seen of an underlying. */
  lastPrice(reference: Instrument): Price | undefined {
    return this.#lastPrices.get(reference.id)
  }

  /** The series that an option belongs to. Throws symbol_not_found when its underlying isn't listed. */
  seriesOf(option: Instrument): OptionSeries {
    return seriesOfOption(this.#options.store(), option)
  }

  #forward(
    series: OptionSeries,
    future: Instrument | undefined,
    pairs: readonly Pair[],
    sheet: QuoteSheet,
    interestRate: number,
  ): Forward | Refusal {
    const { calendar } = this.#options
    const { now } = sheet
    const { exchange, chain, reference } = series
    const yearsTo = (contract: Pick<Instrument, 'exchange' | 'expiry'>): number =>
      yearsBetween(now, contractEnd(contract, calendar)?.expiresAt ?? now)
    const forward = forwardOf(
      {
        future: future === undefined ? undefined : sheet.fresh(future),
        pairs: pairs.map(({ strike, call, put }) => ({ strike, call: sheet.fresh(call), put: sheet.fresh(put) })),
        underlying: sheet.price(reference),
      },
      { years: yearsTo({ exchange, expiry: chain.expiry }), underlyingYears: yearsTo(reference), interestRate },
    )
    if (forward !== undefined) return forward
    const told = sheet.referencePrice(reference)
    const why = told instanceof Refusal ? told.message : ''
    return new Refusal(
      'quote_unavailable',
      `No forward of ${series.base}: neither a future of its expiry, nor calls and puts around the money, nor ${reference.symbol} on ${reference.exchange} has a fresh price. ${why}`.trim(),
    )
  }
}

/** The series that an option belongs to. Throws symbol_not_found when its underlying isn't listed. */
export function seriesOfOption(store: InstrumentStore, option: Instrument): OptionSeries {
  const { name, exchange, expiry, symbol } = option
  const chain = expiry === undefined ? undefined : store.optionChain(name, exchange, expiry)
  if (chain === undefined) {
    throw new Refusal('option_not_found', `${symbol} on ${exchange} is not a listed option.`)
  }
  const reference = underlyingOf(store, option)
  if (reference === undefined) {
    throw new Refusal('symbol_not_found', `The underlying ${name} of ${symbol} is not listed.`)
  }
  return { base: name, exchange, chain, reference }
}

function addPairs(instruments: Set<Instrument>, pairs: readonly Pair[]): void {
  for (const { call, put } of pairs) instruments.add(call).add(put)
}
