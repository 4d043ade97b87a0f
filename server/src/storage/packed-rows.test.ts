import fc from 'fast-check'
import { expect, test } from 'vitest'
import { packedTexts, RowPacker, unpacked } from './packed-rows.ts'

const text = fc.oneof(fc.constantFrom('', 'a', 'b'), fc.string({ unit: 'binary', maxLength: 8 }), fc.constant('\ud83d'))
const row = fc.tuple(text, fc.double({ noNaN: true, noDefaultInfinity: true }), text, text)

test('rows come out of another thread as they went in', () => {
  const packer = new RowPacker('tntt', 50, (kept) => kept)
  fc.assert(
    fc.property(fc.array(row, { maxLength: 50 }), (rows) => {
      for (const [first, number, second, own] of rows) {
        packer.text(first)
        packer.number(number)
        packer.text(second)
        packer.uniqueText(own)
      }
      expect(packer.count).toBe(rows.length)
      expect(packer.isFull).toBe(rows.length === 50)
      const packed = packer.take()
      expect(unpacked(structuredClone(packed))).toEqual(rows)
      const shared = new Set(rows.flatMap(([first, , second]) => [first, second]))
      expect(packedTexts(packed)).toHaveLength(shared.size + rows.length)
      expect(packer.count).toBe(0)
    }),
  )
})

test('texts are kept clean, each once', () => {
  const packer = new RowPacker('tt', 2, (kept) => kept.toUpperCase())
  for (const kept of ['x', 'y', 'y']) packer.text(kept)
  packer.uniqueText('y')
  const packed = packer.take()
  expect([packed.text, unpacked(packed)]).toEqual([
    'XYY',
    [
      ['X', 'Y'],
      ['Y', 'Y'],
    ],
  ])
})

test.each([Number.NaN, Number.POSITIVE_INFINITY])('%d is no number to pack', (value) => {
  expect(() => new RowPacker('n', 1, (kept) => kept).number(value)).toThrow(`a packed number is ${value}`)
})
