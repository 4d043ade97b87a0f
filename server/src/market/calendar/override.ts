import { dayNumberOf, type ExchangeDate } from '../../kernel/exchange-time.ts'
import type { Exchange } from '../instrument.ts'
import type { Window } from './day.ts'
import { type Market, marketOf } from './hours.ts'

/** What an admin says of one exchange and date, instead of what the exchange has published. */
export interface CalendarOverride {
  readonly date: ExchangeDate
  readonly exchange: Market
  /** Hours of the session; undefined when the exchange is closed that day. */
  readonly window: Window | undefined
  readonly reason: string
  readonly setAt: number
  readonly setBy: string
}

/** Overrides by exchange and day number. */
export type OverrideSet = ReadonlyMap<Exchange, ReadonlyMap<number, CalendarOverride>>

export function overrideSet(overrides: Iterable<CalendarOverride>): OverrideSet {
  const set = new Map<Exchange, Map<number, CalendarOverride>>()
  for (const override of overrides) {
    const days = set.get(override.exchange) ?? new Map<number, CalendarOverride>()
    set.set(override.exchange, days.set(dayNumberOf(override.date), override))
  }
  return set
}

/** Indices keep to what is said of the market they are computed from. */
export const overrideOn = (set: OverrideSet, exchange: Exchange, dayNumber: number): CalendarOverride | undefined =>
  set.get(marketOf(exchange))?.get(dayNumber)
