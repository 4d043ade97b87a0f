import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  add,
  averagePrice,
  formatDecimal,
  formatMoney,
  formatPrice,
  type Money,
  MULTIPLIER_ONE,
  money,
  moneyOf,
  mulDiv,
  multiplierOf,
  PRICE_DECIMALS,
  type Price,
  parseDecimal,
  price,
  priceOf,
  quantityOf,
  RangeExceeded,
  type Rounding,
  share,
  toNumber,
  tradeValue,
} from './fixed.ts'

const safe = fc.maxSafeInteger()
const roundings = fc.constantFrom<Rounding>('down', 'up', 'nearest')

function exactly(a: bigint, b: bigint, c: bigint, rounding: Rounding): bigint {
  const product = a * b
  const floor = product >= 0n ? product / c : -((-product + c - 1n) / c)
  const rest = product - floor * c
  if (rest === 0n || rounding === 'down') return floor
  if (rounding === 'up') return floor + 1n
  if (rest * 2n === c) return product > 0n ? floor + 1n : floor
  return rest * 2n > c ? floor + 1n : floor
}

test('a × b ÷ c is exact for all safe integers, or refused', () => {
  fc.assert(
    fc.property(safe, safe, fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), roundings, (a, b, c, rounding) => {
      const expected = exactly(BigInt(a), BigInt(b), BigInt(c), rounding)
      if (expected > BigInt(Number.MAX_SAFE_INTEGER) || expected < -BigInt(Number.MAX_SAFE_INTEGER)) {
        expect(() => mulDiv(a, b, c, rounding)).toThrow(RangeExceeded)
      } else expect(mulDiv(a, b, c, rounding)).toBe(Number(expected))
    }),
    { numRuns: 2_000 },
  )
})

test.each([
  [7, 1, 2, 3, 4, 4],
  [-7, 1, 2, -4, -3, -4],
  [5, 1, 4, 1, 2, 1],
  [-5, 1, 4, -2, -1, -1],
  [6, 1, 3, 2, 2, 2],
])('%i × %i ÷ %i rounds down to %i, up to %i, nearest to %i', (a, b, c, down, up, nearest) => {
  expect([mulDiv(a, b, c, 'down'), mulDiv(a, b, c, 'up'), mulDiv(a, b, c, 'nearest')]).toEqual([down, up, nearest])
})

test('text of a decimal comes back as the same number of units', () => {
  fc.assert(
    fc.property(safe, fc.integer({ min: 1, max: 8 }), (units, decimals) => {
      expect(parseDecimal(formatDecimal(units, decimals), decimals)).toBe(units === 0 ? 0 : units)
    }),
  )
})

test('a price survives JSON: what is sent is what is read', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 999_999_999_999_999 }), (units) => {
      const wire = JSON.parse(JSON.stringify(toNumber.price(units as Price)))
      expect(parseDecimal(String(wire), PRICE_DECIMALS)).toBe(units)
    }),
    { numRuns: 2_000 },
  )
})

test.each([
  ['500.05', 2, 50_005],
  [' 5 ', 0, 5],
  ['1e3', 2, 100_000],
  ['.5', 1, 5],
  ['5.', 1, 50],
  ['-0', 2, 0],
  ['0.000', 0, 0],
  ['1.5e-1', 2, 15],
  ['', 2, 'not-a-number'],
  ['.', 2, 'not-a-number'],
  ['abc', 2, 'not-a-number'],
  ['1,000', 2, 'not-a-number'],
  ['NaN', 2, 'not-a-number'],
  ['Infinity', 2, 'not-a-number'],
  ['0x10', 2, 'not-a-number'],
  ['1.005', 2, 'too-precise'],
  ['1e-9', 8, 'too-precise'],
  ['90071992547409.92', 2, 'too-large'],
  ['1e30', 0, 'too-large'],
])('"%s" with %i decimals is %s', (text, decimals, expected) => {
  expect(parseDecimal(text, decimals)).toBe(expected)
})

describe('trade values', () => {
  test.each([
    ['500.05', '100', '1', '50005.00', '50005.00'],
    ['87.4525', '1000', '1', '87452.50', '87452.50'],
    ['8512345.67', '0.00321', '1', '27324.62', '27324.63'],
    ['60000.5', '3', '0.001', '180.00', '180.01'],
    ['0.00000001', '1', '1', '0.00', '0.01'],
  ])('%s × %s × %s is %s rounded down and %s rounded up', (at, count, contract, down, up) => {
    const value = (rounding: Rounding): string =>
      formatMoney(tradeValue(priceOf(at), quantityOf(count), multiplierOf(contract), rounding))
    expect([value('down'), value('up')]).toEqual([down, up])
  })

  test('the quick path and the exact one agree', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000_000 }),
        fc.integer({ min: -100_000, max: 100_000 }),
        (paise, count) => {
          const quick = tradeValue(price(paise * 1_000_000), quantityOf(count), MULTIPLIER_ONE, 'down')
          expect(quick).toBe(paise * count)
        },
      ),
    )
  })

  test('an average price is the value divided again', () => {
    expect(formatPrice(averagePrice(moneyOf(75_500), quantityOf(150), MULTIPLIER_ONE))).toBe('503.33333333')
    expect(formatPrice(averagePrice(moneyOf(-20_198), quantityOf(-40), MULTIPLIER_ONE))).toBe('504.95')
  })

  test('an average price is the nearest one, the same by either way of calculating', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1e9, max: 1e9 }),
        fc.integer({ min: 1, max: 1e6 }),
        fc.boolean(),
        fc.constantFrom(1, 10, 1000),
        (value, units, isShort, lot) => {
          const count = quantityOf(isShort ? -units : units)
          const found = averagePrice(money(value), count, multiplierOf(lot))
          const exact = (BigInt(isShort ? -value : value) * 1_000_000n * 2n) / (BigInt(units) * BigInt(lot))
          expect(Math.abs(Number(exact - 2n * BigInt(found)))).toBeLessThanOrEqual(1)
        },
      ),
    )
  })
})

test('parts of a shared amount never exceed the whole', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1e12 }),
      fc.integer({ min: 1, max: 1e9 }),
      fc.nat({ max: 1e9 }),
      (whole, size, cut) => {
        const part = cut % (size + 1)
        const given = share(money(whole), quantityOf(part), quantityOf(size), 'down')
        expect(given).toBeGreaterThanOrEqual(0)
        expect(given).toBeLessThanOrEqual(whole)
      },
    ),
  )
})

test('what leaves the exact range is refused, loudly', () => {
  expect(() => add(Number.MAX_SAFE_INTEGER as Money, 1 as Money)).toThrow(RangeExceeded)
  expect(() => money(0.5)).toThrow(RangeExceeded)
  expect(() => money(Number.NaN)).toThrow(RangeExceeded)
  expect(() => priceOf('90071993')).toThrow(RangeExceeded)
})
