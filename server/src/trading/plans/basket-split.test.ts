import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Refusal } from '../../kernel/errors.ts'
import { QUANTITY_ONE, quantityOf, ZERO_PRICE } from '../../kernel/fixed.ts'
import type { OrderRequest } from '../trading.ts'
import { basketPlan } from './basket.ts'
import { splitPlan } from './split.ts'

const order = (symbol: string, action: 'BUY' | 'SELL', quantity: number | string, disclosed = 0): OrderRequest => ({
  symbol,
  exchange: 'NSE',
  action,
  quantity: quantityOf(quantity),
  priceType: 'MARKET',
  product: 'MIS',
  price: ZERO_PRICE,
  triggerPrice: ZERO_PRICE,
  disclosedQuantity: quantityOf(disclosed),
  strategy: '',
})

test('a basket buys first, then sells, each in the order of the request', () => {
  const plan = basketPlan([order('A', 'SELL', 1), order('B', 'BUY', 1), order('C', 'SELL', 1), order('D', 'BUY', 1)])
  expect(plan.legs.map((leg) => `${leg.position}${leg.order.symbol}`)).toEqual(['1B', '3D', '0A', '2C'])
  expect(plan).toMatchObject({ marginTogether: true, onRefusal: 'continue' })
  expect(basketPlan([]).legs).toEqual([])
})

test.each([
  [105, 20, [20, 20, 20, 20, 20, 5]],
  [100, 20, [20, 20, 20, 20, 20]],
  [5, 20, [5]],
  ['0.5', '0.2', [0.2, 0.2, 0.1]],
] as const)('%s in pieces of %s is %j', (quantity, size, pieces) => {
  const plan = splitPlan(order('A', 'BUY', quantity), quantityOf(size))
  expect(plan.legs.map((leg) => leg.order.quantity / QUANTITY_ONE)).toEqual(pieces)
  expect(plan).toMatchObject({ marginTogether: false, onRefusal: 'stop-if-it-repeats' })
})

test('a split comes to at most 100 orders, and shows no more of each than it has', () => {
  expect(splitPlan(order('A', 'BUY', 100), quantityOf(1)).legs).toHaveLength(100)
  expect(() => splitPlan(order('A', 'BUY', 101), quantityOf(1))).toThrow(
    new Refusal(
      'too_many_orders',
      'Total number of orders would exceed maximum limit of 100. Got 101; use a larger splitsize.',
    ),
  )
  const shown = splitPlan(order('A', 'BUY', 25, 15), quantityOf(10)).legs.map((leg) => leg.order.disclosedQuantity)
  expect(shown.map((quantity) => quantity / QUANTITY_ONE)).toEqual([10, 10, 5])
})

test('the pieces of a split are the whole, whatever its size', () => {
  const units = fc.integer({ min: 1, max: 10_000_000 })
  fc.assert(
    fc.property(units, units, (total, size) => {
      fc.pre(total / size <= 100)
      const whole = { ...order('A', 'BUY', 1), quantity: total as OrderRequest['quantity'] }
      const pieces = splitPlan(whole, size as OrderRequest['quantity']).legs.map((leg) => leg.order.quantity)
      expect(pieces.reduce((sum, piece) => sum + piece, 0)).toBe(total)
      for (const piece of pieces.slice(0, -1)) expect(piece).toBe(size)
      expect(pieces.at(-1)).toBeGreaterThan(0)
    }),
  )
})
