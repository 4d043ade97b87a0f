import { isAscii } from 'node:buffer'
import { assert } from '../../kernel/assert.ts'

/** A column of texts as bytes that follow each other: a quarter of what the same strings take. Unchangeable. */
export class Texts {
  readonly bytes: Buffer
  /** Where each row's text ends; it begins where the one before ends. */
  readonly ends: Uint32Array
  readonly #encoding: 'latin1' | 'utf8'

  constructor(bytes: Uint8Array, ends: Uint32Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.ends = ends
    this.#encoding = isAscii(bytes) ? 'latin1' : 'utf8' // the same for ASCII, but latin1 is read without looking at it
  }

  get size(): number {
    return this.ends.length
  }

  at(row: number): string {
    return this.bytes.toString(this.#encoding, this.startOf(row), this.endOf(row))
  }

  startOf(row: number): number {
    return row === 0 ? 0 : (this.ends[row - 1] ?? 0)
  }

  endOf(row: number): number {
    return this.ends[row] ?? 0
  }

  /** Whether the row's text is exactly this one. */
  is(row: number, text: string): boolean {
    const start = this.startOf(row)
    const { length } = text
    if (this.endOf(row) - start !== length) return this.#encoding === 'utf8' && this.at(row) === text
    const { bytes } = this
    for (let i = 0; i < length; i += 1) {
      const code = text.charCodeAt(i)
      if (code > 0x7f) return this.at(row) === text
      if (bytes[start + i] !== code) return false
    }
    return true
  }
}

/** Bytes of most texts, on average. */
const TEXT_BYTES = 24

/** Texts that are still being added. */
export class TextsBuilder {
  #bytes: Buffer
  #length = 0
  #ends: Uint32Array
  #size = 0

  /** `rows` is about how many will be added. */
  constructor(rows: number) {
    this.#bytes = Buffer.alloc(rows * TEXT_BYTES)
    this.#ends = new Uint32Array(rows)
  }

  get size(): number {
    return this.#size
  }

  add(text: string): void {
    const { length } = text
    // No letter takes more than three bytes for each of its UTF-16 units
    if (this.#length + 3 * length > this.#bytes.length) this.#growBytes(3 * length)
    const bytes = this.#bytes
    const start = this.#length
    let end = start
    for (let i = 0; i < length; i += 1) {
      const code = text.charCodeAt(i)
      if (code > 0x7f) {
        end = start + bytes.write(text, start, 'utf8')
        break
      }
      bytes[end] = code
      end += 1
    }
    this.#length = end
    if (this.#size === this.#ends.length) {
      const ends = new Uint32Array(this.#ends.length * 2)
      ends.set(this.#ends)
      this.#ends = ends
    }
    this.#ends[this.#size] = end
    this.#size += 1
  }

  /** Whether that row's text is exactly this one. */
  is(row: number, text: string): boolean {
    const start = row === 0 ? 0 : (this.#ends[row - 1] ?? 0)
    const end = this.#ends[row] ?? 0
    if (end - start !== text.length) return false
    for (let i = 0; i < text.length; i += 1) if (this.#bytes[start + i] !== text.charCodeAt(i)) return false
    return true
  }

  /** What is there: memory that was never written to takes none. */
  seal(): Texts {
    return new Texts(this.#bytes.subarray(0, this.#length), this.#ends.subarray(0, this.#size))
  }

  #growBytes(more: number): void {
    const bytes = Buffer.alloc((this.#bytes.length + more) * 2)
    assert(bytes.length < 2 ** 32, 'texts of 4 GB')
    bytes.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = bytes
  }
}
