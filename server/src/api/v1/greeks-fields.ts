import { EXCHANGES, type Exchange } from '../../market/instrument.ts'
import { choice, text } from '../field.ts'
import { type Describe, type Field, makeField, problem, shown } from '../field-type.ts'
import type { NumberWire } from '../number-fields.ts'

/** Fields of greeks requests. Their numbers go into formulas, not into orders, so they are plain numbers. */

const OPTION_EXCHANGES = ['NFO', 'BFO', 'MCX', 'CDS', 'NCO', 'BCD', 'NCDEX', 'CRYPTO'] as const

/** Longest symbol there is, with room to spare. */
const SYMBOL_LENGTH_MAX = 50

export const optionSymbol = text({
  min: 1,
  max: SYMBOL_LENGTH_MAX,
  rule: `Symbol must be between 1 and ${SYMBOL_LENGTH_MAX} characters.`,
  canonical: true,
  description: 'Symbol of the option, such as NIFTY25AUG2626000CE.',
})

export const optionExchange = choice<(typeof OPTION_EXCHANGES)[number]>(OPTION_EXCHANGES, {
  description: 'Exchange of the option.',
})

export const underlyingSymbol: Field<string, string | undefined, false> = orEmpty<string>(
  text({
    max: SYMBOL_LENGTH_MAX,
    canonical: true,
    description:
      "Instrument whose last price is the forward, such as NIFTY25AUG26FUT. Without it, and for the option's own root, the forward is found as `optionchain` finds it.",
  }),
)

export const underlyingExchange: Field<string, Exchange | undefined, false> = orEmpty<Exchange>(
  choice<Exchange>(EXCHANGES, {
    description:
      "Exchange of `underlying_symbol`; without it, the option's own, or else those of indices and shares. Has no effect alone.",
  }),
)

/** Empty text counts as absent. */
function orEmpty<Value>(field: Field<string, Value, true>): Field<string, Value | undefined, false> {
  const { enum: words, ...schema } = field.schema
  const accepted = Array.isArray(words) ? { ...schema, enum: [...words, ''] } : schema
  return makeField<string, Value | undefined>(accepted, {}, (value, warnings) =>
    value === '' ? undefined : field.decode(value, warnings),
  ).optional()
}

/** Largest price that an instrument can have. */
const FORWARD_MAX = 90_000_000

export const forwardPrice: Field<NumberWire, number | undefined, false> = makeField<NumberWire, number | undefined>(
  { type: ['number', 'string'], minimum: 0, maximum: FORWARD_MAX },
  { description: 'The forward, in units of the price; no underlying is asked for then. 0 counts as absent.' },
  (value) => {
    const read = plainNumber(value)
    if (typeof read !== 'number') return problem(`${read} Got ${shown(value)}.`)
    if (read < 0) return problem(`Must be greater than or equal to 0. Got ${shown(value)}.`)
    if (read > FORWARD_MAX) return problem(`Must be less than or equal to ${FORWARD_MAX}. Got ${shown(value)}.`)
    return read === 0 ? undefined : read
  },
).optional()

export const INTEREST_RATE_MAX = 100

/** Percent a year; 0 when absent. */
export function interestRate(describe: Describe<NumberWire> = {}): Field<NumberWire, number, false> {
  const description = 'Interest rate, percent a year.'
  return makeField<NumberWire, number>(
    { type: ['number', 'string'], minimum: 0, maximum: INTEREST_RATE_MAX },
    { description, ...describe },
    (value) => {
      const read = plainNumber(value)
      if (typeof read !== 'number') return problem(`${read} Got ${shown(value)}.`)
      if (read >= 0 && read <= INTEREST_RATE_MAX) return read === 0 ? 0 : read
      return problem(
        `Must be greater than or equal to 0 and less than or equal to ${INTEREST_RATE_MAX}. Got ${shown(value)}.`,
      )
    },
  ).optional(0, 0)
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,3})?$/i
/** Longest text read as a number; no double needs as much. */
const NUMBER_LENGTH_MAX = 64

/** A finite number, or its text as some clients send it; else what is wrong. */
function plainNumber(value: unknown): number | string {
  if (typeof value === 'number') return Number.isFinite(value) ? value : SPECIAL
  if (typeof value !== 'string') return 'Not a valid number.'
  const trimmed = value.trim()
  if (/^[+-]?(nan|inf(inity)?)$/i.test(trimmed)) return SPECIAL
  if (trimmed.length > NUMBER_LENGTH_MAX || !NUMBER.test(trimmed)) return 'Not a valid number.'
  const read = Number(trimmed)
  return Number.isFinite(read) ? read : SPECIAL
}

const SPECIAL = 'Special numeric values (nan or infinity) are not permitted.'

/** Time of the day of expiry at which options end, as minutes after midnight. */
export const expiryTime: Field<string, number | undefined, false> = makeField<string, number>(
  { type: 'string', pattern: '^\\d{1,2}:\\d{2}$' },
  {
    description:
      "Time at which the option ends on its day of expiry, HH:MM; by default as its exchange's calendar says.",
  },
  (value) => {
    if (typeof value !== 'string') return problem(`Not a valid string. Got ${shown(value)}.`)
    const match = /^(\d{1,2}):(\d{2})$/.exec(value.trim())
    if (match === null) {
      return problem(`Invalid expiry_time format: ${shown(value)}. Use HH:MM format (e.g., '15:30', '19:00')`)
    }
    const [hour, minute] = [Number(match[1]), Number(match[2])]
    if (hour > 23 || minute > 59) {
      return problem(`Invalid expiry_time values: ${shown(value)}. Hour must be 0-23, minute must be 0-59`)
    }
    return hour * 60 + minute
  },
).optional()
