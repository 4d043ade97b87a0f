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

const { isSafeInteger } = Number

function problemOf(candle: Candle, previousAt: number, fromAt: number, toAt: number): string | undefined {
  const { startAt, open, high, low, close, volume, openInterest } = candle
  if (!isSafeInteger(startAt)) return `a candle without a time (${startAt})`
  // Comparisons would let NaN pass
  const areNumbers =
    isSafeInteger(open) &&
    isSafeInteger(high) &&
    isSafeInteger(low) &&
    isSafeInteger(close) &&
    isSafeInteger(volume) &&
    isSafeInteger(openInterest)
  if (!areNumbers)
    return `a candle at ${instant(startAt)} ${oddFigure({ open, high, low, close, volume, openInterest })}`
  if (high < open || high < close || low > open || low > close)
    return `a candle at ${instant(startAt)} that crosses its own high or low`
  if (volume < 0 || openInterest < 0) return `a candle at ${instant(startAt)} with a negative volume or open interest`
  if (startAt <= previousAt) return `candles out of order at ${instant(startAt)}`
  if (startAt < fromAt || startAt >= toAt) return `a candle at ${instant(startAt)}, outside the range asked for`
  return undefined
}

function oddFigure(figures: Readonly<Record<string, number>>): string {
  const odd = Object.entries(figures).find(([, figure]) => !isSafeInteger(figure))
  return `whose ${odd?.[0]} is ${odd?.[1]}`
}

const instant = (at: number): string => new Date(at).toISOString()
