import { Refusal } from '../kernel/errors.ts'
import { timestampOf } from '../kernel/exchange-time.ts'
import type { Price } from '../kernel/fixed.ts'
import { lastSecondOf, sessionOpenedBy, type TradingCalendar } from '../market/calendar.ts'
import type { Exchange, Instrument } from '../market/instrument.ts'
import type { Quote } from '../market/market-data.ts'

/** How far a price may lie behind the last moment at which its exchange traded. */
export const PRICE_AGE_MAX_MS = 10_000

/** The last moment at which that exchange traded. Outside of trading hours nothing newer than its prices can be known. */
export const lastTradedAt = (calendar: TradingCalendar, exchange: Exchange, now: number): number =>
  Math.min(now, lastSecondOf(sessionOpenedBy(calendar, exchange, now)))

/**
 * Last price of an underlying, or why it can't be relied on. Outside of trading hours the last price of the last session
 * counts.
 */
export function referencePrice(
  reference: Instrument,
  quote: Quote | Error | undefined,
  calendar: TradingCalendar,
  now: number,
): Price | Refusal {
  const { symbol, exchange } = reference
  const failed = `Failed to fetch LTP for ${symbol}.`
  if (quote instanceof Error) {
    if (quote instanceof Refusal) return new Refusal(quote.code, `${failed} ${quote.message}`)
    throw quote
  }
  if (quote === undefined || quote.ltp <= 0) {
    return new Refusal(
      'quote_unavailable',
      `Could not determine LTP for ${symbol}. The source has no last price of it.`,
    )
  }
  const behindMs = lastTradedAt(calendar, exchange, now) - quote.at
  if (behindMs <= PRICE_AGE_MAX_MS) return quote.ltp
  return new Refusal(
    'quote_unavailable',
    `${failed} Its last price is of ${timestampOf(quote.at)}, ${Math.round(behindMs / 1000)} s old; strikes are chosen by one of the last ${PRICE_AGE_MAX_MS / 1000} s. Try again when prices arrive.`,
  )
}
