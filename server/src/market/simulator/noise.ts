/** Deterministic noise: hashes of integers and what is drawn from them. A hash is an unsigned 32-bit integer. */

export function hash(seed: number, value: number): number {
  let h = seed ^ Math.imul(value, 0x9e3779b1)
  h ^= h >>> 16
  h = Math.imul(h, 0x85ebca6b)
  h ^= h >>> 13
  h = Math.imul(h, 0xc2b2ae35)
  h ^= h >>> 16
  return (h + 0x7f4a7c15) >>> 0
}

export const hash2 = (seed: number, first: number, second: number): number => hash(hash(seed, first), second)

export function hashText(seed: number, text: string): number {
  let h = seed >>> 0
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return hash(h, text.length)
}

/** Uniform in [0, 1). */
export const unit = (h: number): number => h / 4_294_967_296

/** Normal with mean 0 and deviation 1, never beyond ±3.5: a sum of four uniforms. */
export function normal(h: number): number {
  const g = hash(h, 0x51ed)
  return ((h & 0xffff) + (h >>> 16) + (g & 0xffff) + (g >>> 16) - 131_070) * 2.642_934e-5
}

/** Bits of a mixed draw that decide, shifted away: one draw in 16 is of a lively kind. */
const LIVELY_SHIFT = 28
const LIVELY = 2.4
const USUAL = 0.826

/** Like `normal`, with deviation 1, but extreme draws are far more frequent. */
export function heavyTailed(h: number): number {
  const scale = Math.imul(h, 0x2c1b3c6d) >>> LIVELY_SHIFT === 0 ? LIVELY : USUAL
  return normal(h) * scale
}

/** Value noise: a smooth function with mean 0 and deviation about 0.8, that changes within some `period`. */
export function smooth(seed: number, at: number, period: number): number {
  const place = (at + (seed & 1023)) / period
  const cell = Math.floor(place)
  const from = normal(hash(seed, cell))
  return from + (normal(hash(seed, cell + 1)) - from) * (place - cell)
}

/** Writes the hashes of `first` and the values after it to `into`, `count` of them. */
export function hashes(seed: number, first: number, count: number, into: Uint32Array): void {
  for (let i = 0; i < count; i += 1) into[i] = hash(seed, first + i)
}

/** Writes what `heavyTailed` draws from each of those hashes to `into`. */
export function heavyTails(seed: number, first: number, count: number, into: Float64Array): void {
  for (let i = 0; i < count; i += 1) into[i] = heavyTailed(hash(seed, first + i))
}
