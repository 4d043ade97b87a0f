import Type from 'typebox'
import { PRODUCTS } from '../../brokers/venue.ts'
import type { FieldError } from '../../kernel/errors.ts'
import { formatTimeOfDay, parseTimeOfDay } from '../../kernel/exchange-time.ts'
import { type Money, type Quantity, toNumber } from '../../kernel/fixed.ts'
import { EXCHANGES } from '../../market/instrument.ts'
import {
  type LimitName,
  type Limits,
  limitMax,
  NUMBER_LIMITS,
  type NumberLimit,
  QUOTE_AGE_MS_MAX,
  SYMBOLS_MAX,
  type TradingWindow,
  WINDOWS_MAX,
} from '../../trading/risk/limits.ts'
import { integer, list, object, type ValueOf } from '../field.ts'
import { money, percent, quantity } from '../number-fields.ts'
import { choice, text } from '../text-fields.ts'

const DESCRIBED: Readonly<Record<LimitName, string>> = {
  order_value: 'Rupees that one order may be worth: at its price, else its trigger, else the last price.',
  order_quantity: 'Units of one order.',
  open_orders: 'Orders that may work at once.',
  orders_per_second: 'Orders in any one second.',
  segment_orders_per_second: 'Orders in any one second on one exchange.',
  orders_per_day: 'Orders in a day of the exchange, cancelled ones too; not those that a limit denied.',
  position_quantity:
    'Units of one instrument, all products together, that may be held long or short once all that works is filled.',
  gross_exposure: 'Rupees that all positions may come to without their signs, once all that works is filled.',
  net_exposure: 'Likewise with their signs.',
  daily_loss: 'Rupees lost today, realised and open, from which on only what reduces a position passes.',
  price_distance_percent:
    'How far the price of a LIMIT order may be from the last trade, and that of an SL order from its trigger.',
  market_protection_percent:
    'How far from the last trade the visible book may fill a MARKET order, or an SL-M order if it were triggered now.',
  quote_age_ms: 'How old the newest quote of the instrument may be.',
  exchanges: 'Exchanges that may be traded on.',
  products: 'Products that may be traded.',
  symbols: 'Symbols that may be traded: `SBIN`, or `NSE:SBIN` for one exchange only.',
  trading_windows: 'When orders may be sent, `HH:MM-HH:MM` in exchange time, the end not included.',
}

const count = (name: NumberLimit) => integer({ min: 0, max: limitMax(name), description: DESCRIBED[name] }).optional()
const amount = (name: NumberLimit) => money({ description: DESCRIBED[name] }).optional()
const units = (name: NumberLimit) => quantity({ sign: 'non-negative', description: DESCRIBED[name] }).optional()
const share = (name: NumberLimit) => percent({ description: DESCRIBED[name] }).optional()

const limitFields = {
  order_value: amount('order_value'),
  order_quantity: units('order_quantity'),
  open_orders: count('open_orders'),
  orders_per_second: count('orders_per_second'),
  segment_orders_per_second: count('segment_orders_per_second'),
  orders_per_day: count('orders_per_day'),
  position_quantity: units('position_quantity'),
  gross_exposure: amount('gross_exposure'),
  net_exposure: amount('net_exposure'),
  daily_loss: amount('daily_loss'),
  price_distance_percent: share('price_distance_percent'),
  market_protection_percent: share('market_protection_percent'),
  quote_age_ms: integer({ min: 1, max: QUOTE_AGE_MS_MAX, description: DESCRIBED.quote_age_ms }).optional(),
  exchanges: list(choice(EXCHANGES), { min: 1, max: EXCHANGES.length, description: DESCRIBED.exchanges }).optional(),
  products: list(choice(PRODUCTS), { min: 1, max: PRODUCTS.length, description: DESCRIBED.products }).optional(),
  symbols: list(text({ min: 1, max: 70, canonical: true }), {
    min: 1,
    max: SYMBOLS_MAX,
    description: DESCRIBED.symbols,
  }).optional(),
  trading_windows: list(text({ min: 11, max: 11 }), {
    min: 1,
    max: WINDOWS_MAX,
    description: DESCRIBED.trading_windows,
  }).optional(),
} as const

type LimitInput = ValueOf<typeof limitFields>

/** Limits of a request. */
export const limitsField = object(limitFields, {
  description: 'Limits to set; what isn’t named stays.',
  check(given) {
    const errors: FieldError[] = []
    for (const name of NUMBER_LIMITS) {
      const value = given[name]
      if (value !== undefined && value > limitMax(name))
        errors.push({ field: name, message: `Must be at most ${shownNumber(name, limitMax(name))}.` })
    }
    for (const [index, written] of (given.trading_windows ?? []).entries()) {
      if (windowOf(written) === undefined)
        errors.push({
          field: `trading_windows[${index}]`,
          message: `Must be two times as HH:MM-HH:MM, the earlier one first. Got "${written}".`,
        })
    }
    return errors
  },
})

/** Without those that aren't there. */
export function limitsOf(given: LimitInput): Limits {
  const { trading_windows: windows, ...others } = given
  const set = Object.fromEntries(Object.entries(others).filter(([, value]) => value !== undefined)) as Limits
  if (windows === undefined) return set
  return { ...set, trading_windows: windows.map(windowOf).filter((one) => one !== undefined) }
}

function windowOf(written: string): TradingWindow | undefined {
  const [from = '', to = ''] = written.split('-')
  const fromMinute = parseTimeOfDay(from)
  const toMinute = parseTimeOfDay(to)
  if (fromMinute === undefined || toMinute === undefined || fromMinute >= toMinute) return undefined
  return { fromMinute, toMinute }
}

export const windowText = ({ fromMinute, toMinute }: TradingWindow): string =>
  `${formatTimeOfDay(fromMinute)}-${formatTimeOfDay(toMinute)}`

/** A limit in the unit in which it is sent. */
export function shownNumber(name: NumberLimit, value: number): number {
  switch (name) {
    case 'order_value':
    case 'gross_exposure':
    case 'net_exposure':
    case 'daily_loss':
      return toNumber.money(value as Money)
    case 'order_quantity':
    case 'position_quantity':
      return toNumber.quantity(value as Quantity)
    case 'price_distance_percent':
    case 'market_protection_percent':
      return value / 100
    default:
      return value
  }
}

const texts = (name: LimitName) => Type.Optional(Type.Array(Type.String(), { description: DESCRIBED[name] }))

export const limitsOut = Type.Object(
  {
    ...(Object.fromEntries(
      NUMBER_LIMITS.map((name) => [name, Type.Optional(Type.Number({ description: DESCRIBED[name] }))]),
    ) as { [Name in NumberLimit]: ReturnType<typeof Type.Optional<ReturnType<typeof Type.Number>>> }),
    exchanges: texts('exchanges'),
    products: texts('products'),
    symbols: texts('symbols'),
    trading_windows: texts('trading_windows'),
  },
  { description: 'What isn’t there isn’t limited.' },
)

export function shownLimits(limits: Limits) {
  const numbers: { [Name in NumberLimit]?: number } = {}
  for (const name of NUMBER_LIMITS) {
    const value = limits[name]
    if (value !== undefined) numbers[name] = shownNumber(name, value)
  }
  const { exchanges, products, symbols, trading_windows: windows } = limits
  return {
    ...numbers,
    ...(exchanges === undefined ? {} : { exchanges: [...exchanges] }),
    ...(products === undefined ? {} : { products: [...products] }),
    ...(symbols === undefined ? {} : { symbols: [...symbols] }),
    ...(windows === undefined ? {} : { trading_windows: windows.map(windowText) }),
  }
}
