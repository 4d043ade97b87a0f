import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { optionPrice } from '../../market/pricing/index.ts'
import { analyseOption, type PricedOption } from './analyse-option.ts'

const CALL: PricedOption = {
  price: 435,
  forward: 25966.05,
  strike: 26000,
  years: 28.5071 / 365,
  rate: 0,
  sign: 1,
  tick: 0.05,
}
const YEAR = { ...CALL, years: 1 }

describe('an option at a price', () => {
  test('with a volatility that explains it', () => {
    const { outcome, volatility, greeks, intrinsic, timeValue } = analyseOption(CALL)
    expect([outcome, intrinsic, timeValue]).toEqual(['solved', 0, 435])
    expect(volatility).toBeCloseTo(0.1559638241048, 13)
    expect(greeks.price).toBeCloseTo(435, 10)
  })

  test.each<[string, Partial<PricedOption>, string, number]>([
    ['at its intrinsic value', { price: 966.05, strike: 25000 }, 'no_time_value', 1],
    ['with less than a hundredth of time value', { price: 966.059, strike: 25000 }, 'no_time_value', 1],
    ['with a hundredth of time value', { price: 966.061, strike: 25000 }, 'solved', 1],
    ['below its intrinsic value', { price: 966, strike: 25000 }, 'below_intrinsic', 1],
    ['a put below its intrinsic value', { price: 33.9, sign: -1 }, 'below_intrinsic', -1],
    ['a put at its intrinsic value', { price: 33.95, sign: -1 }, 'no_time_value', -1],
    ['at the forward', { price: 25966.05 }, 'above_maximum', 1],
    ['above the forward', { price: 30000 }, 'above_maximum', 1],
    ['a put at the strike', { price: 26000, sign: -1 }, 'above_maximum', -1],
    ['out of the money at its least price', { price: 0.05, strike: 30000 }, 'solved', 0],
    ['in fine ticks, with three of them', { price: 0.085, forward: 95.3275, strike: 95.25, tick: 0.0025 }, 'solved', 1],
    [
      'in fine ticks, with less than one',
      { price: 0.0795, forward: 95.3275, strike: 95.25, tick: 0.0025 },
      'no_time_value',
      1,
    ],
  ])('%s', (_what, more, outcome, delta) => {
    const found = analyseOption({ ...CALL, ...more })
    expect(found.outcome).toBe(outcome)
    if (outcome === 'solved') {
      expect(found.volatility).toBeGreaterThan(0)
      expect(found.greeks.delta).toBeCloseTo(delta, 0)
    } else {
      expect(found).toMatchObject({ volatility: 0, greeks: { price: 0, delta, gamma: 0, theta: 0, vega: 0, rho: 0 } })
    }
  })

  test('bounds hold for the price with interest', () => {
    const deep = { ...YEAR, strike: 20_000, rate: 0.07 }
    const intrinsic = 5966.05
    const discount = Math.exp(-0.07)
    expect(analyseOption({ ...deep, price: intrinsic * discount - 0.1 })).toMatchObject({ outcome: 'below_intrinsic' })
    // Less than the intrinsic value, as it is paid now and the other in a year
    const { outcome, timeValue } = analyseOption({ ...deep, price: intrinsic * discount + 1 })
    expect(outcome).toBe('solved')
    expect(timeValue).toBeLessThan(0)
    expect(analyseOption({ ...YEAR, rate: 0.07, price: 25966.05 * discount + 0.01 }).outcome).toBe('above_maximum')
    expect(analyseOption({ ...YEAR, rate: 0.07, price: 25966.05 * discount - 1 }).outcome).toBe('solved')
  })

  test('whatever was priced is found again, and nothing is ever not a number', () => {
    const option = fc.record({
      forward: fc.double({ min: 0.01, max: 1e7, noNaN: true }),
      moneyness: fc.double({ min: -1, max: 1, noNaN: true }),
      years: fc.double({ min: 1e-7, max: 10, noNaN: true }),
      rate: fc.double({ min: 0, max: 1, noNaN: true }),
      volatility: fc.double({ min: 0.01, max: 5, noNaN: true }),
      sign: fc.constantFrom<(1 | -1)[]>(1, -1),
    })
    fc.assert(
      fc.property(option, ({ forward, moneyness, years, rate, volatility, sign }) => {
        const strike = forward * Math.exp(moneyness)
        const deviation = volatility * Math.sqrt(years)
        const outside = optionPrice(forward, strike, deviation, forward < strike ? 1 : -1)
        const price = optionPrice(forward, strike, deviation, sign) * Math.exp(-rate * years)
        if (!(price > 0)) return
        const found = analyseOption({ price, forward, strike, years, rate, sign, tick: 0.05 })
        for (const value of [found.volatility, found.timeValue, ...Object.values(found.greeks)]) {
          expect(value).toSatisfy(Number.isFinite)
        }
        // Where the price's own digits say enough of its time value, and it isn't all but its maximum
        if (outside > 0.02 && outside > 1e-6 * price && deviation < 6) {
          expect(found.outcome).toBe('solved')
          expect(Math.abs(found.volatility / volatility - 1)).toBeLessThan(1e-8)
        }
      }),
      { numRuns: 1000 },
    )
  })
})
