import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type OptionValue, optionPrice, valueOption } from './black76.ts'
import { ABOVE_MAXIMUM, BELOW_INTRINSIC, impliedDeviation, impliedVolatility } from './implied-volatility.ts'
import { PreciseBlack } from './test-precise-black.ts'

/** Prices out of the money, by a program of 400 digits: forward, strike, deviation, price. */
const TABLE: readonly (readonly [forward: number, strike: number, deviation: number, price: number])[] = [
  [25000, 25000, 1e-7, 0.0009973557010035813],
  [25000, 25000, 0.0002, 1.9947113986826446],
  [25000, 25000, 0.05, 498.62590976190216],
  [25000, 25000, 1.5, 13668.63238115659],
  [25000, 25000, 9.5, 24999.949145837872],
  [25000, 25000.05, 1e-5, 0.07672375672636078],
  [25000, 25050, 0.0005, 9.100146561845105e-5],
  [25000, 25050, 0.003, 11.357920477638116],
  [25000, 25050, 0.02, 175.66276554641655],
  [25000, 26000, 0.005, 3.4353235396668594e-14],
  [25000, 26000, 0.02, 4.8026867246599885],
  [25000, 26000, 0.3, 2566.2510890328567],
  [25000, 20000, 0.02, 1.3033252692080444e-27],
  [25000, 20000, 0.0065, 5.9640717592870785e-258],
  [25000, 20000, 0.5, 2365.7414494126433],
  [25000, 20000, 8, 19998.584116142087],
  [100, 1000, 0.1, 1.7548573778025513e-117],
  [100, 1000, 0.7, 0.027787168124022318],
  [100, 1000, 3, 65.12697844977977],
  [0.000001, 1000000, 1.6, 2.6784860501274017e-68],
  [1e-6, 1000000.0, 2, 8.97477483790724e-45],
  [1e-6, 1000000.0, 9, 9.049802873252886e-7],
  [100000000.0, 1e-6, 6, 6.013658194736127e-9],
  [95.3275, 95.25, 0.011, 0.3805521852588744],
  [100000, 60000, 0.08, 7.928770914729127e-8],
]

const relative = (found: number, expected: number): number => Math.abs(found / expected - 1)
const sideOf = (forward: number, strike: number): 1 | -1 => (forward < strike ? 1 : -1)

/** More digits take longer, and are needed where the series cancels down to the smallest prices. */
const LEVELS = [new PreciseBlack(80), new PreciseBlack(200), new PreciseBlack(600)] as const
const preciseAt = (distance: number, deviation: number): PreciseBlack => {
  const digits = 30 + 0.44 * (distance / deviation + deviation / 2) ** 2
  return LEVELS[digits < 80 ? 0 : digits < 200 ? 1 : 2]
}

describe('the table', () => {
  test.each(TABLE)('forward %d, strike %d, deviation %d: price and deviation', (forward, strike, deviation, price) => {
    const sign = sideOf(forward, strike)
    expect(relative(optionPrice(forward, strike, deviation, sign), price)).toBeLessThan(2e-13)
    expect(relative(impliedDeviation(price, forward, strike, sign), deviation)).toBeLessThan(1e-10)
  })

  test('decimal arithmetic agrees with it', () => {
    const precise = LEVELS[2]
    for (const [forward, strike, deviation, price] of TABLE) {
      const found = precise.toNumber(precise.outside(forward, strike, deviation))
      expect([forward, strike, deviation, relative(found, price) < 1e-15]).toEqual([forward, strike, deviation, true])
    }
  })
})

describe('what clients compute', () => {
  test.each([
    [
      1,
      22000,
      22000,
      30 / 365,
      0.07,
      0.18,
      [450.2695513559, 0.5073649462, 0.0003492669, -7.4164742252, 25.0094242996, -0.3700845628],
    ],
    [
      -1,
      22000,
      22000,
      30 / 365,
      0.07,
      0.18,
      [450.2695513559, -0.4868981484, 0.0003492669, -7.4164742252, 25.0094242996, -0.3700845628],
    ],
    [
      1,
      25000,
      26000,
      7.25 / 365,
      0.065,
      0.14,
      [4.4074270188, 0.0239391382, 0.0001142249, -1.9160020762, 1.9852436376, -0.0008754478],
    ],
    [
      -1,
      25000,
      24000,
      7.25 / 365,
      0.065,
      0.16,
      [7.6726941586, -0.0342151999, 0.0001345052, -2.9466938509, 2.6716795754, -0.0015240283],
    ],
  ] as const)(
    '%d of %d at %d, %d years, rate %d, volatility %d',
    (sign, forward, strike, years, rate, volatility, expected) => {
      const { price, delta, gamma, theta, vega, rho } = valueOption(forward, strike, years, rate, volatility, sign)
      for (const [index, found] of [price, delta, gamma, theta, vega, rho].entries()) {
        expect(Math.abs(found - (expected[index] ?? Number.NaN))).toBeLessThanOrEqual(5.001e-11)
      }
    },
  )

  test.each([
    [311.6, 24580, 24550, 0, 15 / 365, 1, [14.92, 0.5221, 0.000536, -9.8698, 19.8482, -0.128055]],
    [281.6, 24580, 24550, 0, 15 / 365, -1, [14.92, -0.4779, 0.000536, -9.8698, 19.8482, -0.115726]],
    [435, 25966.05, 26000, 0, 28.5071 / 365, 1, [15.6, 0.4967, 0.000352, -7.919, 28.9489, -0.339742]],
    [120, 24800, 25000, 0.065, 10 / 365, 1, [12.46, 0.3517, 0.000725, -9.4568, 15.2134, -0.032877]],
    [300, 24800, 25000, 0.065, 10 / 365, -1, [11.16, -0.6636, 0.000794, -8.2763, 14.9311, -0.082192]],
  ] as const)(
    '%d quoted: forward %d, strike %d, rate %d, %d years',
    (price, forward, strike, rate, years, sign, expected) => {
      const volatility = impliedVolatility(price, forward, strike, years, rate, sign)
      const { delta, gamma, theta, vega, rho } = valueOption(forward, strike, years, rate, volatility, sign)
      const decimals = [2, 4, 6, 4, 4, 6]
      const found = [volatility * 100, delta, gamma, theta, vega, rho].map((value, index) =>
        Number(value.toFixed(decimals[index])),
      )
      expect(found).toEqual(expected)
    },
  )
})

const power = (min: number, max: number) => fc.double({ min, max, noNaN: true }).map((exponent) => 10 ** exponent)
/** Distances of the money from a ten-millionth to a factor of 1e12, and deviations of a minute at 1 % to years at 500 %. */
const distance = fc.oneof(fc.constant(0), power(-7, 1.45))
const anyDeviation = power(-5, 1)
const forwards = power(-2, 7)
const sign = fc.constantFrom<(1 | -1)[]>(1, -1)
const places = fc.record({ forward: forwards, distance, isAbove: fc.boolean(), deviation: anyDeviation })

describe('over the whole sensible range', () => {
  test('price and implied deviation are right to 1e-12 and 1e-9', () => {
    let checked = 0
    fc.assert(
      fc.property(places, ({ forward, distance: away, isAbove, deviation }) => {
        const strike = forward * Math.exp(isAbove ? away : -away)
        const h = away / deviation
        if (h > 35) return // worth less than 1e-270 of the forward
        const precise = preciseAt(away, deviation)
        const exact = precise.outside(forward, strike, deviation)
        const side = sideOf(forward, strike)
        expect(Math.abs(precise.error(optionPrice(forward, strike, deviation, side), exact))).toBeLessThan(1e-12)
        const found = impliedDeviation(precise.toNumber(exact), forward, strike, side)
        expect(relative(found, deviation)).toBeLessThan(1e-9)
        checked += 1
      }),
      { numRuns: 250, seed: 20260825 },
    )
    expect(checked).toBeGreaterThan(150)
  })

  test('the deviation of any possible price gives that price again', () => {
    fc.assert(
      fc.property(
        forwards,
        distance,
        fc.boolean(),
        sign,
        fc.double({ min: 1e-9, max: 1 - 1e-9 }),
        (forward, away, isAbove, side, part) => {
          const strike = forward * Math.exp(isAbove ? away : -away)
          const intrinsic = Math.max(0, side * (forward - strike))
          const most = side > 0 ? forward : strike
          const price = intrinsic + part * (most - intrinsic)
          if (!(price > intrinsic && price < most)) return
          const deviation = impliedDeviation(price, forward, strike, side)
          expect(deviation).toBeGreaterThan(0)
          expect(deviation).toBeLessThan(100)
          const precise = preciseAt(away, deviation)
          const difference = precise.difference(price, precise.price(forward, strike, deviation, side))
          expect(Math.abs(difference)).toBeLessThan(1e-14 * (price + Math.abs(forward - strike)))
        },
      ),
      { numRuns: 250, seed: 20260826 },
    )
  })

  test('greeks are the slopes of the price', () => {
    const terms = fc.record({
      moneyness: fc.double({ min: -0.2, max: 0.2, noNaN: true }),
      years: power(-3, 0),
      rate: fc.double({ min: 0, max: 0.1, noNaN: true }),
      volatility: power(-1.2, 0),
      side: sign,
    })
    fc.assert(
      fc.property(terms, ({ moneyness, years, rate, volatility, side }) => {
        const forward = 25_000
        const strike = forward * Math.exp(moneyness)
        const at = (change: Partial<Record<'forward' | 'years' | 'rate' | 'volatility', number>>): number =>
          valueOption(
            change.forward ?? forward,
            strike,
            change.years ?? years,
            change.rate ?? rate,
            change.volatility ?? volatility,
            side,
          ).price
        const slope = (name: 'forward' | 'years' | 'rate' | 'volatility', value: number, step: number): number =>
          (at({ [name]: value + step }) - at({ [name]: value - step })) / (2 * step)
        const found: OptionValue = valueOption(forward, strike, years, rate, volatility, side)
        const deviation = volatility * Math.sqrt(years)
        const step = forward * deviation * 1e-4
        const close = (value: number, expected: number, scale: number): void =>
          expect(Math.abs(value - expected)).toBeLessThan(1e-6 * scale)
        close(found.delta, slope('forward', forward, step), 1)
        const bend =
          (at({ forward: forward + step * 10 }) - 2 * found.price + at({ forward: forward - step * 10 })) /
          (100 * step * step)
        close(found.gamma, bend, 1 / (forward * deviation))
        const vegaScale = forward * Math.sqrt(years)
        close(found.vega * 100, slope('volatility', volatility, volatility * 1e-4), vegaScale)
        close(found.rho * 100, slope('rate', rate, 1e-5), vegaScale)
        close(
          found.theta * 365,
          -slope('years', years, years * 1e-4),
          (forward * volatility) / Math.sqrt(years) + forward * rate,
        )
      }),
      { numRuns: 200 },
    )
  })
})

describe('where no volatility exists', () => {
  test.each([
    [4.99, 105, 100, 1, BELOW_INTRINSIC],
    [5, 105, 100, 1, 0],
    [105, 105, 100, 1, ABOVE_MAXIMUM],
    [104.99, 105, 100, 1, 7.79],
    [-0.01, 105, 100, -1, BELOW_INTRINSIC],
    [0, 105, 100, -1, 0],
    [100, 105, 100, -1, ABOVE_MAXIMUM],
    [0, 100, 100, 1, 0],
    [Number.NaN, 100, 100, 1, BELOW_INTRINSIC],
    [Number.POSITIVE_INFINITY, 100, 100, 1, ABOVE_MAXIMUM],
  ] as const)('%d for forward %d, strike %d, sign %d: %d', (price, forward, strike, side, expected) => {
    expect(impliedDeviation(price, forward, strike, side)).toBeCloseTo(expected, 1)
  })

  test('the smallest and the largest price that have one are found', () => {
    expect(impliedDeviation(1e-290, 100, 101, 1)).toBeGreaterThan(0)
    expect(impliedDeviation(1e-290, 100, 100, 1)).toBeGreaterThan(0)
    expect(impliedDeviation(100 - 2e-14, 100, 101, 1)).toBeLessThan(20)
  })
})

describe('without time or volatility', () => {
  test.each([
    [105, 100, 1, 0, 0.2, 5, 1],
    [105, 100, -1, 0, 0.2, 0, 0],
    [100, 100, 1, 0.5, 0, 0, 0.5],
    [95, 100, -1, 0.5, 0, 5 * Math.exp(-0.05), -Math.exp(-0.05)],
  ] as const)(
    'forward %d, strike %d, sign %d, %d years, volatility %d',
    (forward, strike, side, years, volatility, price, delta) => {
      const rate = years === 0 || forward === strike ? 0 : 0.1
      const value = valueOption(forward, strike, years, rate, volatility, side)
      expect(value).toMatchObject({
        price: expect.closeTo(price, 12),
        delta: expect.closeTo(delta, 12),
        gamma: 0,
        vega: 0,
      })
    },
  )

  test.each([20, 60, 200, 1e6, Number.MAX_VALUE])('a deviation of %d gives all but the maximum', (deviation) => {
    expect(optionPrice(105, 100, deviation, 1)).toBeCloseTo(105, 10)
    expect(optionPrice(105, 100, deviation, -1)).toBeCloseTo(100, 10)
  })

  test('an infinite deviation gives the maximum', () => {
    expect(optionPrice(105, 100, Number.POSITIVE_INFINITY, 1)).toBe(105)
    expect(optionPrice(105, 100, Number.POSITIVE_INFINITY, -1)).toBe(100)
  })
})
