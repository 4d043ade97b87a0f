import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Price, price, priceOf, quantityOf } from '../kernel/fixed.ts'
import type { Quote } from '../market/market-data.ts'
import { type ForwardTerms, forwardOf, type QuotedPair, syntheticForward, yearsBetween } from './forward.ts'

const quoteOf = (ltp: string | number, bid: string | number, ask: string | number): Quote => ({
  at: 0,
  ltp: priceOf(ltp),
  bid: priceOf(bid),
  ask: priceOf(ask),
  open: priceOf(ltp),
  high: priceOf(ltp),
  low: priceOf(ltp),
  prevClose: priceOf(ltp),
  volume: quantityOf(1),
  openInterest: quantityOf(1),
})

/** A pair whose call costs so much more than its put; both with a spread of 0.1. */
const pairOf = (strike: number, difference: number): QuotedPair => {
  const put = 200
  const call = Number((put + difference).toFixed(2))
  return {
    strike: priceOf(strike),
    call: quoteOf(call, Number((call - 0.05).toFixed(2)), Number((call + 0.05).toFixed(2))),
    put: quoteOf(put, put - 0.05, put + 0.05),
  }
}
const NOW: ForwardTerms = { years: 0, underlyingYears: 0, interestRate: 0 }
const around = (forward: number): QuotedPair[] =>
  [24400, 24450, 24500, 24550, 24600].map((strike) => pairOf(strike, forward - strike))

describe('where a forward comes from', () => {
  const future = quoteOf('24610.5', '24610', '24611')
  const underlying = priceOf('24480')

  test('the future of the expiry, when it has a price', () => {
    const forward = forwardOf({ future, pairs: around(24530), underlying }, NOW)
    expect(forward).toEqual({ price: 24610.5, source: 'future' })
  })

  test.each([
    ['a last price below the book is the bid', quoteOf('24500', '24610', '24611'), 24610],
    ['a last price above the book is the offer', quoteOf('24700', '24610', '24611'), 24611],
    ['without a book the last price counts', quoteOf('24500', 0, 0), 24500],
  ])('of the future: %s', (_, quote, price) => {
    expect(forwardOf({ future: quote, pairs: [], underlying }, NOW)).toEqual({ price, source: 'future' })
  })

  test('parity, without a future or with one that nobody trades', () => {
    for (const none of [undefined, quoteOf('24610.5', '24000', '25000')]) {
      expect(forwardOf({ future: none, pairs: around(24530), underlying }, NOW)).toEqual({
        price: expect.closeTo(24530, 6),
        source: 'synthetic',
      })
    }
  })

  test('the price of the underlying with carry, when too few pairs can be used', () => {
    const terms = { years: 0.5, underlyingYears: 0, interestRate: 8 }
    const forward = forwardOf({ future: undefined, pairs: around(24530).slice(0, 2), underlying }, terms)
    expect(forward).toEqual({ price: expect.closeTo(24480 * Math.exp(0.04), 6), source: 'spot' })
    // A future that expires a quarter after the options is carried back
    const later = forwardOf({ future: undefined, pairs: [], underlying }, { ...terms, underlyingYears: 0.75 })
    expect(later).toEqual({ price: expect.closeTo(24480 * Math.exp(-0.02), 6), source: 'spot' })
  })

  test('nothing, without any price', () => {
    expect(forwardOf({ future: undefined, pairs: [], underlying: undefined }, NOW)).toBeUndefined()
  })
})

describe('put-call parity', () => {
  test('interest until expiry makes the difference of the prices larger', () => {
    const growth = Math.exp(0.07 * 0.25)
    const pairs = around(24530).map((pair) => ({ ...pair }))
    const strikes = [24400, 24450, 24500, 24550, 24600]
    const expected = strikes
      .map((strike) => strike + Number((24530 - strike).toFixed(2)) * growth)
      .sort((a, b) => a - b)
    expect(syntheticForward(pairs, growth)).toBeCloseTo(expected[2] ?? 0, 6)
  })

  test.each<[string, Partial<QuotedPair>]>([
    ['without a call', { call: undefined }],
    ['without a put', { put: undefined }],
    ['without a bid', { call: quoteOf(100, 0, 100) }],
    ['without an offer', { put: quoteOf(100, 100, 0) }],
    ['with a crossed book', { put: quoteOf(100, 101, 100) }],
    ['with a spread of more than a hundredth', { call: quoteOf(200, 100, 400) }],
  ])('a pair %s does not count', (_, spoilt) => {
    const pairs = around(24530)
    const [first, second, third] = pairs
    if (first === undefined || second === undefined || third === undefined) throw new Error('there are five')
    expect(syntheticForward([first, second, third], 1)).toBeCloseTo(24530, 6)
    expect(syntheticForward([first, second, { ...third, ...spoilt }], 1)).toBeUndefined()
  })

  test('a wrong pair among right ones changes nothing', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4 }), fc.integer({ min: -3000, max: 3000 }), (at, wrong) => {
        const pairs = around(24530).with(at, pairOf(24500, Math.max(-150, wrong)))
        expect(syntheticForward(pairs, 1)).toBeCloseTo(24530, 6)
      }),
    )
  })

  test('the forward lies between the lowest and the highest that the touch allows', () => {
    const side = fc.record({ ltp: fc.integer({ min: 1, max: 900_00 }), low: fc.integer({ min: 1, max: 900_00 }) })
    const paise = (value: number): Price => price(value * 1_000_000)
    fc.assert(
      fc.property(fc.array(fc.tuple(side, side), { minLength: 3, maxLength: 7 }), (sides) => {
        const quoted = ({ ltp, low }: { ltp: number; low: number }): Quote => ({
          ...quoteOf(1, 1, 1),
          ltp: paise(ltp),
          bid: paise(low),
          ask: paise(low + 20),
        })
        const pairs = sides.map(([call, put], index) => ({
          strike: priceOf(24400 + 50 * index),
          call: quoted(call),
          put: quoted(put),
        }))
        const bounds = sides.map(([call, put], index) => 24400 + 50 * index + (call.low - put.low) / 100)
        const forward = syntheticForward(pairs, 1)
        expect(forward).toBeGreaterThan(Math.min(...bounds) - 0.2001)
        expect(forward).toBeLessThan(Math.max(...bounds) + 0.2001)
      }),
    )
  })
})

test('a year has 365 days, and none is left after the end', () => {
  const day = 86_400_000
  expect(yearsBetween(0, 365 * day)).toBe(1)
  expect(yearsBetween(day, 0)).toBe(0)
})
