import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDecimal, PRICE_DECIMALS, QUANTITY_DECIMALS } from '../kernel/fixed.ts'
import { FieldProblem } from './field-type.ts'
import { type DecimalOptions, integer, price, quantity } from './number-fields.ts'

const messageOf = (result: unknown): string => {
  if (!(result instanceof FieldProblem)) throw new Error(`expected a problem, got ${String(result)}`)
  return result.errors.map((error) => error.message).join(' ')
}

describe('a price', () => {
  it.each([
    [800.5, 80050000000],
    ['800.5', 80050000000],
    [' 5 ', 500000000],
    ['1e3', 100000000000],
    ['+7', 700000000],
    ['.5', 50000000],
    ['5.', 500000000],
    [0, 0],
    [-0, 0],
    ['-0', 0],
    [0.1, 10000000],
    [0.00000001, 1],
    ['0.000000010', 1],
    [90_071_992, 9007199200000000],
    ['90071992.54740991', 9007199254740991],
  ])('reads %j exactly', (value, units) => {
    const read = price().decode(value, [])
    expect(Object.is(read, units)).toBe(true)
  })

  it.each([
    ['', 'Not a valid number. Got "".'],
    ['  ', 'Not a valid number. Got "  ".'],
    ['abc', 'Not a valid number. Got "abc".'],
    ['1,000', 'Not a valid number. Got "1,000".'],
    ['0x10', 'Not a valid number. Got "0x10".'],
    [true, 'Not a valid number. Got true.'],
    [[5], 'Not a valid number. Got a list of 1 item.'],
    [{}, 'Not a valid number. Got an object.'],
    ['NaN', 'Special numeric values (nan or infinity) are not permitted. Got "NaN".'],
    ['-inf', 'Special numeric values (nan or infinity) are not permitted. Got "-inf".'],
    [Number.POSITIVE_INFINITY, 'Special numeric values (nan or infinity) are not permitted. Got Infinity.'],
    [-1, 'Price must be a non-negative number. Got -1.'],
    ['-0.05', 'Price must be a non-negative number. Got "-0.05".'],
    [-1e300, 'Price must be a non-negative number. Got -1e+300.'],
    ['1.123456789', 'Price must have at most 8 decimals. Got "1.123456789".'],
    [100.0000000001, 'Price must have at most 8 decimals. Got 100.0000000001.'],
    [1e12, 'Price must be at most 90071992.54740991. Got 1000000000000.'],
  ])('refuses %j', (value, message) => {
    expect(messageOf(price().decode(value, []))).toBe(message)
  })

  it('goes by the name its messages should have', () => {
    const trigger = price({ noun: 'Trigger price' })
    expect(messageOf(trigger.decode(-1, []))).toBe('Trigger price must be a non-negative number. Got -1.')
  })

  it('shortens what it repeats', () => {
    expect(messageOf(price().decode('9'.repeat(1000), [])).length).toBeLessThan(120)
  })
})

describe('a quantity', () => {
  it.each([0, '0', -5, '-5', '-0.0'])('refuses %j', (value) => {
    expect(messageOf(quantity().decode(value, []))).toMatch(/^Quantity must be a positive number\. Got /)
  })

  it('may be signed where that makes sense', () => {
    expect(quantity({ sign: 'any' }).decode('-75', [])).toBe(-75_000_000)
  })

  it('has at most 6 decimals', () => {
    expect(quantity().decode(0.000001, [])).toBe(1)
    expect(messageOf(quantity().decode(0.0000001, []))).toBe('Quantity must have at most 6 decimals. Got 1e-7.')
  })
})

describe('decimals', () => {
  const kinds: [string, number, (options: DecimalOptions) => ReturnType<typeof price | typeof quantity>][] = [
    ['price', PRICE_DECIMALS, price],
    ['quantity', QUANTITY_DECIMALS, quantity],
  ]
  it.each(kinds)('a %s is the decimal that was sent, as text and as a number', (_name, decimals, make) => {
    const field = make({ sign: 'any' })
    fc.assert(
      fc.property(fc.maxSafeInteger(), (units) => {
        const text = formatDecimal(units, decimals)
        expect(field.decode(text, [])).toBe(units)
        // A double has no more than 15 certain digits.
        if (Math.abs(units) < 1e15) expect(field.decode(Number(text), [])).toBe(units)
      }),
    )
  })

  it.each(kinds)('a %s reads a JSON number as its text', (_name, _decimals, make) => {
    const field = make({ sign: 'any' })
    fc.assert(
      fc.property(
        fc.oneof(
          fc.double({ noNaN: true }),
          fc.integer().map((n) => n / 100),
        ),
        (value) => {
          const read = field.decode(value, [])
          const asText = field.decode(String(value), [])
          expect(typeof read === 'number' ? read : 'refused').toBe(typeof asText === 'number' ? asText : 'refused')
        },
      ),
    )
  })
})

describe('an integer', () => {
  const strikes = integer({ min: 1, max: 50 })

  it.each([
    [1, 1],
    ['50', 50],
    [' 7 ', 7],
    [5.0, 5],
    ['1e1', 10],
  ])('reads %j', (value, read) => {
    expect(strikes.decode(value, [])).toBe(read)
  })

  it.each([
    [1.7, 'Not a valid integer. Got 1.7.'],
    ['1.5', 'Not a valid integer. Got "1.5".'],
    [true, 'Not a valid integer. Got true.'],
    ['', 'Not a valid integer. Got "".'],
    [0, 'Must be greater than or equal to 1 and less than or equal to 50. Got 0.'],
    ['51', 'Must be greater than or equal to 1 and less than or equal to 50. Got "51".'],
    [1e300, 'Must be greater than or equal to 1 and less than or equal to 50. Got 1e+300.'],
  ])('refuses %j', (value, message) => {
    expect(messageOf(strikes.decode(value, []))).toBe(message)
  })

  it('states the rule it was given', () => {
    const split = integer({ min: 1, rule: 'Split size must be a positive integer.' })
    expect(messageOf(split.decode('0', []))).toBe('Split size must be a positive integer. Got "0".')
  })
})
