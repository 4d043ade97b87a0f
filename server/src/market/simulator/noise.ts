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

const OCTAVES = 10

/**
 * A wandering function of the day: steps from day to day have a deviation of about 1, like a random walk, but it
 * stays within some ±40 for ever. Value noise in octaves of 1 to 512 days whose amplitude grows with the root of the period.
 */
export function wander(seed: number, day: number): number {
  let sum = 0
  let amplitude = 0.5
  for (let octave = 0; octave < OCTAVES; octave += 1) {
    const period = 1 << octave
    const octaveSeed = hash(seed, octave)
    const place = (day + (octaveSeed & 511)) / period
    const cell = Math.floor(place)
    const from = normal(hash(octaveSeed, cell))
    const to = period === 1 ? from : normal(hash(octaveSeed, cell + 1))
    sum += amplitude * (from + (to - from) * (place - cell))
    amplitude *= Math.SQRT2
  }
  return sum
}
