import { describe, expect, it } from 'vitest'
import { type AnyField, FieldProblem } from './field-type.ts'
import { choice, date, flag, text } from './text-fields.ts'

const KEY = `sk_${'k'.repeat(43)}`

const refusal = (field: AnyField, value: unknown): string => {
  const result = field.decode(value, [])
  if (!(result instanceof FieldProblem)) throw new Error(`expected a problem, got ${String(result)}`)
  return result.errors.map((error) => error.message).join(' ')
}

describe('text', () => {
  it('is kept as it was sent', () => {
    expect(text().decode(' My ₹ strategy ', [])).toBe(' My ₹ strategy ')
    expect(text().decode('', [])).toBe('')
  })

  it.each([
    [123, 'Not a valid string. Got 123.'],
    [true, 'Not a valid string. Got true.'],
    [['a'], 'Not a valid string. Got a list of 1 item.'],
    ['a\u0000b', 'Must not contain control characters (character 2 is U+0000).'],
    ['\ud800', 'Must not contain half of a surrogate pair.'],
    [`my ${KEY}`, 'Must not contain an API key.'],
    ['x'.repeat(257), `Longer than maximum length 256. Got "${'x'.repeat(64)}…".`],
  ])('refuses %j', (value, message) => {
    expect(refusal(text(), value)).toBe(message)
  })

  it('may be a key where it is a secret, which is kept nowhere', () => {
    expect(text({ secret: true }).decode(KEY, [])).toBe(KEY)
    expect(refusal(text({ canonical: true }), KEY)).toBe('Must not contain an API key.')
  })

  it('has the length it was given', () => {
    expect(refusal(text({ min: 1, max: 3 }), '')).toBe('Length must be between 1 and 3. Got "".')
    expect(refusal(text({ min: 1 }), '')).toBe('Shorter than minimum length 1. Got "".')
  })

  it('is put into canonical form before its length counts', () => {
    const symbol = text({ min: 1, canonical: true })
    expect(symbol.decode('  nifty25aug26fut ', [])).toBe('NIFTY25AUG26FUT')
    expect(refusal(symbol, '   ')).toBe('Shorter than minimum length 1. Got "   ".')
  })

  it('takes whole numbers as digits where ids are expected', () => {
    const id = text({ digits: true })
    expect(id.decode(26112500000001, [])).toBe('26112500000001')
    expect(refusal(id, 1.5)).toBe('Not a valid string. Got 1.5.')
  })
})

describe('a choice', () => {
  const priceType = choice(['MARKET', 'LIMIT', 'SL', 'SL-M'])
  const action = choice(['BUY', 'SELL'], { lowerCase: true })
  const interval = choice(['1m', '1h', 'D', 'M'], { alsoKnownAs: { '1d': 'D', '60m': '1h' } })

  it('reads its words, and lower case where that is allowed', () => {
    expect(priceType.decode('SL-M', [])).toBe('SL-M')
    expect(action.decode('sell', [])).toBe('SELL')
  })

  it.each([
    [priceType, 'LIMT', 'Must be one of: MARKET, LIMIT, SL, SL-M. Got "LIMT"; did you mean LIMIT?'],
    [priceType, 'SLM', 'Must be one of: MARKET, LIMIT, SL, SL-M. Got "SLM"; did you mean SL?'],
    [priceType, 'limit', 'Must be one of: MARKET, LIMIT, SL, SL-M. Got "limit"; did you mean LIMIT?'],
    [priceType, 'zzzzzzzz', 'Must be one of: MARKET, LIMIT, SL, SL-M. Got "zzzzzzzz".'],
    [priceType, 5, 'Must be one of: MARKET, LIMIT, SL, SL-M. Got 5.'],
    [action, 'Buy', 'Must be one of: BUY, SELL, buy, sell. Got "Buy"; did you mean BUY?'],
    [interval, '1d', 'Must be one of: 1m, 1h, D, M. Got "1d"; did you mean D?'],
    [interval, '60m', 'Must be one of: 1m, 1h, D, M. Got "60m"; did you mean 1h?'],
    [interval, 'constructor', 'Must be one of: 1m, 1h, D, M. Got "constructor".'],
    [interval, '__proto__', 'Must be one of: 1m, 1h, D, M. Got "__proto__".'],
  ] as const)('%#: refuses %j', (field, value, message) => {
    expect(refusal(field as AnyField, value)).toBe(message)
  })
})

describe('a flag', () => {
  it.each([true, 1, 't', 'T', 'true', 'True', 'TRUE', 'on', 'On', 'ON', 'y', 'Y', 'yes', 'Yes', 'YES', '1'])(
    'is true for %j',
    (value) => {
      expect(flag().decode(value, [])).toBe(true)
    },
  )
  it.each([false, 0, 'f', 'F', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF', 'n', 'N', 'no', 'No', 'NO', '0'])(
    'is false for %j',
    (value) => {
      expect(flag().decode(value, [])).toBe(false)
    },
  )
  it.each([2, '', 'oui', 'tRUE', {}])('refuses %j', (value) => {
    expect(refusal(flag(), value)).toMatch(/^Not a valid boolean\. Got .*; send true or false\.$/)
  })
})

describe('a date', () => {
  it.each([
    ['2026-08-25', '2026-08-25'],
    ['2025-4-1', '2025-04-01'],
    ['2024-02-29', '2024-02-29'],
  ])('reads %j', (value, read) => {
    expect(date().decode(value, [])).toBe(read)
  })

  it.each(['2025-02-29', '2026-13-01', '25-08-2026', '2026/08/25', '', 20260825, '0000-01-01', '2026-08-25T00:00:00'])(
    'refuses %j',
    (value) => {
      expect(refusal(date(), value)).toMatch(/^Not a valid date\. Got .*; write it as YYYY-MM-DD/)
    },
  )
})
