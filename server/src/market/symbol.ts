import { dateOf, dayNumberOf, type ExchangeDate } from '../kernel/exchange-time.ts'
import { formatPrice, PRICE_DECIMALS, type Price, parseDecimal } from '../kernel/fixed.ts'
import { DERIVATIVE_EXCHANGES, type Exchange, INDEX_EXCHANGES } from './instrument.ts'

/** What a canonical symbol says. `base` is the underlying's root, or the whole symbol of what isn't a contract. */
export type ParsedSymbol =
  | { readonly kind: 'equity' | 'index' | 'perpetual' | 'spot'; readonly base: string }
  | { readonly kind: 'future'; readonly base: string; readonly expiry: ExchangeDate }
  | {
      readonly kind: 'option'
      readonly base: string
      readonly expiry: ExchangeDate
      readonly strike: Price
      readonly type: 'CE' | 'PE'
    }

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'] as const

// Bases may hold digits, so everything is anchored at the right end: nothing but digits follows the last month name.
const FUTURE = /^(.+)(\d\d[A-Z]{3}\d\d)FUT$/
const OPTION = /^(.+)(\d\d[A-Z]{3}\d\d)([1-9]\d*(?:\.\d*[1-9])?|0\.\d*[1-9])(CE|PE)$/
const BASE = /^[A-Z0-9][A-Z0-9&._-]*$/

const pad = (value: number): string => String(value).padStart(2, '0')

function dateFrom(day: string | undefined, month: string | undefined, year: string): ExchangeDate | undefined {
  const index = MONTHS.indexOf((month ?? '').toUpperCase() as (typeof MONTHS)[number])
  if (index < 0) return undefined
  const date = `${year.length === 2 ? `20${year}` : year}-${pad(index + 1)}-${day}`
  const dayNumber = dayNumberOf(date)
  return Number.isNaN(dayNumber) || dateOf(dayNumber) !== date ? undefined : date
}

/** `2026-08-25` as symbols carry it: `25AUG26`. */
export const expiryCode = (date: ExchangeDate): string =>
  `${date.slice(8, 10)}${MONTHS[Number(date.slice(5, 7)) - 1]}${date.slice(2, 4)}`

/** Date of a `DDMMMYY` code, in either case; undefined when it isn't a date. */
export function parseExpiryCode(code: string): ExchangeDate | undefined {
  const match = /^(\d\d)([A-Za-z]{3})(\d\d)$/.exec(code)
  return match === null ? undefined : dateFrom(match[1], match[2], match[3] ?? '')
}

/** `2026-08-25` as listings show it: `25-AUG-26`. */
export const expiryLabel = (date: ExchangeDate): string =>
  `${date.slice(8, 10)}-${MONTHS[Number(date.slice(5, 7)) - 1]}-${date.slice(2, 4)}`

/** Date of `DD-MMM-YY` or `DD-MMM-YYYY`, in either case; undefined when it isn't a date. */
export function parseExpiryLabel(label: string): ExchangeDate | undefined {
  const match = /^(\d\d)-([A-Za-z]{3})-(\d\d|\d{4})$/.exec(label)
  return match === null ? undefined : dateFrom(match[1], match[2], match[3] ?? '')
}

/** Reads a canonical symbol of that exchange; undefined when the exchange can't have such a symbol. */
export function parseSymbol(symbol: string, exchange: Exchange): ParsedSymbol | undefined {
  if (!BASE.test(symbol)) return undefined
  if (INDEX_EXCHANGES.has(exchange)) return { kind: 'index', base: symbol }
  if (!DERIVATIVE_EXCHANGES.has(exchange)) return { kind: 'equity', base: symbol }
  const contract = parseContract(symbol)
  if (contract !== undefined || exchange !== 'CRYPTO') return contract
  if (symbol.endsWith('FUT') && symbol.length > 3) return { kind: 'perpetual', base: symbol.slice(0, -3) }
  return { kind: 'spot', base: symbol }
}

function parseContract(symbol: string): ParsedSymbol | undefined {
  const future = FUTURE.exec(symbol)
  if (future !== null) {
    const expiry = parseExpiryCode(future[2] ?? '')
    return expiry === undefined ? undefined : { kind: 'future', base: future[1] ?? '', expiry }
  }
  const option = OPTION.exec(symbol)
  if (option === null) return undefined
  const expiry = parseExpiryCode(option[2] ?? '')
  const strike = parseDecimal(option[3] ?? '', PRICE_DECIMALS)
  if (expiry === undefined || typeof strike !== 'number') return undefined
  const type = option[4] === 'CE' ? 'CE' : 'PE'
  return { kind: 'option', base: option[1] ?? '', expiry, strike: strike as Price, type }
}

/** The canonical symbol; the inverse of parseSymbol. */
export function formatSymbol(parsed: ParsedSymbol): string {
  switch (parsed.kind) {
    case 'equity':
    case 'index':
    case 'spot':
      return parsed.base
    case 'perpetual':
      return `${parsed.base}FUT`
    case 'future':
      return `${parsed.base}${expiryCode(parsed.expiry)}FUT`
    case 'option':
      return `${parsed.base}${expiryCode(parsed.expiry)}${formatPrice(parsed.strike)}${parsed.type}`
  }
}
