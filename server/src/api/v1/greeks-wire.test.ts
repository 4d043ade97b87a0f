import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { expiryText, roundHalfEven } from './greeks-wire.ts'

/** A double's own value. */
function fractionOf(value: number): [numerator: bigint, denominator: bigint] {
  let [numerator, denominator] = [value, 1n]
  while (!Number.isInteger(numerator)) {
    numerator *= 2
    denominator *= 2n
  }
  return [BigInt(numerator), denominator]
}

describe('rounding', () => {
  test.each([
    [0.125, 2, 0.12], // halfway: the even one
    [0.375, 2, 0.38],
    [-0.125, 2, -0.12],
    [2.5, 0, 2],
    [1.005, 2, 1], // the number is a little less than its decimal
    [1.015, 2, 1.01],
    [1.025, 2, 1.02],
    [2.675, 2, 2.67],
    [-2.675, 2, -2.67],
    [0.00035248, 6, 0.000352],
    [-0.3397421506, 6, -0.339742],
    [15.5963824104801, 2, 15.6],
    [-1e-9, 4, 0], // never -0
    [0, 4, 0],
    [90_000_000.005, 2, 90_000_000],
    [1e300, 2, 1e300],
  ])('%d to %i decimals is %d', (value, decimals, expected) => {
    expect(Object.is(roundHalfEven(value, decimals), expected)).toBe(true)
  })

  test('agrees with the exact value of the number', () => {
    const value = fc.oneof(
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      fc.integer({ min: -4_000_000, max: 4_000_000 }).map((eighths) => eighths / 8),
      fc.integer({ min: -2_000_000, max: 2_000_000 }).map((halves) => halves / 2000),
    )
    fc.assert(
      fc.property(value, fc.integer({ min: 0, max: 6 }), (number, decimals) => {
        const [mantissa, denominator] = fractionOf(number)
        const scaled = mantissa * 10n ** BigInt(decimals)
        const rest = ((scaled % denominator) + denominator) % denominator
        const below = (scaled - rest) / denominator
        const isUp = 2n * rest > denominator || (2n * rest === denominator && below % 2n !== 0n)
        expect(roundHalfEven(number, decimals)).toBe(Number(below + (isUp ? 1n : 0n)) / 10 ** decimals)
      }),
      { numRuns: 2000 },
    )
  })
})

test('days of expiry are told as clients know them', () => {
  expect(expiryText('2026-08-25')).toBe('25-Aug-2026')
  expect(expiryText('2027-01-05')).toBe('05-Jan-2027')
})
