import { dayNumberOf, type ExchangeDate, isWeekend, parseTimeOfDay } from '../../kernel/exchange-time.ts'
import type { Exchange } from '../instrument.ts'

/**
 * `TRADING_HOLIDAY`: `closed` exchanges don't trade, `open` ones trade in their windows, all others as on any day.
 * `SETTLEMENT_HOLIDAY`: nothing is settled; all trade as on any day.
 * `SPECIAL_SESSION`: `open` exchanges trade in their windows, even at a weekend; the rest as for a trading holiday.
 */
export type HolidayType = 'TRADING_HOLIDAY' | 'SETTLEMENT_HOLIDAY' | 'SPECIAL_SESSION'

/** Minutes since 00:00 of the day in the exchange's zone; above 1440 they are on the next day. */
export interface Window {
  readonly opensAtMinute: number
  readonly closesAtMinute: number
}

export interface SessionWindow extends Window {
  readonly exchange: Exchange
}

/** A day that isn't like any other. */
export interface Holiday {
  readonly date: ExchangeDate
  readonly description: string
  readonly type: HolidayType
  readonly closed: readonly Exchange[]
  /** Ascending; an exchange whose session has a pause has a window for each part. */
  readonly open: readonly SessionWindow[]
  /** Not, or not with these times, announced by the exchanges yet. */
  readonly provisional?: true
}

/** What is known of one year. */
export interface CalendarYear {
  readonly year: number
  /** Date on which this list was last compared with what the exchanges have published. */
  readonly version: ExchangeDate
  /** Whether days may be missing, since the exchanges haven't published their lists. */
  readonly provisional: boolean
  /** Where the list comes from, for people. */
  readonly source: string
  /** Ascending by date. Holidays at weekends aren't listed. */
  readonly days: readonly Holiday[]
}

const EQUITY: readonly Exchange[] = ['NSE', 'BSE', 'NFO', 'BFO']
const CURRENCY: readonly Exchange[] = ['CDS', 'BCD']
const COMMODITY: readonly Exchange[] = ['MCX', 'NCO']

/** `HH:MM` as minutes since midnight; hours above 24 are on the next day. */
export function minuteOf(text: string): number {
  const early = parseTimeOfDay(text)
  return early ?? 1440 + (parseTimeOfDay(`0${Number(text.slice(0, 2)) - 24}${text.slice(2)}`) ?? Number.NaN)
}

const windows = (exchanges: readonly Exchange[], from: string, to: string): SessionWindow[] =>
  exchanges.map((exchange) => ({ exchange, opensAtMinute: minuteOf(from), closesAtMinute: minuteOf(to) }))

const holiday = (
  date: ExchangeDate,
  description: string,
  closed: readonly Exchange[],
  open: readonly SessionWindow[] = [],
): Holiday => ({ date, description, type: 'TRADING_HOLIDAY', closed, open })

/** Nothing trades in the morning; commodities trade in the evening. */
export const eveningOnly = (date: ExchangeDate, description: string): Holiday =>
  holiday(date, description, [...EQUITY, ...CURRENCY, 'NCDEX'], windows(COMMODITY, '17:00', '23:55'))

export const allClosed = (date: ExchangeDate, description: string): Holiday =>
  holiday(date, description, [...EQUITY, ...CURRENCY, ...COMMODITY, 'NCDEX'])

/** A holiday of the banks: currency contracts don't trade. */
export const currencyClosed = (date: ExchangeDate, description: string): Holiday => holiday(date, description, CURRENCY)

/** Commodities trade in the morning and not in the evening. */
export const morningOnly = (date: ExchangeDate, description: string): Holiday =>
  holiday(date, description, [], windows(COMMODITY, '09:00', '17:00'))

/** A session at a weekend on the exchanges of shares and their contracts; commodities up to 17:00. */
export const budgetDay = (date: ExchangeDate): Holiday => ({
  date,
  description: 'Union Budget (special trading session)',
  type: 'SPECIAL_SESSION',
  closed: [],
  open: [...windows(EQUITY, '09:15', '15:30'), ...windows(COMMODITY, '09:00', '17:00')],
})

/** A session at a weekend on the exchanges of shares and their contracts, in one or more parts. */
export const weekendSession = (
  date: ExchangeDate,
  description: string,
  ...parts: readonly (readonly [from: string, to: string])[]
): Holiday => ({
  date,
  description,
  type: 'SPECIAL_SESSION',
  closed: [],
  open: parts.flatMap(([from, to]) => windows(EQUITY, from, to)),
})

/** The symbolic session of Diwali: nothing trades but in these hours. */
export const muhurat = (
  date: ExchangeDate,
  hours: readonly [from: string, to: string],
  commodityHours: readonly [from: string, to: string] = hours,
): Holiday => ({
  date,
  description: 'Diwali Laxmi Pujan (Muhurat Trading)',
  type: 'SPECIAL_SESSION',
  closed: isWeekend(dayNumberOf(date)) ? [] : ['NCDEX'],
  open: [...windows([...EQUITY, ...CURRENCY], ...hours), ...windows(COMMODITY, ...commodityHours)],
})
