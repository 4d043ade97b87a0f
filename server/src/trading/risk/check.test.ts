import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { moneyOf, multiplierOf, type Price, priceOf, type Quantity, quantityOf } from '../../kernel/fixed.ts'
import { type CheckInput, check, type Judged, onlyReduces, type Standing } from './check.ts'
import { effectiveOf, type RiskRule } from './effective.ts'
import { type Limits, NUMBER_LIMITS } from './limits.ts'
import type { RiskScope } from './scope.ts'
import { NO_RULES } from './test-rules.ts'

const NOW = Date.parse('2026-11-25T11:00:00+05:30')
const ACCOUNT: RiskScope = { kind: 'account', account: 'default' }

const rule = (limits: Limits, scope: RiskScope = ACCOUNT): RiskRule => ({
  scope,
  state: 'active',
  limits,
  algoId: '',
  algoRegistration: '',
})
const boundsOf = (limits: Limits) => effectiveOf({ ...NO_RULES, account: rule(limits) }).account

const order = (over: Partial<Judged> = {}): Judged => {
  const quantity = over.quantity ?? quantityOf(10)
  return {
    symbol: 'SBIN',
    exchange: 'NSE',
    action: 'BUY',
    product: 'MIS',
    priceType: 'LIMIT',
    quantity,
    added: quantity,
    price: priceOf(100),
    triggerPrice: priceOf(0),
    multiplier: multiplierOf(1),
    isNew: true,
    waits: false,
    ...over,
  }
}
const holding = (quantity = 0, buying = 0, selling = 0) => ({
  quantity: quantityOf(quantity) as number,
  buying: quantityOf(buying) as number,
  selling: quantityOf(selling) as number,
})
const standing = (over: Partial<Standing> = {}): Standing => ({
  openOrders: 0,
  ordersToday: 0,
  ordersInSecond: 0,
  segmentOrdersInSecond: 0,
  position: holding(),
  instrument: holding(),
  grossExposure: 0,
  netHigh: 0,
  netLow: 0,
  dailyLoss: 0,
  ...over,
})
const held = (quantity: number, buying = 0, selling = 0): Partial<Standing> => ({
  position: holding(quantity, buying, selling),
  instrument: holding(quantity, buying, selling),
})
const quote = (last: number, worst: number | undefined = last, ageMs = 0) => ({
  lastPrice: priceOf(last),
  worst: worst === undefined ? undefined : priceOf(worst),
  at: NOW - ageMs,
})

interface Case {
  readonly limits: Limits
  readonly order?: Partial<Judged>
  readonly standing?: Partial<Standing>
  readonly market?: CheckInput['market']
  readonly now?: number
}
const run = (given: Case) =>
  check({
    order: order(given.order),
    bounds: boundsOf(given.limits),
    standing: standing(given.standing),
    market: given.market,
    now: given.now ?? NOW,
  })

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

/** Any limits; small numbers, so that some deny and some don't. */
const limitsArbitrary: fc.Arbitrary<Limits> = fc
  .record(
    {
      order_value: fc.integer({ min: 0, max: 400_000 }),
      order_quantity: fc.integer({ min: 0, max: 40_000_000 }),
      open_orders: fc.integer({ min: 0, max: 10 }),
      orders_per_second: fc.integer({ min: 0, max: 10 }),
      orders_per_day: fc.integer({ min: 0, max: 10 }),
      position_quantity: fc.integer({ min: 0, max: 60_000_000 }),
      gross_exposure: fc.integer({ min: 0, max: 900_000 }),
      net_exposure: fc.integer({ min: 0, max: 900_000 }),
      daily_loss: fc.integer({ min: 1, max: 1_000 }),
      price_distance_percent: fc.integer({ min: 0, max: 5_000 }),
      exchanges: fc.constantFrom(['NSE'], ['BSE'], ['NSE', 'BSE']),
      products: fc.constantFrom(['MIS'], ['CNC', 'MIS'], ['NRML']),
    },
    { requiredKeys: [] },
  )
  .map((limits) => limits as unknown as Limits)

const caseArbitrary = fc.record({
  action: fc.constantFrom('BUY' as const, 'SELL' as const),
  quantity: fc.integer({ min: 1, max: 40 }),
  price: fc.integer({ min: 1, max: 200 }),
  position: fc.integer({ min: -50, max: 50 }),
  buying: fc.integer({ min: 0, max: 20 }),
  selling: fc.integer({ min: 0, max: 20 }),
  counts: fc.integer({ min: 0, max: 10 }),
  loss: fc.integer({ min: -500, max: 1500 }),
})
type Drawn = typeof caseArbitrary extends fc.Arbitrary<infer T> ? T : never

const inputOf = (drawn: Drawn) => {
  const { action, quantity, price, position, buying, selling, counts, loss } = drawn
  const high = (position + buying) * price * 100
  const low = (position - selling) * price * 100
  return {
    order: order({ action, quantity: quantityOf(quantity), price: priceOf(price) }),
    standing: standing({
      ...held(position, buying, selling),
      openOrders: counts,
      ordersInSecond: counts,
      ordersToday: counts,
      grossExposure: Math.max(Math.abs(high), Math.abs(low)),
      netHigh: high,
      netLow: low,
      dailyLoss: loss,
    }),
    market: quote(100),
    now: NOW,
  }
}

test('of the same limit at several scopes the tightest holds: all together deny what any of them denies, and nothing else', () => {
  fc.assert(
    fc.property(limitsArbitrary, limitsArbitrary, limitsArbitrary, caseArbitrary, (one, two, three, drawn) => {
      const input = inputOf(drawn)
      const alone = [one, two, three].map((limits) => check({ ...input, bounds: boundsOf(limits) }))
      const together = effectiveOf({
        ...NO_RULES,
        instance: rule(one, { kind: 'instance' }),
        account: rule(two),
        key: rule(three, { kind: 'key', keyId: 'k' }),
      })
      // A key's limits of frequency are measured on the key; here it sent what its account did
      const denied = check({ ...input, bounds: together.account }) ?? check({ ...input, bounds: together.key })
      expect(denied === undefined).toBe(alone.every((denial) => denial === undefined))
    }),
    { numRuns: 1_000 },
  )
})

test('the same input gives the same answer, and nothing of it is changed', () => {
  fc.assert(
    fc.property(limitsArbitrary, caseArbitrary, (limits, drawn) => {
      const input = { ...inputOf(drawn), bounds: boundsOf(limits) }
      Object.freeze(input.order)
      Object.freeze(input.standing)
      expect(check(input)).toEqual(check(input))
    }),
  )
})

test('what is denied stays denied when the order is larger, and limits only ever take away', () => {
  fc.assert(
    fc.property(limitsArbitrary, limitsArbitrary, caseArbitrary, fc.nat(20), (limits, more, drawn, extra) => {
      const input = { ...inputOf(drawn), bounds: boundsOf(limits) }
      const larger = inputOf({ ...drawn, quantity: drawn.quantity + extra })
      const joined = effectiveOf({ ...NO_RULES, instance: rule(limits, { kind: 'instance' }), account: rule(more) })
      if (check(input) === undefined) return
      expect(check({ ...larger, bounds: input.bounds })).toBeDefined()
      expect(check({ ...input, bounds: joined.account })).toBeDefined()
    }),
    { numRuns: 1_000 },
  )
})

test('an order that passes as reducing leaves a position that is no larger and not turned round', () => {
  fc.assert(
    fc.property(caseArbitrary, (drawn) => {
      const { order: judged, standing: now } = inputOf(drawn)
      const { quantity, buying, selling } = now.position
      if (!onlyReduces(judged, now.position)) return
      const after = judged.action === 'BUY' ? quantity + buying + judged.added : quantity - selling - judged.added
      expect(Math.abs(after)).toBeLessThan(Math.abs(quantity))
      expect(after === 0 || Math.sign(after) === Math.sign(quantity)).toBe(true)
    }),
  )
})

describe('the exchanges’ rules', () => {
  it('hold an account to their threshold until a registration is stated', () => {
    const of = (limits: Limits, algoRegistration = '') =>
      effectiveOf({ ...NO_RULES, exchangeRules: true, account: { ...rule(limits), algoRegistration } }).account.numbers
        .segment_orders_per_second?.value
    expect(of({})).toBe(10)
    expect(of({ segment_orders_per_second: 4 })).toBe(4)
    expect(of({ segment_orders_per_second: 50 })).toBe(10)
    expect(of({ segment_orders_per_second: 50 }, 'NSE-1234')).toBe(50)
    expect(of({}, 'NSE-1234')).toBe(undefined)
  })
  it('don’t apply where they aren’t asked for', () => {
    expect(effectiveOf(NO_RULES).isOpen).toBe(true)
    expect(effectiveOf({ ...NO_RULES, exchangeRules: true }).isOpen).toBe(false)
  })
})
