import { normalDensity, normalDistribution } from './normal.ts'
import { value, valueUnit } from './normalised-black.ts'

/**
 * Black's formula of 1976 for European options on a forward. Plain numbers: these are analytics, not money. Times are in
 * years, rates and volatilities are decimals (0.18, not 18 %), `sign` is 1 for a call and −1 for a put.
 */

/** Days of a year, as option markets count. */
export const DAYS_OF_YEAR = 365
/** Of a volatility or an interest rate. */
const PERCENTAGE_POINT = 0.01

/** What an option is worth and how that changes, each with respect to the forward. */
export interface OptionValue {
  price: number
  /** Per unit of the forward. */
  delta: number
  /** Of delta, per unit of the forward. */
  gamma: number
  /** Per calendar day that passes. */
  theta: number
  /** Per percentage point of volatility. */
  vega: number
  /** Per percentage point of the interest rate, the forward staying. */
  rho: number
}

export const noValue = (): OptionValue => ({ price: 0, delta: 0, gamma: 0, theta: 0, vega: 0, rho: 0 })

/** ln(forward/strike), precise near the money too. */
export function logMoneyness(forward: number, strike: number): number {
  const excess = (forward - strike) / strike
  return excess > -0.5 && excess < 1 ? Math.log1p(excess) : Math.log(forward / strike)
}

/**
 * Undiscounted price. `deviation` is volatility times the root of the time; 0 gives the intrinsic value. Nearly all
 * digits of an option out of the money are right, however small it is; one in the money is the same and its intrinsic
 * value.
 */
export function optionPrice(forward: number, strike: number, deviation: number, sign: 1 | -1): number {
  const intrinsic = Math.max(0, sign * (forward - strike))
  return deviation > 0 ? intrinsic + outsidePrice(forward, strike, deviation) : intrinsic
}

function outsidePrice(forward: number, strike: number, deviation: number): number {
  const x = -Math.abs(logMoneyness(forward, strike))
  if (deviation === Number.POSITIVE_INFINITY) return Math.min(forward, strike)
  return valueUnit(forward, strike) * value(x, deviation)
}

/** Writes the discounted price and the greeks into `into`, which is returned, so that a loop need not allocate. */
export function valueOption(
  forward: number,
  strike: number,
  years: number,
  rate: number,
  volatility: number,
  sign: 1 | -1,
  into: OptionValue = noValue(),
): OptionValue {
  const root = Math.sqrt(years)
  const deviation = volatility * root
  const discount = Math.exp(-rate * years)
  const price = discount * optionPrice(forward, strike, deviation, sign)
  into.price = price
  into.rho = -years * price * PERCENTAGE_POINT
  if (!(deviation > 0)) {
    const moneyness = sign * (forward - strike)
    into.delta = moneyness > 0 ? sign * discount : moneyness < 0 ? 0 : 0.5 * sign * discount
    into.gamma = 0
    into.vega = 0
    into.theta = (rate * price) / DAYS_OF_YEAR
    return into
  }
  const d1 = logMoneyness(forward, strike) / deviation + 0.5 * deviation
  const density = discount * normalDensity(d1)
  const slope = forward * density // of the price, with the deviation
  into.delta = sign * discount * normalDistribution(sign * d1)
  into.gamma = density / (forward * deviation)
  into.vega = slope * root * PERCENTAGE_POINT
  into.theta = (rate * price - (slope * volatility) / (2 * root)) / DAYS_OF_YEAR
  return into
}
