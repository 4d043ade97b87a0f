import type { Candle } from '../market-data.ts'

/** What is wrong with a source's candles for [fromAt, toAt), in words that end a sentence; undefined when nothing is. */
export function candleProblem(candles: readonly Candle[], fromAt: number, toAt: number): string | undefined {
  let previousAt = Number.NEGATIVE_INFINITY
  for (const candle of candles) {
    const problem = problemOf(candle, previousAt, fromAt, toAt)
    if (problem !== undefined) return problem
    previousAt = candle.startAt
  }
  return undefined
}

function problemOf(candle: Candle, previousAt: number, fromAt: number, toAt: number): string | undefined {
  const { startAt, open, high, low, close, volume, openInterest } = candle
  if (!Number.isSafeInteger(startAt)) return `a candle without a time (${startAt})`
  // Sums of safe integers that are themselves none would hide a NaN; comparisons never let one pass.
  const figures = { open, high, low, close, volume, openInterest }
  for (const [name, figure] of Object.entries(figures)) {
    if (!Number.isSafeInteger(figure)) return `a candle at ${instant(startAt)} whose ${name} is ${figure}`
  }
  if (high < open || high < close || low > open || low > close)
    return `a candle at ${instant(startAt)} that crosses its own high or low`
  if (volume < 0 || openInterest < 0) return `a candle at ${instant(startAt)} with a negative volume or open interest`
  if (startAt <= previousAt) return `candles out of order at ${instant(startAt)}`
  if (startAt < fromAt || startAt >= toAt) return `a candle at ${instant(startAt)}, outside the range asked for`
  return undefined
}

const instant = (at: number): string => new Date(at).toISOString()
