import { hash2, normal } from './noise.ts'

/** Seconds of a minute. */
export const MINUTE = 60
export const SHAPE_BITS = 2
export const SHAPE_COUNT = 1 << SHAPE_BITS
const SHAPES_SEED = 0x5a9e

/**
 * Ways in which a price may wander through a minute, second by second, as a part of the deviation of a minute's change.
 * All end at 0 and begin near it. A price's minute is a straight line plus a multiple of one of them, so that a sum of
 * prices is a straight line plus a sum of the same few: an index is computed without its shares' seconds. The shapes of
 * one second stand side by side.
 */
export const SHAPES: Float64Array = makeShapes()

/** Farthest that each shape gets from 0. */
export const SHAPE_REACH: Float64Array = SHAPES.reduce((reach, value, index) => {
  const shape = index % SHAPE_COUNT
  reach[shape] = Math.max(reach[shape] ?? 0, Math.abs(value))
  return reach
}, new Float64Array(SHAPE_COUNT))

function makeShapes(): Float64Array {
  const shapes = new Float64Array(SHAPE_COUNT * MINUTE)
  for (let shape = 0; shape < SHAPE_COUNT; shape += 1) {
    const walk = [0]
    for (let second = 1; second < MINUTE; second += 1) {
      walk.push((walk[second - 1] ?? 0) + normal(hash2(SHAPES_SEED, shape, second)) / Math.sqrt(MINUTE))
    }
    const end = walk[MINUTE - 1] ?? 0
    for (let second = 0; second < MINUTE; second += 1) {
      // Trades alternate between bid and ask: some of the second's movement is undone by the next.
      const bounce = second === MINUTE - 1 ? 0 : 0.12 * normal(hash2(SHAPES_SEED, shape + SHAPE_COUNT, second))
      shapes[second * SHAPE_COUNT + shape] = (walk[second] ?? 0) - (end * second) / (MINUTE - 1) + bounce
    }
  }
  return shapes
}
