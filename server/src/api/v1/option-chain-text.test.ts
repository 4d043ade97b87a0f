import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Price, price, priceOf, toNumber } from '../../kernel/fixed.ts'
import { priceText } from './option-chain-text.ts'

test.each([
  [0, '0'],
  ['0.05', '0.05'],
  ['0.5', '0.5'],
  [7, '7'],
  ['28900', '28900'],
  ['123.45', '123.45'],
  ['89.6025', '89.6025'], // a currency's tick
  ['0.00000001', '1e-8'],
])('the price %s is %s', (value, text) => {
  expect(priceText(priceOf(value))).toBe(text)
})

test('a price has the text of its number', () => {
  const any = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }).map((units) => price(units))
  const paise = fc.integer({ min: 0, max: 9_007_199_254 }).map((count) => price(count * 1_000_000))
  fc.assert(
    fc.property(fc.oneof(any, paise), (value: Price) => {
      expect(priceText(value)).toBe(JSON.stringify(toNumber.price(value)))
    }),
  )
})
