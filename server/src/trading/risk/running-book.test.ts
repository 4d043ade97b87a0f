import fc from 'fast-check'
import { expect, test } from 'vitest'
import { multiplierOf, type Price, priceOf } from '../../kernel/fixed.ts'
import { type EntryOf, RunningBook } from './running-book.ts'
import { worth } from './worth.ts'

const ONE = 1_000_000
const OF = fc.record({
  exchange: fc.constant('NSE' as const),
  symbol: fc.constantFrom('SBIN', 'IDEA'),
  product: fc.constantFrom('MIS' as const, 'CNC' as const),
  multiplier: fc.constant(multiplierOf(1)),
})
const STEP = fc.oneof(
  fc.record({
    kind: fc.constant('work' as const),
    of: OF,
    action: fc.constantFrom('BUY' as const, 'SELL' as const),
    quantity: fc.nat(20),
  }),
  fc.record({
    kind: fc.constantFrom('position' as const, 'held' as const),
    of: OF,
    quantity: fc.integer({ min: -20, max: 20 }),
  }),
  fc.record({ kind: fc.constant('reprice' as const), price: fc.integer({ min: 1, max: 500 }) }),
)

interface Kept {
  position: number
  held: number
  buying: number
  selling: number
}
const keyOf = (of: EntryOf): string => `${of.symbol}:${of.product}`

test('totals kept step by step are what adding everything up gives', () => {
  fc.assert(
    fc.property(fc.array(STEP, { maxLength: 40 }), (steps) => {
      const book = new RunningBook()
      const kept = new Map<string, Kept>()
      let orders = 0
      let price = priceOf(100)
      const value = (quantity: number): number =>
        Math.sign(quantity) * worth(price, Math.abs(quantity), multiplierOf(1))
      for (const step of steps) {
        if (step.kind === 'reprice') {
          price = priceOf(step.price)
          book.reprice(() => price)
        } else {
          const { of, quantity } = step
          const row = kept.get(keyOf(of)) ?? { position: 0, held: 0, buying: 0, selling: 0 }
          kept.set(keyOf(of), row)
          if (step.kind === 'work') {
            book.work(of, step.action, quantity * ONE, 1, price)
            orders += 1
            row[step.action === 'BUY' ? 'buying' : 'selling'] += quantity * ONE
          } else if (step.kind === 'held') {
            book.setHeld(of, quantity * ONE, price)
            row.held = quantity * ONE
          } else {
            book.setPosition(of, quantity * ONE, price)
            row.position = quantity * ONE
          }
          const { quantity: has, buying, selling } = book.position(of, of.product)
          expect({ has, buying, selling }).toEqual({
            has: row.position + row.held,
            buying: row.buying,
            selling: row.selling,
          })
        }
        const ends = [...kept.values()].map(({ position, held, buying, selling }) => ({
          high: value(position + held + buying),
          low: value(position + held - selling),
        }))
        const sum = (each: (end: { high: number; low: number }) => number): number =>
          ends.reduce((all, end) => all + each(end), 0)
        expect({ open: book.openOrders, high: book.netHigh, low: book.netLow, gross: book.grossExposure }).toEqual({
          open: orders,
          high: sum(({ high }) => high),
          low: sum(({ low }) => low),
          gross: sum(({ high, low }) => Math.max(Math.abs(high), Math.abs(low))),
        })
      }
    }),
  )
})

test('what is sold of shares that are held is still held apart from them', () => {
  const of: EntryOf = { exchange: 'NSE', symbol: 'SBIN', product: 'CNC', multiplier: multiplierOf(1) }
  const book = new RunningBook()
  book.setHeld(of, 5 * ONE, priceOf(100))
  book.setPosition(of, -5 * ONE, priceOf(100))
  book.reprice(() => priceOf(100))
  book.setPosition(of, -3 * ONE, priceOf(100))
  expect(book.position(of, 'CNC').quantity).toBe(2 * ONE)
})

test('until the market was looked at, an instrument counts at the greatest price that is known of it', () => {
  const of: EntryOf = { exchange: 'NSE', symbol: 'SBIN', product: 'MIS', multiplier: multiplierOf(1) }
  const book = new RunningBook()
  book.work(of, 'BUY', ONE, 1, priceOf(1))
  book.setPosition(of, ONE, priceOf(900))
  expect(book.grossExposure).toBe(180_000)
  book.reprice(() => priceOf(950))
  book.work(of, 'SELL', ONE, 1, priceOf(9_000) as Price)
  expect(book.grossExposure).toBe(190_000)
})
