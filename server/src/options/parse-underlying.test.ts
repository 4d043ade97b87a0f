import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dateOf, dayNumberOf } from '../kernel/exchange-time.ts'
import { expiryCode } from '../market/symbol.ts'
import { parseUnderlying } from './parse-underlying.ts'

describe('the text of an underlying', () => {
  test.each([
    ['NIFTY', 'NIFTY', undefined, undefined],
    ['nifty28oct25fut', 'NIFTY', '2025-10-28', 'NIFTY28OCT25FUT'],
    [' NIFTY28NOV24 ', 'NIFTY', '2024-11-28', undefined],
    ['NIFTYNXT50', 'NIFTYNXT50', undefined, undefined],
    ['NIFTYNXT5028OCT25', 'NIFTYNXT50', '2025-10-28', undefined],
    ['M&M28OCT25FUT', 'M&M', '2025-10-28', 'M&M28OCT25FUT'],
    ['BAJAJ-AUTO28OCT25', 'BAJAJ-AUTO', '2025-10-28', undefined],
    ['360ONE', '360ONE', undefined, undefined],
    ['360ONE28OCT25FUT', '360ONE', '2025-10-28', '360ONE28OCT25FUT'],
    ['726GS203325APR24FUT', '726GS2033', '2024-04-25', '726GS203325APR24FUT'],
    ['CRUDEOILM18DEC26FUT', 'CRUDEOILM', '2026-12-18', 'CRUDEOILM18DEC26FUT'],
    // No dates: nothing is guessed
    ['NIFTY31FEB25', 'NIFTY31FEB25', undefined, undefined],
    ['NIFTY99OCT25FUT', 'NIFTY99OCT25FUT', undefined, undefined],
    ['28OCT25FUT', '28OCT25FUT', undefined, undefined],
    ['NIFTYFUT', 'NIFTYFUT', undefined, undefined],
    ['', '', undefined, undefined],
  ])('%j is %s, expiring %s', (text, base, expiry, future) => {
    expect(parseUnderlying(text)).toEqual({ base, expiry, future })
  })

  test('whatever characters a base has, its expiry is found', () => {
    const base = fc.stringMatching(/^[A-Z0-9][A-Z0-9&-]{0,19}$/)
    const day = fc.integer({ min: dayNumberOf('2000-01-01'), max: dayNumberOf('2099-12-31') })
    fc.assert(
      fc.property(base, day, fc.boolean(), (root, dayNumber, isFuture) => {
        const expiry = dateOf(dayNumber)
        const text = `${root}${expiryCode(expiry)}${isFuture ? 'FUT' : ''}`
        expect(parseUnderlying(text)).toEqual({ base: root, expiry, future: isFuture ? text : undefined })
      }),
    )
  })
})
