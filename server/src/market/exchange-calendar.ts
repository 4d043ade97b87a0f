import {
  DAY_MS,
  dateOf,
  dayNumberAt,
  dayNumberOf,
  dayStartAt,
  type ExchangeDate,
  MINUTE_MS,
} from '../kernel/exchange-time.ts'
import type { Window } from './calendar/day.ts'
import { envelope, publishedWindows } from './calendar/hours.ts'
import { type CalendarOverride, type OverrideSet, overrideOn } from './calendar/override.ts'
import { CLOSED_DAYS_MAX, neverOpen, type Session, type TradingCalendar } from './calendar.ts'
import type { Exchange } from './instrument.ts'

/**
 * `exchange`: real hours, weekends and holidays. `always`: every exchange trades from 00:00 to 24:00 every day. What an
 * override says of an exchange and date counts for both.
 */
export type TradingHours = 'always' | 'exchange'

/** Sessions remembered for one exchange; a year of history needs 365. */
const CACHED_DAYS_MAX = 4096

const DAY_MINUTES = DAY_MS / MINUTE_MS
const ALL_DAY: Window = { opensAtMinute: 0, closesAtMinute: DAY_MINUTES }
const NO_OVERRIDES: OverrideSet = new Map()

export class ExchangeCalendar implements TradingCalendar {
  readonly hours: TradingHours
  readonly #cache = new Map<Exchange, Map<number, Session | undefined>>()
  readonly #listeners = new Set<() => void>()
  #overrides: OverrideSet
  #version = 0

  constructor(hours: TradingHours, overrides: OverrideSet = NO_OVERRIDES) {
    this.hours = hours
    this.#overrides = overrides
  }

  get version(): number {
    return this.#version
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** What is said of days instead of what the exchanges have published; in force when this returns. */
  override(overrides: OverrideSet): void {
    this.#overrides = overrides
    this.#cache.clear()
    this.#version += 1
    for (const listener of this.#listeners) listener()
  }

  /** What is said of that exchange and day instead of what the exchange has published. */
  overrideOn(exchange: Exchange, dayNumber: number): CalendarOverride | undefined {
    return overrideOn(this.#overrides, exchange, dayNumber)
  }

  /**
   * Hours of that exchange on that day by its own calendar, overrides included, also while `hours` is `always`: a window
   * for each part of the session, none when the exchange is closed.
   */
  exchangeWindows(exchange: Exchange, dayNumber: number): readonly Window[] {
    const override = this.overrideOn(exchange, dayNumber)
    if (override === undefined) return publishedWindows(exchange, dayNumber)
    return override.window === undefined ? [] : [override.window]
  }

  session(exchange: Exchange, date: ExchangeDate): Session | undefined {
    return this.sessionOn(exchange, dayNumberOf(date))
  }

  sessionOn(exchange: Exchange, dayNumber: number): Session | undefined {
    let days = this.#cache.get(exchange)
    if (days === undefined) {
      days = new Map()
      this.#cache.set(exchange, days)
    }
    const known = days.get(dayNumber)
    if (known !== undefined || days.has(dayNumber)) return known
    if (days.size >= CACHED_DAYS_MAX) days.clear()
    const session = sessionIn(this.#window(exchange, dayNumber), dayNumber)
    days.set(dayNumber, session)
    return session
  }

  sessionAt(exchange: Exchange, at: number): Session | undefined {
    const today = dayNumberAt(at)
    // A session may run past midnight, so yesterday's is asked too.
    for (let day = today; day >= today - 1; day -= 1) {
      const session = this.sessionOn(exchange, day)
      if (session !== undefined && session.opensAt <= at && at < session.closesAt) return session
    }
    return undefined
  }

  nextSession(exchange: Exchange, at: number): Session {
    const today = dayNumberAt(at)
    for (let day = today; day <= today + CLOSED_DAYS_MAX; day += 1) {
      const session = this.sessionOn(exchange, day)
      if (session !== undefined && session.opensAt > at) return session
    }
    return neverOpen(exchange)
  }

  #window(exchange: Exchange, dayNumber: number): Window | undefined {
    if (this.hours === 'exchange') return envelope(this.exchangeWindows(exchange, dayNumber))
    const override = this.overrideOn(exchange, dayNumber)
    if (override === undefined) return ALL_DAY
    // The next day begins at midnight
    return (
      override.window && { ...override.window, closesAtMinute: Math.min(override.window.closesAtMinute, DAY_MINUTES) }
    )
  }
}

function sessionIn(window: Window | undefined, dayNumber: number): Session | undefined {
  if (window === undefined) return undefined
  const startAt = dayStartAt(dayNumber)
  return Object.freeze({
    date: dateOf(dayNumber),
    opensAt: startAt + window.opensAtMinute * MINUTE_MS,
    closesAt: startAt + window.closesAtMinute * MINUTE_MS,
  })
}

export const createCalendar = (options: { readonly hours: TradingHours }): ExchangeCalendar =>
  new ExchangeCalendar(options.hours)
