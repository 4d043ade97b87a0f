/** Letters are numbered: 1 … 39 each stands for one letter, OTHER for all others, 0 ends a text. */
const OTHER = 40
const KINDS = 41
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789&-.'

const NUMBER_OF_CODE = new Uint8Array(128).fill(OTHER)
NUMBER_OF_CODE[10] = 0
for (let i = 0; i < LETTERS.length; i += 1) NUMBER_OF_CODE[LETTERS.charCodeAt(i)] = i + 1

/** Rows of short runs kept; about 10 KB each for 80,000 rows. */
const SHORT_RUNS_MAX = 100

const numbersOf = (text: string): Uint8Array =>
  Uint8Array.from(text, (_, i) => NUMBER_OF_CODE[text.charCodeAt(i)] ?? OTHER)

/**
 * For every three letters that follow each other, the rows whose text holds them. Words of one and two letters are
 * the runs of all threes that begin with them, so they are found without looking at any text; in longer words the
 * threes leave few rows to look at.
 */
export class GramIndex {
  readonly #size: number
  readonly #words: number
  /** The texts of all rows in numbers, each ended by two zeros. */
  readonly #letters: Uint8Array
  readonly #starts: Uint32Array
  /**
   * Rows of three letters n, ascending, as steps from one to the next: bytes #ends[n - 1] … #ends[n] - 1 of #steps, the low
   * seven bits of a step first. Most take one byte instead of four.
   */
  readonly #ends: Uint32Array
  readonly #steps: Uint8Array
  /** One and two letters have up to hundreds of thousands of places, so their rows are kept when first found. */
  readonly #shortRuns = new Map<number, Uint32Array>()

  /** Texts are upper case; parts that words may not cross are divided by a line feed. */
  constructor(size: number, textOf: (row: number) => string) {
    this.#size = size
    this.#words = Math.ceil(size / 32)
    this.#starts = new Uint32Array(size + 1)
    this.#letters = this.#collect(textOf)
    this.#ends = new Uint32Array(KINDS ** 3)
    this.#steps = this.#index()
  }

  /** All rows, as bits. */
  all(): Uint32Array {
    const rows = new Uint32Array(this.#words).fill(0xffff_ffff)
    const rest = this.#size & 31
    if (rest !== 0) rows[this.#words - 1] = 0xffff_ffff >>> (32 - rest)
    return rows
  }

  /**
   * Rows that hold the word, as bits. `isSure` is false when the word has letters without a number of their own: then
   * the texts of these rows must be looked at.
   */
  rowsWith(word: string): { readonly rows: Uint32Array; readonly isSure: boolean } {
    const letters = numbersOf(word)
    const isSure = !letters.includes(OTHER)
    let rows = this.#rowsOfRun(letters.subarray(0, 3))
    for (let i = 1; i + 3 <= letters.length; i += 1) {
      const more = this.#rowsOfRun(letters.subarray(i, i + 3))
      rows = rows.map((bits, word) => bits & (more[word] ?? 0))
    }
    if (letters.length > 3) this.#keepHolders(rows, letters)
    return { rows, isSure }
  }

  #collect(textOf: (row: number) => string): Uint8Array {
    let letters = new Uint8Array(this.#size * 48 + 64)
    let end = 0
    for (let row = 0; row < this.#size; row += 1) {
      const text = textOf(row)
      if (end + text.length + 2 > letters.length) {
        const larger = new Uint8Array(letters.length * 2 + text.length)
        larger.set(letters)
        letters = larger
      }
      this.#starts[row] = end
      for (let i = 0; i < text.length; i += 1) letters[end + i] = NUMBER_OF_CODE[text.charCodeAt(i)] ?? OTHER
      end += text.length + 2
    }
    this.#starts[this.#size] = end
    return letters.slice(0, end)
  }

  #index(): Uint8Array {
    const ends = this.#ends
    this.#eachGram((key, step) => {
      ends[key] = (ends[key] ?? 0) + (step < 0x80 ? 1 : step < 0x4000 ? 2 : step < 0x20_0000 ? 3 : 4)
    })
    let total = 0
    for (let key = 0; key < ends.length; key += 1) {
      const bytes = ends[key] ?? 0
      ends[key] = total
      total += bytes
    }
    const steps = new Uint8Array(total)
    this.#eachGram((key, step) => {
      let end = ends[key] ?? 0
      let left = step
      for (; left >= 0x80; left >>>= 7) {
        steps[end] = (left & 0x7f) | 0x80
        end += 1
      }
      steps[end] = left
      ends[key] = end + 1
    })
    return steps
  }

  /** Visits each row's threes once, with the step from the last row that has them (from -1 at first). */
  #eachGram(visit: (key: number, step: number) => void): void {
    const last = new Int32Array(KINDS ** 3).fill(-1)
    for (let row = 0; row < this.#size; row += 1) {
      const end = (this.#starts[row + 1] ?? 0) - 2
      for (let i = this.#starts[row] ?? 0; i < end; i += 1) {
        const key = this.#keyAt(i)
        const step = row - (last[key] ?? -1)
        if (key < KINDS * KINDS || step === 0) continue // nothing is looked for by a text's end
        last[key] = row
        visit(key, step)
      }
    }
  }

  #keyAt(i: number): number {
    const letters = this.#letters
    return ((letters[i] ?? 0) * KINDS + (letters[i + 1] ?? 0)) * KINDS + (letters[i + 2] ?? 0)
  }

  /** Rows that hold one, two or three letters in a row; the caller may change them. */
  #rowsOfRun(letters: Uint8Array): Uint32Array {
    let key = 0
    for (const letter of letters) key = key * KINDS + letter
    if (letters.length === 3) return this.#collectRun(letters, key)
    const shortRun = letters.length * KINDS * KINDS + key
    let rows = this.#shortRuns.get(shortRun)
    if (rows === undefined) {
      if (this.#shortRuns.size >= SHORT_RUNS_MAX) this.#shortRuns.clear()
      rows = this.#collectRun(letters, key)
      this.#shortRuns.set(shortRun, rows)
    }
    return rows.slice()
  }

  #collectRun(letters: Uint8Array, key: number): Uint32Array {
    const span = KINDS ** (3 - letters.length)
    const bits = new Uint32Array(this.#words)
    for (let run = key * span; run < (key + 1) * span; run += 1) this.#addRows(bits, run)
    return bits
  }

  #addRows(bits: Uint32Array, key: number): void {
    const steps = this.#steps
    const to = this.#ends[key] ?? 0
    let row = -1
    for (let i = this.#ends[key - 1] ?? 0; i < to; ) {
      let step = 0
      for (let shift = 0, more = true; more; shift += 7) {
        const byte = steps[i] ?? 0
        step |= (byte & 0x7f) << shift
        more = byte >= 0x80
        i += 1
      }
      row += step
      bits[row >>> 5] = (bits[row >>> 5] ?? 0) | (1 << (row & 31))
    }
  }

  #keepHolders(rows: Uint32Array, word: Uint8Array): void {
    forEachBit(rows, (row) => {
      if (!this.#holds(row, word)) rows[row >>> 5] = (rows[row >>> 5] ?? 0) & ~(1 << (row & 31))
      return true
    })
  }

  #holds(row: number, word: Uint8Array): boolean {
    const letters = this.#letters
    const first = word[0]
    const last = (this.#starts[row + 1] ?? 0) - 2 - word.length
    for (let start = this.#starts[row] ?? 0; start <= last; start += 1) {
      if (letters[start] !== first) continue
      let length = 1
      while (length < word.length && letters[start + length] === word[length]) length += 1
      if (length === word.length) return true
    }
    return false
  }
}

export function countBits(bits: Uint32Array): number {
  let count = 0
  for (const word of bits) {
    let v = word - ((word >>> 1) & 0x5555_5555)
    v = (v & 0x3333_3333) + ((v >>> 2) & 0x3333_3333)
    count += Math.imul((v + (v >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24
  }
  return count
}

/** Calls `visit` with the number of each set bit, ascending, until it returns false. A visit may clear its own bit. */
export function forEachBit(bits: Uint32Array, visit: (index: number) => boolean): void {
  for (let word = 0; word < bits.length; word += 1) {
    let left = bits[word] ?? 0
    while (left !== 0) {
      const bit = 31 - Math.clz32(left & -left)
      left &= left - 1
      if (!visit(word * 32 + bit)) return
    }
  }
}
