import { lowerMills } from './normal.ts'

/**
 * The Black formula with units taken out: `x` = −|ln(forward/strike)| ≤ 0, `deviation` = volatility·√time > 0, values in
 * units of √(forward·strike). It is that of the option out of the money, whether call or put. Every function here keeps
 * nearly full relative precision down to the smallest values.
 */

const ROOT_TAU = Math.sqrt(2 * Math.PI)

/** From this distance of the money the moments of the tail come from a continued fraction, which converges quickly there. */
const FAR = 6
/** Below this part of it, a step is short against the distance. */
const SHORT = 0.05
/** Beyond this the value is nearer to its maximum than its complement. */
const HIGH = 0.75
const TERMS = 8
/** Even, and enough for all terms and 1e-16 at FAR. */
const FRACTION_DEPTH = 30
const NEGLIGIBLE = 1e-17

/** What values are in units of; roots first, so that the product stays in the range of numbers. */
export const valueUnit = (forward: number, strike: number): number => Math.sqrt(forward) * Math.sqrt(strike)

/** Largest value: reached when the deviation is infinite. */
export const maximumValue = (x: number): number => Math.exp(0.5 * x)

/** Change of the value with the deviation. */
export function valueSlope(x: number, deviation: number): number {
  const h = x / deviation
  return Math.exp(-0.5 * (h * h + 0.25 * deviation * deviation)) / ROOT_TAU
}

export const value = (x: number, deviation: number): number => valueGiven(x, deviation, valueSlope(x, deviation))

/** The value, by one who knows its slope there already. */
export function valueGiven(x: number, deviation: number, slope: number): number {
  const distance = -x / deviation
  const t = 0.5 * deviation
  return t > distance + HIGH ? maximumValue(x) - complementGiven(x, deviation, slope) : slope * millsGap(distance, t)
}

/** Maximum less value, without the cancellation. */
export function complementGiven(x: number, deviation: number, slope: number): number {
  const distance = -x / deviation
  const t = 0.5 * deviation
  return slope * (lowerMills(distance - t) + lowerMills(-distance - t))
}

/** Y(t − a) − Y(−t − a) for a ≥ 0, t > 0, where Y = Φ/φ. */
function millsGap(a: number, t: number): number {
  if (t > SHORT * (1 + a)) return lowerMills(t - a) - lowerMills(-t - a)
  return 2 * t * (a < FAR ? nearSeries(a, t * t) : farSeries(a, t * t))
}

/*
 * Y(z) is the integral of exp(zu − u²/2) over u > 0, so its derivatives are the moments Mₙ of that weight, and the gap is
 * 2t·Σ t²ᵏ/(2k+1)!·M₂ₖ₊₁(−a). The moments follow Mₙ₊₁ = n·Mₙ₋₁ − a·Mₙ.
 */
function nearSeries(a: number, squared: number): number {
  let even = lowerMills(-a)
  let odd = 1 - a * even
  let sum = odd
  let weight = 1
  for (let n = 2; n <= 2 * TERMS; n += 2) {
    even = (n - 1) * even - a * odd
    odd = n * odd - a * even
    weight *= squared / (n * (n + 1))
    const term = weight * odd
    sum += term
    if (term < NEGLIGIBLE * sum) break
  }
  return sum
}

/** The same sum, from the ratios Mₙ/Mₙ₋₁ = n/(a + Mₙ₊₁/Mₙ); nothing in it is subtracted. */
function farSeries(a: number, squared: number): number {
  let ratio = (FRACTION_DEPTH + 2) / a
  let rest = 1
  for (let n = FRACTION_DEPTH; n >= 2; n -= 2) {
    const odd = (n + 1) / (a + ratio)
    ratio = n / (a + odd)
    rest = 1 + (squared / (n * (n + 1))) * odd * ratio * rest
  }
  return (lowerMills(-a) / (a + ratio)) * rest
}
