import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Action, Product } from '../brokers/venue.ts'
import { add, type Money, moneyOf, toNumber } from '../kernel/fixed.ts'
import type { Exchange, InstrumentKind } from '../market/instrument.ts'
import {
  type BrokerageTerms,
  type Charges,
  chargeOfFill,
  chargesFor,
  chargesOf,
  chargeTermsOf,
  settlementTermsOf,
  sumOfCharges,
} from './charges.ts'

const TERMS: BrokerageTerms = { perOrder: moneyOf(20), sharePerMillion: 300 }
const TODAY = '2026-11-25'

type Row = readonly [
  what: string,
  exchange: Exchange,
  kind: InstrumentKind,
  product: Product,
  action: Action,
  value: string,
  date: string,
  expected: readonly [brokerage: number, tax: number, fee: number, sebi: number, stamp: number, gst: number],
]

/** Worked by hand from the published rates. */
const ROWS: readonly Row[] = [
  ['delivery bought', 'NSE', 'EQ', 'CNC', 'BUY', '100000', TODAY, [0, 100, 3.07, 0.1, 15, 0.57]],
  ['delivery sold', 'BSE', 'EQ', 'CNC', 'SELL', '100000', TODAY, [0, 100, 3.75, 0.1, 0, 0.69]],
  ['intraday bought', 'NSE', 'EQ', 'MIS', 'BUY', '100000', TODAY, [20, 0, 3.07, 0.1, 3, 4.17]],
  ['intraday sold, small', 'NSE', 'EQ', 'MIS', 'SELL', '10000', TODAY, [3, 2.5, 0.31, 0.01, 0, 0.6]],
  ['future sold', 'NFO', 'FUT', 'NRML', 'SELL', '1000000', TODAY, [20, 500, 18.3, 1, 0, 7.07]],
  ['future sold before', 'NFO', 'FUT', 'NRML', 'SELL', '1000000', '2026-03-31', [20, 200, 18.3, 1, 0, 7.07]],
  ['option sold', 'NFO', 'CE', 'NRML', 'SELL', '13000', TODAY, [20, 19.5, 4.62, 0.01, 0, 4.43]],
  ['option sold before', 'NFO', 'CE', 'NRML', 'SELL', '13000', '2026-03-31', [20, 13, 4.62, 0.01, 0, 4.43]],
  ['option bought', 'BFO', 'PE', 'MIS', 'BUY', '13000', TODAY, [20, 0, 4.23, 0.01, 0.39, 4.36]],
  ['commodity sold', 'MCX', 'FUT', 'NRML', 'SELL', '1000000', TODAY, [20, 100, 21, 1, 0, 7.56]],
  ['commodity option sold', 'MCX', 'CE', 'NRML', 'SELL', '10000', TODAY, [20, 5, 4.18, 0.01, 0, 4.35]],
  ['farmed sold', 'NCDEX', 'FUT', 'NRML', 'SELL', '1000000', TODAY, [20, 0, 58, 1, 0, 14.22]],
  ['currency bought', 'CDS', 'FUT', 'NRML', 'BUY', '90000', TODAY, [20, 0, 0.32, 0.09, 0.09, 3.67]],
  ['coins sold', 'CRYPTO', 'SPOT', 'NRML', 'SELL', '1000', TODAY, [0.3, 0, 0, 0, 0, 0.05]],
]

const valuesOf = ({ brokerage, transactionTax, transactionFee, sebiFee, stampDuty, gst }: Charges) =>
  [brokerage, transactionTax, transactionFee, sebiFee, stampDuty, gst].map(toNumber.money)

describe('charges of one trade', () => {
  test.each(ROWS)('%s', (_what, exchange, kind, product, action, value, date, expected) => {
    const trade = { instrument: { exchange, kind, name: 'X' }, action, product, value: moneyOf(value) }
    expect(valuesOf(chargesOf(trade, TERMS, date))).toEqual(expected)
  })

  test('what is farmed and traded on MCX pays no transaction tax', () => {
    const of = (name: string) =>
      chargesOf(
        {
          instrument: { exchange: 'MCX', kind: 'FUT', name },
          action: 'SELL',
          product: 'NRML',
          value: moneyOf(100_000),
        },
        TERMS,
        TODAY,
      ).transactionTax
    expect([of('CARDAMOM'), of('GOLD')]).toEqual([0, 1_000])
  })

  test('a date before all rates has the oldest', () => {
    const trade = {
      instrument: { exchange: 'NFO', kind: 'FUT', name: 'NIFTY' },
      action: 'SELL',
      product: 'NRML',
      value: moneyOf(1_000_000),
    } as const
    expect(chargesOf(trade, TERMS, '2000-01-01')).toEqual(chargesOf(trade, TERMS, '2024-10-01'))
  })
})

test.each([
  ['an option of shares', 'NFO', 'CE', 'SELL', TODAY, 15],
  ['before', 'NFO', 'PE', 'SELL', '2026-03-31', 12.5],
  ['its seller', 'BFO', 'CE', 'BUY', TODAY, 0],
  ['a future', 'NFO', 'FUT', 'SELL', TODAY, 0],
  ['an option of commodities', 'MCX', 'CE', 'SELL', TODAY, 0],
] as const)('what settles at expiry pays the tax on exercise and nothing else: %s', (...row) => {
  const [, exchange, kind, action, date, expected] = row
  const order = { instrument: { exchange, kind, name: 'X' }, action, product: 'NRML' } as const
  const { transactionTax, total } = chargesFor(settlementTermsOf(order, date), moneyOf(10_000))
  expect([transactionTax, total].map(toNumber.money)).toEqual([expected, expected])
})

const anyTrade = fc.record({
  instrument: fc.record({
    exchange: fc.constantFrom<Exchange[]>('NSE', 'BSE', 'NFO', 'BFO', 'MCX', 'CDS', 'NCDEX', 'CRYPTO'),
    kind: fc.constantFrom<InstrumentKind[]>('EQ', 'FUT', 'CE', 'PE'),
    name: fc.constant('X'),
  }),
  action: fc.constantFrom<Action[]>('BUY', 'SELL'),
  product: fc.constantFrom<Product[]>('CNC', 'MIS', 'NRML'),
  value: fc.integer({ min: 0, max: 1e14 }).map((value) => value as Money),
})

test('every charge is exact and no total differs from the sum of its parts by a paisa', () => {
  fc.assert(
    fc.property(fc.array(anyTrade, { minLength: 1, maxLength: 50 }), (trades) => {
      const each = trades.map((one) => chargesOf(one, TERMS, TODAY))
      for (const charges of each) {
        const { total, ...parts } = charges
        expect(Object.values(parts).every((part) => Number.isSafeInteger(part) && part >= 0)).toBe(true)
        expect(Object.values(parts).reduce((sum, part) => sum + part, 0)).toBe(total)
      }
      expect(sumOfCharges(each).total).toBe(each.reduce((sum, { total }) => sum + total, 0))
    }),
  )
})

test('an order that fills in parts costs what it does whole, and no part costs less than nothing', () => {
  fc.assert(
    fc.property(anyTrade, fc.array(fc.integer({ min: 0, max: 1e9 }), { maxLength: 20 }), (trade, parts) => {
      const terms = chargeTermsOf(trade, TERMS, TODAY)
      let before = trade.value
      let charged = chargesOf(trade, TERMS, TODAY).total
      for (const value of parts as Money[]) {
        const charge = chargeOfFill(terms, before, value)
        expect(charge).toBeGreaterThanOrEqual(0)
        before = add(before, value)
        charged = add(charged, charge)
      }
      expect(charged).toBe(chargesOf({ ...trade, value: before }, TERMS, TODAY).total)
    }),
  )
})
