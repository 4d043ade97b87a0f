import { deserialize, serialize } from 'node:v8'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { BatchBuilder, BatchReader } from './writer-protocol.ts'

const value = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string(),
  fc.constantFrom('', '\ud800', '\udc00', 'é', '₹'),
  fc.integer(),
  fc.double({ noNaN: true }),
  fc.bigInt(),
  fc.constant(null),
  fc.uint8Array(),
)

it('a batch arrives as the values it was made of, and the next one begins empty', () => {
  fc.assert(
    fc.property(fc.array(value), fc.array(value), (first, second) => {
      const builder = new BatchBuilder()
      for (const values of [first, second]) {
        for (const one of values) builder.add(one)
        const reader = new BatchReader(deserialize(serialize(builder.take())))
        const read: unknown[] = []
        while (!reader.isAtEnd) read.push(reader.next())
        expect(read.map((one) => (one instanceof Uint8Array ? [...one] : one))).toEqual(
          values.map((one) => (one instanceof Uint8Array ? [...one] : one)),
        )
      }
    }),
  )
  expect(() => new BatchReader(new BatchBuilder().take()).next()).toThrow()
})
