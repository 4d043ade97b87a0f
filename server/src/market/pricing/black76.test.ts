import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { optionPrice } from './black76.ts'

describe('option prices', () => {
  test('a textbook value', () => {
    expect(optionPrice(100, 100, 0.2, 1)).toBeCloseTo(7.965567455405804, 9)
  })

  test('without time it is the intrinsic value', () => {
    expect(optionPrice(105, 100, 0, 1)).toBe(5)
    expect(optionPrice(105, 100, 0, -1)).toBe(0)
  })

  const value = fc.double({ min: 1, max: 100_000, noNaN: true })
  const deviation = fc.double({ min: 0, max: 1, noNaN: true })

  test('lie between intrinsic value and forward or strike, and keep parity', () => {
    fc.assert(
      fc.property(value, value, deviation, (forward, strike, spread) => {
        const call = optionPrice(forward, strike, spread, 1)
        const put = optionPrice(forward, strike, spread, -1)
        const slack = 1e-9 * (forward + strike)
        expect(call).toBeGreaterThanOrEqual(Math.max(0, forward - strike) - slack)
        expect(call).toBeLessThanOrEqual(forward + slack)
        expect(put).toBeLessThanOrEqual(strike + slack)
        expect(Math.abs(call - put - (forward - strike))).toBeLessThanOrEqual(slack)
      }),
    )
  })

  test('never fall for a call, or rise for a put, when the forward rises', () => {
    fc.assert(
      fc.property(
        value,
        value,
        fc.double({ min: 0, max: 0.1, noNaN: true }),
        deviation,
        (forward, strike, rise, spread) => {
          const higher = forward * (1 + rise)
          const slack = 1e-10 * (forward + strike)
          expect(optionPrice(higher, strike, spread, 1)).toBeGreaterThanOrEqual(
            optionPrice(forward, strike, spread, 1) - slack,
          )
          expect(optionPrice(higher, strike, spread, -1)).toBeLessThanOrEqual(
            optionPrice(forward, strike, spread, -1) + slack,
          )
        },
      ),
    )
  })
})
