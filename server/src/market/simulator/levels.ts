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

  /** Factor of the volatility of that day, of the market, of the sector and of the rest. */
  unrestOn(underlying: Underlying, day: number): { market: number; sector: number; own: number } {
    const { family, key, sector } = underlying
    return {
      market: this.marketUnrestOn(family, day),
      sector: sector === undefined ? 0 : this.#walk(`sector:${sector}`, family).unrestOn(day),
      own: underlying.constituents === undefined ? this.#walk(key, family).unrestOn(day) : 0,
    }
  }

  marketUnrestOn(family: Family, day: number): number {
    return this.#walk(`market:${family}`, family).unrestOn(day)
  }

  /** Factor of the volatility that options are priced with: that of the day, seen through what moves the price. */
  volatilityFactorOn(underlying: Underlying, day: number): number {
    const { correlation, sectorCorrelation, constituents } = underlying
    const { market, sector, own } = this.unrestOn(underlying, day)
    if (constituents !== undefined) return market
    const ownShare = 1 - correlation ** 2 - sectorCorrelation ** 2
    return Math.sqrt((correlation * market) ** 2 + (sectorCorrelation * sector) ** 2 + ownShare * own ** 2)
  }

  /** Drops what was made of days of trading that may be others now. */
  forget(): void {
    this.#cells.clear()
    this.#cellCount = 0
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
    let cells = this.#cells.get(underlying.key)
    let positions = cells?.get(cell)
    if (positions === undefined) {
      if (this.#cellCount >= CELLS_MAX) {
        this.#cells.clear()
        this.#cellCount = 0
        cells = undefined
      }
      positions = this.#makeCell(underlying, cell)
      cells = this.#cells.get(underlying.key)
      if (cells === undefined) {
        cells = new Map()
        this.#cells.set(underlying.key, cells)
      }
      cells.set(cell, positions)
      this.#cellCount += 1
    }
    return positions[day - cell * CELL_DAYS] ?? 0
  }

  #makeCell(underlying: Underlying, cell: number): Float64Array {
    const { key, family, sector, dailyVolatility, correlation, sectorCorrelation, band } = underlying
    const positions = new Float64Array(CELL_DAYS)
    let start = 0
    const add = (walkKey: string, weight: number): void => {
      if (weight === 0) return
      const walk = this.#walk(walkKey, family)
      const scaled = weight * dailyVolatility
      walk.addCell(cell, scaled, positions)
      start += scaled * walk.courseAt(cell)
    }
    add(`market:${family}`, correlation)
    if (sector !== undefined) add(`sector:${sector}`, sectorCorrelation)
    add(key, Math.sqrt(Math.max(0, 1 - correlation ** 2 - sectorCorrelation ** 2)))
    if (band > 0) this.#holdInBand(positions, start, cell, band)
    return positions
  }

  /** Moves all changes to days of trading and keeps each within the band, so that the cell still ends where it did. */
  #holdInBand(positions: Float64Array, start: number, cell: number, band: number): void {
    const steps = new Float64Array(CELL_DAYS)
    const days: number[] = []
    let carried = 0
    for (let i = 0; i < CELL_DAYS; i += 1) {
      carried += (positions[i] ?? 0) - (i === 0 ? start : (positions[i - 1] ?? 0))
      if (!this.#options.trades(cell * CELL_DAYS + i)) continue
      days.push(i)
      steps[i] = carried
      carried = 0
    }
    const last = days[days.length - 1]
    if (last === undefined) return
    steps[last] = (steps[last] ?? 0) + carried
    spreadExcess(steps, days, Math.log(1 - band), Math.log(1 + band))
    let position = start
    for (let i = 0; i < CELL_DAYS; i += 1) {
      position += steps[i] ?? 0
      positions[i] = position
    }
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
