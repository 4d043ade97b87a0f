/**
 * Rows by (symbol, exchange number): an open-addressing table of row numbers, which is smaller and faster to fill than
 * a Map of strings for hundreds of thousands of rows.
 */
export class SymbolTable {
  readonly #symbols: readonly string[]
  readonly #exchangeOf: (row: number) => number
  /** Row + 1; 0 is free. */
  #slots = new Uint32Array(1 << 12)
  #hashes = new Uint32Array(1 << 11)

  /** `symbols` and `exchangeOf` give the facts of rows that were added. */
  constructor(symbols: readonly string[], exchangeOf: (row: number) => number) {
    this.#symbols = symbols
    this.#exchangeOf = exchangeOf
  }

  /** Adds the next row, counted from 0; false when the table has that symbol of that exchange already. */
  add(row: number): boolean {
    if (row >= this.#hashes.length) this.#grow()
    const symbol = this.#symbols[row] ?? ''
    const exchange = this.#exchangeOf(row)
    const hash = hashOf(symbol, exchange)
    const slot = this.#slotOf(symbol, exchange, hash)
    if (this.#slots[slot] !== 0) return false
    this.#slots[slot] = row + 1
    this.#hashes[row] = hash
    return true
  }

  /** The row, or -1. */
  rowOf(symbol: string, exchange: number): number {
    return (this.#slots[this.#slotOf(symbol, exchange, hashOf(symbol, exchange))] ?? 0) - 1
  }

  #slotOf(symbol: string, exchange: number, hash: number): number {
    const mask = this.#slots.length - 1
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const row = (this.#slots[slot] ?? 0) - 1
      if (row < 0) return slot
      if (this.#hashes[row] === hash && this.#symbols[row] === symbol && this.#exchangeOf(row) === exchange) return slot
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
  h ^= h >>> 15
  h = Math.imul(h, 0x2c1b3c6d)
  return (h ^ (h >>> 13)) >>> 0
}
