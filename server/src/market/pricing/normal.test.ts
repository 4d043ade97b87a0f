import { describe, expect, test } from 'vitest'
import { lowerMills, normalDensity, normalDistribution, normalQuantile, scaledErfc } from './normal.ts'

describe('the normal distribution', () => {
  test.each([
    [0, 0.5],
    [1, 0.841344746068543],
    [-1, 0.158655253931457],
    [1.959963984540054, 0.975],
    [-3, 0.00134989803163009],
    [-6, 9.86587645037698e-10],
    [40, 1],
    [-40, 0],
  ])('up to %f it holds %f', (x, share) => {
    expect(normalDistribution(x)).toBeCloseTo(share, 14)
  })

  // From tables of 20 digits
  test.each([
    [-10, 7.619853024160525e-24],
    [-20, 2.7536241186062337e-89],
    [-37, 5.725571222524577e-300],
  ])('deep in the tail, at %f, the digits stay right', (x, share) => {
    expect(Math.abs(normalDistribution(x) / share - 1)).toBeLessThan(1e-13)
  })

  test('its quantiles undo it', () => {
    for (let power = -300; power < 0; power += 0.71) {
      const share = 10 ** power
      const x = normalQuantile(share)
      expect(Math.abs(normalDistribution(x) / share - 1)).toBeLessThan(1e-15 * (4 + x * x))
      if (share > 1e-10) expect(normalQuantile(1 - share)).toBeCloseTo(-x, 5)
    }
    expect(normalQuantile(0.5)).toBe(0)
  })

  test('the Mills ratio is the area over the density', () => {
    for (let x = -30; x <= 0; x += 0.37) {
      expect(Math.abs((lowerMills(x) * normalDensity(x)) / normalDistribution(x) - 1)).toBeLessThan(1e-14)
    }
    expect(scaledErfc(-5)).toBeCloseTo(2 * Math.exp(25) - scaledErfc(5), 10)
  })
})
