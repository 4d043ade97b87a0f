import {
  formatDecimal,
  MONEY_DECIMALS,
  type Money,
  PRICE_DECIMALS,
  type Price,
  parseDecimal,
  QUANTITY_DECIMALS,
  type Quantity,
} from '../kernel/fixed.ts'
import { type Describe, type Field, FieldProblem, makeField, problem, shown } from './field-type.ts'

/** A JSON number, or the same number as text; spreadsheets and most client libraries send text. */
export type NumberWire = number | string

export interface DecimalOptions extends Describe<NumberWire> {
  /** What messages call it, such as `Trigger price`. */
  readonly noun?: string
  readonly sign?: Sign
}

export type Sign = 'positive' | 'non-negative' | 'any'

/** A price: non-negative unless `sign` says otherwise, at most 8 decimals, read exactly. */
export const price = (options: DecimalOptions = {}): Field<NumberWire, Price, true> =>
  decimal<Price>({ noun: 'Price', sign: 'non-negative', ...options }, PRICE_DECIMALS)

/** A count of units: positive unless `sign` says otherwise, at most 6 decimals, read exactly. */
export const quantity = (options: DecimalOptions = {}): Field<NumberWire, Quantity, true> =>
  decimal<Quantity>({ noun: 'Quantity', sign: 'positive', ...options }, QUANTITY_DECIMALS)

/** Rupees: non-negative unless `sign` says otherwise, at most 2 decimals, read exactly. */
export const money = (options: DecimalOptions = {}): Field<NumberWire, Money, true> =>
  decimal<Money>({ noun: 'Amount', sign: 'non-negative', ...options }, MONEY_DECIMALS)

/** Hundredths of a percent: 2.5 is 250. */
export const percent = (options: DecimalOptions = {}): Field<NumberWire, number, true> =>
  decimal<number>({ noun: 'Percentage', sign: 'non-negative', ...options }, 2)

// Decimals of up to 15 digits and doubles correspond one to one, so below this the quick way is exact too.
const QUICK_MAX = 1e15

function decimal<Value extends number>(
  options: DecimalOptions & { readonly noun: string; readonly sign: Sign },
  decimals: number,
): Field<NumberWire, Value, true> {
  const { noun, sign } = options
  const one = 10 ** decimals
  const rule = `${noun} must be a ${sign} number.`
  const tooPrecise = `${noun} must have at most ${decimals} decimals.`
  const tooLarge = `${noun} must be at most ${formatDecimal(Number.MAX_SAFE_INTEGER, decimals)}.`
  const least = sign === 'positive' ? 1 : sign === 'non-negative' ? 0 : Number.MIN_SAFE_INTEGER
  const schema = {
    type: ['number', 'string'],
    ...(sign === 'positive' ? { exclusiveMinimum: 0 } : sign === 'non-negative' ? { minimum: 0 } : {}),
  }
  return makeField<NumberWire, Value>(schema, options, (value) => {
    if (typeof value === 'number') {
      const units = Math.round(value * one)
      if (units >= least && units < QUICK_MAX && units > -QUICK_MAX && units / one === value) {
        return (units === 0 ? 0 : units) as Value
      }
    }
    const units = exactDecimal(value, decimals)
    if (units instanceof FieldProblem) return units
    if (units === 'too-precise') return problem(`${tooPrecise} Got ${shown(value)}.`)
    if (units === 'too-large') return problem(`${isNegative(value) ? rule : tooLarge} Got ${shown(value)}.`)
    return units < least ? problem(`${rule} Got ${shown(value)}.`) : (units as Value)
  })
}

const isNegative = (value: unknown): boolean => String(value).trim().startsWith('-')

/** Longest text read as a number; the longest exact decimal has far fewer characters. */
const NUMBER_LENGTH_MAX = 64

function exactDecimal(value: unknown, decimals: number): number | 'too-precise' | 'too-large' | FieldProblem {
  if (typeof value !== 'number' && typeof value !== 'string') {
    return problem(`Not a valid number. Got ${shown(value)}.`)
  }
  const text = String(value)
  const units = text.length > NUMBER_LENGTH_MAX ? 'not-a-number' : parseDecimal(text, decimals)
  if (units !== 'not-a-number') return units
  if (/^\s*[+-]?(nan|inf(inity)?)\s*$/i.test(text)) {
    return problem(`Special numeric values (nan or infinity) are not permitted. Got ${shown(value)}.`)
  }
  return problem(`Not a valid number. Got ${shown(value)}.`)
}

export interface IntegerOptions extends Describe<NumberWire> {
  readonly min?: number
  readonly max?: number
  /** The sentence for a value outside the range; it starts the message. */
  readonly rule?: string
}

/** A whole number; text of one too. A fraction is refused, never cut off. */
export function integer(options: IntegerOptions = {}): Field<NumberWire, number, true> {
  const min = options.min ?? Number.MIN_SAFE_INTEGER
  const max = options.max ?? Number.MAX_SAFE_INTEGER
  const rule = options.rule ?? rangeRule(options.min, options.max)
  const schema = {
    type: ['integer', 'string'],
    ...(options.min === undefined ? {} : { minimum: min }),
    ...(options.max === undefined ? {} : { maximum: max }),
  }
  return makeField<NumberWire, number>(schema, options, (value) => {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) {
      return value === 0 ? 0 : value
    }
    const read = exactDecimal(value, 0)
    if (read instanceof FieldProblem || read === 'too-precise') {
      return problem(`Not a valid integer. Got ${shown(value)}.`)
    }
    if (read === 'too-large' || read < min || read > max) return problem(`${rule} Got ${shown(value)}.`)
    return read
  })
}

function rangeRule(min: number | undefined, max: number | undefined): string {
  if (min !== undefined && max !== undefined) {
    return `Must be greater than or equal to ${min} and less than or equal to ${max}.`
  }
  if (min !== undefined) return `Must be greater than or equal to ${min}.`
  return `Must be less than or equal to ${max ?? Number.MAX_SAFE_INTEGER}.`
}
