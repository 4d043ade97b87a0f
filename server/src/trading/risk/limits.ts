import { PRODUCTS, type Product } from '../../brokers/venue.ts'
import type { Money, Quantity } from '../../kernel/fixed.ts'
import { EXCHANGES, type Exchange } from '../../market/instrument.ts'

/** Limits that are a number: an order may come up to it, and of two the smaller one holds. */
export const NUMBER_LIMITS = [
  'order_value',
  'order_quantity',
  'open_orders',
  'orders_per_second',
  'segment_orders_per_second',
  'orders_per_day',
  'position_quantity',
  'gross_exposure',
  'net_exposure',
  'daily_loss',
  'price_distance_percent',
  'market_protection_percent',
  'quote_age_ms',
] as const
export type NumberLimit = (typeof NUMBER_LIMITS)[number]

/** Limits that name what is allowed: what an order is must stand in each of them. */
export const LIST_LIMITS = ['exchanges', 'products', 'symbols'] as const
export type ListLimit = (typeof LIST_LIMITS)[number]

export const LIMIT_NAMES = [...NUMBER_LIMITS, ...LIST_LIMITS, 'trading_windows'] as const
export type LimitName = (typeof LIMIT_NAMES)[number]

/** From `fromMinute` up to, and not including, `toMinute` of the day in the exchange's zone. */
export interface TradingWindow {
  readonly fromMinute: number
  readonly toMinute: number
}

/** Percents are in hundredths: 250 is 2.5 %. A limit that is absent limits nothing. */
export interface Limits {
  readonly order_value?: Money
  readonly order_quantity?: Quantity
  readonly open_orders?: number
  readonly orders_per_second?: number
  /** Of one exchange segment. */
  readonly segment_orders_per_second?: number
  readonly orders_per_day?: number
  readonly position_quantity?: Quantity
  readonly gross_exposure?: Money
  readonly net_exposure?: Money
  readonly daily_loss?: Money
  readonly price_distance_percent?: number
  readonly market_protection_percent?: number
  readonly quote_age_ms?: number
  readonly exchanges?: readonly Exchange[]
  readonly products?: readonly Product[]
  /** `SYMBOL`, or `EXCHANGE:SYMBOL` for one exchange's only. */
  readonly symbols?: readonly string[]
  readonly trading_windows?: readonly TradingWindow[]
}

/** Symbols that one limit may name. */
export const SYMBOLS_MAX = 1_000
export const WINDOWS_MAX = 16
/** Orders a second that a limit may allow: far above what an exchange takes from anybody. */
export const PER_SECOND_MAX = 1_000
export const PERCENT_HUNDREDTHS_MAX = 10_000
export const QUOTE_AGE_MS_MAX = 3_600_000
/** Paise, units or orders: sums of as many as there may be stay exact. */
export const AMOUNT_MAX = 1e15

const MOST: Readonly<Record<NumberLimit, number>> = {
  order_value: AMOUNT_MAX,
  order_quantity: AMOUNT_MAX,
  open_orders: 1_000_000,
  orders_per_second: PER_SECOND_MAX,
  segment_orders_per_second: PER_SECOND_MAX,
  orders_per_day: 10_000_000,
  position_quantity: AMOUNT_MAX,
  gross_exposure: AMOUNT_MAX,
  net_exposure: AMOUNT_MAX,
  daily_loss: AMOUNT_MAX,
  price_distance_percent: PERCENT_HUNDREDTHS_MAX,
  market_protection_percent: PERCENT_HUNDREDTHS_MAX,
  quote_age_ms: QUOTE_AGE_MS_MAX,
}

/** Largest value of a limit, in the unit it is kept in. */
export const limitMax = (name: NumberLimit): number => MOST[name]

/** Reads limits as they were written; undefined when there is anything in them that isn't known or can't be. */
export function decodeLimits(text: string): Limits | undefined {
  let read: unknown
  try {
    read = JSON.parse(text)
  } catch {
    return undefined // what can't be read is told by the caller
  }
  if (typeof read !== 'object' || read === null || Array.isArray(read)) return undefined
  return Object.entries(read).every(([name, value]) => isLimit(name, value)) ? (read as Limits) : undefined
}

function isLimit(name: string, value: unknown): boolean {
  if ((NUMBER_LIMITS as readonly string[]).includes(name)) {
    return Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= MOST[name as NumberLimit]
  }
  if (!Array.isArray(value) || value.length === 0) return false
  if (name === 'exchanges') return value.every((one) => (EXCHANGES as readonly unknown[]).includes(one))
  if (name === 'products') return value.every((one) => (PRODUCTS as readonly unknown[]).includes(one))
  if (name === 'symbols') return value.length <= SYMBOLS_MAX && value.every((one) => typeof one === 'string')
  return name === 'trading_windows' && value.length <= WINDOWS_MAX && value.every(isWindow)
}

function isWindow(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { fromMinute, toMinute } = value as Partial<TradingWindow>
  return (
    Number.isInteger(fromMinute) &&
    Number.isInteger(toMinute) &&
    Number(fromMinute) >= 0 &&
    Number(fromMinute) < Number(toMinute) &&
    Number(toMinute) <= 1440
  )
}
