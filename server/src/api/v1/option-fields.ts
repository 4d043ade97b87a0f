import type { ExchangeDate } from '../../kernel/exchange-time.ts'
import { QUANTITY_ONE, type Quantity, quantity } from '../../kernel/fixed.ts'
import { parseExpiryCode, parseExpiryLabel } from '../../market/symbol.ts'
import { OFFSET_STEPS_MAX, type Offset, parseOffset, STRIKE_INTERVAL_MAX } from '../../options/index.ts'
import { type Field, FieldProblem, makeField, problem, shown } from '../field-type.ts'
import { type IntegerOptions, integer, type NumberWire } from '../number-fields.ts'
import { choice, text } from '../text-fields.ts'
import { exchange } from './order-fields.ts'

/** What asking for the prices of an expiry's options may be refused with. */
export const SERIES_REFUSALS = [
  'expiry_missing',
  'symbol_not_found',
  'option_not_found',
  'contract_expired',
  'quote_unavailable',
  'source_slow',
  'source_down',
  'not_subscribed',
  'overloaded',
] as const
/** What an option's offset from the money may be refused with. */
export const RESOLUTION_REFUSALS = [...SERIES_REFUSALS, 'offset_out_of_range'] as const

/** Fields by which options are named and ordered, each described once. */

export const underlying = text({
  min: 1,
  max: 50,
  canonical: true,
  description: 'Underlying of the options, such as NIFTY or RELIANCE; with an expiry NIFTY28OCT25 or NIFTY28OCT25FUT.',
  example: 'NIFTY',
})

export const underlyingExchange = exchange

/** As typed: answers repeat it. */
export interface OffsetText {
  readonly text: string
  readonly offset: Offset
}

export const offset: Field<string, OffsetText, true> = makeField<string, OffsetText>(
  { type: 'string' },
  {
    description: `ATM, ITM1 … ITM${OFFSET_STEPS_MAX} or OTM1 … OTM${OFFSET_STEPS_MAX}: listed strikes from the one nearest to the price of the underlying.`,
    example: 'ATM',
  },
  (value) => {
    const read = typeof value === 'string' ? parseOffset(value) : undefined
    if (typeof value === 'string' && read !== undefined) return { text: value, offset: read }
    return problem(
      `Offset must be ATM, ITM1-ITM${OFFSET_STEPS_MAX}, or OTM1-OTM${OFFSET_STEPS_MAX}. Got ${shown(value)}.`,
    )
  },
)

export const optionType = choice(['CE', 'PE'], { lowerCase: true, description: 'CE for calls, PE for puts.' })

/** A day as symbols carry it, or as `expiry` lists it; empty text counts as absent. */
export const expiryDate: Field<string, ExchangeDate | undefined, false> = makeField<string, ExchangeDate | undefined>(
  { type: 'string' },
  {
    description: 'Expiry of the options, DDMMMYY. Wins over one in `underlying`; required when there is none.',
  },
  (value) => {
    if (typeof value !== 'string') return problem(`Not a valid string. Got ${shown(value)}.`)
    const code = value.trim()
    if (code === '') return undefined
    return (
      parseExpiryCode(code) ??
      parseExpiryLabel(code) ??
      problem(`Not a valid expiry. Got ${shown(value)}; write it as DDMMMYY, such as 28OCT25.`)
    )
  },
).optional()

export const strikeInterval = integer({
  min: 1,
  max: STRIKE_INTERVAL_MAX,
  description:
    'Counts offsets by this interval, from the multiple of it nearest to the price; strikes as listed without.',
})
  .orNull()
  .optional()

/** Largest count of units that a quantity can hold. */
const UNITS_MAX = Math.floor(Number.MAX_SAFE_INTEGER / QUANTITY_ONE)

/** A whole count of units. */
function units(options: IntegerOptions): Field<NumberWire, Quantity, true> {
  const whole = integer({ max: UNITS_MAX, ...options })
  return makeField<NumberWire, Quantity>(whole.schema, {}, (value, warnings) => {
    const read = whole.decode(value, warnings)
    return read instanceof FieldProblem ? read : quantity(read * QUANTITY_ONE)
  })
}

export const optionQuantity = units({
  min: 1,
  rule: 'Quantity must be a positive integer.',
  description: 'Units, not lots.',
  example: 65,
})

export const splitSize = units({
  min: 0,
  rule: 'Split size must be a non-negative integer.',
  description: 'Sends the order in pieces of this size, at most 100; 0 sends it whole.',
})
  .orNull()
  .optional(0 as Quantity, 0)

export const optionProduct = choice(['MIS', 'NRML'], { description: 'MIS intraday, NRML carried.' })
