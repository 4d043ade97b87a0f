import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { FieldError } from '../kernel/errors.ts'
import { FieldProblem } from './field-type.ts'
import { FIELD_ERRORS_MAX, list, object } from './nested-fields.ts'
import { integer, price, quantity } from './number-fields.ts'
import { choice, date, flag, text } from './text-fields.ts'

const order = object(
  {
    symbol: text({ min: 1 }),
    exchange: choice(['NSE', 'BSE']),
    quantity: quantity(),
    pricetype: choice(['MARKET', 'LIMIT']).optional('MARKET'),
    note: text().orNull().optional(),
  },
  { ignored: { target: 'Plain orders have no target.' } },
)
const basket = object({ orders: list(order, { min: 1, max: 3, noun: 'Orders' }) })

const errorsOf = (result: unknown): readonly FieldError[] => {
  if (!(result instanceof FieldProblem)) throw new Error('expected a problem')
  return result.errors
}

const good = { symbol: 'SBIN', exchange: 'NSE', quantity: 1 }

describe('an object', () => {
  it('gives every field, absent ones with their default', () => {
    expect(order.decode(good, [])).toEqual({
      symbol: 'SBIN',
      exchange: 'NSE',
      quantity: 1_000_000,
      pricetype: 'MARKET',
      note: undefined,
    })
    expect(order.decode({ ...good, note: null }, [])).toMatchObject({ note: undefined })
  })

  it('tells all that is wrong at once', () => {
    expect(errorsOf(order.decode({ exchange: 'NSEE', quantity: null, pricetyp: 'LIMIT' }, []))).toEqual([
      { field: 'symbol', message: 'Missing data for required field.' },
      { field: 'exchange', message: 'Must be one of: NSE, BSE. Got "NSEE"; did you mean NSE?' },
      { field: 'quantity', message: 'Field may not be null.' },
      { field: 'pricetyp', message: 'Unknown field. There is no field "pricetyp"; did you mean pricetype?' },
    ])
  })

  it('lists its fields when an unknown one looks like none of them', () => {
    expect(errorsOf(order.decode({ ...good, zzzzzzzzzz: 1 }, []))).toEqual([
      {
        field: 'zzzzzzzzzz',
        message:
          'Unknown field. There is no field "zzzzzzzzzz"; known fields are exchange, note, pricetype, quantity, symbol.',
      },
    ])
  })

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('has no field %s', (name) => {
    const sent: unknown = JSON.parse(`{"symbol":"SBIN","exchange":"NSE","quantity":1,"${name}":{"quantity":9}}`)
    expect(errorsOf(order.decode(sent, [])).map((error) => error.field)).toEqual([name])
    expect(Object.keys(Object.prototype)).toEqual([])
  })

  it('reads a field from the object itself only', () => {
    const sent: unknown = JSON.parse('{"__proto__":{"symbol":"SBIN","exchange":"NSE","quantity":1}}')
    expect(errorsOf(order.decode(sent, [])).map((error) => error.field)).toEqual([
      'symbol',
      'exchange',
      'quantity',
      '__proto__',
    ])
  })

  it('asks for rules between fields only when each is right', () => {
    const range = object(
      { from: integer(), to: integer() },
      { check: ({ from, to }) => (from <= to ? [] : [{ field: 'from', message: 'Must not be after to.' }]) },
    )
    expect(range.decode({ from: 1, to: 2 }, [])).toEqual({ from: 1, to: 2 })
    expect(errorsOf(range.decode({ from: 3, to: 2 }, []))).toEqual([
      { field: 'from', message: 'Must not be after to.' },
    ])
    expect(errorsOf(range.decode({ from: 3, to: 'x' }, []))).toHaveLength(1)
  })

  it.each([[null], [[]], ['text'], [5]])('is not %j', (value) => {
    expect(errorsOf(order.decode(value, []))[0]?.message).toMatch(/^Not a valid mapping type\. Got /)
  })
})

describe('a list', () => {
  it('says where in it something is wrong', () => {
    const sent = { orders: [good, { ...good, quantity: '-5' }, { ...good, exchang: 'NSE' }] }
    expect(errorsOf(basket.decode(sent, [])).map((error) => error.field)).toEqual([
      'orders[1].quantity',
      'orders[2].exchang',
    ])
  })

  it('says where an ignored field stands', () => {
    const warnings: FieldError[] = []
    basket.decode({ orders: [good, { ...good, target: 5 }] }, warnings)
    expect(warnings).toEqual([{ field: 'orders[1].target', message: 'Plain orders have no target.' }])
  })

  it.each([
    [[], 'Orders must contain 1 to 3 items. Got 0.'],
    [[1, 2, 3, 4], 'Orders must contain 1 to 3 items. Got 4.'],
    ['x', 'Not a valid list. Got "x".'],
    [{ 0: good }, 'Not a valid list. Got an object.'],
  ])('refuses %j', (orders, message) => {
    expect(errorsOf(basket.decode({ orders }, []))).toEqual([{ field: 'orders', message }])
  })

  it('tells a bounded number of errors', () => {
    const many = object({ numbers: list(integer(), { min: 1, max: 1000 }) })
    expect(errorsOf(many.decode({ numbers: Array(1000).fill('x') }, []))).toHaveLength(FIELD_ERRORS_MAX)
  })
})

describe('decoding', () => {
  const everything = object({
    a: price().optional(),
    b: quantity({ sign: 'any' }).orNull().optional(),
    c: integer({ min: 0, max: 9 }).optional(),
    d: text({ digits: true, canonical: true }).optional(),
    e: flag().optional(),
    f: choice(['X', 'Y'], { lowerCase: true }).optional(),
    g: date().optional(),
    h: list(order, { min: 0, max: 5 }).optional(),
  })

  it('never throws, whatever is sent', () => {
    const value = fc.oneof(fc.jsonValue(), fc.string(), fc.double(), fc.constant(undefined))
    const names = fc.oneof(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', '__proto__'), fc.string())
    const sent = fc.oneof(value, fc.dictionary(names, value, { noNullPrototype: false }))
    fc.assert(
      fc.property(sent, (body) => {
        const result = everything.decode(body, [])
        if (result instanceof FieldProblem) {
          expect(result.errors.length).toBeGreaterThan(0)
          for (const error of result.errors) expect(error.message.length).toBeLessThan(400)
        }
      }),
      { numRuns: 500 },
    )
  })
})
