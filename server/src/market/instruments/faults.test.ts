import { expect, test } from 'vitest'
import { type Price, priceOf, type Quantity, quantityOf } from '../../kernel/fixed.ts'
import type { Exchange, Instrument, InstrumentKind } from '../instrument.ts'
import { FaultFinder, SYMBOL_LENGTH_MAX, TEXT_LENGTH_MAX } from './faults.ts'
import { call, share } from './test-rows.ts'

const DATE = '2025-10-28'
const faultOf = (row: Instrument) => new FaultFinder(DATE).faultOf(row)
const future = (more: Partial<Instrument>) =>
  call(1, { symbol: 'NIFTY28OCT25FUT', kind: 'FUT', strike: priceOf('0'), ...more })

test.each<[string, Instrument]>([
  ['a share', share('M&M', 1)],
  ['a share whose symbol begins with a digit', share('360ONE', 1)],
  ['an index', share('NIFTY', 1, { exchange: 'NSE_INDEX', kind: 'INDEX' })],
  ['an option on its last day', call(1)],
  ['an option of a strike with decimals', call(1, { symbol: 'NIFTY28OCT25292.5CE', strike: priceOf('292.5') })],
  ['a future', future({})],
  ['a future on a root with a digit', future({ symbol: 'NIFTYNXT5028OCT25FUT', name: 'NIFTYNXT50' })],
  ['a perpetual', share('BTCUSDFUT', 1, { exchange: 'CRYPTO', kind: 'PERPFUT', name: 'BTC' })],
  [
    'a spot pair of small lots',
    share('BTCINR', 1, { exchange: 'CRYPTO', kind: 'SPOT', lotSize: quantityOf('0.00001') }),
  ],
  ['a name in another script', share('TCS', 1, { name: 'टाटा कन्सल्टेंसी' })],
])('%s has no fault', (_what, row) => {
  expect(faultOf(row)).toBeUndefined()
})

test.each<[Instrument, string]>([
  [share('SBIN', 1, { exchange: 'NYSE' as Exchange }), 'there is no exchange NYSE'],
  [share('SBIN', 1, { kind: 'OPTIDX' as InstrumentKind }), 'OPTIDX is no kind of instrument'],
  [share('SBIN', 1, { exchange: 'NFO' }), 'NFO lists no EQ'],
  [share('NIFTY', 1, { kind: 'INDEX' }), 'NSE lists no INDEX'],
  [future({ exchange: 'NSE' }), 'NSE lists no FUT'],
  [share('S'.repeat(SYMBOL_LENGTH_MAX + 1), 1), 'its symbol is longer than 50 letters'],
  [share('sbin', 1), 'its symbol is not in upper-case letters, digits and & . _ -'],
  [share('STATE BANK', 1), 'its symbol is not in upper-case letters, digits and & . _ -'],
  [share('', 1, { name: 'X' }), 'its symbol is not in upper-case letters, digits and & . _ -'],
  [share('SBIN', 1, { expiry: '2025-10-28' }), "EQ doesn't expire"],
  [share('SBIN', 1, { strike: priceOf('0.01') }), 'EQ has no strike'],
  [share('BTCUSD', 1, { exchange: 'CRYPTO', kind: 'PERPFUT' }), 'the symbol of a perpetual ends in FUT'],
  [call(1, { expiry: undefined }), 'a contract needs an expiry'],
  [call(1, { expiry: '2025-02-30' }), 'its expiry 2025-02-30 is no date'],
  [call(1, { expiry: '2025-10-27' }), 'it expired on 2025-10-27'],
  [call(1, { strike: priceOf('0') }), 'an option needs a strike'],
  [call(1, { strike: -1_000_000 as Price }), 'an option needs a strike'],
  [future({ strike: priceOf('100') }), 'it has a strike'],
  [call(1, { strike: priceOf('26050') }), 'by its other facts its symbol is NIFTY28OCT2526050CE'],
  [call(1, { name: 'nifty' }), 'nifty is no root of a contract'],
  [call(1, { symbol: 'NIFTY25OCT2826000CE' }), 'by its other facts its symbol is NIFTY28OCT2526000CE'],
  [future({ name: 'BANKNIFTY' }), 'by its other facts its symbol is BANKNIFTY28OCT25FUT'],
  [share('SBIN', 1.5), 'its id 1.5 is no positive integer'],
  [share('SBIN', 0), 'its id 0 is no positive integer'],
  [share('SBIN', 1, { tickSize: 0 as Price }), 'its tickSize of 0 units is not an exact number of at least 1'],
  [
    share('SBIN', 1, { lotSize: Number.NaN as Quantity }),
    'its lotSize of NaN units is not an exact number of at least 1',
  ],
  [share('SBIN', 1, { lotSize: 0.5 as Quantity }), 'its lotSize of 0.5 units is not an exact number of at least 1'],
  [
    share('SBIN', 1, { freezeQuantity: -1 as Quantity }),
    'its freezeQuantity of -1 units is not an exact number of at least 0',
  ],
  [share('SBIN', 1, { name: '' }), 'its name "" is empty or has blanks around it'],
  [share('SBIN', 1, { token: ' 1' }), 'its token " 1" is empty or has blanks around it'],
  [share('SBIN', 1, { sourceSymbol: 'a\nb' }), 'its sourceSymbol has control characters'],
  [share('SBIN', 1, { name: 'a\ud800b' }), 'its name has control characters'],
  [share('SBIN', 1, { token: 'T'.repeat(TEXT_LENGTH_MAX + 1) }), 'its token is longer than 128 characters'],
])('a fault is said: %#', (row, fault) => {
  expect(faultOf(row)).toBe(fault)
})

test('rows of one series are judged one by one', () => {
  const finder = new FaultFinder(DATE)
  expect(finder.faultOf(call(1))).toBeUndefined()
  expect(finder.faultOf(call(2, { symbol: 'NIFTY28OCT2526000PE' }))).toMatch('NIFTY28OCT2526000CE')
  expect(finder.faultOf(call(3, { expiry: '2025-10-20' }))).toBe('it expired on 2025-10-20')
  expect(finder.faultOf(call(4))).toBeUndefined()
})
