import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { priceOf, quantityOf, toNumber } from '../kernel/fixed.ts'
import { maxPain, putCallRatio, type SmilePoint, type StrikeInterest, skewOf } from './chain-totals.ts'

describe('the put-call ratio', () => {
  test('is puts for each call, and nothing without calls', () => {
    expect(putCallRatio(quantityOf(150), quantityOf(100))).toBe(1.5)
    expect(putCallRatio(quantityOf(0), quantityOf(100))).toBe(0)
    expect(putCallRatio(quantityOf(150), quantityOf(0))).toBeUndefined()
  })
})

const interest = (rows: Record<number, number>): StrikeInterest[] =>
  Object.entries(rows).map(([strike, units]) => ({ strike: priceOf(strike), openInterest: quantityOf(units) }))

/** What writers pay in all when the price is that at expiry. */
const pay = (calls: readonly StrikeInterest[], puts: readonly StrikeInterest[], price: number): number =>
  calls.reduce(
    (sum, row) => sum + toNumber.quantity(row.openInterest) * Math.max(0, price - toNumber.price(row.strike)),
    0,
  ) +
  puts.reduce(
    (sum, row) => sum + toNumber.quantity(row.openInterest) * Math.max(0, toNumber.price(row.strike) - price),
    0,
  )

describe('max pain', () => {
  test.each([
    ['where the interest of both sides meets', { 100: 10, 110: 50 }, { 90: 40, 100: 10 }, '100'],
    ['the lowest of several', { 110: 10 }, { 90: 10 }, '90'],
    ['calls alone', { 100: 10, 110: 50 }, {}, '100'],
    ['puts alone', {}, { 90: 40, 100: 10 }, '100'],
    ['strikes with one type only', { 95: 1, 105: 1 }, { 100: 3, 110: 1 }, '100'],
  ])('%s', (_, calls, puts, strike) => {
    expect(maxPain(interest(calls), interest(puts))).toBe(priceOf(strike))
  })

  test('there is none without open interest', () => {
    expect(maxPain([], [])).toBeUndefined()
    expect(maxPain(interest({ 100: 0 }), interest({ 100: 0 }))).toBeUndefined()
  })

  test('at no strike would the writers pay less, and at no lower one as little', () => {
    const side = fc
      .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 500 })), {
        selector: ([strike]) => strike,
        maxLength: 20,
      })
      .map((rows) =>
        rows
          .sort(([a], [b]) => a - b)
          .map(([strike, units]) => ({ strike: priceOf(strike * 50), openInterest: quantityOf(units * 75) })),
      )
    fc.assert(
      fc.property(side, side, (calls, puts) => {
        const found = maxPain(calls, puts)
        const strikes = [...new Set([...calls, ...puts].map(({ strike }) => strike))].sort((a, b) => a - b)
        const paid = strikes.map((strike) => pay(calls, puts, toNumber.price(strike)))
        const none = [...calls, ...puts].every(({ openInterest }) => openInterest === 0)
        expect(found).toBe(none ? undefined : strikes[paid.indexOf(Math.min(...paid))])
      }),
    )
  })
})

describe('the skew', () => {
  const points = (...pairs: [number, number][]): SmilePoint[] =>
    pairs.map(([delta, volatility]) => ({ delta, volatility }))

  test('is the put less the call at a delta of a quarter, in proportion between strikes', () => {
    const calls = points([0.6, 0.14], [0.3, 0.13], [0.2, 0.125], [0.05, 0.13])
    const puts = points([-0.1, 0.2], [-0.2, 0.18], [-0.4, 0.16])
    expect(skewOf(calls, puts)).toBeCloseTo(0.175 - 0.1275, 12)
  })

  test('needs strikes on both sides of a quarter', () => {
    const wide = points([0.6, 0.14], [0.1, 0.13])
    expect(skewOf(wide, points([-0.3, 0.2], [-0.4, 0.2]))).toBeUndefined()
    expect(skewOf(points([0.6, 0.14], [0.3, 0.13]), points([-0.1, 0.2], [-0.4, 0.2]))).toBeUndefined()
    expect(skewOf([], [])).toBeUndefined()
  })

  test('of a flat smile is nothing, and lies within the volatilities otherwise', () => {
    const curve = (sign: 1 | -1) =>
      fc
        .uniqueArray(fc.tuple(fc.integer({ min: 0, max: 100 }), fc.double({ min: 0.05, max: 2, noNaN: true })), {
          selector: ([delta]) => delta,
          minLength: 2,
          maxLength: 12,
        })
        .map((pairs) =>
          pairs
            .map(([delta, volatility]) => ({ delta: (sign * delta) / 100, volatility }))
            .sort((a, b) => b.delta - a.delta),
        )
    fc.assert(
      fc.property(curve(1), curve(-1), (calls, puts) => {
        const skew = skewOf(calls, puts)
        const flat = (curve: readonly SmilePoint[]) => curve.map(({ delta }) => ({ delta, volatility: 0.15 }))
        const reaches = (curve: readonly SmilePoint[], at: number) =>
          curve.some(({ delta }) => delta >= at) && curve.some(({ delta }) => delta <= at)
        if (!reaches(calls, 0.25) || !reaches(puts, -0.25)) {
          expect(skew).toBeUndefined()
          return
        }
        expect(skewOf(flat(calls), flat(puts))).toBeCloseTo(0, 12)
        const of = (curve: readonly SmilePoint[]) => curve.map(({ volatility }) => volatility)
        expect(skew).toBeLessThanOrEqual(Math.max(...of(puts)) - Math.min(...of(calls)) + 1e-12)
        expect(skew).toBeGreaterThanOrEqual(Math.min(...of(puts)) - Math.max(...of(calls)) - 1e-12)
      }),
    )
  })
})
