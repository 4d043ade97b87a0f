import { weekdayOf } from '../../kernel/exchange-time.ts'
import { hash, heavyTailed, normal, smooth } from './noise.ts'

/** Days of a cell: a stretch of a walk that is computed at once. */
export const CELL_DAYS = 64
/** Cells of the shortest and longest of the swings that the walk's course is made of: 64 days to two years. */
const SWINGS = [1, 2, 4, 8] as const
const SWING_AMPLITUDE = 4
/** Deviation of the logarithm of a day's volatility, with its three durations in days. */
const UNREST = 0.45
const UNREST_PERIODS = [4, 16, 64] as const
const WEEKEND_STEP = 0.2
const STEP_MAX = 6

/**
 * A random walk over days whose steps have a deviation of about 1, tied at the ends of each cell to a course that stays
 * within some ±60 for ever, so that any day is known without the days before. Steps have fat tails, and quiet and
 * unquiet weeks follow each other; the signs of steps don't.
 */
export class Walk {
  readonly #seed: number
  readonly #unrestSeed: number
  readonly #weekendStep: number

  /** `restsAtWeekends`: what trades on weekdays hardly changes from Friday to Monday morning. */
  constructor(seed: number, restsAtWeekends: boolean) {
    this.#seed = hash(seed, 0x3a1c)
    this.#unrestSeed = hash(seed, 0x0b5e)
    this.#weekendStep = restsAtWeekends ? WEEKEND_STEP : 1
  }

  /** Factor of the day's volatility; its square is 1 in the long run. */
  unrestOn(day: number): number {
    let sum = 0
    for (const period of UNREST_PERIODS) sum += smooth(hash(this.#unrestSeed, period), day, period)
    return Math.exp(UNREST * 0.72 * sum - UNREST * UNREST)
  }

  /** Where the walk stands before the first day of the cell. */
  courseAt(cell: number): number {
    let sum = 0
    let amplitude = SWING_AMPLITUDE
    for (const period of SWINGS) {
      sum += amplitude * smoothCourse(hash(this.#seed, period), cell, period)
      amplitude *= Math.SQRT2
    }
    return sum
  }

  /** Adds `weight` times the walk's position at the end of each day of the cell to `positions`. */
  addCell(cell: number, weight: number, positions: Float64Array): void {
    const first = cell * CELL_DAYS
    const steps = new Float64Array(CELL_DAYS)
    let sum = 0
    let slack = 0
    for (let i = 0; i < CELL_DAYS; i += 1) {
      const calm = this.#calmOn(first + i)
      const drawn = heavyTailed(hash(this.#seed, first + i)) * this.unrestOn(first + i)
      const step = Math.max(-STEP_MAX, Math.min(STEP_MAX, drawn)) * calm
      steps[i] = step
      sum += step
      slack += calm * calm
    }
    const start = this.courseAt(cell)
    const missing = (this.courseAt(cell + 1) - start - sum) / slack
    let position = start
    for (let i = 0; i < CELL_DAYS; i += 1) {
      const calm = this.#calmOn(first + i)
      position += (steps[i] ?? 0) + missing * calm * calm
      positions[i] = (positions[i] ?? 0) + weight * position
    }
  }

  #calmOn(day: number): number {
    const weekday = weekdayOf(day)
    return weekday === 0 || weekday === 6 ? this.#weekendStep : 1
  }
}

function smoothCourse(seed: number, cell: number, period: number): number {
  const place = (cell + (seed % period)) / period
  const from = Math.floor(place)
  const start = normal(hash(seed, from))
  return start + (normal(hash(seed, from + 1)) - start) * (place - from)
}
