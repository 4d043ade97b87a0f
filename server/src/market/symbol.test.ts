import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dateOf, dayNumberOf } from '../kernel/exchange-time.ts'
import { price, priceOf } from '../kernel/fixed.ts'
import type { Exchange } from './instrument.ts'
import {
  expiryCode,
  expiryLabel,
  formatSymbol,
  type ParsedSymbol,
  parseExpiryCode,
  parseExpiryLabel,
  parseSymbol,
} from './symbol.ts'

describe('canonical symbols', () => {
  test.each<[string, Exchange, ParsedSymbol]>([
    ['M&M', 'NSE', { kind: 'equity', base: 'M&M' }],
    ['360ONE', 'BSE', { kind: 'equity', base: '360ONE' }],
    ['INDIAVIX', 'NSE_INDEX', { kind: 'index', base: 'INDIAVIX' }],
    ['BSEOIL&GAS', 'BSE_INDEX', { kind: 'index', base: 'BSEOIL&GAS' }],
    ['BANKNIFTY24APR24FUT', 'NFO', { kind: 'future', base: 'BANKNIFTY', expiry: '2024-04-24' }],
    ['NIFTYNXT5025AUG26FUT', 'NFO', { kind: 'future', base: 'NIFTYNXT50', expiry: '2026-08-25' }],
    ['726GS203325APR24FUT', 'CDS', { kind: 'future', base: '726GS2033', expiry: '2024-04-25' }],
    ['M&M30MAR26FUT', 'NFO', { kind: 'future', base: 'M&M', expiry: '2026-03-30' }],
    [
      'NIFTY28MAR2420800CE',
      'NFO',
      { kind: 'option', base: 'NIFTY', expiry: '2024-03-28', strike: priceOf('20800'), type: 'CE' },
    ],
    [
      'VEDL25APR24292.5CE',
      'NFO',
      { kind: 'option', base: 'VEDL', expiry: '2024-04-25', strike: priceOf('292.5'), type: 'CE' },
    ],
    [
      'USDINR19APR2482CE',
      'CDS',
      { kind: 'option', base: 'USDINR', expiry: '2024-04-19', strike: priceOf('82'), type: 'CE' },
    ],
    [
      '726GS203225APR2497PE',
      'CDS',
      { kind: 'option', base: '726GS2032', expiry: '2024-04-25', strike: priceOf('97'), type: 'PE' },
    ],
    [
      'BAJAJ-AUTO28OCT259000PE',
      'NFO',
      { kind: 'option', base: 'BAJAJ-AUTO', expiry: '2025-10-28', strike: priceOf('9000'), type: 'PE' },
    ],
    ['BTCUSDFUT', 'CRYPTO', { kind: 'perpetual', base: 'BTCUSD' }],
    ['BTC28FEB25FUT', 'CRYPTO', { kind: 'future', base: 'BTC', expiry: '2025-02-28' }],
    ['BTCINR', 'CRYPTO', { kind: 'spot', base: 'BTCINR' }],
  ])('%s on %s', (symbol, exchange, parsed) => {
    expect(parseSymbol(symbol, exchange)).toEqual(parsed)
    expect(formatSymbol(parsed)).toBe(symbol)
  })

  test.each<[string, Exchange]>([
    ['NIFTY', 'NFO'],
    ['NIFTY30FEB26FUT', 'NFO'],
    ['NIFTY28XXX24FUT', 'NFO'],
    ['NIFTY28MAR24CE', 'NFO'],
    ['NIFTY28MAR24020800CE', 'NFO'],
    ['NIFTY28MAR2420800.50CE', 'NFO'],
    ['NIFTY28MAR240.000000001CE', 'NFO'],
    ['28MAR24FUT', 'NFO'],
    ['sbin', 'NSE'],
    ['', 'NSE'],
    ['BTC USD', 'CRYPTO'],
  ])('"%s" is no symbol of %s', (symbol, exchange) => {
    expect(parseSymbol(symbol, exchange)).toBeUndefined()
  })

  const base = fc.stringMatching(/^[A-Z0-9][A-Z0-9&-]{0,14}$/)
  const expiry = fc.integer({ min: dayNumberOf('2000-01-01'), max: dayNumberOf('2099-12-31') }).map(dateOf)
  const strike = fc.integer({ min: 1, max: 10 ** 14 }).map(price)
  const contract: fc.Arbitrary<ParsedSymbol> = fc.oneof(
    fc.record({ kind: fc.constant('future' as const), base, expiry }),
    fc.record({
      kind: fc.constant('option' as const),
      base,
      expiry,
      strike,
      type: fc.constantFrom('CE' as const, 'PE' as const),
    }),
  )

  test('any contract is read back as it was written', () => {
    fc.assert(
      fc.property(contract, (parsed) => {
        expect(parseSymbol(formatSymbol(parsed), 'NFO')).toEqual(parsed)
      }),
    )
  })

  test('whatever is read is written back letter by letter', () => {
    const text = fc.oneof(
      fc.string({ maxLength: 30 }),
      fc.stringMatching(/^[A-Z]{1,4}\d{1,3}[A-Z]{3}\d{2,8}(FUT|CE|PE)$/),
    )
    fc.assert(
      fc.property(text, fc.constantFrom<Exchange>('NSE', 'NFO', 'CRYPTO', 'NSE_INDEX'), (symbol, exchange) => {
        const parsed = parseSymbol(symbol, exchange)
        if (parsed !== undefined) expect(formatSymbol(parsed)).toBe(symbol)
      }),
    )
  })
})

describe('expiry dates', () => {
  test('codes and labels', () => {
    expect(expiryCode('2025-10-28')).toBe('28OCT25')
    expect(expiryLabel('2025-10-28')).toBe('28-OCT-25')
    expect(parseExpiryCode('28oct25')).toBe('2025-10-28')
    expect(parseExpiryLabel('28-OCT-25')).toBe('2025-10-28')
    expect(parseExpiryLabel('28-Oct-2025')).toBe('2025-10-28')
  })

  test.each(['31FEB25', '8OCT25', '28OCT2025', '28-OCT-25', ''])('"%s" is no expiry code', (code) => {
    expect(parseExpiryCode(code)).toBeUndefined()
  })

  test.each(['31-FEB-25', '28OCT25', '28-OCT-025', ''])('"%s" is no expiry label', (label) => {
    expect(parseExpiryLabel(label)).toBeUndefined()
  })
})
