import { dayNumberAt, isWeekend, timestampOf } from '../../kernel/exchange-time.ts'
import type { Session } from '../calendar.ts'
import type { ExchangeCalendar } from '../exchange-calendar.ts'
import type { Exchange } from '../instrument.ts'
import { marketOf } from './hours.ts'
import { holidayOn } from './years.ts'

export interface ExchangeStatus {
  readonly exchange: Exchange
  /** The session that is running; undefined while the exchange is closed. */
  readonly session: Session | undefined
  /** The session that opens next, after the running one. */
  readonly next: Session
  /** Why it is open or closed, for people. */
  readonly reason: string
}

/** Whether an exchange trades at an instant, and when next. */
export function statusAt(calendar: ExchangeCalendar, exchange: Exchange, at: number): ExchangeStatus {
  const session = calendar.sessionAt(exchange, at)
  const next = calendar.nextSession(exchange, at)
  return { exchange, session, next, reason: reasonOf(calendar, exchange, at, session) }
}

function reasonOf(calendar: ExchangeCalendar, exchange: Exchange, at: number, session: Session | undefined): string {
  if (session !== undefined) return `Open until ${timestampOf(session.closesAt)} IST`
  const today = dayNumberAt(at)
  const todays = calendar.sessionOn(exchange, today)
  if (todays !== undefined) return at < todays.opensAt ? 'Before the session' : 'After the session'
  const override = calendar.overrideOn(exchange, today)
  if (override !== undefined) return override.reason
  const holiday = holidayOn(today)
  if (holiday?.closed.includes(marketOf(exchange)) === true) return holiday.description
  return isWeekend(today) ? 'Weekend' : 'Closed'
}
