import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { OrderReport, StandingReport } from '../../brokers/venue.ts'
import { QUANTITY_ONE, quantityOf, ZERO_PRICE, ZERO_QUANTITY } from '../../kernel/fixed.ts'
import { decideSmart, effectivePosition, SMART, smartPlan } from './smart.ts'

const decided = (action: 'BUY' | 'SELL', quantity: number, target: number, position: number): string => {
  const decision = decideSmart(quantityOf(position), quantityOf(target), { action, quantity: quantityOf(quantity) })
  return typeof decision === 'string' ? decision : `${decision.action} ${decision.quantity / QUANTITY_ONE}`
}

test.each([
  // action, quantity, target, position, order
  ['BUY', 100, 0, 0, 'BUY 100'],
  ['SELL', 100, 0, 0, 'SELL 100'],
  ['BUY', 0, 0, 0, 'nothing-held'],
  ['SELL', 0, 0, 0, 'nothing-held'],
  ['BUY', 0, 5, 5, 'nothing-held'],
  ['BUY', 100, 100, 100, 'matched'],
  ['SELL', 100, -100, -100, 'matched'],
  ['BUY', 7, 0, 40, 'SELL 40'],
  ['SELL', 7, 0, -40, 'BUY 40'],
  ['SELL', 7, 30, 0, 'BUY 30'],
  ['BUY', 7, -30, 0, 'SELL 30'],
  ['BUY', 100, 100, -100, 'BUY 200'],
  ['BUY', 100, 200, 100, 'BUY 100'],
  ['SELL', 100, -100, 100, 'SELL 200'],
  ['SELL', 100, -200, -100, 'SELL 100'],
  ['BUY', 1, 60, 100, 'SELL 40'],
  ['SELL', 1, -60, -100, 'BUY 40'],
  ['BUY', 0, 0.5, 0.25, 'BUY 0.25'],
] as const)('%s %d towards %d from %d is %s', (action, quantity, target, position, order) => {
  expect(decided(action, quantity, target, position)).toBe(order)
})

const working = (action: 'BUY' | 'SELL', quantity: number, filled: number, origin: string | undefined): OrderReport =>
  ({ action, quantity: quantityOf(quantity), filledQuantity: quantityOf(filled), origin }) as OrderReport

test('what earlier smart orders still have working counts as held; what others have does not', () => {
  const standing: StandingReport = {
    quantity: quantityOf(10),
    working: [working('BUY', 8, 3, SMART), working('SELL', 2, 0, SMART), working('BUY', 100, 0, undefined)],
  }
  expect(effectivePosition(standing)).toBe(quantityOf(13))
})

test('when all of it has traded the position is the target, whatever was held and asked for', () => {
  const amount = fc.integer({ min: -1_000, max: 1_000 }).map((units) => quantityOf(units))
  const side = fc.constantFrom('BUY' as const, 'SELL' as const)
  fc.assert(
    fc.property(amount, amount, amount, side, (position, target, asked, action) => {
      const order = {
        symbol: 'SBIN',
        exchange: 'NSE' as const,
        action,
        quantity: quantityOf(Math.abs(asked) / QUANTITY_ONE),
        priceType: 'MARKET' as const,
        product: 'MIS' as const,
        price: ZERO_PRICE,
        triggerPrice: ZERO_PRICE,
        disclosedQuantity: ZERO_QUANTITY,
        strategy: '',
      }
      const plan = smartPlan(order, position, target)
      let after: number = position
      for (const leg of plan.legs) after += leg.order.action === 'BUY' ? leg.order.quantity : -leg.order.quantity
      const isEntry = position === 0 && target === 0
      const entered = action === 'BUY' ? order.quantity : -order.quantity
      expect(after).toBe(isEntry ? entered + 0 : target)
      expect(plan.legs.every(({ order: one }) => one.origin === SMART)).toBe(true)
    }),
  )
})
