import { assert } from '../../kernel/assert.ts'
import { CLOSED_DAYS_MAX, type TradingCalendar } from '../calendar.ts'
import type { Exchange } from '../instrument.ts'
import { type Bar, DayPath } from './day-path.ts'
import { BREAKER_FALL, BREAKER_MINUTES, BREAKER_SESSION_MINUTES_MIN, eventOf, gapOn, plannedHalt } from './events.ts'
import { Levels } from './levels.ts'
import { type DayFactors, type DayShape, FactorPath, IndexMinutes, ShareMinutes } from './minutes.ts'
import { hash, hash2, hashText, normal } from './noise.ts'
import { profileOf } from './profile.ts'
import { type Scenario, TEMPERS } from './scenario.ts'
import { type Halt, TradingDay } from './trading-day.ts'
import { type Family, type Underlying, underlyingByKey } from './underlyings.ts'

/** Exchanges whose sessions together are the hours in which a family's price moves. */
const EXCHANGES_OF_FAMILY: Readonly<Record<Family, readonly Exchange[]>> = {
  securities: ['NSE', 'BSE', 'NFO', 'BFO'],
  currency: ['CDS', 'BCD'],
  commodity: ['MCX', 'NCO'],
  agri: ['NCDEX'],
  crypto: ['CRYPTO'],
}

/** Day paths kept; each holds up to 8 KB. */
const PATHS_MAX = 2500
/** Days of families kept, and the factors of each. */
const DAYS_MAX = 600

/** Deviation of a day's movement between opening and closing, and of the night's, in deviations of a day. */
const DAY_SIZE = 0.95
const NIGHT_SIZE = 0.22
/** Where trading never stops there is hardly a gap between two days. */
const NO_NIGHT_SIZE = 0.01

/** The index whose fall halts the market. */
const BREAKER_INDEX = 'INDEX:NIFTY'

/** A family's day: its hours, the day before, and what all its prices follow. */
interface FamilyDay {
  readonly hours: TradingDay
  readonly before: { readonly day: number; readonly closesAt: number }
  readonly factors: DayFactors
  /** What moves the market from close to open, in deviations. */
  readonly marketNight: number
  readonly sectors: Map<string, FactorPath>
}

export interface SpotMarketOptions {
  readonly seed: number
  readonly scenario: Scenario
  readonly calendar: TradingCalendar
}

/** Paths of every underlying on every day, as a pure function of seed, scenario and calendar. */
export class SpotMarket {
  readonly levels: Levels
  readonly #options: SpotMarketOptions
  readonly #seed: number
  readonly #paths = new Map<string, Map<number, DayPath>>()
  #pathCount = 0
  readonly #days = new Map<Family, Map<number, FamilyDay>>()
  #dayCount = 0

  constructor(options: SpotMarketOptions) {
    const { seed, scenario, calendar } = options
    this.#options = options
    this.#seed = hash(seed, 0x5b07)
    this.levels = new Levels({
      seed,
      scenario,
      trades: (day) => calendar.sessionOn('NSE', day) !== undefined,
    })
  }

  /** The path of a day on which the family trades; asking for another is a bug. */
  pathOn(underlying: Underlying, day: number): DayPath {
    let days = this.#paths.get(underlying.key)
    let path = days?.get(day)
    if (path !== undefined) return path
    path = this.#makePath(underlying, this.#dayOf(underlying.family, day))
    if (this.#pathCount >= PATHS_MAX) {
      this.#paths.clear()
      this.#pathCount = 0
    }
    days = this.#paths.get(underlying.key)
    if (days === undefined) {
      days = new Map()
      this.#paths.set(underlying.key, days)
    }
    days.set(day, path)
    this.#pathCount += 1
    return path
  }

  /** Drops whatever was made of sessions that may be others now. */
  forget(): void {
    this.#paths.clear()
    this.#pathCount = 0
    this.#days.clear()
    this.#dayCount = 0
    this.levels.forget()
  }

  #makePath(underlying: Underlying, familyDay: FamilyDay): DayPath {
    const { hours, before, factors } = familyDay
    const { constituents, correlation, sectorCorrelation } = underlying
    const eventBefore = this.#options.scenario === 'gap' ? underlying.beta * gapOn(this.#seed, before.day) : 0
    const base =
      this.levels.closeOn(underlying, before.day) *
      (1 + eventBefore) *
      this.levels.actions.factorBetween(underlying, before.day, hours.day)
    if (constituents === undefined) {
      const unrest = this.levels.ownUnrestOn(underlying, hours.day)
      const shape = this.#shapeOn(underlying, familyDay, unrest)
      const whole = Math.hypot(
        correlation * factors.market.unrest,
        sectorCorrelation * (shape.sectorPath?.unrest ?? 0),
        ownCorrelation(underlying) * unrest,
      )
      const terms = { hours, dayBefore: before.day, base, unrest: whole, open: shape.open }
      return new DayPath(terms, new ShareMinutes(shape, factors))
    }
    let open = 0
    const parts = constituents.map(({ stock, shares }) => {
      const shape = this.#shapeOn(stock, familyDay, this.levels.ownUnrestOn(stock, hours.day))
      open += shares * shape.open
      return { shares, shape }
    })
    const terms = { hours, dayBefore: before.day, base, unrest: factors.market.unrest, open }
    return new DayPath(terms, new IndexMinutes(parts, factors))
  }

  #shapeOn(underlying: Underlying, familyDay: FamilyDay, unrest: number): DayShape {
    const { key, dailyVolatility, correlation, sector, sectorCorrelation, beta } = underlying
    const { before, hours, factors, marketNight } = familyDay
    const { day } = hours
    const seed = hash2(this.#seed, hashText(1, key), day)
    const size = dailyVolatility * TEMPERS[this.#options.scenario].intraday
    const sectorPath = sector === undefined ? undefined : this.#sectorOn(familyDay, underlying.family, sector)
    const ownNight = Math.hypot(ownCorrelation(underlying), sectorCorrelation) * unrest * normal(hash(seed, 1))
    const night = correlation * factors.market.unrest * marketNight + ownNight
    const open =
      this.levels.closeOn(underlying, before.day) *
      this.levels.actions.factorBetween(underlying, before.day, day) *
      Math.exp(night * size * (before.closesAt === hours.opensAt ? NO_NIGHT_SIZE : NIGHT_SIZE))
    const scale = open * size * DAY_SIZE
    return {
      open,
      close: this.levels.closeOn(underlying, day),
      market: scale * correlation,
      sector: scale * sectorCorrelation,
      own: scale * ownCorrelation(underlying) * unrest,
      event: open * beta,
      seed,
      sectorPath,
    }
  }

  #sectorOn({ sectors, hours, factors }: FamilyDay, family: Family, sector: string): FactorPath {
    let path = sectors.get(sector)
    if (path === undefined) {
      const seed = hash2(this.#seed, hashText(3, sector), hours.day)
      path = new FactorPath(seed, this.levels.sectorUnrestOn(sector, family, hours.day), factors.profile)
      sectors.set(sector, path)
    }
    return path
  }

  #dayOf(family: Family, day: number): FamilyDay {
    let days = this.#days.get(family)
    let made = days?.get(day)
    if (made !== undefined) return made
    made = this.#makeDay(family, day)
    if (this.#dayCount >= DAYS_MAX) {
      this.#days.clear()
      this.#dayCount = 0
    }
    days = this.#days.get(family)
    if (days === undefined) {
      days = new Map()
      this.#days.set(family, days)
    }
    days.set(day, made)
    this.#dayCount += 1
    return made
  }

  #makeDay(family: Family, day: number): FamilyDay {
    const { scenario } = this.#options
    const open = this.#hoursOn(family, day)
    assert(open !== undefined, `${family} doesn't trade on day ${day}`)
    const { opensAt, closesAt, closingAt } = open
    const before = this.#hoursBefore(family, day)
    const minutes = (closesAt - opensAt) / 60_000
    const withHours = (hours: TradingDay): FamilyDay => {
      const closing = hours.tradedBefore((closingAt - opensAt) / 1000) / 60
      const profile = profileOf(hours.tradedSeconds / 60, closing)
      const unrest = this.levels.marketUnrestOn(family, day)
      const market = new FactorPath(hash2(this.#seed, hashText(4, family), day), unrest, profile)
      const event = eventOf(scenario, this.#seed, day, opensAt, closesAt, hours.tradedSeconds / 60)
      const marketNight = normal(hash2(this.#seed, hashText(2, family), day))
      return { hours, before, factors: { profile, market, event }, marketNight, sectors: new Map() }
    }
    if (scenario === 'halted') {
      return withHours(new TradingDay(day, opensAt, closesAt, plannedHalt(this.#seed, day, opensAt, closesAt)))
    }
    if (scenario !== 'crash' || family !== 'securities' || minutes < BREAKER_SESSION_MINUTES_MIN) {
      return withHours(new TradingDay(day, opensAt, closesAt, undefined))
    }
    // Prices don't depend on where the halt lies, only on its length: the fall is found first, the halt put behind it.
    const provisional = new TradingDay(day, opensAt, closesAt, { fromSecond: 60, toSecond: 60 * (1 + BREAKER_MINUTES) })
    const draft = withHours(provisional)
    const halt = this.#breakerHalt(draft)
    return { ...draft, hours: new TradingDay(day, opensAt, closesAt, halt) }
  }

  /** The halt after the first minute in which the index has fallen by so much that trading stops. */
  #breakerHalt(draft: FamilyDay): Halt {
    const index = underlyingByKey(BREAKER_INDEX)
    assert(index?.constituents !== undefined, `${BREAKER_INDEX} is made of shares`)
    const path = this.#makePath(index, draft)
    const limit = path.base * (1 - BREAKER_FALL)
    const bar: Bar = [0, 0, 0, 0]
    let minute = 1
    for (; minute < path.seconds / 60 - 1; minute += 1) {
      path.barOf((minute - 1) * 60, minute * 60, bar)
      if (bar[2] <= limit) break
    }
    return { fromSecond: minute * 60, toSecond: (minute + BREAKER_MINUTES) * 60 }
  }

  /** `closingAt` is when the first of the family's exchanges closes: what contracts are on has its closing price then. */
  #hoursOn(family: Family, day: number): { opensAt: number; closesAt: number; closingAt: number } | undefined {
    let opensAt = Infinity
    let closesAt = -Infinity
    let closingAt = Infinity
    for (const exchange of EXCHANGES_OF_FAMILY[family]) {
      const session = this.#options.calendar.sessionOn(exchange, day)
      if (session === undefined) continue
      opensAt = Math.min(opensAt, session.opensAt)
      closesAt = Math.max(closesAt, session.closesAt)
      closingAt = Math.min(closingAt, session.closesAt)
    }
    return opensAt < closesAt ? { opensAt, closesAt, closingAt } : undefined
  }

  #hoursBefore(family: Family, day: number): { day: number; closesAt: number } {
    for (let earlier = day - 1; earlier >= day - CLOSED_DAYS_MAX; earlier -= 1) {
      const hours = this.#hoursOn(family, earlier)
      if (hours !== undefined) return { day: earlier, closesAt: hours.closesAt }
    }
    throw new Error(`no session of ${family} within ${CLOSED_DAYS_MAX} days before day ${day}`)
  }
}

/** Correlation of an underlying's changes with what moves nothing else. */
const ownCorrelation = ({ correlation, sectorCorrelation }: Underlying): number =>
  Math.sqrt(Math.max(0, 1 - correlation ** 2 - sectorCorrelation ** 2))
