import type { Action, PriceType, Product } from '../../brokers/venue.ts'
import { formatTimeOfDay, minuteOfDay, timestampOf } from '../../kernel/exchange-time.ts'
import {
  formatMoney,
  formatPrice,
  formatQuantity,
  type Money,
  type Multiplier,
  type Price,
  type Quantity,
} from '../../kernel/fixed.ts'
import type { Exchange } from '../../market/instrument.ts'
import type { Bound, Bounds } from './effective.ts'
import type { Denial } from './gate.ts'
import type { NumberLimit } from './limits.ts'
import { deviation, worth } from './worth.ts'

/** Every denial's message begins so: it tells them from what a venue refuses. */
export const DENIAL_PREFIX = 'Risk:'

/** What is judged: an order, or what a change would add to one. */
export interface Judged {
  readonly symbol: string
  readonly exchange: Exchange
  readonly action: Action
  readonly product: Product
  readonly priceType: PriceType
  /** All of it; of a change, the new total. */
  readonly quantity: Quantity
  /** What it adds to what may still be bought or sold: of a new order, its quantity. */
  readonly added: Quantity
  readonly price: Price
  readonly triggerPrice: Price
  readonly multiplier: Multiplier
  readonly isNew: boolean
  /** It waits for its price and counts as an order later. */
  readonly waits: boolean
}

/** What is held of one instrument, and what working orders may add to it. `buying` and `selling` are not negative. */
export interface Holding {
  readonly quantity: number
  readonly buying: number
  readonly selling: number
}

/** The account, or a strategy of it, as it stands now, with what is on its way counted as working. */
export interface Standing {
  readonly openOrders: number
  readonly ordersToday: number
  readonly ordersInSecond: number
  readonly segmentOrdersInSecond: number
  /** In the order's instrument and product. */
  readonly position: Holding
  /** In the order's instrument, of every product. */
  readonly instrument: Holding
  /** Sum of what each position is worth when the working orders fill that make it largest, in paise. */
  readonly grossExposure: number
  /** What it adds up to, with signs, when all that is being bought is filled; likewise sold. */
  readonly netHigh: number
  readonly netLow: number
  /** Loss of today, realised and open, in paise; negative when it is a profit. */
  readonly dailyLoss: number
}

/** The market as far as a limit needs it. */
export interface MarketView {
  readonly lastPrice: Price
  /** Instant of the quote. */
  readonly at: number
  /** Worst price that the visible book would fill the order at; undefined when it holds too little. */
  readonly worst: Price | undefined
}

export interface CheckInput {
  readonly order: Judged
  readonly bounds: Bounds
  readonly standing: Standing
  /** Undefined when no limit asks for it. */
  readonly market: MarketView | undefined
  /** Exchange time is read from it. */
  readonly now: number
}

/** Whether it only makes smaller what is held, with all that works already to the same end. */
export function onlyReduces(order: Pick<Judged, 'action' | 'added'>, { quantity, buying, selling }: Holding): boolean {
  return order.action === 'BUY' ? quantity < 0 && order.added + buying <= -quantity : order.added + selling <= quantity
}

/**
 * Whether an order may be sent: undefined allows it. Pure, and as quick with many orders in the books as with none: all
 * that it needs is in `standing`. What only reduces a position passes limits on positions, exposure and loss.
 */
export function check(input: CheckInput): Denial | undefined {
  const { bounds } = input
  if (bounds.isEmpty) return undefined
  return (
    checkKind(input) ??
    checkWindows(input) ??
    checkSize(input) ??
    checkCounts(input) ??
    checkMarket(input) ??
    checkHoldings(input)
  )
}

const deny = (limit: string, text: string): Denial => ({ code: `risk_${limit}`, message: `${DENIAL_PREFIX} ${text}` })

/** A limit in its own words: `order_value of account default is 1000.00`. */
const limitText = (limit: NumberLimit, { source }: Bound, value: string): string => `${limit} of ${source} is ${value}`

function checkKind({ order, bounds }: CheckInput): Denial | undefined {
  for (const { limit, values, source } of bounds.allowed) {
    const isAllowed =
      limit === 'symbols'
        ? values.has(order.symbol) || values.has(`${order.exchange}:${order.symbol}`)
        : values.has(limit === 'exchanges' ? order.exchange : order.product)
    if (isAllowed) continue
    const shown = limit === 'symbols' ? order.symbol : limit === 'exchanges' ? order.exchange : order.product
    const listed = [...values].slice(0, 10).join(', ')
    const more = values.size > 10 ? ` and ${values.size - 10} more` : ''
    return deny(limit, `${limit} of ${source} allow ${listed}${more}, and this order is of ${shown}.`)
  }
  return undefined
}

function checkWindows({ order, bounds, now }: CheckInput): Denial | undefined {
  if (bounds.windows.length === 0 || order.waits) return undefined
  const minute = minuteOfDay(now)
  for (const { windows, source } of bounds.windows) {
    if (windows.some(({ fromMinute, toMinute }) => fromMinute <= minute && minute < toMinute)) continue
    const listed = windows
      .map(({ fromMinute, toMinute }) => `${formatTimeOfDay(fromMinute)} to ${formatTimeOfDay(toMinute)}`)
      .join(', ')
    return deny(
      'trading_windows',
      `trading_windows of ${source} are ${listed} IST, and it is ${timestampOf(now).slice(11)}.`,
    )
  }
  return undefined
}

function checkSize({ order, bounds: { numbers }, market }: CheckInput): Denial | undefined {
  const quantity = numbers.order_quantity
  if (quantity !== undefined && order.quantity > quantity.value) {
    const text = limitText('order_quantity', quantity, formatQuantity(quantity.value as Quantity))
    return deny('order_quantity', `${text}, and this order is for ${formatQuantity(order.quantity)}.`)
  }
  const value = numbers.order_value
  if (value === undefined) return undefined
  const price = priceOfOrder(order, market)
  if (price === undefined) return unpriced('order_value', value)
  const found = worth(price, order.quantity, order.multiplier)
  if (found <= value.value) return undefined
  const text = limitText('order_value', value, formatMoney(value.value as Money))
  return deny('order_value', `${text}, and this order is worth ${amount(found)}.`)
}

/** Price that an order is valued at: its own, else its trigger, else the last one. Undefined when there is none. */
export function priceOfOrder(
  order: Pick<Judged, 'price' | 'triggerPrice'>,
  market: MarketView | undefined,
): Price | undefined {
  if (order.price > 0) return order.price
  if (order.triggerPrice > 0) return order.triggerPrice
  return market === undefined || market.lastPrice <= 0 ? undefined : market.lastPrice
}

const unpriced = (limit: NumberLimit, bound: Bound): Denial =>
  deny(limit, `${limit} of ${bound.source} needs a price of the instrument, and there is none now.`)

/** An amount of paise that may be beyond what can be told exactly. */
const amount = (value: number): string =>
  Number.isSafeInteger(value) ? formatMoney(value as Money) : 'too much to tell'

function checkCounts({ order, bounds: { numbers }, standing }: CheckInput): Denial | undefined {
  if (!order.isNew || order.waits) return undefined
  const reached = (limit: Counted, count: number): Denial | undefined => {
    const bound = numbers[limit]
    if (bound === undefined || count < bound.value) return undefined
    return deny(limit, `${limitText(limit, bound, String(bound.value))}, and ${count} ${COUNTED[limit](order)}.`)
  }
  return (
    reached('open_orders', standing.openOrders) ??
    reached('orders_per_second', standing.ordersInSecond) ??
    reached('segment_orders_per_second', standing.segmentOrdersInSecond) ??
    reached('orders_per_day', standing.ordersToday)
  )
}

const COUNTED = {
  open_orders: () => 'orders are open',
  orders_per_second: () => 'were sent in the last second',
  segment_orders_per_second: ({ exchange }: Judged) => `were sent to ${exchange} in the last second`,
  orders_per_day: () => 'were sent today',
} satisfies { readonly [Limit in NumberLimit]?: (order: Judged) => string }
type Counted = keyof typeof COUNTED

function checkMarket({ order, bounds: { numbers }, market, now }: CheckInput): Denial | undefined {
  if (order.waits && order.priceType !== 'SL') return undefined
  const { quote_age_ms: age, price_distance_percent: distance, market_protection_percent: protection } = numbers
  if (age !== undefined && !order.waits) {
    const found = market === undefined ? undefined : now - market.at
    if (found === undefined || found > age.value) {
      const state = found === undefined ? 'there is no quote' : `the newest quote is ${found} ms old`
      return deny('quote_age_ms', `${limitText('quote_age_ms', age, String(age.value))}, and ${state}.`)
    }
  }
  if (distance !== undefined && (order.priceType === 'LIMIT' || order.priceType === 'SL')) {
    // A stop leaves when the last price is its trigger
    const from = order.priceType === 'SL' ? order.triggerPrice : (market?.lastPrice ?? 0)
    if (from <= 0) return unpriced('price_distance_percent', distance)
    const found = deviation(order.price, from as Price)
    if (found > distance.value) {
      const what = order.priceType === 'SL' ? 'its trigger' : 'the last trade'
      const text = limitText('price_distance_percent', distance, percent(distance.value))
      return deny(
        'price_distance_percent',
        `${text}, and the price ${formatPrice(order.price)} is ${percent(found)} from ${what} at ${formatPrice(from as Price)}.`,
      )
    }
  }
  if (protection === undefined || (order.priceType !== 'MARKET' && order.priceType !== 'SL-M')) return undefined
  if (market === undefined || market.lastPrice <= 0) return unpriced('market_protection_percent', protection)
  const text = limitText('market_protection_percent', protection, percent(protection.value))
  if (market.worst === undefined) {
    return deny(
      'market_protection_percent',
      `${text}, and the visible book holds less than this order's ${formatQuantity(order.quantity)}.`,
    )
  }
  const against = order.action === 'BUY' ? market.worst > market.lastPrice : market.worst < market.lastPrice
  const found = against ? deviation(market.worst, market.lastPrice) : 0
  if (found <= protection.value) return undefined
  return deny(
    'market_protection_percent',
    `${text}, and the book would fill this order down to ${formatPrice(market.worst)}, ${percent(found)} from the last trade at ${formatPrice(market.lastPrice)}.`,
  )
}

/** Hundredths of a percent as they are read: 250 is 2.5 %. */
const percent = (hundredths: number): string => `${hundredths / 100} %`

function checkHoldings(input: CheckInput): Denial | undefined {
  const { order, bounds, standing } = input
  const { position_quantity: size, gross_exposure: gross, net_exposure: net, daily_loss: loss } = bounds.numbers
  if (size === undefined && gross === undefined && net === undefined && loss === undefined) return undefined
  if (order.added <= 0 || onlyReduces(order, standing.position)) return undefined
  if (loss !== undefined && standing.dailyLoss >= loss.value) {
    const text = limitText('daily_loss', loss, formatMoney(loss.value as Money))
    return deny(
      'daily_loss',
      `${text}, and today's loss is ${amount(standing.dailyLoss)}. Orders that only reduce a position still pass.`,
    )
  }
  if (size !== undefined) {
    const after = sizeAfter(order, standing.instrument)
    if (after > size.value) {
      const text = limitText('position_quantity', size, formatQuantity(size.value as Quantity))
      return deny('position_quantity', `${text}, and with this order the position could be ${units(after)}.`)
    }
  }
  return gross === undefined && net === undefined ? undefined : checkExposure(input, gross, net)
}

/** A quantity that may be beyond what can be told exactly. */
const units = (value: number): string =>
  Number.isSafeInteger(value) ? formatQuantity(value as Quantity) : String(value)

/** How large the position may become on the order's side. */
const sizeAfter = (
  { action, added }: Pick<Judged, 'action' | 'added'>,
  { quantity, buying, selling }: Holding,
): number => (action === 'BUY' ? quantity + buying + added : selling + added - quantity)

function checkExposure(input: CheckInput, gross: Bound | undefined, net: Bound | undefined): Denial | undefined {
  const { order, standing, market } = input
  const price = priceOfOrder(order, market)
  if (price === undefined)
    return unpriced(gross === undefined ? 'net_exposure' : 'gross_exposure', (gross ?? net) as Bound)
  const { quantity, buying, selling } = standing.position
  if (gross !== undefined) {
    const before = Math.max(Math.abs(quantity + buying), Math.abs(quantity - selling))
    const bought = quantity + buying + (order.action === 'BUY' ? order.added : 0)
    const sold = quantity - selling - (order.action === 'SELL' ? order.added : 0)
    const grown = worth(price, Math.max(Math.abs(bought), Math.abs(sold)) - before, order.multiplier)
    const after = standing.grossExposure + grown
    if (after > gross.value && grown > 0) {
      const text = limitText('gross_exposure', gross, formatMoney(gross.value as Money))
      return deny('gross_exposure', `${text}, and with this order it would be ${amount(after)}.`)
    }
  }
  if (net === undefined) return undefined
  const added = worth(price, order.added, order.multiplier)
  const after = order.action === 'BUY' ? standing.netHigh + added : added - standing.netLow
  if (after <= net.value) return undefined
  const text = limitText('net_exposure', net, formatMoney(net.value as Money))
  return deny(
    'net_exposure',
    `${text}, and with this order it would be ${amount(after)} ${order.action === 'BUY' ? 'long' : 'short'}.`,
  )
}
