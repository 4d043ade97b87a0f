import { assert } from '../kernel/assert.ts'
import { Refusal } from '../kernel/errors.ts'
import { type Price, type Quantity, toNumber, ZERO_QUANTITY } from '../kernel/fixed.ts'
import { contractEnd } from '../market/contract-end.ts'
import type { Instrument } from '../market/instrument.ts'
import type { Quote } from '../market/market-data.ts'
import type { OptionChain, OptionType } from '../market/option-chain-index.ts'
import { maxPain, putCallRatio, type SideTotals, type SmilePoint, skewOf } from './chain-totals.ts'
import type { Listed } from './expiries.ts'
import { findSeries, type SeriesWanted } from './find-series.ts'
import { type Forward, yearsBetween } from './forward.ts'
import type { Forwards, ForwardsOptions } from './forwards.ts'
import { atTheMoney, type OptionSeries } from './offset.ts'
import { analyseOption, type OptionAnalysis } from './pricing/analyse-option.ts'
import { QuoteSheet } from './quote-sheet.ts'
import { PRICE_AGE_MAX_MS } from './reference-price.ts'

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

export interface ChainLeg {
  readonly option: Instrument
  /** `ATM`, `ITM3`, `OTM12`: listed strikes from the one at the money. */
  readonly label: string
  readonly quote: Quote | Refusal
  /** The quote is older than PRICE_AGE_MAX_MS although its exchange is open. */
  readonly isStale: boolean
  /** Undefined when they weren't asked for, or can't be had: without a fresh quote, a forward, or time to expiry. */
  readonly analysis: OptionAnalysis | undefined
}

export interface ChainRow {
  readonly strike: Price
  readonly call: ChainLeg | undefined
  readonly put: ChainLeg | undefined
}

/** Of the strikes of the answer that have a quote. */
export interface ChainTotals {
  readonly calls: SideTotals
  readonly puts: SideTotals
  readonly putCallRatioByInterest: number | undefined
  readonly putCallRatioByVolume: number | undefined
  readonly maxPain: Price | undefined
  /** Price of the call and the put at the money together. */
  readonly straddle: Price | undefined
  /** Mean of the call's and the put's at the money, a decimal; undefined without greeks. */
  readonly volatility: number | undefined
  /** As `skewOf`. */
  readonly skew: number | undefined
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

/** Strikes of a chain, ascending, with the options of each. */
interface Strikes {
  readonly strikes: readonly Price[]
  readonly calls: readonly (Instrument | undefined)[]
  readonly puts: readonly (Instrument | undefined)[]
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

/** Option chains with quotes, greeks and totals. */
export class OptionChains {
  readonly #options: ForwardsOptions
  readonly #forwards: Forwards
  readonly #strikes = new WeakMap<OptionChain, Strikes>()
  readonly #kept = new Map<string, KeptChain>()

  constructor(options: ForwardsOptions, forwards: Forwards) {
    this.#options = options
    this.#forwards = forwards
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
    const strikes = this.#strikesOf(chain)
    const expected = windowOf(strikes, this.#forwards.lastPrice(reference), strikesPerSide)
    const asked = [reference, ...legsOf(strikes, expected)]
    const { forwards, used } = await this.#forwards.read(withGreeks ? [series] : [], asked, interestRate, sheet)
    const underlyingPrice = sheet.referencePrice(reference)
    if (underlyingPrice instanceof Refusal) throw underlyingPrice
    const window = windowOf(strikes, underlyingPrice, strikesPerSide)
    const legs = legsOf(strikes, window)
    await sheet.ask(legs)
    refuseEmpty(legs.map((leg) => sheet.quote(leg)))

    const { expiresAt } = contractEnd({ exchange, expiry: chain.expiry }, this.#options.calendar) ?? {}
    const underlying = sheet.quote(reference)
    assert(
      expiresAt !== undefined && !(underlying instanceof Refusal),
      'options expire, and the underlying has a price',
    )
    const at = secondOf(sheet.now)
    const [found] = forwards
    const forward = found instanceof Refusal ? undefined : found
    const atm = atTheMoney(strikes.strikes, underlyingPrice)
    const terms = { sheet, forward: forward?.price, years: yearsBetween(at, expiresAt), rate: interestRate / 100 }
    const rows = rowsOf(strikes, window, atm, terms)
    const atmStrike = strikes.strikes[atm] ?? underlyingPrice
    const totals = totalsOf(rows, atmStrike)
    const snapshot = { series, underlying, atTheMoney: atmStrike, expiresAt, at, withGreeks, forward, rows, totals }
    return { snapshot, used: new Set([reference, ...legs, ...used]) }
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

/** Places [from, to) of strikes. */
interface Window {
  readonly from: number
  readonly to: number
}

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

interface Terms {
  readonly sheet: QuoteSheet
  readonly forward: number | undefined
  readonly years: number
  readonly rate: number
}

function rowsOf(strikes: Strikes, { from, to }: Window, atm: number, terms: Terms): ChainRow[] {
  const rows: ChainRow[] = []
  for (let index = from; index < to; index += 1) {
    const strike = strikes.strikes[index]
    assert(strike !== undefined, 'a window lies within the strikes')
    rows.push({
      strike,
      call: legOf(strikes.calls[index], 'CE', index - atm, terms),
      put: legOf(strikes.puts[index], 'PE', index - atm, terms),
    })
  }
  return rows
}

/** `steps` strikes above the one at the money. */
function labelOf(type: OptionType, steps: number): string {
  if (steps === 0) return 'ATM'
  return steps > 0 === (type === 'CE') ? `OTM${Math.abs(steps)}` : `ITM${Math.abs(steps)}`
}

function legOf(option: Instrument | undefined, type: OptionType, steps: number, terms: Terms): ChainLeg | undefined {
  if (option === undefined) return undefined
  const { sheet, forward, years, rate } = terms
  const quote = sheet.quote(option)
  const label = labelOf(type, steps)
  if (quote instanceof Refusal) return { option, label, quote, isStale: false, analysis: undefined }
  const isStale = sheet.ageMs(option.exchange, quote) > PRICE_AGE_MAX_MS
  if (forward === undefined || years <= 0 || quote.ltp <= 0 || isStale) {
    return { option, label, quote, isStale, analysis: undefined }
  }
  const analysis = analyseOption({
    price: toNumber.price(quote.ltp),
    forward,
    strike: toNumber.price(option.strike),
    years,
    rate,
    sign: type === 'CE' ? 1 : -1,
    tick: toNumber.price(option.tickSize),
  })
  return { option, label, quote, isStale, analysis }
}

function totalsOf(rows: readonly ChainRow[], atm: Price): ChainTotals {
  const calls = rows.flatMap(({ call }) => (call === undefined ? [] : [call]))
  const puts = rows.flatMap(({ put }) => (put === undefined ? [] : [put]))
  const [callSums, putSums] = [sumsOf(calls), sumsOf(puts)]
  const money = rows.find(({ strike }) => strike === atm)
  return {
    calls: callSums,
    puts: putSums,
    putCallRatioByInterest: putCallRatio(putSums.openInterest, callSums.openInterest),
    putCallRatioByVolume: putCallRatio(putSums.volume, callSums.volume),
    maxPain: maxPain(interestOf(calls), interestOf(puts)),
    straddle: straddleOf(money),
    volatility: volatilityOf(money),
    skew: skewOf(smileOf(calls), smileOf(puts)),
  }
}

function sumsOf(legs: readonly ChainLeg[]): SideTotals {
  let openInterest = 0
  let volume = 0
  for (const { quote } of legs) {
    if (quote instanceof Refusal) continue
    openInterest += quote.openInterest
    volume += quote.volume
  }
  return { openInterest: openInterest as Quantity, volume: volume as Quantity }
}

const interestOf = (legs: readonly ChainLeg[]) =>
  legs.map(({ option, quote }) => ({
    strike: option.strike,
    openInterest: quote instanceof Refusal ? ZERO_QUANTITY : quote.openInterest,
  }))

const smileOf = (legs: readonly ChainLeg[]): SmilePoint[] =>
  legs.flatMap(({ analysis }) =>
    analysis?.outcome === 'solved' ? [{ delta: analysis.greeks.delta, volatility: analysis.volatility }] : [],
  )

function straddleOf(row: ChainRow | undefined): Price | undefined {
  const [call, put] = [row?.call?.quote, row?.put?.quote]
  if (call === undefined || put === undefined || call instanceof Refusal || put instanceof Refusal) return undefined
  return call.ltp > 0 && put.ltp > 0 ? ((call.ltp + put.ltp) as Price) : undefined
}

function volatilityOf(row: ChainRow | undefined): number | undefined {
  const known = smileOf([row?.call, row?.put].filter((leg) => leg !== undefined))
  return known.length === 0 ? undefined : known.reduce((sum, { volatility }) => sum + volatility, 0) / known.length
}
