const SLOTS_AT_FIRST = 1 << 12

/** Whether a row has that symbol and exchange number. */
export type SameRow = (row: number, symbol: string, exchange: number) => boolean

/**
 * Rows by (symbol, exchange number): an open-addressing table of row numbers, which is smaller and faster to fill than
 * a Map of strings for hundreds of thousands of rows. It keeps no text: whoever asks compares.
 */
export class SymbolTable {
  /** Row + 1; 0 is free. */
  #slots: Uint32Array
  #hashes: Uint32Array

  /** `rows` is how many will be added, if known. */
  constructor(rows = 0) {
    let slots = SLOTS_AT_FIRST
    while (slots < rows * 2) slots *= 2
    this.#slots = new Uint32Array(slots)
    this.#hashes = new Uint32Array(slots / 2)
  }

  /** Adds the next row, counted from 0; false when the table has that symbol of that exchange already. */
  add(row: number, symbol: string, exchange: number, isSame: SameRow): boolean {
    if (row >= this.#hashes.length) this.#grow()
    const hash = hashOf(symbol, exchange)
    const mask = this.#slots.length - 1
    let slot = hash & mask
    for (; ; slot = (slot + 1) & mask) {
      const other = (this.#slots[slot] ?? 0) - 1
      if (other < 0) break
      if (this.#hashes[other] === hash && isSame(other, symbol, exchange)) return false
    }
    this.#slots[slot] = row + 1
    this.#hashes[row] = hash
    return true
  }

  /** Adds the next row, of a symbol that the table doesn't have: it stands in `bytes` from `start` to `end`, in ASCII. */
  put(row: number, exchange: number, bytes: Uint8Array, start: number, end: number): void {
    if (row >= this.#hashes.length) this.#grow()
    const hash = hashOfBytes(exchange, bytes, start, end)
    const mask = this.#slots.length - 1
    let slot = hash & mask
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
    this.#slots[slot] = row + 1
    this.#hashes[row] = hash
  }

  /** Takes out the row that was added last. */
  removeLast(row: number): void {
    const mask = this.#slots.length - 1
    let slot = (this.#hashes[row] ?? 0) & mask
    while (this.#slots[slot] !== row + 1) slot = (slot + 1) & mask
    this.#slots[slot] = 0 // nothing was put behind it
  }

  /** The row, or -1. */
  rowOf(symbol: string, exchange: number, isSame: SameRow): number {
    const hash = hashOf(symbol, exchange)
    const mask = this.#slots.length - 1
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const row = (this.#slots[slot] ?? 0) - 1
      if (row < 0 || (this.#hashes[row] === hash && isSame(row, symbol, exchange))) return row
    }
  }

  #grow(): void {
    const hashes = new Uint32Array(this.#hashes.length * 2)
    hashes.set(this.#hashes)
    const slots = new Uint32Array(this.#slots.length * 2)
    const mask = slots.length - 1
    for (const entry of this.#slots) {
      if (entry === 0) continue
      let slot = (hashes[entry - 1] ?? 0) & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = entry
    }
    this.#hashes = hashes
    this.#slots = slots
  }
}

/** Symbols in a request may be of any length; beyond this their letters no longer tell them apart. */
const HASHED_LETTERS_MAX = 64

function hashOf(symbol: string, exchange: number): number {
  let h = 0x811c9dc5 ^ exchange
  const length = Math.min(symbol.length, HASHED_LETTERS_MAX)
  for (let i = 0; i < length; i += 1) h = Math.imul(h ^ symbol.charCodeAt(i), 0x01000193)
  return mixed(h)
}

function hashOfBytes(exchange: number, bytes: Uint8Array, start: number, end: number): number {
  let h = 0x811c9dc5 ^ exchange
  const last = Math.min(end, start + HASHED_LETTERS_MAX)
  for (let i = start; i < last; i += 1) h = Math.imul(h ^ (bytes[i] ?? 0), 0x01000193)
  return mixed(h)
}

function mixed(hash: number): number {
  let h = hash ^ (hash >>> 15)
  h = Math.imul(h, 0x2c1b3c6d)
  return (h ^ (h >>> 13)) >>> 0
}
