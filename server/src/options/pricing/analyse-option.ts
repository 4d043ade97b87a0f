import {
  ABOVE_MAXIMUM,
  BELOW_INTRINSIC,
  impliedVolatility,
  noValue,
  type OptionValue,
  valueOption,
} from '../../market/pricing/index.ts'

/** An option's price and what it depends on; prices in units, times in years, the rate a decimal. All but the rate positive. */
export interface PricedOption {
  readonly price: number
  readonly forward: number
  readonly strike: number
  readonly years: number
  readonly rate: number
  readonly sign: 1 | -1
  /** Smallest step of the price. */
  readonly tick: number
}

/**
 * Whether a volatility explains the price. `no_time_value`: of an option in the money, so little is left above the
 * intrinsic value that any small volatility does. The other two say which bound the price is beyond.
 */
export type VolatilityOutcome = 'solved' | 'no_time_value' | 'below_intrinsic' | 'above_maximum'

export interface OptionAnalysis {
  readonly outcome: VolatilityOutcome
  /** A decimal; 0 unless solved. */
  readonly volatility: number
  /** Unless solved, what holds for an option that will be exercised: delta ±1, everything else 0. */
  readonly greeks: Readonly<OptionValue>
  readonly intrinsic: number
  /** Price less intrinsic value. */
  readonly timeValue: number
}

/** Of an option in the money, time value below this (or a tick, where ticks are finer) says nothing of volatility. */
export const TIME_VALUE_LEAST = 0.01
/** Parts of the forward within which a price at a bound may miss it by the rounding of numbers. */
const ROUNDING = 1e-13

/**
 * Implied volatility and greeks of an option's price. Bounds hold for the price with interest until expiry, as that is
 * what the forward and the strike are paid with.
 */
export function analyseOption(option: PricedOption): OptionAnalysis {
  const { price, forward, strike, years, rate, sign, tick } = option
  const intrinsic = Math.max(0, sign * (forward - strike))
  const timeValue = price - intrinsic
  const outside = price * Math.exp(rate * years) - intrinsic
  if (intrinsic > 0 && outside < Math.min(TIME_VALUE_LEAST, tick)) {
    const isBelow = outside < -ROUNDING * (forward + strike)
    return certain(isBelow ? 'below_intrinsic' : 'no_time_value', sign, intrinsic, timeValue)
  }
  const volatility = impliedVolatility(price, forward, strike, years, rate, sign)
  if (volatility === BELOW_INTRINSIC) return certain('below_intrinsic', sign, intrinsic, timeValue)
  if (volatility === ABOVE_MAXIMUM) return certain('above_maximum', sign, intrinsic, timeValue)
  const greeks = valueOption(forward, strike, years, rate, volatility, sign)
  return { outcome: 'solved', volatility, greeks, intrinsic, timeValue }
}

function certain(outcome: VolatilityOutcome, sign: 1 | -1, intrinsic: number, timeValue: number): OptionAnalysis {
  return { outcome, volatility: 0, greeks: { ...noValue(), delta: sign }, intrinsic, timeValue }
}
