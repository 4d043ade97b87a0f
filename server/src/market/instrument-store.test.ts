import { describe, expect, test } from 'vitest'
import { multiplierOf, priceOf, quantityOf } from '../kernel/fixed.ts'
import { editDistance } from '../kernel/nearest.ts'
import type { Instrument } from './instrument.ts'
import { InstrumentStore } from './instrument-store.ts'
import { share } from './instruments/test-rows.ts'

let lastId = 0
const row = (symbol: string, more: Partial<Instrument> = {}): Instrument => {
  lastId += 1
  return share(symbol, lastId, more)
}

describe('InstrumentStore', () => {
  const rows = [
    row('SBIN', { name: 'STATE BANK OF INDIA' }),
    row('SBIN', { exchange: 'BSE' }),
    row('NIFTY28OCT2526000CE', {
      exchange: 'NFO',
      kind: 'CE',
      name: 'NIFTY',
      expiry: '2025-10-28',
      strike: priceOf('26000'),
      lotSize: quantityOf('65'),
      freezeQuantity: quantityOf('1800'),
    }),
    row('NIFTY25NOV25FUT', { exchange: 'NFO', kind: 'FUT', name: 'NIFTY', expiry: '2025-11-25' }),
    row('NIFTY28OCT25FUT', { exchange: 'NFO', kind: 'FUT', name: 'NIFTY', expiry: '2025-10-28' }),
    row('BTCINR', {
      exchange: 'CRYPTO',
      kind: 'SPOT',
      lotSize: quantityOf('0.00001'),
      multiplier: multiplierOf('0.001'),
    }),
  ]
  const store = new InstrumentStore(rows)

  test('gives back every row as it was given', () => {
    expect(store.size).toBe(rows.length)
    expect([...store]).toEqual(rows)
    for (const wanted of rows) expect(store.find(wanted.symbol, wanted.exchange)).toEqual(wanted)
    for (const wanted of rows) expect(store.byId(wanted.id)).toEqual(wanted)
  })

  test('finds nothing that is only similar', () => {
    expect(store.find('sbin', 'NSE')).toBeUndefined()
    expect(store.find('SBIN ', 'NSE')).toBeUndefined()
    expect(store.find('SBIN', 'NFO')).toBeUndefined()
    expect(store.find('', 'NSE')).toBeUndefined()
    expect(store.find('X'.repeat(100_000), 'NSE')).toBeUndefined()
    expect(store.byId(0)).toBeUndefined()
    expect(store.byId(1e15)).toBeUndefined()
  })

  test('an instrument is one frozen object however it is come by', () => {
    const found = store.find('SBIN', 'NSE')
    expect(found).toBeDefined()
    expect(Object.isFrozen(found)).toBe(true)
    expect(store.find('SBIN', 'NSE')).toBe(found)
    expect(store.byId(found?.id ?? -1)).toBe(found)
    expect([...store.byExchange('NSE')][0]).toBe(found)
  })

  test('lists by exchange, and futures by expiry', () => {
    expect([...store.byExchange('NFO')].map((entry) => entry.symbol)).toEqual(
      rows.slice(2, 5).map((entry) => entry.symbol),
    )
    expect(store.countOf('NFO')).toBe(3)
    expect([...store.byExchange('MCX')]).toEqual([])
    expect(store.futures('NIFTY', 'NFO').map((entry) => entry.symbol)).toEqual(['NIFTY28OCT25FUT', 'NIFTY25NOV25FUT'])
    expect(store.futures('NIFTY', 'BFO')).toEqual([])
  })

  test('refuses a source that lists a symbol or an id twice', () => {
    expect(() => new InstrumentStore([row('A'), row('A')])).toThrow('A on NSE is listed twice')
    expect(() => new InstrumentStore([row('A', { id: 7 }), row('B'), row('C', { id: 7 })])).toThrow('id 7')
    expect(() => new InstrumentStore([row('A', { id: 0.5 })])).toThrow('no exact integer')
  })

  test('holds more rows than one page and one table', () => {
    const many = Array.from({ length: 20_000 }, (_, index) => row(`S${index}`, { id: 1_000_000 + index }))
    const large = new InstrumentStore(many)
    for (const index of [0, 1, 4095, 4096, 8191, 8192, 19_999]) {
      expect(large.find(`S${index}`, 'NSE')).toEqual(many[index])
      expect(large.byId(1_000_000 + index)).toEqual(many[index])
    }
  })

  test('names what a misspelt symbol may have meant', () => {
    const shares = new InstrumentStore(['RELIANCE', 'RBLBANK', 'INFY', 'TCS', 'TATASTEEL'].map((symbol) => row(symbol)))
    expect(shares.nearest('RELIANC', 'NSE', 2)[0]).toBe('RELIANCE')
    expect(shares.nearest('eliance', 'NSE', 1)).toEqual(['RELIANCE'])
    expect(shares.nearest('TATASTELE', 'NSE', 1)).toEqual(['TATASTEEL'])
    expect(shares.nearest('QQQQQQQQ', 'NSE', 3)).toEqual([])
    expect(shares.nearest('', 'NSE', 3)).toEqual([])
    expect(shares.nearest('INFY', 'BSE', 3)).toEqual([])
  })
})

test.each([
  ['ABC', 'ABC', 0],
  ['ABC', 'ACB', 1],
  ['ABC', 'AB', 1],
  ['ABC', 'XABC', 1],
  ['KITTEN', 'SITTING', 3],
  ['', 'ABC', 3],
])('from %s to %s it is %i steps', (a, b, steps) => {
  expect(editDistance(a, b)).toBe(steps)
})
