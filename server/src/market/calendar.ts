import { AssertionFailed } from '../kernel/assert.ts'
import { dayNumberAt, type ExchangeDate } from '../kernel/exchange-time.ts'
import type { Exchange } from './instrument.ts'

/**
 * One trading session of one exchange: [opensAt, closesAt), instants. Of the two-part sessions that exchanges have held
 * to try their recovery sites, from the first part's opening to the last one's close.
 */
export interface Session {
  readonly date: ExchangeDate
  readonly opensAt: number
  readonly closesAt: number
}

/** When exchanges trade. The only place that knows weekends, holidays and special sessions. */
export interface TradingCalendar {
  /** Grows whenever sessions may have changed: what was made of sessions before holds only as long as it stays. */
  readonly version: number
  /** Calls `listener` whenever `version` has grown, until the returned function is called. */
  onChange(listener: () => void): () => void
  /** Session of that exchange and date; undefined when the exchange is closed all day. */
  session(exchange: Exchange, date: ExchangeDate): Session | undefined
  /** Session of that day (days since 1970-01-01 in the exchange's zone); undefined when the exchange is closed all day. */
  sessionOn(exchange: Exchange, dayNumber: number): Session | undefined
  /** Session that `at` lies in; undefined while the exchange is closed. */
  sessionAt(exchange: Exchange, at: number): Session | undefined
  /** The next session that opens after `at`. */
  nextSession(exchange: Exchange, at: number): Session
}

/** No exchange stays closed longer than this; a longer search is a bug in the holiday list. */
export const CLOSED_DAYS_MAX = 30

/** Instant of the last second in which the session trades. */
export const lastSecondOf = (session: Session): number => session.closesAt - 1000

/** The last session of a day before `dayNumber`. */
export function previousSession(calendar: TradingCalendar, exchange: Exchange, dayNumber: number): Session {
  for (let day = dayNumber - 1; day >= dayNumber - CLOSED_DAYS_MAX; day -= 1) {
    const session = calendar.sessionOn(exchange, day)
    if (session !== undefined) return session
  }
  return neverOpen(exchange)
}

/** The session that is running at `at`, or the last one before it. */
export function sessionOpenedBy(calendar: TradingCalendar, exchange: Exchange, at: number): Session {
  const today = dayNumberAt(at)
  for (let day = today; day >= today - CLOSED_DAYS_MAX; day -= 1) {
    const session = calendar.sessionOn(exchange, day)
    if (session !== undefined && session.opensAt <= at) return session
  }
  return neverOpen(exchange)
}

export function neverOpen(exchange: Exchange): never {
  throw new AssertionFailed(`${exchange} has no session within ${CLOSED_DAYS_MAX} days`)
}
