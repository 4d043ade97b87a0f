const SLOTS_AT_FIRST = 1 << 12

/** Rows by permanent id: an open-addressing table of row numbers. The ids themselves are the store's column. */
export class IdTable {
  /** Row + 1; 0 is free. */
  #slots: Uint32Array
  #size = 0

  /** `rows` is how many will be added, if known. */
  constructor(rows = 0) {
    let slots = SLOTS_AT_FIRST
    while (slots < rows * 2) slots *= 2
    this.#slots = new Uint32Array(slots)
  }

  /** Adds a row; false when `ids` gives another row the same id. */
  add(row: number, id: number, ids: Float64Array): boolean {
    if (this.#size * 2 >= this.#slots.length) this.#grow(ids)
    const slot = slotOf(this.#slots, id, ids)
    if (this.#slots[slot] !== 0) return false
    this.#slots[slot] = row + 1
    this.#size += 1
    return true
  }

  /** The row, or -1. */
  rowOf(id: number, ids: Float64Array): number {
    return (this.#slots[slotOf(this.#slots, id, ids)] ?? 0) - 1
  }

  #grow(ids: Float64Array): void {
    const slots = new Uint32Array(this.#slots.length * 2)
    for (const entry of this.#slots) if (entry !== 0) slots[slotOf(slots, ids[entry - 1] ?? 0, ids)] = entry
    this.#slots = slots
  }
}

/** Where that id is, or would be put. */
function slotOf(slots: Uint32Array, id: number, ids: Float64Array): number {
  const mask = slots.length - 1
  for (let slot = hashOf(id) & mask; ; slot = (slot + 1) & mask) {
    const entry = slots[slot] ?? 0
    if (entry === 0 || ids[entry - 1] === id) return slot
  }
}

function hashOf(id: number): number {
  let h = (id | 0) ^ Math.imul((id / 4_294_967_296) | 0, 0x5bd1e995)
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39)
  return (h ^ (h >>> 15)) >>> 0
}
