import { dayNumberOf, type ExchangeDate } from '../../kernel/exchange-time.ts'
import { mulDiv, PRICE_ONE, type Price, price } from '../../kernel/fixed.ts'
import type { InstrumentKind } from '../../market/instrument.ts'
import { optionPrice } from '../../market/pricing/index.ts'
import { type RiskClass, riskParameters } from './parameters.ts'

/** What the arrays of one underlying's contracts are computed from; all of them always from the same. */
export interface RiskBasis {
  readonly date: ExchangeDate
  /** Of the underlying. */
  readonly price: Price
  readonly riskClass: RiskClass
}

/** What the risk of a contract depends on, besides the basis. */
export interface RiskContract {
  readonly kind: InstrumentKind
  readonly expiry: ExchangeDate | undefined
  readonly strike: Price
  readonly tickSize: Price
}

/** Risk of one unit of a contract, in prices. Integers, so that all that is made of them is exact. */
export interface RiskArray {
  readonly option: 'CE' | 'PE' | ''
  /** Empty for what doesn't expire. */
  readonly expiry: string
  /** An option's value now and in each scenario; of anything else the change of its price. */
  readonly values: readonly number[]
  readonly minimum: Price
  readonly exposure: Price
  /** Charge for a spread between expiries, by the contract's delta: negative for puts. */
  readonly calendar: Price
}

export const SCENARIOS = 16
const EXTREME_MOVE = 2
/** Part of the loss in an extreme move that counts. */
const EXTREME_COVER = 0.35

/**
 * The scenarios of SPAN as NSE Clearing uses it: the price stays, or moves by a third, two thirds or all of the scan
 * range up or down, each with volatility up and down; and twice the range up and down, of which 35 % counts.
 */
const MOVES: readonly (readonly [price: number, volatility: 1 | -1])[] = [0, 1, -1, 2, -2, 3, -3].flatMap((thirds) => [
  [thirds / 3, 1] as const,
  [thirds / 3, -1] as const,
])

const BASIS_POINTS = 10_000
/** On its last day a contract is priced as with half a day to go. */
const DAYS_LEAST = 0.5
const VOLATILITY_LEAST = 0.005

/** Floats are used only in here. Values are rounded to the contract's tick, which keeps them in order over strikes. */
export function riskArray(contract: RiskContract, basis: RiskBasis): RiskArray {
  const { kind, expiry } = contract
  const tick = Math.max(1, contract.tickSize) // 0 where the exchange sets none
  const parameters = riskParameters(basis.riskClass, basis.date)
  // Whole ticks are whole paise, mostly: those are added up several times faster
  const ofPrice = (basisPoints: number): Price =>
    price(mulDiv(mulDiv(basis.price, basisPoints, BASIS_POINTS, 'up'), 1, tick, 'up') * tick)
  const common = {
    expiry: expiry ?? '',
    minimum: ofPrice(parameters.shortOptionMinimum),
    exposure: ofPrice(parameters.exposure),
  }
  const calendar = ofPrice(parameters.calendar)
  const scan = parameters.priceScan / BASIS_POINTS
  const now = basis.price / PRICE_ONE
  const rounded = (value: number): number => {
    const ticks = Math.round((value * PRICE_ONE) / tick) * tick
    return price(ticks === 0 ? 0 : ticks)
  }
  if (kind !== 'CE' && kind !== 'PE') {
    const changes = MOVES.map(([move]) => now * scan * move)
    const extreme = now * scan * EXTREME_MOVE * EXTREME_COVER
    return { ...common, option: '', values: [0, ...changes, extreme, -extreme].map(rounded), calendar }
  }
  const days = Math.max(DAYS_LEAST, dayNumberOf(expiry ?? basis.date) - dayNumberOf(basis.date))
  const root = Math.sqrt(days / 365)
  const strike = contract.strike / PRICE_ONE
  const sign = kind === 'CE' ? 1 : -1
  const volatility = parameters.volatility / BASIS_POINTS
  const shift = parameters.volatilityScan / BASIS_POINTS
  const value = (move: number, direction: -1 | 0 | 1): number => {
    const deviation = Math.max(VOLATILITY_LEAST, volatility + direction * shift) * root
    return Math.max(0, optionPrice(now * (1 + scan * move), strike, deviation, sign))
  }
  const base = value(0, 0)
  const covered = (move: number): number => base + EXTREME_COVER * (value(move, 0) - base)
  const values = [
    base,
    ...MOVES.map(([move, direction]) => value(move, direction)),
    covered(EXTREME_MOVE),
    covered(-EXTREME_MOVE),
  ]
  const step = scan / 100
  const slope = (value(1 / 100, 0) - value(-1 / 100, 0)) / (2 * now * step)
  return {
    ...common,
    option: kind,
    values: values.map(rounded),
    calendar: price(rounded((calendar / PRICE_ONE) * slope)),
  }
}
