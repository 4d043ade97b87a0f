import type { ExchangeDate } from '../kernel/exchange-time.ts'
import type { Exchange } from './instrument.ts'

/** One trading session of one exchange: [opensAt, closesAt), instants. */
export interface Session {
  readonly date: ExchangeDate
  readonly opensAt: number
  readonly closesAt: number
}

/** When exchanges trade. The only place that knows weekends, holidays and special sessions. */
export interface TradingCalendar {
  /** Session of that day (days since 1970-01-01 in the exchange's zone); undefined when the exchange is closed all day. */
  sessionOn(exchange: Exchange, dayNumber: number): Session | undefined
  /** Session that `at` lies in; undefined while the exchange is closed. */
  sessionAt(exchange: Exchange, at: number): Session | undefined
  /** The next session that opens after `at`. */
  nextSession(exchange: Exchange, at: number): Session
}
