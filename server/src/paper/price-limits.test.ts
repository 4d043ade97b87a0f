import { expect, test } from 'vitest'
import { priceOf, quantityOf } from '../kernel/fixed.ts'
import type { Book } from './command.ts'
import { fillsOf, fillsOfForcedClose } from './matching.ts'
import { Desk, SBIN } from './test-desk.ts'

/** A share at its upper limit: bids there, and nobody who offers. */
const LOCKED: Book = {
  at: 1,
  ltp: priceOf(525),
  bids: [[priceOf(525), quantityOf(40_000)]],
  asks: [[priceOf(525), quantityOf(0)]],
}

const desk = new Desk()
const buying = desk.quote(SBIN, 500).buy({ quantity: 10, type: 'LIMIT', price: 400 })
const selling = desk.sell({ quantity: 10, type: 'LIMIT', price: 600 })

test('where nobody offers an order to buy waits, at any price', () => {
  expect(fillsOf({ ...buying, price: priceOf(530) }, LOCKED, undefined, false)).toEqual([])
  expect(fillsOf({ ...buying, priceType: 'MARKET' }, LOCKED, undefined, false)).toEqual([])
})

test('the other side trades as ever', () => {
  const fills = [{ price: priceOf(525), quantity: quantityOf(10) }]
  expect(fillsOf({ ...selling, priceType: 'MARKET' }, LOCKED, undefined, false)).toEqual(fills)
})

test('a position that must be closed is closed at the limit', () => {
  const fills = [{ price: priceOf(525), quantity: quantityOf(10) }]
  expect(fillsOfForcedClose({ ...buying, priceType: 'MARKET' }, LOCKED)).toEqual(fills)
})
