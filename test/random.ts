import { randomInt } from 'node:crypto'

/** The same seed gives the same choices. */
export interface Random {
  /** A whole number from 0 to `below` - 1. */
  below(below: number): number
  pick<const T extends readonly [unknown, ...unknown[]]>(choices: T): T[number]
}

/** The seed of the environment variable, to repeat a run, or a new one. */
export function seedFrom(variable: string): number {
  const given = process.env[variable]
  if (given === undefined || given === '') return randomInt(2 ** 32)
  if (!/^\d{1,10}$/.test(given)) throw new Error(`${variable} is "${given}": it must be a whole number.`)
  return Number(given)
}

/** Mulberry32: 32 bits of state, good enough to choose what to do next. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const below = (limit: number): number => next() % limit
  return { below, pick: (choices) => choices[below(choices.length)] ?? choices[0] }
}
