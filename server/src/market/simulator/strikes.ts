/** Most strikes of one expiry. */
const STRIKES_MAX = 500

/** Multiples of `step` that reach the share `reach` beyond all of `levels`, at least `stepsMin` to each side. */
export function strikesAround(levels: readonly number[], step: number, reach: number, stepsMin: number): number[] {
  let lowest = Infinity
  let highest = 0
  for (const level of levels) {
    lowest = Math.min(lowest, Math.floor(Math.min(level * (1 - reach), level - stepsMin * step) / step))
    highest = Math.max(highest, Math.ceil(Math.max(level * (1 + reach), level + stepsMin * step) / step))
  }
  lowest = Math.max(1, lowest)
  const count = Math.min(STRIKES_MAX, highest - lowest + 1)
  return Array.from({ length: count }, (_, index) => (lowest + index) * step)
}

export function mergeStrikes(known: readonly number[] | undefined, more: readonly number[]): number[] {
  if (known === undefined) return [...more]
  return [...new Set([...known, ...more])].sort((a, b) => a - b)
}

/** Step of a stock's strikes by the band that its price is in. */
export function stockStrikeStep(price: number): number {
  if (price < 25) return 0.5
  if (price < 100) return 1
  if (price < 250) return 2.5
  if (price < 500) return 5
  if (price < 1000) return 10
  if (price < 2500) return 20
  if (price < 6000) return 50
  if (price < 20_000) return 100
  return price < 35_000 ? 250 : 500
}
