import { dateOf, type ExchangeDate, weekdayOf } from '../../kernel/exchange-time.ts'
import { EXPIRY_DAYS, type ExpiryDay, type ExpiryExchange, SHARE_EXPIRY_DAYS } from './data/expiry-days.ts'

/** How contracts on an underlying expire whose expiry lies on that date. What isn't a known index is a share. */
export function expiryDayOn(exchange: ExpiryExchange, underlying: string, date: ExchangeDate): ExpiryDay {
  const rules = EXPIRY_DAYS[exchange][underlying] ?? SHARE_EXPIRY_DAYS[exchange]
  const found = rules.findLast(({ from }) => from <= date) ?? rules[0]
  if (found === undefined) throw new Error(`no rule says when contracts on ${underlying} expire on ${exchange}`)
  return found
}

/** Whether contracts on an underlying expire on that day, or on the trading day before if it is a holiday. */
export const isExpiryWeekday = (exchange: ExpiryExchange, underlying: string, dayNumber: number): boolean =>
  weekdayOf(dayNumber) === expiryDayOn(exchange, underlying, dateOf(dayNumber)).weekday
