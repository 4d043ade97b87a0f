import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { QUANTITY_ONE, quantity, quantityOf, toNumber } from '../../kernel/fixed.ts'
import { CLOSING_ORDERS_MAX, closingPlan } from './closing.ts'
import { optionIn } from './test-options.ts'

const held = (units: number, freeze: number, lot = 75) => ({
  symbol: 'NIFTY28OCT2526000CE',
  exchange: 'NFO' as const,
  product: 'NRML' as const,
  quantity: quantityOf(units),
  instrument: { ...optionIn('CE', 26000), freezeQuantity: quantityOf(freeze), lotSize: quantityOf(lot) },
})

const hundred = Array.from({ length: CLOSING_ORDERS_MAX }, () => 75)

describe('what closes a position', () => {
  test.each([
    // held, freeze quantity, lot, action, orders, whether they close it
    [150, 1800, 75, 'SELL', [150], true],
    [-150, 1800, 75, 'BUY', [150], true],
    [0, 1800, 75, undefined, [], true],
    [1800, 1800, 75, 'SELL', [1800], true],
    [1875, 1800, 75, 'SELL', [1800, 75], true],
    [-4000, 1800, 75, 'BUY', [1800, 1800, 400], true],
    // No more than whole lots of the freeze quantity
    [2000, 1000, 75, 'SELL', [975, 975, 50], true],
    [1_000_000, 0, 75, 'SELL', [1_000_000], true],
    [150, 50, 75, 'SELL', [150], true],
    [7500, 75, 75, 'SELL', hundred, true],
    [7501, 75, 75, 'SELL', hundred, false],
    [0.00025, 0.0001, 0.0001, 'SELL', [0.0001, 0.0001, 0.00005], true],
  ] as const)('of %d, at most %d of lots of %d, is %s %j', (units, freeze, lot, action, orders, isWhole) => {
    const plan = closingPlan(held(units, freeze, lot), 'mine', 'unless-halted')
    expect(plan.legs.map(({ order }) => toNumber.quantity(order.quantity))).toEqual(orders)
    expect(plan.legs.map(({ position }) => position)).toEqual(orders.map((_, index) => index))
    expect(new Set(plan.legs.map(({ order }) => order.action))).toEqual(new Set(action === undefined ? [] : [action]))
    expect(plan).toMatchObject({ isWhole, closing: 'unless-halted', onRefusal: 'stop', marginTogether: false })
  })

  test('is sent at market, for the instrument that is held, listed or not', () => {
    const position = held(75, 0)
    const { legs } = closingPlan(position, 'mine', 'despite-halts')
    expect(legs).toMatchObject([
      {
        instrument: position.instrument,
        order: {
          symbol: 'NIFTY28OCT2526000CE',
          exchange: 'NFO',
          product: 'NRML',
          priceType: 'MARKET',
          price: 0,
          triggerPrice: 0,
          strategy: 'mine',
        },
      },
    ])
  })

  test('leaves nothing and never goes beyond, whatever is held', () => {
    const units = fc.integer({ min: -1_000_000, max: 1_000_000 })
    const size = fc.integer({ min: 0, max: 5_000 })
    fc.assert(
      fc.property(units, size, fc.integer({ min: 1, max: 100 }), (open, freeze, lot) => {
        const position = held(open, freeze, lot)
        const { legs, isWhole } = closingPlan(position, '', 'unless-halted')
        let left: number = position.quantity
        for (const { order } of legs) {
          expect(Math.sign(left)).toBe(order.action === 'SELL' ? 1 : -1)
          const after = quantity(left + (order.action === 'SELL' ? -order.quantity : order.quantity))
          expect(Math.sign(after) * Math.sign(left)).toBeGreaterThanOrEqual(0)
          if (freeze >= lot) expect(order.quantity).toBeLessThanOrEqual(freeze * QUANTITY_ONE)
          left = after
        }
        expect(left === 0).toBe(isWhole)
        expect(legs.length).toBeLessThanOrEqual(CLOSING_ORDERS_MAX)
      }),
    )
  })
})
