import type { NewGttLeg } from '../../brokers/gtt.ts'
import type { FieldError } from '../../kernel/errors.ts'
import { DAY_MS, dateOf, dayNumberOf, dayStartAt, MINUTE_MS } from '../../kernel/exchange-time.ts'
import { formatPrice, formatQuantity, type Price, QUANTITY_ONE, type Quantity, ZERO_PRICE } from '../../kernel/fixed.ts'
import type { Exchange } from '../../market/instrument.ts'
import { type Field, makeField, problem, shown } from '../field-type.ts'
import { type NumberWire, price } from '../number-fields.ts'
import { choice, text } from '../text-fields.ts'
import { action, exchange, orderQuantity, strategy, symbol } from './order-fields.ts'

const TRIGGER_TYPES = ['SINGLE', 'OCO'] as const
type TriggerType = (typeof TRIGGER_TYPES)[number]

/** In any case, as the reference takes it. */
const triggerType = makeField<TriggerType | Lowercase<TriggerType>, TriggerType>(
  { type: 'string', enum: TRIGGER_TYPES },
  { description: 'SINGLE waits for one price; OCO for two, of which the first that is reached cancels the other.' },
  (value) => {
    const word = typeof value === 'string' ? TRIGGER_TYPES.find((type) => type === value.toUpperCase()) : undefined
    return word ?? problem(`Must be 'SINGLE' or 'OCO'. Got ${shown(value)}.`)
  },
)

/** Some clients send empty text for what they leave out. */
function orBlank<Value, Fallback>(
  field: Field<NumberWire, Value, true>,
  fallback: Fallback,
): Field<NumberWire, Value | Fallback, true> {
  return makeField<NumberWire, Value | Fallback>(field.schema, {}, (value, warnings) =>
    value === '' ? fallback : field.decode(value, warnings),
  )
}

const trigger = (description: string) =>
  orBlank(price({ noun: 'Trigger price', description }), ZERO_PRICE).optional(ZERO_PRICE, 0)
const legLimit = (noun: string, description: string) =>
  orBlank(price({ noun, description }), undefined).orNull().optional()

/** What a trigger waits for and what it then places: of placegttorder and modifygttorder. */
export const gttFields = {
  strategy,
  trigger_type: triggerType,
  exchange,
  symbol,
  action,
  product: choice(['NRML', 'CNC'], {
    rule: 'GTT supports only CNC (delivery) or NRML (overnight F&O); MIS is intraday-only.',
    description: 'CNC delivery, NRML carried derivatives.',
  }),
  quantity: orderQuantity,
  pricetype: choice(['LIMIT', 'MARKET'], {
    alsoKnownAs: { MKT: 'MARKET', LMT: 'LIMIT' },
    description: 'Of the order that is placed.',
  }).optional('LIMIT', 'LIMIT'),
  price: price({ description: 'Limit price of a SINGLE; 0 for MARKET. An OCO has `stoploss` and `target` instead.' }),
  triggerprice_sl: trigger('Fires when the last price is at or below it, whatever the action.'),
  triggerprice_tg: trigger('Fires when the last price is at or above it, whatever the action.'),
  stoploss: legLimit('Stoploss', 'Limit price of the order that `triggerprice_sl` of an OCO places.'),
  target: legLimit('Target', 'Limit price of the order that `triggerprice_tg` of an OCO places.'),
} as const

export const triggerId = text({
  min: 1,
  max: 50,
  description: 'As returned by placegttorder.',
  example: 'GTT-261125-00000001',
})

const MOMENT = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|[+-]\d{2}:?\d{2})?)?$/i
/** An instant of the exchange's zone unless it says otherwise; a date alone is its last second. */
const EXCHANGE_OFFSET_MINUTES = 330

/** `2026-12-31`, `2026-12-31 15:30:00` or ISO 8601 as an instant; undefined when it is none of these. */
export function momentOf(given: string): number | undefined {
  const match = MOMENT.exec(given.trim())
  if (match === null) return undefined
  const [, date = '', hour, minute, second = '0', fraction = '', zone] = match
  const dayNumber = dayNumberOf(date)
  if (Number.isNaN(dayNumber) || dateOf(dayNumber) !== date) return undefined
  if (hour === undefined) return dayStartAt(dayNumber) + DAY_MS - 1_000
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined
  const offset = zone === undefined ? EXCHANGE_OFFSET_MINUTES : offsetMinutes(zone)
  if (offset === undefined) return undefined
  const inDay = (Number(hour) * 60 + Number(minute)) * MINUTE_MS + Number(second) * 1_000
  return dayNumber * DAY_MS + inDay + Number(fraction.padEnd(3, '0').slice(0, 3)) - offset * MINUTE_MS
}

function offsetMinutes(zone: string): number | undefined {
  if (zone.toUpperCase() === 'Z') return 0
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(-2))]
  if (hours > 14 || minutes > 59) return undefined
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes)
}

export const expiresAt = makeField<string, number | undefined>(
  { type: 'string' },
  {
    description:
      "Until when it waits, at most 365 days, which is also what it waits without this. `YYYY-MM-DD` is the end of that day; a time without an offset is the exchange's.",
    example: '2026-12-31 15:30:00',
  },
  (value) => {
    if (value === '') return undefined
    const moment = typeof value === 'string' ? momentOf(value) : undefined
    return (
      moment ??
      problem(
        `Not a valid date or time. Got ${shown(value)}; write it as YYYY-MM-DD, YYYY-MM-DD HH:MM:SS or ISO 8601, such as 2026-12-31T15:30:00+05:30.`,
      )
    )
  },
)
  .orNull()
  .optional()

export interface GttInput {
  readonly trigger_type: TriggerType
  readonly exchange: Exchange
  readonly quantity: Quantity
  readonly pricetype: 'LIMIT' | 'MARKET'
  readonly price: Price
  readonly triggerprice_sl: Price
  readonly triggerprice_tg: Price
  readonly stoploss: Price | undefined
  readonly target: Price | undefined
}

/** Rules between the fields of a trigger. */
export function gttProblems(input: GttInput): FieldError[] {
  const errors = input.trigger_type === 'SINGLE' ? singleProblems(input) : ocoProblems(input)
  if (input.exchange !== 'CRYPTO' && input.quantity % QUANTITY_ONE !== 0) {
    const message = `Fractional quantity (${formatQuantity(input.quantity)}) is not allowed for non-crypto exchanges.`
    errors.push({ field: 'quantity', message })
  }
  return errors
}

function singleProblems(input: GttInput): FieldError[] {
  const { triggerprice_sl: lower, triggerprice_tg: upper } = input
  const errors: FieldError[] = []
  if (lower === 0 && upper === 0) {
    const message = 'SINGLE GTT requires a positive triggerprice_sl or triggerprice_tg.'
    errors.push({ field: 'triggerprice_sl', message })
  }
  if (lower > 0 && upper > 0) {
    const message = `A SINGLE GTT needs exactly one of triggerprice_sl or triggerprice_tg; an OCO needs both. Got ${formatPrice(lower)} and ${formatPrice(upper)}.`
    errors.push({ field: 'triggerprice_tg', message })
  }
  for (const field of ['stoploss', 'target'] as const) {
    const value = input[field] ?? ZERO_PRICE
    if (value === 0) continue
    const message = `A SINGLE GTT has its limit in price; ${field} is for OCO. Got ${formatPrice(value)}; leave it out.`
    errors.push({ field, message })
  }
  if (input.pricetype === 'LIMIT' && input.price === 0)
    errors.push({ field: 'price', message: 'LIMIT orders require price. Got 0; send the limit price.' })
  return errors
}

function ocoProblems(input: GttInput): FieldError[] {
  const needed = [
    ['triggerprice_sl', 'stoploss trigger'],
    ['stoploss', 'stoploss leg limit'],
    ['triggerprice_tg', 'target trigger'],
    ['target', 'target leg limit'],
  ] as const
  const errors: FieldError[] = needed
    .filter(([field]) => (input[field] ?? 0) === 0)
    .map(([field, what]) => ({ field, message: `Required for OCO (${what}).` }))
  const { triggerprice_sl: lower, triggerprice_tg: upper } = input
  if (lower > 0 && upper > 0 && lower >= upper) {
    const message = `Stoploss trigger must be less than target trigger (triggerprice_tg). Got ${formatPrice(lower)} and ${formatPrice(upper)}.`
    errors.push({ field: 'triggerprice_sl', message })
  }
  return errors
}

/** The triggers of an input that has no problems, the lower first. */
export function legsOf(input: GttInput): NewGttLeg[] {
  const { triggerprice_sl: lower, triggerprice_tg: upper, price: limit } = input
  if (input.trigger_type === 'OCO')
    return [
      { direction: 'below', triggerPrice: lower, price: input.stoploss ?? ZERO_PRICE },
      { direction: 'above', triggerPrice: upper, price: input.target ?? ZERO_PRICE },
    ]
  return lower > 0
    ? [{ direction: 'below', triggerPrice: lower, price: limit }]
    : [{ direction: 'above', triggerPrice: upper, price: limit }]
}
