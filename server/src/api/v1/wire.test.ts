import { expect, test } from 'vitest'
import { priceOf } from '../../kernel/fixed.ts'
import { BOOK_ROWS_MAX, newestRows, percentOf, roundedPrice } from './wire.ts'

test('a long book is cut to its newest rows and says how many are missing', () => {
  const rows = Array.from({ length: BOOK_ROWS_MAX + 3 }, (_, index) => index)
  expect(newestRows(rows)).toEqual({ rows: rows.slice(0, BOOK_ROWS_MAX), omitted: 3 })
  expect(newestRows(rows.slice(3))).toEqual({ rows: rows.slice(3) })
})

test('averages have 4 decimals, and 8 for crypto', () => {
  expect(roundedPrice(priceOf('503.33333333'), 'NSE')).toBe(503.3333)
  expect(roundedPrice(priceOf('0.00004999'), 'CRYPTO')).toBe(0.00004999)
})

test('a share of nothing is 0', () => {
  expect([percentOf(5, 0), percentOf(-1, 3)]).toEqual([0, -33.3333])
})
