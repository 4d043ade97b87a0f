import { assert } from '../kernel/assert.ts'
import { Refusal } from '../kernel/errors.ts'
import { type Price, type Quantity, quantity, toNumber, ZERO_QUANTITY } from '../kernel/fixed.ts'
import type { Instrument } from '../market/instrument.ts'
import type { Quote } from '../market/market-data.ts'
import type { OptionType } from '../market/option-chain-index.ts'
import { maxPain, putCallRatio, type SideTotals, type SmilePoint, skewOf } from './chain-totals.ts'
import type { PreviousInterest } from './previous-interest.ts'
import { analyseOption, type OptionAnalysis } from './pricing/analyse-option.ts'
import type { QuoteSheet } from './quote-sheet.ts'
import { PRICE_AGE_MAX_MS } from './reference-price.ts'

export interface ChainLeg {
  readonly option: Instrument
  /** `ATM`, `ITM3`, `OTM12`: listed strikes from the one at the money. */
  readonly label: string
  readonly quote: Quote | Refusal
  /** The quote is older than PRICE_AGE_MAX_MS although its exchange is open. */
  readonly isStale: boolean
  /** Open interest less that at the close of the session before; undefined when the source doesn't know it. */
  readonly interestChange: Quantity | undefined
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

/** Strikes of a chain, ascending, with the options of each. */
export interface Strikes {
  readonly strikes: readonly Price[]
  readonly calls: readonly (Instrument | undefined)[]
  readonly puts: readonly (Instrument | undefined)[]
}

/** Places [from, to) of strikes. */
export interface Window {
  readonly from: number
  readonly to: number
}

/** What all legs of a chain share. */
export interface ChainTerms {
  readonly sheet: QuoteSheet
  readonly before: PreviousInterest
  readonly forward: number | undefined
  readonly years: number
  readonly rate: number
}

/** Rows of the strikes in that window, ascending; `atm` is the place of the strike at the money. */
export function rowsOf(strikes: Strikes, { from, to }: Window, atm: number, terms: ChainTerms): ChainRow[] {
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

function legOf(
  option: Instrument | undefined,
  type: OptionType,
  steps: number,
  terms: ChainTerms,
): ChainLeg | undefined {
  if (option === undefined) return undefined
  const { sheet, before, forward, years, rate } = terms
  const quote = sheet.quote(option)
  const leg = { option, label: labelOf(type, steps), quote, analysis: undefined }
  if (quote instanceof Refusal) return { ...leg, isStale: false, interestChange: undefined }
  const interestBefore = before.of(option)
  const interestChange = interestBefore === undefined ? undefined : ((quote.openInterest - interestBefore) as Quantity)
  const isStale = sheet.ageMs(option.exchange, quote) > PRICE_AGE_MAX_MS
  if (forward === undefined || years <= 0 || quote.ltp <= 0 || isStale) return { ...leg, isStale, interestChange }
  const analysis = analyseOption({
    price: toNumber.price(quote.ltp),
    forward,
    strike: toNumber.price(option.strike),
    years,
    rate,
    sign: type === 'CE' ? 1 : -1,
    tick: toNumber.price(option.tickSize),
  })
  return { ...leg, isStale, interestChange, analysis }
}

export function totalsOf(rows: readonly ChainRow[], atm: Price): ChainTotals {
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
  let interestChange: number | undefined
  for (const { quote, interestChange: change } of legs) {
    if (quote instanceof Refusal) continue
    openInterest += quote.openInterest
    volume += quote.volume
    if (change !== undefined) interestChange = (interestChange ?? 0) + change
  }
  return {
    openInterest: quantity(openInterest),
    volume: quantity(volume),
    interestChange: interestChange === undefined ? undefined : quantity(interestChange),
  }
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
