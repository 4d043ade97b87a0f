import fc from 'fast-check'
import { expect, test } from 'vitest'
import { priceOf, quantityOf } from '../../kernel/fixed.ts'
import { check, onlyReduces } from './check.ts'
import { effectiveOf } from './effective.ts'
import type { Limits } from './limits.ts'
import { boundsOf, held, NOW, order, quote, rule, standing } from './test-check.ts'
import { NO_RULES } from './test-rules.ts'

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
