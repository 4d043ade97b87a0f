import { DAY_MS, dateOf, dayNumberAt, dayNumberOf, dayStartAt, MINUTE_MS, weekdayOf } from '../kernel/exchange-time.ts'
import { CLOSED_DAYS_MAX, neverOpen, type Session, type TradingCalendar } from './calendar.ts'
import { HOLIDAYS, type Holiday } from './holidays.ts'
import type { Exchange } from './instrument.ts'

/** `exchange`: real hours, weekends and holidays. `always`: every exchange trades from 00:00 to 24:00 every day. */
export type TradingHours = 'always' | 'exchange'

interface Hours {
  readonly opensAtMinute: number
  readonly closesAtMinute: number
}

const hours = (open: string, close: string): Hours => {
  const minute = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3))
  return { opensAtMinute: minute(open), closesAtMinute: minute(close) }
}

/** Ordinary hours of a trading day. */
export const TRADING_HOURS: Readonly<Record<Exchange, Hours>> = {
  NSE: hours('09:15', '15:30'),
  BSE: hours('09:15', '15:30'),
  NFO: hours('09:15', '15:40'),
  BFO: hours('09:15', '15:40'),
  CDS: hours('09:00', '17:00'),
  BCD: hours('09:00', '17:00'),
  MCX: hours('09:00', '23:55'),
  NCO: hours('09:00', '23:55'),
  NCDEX: hours('09:00', '17:00'),
  NSE_INDEX: hours('09:15', '15:30'),
  BSE_INDEX: hours('09:15', '15:30'),
  MCX_INDEX: hours('09:00', '23:55'),
  GLOBAL_INDEX: hours('09:15', '15:30'),
  CRYPTO: hours('00:00', '24:00'),
}

/** The exchange whose holiday rows apply: indices follow the market they are computed from, NCO keeps MCX's days. */
const HOLIDAY_PARENT: Partial<Record<Exchange, Exchange>> = {
  NSE_INDEX: 'NSE',
  BSE_INDEX: 'BSE',
  MCX_INDEX: 'MCX',
  GLOBAL_INDEX: 'NSE',
  NCO: 'MCX',
}

const HOLIDAY_OF_DAY: ReadonlyMap<number, Holiday> = new Map(HOLIDAYS.map((row) => [dayNumberOf(row.date), row]))

const isWeekend = (dayNumber: number): boolean => weekdayOf(dayNumber) === 0 || weekdayOf(dayNumber) === 6

/** Hours of that exchange on that day by the exchanges' own calendar; undefined when it is closed. */
export function tradingHoursOn(exchange: Exchange, dayNumber: number): Hours | undefined {
  if (exchange === 'CRYPTO') return TRADING_HOURS.CRYPTO
  const holiday = HOLIDAY_OF_DAY.get(dayNumber)
  if (holiday !== undefined) {
    const parent = HOLIDAY_PARENT[exchange] ?? exchange
    const window = holiday.open.find((row) => row.exchange === parent)
    if (window !== undefined) return window
    if (holiday.closed.includes(parent)) return undefined
  }
  return isWeekend(dayNumber) ? undefined : TRADING_HOURS[exchange]
}

/** Sessions remembered for one exchange; a year of history needs 365. */
const CACHED_DAYS_MAX = 4096

class ExchangeCalendar implements TradingCalendar {
  readonly #hours: TradingHours
  readonly #cache = new Map<Exchange, Map<number, Session | undefined>>()

  constructor(tradingHours: TradingHours) {
    this.#hours = tradingHours
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
    const session = this.#compute(exchange, dayNumber)
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

  #compute(exchange: Exchange, dayNumber: number): Session | undefined {
    const startAt = dayStartAt(dayNumber)
    const date = dateOf(dayNumber)
    if (this.#hours === 'always') return Object.freeze({ date, opensAt: startAt, closesAt: startAt + DAY_MS })
    const window = tradingHoursOn(exchange, dayNumber)
    if (window === undefined) return undefined
    return Object.freeze({
      date,
      opensAt: startAt + window.opensAtMinute * MINUTE_MS,
      closesAt: startAt + window.closesAtMinute * MINUTE_MS,
    })
  }
}

export const createCalendar = (options: { readonly hours: TradingHours }): TradingCalendar =>
  new ExchangeCalendar(options.hours)
