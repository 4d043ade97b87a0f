import type { ExchangeDate } from '../kernel/exchange-time.ts'
import type { TradingCalendar } from '../market/calendar.ts'
import { contractEnd } from '../market/contract-end.ts'
import type { Exchange } from '../market/instrument.ts'
import type { InstrumentStore } from '../market/instrument-store.ts'

/** What of today's market decides which contracts there are. */
export interface Listed {
  readonly store: InstrumentStore
  readonly calendar: TradingCalendar
  readonly now: number
}

/** Days on which options of that root still expire, ascending; a day is gone when its contracts have closed. */
export function openExpiries(listed: Listed, base: string, exchange: Exchange): ExchangeDate[] {
  return listed.store.optionExpiries(base, exchange).filter((expiry) => isOpen(listed, exchange, expiry))
}

/** The same of futures. Perpetuals have no such day. */
export function openFutureExpiries(listed: Listed, base: string, exchange: Exchange): ExchangeDate[] {
  const all = listed.store.futures(base, exchange).flatMap(({ expiry }) => (expiry === undefined ? [] : [expiry]))
  return [...new Set(all)].filter((expiry) => isOpen(listed, exchange, expiry))
}

function isOpen({ calendar, now }: Listed, exchange: Exchange, expiry: ExchangeDate): boolean {
  const end = contractEnd({ exchange, expiry }, calendar)
  return end === undefined || now < end.expiresAt
}
