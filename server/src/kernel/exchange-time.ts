/**
 * Dates and times of the Indian exchanges. Asia/Kolkata has had one offset, +05:30 without daylight saving, since 1945,
 * so conversions are plain arithmetic; a test checks them against Temporal's time-zone data.
 */
export const EXCHANGE_ZONE = 'Asia/Kolkata'
const OFFSET_MS = 19_800_000
export const DAY_MS = 86_400_000
export const MINUTE_MS = 60_000

/** `YYYY-MM-DD` in the exchange's zone. */
export type ExchangeDate = string & { readonly __brand?: 'exchange-date' }

/** Days since 1970-01-01 in the exchange's zone. */
export const dayNumberAt = (at: number): number => Math.floor((at + OFFSET_MS) / DAY_MS)
/** Instant of 00:00 of that day in the exchange's zone. */
export const dayStartAt = (dayNumber: number): number => dayNumber * DAY_MS - OFFSET_MS

export const dayNumberOf = (date: ExchangeDate): number => Math.round(Date.parse(`${date}T00:00:00Z`) / DAY_MS)
export function dateOf(dayNumber: number): ExchangeDate {
  // Asked over and over for the same day, and a text of a date takes longer than all else that an order's limits look at
  if (dayNumber !== lastDay) {
    lastDate = new Date(dayNumber * DAY_MS).toISOString().slice(0, 10)
    lastDay = dayNumber
  }
  return lastDate
}
let lastDay = Number.NaN
let lastDate: ExchangeDate = ''
export const dateAt = (at: number): ExchangeDate => dateOf(dayNumberAt(at))
/** 0 = Sunday … 6 = Saturday. */
export const weekdayOf = (dayNumber: number): number => (((dayNumber + 4) % 7) + 7) % 7
export const isWeekend = (dayNumber: number): boolean => weekdayOf(dayNumber) % 6 === 0

/** `YYYY-MM-DD HH:MM:SS` in the exchange's zone, as order and trade books show it. */
export const timestampOf = (at: number): string => new Date(at + OFFSET_MS).toISOString().slice(0, 19).replace('T', ' ')
/** Minutes since 00:00 in the exchange's zone. */
export const minuteOfDay = (at: number): number => Math.floor((at - dayStartAt(dayNumberAt(at))) / MINUTE_MS)

/** `HH:MM` as minutes since midnight; undefined when it isn't a time. `24:00` is the end of the day. */
export function parseTimeOfDay(text: string): number | undefined {
  const match = /^(\d{2}):(\d{2})$/.exec(text)
  if (match === null) return undefined
  const minutes = Number(match[1]) * 60 + Number(match[2])
  return Number(match[2]) < 60 && minutes <= 1440 ? minutes : undefined
}

export const formatTimeOfDay = (minutes: number): string =>
  `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`
