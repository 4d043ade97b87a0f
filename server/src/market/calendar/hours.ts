import { isWeekend } from '../../kernel/exchange-time.ts'
import type { Exchange } from '../instrument.ts'
import { minuteOf, type Window } from './day.ts'
import { holidayOn } from './years.ts'

const hours = (open: string, close: string): Window => ({
  opensAtMinute: minuteOf(open),
  closesAtMinute: minuteOf(close),
})

/**
 * Ordinary hours of a trading day, as they are now. They count for the past too: contracts of NFO and BFO closed at
 * 15:30 before 2026-08-03. On MCX and NCO they are those of the contracts that trade longest; while New York is on
 * daylight saving these stop at 23:30.
 */
export const TRADING_HOURS: Readonly<Record<Exchange, Window>> = {
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

const MARKET_OF_INDEX: Partial<Record<Exchange, Exchange>> = {
  NSE_INDEX: 'NSE',
  BSE_INDEX: 'BSE',
  MCX_INDEX: 'MCX',
  GLOBAL_INDEX: 'NSE',
}

/** The exchange whose days count: indices follow the market they are computed from. */
export const marketOf = (exchange: Exchange): Exchange => MARKET_OF_INDEX[exchange] ?? exchange

/** Exchanges that have days of their own, in the order in which timings list them, then NCDEX. */
export const MARKETS = ['NSE', 'BSE', 'NFO', 'BFO', 'MCX', 'BCD', 'CDS', 'NCO', 'CRYPTO', 'NCDEX'] as const
export type Market = (typeof MARKETS)[number]

/**
 * Hours of that exchange on that day as published, one window for each part of its session; empty when it is closed. In
 * a year without a list only weekends are closed.
 */
export function publishedWindows(exchange: Exchange, dayNumber: number): readonly Window[] {
  if (exchange === 'CRYPTO') return [TRADING_HOURS.CRYPTO]
  const market = marketOf(exchange)
  const holiday = holidayOn(dayNumber)
  if (holiday !== undefined) {
    const windows = holiday.open.filter((row) => row.exchange === market)
    if (windows.length > 0) return windows
    if (holiday.closed.includes(market)) return []
  }
  return isWeekend(dayNumber) ? [] : [TRADING_HOURS[exchange]]
}

/** From the first opening of that day to the last close, as published; undefined when the exchange is closed. */
export const tradingHoursOn = (exchange: Exchange, dayNumber: number): Window | undefined =>
  envelope(publishedWindows(exchange, dayNumber))

export function envelope(windows: readonly Window[]): Window | undefined {
  const first = windows[0]
  const last = windows.at(-1)
  if (first === undefined || last === undefined) return undefined
  return { opensAtMinute: first.opensAtMinute, closesAtMinute: last.closesAtMinute }
}
