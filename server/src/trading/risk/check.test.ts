import { describe, expect, it, test } from 'vitest'
import { moneyOf, multiplierOf, type Price, priceOf, type Quantity, quantityOf } from '../../kernel/fixed.ts'
import { type Limits, NUMBER_LIMITS } from './limits.ts'
import { type Case, held, NOW, quote, run } from './test-check.ts'

/** What just passes, and what just doesn't. */
const TABLE: readonly (readonly [string, string, Case, Case])[] = [
  [
    'order value at a limit price',
    'order_value',
    { limits: { order_value: moneyOf(1000) } },
    { limits: { order_value: moneyOf('999.99') } },
  ],
  [
    'order value at the last price',
    'order_value',
    { limits: { order_value: moneyOf(1000) }, order: { priceType: 'MARKET', price: priceOf(0) }, market: quote(100) },
    {
      limits: { order_value: moneyOf(1000) },
      order: { priceType: 'MARKET', price: priceOf(0) },
      market: quote(100.05),
    },
  ],
  [
    'order value at the trigger',
    'order_value',
    {
      limits: { order_value: moneyOf(1000) },
      order: { priceType: 'SL-M', price: priceOf(0), triggerPrice: priceOf(100) },
    },
    {
      limits: { order_value: moneyOf(1000) },
      order: { priceType: 'SL-M', price: priceOf(0), triggerPrice: priceOf('100.05') },
    },
  ],
  [
    'order value with a multiplier',
    'order_value',
    { limits: { order_value: moneyOf(1000) }, order: { quantity: quantityOf(1), multiplier: multiplierOf(10) } },
    { limits: { order_value: moneyOf(1000) }, order: { quantity: quantityOf(1), multiplier: multiplierOf('10.01') } },
  ],
  [
    'order value without a price',
    'order_value',
    { limits: { order_value: moneyOf(1000) }, order: { price: priceOf(100) } },
    { limits: { order_value: moneyOf(1000) }, order: { priceType: 'MARKET', price: priceOf(0) } },
  ],
  [
    'quantity',
    'order_quantity',
    { limits: { order_quantity: quantityOf(10) } },
    { limits: { order_quantity: quantityOf(9) } },
  ],
  [
    'fractional quantity',
    'order_quantity',
    { limits: { order_quantity: quantityOf('0.5') }, order: { quantity: quantityOf('0.5') } },
    { limits: { order_quantity: quantityOf('0.5') }, order: { quantity: quantityOf('0.500001') } },
  ],
  [
    'open orders',
    'open_orders',
    { limits: { open_orders: 5 }, standing: { openOrders: 4 } },
    { limits: { open_orders: 5 }, standing: { openOrders: 5 } },
  ],
  [
    'orders a second',
    'orders_per_second',
    { limits: { orders_per_second: 3 }, standing: { ordersInSecond: 2 } },
    { limits: { orders_per_second: 3 }, standing: { ordersInSecond: 3 } },
  ],
  [
    'orders a second on one exchange',
    'segment_orders_per_second',
    { limits: { segment_orders_per_second: 10 }, standing: { segmentOrdersInSecond: 9 } },
    { limits: { segment_orders_per_second: 10 }, standing: { segmentOrdersInSecond: 10 } },
  ],
  [
    'orders a day',
    'orders_per_day',
    { limits: { orders_per_day: 100 }, standing: { ordersToday: 99 } },
    { limits: { orders_per_day: 100 }, standing: { ordersToday: 100 } },
  ],
  [
    'position',
    'position_quantity',
    { limits: { position_quantity: quantityOf(30) }, standing: held(15, 5) },
    { limits: { position_quantity: quantityOf(30) }, standing: held(15, 6) },
  ],
  [
    'short position',
    'position_quantity',
    { limits: { position_quantity: quantityOf(30) }, order: { action: 'SELL' }, standing: held(-15, 0, 5) },
    { limits: { position_quantity: quantityOf(30) }, order: { action: 'SELL' }, standing: held(-15, 0, 6) },
  ],
  [
    'position that turns round',
    'position_quantity',
    { limits: { position_quantity: quantityOf(5) }, order: { action: 'SELL' }, standing: held(5) },
    { limits: { position_quantity: quantityOf(5) }, order: { action: 'SELL' }, standing: held(4) },
  ],
  [
    'gross exposure',
    'gross_exposure',
    { limits: { gross_exposure: moneyOf(5000) }, standing: { grossExposure: moneyOf(4000) } },
    { limits: { gross_exposure: moneyOf(5000) }, standing: { grossExposure: moneyOf('4000.01') } },
  ],
  [
    'gross exposure of an order against a larger position',
    'gross_exposure',
    {
      limits: { gross_exposure: moneyOf(1000) },
      order: { action: 'SELL', quantity: quantityOf(20) },
      standing: { ...held(10, 20), grossExposure: moneyOf(3000) },
    },
    {
      limits: { gross_exposure: moneyOf(1000) },
      order: { action: 'SELL', quantity: quantityOf(41) },
      standing: { ...held(10, 20), grossExposure: moneyOf(3000) },
    },
  ],
  [
    'net exposure, long',
    'net_exposure',
    { limits: { net_exposure: moneyOf(5000) }, standing: { netHigh: moneyOf(4000) } },
    { limits: { net_exposure: moneyOf(5000) }, standing: { netHigh: moneyOf('4000.01') } },
  ],
  [
    'net exposure, short',
    'net_exposure',
    { limits: { net_exposure: moneyOf(5000) }, order: { action: 'SELL' }, standing: { netLow: -moneyOf(4000) } },
    { limits: { net_exposure: moneyOf(5000) }, order: { action: 'SELL' }, standing: { netLow: -moneyOf('4000.01') } },
  ],
  [
    'daily loss',
    'daily_loss',
    { limits: { daily_loss: moneyOf(1000) }, standing: { dailyLoss: moneyOf('999.99') } },
    { limits: { daily_loss: moneyOf(1000) }, standing: { dailyLoss: moneyOf(1000) } },
  ],
  ['exchange', 'exchanges', { limits: { exchanges: ['BSE', 'NSE'] } }, { limits: { exchanges: ['BSE'] } }],
  ['product', 'products', { limits: { products: ['MIS'] } }, { limits: { products: ['CNC', 'NRML'] } }],
  ['symbol', 'symbols', { limits: { symbols: ['SBIN', 'IDEA'] } }, { limits: { symbols: ['IDEA'] } }],
  ['symbol of one exchange', 'symbols', { limits: { symbols: ['NSE:SBIN'] } }, { limits: { symbols: ['BSE:SBIN'] } }],
  [
    'price from the last trade, above',
    'price_distance_percent',
    { limits: { price_distance_percent: 500 }, order: { price: priceOf(105) }, market: quote(100) },
    { limits: { price_distance_percent: 500 }, order: { price: priceOf('105.01') }, market: quote(100) },
  ],
  [
    'price from the last trade, below',
    'price_distance_percent',
    { limits: { price_distance_percent: 500 }, order: { price: priceOf(95) }, market: quote(100) },
    { limits: { price_distance_percent: 500 }, order: { price: priceOf('94.99') }, market: quote(100) },
  ],
  [
    'price of a stop from its trigger',
    'price_distance_percent',
    {
      limits: { price_distance_percent: 100 },
      order: { priceType: 'SL', price: priceOf(202), triggerPrice: priceOf(200) },
      market: quote(100),
    },
    {
      limits: { price_distance_percent: 100 },
      order: { priceType: 'SL', price: priceOf('202.05'), triggerPrice: priceOf(200) },
      market: quote(200),
    },
  ],
  [
    'protection of a purchase',
    'market_protection_percent',
    {
      limits: { market_protection_percent: 100 },
      order: { priceType: 'MARKET', price: priceOf(0) },
      market: quote(100, 101),
    },
    {
      limits: { market_protection_percent: 100 },
      order: { priceType: 'MARKET', price: priceOf(0) },
      market: quote(100, 101.05),
    },
  ],
  [
    'protection of a sale',
    'market_protection_percent',
    {
      limits: { market_protection_percent: 100 },
      order: { action: 'SELL', priceType: 'SL-M', price: priceOf(0), triggerPrice: priceOf(90) },
      market: quote(100, 99),
    },
    {
      limits: { market_protection_percent: 100 },
      order: { action: 'SELL', priceType: 'SL-M', price: priceOf(0), triggerPrice: priceOf(90) },
      market: quote(100, 98.95),
    },
  ],
  [
    'protection with too thin a book',
    'market_protection_percent',
    {
      limits: { market_protection_percent: 100 },
      order: { priceType: 'MARKET', price: priceOf(0) },
      market: quote(100),
    },
    {
      limits: { market_protection_percent: 100 },
      order: { priceType: 'MARKET', price: priceOf(0) },
      market: { lastPrice: priceOf(100), worst: undefined, at: NOW },
    },
  ],
  [
    'age of the quote',
    'quote_age_ms',
    { limits: { quote_age_ms: 1000 }, market: quote(100, 100, 1000) },
    { limits: { quote_age_ms: 1000 }, market: quote(100, 100, 1001) },
  ],
  [
    'no quote at all',
    'quote_age_ms',
    { limits: { quote_age_ms: 1000 }, market: quote(100) },
    { limits: { quote_age_ms: 1000 } },
  ],
  [
    'trading windows, at the beginning',
    'trading_windows',
    { limits: { trading_windows: [{ fromMinute: 660, toMinute: 720 }] } },
    { limits: { trading_windows: [{ fromMinute: 660, toMinute: 720 }] }, now: NOW - 1 },
  ],
  [
    'trading windows, at the end',
    'trading_windows',
    { limits: { trading_windows: [{ fromMinute: 600, toMinute: 660 }] }, now: NOW - 1 },
    { limits: { trading_windows: [{ fromMinute: 600, toMinute: 660 }] } },
  ],
]

describe.each(TABLE)('%s', (_name, limit, passes, fails) => {
  it('passes up to the limit', () => {
    expect(run(passes)).toBeUndefined()
  })
  it('is denied beyond it, by a code of its own', () => {
    expect(run(fails)?.code).toBe(`risk_${limit}`)
  })
})

it('every limit is in the table', () => {
  const tried = new Set(TABLE.map(([, limit]) => limit))
  expect([...tried].sort()).toEqual([...NUMBER_LIMITS, 'exchanges', 'products', 'symbols', 'trading_windows'].sort())
})

test.each([
  [
    { limits: { order_value: moneyOf('999.99') } },
    'Risk: order_value of account default is 999.99, and this order is worth 1000.00.',
  ],
  [
    { limits: { position_quantity: quantityOf(30) }, standing: held(15, 6) },
    'Risk: position_quantity of account default is 30, and with this order the position could be 31.',
  ],
  [
    { limits: { price_distance_percent: 500 }, order: { price: priceOf('105.01') }, market: quote(100) },
    'Risk: price_distance_percent of account default is 5 %, and the price 105.01 is 5.01 % from the last trade at 100.',
  ],
  [
    { limits: { trading_windows: [{ fromMinute: 600, toMinute: 630 }] } },
    'Risk: trading_windows of account default are 10:00 to 10:30 IST, and it is 11:00:00.',
  ],
  [
    { limits: { exchanges: ['BSE' as const] } },
    'Risk: exchanges of account default allow BSE, and this order is of NSE.',
  ],
])('a denial names the limit, its value and the order’s: %#', (given, message) => {
  expect(run(given)?.message).toBe(message)
})

describe('an order that only reduces a position', () => {
  const limits: Limits = {
    position_quantity: quantityOf(1),
    gross_exposure: moneyOf(1),
    net_exposure: moneyOf(1),
    daily_loss: moneyOf(1),
  }
  const lost = { dailyLoss: moneyOf(5), grossExposure: moneyOf(9), netHigh: moneyOf(9), netLow: moneyOf(9) }

  it('passes limits on position, exposure and loss', () => {
    expect(run({ limits, order: { action: 'SELL' }, standing: { ...lost, ...held(10) } })).toBeUndefined()
    expect(run({ limits, order: { action: 'BUY' }, standing: { ...lost, ...held(-10) } })).toBeUndefined()
  })
  it('not when working orders close the position already', () => {
    expect(run({ limits, order: { action: 'SELL' }, standing: { ...lost, ...held(10, 0, 1) } })).toBeDefined()
  })
})

it('what waits for its price isn’t counted before it is an order', () => {
  const limits: Limits = {
    open_orders: 0,
    orders_per_second: 0,
    orders_per_day: 0,
    quote_age_ms: 1,
    trading_windows: [{ fromMinute: 0, toMinute: 1 }],
  }
  expect(run({ limits, order: { waits: true, priceType: 'SL-M', price: priceOf(0), triggerPrice: priceOf(90) } })).toBe(
    undefined,
  )
  expect(run({ limits: { order_quantity: quantityOf(9) }, order: { waits: true } })?.code).toBe('risk_order_quantity')
})

it('amounts beyond what can be told are denied, not wrong', () => {
  const huge = { quantity: 9e15 as Quantity, price: 9e15 as Price }
  expect(run({ limits: { order_value: 1e15 as never }, order: huge })?.code).toBe('risk_order_value')
  expect(run({ limits: { gross_exposure: 1e15 as never }, order: huge })?.code).toBe('risk_gross_exposure')
  expect(run({ limits: { net_exposure: 1e15 as never }, order: huge })?.code).toBe('risk_net_exposure')
})
