import { type Price, type Quantity, toNumber, ZERO_QUANTITY } from '../kernel/fixed.ts'

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
  let putsAbove = interestOf(puts)
  if (putsAbove === 0 && interestOf(calls) === 0) return undefined
  // What is paid is convex in the price and bends only at strikes: it is least where its slope stops being negative.
  let callsBelow = 0
  let call = 0
  let put = 0
  let strike: Price | undefined
  while (call < calls.length || put < puts.length) {
    const [nextCall, nextPut] = [calls[call], puts[put]]
    strike = lower(nextCall?.strike, nextPut?.strike)
    if (nextCall?.strike === strike) {
      callsBelow += toNumber.quantity(nextCall?.openInterest ?? ZERO_QUANTITY)
      call += 1
    }
    if (nextPut?.strike === strike) {
      putsAbove -= toNumber.quantity(nextPut?.openInterest ?? ZERO_QUANTITY)
      put += 1
    }
    if (callsBelow >= putsAbove) return strike
  }
  return strike
}

const interestOf = (rows: readonly StrikeInterest[]): number =>
  rows.reduce((sum, { openInterest }) => sum + toNumber.quantity(openInterest), 0)

const lower = (a: Price | undefined, b: Price | undefined): Price | undefined =>
  a === undefined || (b !== undefined && b < a) ? b : a

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
