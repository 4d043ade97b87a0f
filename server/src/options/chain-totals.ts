import { type Price, type Quantity, toNumber } from '../kernel/fixed.ts'

/** Sums over the legs of one type that have a quote. */
export interface SideTotals {
  readonly openInterest: Quantity
  readonly volume: Quantity
  /** Of the legs of which it is known; undefined without any. */
  readonly interestChange: Quantity | undefined
}

/** Open interest of the options of one type at one strike. */
export interface StrikeInterest {
  readonly strike: Price
  readonly openInterest: Quantity
}

/** Puts for each call; undefined without calls. */
export const putCallRatio = (puts: Quantity, calls: Quantity): number | undefined =>
  calls > 0 ? puts / calls : undefined

/**
 * The strike at which, were it the price at expiry, the writers of all options would pay least; of several, the lowest.
 * Undefined without open interest. Both lists ascend by strike.
 */
export function maxPain(calls: readonly StrikeInterest[], puts: readonly StrikeInterest[]): Price | undefined {
  const interest = new Map<Price, { calls: number; puts: number }>()
  let putsAbove = 0
  let total = 0
  for (const [list, side] of [
    [calls, 'calls'],
    [puts, 'puts'],
  ] as const) {
    for (const { strike, openInterest } of list) {
      const there = interest.get(strike) ?? { calls: 0, puts: 0 }
      there[side] += toNumber.quantity(openInterest)
      interest.set(strike, there)
      total += openInterest
      if (side === 'puts') putsAbove += toNumber.quantity(openInterest)
    }
  }
  if (total === 0) return undefined
  // What is paid is convex in the price and bends only at strikes: it is least where its slope stops being negative.
  let callsBelow = 0
  const strikes = [...interest.keys()].sort((a, b) => a - b)
  for (const strike of strikes) {
    const there = interest.get(strike)
    callsBelow += there?.calls ?? 0
    putsAbove -= there?.puts ?? 0
    if (callsBelow >= putsAbove) return strike
  }
  return strikes.at(-1)
}

/** Implied volatility of an option and its delta. */
export interface SmilePoint {
  readonly delta: number
  readonly volatility: number
}

/** Delta of the options that a skew compares. */
export const SKEW_DELTA = 0.25

/**
 * Volatility of the put minus that of the call, both of a delta of SKEW_DELTA in size, between the nearest strikes in
 * proportion to their deltas. Undefined when the strikes don't reach so far out. Both lists ascend by strike.
 */
export function skewOf(calls: readonly SmilePoint[], puts: readonly SmilePoint[]): number | undefined {
  const put = volatilityAt(puts, -SKEW_DELTA)
  const call = volatilityAt(calls, SKEW_DELTA)
  return put === undefined || call === undefined ? undefined : put - call
}

function volatilityAt(points: readonly SmilePoint[], delta: number): number | undefined {
  for (let index = 1; index < points.length; index += 1) {
    const [low, high] = [points[index - 1], points[index]]
    // Deltas fall as strikes rise, of calls from 1 to 0 and of puts from 0 to -1
    if (low === undefined || high === undefined || low.delta < delta || high.delta > delta) continue
    if (low.delta === high.delta) return low.volatility
    const share = (low.delta - delta) / (low.delta - high.delta)
    return low.volatility + share * (high.volatility - low.volatility)
  }
  return undefined
}
