/** Questions asked of the bits for each id. */
const PROBES = 6

/**
 * A set of ids in so many bits (a Bloom filter): what was added is always found, and of what wasn't a small share seems to
 * be there, one in 600 at 14 bits for each id.
 */
export class IdSet {
  readonly bits: Uint8Array

  /** Empty in so many bytes, a power of two; or as it was kept. */
  constructor(kept: number | Uint8Array) {
    this.bits = typeof kept === 'number' ? new Uint8Array(kept) : kept
  }

  /** Adds an id, which may be a part of a text. */
  add(text: string, from = 0, to = text.length): void {
    const [start, step] = hashesOf(text, from, to)
    const { bits } = this
    const mask = bits.length * 8 - 1
    for (let probe = 0; probe < PROBES; probe += 1) {
      const bit = (start + probe * step) & mask
      bits[bit >>> 3] = (bits[bit >>> 3] ?? 0) | (1 << (bit & 7))
    }
  }

  mayHave(id: string): boolean {
    const [start, step] = hashesOf(id, 0, id.length)
    const mask = this.bits.length * 8 - 1
    for (let probe = 0; probe < PROBES; probe += 1) {
      const bit = (start + probe * step) & mask
      if (((this.bits[bit >>> 3] ?? 0) & (1 << (bit & 7))) === 0) return false
    }
    return true
  }
}

/** FNV-1a, and the same mixed on, so that ids which differ in a digit are far apart; the step is odd. */
function hashesOf(text: string, from: number, to: number): readonly [number, number] {
  let hash = 0x811c9dc5
  for (let index = from; index < to; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  let step = hash ^ (hash >>> 15)
  step = Math.imul(step, 0x85ebca6b)
  step ^= step >>> 13
  return [Math.imul(hash ^ (hash >>> 16), 0x9e3779b1) >>> 8, ((step >>> 8) | 1) >>> 0]
}
