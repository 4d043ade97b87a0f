import { assert } from '../kernel/assert.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Price } from '../kernel/fixed.ts'
import { contractEnd } from '../market/contract-end.ts'
import type { Instrument } from '../market/instrument.ts'
import type { Quote } from '../market/market-data.ts'
import type { OptionChain } from '../market/option-chain-index.ts'
import { type ChainRow, type ChainTotals, rowsOf, type Strikes, totalsOf, type Window } from './chain-rows.ts'
import type { Listed } from './expiries.ts'
import { findSeries, type SeriesWanted } from './find-series.ts'
import { type Forward, yearsBetween } from './forward.ts'
import type { Forwards, ForwardsOptions } from './forwards.ts'
import { atTheMoney, type OptionSeries } from './offset.ts'
import { PreviousInterest, type PreviousInterestOptions } from './previous-interest.ts'
import { QuoteSheet } from './quote-sheet.ts'

/** Most strikes on each side of the money that one may ask for; without a count all are told. */
export const STRIKES_PER_SIDE_MAX = 100
/** Chains whose last answer is kept. */
export const KEPT_CHAINS_MAX = 64

export interface ChainWanted {
  readonly series: SeriesWanted
  /** On each side of the one at the money; undefined for all. */
  readonly strikesPerSide: number | undefined
  readonly withGreeks: boolean
  /** Percent a year. */
  readonly interestRate: number
}

/** A chain at one second. The same object is told again while nothing in it has changed. */
export interface ChainSnapshot {
  readonly series: OptionSeries
  readonly underlying: Quote
  readonly atTheMoney: Price
  readonly expiresAt: number
  /** Instant for which the greeks hold: the beginning of a second. */
  readonly at: number
  readonly withGreeks: boolean
  readonly forward: Forward | undefined
  readonly rows: readonly ChainRow[]
  readonly totals: ChainTotals
}

interface MadeChain {
  readonly snapshot: ChainSnapshot
  /** Whose quotes it comes from. */
  readonly used: ReadonlySet<Instrument>
}

interface KeptChain {
  readonly snapshot: ChainSnapshot
  readonly asked: readonly Instrument[]
  readonly answers: readonly (Quote | Error)[]
}

const secondOf = (at: number): number => Math.floor(at / 1000) * 1000

export interface OptionChainsOptions extends Omit<ForwardsOptions, 'clock'>, PreviousInterestOptions {
  readonly forwards: Forwards
}

/** Option chains with quotes, greeks and totals. */
export class OptionChains {
  readonly #options: OptionChainsOptions
  readonly #previousInterest: PreviousInterest
  readonly #strikes = new WeakMap<OptionChain, Strikes>()
  readonly #kept = new Map<string, KeptChain>()

  constructor(options: OptionChainsOptions) {
    this.#options = options
    this.#previousInterest = new PreviousInterest(options)
  }

  /**
   * Throws what findSeries throws, and when there is no price of the underlying, or of any option, why.
   * Asks the source once; once more for a chain that wasn't told before, or when the money has moved.
   */
  async read(wanted: ChainWanted): Promise<ChainSnapshot> {
    const { store, calendar, clock, marketData } = this.#options
    const listed: Listed = { store: store(), calendar, now: clock.now() }
    const series = findSeries(listed, wanted.series)
    const sheet = new QuoteSheet(this.#options)
    const key = keyOf(series, wanted)
    const kept = this.#kept.get(key)
    if (kept?.snapshot.series.chain === series.chain) {
      // The same that the last answer came from; often nothing has changed
      const answers = await marketData.quotes(kept.asked)
      if (kept.snapshot.at === secondOf(clock.now()) && isSame(kept.answers, answers)) return kept.snapshot
      sheet.fill(kept.asked, answers)
    }
    const { snapshot, used } = await this.#make(series, wanted, sheet)
    const asked = [...used]
    this.#keep(key, { snapshot, asked, answers: asked.map((instrument) => sheet.quote(instrument)) })
    return snapshot
  }

  async #make(series: OptionSeries, wanted: ChainWanted, sheet: QuoteSheet): Promise<MadeChain> {
    const { withGreeks, strikesPerSide, interestRate } = wanted
    const { reference, exchange, chain } = series
    const { forwards, calendar } = this.#options
    const strikes = this.#strikesOf(chain)
    const expected = windowOf(strikes, forwards.lastPrice(reference), strikesPerSide)
    const asked = [reference, ...legsOf(strikes, expected)]
    const reading = await forwards.read(withGreeks ? [series] : [], asked, interestRate, sheet)
    const underlyingPrice = sheet.referencePrice(reference)
    if (underlyingPrice instanceof Refusal) throw underlyingPrice
    forwards.remember(reference, underlyingPrice)
    const window = windowOf(strikes, underlyingPrice, strikesPerSide)
    const legs = legsOf(strikes, window)
    await sheet.ask(legs)
    refuseEmpty(legs.map((leg) => sheet.quote(leg)))
    await this.#previousInterest.load(exchange, legs)

    const { expiresAt } = contractEnd({ exchange, expiry: chain.expiry }, calendar) ?? {}
    const underlying = sheet.quote(reference)
    assert(
      expiresAt !== undefined && !(underlying instanceof Refusal),
      'options expire, and the underlying has a price',
    )
    const at = secondOf(sheet.now)
    const [found] = reading.forwards
    const forward = found instanceof Refusal ? undefined : found
    const atm = atTheMoney(strikes.strikes, underlyingPrice)
    const terms = {
      sheet,
      before: this.#previousInterest,
      forward: forward?.price,
      years: yearsBetween(at, expiresAt),
      rate: interestRate / 100,
    }
    const rows = rowsOf(strikes, window, atm, terms)
    const atmStrike = strikes.strikes[atm] ?? underlyingPrice
    const totals = totalsOf(rows, atmStrike)
    const snapshot = { series, underlying, atTheMoney: atmStrike, expiresAt, at, withGreeks, forward, rows, totals }
    return { snapshot, used: new Set([reference, ...legs, ...reading.used]) }
  }

  #strikesOf(chain: OptionChain): Strikes {
    const known = this.#strikes.get(chain)
    if (known !== undefined) return known
    const strikes = [...new Set([...chain.strikes('CE'), ...chain.strikes('PE')])].sort((a, b) => a - b)
    const made: Strikes = {
      strikes,
      calls: strikes.map((strike) => chain.find(strike, 'CE')),
      puts: strikes.map((strike) => chain.find(strike, 'PE')),
    }
    this.#strikes.set(chain, made)
    return made
  }

  #keep(key: string, kept: KeptChain): void {
    this.#kept.delete(key)
    this.#kept.set(key, kept)
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > KEPT_CHAINS_MAX && oldest !== undefined) this.#kept.delete(oldest)
  }
}

const keyOf = ({ exchange, chain, base, reference }: OptionSeries, wanted: ChainWanted): string =>
  `${exchange} ${base} ${chain.expiry} ${reference.id} ${wanted.strikesPerSide} ${wanted.withGreeks} ${wanted.interestRate}`

/** Strikes around that price; none while it isn't known. */
function windowOf({ strikes }: Strikes, money: Price | undefined, perSide: number | undefined): Window {
  if (perSide === undefined) return { from: 0, to: strikes.length }
  if (money === undefined) return { from: 0, to: 0 }
  const atm = atTheMoney(strikes, money)
  return { from: Math.max(0, atm - perSide), to: Math.min(strikes.length, atm + perSide + 1) }
}

function legsOf({ calls, puts }: Strikes, { from, to }: Window): Instrument[] {
  const legs: Instrument[] = []
  for (let index = from; index < to; index += 1) {
    const [call, put] = [calls[index], puts[index]]
    if (call !== undefined) legs.push(call)
    if (put !== undefined) legs.push(put)
  }
  return legs
}

/** A chain without a single price is a failure of the source, not a chain. */
function refuseEmpty(quotes: readonly (Quote | Refusal)[]): void {
  const [first] = quotes
  if (!(first instanceof Refusal) || quotes.some((quote) => !(quote instanceof Refusal))) return
  throw new Refusal(first.code, `None of the ${quotes.length} options has a quote. ${first.message}`)
}

function isSame<T>(before: readonly T[], now: readonly T[]): boolean {
  if (before.length !== now.length) return false
  for (let index = 0; index < now.length; index += 1) if (before[index] !== now[index]) return false
  return true
}
