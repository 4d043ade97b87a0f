import { Refusal } from '../../kernel/errors.ts'
import { dayNumberOf, type ExchangeDate } from '../../kernel/exchange-time.ts'
import { year2024 } from './data/2024.ts'
import { year2025 } from './data/2025.ts'
import { year2026 } from './data/2026.ts'
import { year2027 } from './data/2027.ts'
import type { CalendarYear, Holiday } from './day.ts'

/** Every year there is a list for, ascending. A new year is a new file here. */
export const CALENDAR_YEARS: readonly CalendarYear[] = [year2024, year2025, year2026, year2027]

/** All listed days, ascending by date. */
export const HOLIDAYS: readonly Holiday[] = CALENDAR_YEARS.flatMap(({ days }) => days)

const BY_DAY: ReadonlyMap<number, Holiday> = new Map(HOLIDAYS.map((row) => [dayNumberOf(row.date), row]))
const BY_YEAR: ReadonlyMap<number, CalendarYear> = new Map(CALENDAR_YEARS.map((year) => [year.year, year]))

/** The listed day; undefined for a day like any other, and in years without a list. */
export const holidayOn = (dayNumber: number): Holiday | undefined => BY_DAY.get(dayNumber)

/** The list that a date belongs to, if there is one. */
export const findYear = (date: ExchangeDate): CalendarYear | undefined => BY_YEAR.get(Number(date.slice(0, 4)))

/** The list of a year. Throws calendar_unknown. */
export function calendarYear(year: number): CalendarYear {
  const known = BY_YEAR.get(year)
  if (known !== undefined) return known
  const [first] = CALENDAR_YEARS
  const last = CALENDAR_YEARS.at(-1)
  throw new Refusal(
    'calendar_unknown',
    `The trading calendar of ${year} is not known; it covers ${first?.year} to ${last?.year}.`,
  )
}

/** The list that a date belongs to. Throws calendar_unknown. */
export const calendarYearOf = (date: ExchangeDate): CalendarYear => calendarYear(Number(date.slice(0, 4)))
