import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Money, multiplierOf, priceOf, quantityOf, toNumber, tradeValue, ZERO_MONEY } from '../../kernel/fixed.ts'
import { type RiskClass, riskParameters } from './parameters.ts'
import { portfolioRequirement, type RiskLeg, type RiskOrder } from './requirement.ts'
import { type RiskBasis, riskArray, SCENARIOS } from './risk-array.ts'

const ONE = multiplierOf(1)
const BASIS: RiskBasis = { date: '2026-11-25', price: priceOf(25000), riskClass: 'index' }
const TICK = priceOf('0.05')
const NEAR = '2026-12-01'
const FAR = '2026-12-29'

const option = (kind: 'CE' | 'PE', strike: number, expiry = NEAR, basis = BASIS) =>
  riskArray({ kind, strike: priceOf(strike), expiry, tickSize: TICK }, basis)
const future = (expiry = NEAR, basis = BASIS) =>
  riskArray({ kind: 'FUT', strike: priceOf(0), expiry, tickSize: TICK }, basis)

const leg = (
  risk: RiskLeg['risk'],
  held: number,
  price: number | string = 0,
  orders: readonly RiskOrder[] = [],
): RiskLeg => {
  const quantity = quantityOf(held)
  return { risk, multiplier: ONE, held: quantity, cost: tradeValue(priceOf(price), quantity, ONE, 'up'), orders }
}
const order = (quantity: number, price: number | string): RiskOrder => ({
  quantity: quantityOf(quantity),
  price: priceOf(price),
})
const rupees = (...legs: RiskLeg[]): { span: number; exposure: number; total: number } => {
  const { span, exposure, total } = portfolioRequirement(legs)
  return { span: toNumber.money(span), exposure: toNumber.money(exposure), total: toNumber.money(total) }
}

describe('the array of a contract', () => {
  test('has its value now and one for each scenario', () => {
    expect(option('CE', 25000).values).toHaveLength(SCENARIOS + 1)
    expect(future().values).toHaveLength(SCENARIOS + 1)
  })

  test('of a future is the scan range in thirds, and 35 % of twice the range', () => {
    const range = 25000 * 0.093
    const expected = [0, 0, 0, 1 / 3, 1 / 3, -1 / 3, -1 / 3, 2 / 3, 2 / 3, -2 / 3, -2 / 3, 1, 1, -1, -1, 0.7, -0.7]
    expect(future().values.map((value) => value / 1e8)).toEqual(
      expected.map((part) => Number((Math.round((part * range) / 0.05) * 0.05).toFixed(2))),
    )
  })

  test('of an option is Black-76 at the moved price and volatility', () => {
    const [now = 0, up = 0, down = 0] = option('CE', 25000, FAR).values.map((value) => value / 1e8)
    // 34 days, 14 % and 4 points each way: at the money a call is worth about 0.4 × price × deviation
    const about = (volatility: number) => 0.3989 * 25000 * volatility * Math.sqrt(34 / 365)
    expect([now, up, down].map(Math.round)).toEqual([about(0.14), about(0.18), about(0.1)].map(Math.round))
  })

  test('of options keeps the order of their strikes in every scenario, and their distance', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<RiskClass[]>('index', 'stock', 'commodity', 'currency', 'crypto'),
        fc.integer({ min: 100, max: 1900 }),
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 0, max: 400 }),
        (riskClass, strike, width, days) => {
          const basis = { ...BASIS, price: priceOf(1000), riskClass }
          const expiry = new Date(Date.parse('2026-11-25') + days * 86_400_000).toISOString().slice(0, 10)
          const low = option('CE', strike, expiry, basis).values
          const high = option('CE', strike + width, expiry, basis).values
          for (const [index, value] of low.entries()) {
            const between = value - (high[index] ?? 0)
            expect(between).toBeGreaterThanOrEqual(0)
            expect(between).toBeLessThanOrEqual(width * 1e8)
          }
        },
      ),
    )
  })

  test('has the parameters in force on its date, the oldest before any', () => {
    expect(riskParameters('stock', '2026-11-25').priceScan).toBe(1420)
    expect(riskParameters('stock', '1999-01-01')).toEqual(riskParameters('stock', '2024-07-22'))
  })
})

describe('what is blocked', () => {
  test('for a future: the scan range, and exposure on its notional', () => {
    expect(rupees(leg(future(), 65))).toEqual({ span: 65 * 2325, exposure: 65 * 500, total: 65 * 2825 })
    expect(rupees(leg(future(), -65))).toEqual(rupees(leg(future(), 65)))
  })

  test('for bought options: their premium, nothing else', () => {
    expect(rupees(leg(option('CE', 25000), 65, 200), leg(option('PE', 24000), 65, '12.5'))).toEqual({
      span: 65 * 212.5,
      exposure: 0,
      total: 65 * 212.5,
    })
  })

  test('for a sold option far from the money: the minimum, and exposure', () => {
    const { span, exposure } = rupees(leg(option('CE', 40000), -65, 0))
    expect([span, exposure]).toEqual([65 * 750, 65 * 500])
  })

  test('for a short straddle: less than for its sides apart', () => {
    const call = leg(option('CE', 25000, FAR), -65, 430)
    const put = leg(option('PE', 25000, FAR), -65, 430)
    expect(rupees(call, put).total).toBeLessThan(0.75 * (rupees(call).total + rupees(put).total))
  })

  test('for futures long and short in two months: the charge for that, and exposure on a third of one side', () => {
    expect(rupees(leg(future(NEAR), 65), leg(future(FAR), -65))).toEqual({
      span: 65 * 437.5,
      exposure: Math.ceil((65 * 500 * 100) / 3) / 100,
      total: 65 * 437.5 + Math.ceil((65 * 500 * 100) / 3) / 100,
    })
  })

  test('for an order that closes: nothing more; for the second one, what it would open', () => {
    const held = rupees(leg(future(), 65))
    expect(rupees(leg(future(), 65, 0, [order(-65, 25000)]))).toEqual(held)
    expect(rupees(leg(future(), 65, 0, [order(-130, 25000)]))).toEqual(held)
    expect(rupees(leg(future(), 65, 0, [order(-195, 25000)])).total).toBe(2 * held.total)
  })

  test('for a purchase that would hedge but waits: all of the sale', () => {
    const sold = leg(option('CE', 25000), -65, 200)
    const waiting = leg(option('CE', 25100), 0, 0, [order(65, 150)])
    const bought = leg(option('CE', 25100), 65, 150)
    expect(rupees(sold, waiting).total).toBeGreaterThanOrEqual(rupees(sold).total)
    expect(rupees(sold, bought).total).toBe(65 * 50)
  })
})

/** The cushion above the largest loss: none. Values are rounded to ticks, so that even a paisa isn't needed. */
const CUSHION = 0

test('a vertical spread never needs more than its largest loss', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('CE' as const, 'PE' as const),
      fc.integer({ min: 200, max: 800 }),
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: 200_000 }),
      fc.integer({ min: 1, max: 200_000 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 40 }),
      fc.constantFrom(NEAR, FAR, '2027-12-28'),
      fc.constantFrom<RiskClass[]>('index', 'stock', 'commodity', 'currency', 'crypto'),
      (kind, strike, steps, lowPaise, highPaise, isLong, lots, expiry, riskClass) => {
        const [low, high] = [strike * 50, (strike + steps) * 50]
        const basis = { ...BASIS, riskClass }
        const quantity = (isLong ? 1 : -1) * lots * 65
        const one = leg(option(kind, low, expiry, basis), quantity, (lowPaise / 100).toFixed(2))
        const other = leg(option(kind, high, expiry, basis), -quantity, (highPaise / 100).toFixed(2))
        // Paid less received; what the worst price at expiry costs on top
        const premium = one.cost + other.cost
        const owes = kind === 'CE' ? !isLong : isLong
        const worst = premium + (owes ? (high - low) * 100 * lots * 65 : 0)
        const { total } = portfolioRequirement([one, other])
        expect(total).toBeLessThanOrEqual(Math.max(0, worst) + CUSHION)
      },
    ),
    { numRuns: 500 },
  )
})

const KINDS = [
  option('CE', 24500),
  option('CE', 25500),
  option('PE', 24500),
  option('PE', 25500, FAR),
  future(),
  future(FAR),
]
const portfolio = fc.array(
  fc.record({
    which: fc.nat({ max: KINDS.length - 1 }),
    held: fc.integer({ min: -5, max: 5 }),
    price: fc.integer({ min: 1, max: 900 }),
    orders: fc.array(
      fc.record({ lots: fc.integer({ min: 1, max: 5 }), buys: fc.boolean(), price: fc.integer({ min: 1, max: 900 }) }),
      {
        maxLength: 3,
      },
    ),
  }),
  { minLength: 1, maxLength: 6 },
)
const legsOf = (
  rows: readonly {
    which: number
    held: number
    price: number
    orders: readonly { lots: number; buys: boolean; price: number }[]
  }[],
) =>
  rows.map(({ which, held, price, orders }) =>
    leg(
      KINDS[which] as RiskLeg['risk'],
      held * 65,
      price,
      orders.map(({ lots, buys, price: at }) => order((buys ? 1 : -1) * lots * 65, at)),
    ),
  )

describe('of any portfolio', () => {
  test('the requirement is a whole number of paise, never negative, and at least the net premium', () => {
    fc.assert(
      fc.property(portfolio, (rows) => {
        const legs = legsOf(rows)
        const { span, exposure, total } = portfolioRequirement(legs)
        expect([span, exposure, total].every((amount) => Number.isSafeInteger(amount) && amount >= 0)).toBe(true)
        expect(total).toBe(span + exposure)
        const premium = legs.reduce<number>((sum, { risk, cost }) => sum + (risk.option === '' ? 0 : cost), ZERO_MONEY)
        expect(span).toBeGreaterThanOrEqual(premium)
      }),
    )
  })

  test('filling an order at its price, or cancelling it, leaves what scenarios need no higher', () => {
    fc.assert(
      fc.property(portfolio, fc.boolean(), (rows, fills) => {
        // One expiry: the charge between expiries is of no scenario
        const legs = legsOf(rows.filter(({ which }) => which !== 3 && which !== 5))
        const at = legs.findIndex(({ orders }) => orders.length > 0)
        fc.pre(at >= 0)
        const given = legs[at] as RiskLeg
        const [first = order(65, 1), ...others] = given.orders
        const after: RiskLeg = fills
          ? {
              ...given,
              orders: others,
              held: (given.held + first.quantity) as RiskLeg['held'],
              cost: (given.cost + tradeValue(first.price, first.quantity, ONE, 'up')) as Money,
            }
          : { ...given, orders: others }
        const span = portfolioRequirement(legs).span
        expect(portfolioRequirement(legs.with(at, after)).span).toBeLessThanOrEqual(span)
      }),
    )
  })
})
