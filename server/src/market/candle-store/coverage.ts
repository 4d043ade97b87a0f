import { dayNumberAt, dayStartAt } from '../../kernel/exchange-time.ts'
import type { TradingCalendar } from '../calendar.ts'
import { bucketEnd, intervalSeconds, isPeriod, nextPeriod, type Period, periodStart } from '../candles/buckets.ts'
import type { Series } from './candle-store.ts'

/** Holes that one report lists; the rest are only counted. */
export const HOLES_MAX = 1_000

/** Candles in a row that the calendar has and the store hasn't. Both ends are starts of candles. */
export interface Hole {
  readonly firstAt: number
  readonly lastAt: number
  readonly candles: number
}

export interface Coverage {
  /** Candles that the calendar has in the range and that are over. */
  readonly expected: number
  /** Of those, how many are stored. */
  readonly stored: number
  readonly missing: number
  /** Stored candles that the calendar hasn't: of a pre-open session, say, or of another grid. */
  readonly outside: number
  /** Sessions, or longer periods, and those of them without a single candle. */
  readonly sessions: number
  readonly emptySessions: number
  readonly holes: readonly Hole[]
  readonly holesLeftOut: number
}

export interface CoverageRange {
  readonly fromAt: number
  readonly toAt: number
}

/** A session, or a longer period, that is over at least in part, with the starts of its candles. */
interface Part {
  readonly starts: readonly number[]
}

/**
 * Starts of the candles that the calendar has in a range and that are over at `now`, session after session, or period
 * after period. The one place that says what is expected.
 */
export function* expectedParts(
  { exchange, interval }: Series,
  calendar: TradingCalendar,
  { fromAt, toAt }: CoverageRange,
  now: number,
): Generator<Part> {
  if (!(fromAt < toAt)) return
  if (isPeriod(interval)) {
    yield* periodParts(interval, exchange, calendar, fromAt, toAt, now)
    return
  }
  const lengthMs = (intervalSeconds(interval) ?? 0) * 1000
  // A session may have begun on the day before
  for (let day = dayNumberAt(fromAt) - 1; day <= dayNumberAt(toAt - 1); day += 1) {
    const session = calendar.sessionOn(exchange, day)
    if (session === undefined || session.closesAt <= fromAt) continue
    const skipped = Math.max(0, Math.ceil((fromAt - session.opensAt) / lengthMs))
    const starts: number[] = []
    for (let at = session.opensAt + skipped * lengthMs; at < session.closesAt && at < toAt; at += lengthMs) {
      if (bucketEnd(session, interval, at) > now) break
      starts.push(at)
    }
    if (starts.length > 0) yield { starts }
  }
}

function* periodParts(
  period: Period,
  exchange: Series['exchange'],
  calendar: TradingCalendar,
  fromAt: number,
  toAt: number,
  now: number,
): Generator<Part> {
  let first = periodStart(period, dayNumberAt(fromAt))
  if (dayStartAt(first) < fromAt) first = nextPeriod(period, first)
  for (; dayStartAt(first) < toAt; first = nextPeriod(period, first)) {
    let endsAt: number | undefined
    for (let day = first; day < nextPeriod(period, first); day += 1)
      endsAt = calendar.sessionOn(exchange, day)?.closesAt ?? endsAt
    if (endsAt === undefined) continue
    if (endsAt > now) return
    yield { starts: [dayStartAt(first)] }
  }
}

/** Counts what of a range is stored, a part of the range after the other: the parts must be added in order. */
export class CoverageCount {
  readonly #series: Series
  readonly #calendar: TradingCalendar
  readonly #now: number
  readonly #holes: Hole[] = []
  #expected = 0
  #stored = 0
  #found = 0
  #sessions = 0
  #emptySessions = 0
  #holesLeftOut = 0
  #open: { firstAt: number; lastAt: number; candles: number } | undefined

  constructor(series: Series, calendar: TradingCalendar, now: number) {
    this.#series = series
    this.#calendar = calendar
    this.#now = now
  }

  /** `starts` are those of all stored candles of that range, ascending. */
  add(starts: Float64Array, range: CoverageRange): void {
    this.#found += starts.length
    let index = 0
    for (const part of expectedParts(this.#series, this.#calendar, range, this.#now)) {
      let found = 0
      for (const at of part.starts) {
        while (index < starts.length && (starts[index] ?? 0) < at) index += 1
        const isStored = starts[index] === at
        if (isStored) {
          found += 1
          index += 1
          this.#closeHole()
        } else if (this.#open === undefined) this.#open = { firstAt: at, lastAt: at, candles: 1 }
        else {
          this.#open.lastAt = at
          this.#open.candles += 1
        }
      }
      this.#sessions += 1
      this.#expected += part.starts.length
      this.#stored += found
      if (found === 0) this.#emptySessions += 1
    }
  }

  /** All of it; nothing may be added any more. */
  take(): Coverage {
    this.#closeHole()
    return {
      expected: this.#expected,
      stored: this.#stored,
      missing: this.#expected - this.#stored,
      outside: this.#found - this.#stored,
      sessions: this.#sessions,
      emptySessions: this.#emptySessions,
      holes: this.#holes,
      holesLeftOut: this.#holesLeftOut,
    }
  }

  #closeHole(): void {
    if (this.#open === undefined) return
    if (this.#holes.length < HOLES_MAX) this.#holes.push(this.#open)
    else this.#holesLeftOut += 1
    this.#open = undefined
  }
}
