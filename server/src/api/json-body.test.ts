import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { JSON_DEPTH_MAX, jsonErrorOffset, parseJson } from './json-body.ts'

const refusal = (body: string | Buffer): string => {
  try {
    parseJson(Buffer.from(body as string))
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('expected a refusal')
}

describe('a JSON body', () => {
  it('is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.stringify(parseJson(Buffer.from(JSON.stringify(value))))).toBe(JSON.stringify(value))
      }),
    )
  })

  it('may begin with a byte order mark', () => {
    expect(parseJson(Buffer.from('\uFEFF{"a":1}'))).toEqual({ a: 1 })
  })

  it.each([
    ['{"a":1,}', 'The request body is not valid JSON: something is wrong at line 1, column 8.'],
    ["{'a':1}", 'The request body is not valid JSON: something is wrong at line 1, column 2.'],
    ['{"a": secret}', 'The request body is not valid JSON: something is wrong at line 1, column 7.'],
    ['{\n  "a": 1\n  "b": 2\n}', 'The request body is not valid JSON: something is wrong at line 3, column 3.'],
    ['{"a":1', 'The request body is not valid JSON: it ends too early.'],
    ['{"a":"b', 'The request body is not valid JSON: it ends too early.'],
    ['{"a":"\n"}', 'The request body is not valid JSON: something is wrong at line 1, column 7.'],
    ['{}{}', 'The request body is not valid JSON: something is wrong at line 1, column 3.'],
    ['[1]]', 'The request body is not valid JSON: something is wrong at line 1, column 4.'],
    ['symbol=SBIN', 'The request body is not valid JSON: something is wrong at line 1, column 1.'],
    ['   ', 'The request body is not valid JSON: it ends too early.'],
    ['{"a":NaN}', 'The request body is not valid JSON: something is wrong at line 1, column 6.'],
  ])('%j is refused with the place of the error', (body, message) => {
    expect(refusal(body)).toBe(message)
  })

  it('is refused when it is empty, or not UTF-8', () => {
    expect(refusal('')).toMatch(/^The request body is empty; /)
    expect(refusal(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))).toMatch(/not valid UTF-8/)
    expect(parseJson(Buffer.from('"\uFFFD"'))).toBe('\uFFFD')
  })

  it('nested deeply is refused without running out of stack', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
    expect(refusal('['.repeat(100_000))).toMatch(/ends too early/)
    expect(refusal(nested(100_000))).toMatch(/more than 32 deep/)
    expect(refusal(nested(JSON_DEPTH_MAX + 1))).toMatch(/more than 32 deep/)
    expect(Array.isArray(parseJson(Buffer.from(nested(JSON_DEPTH_MAX))))).toBe(true)
  })

  it.each([
    '{"quantity":1,"quantity":100}',
    '{"a":1,"b":2,"\\u0061":3}',
    '[{"a":{"b":1,"b":1}}]',
    '{"__proto__":1,"__proto__":2}',
    '{"":1,"":2}',
  ])('%s has a field twice and is refused', (body) => {
    expect(refusal(body)).toMatch(/a field twice/)
  })

  it.each(['{"a":"b:c","b":"\\":\\\\"}', '{"__proto__":{"a":1},"a":1}', '[{"a":1},{"a":1}]', '{"a:b":{"a":":"}}'])(
    '%s has none twice and is read',
    (body) => {
      expect(JSON.stringify(parseJson(Buffer.from(body)))).toBe(body)
    },
  )
})

describe('the place of an error', () => {
  it('is never past a place where the text could still have become JSON', () => {
    const pieces = fc.array(
      fc.constantFrom('{', '}', '[', ']', ':', ',', '"a"', '"', '1', '-', 'true', 'nul', ' ', '\\'),
    )
    fc.assert(
      fc.property(pieces, (parts) => {
        const text = parts.join('')
        let valid = true
        try {
          JSON.parse(text)
        } catch {
          valid = false
        }
        const offset = jsonErrorOffset(text)
        expect(offset).toBeGreaterThanOrEqual(0)
        expect(offset).toBeLessThanOrEqual(text.length)
        if (valid) expect(offset).toBe(text.length)
      }),
    )
  })
})
