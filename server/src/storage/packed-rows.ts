import { assert } from '../kernel/assert.ts'

/**
 * Rows of numbers and texts in a few large pieces, which cost next to nothing to hand to another thread or to write to disk.
 * A text that many rows have is there once.
 */
export interface PackedRows {
  readonly count: number
  /** For each column one character: `NUMBER` or `TEXT`. */
  readonly columns: string
  /** Column by column. Of a text, its place among the texts. */
  readonly numbers: Float64Array
  /** All texts, one behind the other. */
  readonly text: string
  readonly lengths: Uint32Array
}

export const NUMBER = 'n'
export const TEXT = 't'

/** Packs rows, value by value in the order of the columns. */
export class RowPacker {
  readonly #columns: string
  readonly #rowsMax: number
  /** Of a column: all rows and one, which stays empty, so that whole rows and a half one are told apart. */
  readonly #stride: number
  /** Column by column. */
  readonly #numbers: Float64Array
  readonly #clean: (text: string) => string
  readonly #places = new Map<string, number>()
  #texts: string[] = []
  #lengths: number[] = []
  /** Where the next value comes; in the first column when rows are whole. */
  #next = 0

  /** At most so many rows at a time. `clean` is what becomes of a text. */
  constructor(columns: string, rowsMax: number, clean: (text: string) => string = (text) => text) {
    this.#columns = columns
    this.#rowsMax = rowsMax
    this.#stride = rowsMax + 1
    this.#numbers = new Float64Array(columns.length * this.#stride)
    this.#clean = clean
  }

  /** Rows that wait to be taken; asked between two rows. */
  get count(): number {
    return this.#next
  }

  get isFull(): boolean {
    return this.#next === this.#rowsMax
  }

  /** A finite number. */
  number(value: number): void {
    assert(Number.isFinite(value), () => `a packed number is ${value}`)
    this.#put(value)
  }

  /** A text that other rows are likely to have too. */
  text(text: string): void {
    let place = this.#places.get(text)
    if (place === undefined) {
      place = this.#keep(text)
      this.#places.set(text, place)
    }
    this.#put(place)
  }

  /** A text that no other row is likely to have. */
  uniqueText(text: string): void {
    this.#put(this.#keep(text))
  }

  /** What was packed so far; what comes begins anew. */
  take(): PackedRows {
    const [count, stride] = [this.#next, this.#stride]
    assert(count <= this.#rowsMax, 'rows are packed whole, and no more than there is room for')
    const numbers = new Float64Array(this.#columns.length * count)
    for (let column = 0; column < this.#columns.length; column += 1)
      numbers.set(this.#numbers.subarray(column * stride, column * stride + count), column * count)
    // Joined, since a text that grew would have to be followed to its parts at each look at one of its characters
    const text = this.#texts.join('')
    const packed = { count, columns: this.#columns, numbers, text, lengths: new Uint32Array(this.#lengths) }
    this.#next = 0
    this.#texts = []
    this.#lengths = []
    this.#places.clear()
    return packed
  }

  /** Returns its place. */
  #keep(text: string): number {
    const clean = this.#clean(text)
    this.#texts.push(clean)
    return this.#lengths.push(clean.length) - 1
  }

  #put(value: number): void {
    this.#numbers[this.#next] = value
    this.#next += this.#stride
    if (this.#next >= this.#numbers.length) this.#next -= this.#numbers.length - 1
  }
}

/** The texts of packed rows, by their places. */
export function packedTexts({ text, lengths }: Pick<PackedRows, 'text' | 'lengths'>): string[] {
  const texts: string[] = []
  let from = 0
  for (const length of lengths) {
    texts.push(text.slice(from, from + length))
    from += length
  }
  return texts
}

/** Reads packed rows: a column and a row are numbers from 0. */
export class RowReader {
  readonly count: number
  readonly #numbers: Float64Array
  readonly #text: string
  /** Where each text begins in `#text`, and where the last one ends. */
  readonly #begins: Uint32Array

  constructor({ count, numbers, text, lengths }: PackedRows) {
    this.count = count
    this.#numbers = numbers
    this.#text = text
    this.#begins = new Uint32Array(lengths.length + 1)
    for (let place = 0; place < lengths.length; place += 1)
      this.#begins[place + 1] = (this.#begins[place] ?? 0) + (lengths[place] ?? 0)
  }

  number(column: number, row: number): number {
    const number = this.#numbers[column * this.count + row]
    assert(number !== undefined, 'a packed row is read that is not there')
    return number
  }

  text(column: number, row: number): string {
    return this.#textAt(this.number(column, row))
  }

  /** Tells of a row's text where it stands in another, without making one of it. */
  visitText(column: number, row: number, visit: (text: string, from: number, to: number) => void): void {
    const place = this.number(column, row)
    const [from, to] = [this.#begins[place], this.#begins[place + 1]]
    assert(from !== undefined && to !== undefined, 'a packed text is there')
    visit(this.#text, from, to)
  }

  /** Where a text stands among the texts; several places when it isn't that of many rows everywhere. */
  placesOf(text: string): ReadonlySet<number> {
    const places = new Set<number>()
    for (let place = 0; place + 1 < this.#begins.length; place += 1) if (this.#textAt(place) === text) places.add(place)
    return places
  }

  #textAt(place: number): string {
    const end = this.#begins[place + 1]
    assert(end !== undefined, 'a packed text is there')
    return this.#text.slice(this.#begins[place], end)
  }
}

/** Packs of the same columns as one, in their order. */
export function joinedRows(packs: readonly [PackedRows, ...PackedRows[]]): PackedRows {
  const [{ columns }, ...more] = packs
  if (more.length === 0) return packs[0]
  const packer = new RowPacker(
    columns,
    packs.reduce((count, pack) => count + pack.count, 0),
  )
  for (const pack of packs) {
    assert(pack.columns === columns, 'packs that are joined have the same columns')
    const reader = new RowReader(pack)
    for (let row = 0; row < pack.count; row += 1)
      for (let column = 0; column < columns.length; column += 1)
        if (columns[column] === TEXT) packer.text(reader.text(column, row))
        else packer.number(reader.number(column, row))
  }
  return packer.take()
}

/** Layout, rows, columns, texts: a 32-bit number each, in front of all else. */
const HEAD_BYTES = 16
const LAYOUT = 1
const TEXTS_MAX = 65_536

/**
 * Packed rows as bytes for the disk, which compress well: the four numbers of the head, one ASCII character for each column,
 * the columns (numbers as 64-bit floating-point ones, texts as their places in 16 bits), the lengths of texts in 32 bits,
 * and in UTF-8 the texts. All little-endian. Half of a surrogate pair becomes U+FFFD.
 */
export function bytesOfRows({ count, columns, numbers, text, lengths }: PackedRows): Uint8Array {
  assert(lengths.length <= TEXTS_MAX, () => `${lengths.length} texts are too many to be packed as bytes`)
  const parts: (Uint8Array | Uint16Array | Uint32Array | Float64Array)[] = [
    new Uint32Array([LAYOUT, count, columns.length, lengths.length]),
    Buffer.from(columns, 'latin1'),
  ]
  for (let column = 0; column < columns.length; column += 1) {
    const values = numbers.subarray(column * count, (column + 1) * count)
    parts.push(columns[column] === TEXT ? new Uint16Array(values) : values)
  }
  parts.push(lengths)
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, Buffer.byteLength(text)))
  let to = 0
  for (const { buffer, byteOffset, byteLength } of parts) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), to)
    to += byteLength
  }
  new TextEncoder().encodeInto(text, bytes.subarray(to))
  return bytes
}

/** What `bytesOfRows` made bytes of. Throws when it can't have been. */
export function rowsOfBytes(bytes: Uint8Array): PackedRows {
  let from = 0
  // Copied, since typed arrays of wider numbers must stand at multiples of their width
  const next = (length: number): ArrayBuffer => {
    const part = new Uint8Array(bytes.subarray(from, from + length))
    assert(part.byteLength === length, 'packed rows are cut off')
    from += length
    return part.buffer
  }
  const [layout, count = 0, width = 0, texts = 0] = new Uint32Array(next(HEAD_BYTES))
  assert(layout === LAYOUT, () => `packed rows have layout ${layout}, not ${LAYOUT}`)
  const columns = Buffer.from(next(width)).toString('latin1')
  const numbers = new Float64Array(count * width)
  for (let column = 0; column < width; column += 1) {
    const values = columns[column] === TEXT ? new Uint16Array(next(count * 2)) : new Float64Array(next(count * 8))
    numbers.set(values, column * count)
  }
  const lengths = new Uint32Array(next(texts * 4))
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + from, bytes.byteLength - from).toString()
  return { count, columns, numbers, text, lengths }
}
