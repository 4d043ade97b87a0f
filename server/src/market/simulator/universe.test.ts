import { describe, expect, test } from 'vitest'
import { dateOf, dayNumberOf, weekdayOf } from '../../kernel/exchange-time.ts'
import { isMultipleOf, multiplierOf, priceOf, quantityOf } from '../../kernel/fixed.ts'
import { DERIVATIVE_EXCHANGES, EXCHANGES, type Exchange, type Instrument } from '../instrument.ts'
import { InstrumentStore } from '../instrument-store.ts'
import { formatSymbol, parseSymbol } from '../symbol.ts'
import { underlyingOf } from '../underlying.ts'
import { createUniverse, equityTick } from './universe.ts'

const rows = [...createUniverse({ date: '2026-03-10', seed: 3 })]
const store = new InstrumentStore(rows)

const expiriesOf = (name: string, exchange: Exchange, kind: string): string[] =>
  [
    ...new Set(
      rows
        .filter((row) => row.name === name && row.exchange === exchange && row.kind === kind)
        .map((row) => row.expiry ?? ''),
    ),
  ].sort()

const strikesOf = (symbol: string): number[] =>
  rows
    .filter((row) => row.exchange === 'NFO' && row.symbol.startsWith(symbol) && row.kind === 'CE')
    .map((row) => row.strike)

describe('the simulated universe', () => {
  test('has tens of thousands of instruments on every exchange', () => {
    expect(rows.length).toBeGreaterThanOrEqual(60_000)
    expect(rows.length).toBeLessThan(130_000)
    for (const exchange of EXCHANGES) expect(store.countOf(exchange), exchange).toBeGreaterThan(0)
    expect(store.countOf('NSE')).toBeGreaterThan(500)
  })

  test('every symbol is canonical and says what the instrument is', () => {
    for (const row of rows) {
      const parsed = parseSymbol(row.symbol, row.exchange)
      if (parsed === undefined || formatSymbol(parsed) !== row.symbol) throw new Error(`${row.symbol} isn't canonical`)
      if (parsed.kind === 'option') {
        expect([parsed.base, parsed.expiry, parsed.strike, parsed.type]).toEqual([
          row.name,
          row.expiry,
          row.strike,
          row.kind,
        ])
      } else if (parsed.kind === 'future') {
        expect([parsed.base, parsed.expiry, row.kind]).toEqual([row.name, row.expiry, 'FUT'])
      }
    }
  })

  test('strikes, freeze quantities and prices are whole steps', () => {
    for (const row of rows) {
      if (row.lotSize <= 0 || row.tickSize <= 0) throw new Error(`${row.symbol} has no lot or no tick`)
      if (!isMultipleOf(row.strike, row.tickSize)) throw new Error(`strike of ${row.symbol} is no multiple of its tick`)
    }
  })

  test('every option has its other side, and every contract an underlying with a price', () => {
    for (const row of rows) {
      if (row.kind === 'CE') expect(store.find(`${row.symbol.slice(0, -2)}PE`, row.exchange)).toBeDefined()
      if (!DERIVATIVE_EXCHANGES.has(row.exchange) || row.kind === 'SPOT') continue
      const ownReference = row.kind === 'FUT' && !['NFO', 'BFO', 'CRYPTO'].includes(row.exchange)
      if (!ownReference && underlyingOf(store, row) === undefined) throw new Error(`${row.symbol} has no underlying`)
    }
  })

  test('contract terms of mid-2026', () => {
    const terms = (symbol: string, exchange: Exchange): Partial<Instrument> | undefined => {
      const row = store.find(symbol, exchange)
      return row && { lotSize: row.lotSize, freezeQuantity: row.freezeQuantity, tickSize: row.tickSize }
    }
    const expected = (lot: string, freeze: string, tick: string) => ({
      lotSize: quantityOf(lot),
      freezeQuantity: quantityOf(freeze),
      tickSize: priceOf(tick),
    })
    expect(terms('NIFTY30MAR26FUT', 'NFO')).toEqual(expected('65', '1800', '0.1'))
    expect(terms('NIFTY30MAR2626000CE', 'NFO')).toEqual(expected('65', '1800', '0.05'))
    expect(terms('BANKNIFTY30MAR26FUT', 'NFO')).toEqual(expected('30', '600', '0.1'))
    expect(terms('M&M30MAR26FUT', 'NFO')).toEqual(expected('200', '6000', '0.1'))
    expect(terms('USDINR25MAR26FUT', 'CDS')).toEqual(expected('1000', '0', '0.0025'))
    expect(terms('RELIANCE', 'NSE')).toEqual(expected('1', '0', '0.1'))
    expect(terms('BTCINR', 'CRYPTO')?.lotSize).toBe(quantityOf('0.00001'))
    expect(store.find('BTCUSDFUT', 'CRYPTO')?.multiplier).toBe(multiplierOf('0.001'))
    expect(store.find('RELIANCE', 'NSE')?.name).toBe('RELIANCE INDUSTRIES')
  })

  test('NIFTY strikes are 50 apart around the level', () => {
    const strikes = strikesOf('NIFTY17MAR26')
    expect(strikes.length).toBeGreaterThan(80)
    for (let i = 1; i < strikes.length; i += 1) expect((strikes[i] ?? 0) - (strikes[i - 1] ?? 0)).toBe(priceOf('50'))
  })

  test('NIFTY expires on Tuesdays, SENSEX on Thursdays, or on the trading day before a holiday', () => {
    expect(expiriesOf('NIFTY', 'NFO', 'FUT')).toEqual(['2026-03-30', '2026-04-28', '2026-05-26'])
    const nifty = expiriesOf('NIFTY', 'NFO', 'CE')
    // 31 March and 14 April 2026 are holidays on Tuesdays.
    expect(nifty.slice(0, 6)).toEqual([
      '2026-03-10',
      '2026-03-17',
      '2026-03-24',
      '2026-03-30',
      '2026-04-07',
      '2026-04-28',
    ])
    for (const expiry of nifty) expect([1, 2]).toContain(weekdayOf(dayNumberOf(expiry)))
    expect(expiriesOf('SENSEX', 'BFO', 'CE').slice(0, 4)).toEqual([
      '2026-03-12',
      '2026-03-19',
      '2026-03-25',
      '2026-04-02',
    ])
  })

  test('a contract that expires today is listed, one that expired yesterday is not', () => {
    const next = new InstrumentStore(createUniverse({ date: '2026-03-11', seed: 3 }))
    expect(store.find('NIFTY10MAR2626000CE', 'NFO')).toBeDefined()
    expect(next.find('NIFTY10MAR2626000CE', 'NFO')).toBeUndefined()
  })

  test('instruments keep their id and terms, and stay listed until they expire', () => {
    for (const days of [1, 30]) {
      const date = dateOf(dayNumberOf('2026-03-10') + days)
      const later = new InstrumentStore(createUniverse({ date, seed: 3 }))
      for (const row of rows) {
        if (row.expiry !== undefined && row.expiry < date) continue
        const found = later.find(row.symbol, row.exchange)
        if (found === undefined) throw new Error(`${row.symbol} on ${row.exchange} is gone on ${date}`)
        if (found.id !== row.id || found.lotSize !== row.lotSize || found.tickSize !== row.tickSize)
          throw new Error(`${row.symbol} has changed by ${date}`)
      }
    }
  })
})

test.each([
  [10.5, 0.01],
  [249.99, 0.01],
  [250, 0.05],
  [1000, 0.05],
  [1001, 0.1],
  [5001, 0.5],
  [10_001, 1],
  [20_001, 5],
])('a share at %f ticks by %f', (price, tick) => {
  expect(equityTick(price)).toBe(tick)
})
