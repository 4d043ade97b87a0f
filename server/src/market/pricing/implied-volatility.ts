import { logMoneyness } from './black76.ts'
import { deviationOf } from './implied-deviation.ts'
import { valueUnit } from './normalised-black.ts'

/** In place of a volatility: the price is less than the option is worth without any. */
export const BELOW_INTRINSIC = Number.NEGATIVE_INFINITY
/** In place of a volatility: the price is what no option can exceed, the forward of a call or the strike of a put, or more. */
export const ABOVE_MAXIMUM = Number.POSITIVE_INFINITY

/**
 * The deviation (volatility times the root of the time) at which an option has this undiscounted price; 0 when it is
 * just the intrinsic value, BELOW_INTRINSIC or ABOVE_MAXIMUM when there is none. Forward and strike are positive.
 * As precise as the price is: its last digit alone can move the result.
 */
export function impliedDeviation(price: number, forward: number, strike: number, sign: 1 | -1): number {
  const outside = price - Math.max(0, sign * (forward - strike))
  if (!(outside >= 0)) return BELOW_INTRINSIC
  const rest = (sign > 0 ? forward : strike) - price
  if (!(rest > 0)) return ABOVE_MAXIMUM
  const x = -Math.abs(logMoneyness(forward, strike))
  const unit = valueUnit(forward, strike)
  const given = outside / unit
  return given > 0 ? deviationOf(x, given, rest / unit) : 0
}

/**
 * The volatility, a decimal, at which an option has this discounted price; otherwise as `impliedDeviation`. Times are in
 * years, positive; the rate is a decimal.
 */
export function impliedVolatility(
  price: number,
  forward: number,
  strike: number,
  years: number,
  rate: number,
  sign: 1 | -1,
): number {
  return impliedDeviation(price * Math.exp(rate * years), forward, strike, sign) / Math.sqrt(years)
}
