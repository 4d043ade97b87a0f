import { assert } from './assert.ts'

/**
 * Exact decimal quantities as integers held in JavaScript numbers.
 *
 * A number is exact for integers up to 2^53-1, so every value is checked to be a safe integer when it is made and
 * after every addition. Products pass through `mulDiv`, which falls back to bigint where an intermediate result would
 * leave that range. Floats appear only at the wire: `toNumber` gives the double nearest to the decimal, whose shortest
 * text is that decimal again.
 */
declare const unit: unique symbol

/** Price of one unit of an instrument, in 10^-8 of the quote currency. Largest: 90,071,992. */
export type Price = number & { readonly [unit]: 'price' }
/** Count of units (shares, contracts), in 10^-6. Signed for positions. Largest: 9,007,199,254. */
export type Quantity = number & { readonly [unit]: 'quantity' }
/** Amount of money in paise (10^-2 rupee). Signed. Largest: 90,071,992,547,409.91 rupees. */
export type Money = number & { readonly [unit]: 'money' }
/** Units of underlying per unit of quantity (contract multiplier), in 10^-8. 1 for everything but crypto contracts. */
export type Multiplier = number & { readonly [unit]: 'multiplier' }

export const PRICE_DECIMALS = 8
export const QUANTITY_DECIMALS = 6
export const MONEY_DECIMALS = 2
export const MULTIPLIER_DECIMALS = 8

export const PRICE_ONE = 10 ** PRICE_DECIMALS
export const QUANTITY_ONE = 10 ** QUANTITY_DECIMALS
export const MONEY_ONE = 10 ** MONEY_DECIMALS
export const MULTIPLIER_ONE = (10 ** MULTIPLIER_DECIMALS) as Multiplier

export const ZERO_PRICE = 0 as Price
export const ZERO_QUANTITY = 0 as Quantity
export const ZERO_MONEY = 0 as Money

/** How an inexact quotient becomes an integer: `down` to -infinity, `up` to +infinity, `nearest` with ties away from 0. */
export type Rounding = 'down' | 'up' | 'nearest'

/** Thrown when a value leaves the exact range. Never caught: a wrong amount must not go on. */
export class RangeExceeded extends Error {
  override readonly name = 'RangeExceeded'
}

function exact(value: number, what: string): number {
  if (!Number.isSafeInteger(value)) throw new RangeExceeded(`${what} ${value} is outside the exact range`)
  return value === 0 ? 0 : value // no negative zero
}

export const price = (units: number): Price => exact(units, 'price') as Price
export const quantity = (units: number): Quantity => exact(units, 'quantity') as Quantity
export const money = (units: number): Money => exact(units, 'money') as Money
export const multiplier = (units: number): Multiplier => exact(units, 'multiplier') as Multiplier

/** Sum of like values; throws RangeExceeded when it isn't exact. */
export function add<T extends Price | Quantity | Money>(a: T, b: T): T {
  return exact(a + b, 'sum') as T
}

export function subtract<T extends Price | Quantity | Money>(a: T, b: T): T {
  return exact(a - b, 'difference') as T
}

export function negate<T extends Price | Quantity | Money>(a: T): T {
  return (a === 0 ? 0 : -a) as T
}

export const absolute = <T extends Price | Quantity | Money>(a: T): T => Math.abs(a) as T
export const least = <T extends Price | Quantity | Money>(a: T, b: T): T => (a < b ? a : b)
export const greatest = <T extends Price | Quantity | Money>(a: T, b: T): T => (a > b ? a : b)

/** a × b ÷ c as an integer, exact for all safe integers a, b and c > 0. */
export function mulDiv(a: number, b: number, c: number, rounding: Rounding): number {
  assert(c > 0, 'divisor must be positive')
  const product = a * b
  if (Number.isSafeInteger(product)) {
    const remainder = product % c
    const quotient = (product - remainder) / c
    return exact(remainder === 0 ? quotient : quotient + carry(remainder, c, rounding), 'quotient')
  }
  return exact(Number(divideBig(BigInt(a) * BigInt(b), BigInt(c), rounding)), 'quotient')
}

function carry(remainder: number, divisor: number, rounding: Rounding): number {
  if (rounding === 'down') return remainder < 0 ? -1 : 0
  if (rounding === 'up') return remainder > 0 ? 1 : 0
  return Math.abs(remainder) * 2 >= divisor ? Math.sign(remainder) : 0
}

function divideBig(dividend: bigint, divisor: bigint, rounding: Rounding): bigint {
  const quotient = dividend / divisor
  const remainder = dividend % divisor
  if (remainder === 0n) return quotient
  const negative = remainder < 0n
  if (rounding === 'down') return negative ? quotient - 1n : quotient
  if (rounding === 'up') return negative ? quotient : quotient + 1n
  const twice = (negative ? -remainder : remainder) * 2n
  return twice >= divisor ? quotient + (negative ? -1n : 1n) : quotient
}

const VALUE_DIVISOR = 10n ** BigInt(PRICE_DECIMALS + QUANTITY_DECIMALS + MULTIPLIER_DECIMALS - MONEY_DECIMALS)
const PRICE_PER_PAISA = PRICE_ONE / MONEY_ONE

/** Price × quantity × contract multiplier in paise. Whole paise and whole units (all of equity) never touch bigint. */
export function tradeValue(at: Price, count: Quantity, contract: Multiplier, rounding: Rounding): Money {
  if (contract === MULTIPLIER_ONE && count % QUANTITY_ONE === 0 && at % PRICE_PER_PAISA === 0) {
    const value = (at / PRICE_PER_PAISA) * (count / QUANTITY_ONE)
    if (Number.isSafeInteger(value)) return money(value)
  }
  return money(Number(divideBig(BigInt(at) * BigInt(count) * BigInt(contract), VALUE_DIVISOR, rounding)))
}

/** Price at which `count` units are worth `value`: the average price of a position. 0 when there are none. */
export function averagePrice(value: Money, count: Quantity, contract: Multiplier): Price {
  if (count === 0) return ZERO_PRICE
  const negative = count < 0
  // As above: whole units of what has no multiplier
  if (contract === MULTIPLIER_ONE && count % QUANTITY_ONE === 0)
    return price(mulDiv(negative ? negate(value) : value, PRICE_PER_PAISA, Math.abs(count) / QUANTITY_ONE, 'nearest'))
  const dividend = BigInt(value) * VALUE_DIVISOR * (negative ? -1n : 1n)
  const divisor = BigInt(Math.abs(count)) * BigInt(contract)
  return price(Number(divideBig(dividend, divisor, 'nearest')))
}

/** value × part ÷ whole: the share of a total that belongs to a part. The whole of it when part = whole. */
export function share(value: Money, part: Quantity, whole: Quantity, rounding: Rounding): Money {
  return part === whole ? value : money(mulDiv(value, part, whole, rounding))
}

/** True when `value` is a whole multiple of `step`; a step of 0 allows everything. */
export const isMultipleOf = (value: number, step: number): boolean => step === 0 || value % step === 0

export const toNumber = {
  price: (value: Price): number => value / PRICE_ONE,
  quantity: (value: Quantity): number => value / QUANTITY_ONE,
  money: (value: Money): number => value / MONEY_ONE,
  multiplier: (value: Multiplier): number => value / MULTIPLIER_ONE,
} as const

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/

export type DecimalProblem = 'not-a-number' | 'too-precise' | 'too-large'

/**
 * Reads decimal text exactly into an integer of `10^-decimals` units.
 * A JSON number is read through its shortest text, which is the decimal the sender wrote (up to 17 digits).
 */
export function parseDecimal(text: string, decimals: number): number | DecimalProblem {
  const match = DECIMAL.exec(text.trim())
  if (match === null) return 'not-a-number'
  const [, sign, whole = '', fraction = '', exponent = '0'] = match
  if (whole === '' && fraction === '') return 'not-a-number'
  const shift = decimals + Number(exponent) - fraction.length
  let digits = (whole + fraction).replace(/^0+/, '')
  if (digits === '') return 0
  if (shift >= 0) {
    if (digits.length + shift > 16) return 'too-large'
    digits += '0'.repeat(shift)
  } else {
    const cut = digits.length + shift
    const dropped = cut <= 0 ? digits : digits.slice(cut)
    if (/[1-9]/.test(dropped)) return 'too-precise'
    digits = cut <= 0 ? '0' : digits.slice(0, cut)
  }
  const value = Number(digits)
  if (!Number.isSafeInteger(value)) return 'too-large'
  return sign === '-' && value !== 0 ? -value : value
}

/** Shortest decimal text of a fixed-point integer: 50005000000 with 8 decimals is "500.05". */
export function formatDecimal(value: number, decimals: number): string {
  const digits = String(Math.abs(value)).padStart(decimals + 1, '0')
  const whole = digits.slice(0, -decimals)
  const fraction = digits.slice(-decimals).replace(/0+$/, '')
  return `${value < 0 ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`
}

export const formatPrice = (value: Price): string => formatDecimal(value, PRICE_DECIMALS)
export const formatQuantity = (value: Quantity): string => formatDecimal(value, QUANTITY_DECIMALS)
/** Money with both decimals: "140000.00". */
export const formatMoney = (value: Money): string =>
  `${value < 0 ? '-' : ''}${Math.floor(Math.abs(value) / MONEY_ONE)}.${String(Math.abs(value) % MONEY_ONE).padStart(2, '0')}`

/** Literals for tests and tables: `priceOf('500.05')`. Throws on text that isn't exact. */
export const priceOf = (text: string | number): Price => price(literal(text, PRICE_DECIMALS))
export const quantityOf = (text: string | number): Quantity => quantity(literal(text, QUANTITY_DECIMALS))
export const moneyOf = (text: string | number): Money => money(literal(text, MONEY_DECIMALS))
export const multiplierOf = (text: string | number): Multiplier => multiplier(literal(text, MULTIPLIER_DECIMALS))

function literal(text: string | number, decimals: number): number {
  const value = parseDecimal(String(text), decimals)
  if (typeof value !== 'number') throw new RangeExceeded(`"${text}" with ${decimals} decimals is ${value}`)
  return value
}
