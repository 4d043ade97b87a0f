import type { ExchangeDate } from '../kernel/exchange-time.ts'
import { parseExpiryCode } from '../market/symbol.ts'

/** What a request's `underlying` says. */
export interface UnderlyingText {
  /** Root of the underlying, as in the symbols of its contracts. */
  readonly base: string
  /** Expiry that the text carries, as `NIFTY28OCT25` and `NIFTY28OCT25FUT` do. */
  readonly expiry: ExchangeDate | undefined
  /** The future that the text names, as written in symbols; undefined unless it ends with `FUT` after an expiry. */
  readonly future: string | undefined
}

// Bases may hold digits, `&` and `-`, so the text is read from its end, where the date has a fixed length.
const WITH_EXPIRY = /^(.+)(\d\d[A-Z]{3}\d\d)(FUT)?$/

/** Reads `NIFTY`, `NIFTY28OCT25` or `NIFTY28OCT25FUT`, in either case. What doesn't end with a date is all base. */
export function parseUnderlying(text: string): UnderlyingText {
  const canonical = text.trim().toUpperCase()
  const match = WITH_EXPIRY.exec(canonical)
  const expiry = match === null ? undefined : parseExpiryCode(match[2] ?? '')
  if (match === null || expiry === undefined) return { base: canonical, expiry: undefined, future: undefined }
  return { base: match[1] ?? '', expiry, future: match[3] === undefined ? undefined : canonical }
}
