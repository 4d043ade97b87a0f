import type { Underlying } from './underlyings.ts'

/** Trading days of a year. */
const DAYS_OF_VOLATILITY = { exchange: 252, crypto: 365 } as const
/** Years in which an unquiet or quiet spell has faded to a third. */
const UNREST_YEARS = 30 / 365

/** Skew and curvature of implied volatility over the strikes. */
const INDEX_SMILE = { correlation: -0.45, reach: 0.75 } as const
const SMILE = { correlation: -0.2, reach: 0.7 } as const

/** Volatility of a year on ordinary days. */
export function yearlyVolatility({ dailyVolatility, family }: Underlying): number {
  return dailyVolatility * Math.sqrt(family === 'crypto' ? DAYS_OF_VOLATILITY.crypto : DAYS_OF_VOLATILITY.exchange)
}

/**
 * Variance of the forward's logarithm until `years` from now, for an option at the money. It always grows with time:
 * `unrest`, the factor of today's volatility, fades towards 1.
 */
export function varianceAtTheMoney(underlying: Underlying, unrest: number, implied: number, years: number): number {
  const volatility = yearlyVolatility(underlying) * implied
  // expm1, because 1 - exp of next to nothing is rounded to more than the time itself: a variance below nothing.
  const spell = (1 - unrest * unrest) * UNREST_YEARS * Math.expm1(-years / UNREST_YEARS)
  return volatility * volatility * (years + spell)
}

/**
 * Variance for a strike at `distance` = ln(strike ÷ forward): the surface SSVI of J. Gatheral and A. Jacquier,
 * "Arbitrage-free SVI volatility surfaces" (2014), with curvature reach ÷ √variance. Because reach² × (1 + |correlation|)
 * is below 4, prices are convex in the strike, and no variance falls with time.
 */
export function varianceAt(underlying: Underlying, variance: number, distance: number): number {
  const { correlation, reach } = underlying.key.startsWith('INDEX:') ? INDEX_SMILE : SMILE
  const root = Math.sqrt(variance)
  const far = reach * distance
  // The formula times the variance: without a quotient it holds for no variance too.
  return (
    (variance + correlation * far * root + root * Math.sqrt(far * far + 2 * correlation * far * root + variance)) / 2
  )
}
