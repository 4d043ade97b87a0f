import { ANCHOR_DAY } from './anchor.ts'
import { CorporateActions } from './corporate-actions.ts'
import { hash, hashText, unit } from './noise.ts'
import { type Scenario, TEMPERS } from './scenario.ts'
import type { Family, Underlying } from './underlyings.ts'
import { CELL_DAYS, Walk } from './walk.ts'

/** Cells kept, of all underlyings; each holds half a kilobyte. */
const CELLS_MAX = 6000
/** Index levels kept; each is a sum over up to a hundred shares. */
const INDEX_LEVELS_MAX = 20_000
/** Passes in which what a price band cuts off a day's change is given to the other days of its cell. */
const BAND_PASSES = 12

/** In scenario `trending` prices rise for so many weekdays by that share each, then fall as long. */
const TREND_WEEKDAYS = 20
const TREND_STEP = 0.01

export interface LevelsOptions {
  readonly seed: number
  readonly scenario: Scenario
  /** Whether shares trade on a day. Needed for shares with a price band alone: they change on those days only. */
  readonly trades: (day: number) => boolean
}

/**
 * Closing prices of every underlying by day: a pure function of seed and scenario, and for shares with a price band
 * also of the days on which they trade. Changes have no drift; those of a share are made of the market's, its
 * sector's and its own.
 */
export class Levels {
  readonly actions: CorporateActions
  readonly #options: LevelsOptions
  readonly #seed: number
  readonly #walks = new Map<string, Walk>()
  readonly #cells = new Map<string, Map<number, Float64Array>>()
  #cellCount = 0
  readonly #tradingDaysOf = new Map<number, readonly number[]>()
  readonly #indexLevels = new Map<string, Map<number, number>>()
  #indexLevelCount = 0

  constructor(options: LevelsOptions) {
    this.#options = options
    this.#seed = hash(options.seed, 0x1e7e1)
    this.actions = new CorporateActions(options.seed)
  }

  /** Closing price of the day, as traded; on a day without trading that of the day before, with some noise. */
  closeOn(underlying: Underlying, day: number): number {
    return underlying.constituents === undefined ? this.#closeOf(underlying, day) : this.#levelOf(underlying, day)
  }

  /** Factor of the volatility of that day, of the family's market, of a sector, or of what is the underlying's own. */
  marketUnrestOn(family: Family, day: number): number {
    return this.#walk(`market:${family}`, family).unrestOn(day)
  }

  sectorUnrestOn(sector: string, family: Family, day: number): number {
    return this.#walk(`sector:${sector}`, family).unrestOn(day)
  }

  ownUnrestOn({ key, family }: Underlying, day: number): number {
    return this.#walk(key, family).unrestOn(day)
  }

  /** Drops what was made of days of trading that may be others now. */
  forget(): void {
    this.#cells.clear()
    this.#cellCount = 0
    this.#tradingDaysOf.clear()
    this.#indexLevels.clear()
    this.#indexLevelCount = 0
  }

  #closeOf(underlying: Underlying, day: number): number {
    const change = this.#positionOn(underlying, day) - this.#positionOn(underlying, ANCHOR_DAY)
    const trend =
      this.#options.scenario === 'trending' ? underlying.beta * (this.#trendOn(day) - this.#trendOn(ANCHOR_DAY)) : 0
    const scale = TEMPERS[this.#options.scenario].levels
    return underlying.price * Math.exp(change * scale + trend) * this.actions.adjustmentOn(underlying, day)
  }

  #levelOf(index: Underlying, day: number): number {
    let days = this.#indexLevels.get(index.key)
    let level = days?.get(day)
    if (level !== undefined) return level
    level = 0
    for (const { stock, shares } of index.constituents ?? []) level += shares * this.#closeOf(stock, day)
    if (this.#indexLevelCount >= INDEX_LEVELS_MAX) {
      this.#indexLevels.clear()
      this.#indexLevelCount = 0
      days = undefined
    }
    if (days === undefined) {
      days = new Map()
      this.#indexLevels.set(index.key, days)
    }
    days.set(day, level)
    this.#indexLevelCount += 1
    return level
  }

  /** Logarithm of the price at the end of the day, up to a constant. */
  #positionOn(underlying: Underlying, day: number): number {
    const cell = Math.floor(day / CELL_DAYS)
    const known = this.#cells.get(underlying.key)?.get(cell)
    const positions = known ?? this.#keep(underlying.key, cell, this.#makeCell(underlying, cell))
    return positions[day - cell * CELL_DAYS] ?? 0
  }

  #makeCell(underlying: Underlying, cell: number): Float64Array {
    const { key, family, sector, dailyVolatility, correlation, sectorCorrelation, band } = underlying
    const own = dailyVolatility * Math.sqrt(Math.max(0, 1 - correlation ** 2 - sectorCorrelation ** 2))
    const positions = new Float64Array(CELL_DAYS)
    let start = 0
    const add = (walkKey: string, weight: number): void => {
      const shared = this.#sharedCell(walkKey, family, cell)
      for (let i = 0; i < CELL_DAYS; i += 1) positions[i] = (positions[i] ?? 0) + weight * (shared[i] ?? 0)
      start += weight * this.#walk(walkKey, family).courseAt(cell)
    }
    add(`market:${family}`, correlation * dailyVolatility)
    if (sector !== undefined) add(`sector:${sector}`, sectorCorrelation * dailyVolatility)
    const walk = this.#walk(key, family)
    walk.addCell(cell, own, positions)
    if (band > 0) this.#holdInBand(positions, start + own * walk.courseAt(cell), cell, band)
    return positions
  }

  /** Positions of a walk that many underlyings follow. */
  #sharedCell(walkKey: string, family: Family, cell: number): Float64Array {
    const known = this.#cells.get(walkKey)?.get(cell)
    if (known !== undefined) return known
    const positions = new Float64Array(CELL_DAYS)
    this.#walk(walkKey, family).addCell(cell, 1, positions)
    return this.#keep(walkKey, cell, positions)
  }

  #keep(key: string, cell: number, positions: Float64Array): Float64Array {
    if (this.#cellCount >= CELLS_MAX) {
      this.#cells.clear()
      this.#cellCount = 0
    }
    let cells = this.#cells.get(key)
    if (cells === undefined) {
      cells = new Map()
      this.#cells.set(key, cells)
    }
    cells.set(cell, positions)
    this.#cellCount += 1
    return positions
  }

  /** Moves all changes to days of trading and keeps each within the band, so that the cell still ends where it did. */
  #holdInBand(positions: Float64Array, start: number, cell: number, band: number): void {
    const steps = new Float64Array(CELL_DAYS)
    const days = this.#tradingDays(cell)
    const last = days[days.length - 1]
    if (last === undefined) return
    let before = start
    for (const day of days) {
      const position = positions[day === last ? CELL_DAYS - 1 : day] ?? 0
      steps[day] = position - before
      before = position
    }
    spreadExcess(steps, days, Math.log(1 - band), Math.log(1 + band))
    let position = start
    for (let i = 0; i < CELL_DAYS; i += 1) {
      position += steps[i] ?? 0
      positions[i] = position
    }
  }

  /** Places in the cell of the days with trading. */
  #tradingDays(cell: number): readonly number[] {
    let days = this.#tradingDaysOf.get(cell)
    if (days === undefined) {
      days = Array.from({ length: CELL_DAYS }, (_, i) => i).filter((i) => this.#options.trades(cell * CELL_DAYS + i))
      if (this.#tradingDaysOf.size >= CELLS_MAX) this.#tradingDaysOf.clear()
      this.#tradingDaysOf.set(cell, days)
    }
    return days
  }

  #trendOn(day: number): number {
    // 1970-01-05 was a Monday.
    const sinceMonday = day - 4
    const weeks = Math.floor(sinceMonday / 7)
    const weekdays = weeks * 5 + Math.min(5, sinceMonday - weeks * 7 + 1)
    const phase = Math.floor(unit(hash(this.#seed, 0x73e4)) * 2 * TREND_WEEKDAYS)
    const place = (((weekdays + phase) % (2 * TREND_WEEKDAYS)) + 2 * TREND_WEEKDAYS) % (2 * TREND_WEEKDAYS)
    return TREND_STEP * Math.min(place, 2 * TREND_WEEKDAYS - place)
  }

  #walk(key: string, family: Family): Walk {
    let walk = this.#walks.get(key)
    if (walk === undefined) {
      walk = new Walk(hashText(this.#seed, key), family !== 'crypto')
      this.#walks.set(key, walk)
    }
    return walk
  }
}

/** Cuts the steps of `days` to [least, most]; what is cut off one is spread over the others. */
function spreadExcess(steps: Float64Array, days: readonly number[], least: number, most: number): void {
  for (let pass = 0; pass < BAND_PASSES; pass += 1) {
    let excess = 0
    const free: number[] = []
    for (const day of days) {
      const step = steps[day] ?? 0
      const kept = Math.min(most, Math.max(least, step))
      excess += step - kept
      steps[day] = kept
      if (kept > least && kept < most) free.push(day)
    }
    if (excess === 0 || free.length === 0) return
    for (const day of free) steps[day] = (steps[day] ?? 0) + excess / free.length
  }
}
