import { assert } from '../../kernel/assert.ts'
import { dayNumberOf } from '../../kernel/exchange-time.ts'
import { CLOSED_DAYS_MAX, type TradingCalendar } from '../calendar.ts'
import type { Exchange } from '../instrument.ts'
import { DayPath } from './day-path.ts'
import { hash, hash2, hashText, normal, wander } from './noise.ts'
import type { Family, Underlying } from './underlyings.ts'

/** Day on which every underlying closes at the price of its table row. */
const ANCHOR_DAY = dayNumberOf('2025-12-31')

/** Exchanges whose sessions together are the hours in which a family's price moves. */
const EXCHANGES_OF_FAMILY: Readonly<Record<Family, readonly Exchange[]>> = {
  securities: ['NSE', 'BSE', 'NFO', 'BFO'],
  currency: ['CDS', 'BCD'],
  commodity: ['MCX', 'NCO'],
  agri: ['NCDEX'],
  crypto: ['CRYPTO'],
}

/** Closing levels by day, before any calendar: a pure function of the seed. */
export class Levels {
  readonly #seed: number
  readonly #anchors = new Map<string, number>()
  readonly #market = new Map<Family, Map<number, number>>()

  constructor(seed: number) {
    this.#seed = hash(seed, 0x1e7e1)
  }

  /** Closing price of the day. */
  closeOn(underlying: Underlying, day: number): number {
    let anchor = this.#anchors.get(underlying.key)
    if (anchor === undefined) {
      anchor = this.#walk(underlying, ANCHOR_DAY)
      this.#anchors.set(underlying.key, anchor)
    }
    return underlying.price * Math.exp(underlying.dailyVolatility * (this.#walk(underlying, day) - anchor))
  }

  #walk(underlying: Underlying, day: number): number {
    const { correlation } = underlying
    const own = Math.sqrt(1 - correlation * correlation) * wander(hashText(this.#seed, underlying.key), day)
    return correlation * this.#marketOn(underlying.family, day) + own
  }

  #marketOn(family: Family, day: number): number {
    let days = this.#market.get(family)
    if (days === undefined) {
      days = new Map()
      this.#market.set(family, days)
    }
    let value = days.get(day)
    if (value === undefined) {
      if (days.size >= MARKET_DAYS_MAX) days.clear()
      value = wander(hashText(this.#seed, `market:${family}`), day)
      days.set(day, value)
    }
    return value
  }
}

const MARKET_DAYS_MAX = 4096

/** Day paths kept; each holds up to 5 KB. */
const PATHS_MAX = 2500

/** Paths of every underlying on every day, as a pure function of the seed and the calendar. */
export class SpotMarket {
  readonly #levels: Levels
  readonly #calendar: TradingCalendar
  readonly #seed: number
  readonly #paths = new Map<string, Map<number, DayPath>>()
  #pathCount = 0

  constructor(seed: number, calendar: TradingCalendar) {
    this.#seed = hash(seed, 0x5b07)
    this.#levels = new Levels(seed)
    this.#calendar = calendar
  }

  /** Drops what was made of the calendar, which has changed. */
  forget(): void {
    this.#paths.clear()
    this.#pathCount = 0
  }

  /** The path of a day on which the family trades; asking for another is a bug. */
  pathOn(underlying: Underlying, day: number): DayPath {
    let days = this.#paths.get(underlying.key)
    if (days === undefined) {
      days = new Map()
      this.#paths.set(underlying.key, days)
    }
    let path = days.get(day)
    if (path === undefined) {
      if (this.#pathCount >= PATHS_MAX) {
        this.#paths.clear()
        this.#pathCount = 0
        this.#paths.set(underlying.key, days)
        days.clear()
      }
      path = this.#makePath(underlying, day)
      days.set(day, path)
      this.#pathCount += 1
    }
    return path
  }

  #makePath(underlying: Underlying, day: number): DayPath {
    const hours = this.#hoursOn(underlying.family, day)
    assert(hours !== undefined, `${underlying.key} doesn't trade on day ${day}`)
    const before = this.#hoursBefore(underlying.family, day)
    const seed = hash2(this.#seed, hashText(1, underlying.key), day)
    const { dailyVolatility } = underlying
    // Where trading never stops there is hardly a gap between two days.
    const gap = normal(hash(seed, 1)) * dailyVolatility * (before.closesAt === hours.opensAt ? 0.01 : 0.2)
    const open = this.#levels.closeOn(underlying, before.day) * Math.exp(gap)
    const close = this.#levels.closeOn(underlying, day)
    const seconds = (hours.closesAt - hours.opensAt) / 1000
    const volatility = (open * dailyVolatility * 0.85) / Math.sqrt(seconds / 60)
    return new DayPath({ day, opensAt: hours.opensAt, seconds, open, close, volatility, seed })
  }

  #hoursOn(family: Family, day: number): { opensAt: number; closesAt: number } | undefined {
    let opensAt = Infinity
    let closesAt = -Infinity
    for (const exchange of EXCHANGES_OF_FAMILY[family]) {
      const session = this.#calendar.sessionOn(exchange, day)
      if (session === undefined) continue
      opensAt = Math.min(opensAt, session.opensAt)
      closesAt = Math.max(closesAt, session.closesAt)
    }
    return opensAt < closesAt ? { opensAt, closesAt } : undefined
  }

  #hoursBefore(family: Family, day: number): { day: number; closesAt: number } {
    for (let earlier = day - 1; earlier >= day - CLOSED_DAYS_MAX; earlier -= 1) {
      const hours = this.#hoursOn(family, earlier)
      if (hours !== undefined) return { day: earlier, closesAt: hours.closesAt }
    }
    throw new Error(`no session of ${family} within ${CLOSED_DAYS_MAX} days before day ${day}`)
  }
}
