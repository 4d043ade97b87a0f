import { assert } from '../kernel/assert.ts'

/**
 * Rows of numbers and texts in a few large pieces, which cost next to nothing to hand to another thread. A text that many
 * rows have is there once.
 */
export interface PackedRows {
  readonly count: number
  /** For each column one character: `NUMBER` or `TEXT`. */
  readonly columns: string
  /** Row by row. Of a text, its place among the texts. */
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
  readonly #numbers: Float64Array
  readonly #clean: (text: string) => string
  readonly #places = new Map<string, number>()
  #texts: string[] = []
  #next = 0

  /** At most so many rows at a time. `clean` is what becomes of a text. */
  constructor(columns: string, rowsMax: number, clean: (text: string) => string) {
    this.#columns = columns
    this.#numbers = new Float64Array(columns.length * rowsMax)
    this.#clean = clean
  }

  /** Whole rows that wait to be taken. */
  get count(): number {
    return Math.floor(this.#next / this.#columns.length)
  }

  get isFull(): boolean {
    return this.#next === this.#numbers.length
  }

  /** A finite number. */
  number(value: number): void {
    assert(Number.isFinite(value), () => `a packed number is ${value}`)
    this.#numbers[this.#next++] = value
  }

  /** A text that other rows are likely to have too. */
  text(text: string): void {
    let place = this.#places.get(text)
    if (place === undefined) {
      place = this.#texts.push(this.#clean(text)) - 1
      this.#places.set(text, place)
    }
    this.#numbers[this.#next++] = place
  }

  /** A text that no other row is likely to have. */
  uniqueText(text: string): void {
    this.#numbers[this.#next++] = this.#texts.push(this.#clean(text)) - 1
  }

  /** What was packed so far; what comes begins anew. */
  take(): PackedRows {
    const texts = this.#texts
    assert(this.#next % this.#columns.length === 0, 'rows are packed whole')
    const lengths = new Uint32Array(texts.length)
    for (let place = 0; place < texts.length; place += 1) lengths[place] = texts[place]?.length ?? 0
    const packed = {
      count: this.count,
      columns: this.#columns,
      numbers: this.#numbers.slice(0, this.#next),
      text: texts.join(''),
      lengths,
    }
    this.#next = 0
    this.#texts = []
    this.#places.clear()
    return packed
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

/** The value of each column, row by row. In plain loops, since every request and its dozen of values goes through here. */
export function unpacked(rows: PackedRows): (number | string)[][] {
  const { columns, numbers } = rows
  const texts = packedTexts(rows)
  const isText = Array.from(columns, (kind) => kind === TEXT)
  const lists: (number | string)[][] = []
  for (let from = 0; from < numbers.length; from += columns.length) {
    const list: (number | string)[] = []
    for (let column = 0; column < columns.length; column += 1) {
      const number = numbers[from + column] ?? Number.NaN
      const value = isText[column] ? texts[number] : number
      assert(value !== undefined, 'a packed text is there')
      list.push(value)
    }
    lists.push(list)
  }
  return lists
}
