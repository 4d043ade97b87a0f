import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  bytesOfRows,
  joinedRows,
  type PackedRows,
  packedTexts,
  RowPacker,
  RowReader,
  rowsOfBytes,
} from './packed-rows.ts'

const COLUMNS = 'tntt'
const ROWS_MAX = 50

const text = fc.oneof(fc.constantFrom('', 'a', 'b'), fc.string({ unit: 'binary', maxLength: 8 }), fc.constant('\ud83d'))
const row = fc.tuple(text, fc.double({ noNaN: true, noDefaultInfinity: true }), text, text)
type Row = readonly [string, number, string, string]

function packRow(packer: RowPacker, [first, number, second, own]: Row): void {
  packer.text(first)
  packer.number(number)
  packer.text(second)
  packer.uniqueText(own)
}

function unpacked(rows: PackedRows): Row[] {
  const reader = new RowReader(rows)
  return Array.from({ length: reader.count }, (_, at) => [
    reader.text(0, at),
    reader.number(1, at),
    reader.text(2, at),
    reader.text(3, at),
  ])
}

function packed(rows: readonly Row[]): PackedRows {
  const packer = new RowPacker(COLUMNS, Math.max(1, rows.length))
  for (const each of rows) packRow(packer, each)
  return packer.take()
}

test('rows come out of another thread as they went in', () => {
  const packer = new RowPacker(COLUMNS, ROWS_MAX)
  fc.assert(
    fc.property(fc.array(row, { maxLength: ROWS_MAX }), (rows) => {
      for (const [index, each] of rows.entries()) {
        expect([packer.count, packer.isFull]).toEqual([index, false])
        packRow(packer, each)
      }
      expect([packer.count, packer.isFull]).toEqual([rows.length, rows.length === ROWS_MAX])
      const taken = packer.take()
      expect(unpacked(structuredClone(taken))).toEqual(rows)
      const shared = new Set(rows.flatMap(([first, , second]) => [first, second]))
      expect(packedTexts(taken)).toHaveLength(shared.size + rows.length)
      expect(packer.count).toBe(0)
    }),
  )
})

test('rows come off the disk as they went there, but for halves of characters', () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: ROWS_MAX }), (rows) => {
      const bytes = bytesOfRows(packed(rows))
      expect(bytes.byteLength).toBe(bytes.buffer.byteLength) // nothing more is sent with them
      // Read wherever they stand in memory
      const read = unpacked(rowsOfBytes(Buffer.concat([Buffer.from('x'), bytes]).subarray(1)))
      expect(read.map((each) => each[1])).toEqual(rows.map((each) => each[1]))
      for (const column of [0, 2, 3] as const)
        for (const [index, each] of rows.entries()) {
          const isWhole = rows.every((other) => [other[0], other[2], other[3]].every((one) => one.isWellFormed()))
          if (isWhole) expect(read[index]?.[column]).toBe(each[column])
          else expect(read[index]?.[column].length).toBe(each[column].length)
        }
    }),
  )
})

test('packs are joined in their order, with every text once', () => {
  fc.assert(
    fc.property(fc.array(fc.array(row, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 4 }), (packs) => {
      const [first = packed([]), ...more] = packs.map(packed)
      const joined = joinedRows([first, ...more])
      expect(unpacked(joined)).toEqual(packs.flat())
      if (more.length === 0) return
      const texts = packedTexts(joined)
      expect(new Set(texts).size).toBe(texts.length)
    }),
  )
})

test('a text has all its places', () => {
  const rows = packed([
    ['x', 1, 'y', 'x'],
    ['y', 2, 'x', 'z'],
  ])
  const reader = new RowReader(rows)
  const isThere = (column: number, at: number, wanted: string) => reader.placesOf(wanted).has(reader.number(column, at))
  for (const column of [0, 2, 3])
    for (const at of [0, 1])
      for (const wanted of ['x', 'y', 'z']) expect(isThere(column, at, wanted)).toBe(reader.text(column, at) === wanted)
  expect(reader.placesOf('none').size).toBe(0)
  expect(() => reader.number(0, 9)).toThrow('a packed row is read that is not there')
})

test('texts are kept clean, each once', () => {
  const packer = new RowPacker('tt', 2, (kept) => kept.toUpperCase())
  for (const kept of ['x', 'y', 'y']) packer.text(kept)
  packer.uniqueText('y')
  const { text: texts, lengths } = packer.take()
  expect([texts, [...lengths]]).toEqual(['XYY', [1, 1, 1]])
})

test.each([Number.NaN, Number.POSITIVE_INFINITY])('%d is no number to pack', (value) => {
  expect(() => new RowPacker('n', 1).number(value)).toThrow(`a packed number is ${value}`)
})

test.each([
  ['half a row', 1],
  ['more than there is room for', 6],
])('%s is not taken', (_what, values) => {
  const packer = new RowPacker('nn', 2)
  for (let value = 0; value < values; value += 1) packer.number(value)
  expect(() => packer.take()).toThrow('rows are packed whole, and no more than there is room for')
})

test('bytes that are cut off or of another layout are no rows', () => {
  const bytes = bytesOfRows(packed([['a', 1, 'b', 'c']]))
  expect(() => rowsOfBytes(bytes.subarray(0, 20))).toThrow('packed rows are cut off')
  bytes[0] = 9
  expect(() => rowsOfBytes(bytes)).toThrow('packed rows have layout 9, not 1')
})
