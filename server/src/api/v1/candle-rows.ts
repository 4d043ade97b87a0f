import Type, { type Static } from 'typebox'
import { DAY_MS, dayNumberAt, timestampOf } from '../../kernel/exchange-time.ts'
import { formatPrice, toNumber } from '../../kernel/fixed.ts'
import { turn } from '../../kernel/turn.ts'
import { isPeriod } from '../../market/candles/buckets.ts'
import type { Candle, Interval } from '../../market/market-data.ts'

/** One candle as history and ticker show it. */
export const CandleRow = Type.Object({
  close: Type.Number(),
  high: Type.Number(),
  low: Type.Number(),
  oi: Type.Number({ description: 'Open interest; 0 outside derivatives.' }),
  open: Type.Number(),
  timestamp: Type.Number({
    description: 'Begin of the candle in epoch seconds; for D and longer, 00:00 UTC of the exchange date.',
  }),
  volume: Type.Number(),
})

/** Rows made in one go; 5,000 take some milliseconds, in which nothing else happens. */
const ROWS_AT_ONCE = 5_000

/** Begin of a candle in epoch seconds. A day and longer is its date at 00:00 UTC, as client libraries show it. */
export function stampOf(startAt: number, interval: Interval): number {
  return Math.floor((isPeriod(interval) ? dayNumberAt(startAt) * DAY_MS : startAt) / 1000)
}

/** The keys in alphabetical order, as the serialiser would have them. */
const rowOf = (candle: Candle, interval: Interval): Static<typeof CandleRow> => ({
  close: toNumber.price(candle.close),
  high: toNumber.price(candle.high),
  low: toNumber.price(candle.low),
  oi: toNumber.quantity(candle.openInterest),
  open: toNumber.price(candle.open),
  timestamp: stampOf(candle.startAt, interval),
  volume: toNumber.quantity(candle.volume),
})

/**
 * JSON of the list of rows. A year of minutes is some 94,000 of them, so others have their turn in between. Prices of the
 * first row have a decimal place, whole ones too: that makes a column of whole prices one of floats in a table.
 */
export async function rowsText(candles: readonly Candle[], interval: Interval): Promise<string> {
  const [first] = candles
  if (first === undefined) return '[]'
  const parts = [firstRowText(first, interval)]
  for await (const some of batches(candles.slice(1))) {
    parts.push(JSON.stringify(some.map((candle) => rowOf(candle, interval))).slice(1, -1))
  }
  return `[${parts.join(',')}]`
}

function firstRowText(candle: Candle, interval: Interval): string {
  const { oi, timestamp, volume } = rowOf(candle, interval)
  const [close, high, low, open] = [candle.close, candle.high, candle.low, candle.open].map(priceText)
  return `{"close":${close},"high":${high},"low":${low},"oi":${oi},"open":${open},"timestamp":${timestamp},"volume":${volume}}`
}

/** Lines `NSE:SBIN,2026-08-03,09:15:00,O,H,L,C,volume`, joined by line feeds; D and longer have no time of day. */
export async function* rowLines(
  candles: readonly Candle[],
  interval: Interval,
  ticker: string,
): AsyncGenerator<string, void> {
  const stampLength = isPeriod(interval) ? 'YYYY-MM-DD'.length : undefined
  let isFirst = true
  for await (const some of batches(candles)) {
    const lines = some.map((candle) => {
      const { startAt, open, high, low, close, volume } = candle
      const stamp = timestampOf(startAt).slice(0, stampLength).replace(' ', ',')
      return `${ticker},${stamp},${[open, high, low, close].map(priceText).join()},${toNumber.quantity(volume)}`
    })
    yield isFirst ? lines.join('\n') : `\n${lines.join('\n')}`
    isFirst = false
  }
}

/** A whole price has a decimal place too: 1532.0. */
function priceText(price: Candle['open']): string {
  const text = formatPrice(price)
  return text.includes('.') ? text : `${text}.0`
}

async function* batches(candles: readonly Candle[]): AsyncGenerator<readonly Candle[], void> {
  for (let from = 0; from < candles.length; from += ROWS_AT_ONCE) {
    if (from > 0) await turn()
    yield candles.slice(from, from + ROWS_AT_ONCE)
  }
}
