import { dayNumberOf, dayStartAt, MINUTE_MS } from '../kernel/exchange-time.ts'
import { previousSession, type Session, type TradingCalendar } from './calendar.ts'
import type { Exchange, Instrument } from './instrument.ts'

/** Exchange on which the underlying of that exchange's contracts trades. */
const UNDERLYING_EXCHANGE: Partial<Record<Exchange, Exchange>> = { NFO: 'NSE', BFO: 'BSE' }

/** Minute of the day at which contracts end where the exchange trades on afterwards: coins settle at 17:30. */
const ENDS_AT_MINUTE: Partial<Record<Exchange, number>> = { CRYPTO: 17 * 60 + 30 }

/** When a contract's life ends. */
export interface ContractEnd {
  /** Exchange day of the last session. */
  readonly day: number
  /** Close of the last session, or the exchange's time of settlement in it: from here on there is no price. */
  readonly expiresAt: number
  /** Close of the underlying's session of that day: from here on the price is final. Never after expiresAt. */
  readonly settlesAt: number
}

/**
 * End of a contract: the session of its expiry date, or the last one before where that calendar has none.
 * Undefined for what doesn't expire.
 */
export function contractEnd(
  instrument: Pick<Instrument, 'exchange' | 'expiry'>,
  calendar: TradingCalendar,
): ContractEnd | undefined {
  if (instrument.expiry === undefined) return undefined
  const { exchange } = instrument
  const last = previousSession(calendar, exchange, dayNumberOf(instrument.expiry) + 1)
  const day = dayNumberOf(last.date)
  const underlying = calendar.sessionOn(UNDERLYING_EXCHANGE[exchange] ?? exchange, day) ?? last
  const expiresAt = endIn(exchange, last, day)
  return { day, expiresAt, settlesAt: Math.min(underlying.closesAt, expiresAt) }
}

function endIn(exchange: Exchange, { opensAt, closesAt }: Session, day: number): number {
  const minute = ENDS_AT_MINUTE[exchange]
  const at = minute === undefined ? closesAt : dayStartAt(day) + minute * MINUTE_MS
  return at > opensAt ? Math.min(at, closesAt) : closesAt
}

/** Whether contracts of that exchange may end while it is open. */
export const endsWhileOpen = (exchange: Exchange): boolean => ENDS_AT_MINUTE[exchange] !== undefined

/** Instant from which a contract has no price any more; undefined for what doesn't expire. */
export const expiryInstant = (
  instrument: Pick<Instrument, 'exchange' | 'expiry'>,
  calendar: TradingCalendar,
): number | undefined => contractEnd(instrument, calendar)?.expiresAt
