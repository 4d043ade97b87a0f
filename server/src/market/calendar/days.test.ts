import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Refusal } from '../../kernel/errors.ts'
import { dateOf, dayNumberOf, timestampOf, weekdayOf } from '../../kernel/exchange-time.ts'
import { previousSession, sessionOpenedBy } from '../calendar.ts'
import { createCalendar } from '../exchange-calendar.ts'
import { EXCHANGES, type Exchange } from '../instrument.ts'
import { MARKETS, publishedWindows } from './hours.ts'
import { CALENDAR_YEARS, calendarYear, calendarYearOf, findYear, HOLIDAYS } from './years.ts'

const calendar = createCalendar({ hours: 'exchange' })

/** `open-close` of each part of that day's session, the next day's hours above 24; `closed` without one. */
function hoursOn(exchange: Exchange, date: string): string {
  const windows = publishedWindows(exchange, dayNumberOf(date))
  if (windows.length === 0) return 'closed'
  const text = (minute: number) =>
    `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
  return windows.map((window) => `${text(window.opensAtMinute)}-${text(window.closesAtMinute)}`).join(' ')
}

/** NSE, NFO, CDS, MCX, NCDEX; BSE, BFO, BCD and NCO do as NSE, NFO, CDS and MCX. */
type Row = readonly [date: string, nse: string, nfo: string, cds: string, mcx: string, ncdex: string]
const EVENING = '17:00-23:55'
const MORNING = '09:00-17:00'
const closedBut = (date: string, mcx: string): Row => [date, 'closed', 'closed', 'closed', mcx, 'closed']
const evening = (...dates: string[]): Row[] => dates.map((date) => closedBut(date, EVENING))
const closed = (...dates: string[]): Row[] => dates.map((date) => closedBut(date, 'closed'))
const currency = (...dates: string[]): Row[] =>
  dates.map((date) => [date, '09:15-15:30', '09:15-15:40', 'closed', '09:00-23:55', MORNING])
const newYear = (date: string): Row => [date, '09:15-15:30', '09:15-15:40', MORNING, MORNING, MORNING]
const budget = (date: string): Row => [date, '09:15-15:30', '09:15-15:30', 'closed', MORNING, 'closed']
const muhurat = (date: string, hours: string, mcx = hours): Row => [date, hours, hours, hours, mcx, 'closed']
const weekend = (date: string, hours: string): Row => [date, hours, hours, 'closed', 'closed', 'closed']

const TABLE: readonly Row[] = [
  newYear('2024-01-01'),
  weekend('2024-01-20', '09:15-15:30'),
  weekend('2024-03-02', '09:15-10:00 11:30-12:30'),
  weekend('2024-05-18', '09:15-10:00 11:45-12:40'),
  ...evening('2024-01-22', '2024-03-08', '2024-03-25', '2024-04-11', '2024-04-17', '2024-05-01', '2024-05-20'),
  ...evening('2024-06-17', '2024-07-17', '2024-11-15', '2024-11-20'),
  ...closed('2024-01-26', '2024-03-29', '2024-08-15', '2024-10-02', '2024-12-25'),
  ...currency('2024-02-19', '2024-04-01', '2024-04-09', '2024-05-23', '2024-09-18'),
  muhurat('2024-11-01', '18:00-19:00'),
  newYear('2025-01-01'),
  budget('2025-02-01'),
  ...evening('2025-02-26', '2025-03-14', '2025-03-31', '2025-04-10', '2025-04-14', '2025-05-01', '2025-08-27'),
  ...evening('2025-10-22', '2025-11-05'),
  ...closed('2025-04-18', '2025-08-15', '2025-10-02', '2025-12-25'),
  ...currency('2025-02-19', '2025-04-01', '2025-05-12', '2025-09-08'),
  muhurat('2025-10-21', '13:45-14:45'),
  newYear('2026-01-01'),
  budget('2026-02-01'),
  ...evening('2026-01-15', '2026-03-03', '2026-03-26', '2026-03-31', '2026-04-14', '2026-05-01', '2026-05-28'),
  ...evening('2026-06-26', '2026-09-14', '2026-10-20', '2026-11-10', '2026-11-24'),
  ...closed('2026-01-26', '2026-04-03', '2026-10-02', '2026-12-25'),
  ...currency('2026-02-19', '2026-03-19', '2026-04-01', '2026-08-26'),
  muhurat('2026-11-08', '18:00-19:15', '18:00-24:15'),
  newYear('2027-01-01'),
  ...closed('2027-01-26', '2027-03-26'),
  ...evening('2027-04-14'),
]

describe('every listed day', () => {
  test.each(TABLE)('%s: NSE %s, NFO %s, CDS %s, MCX %s, NCDEX %s', (date, nse, nfo, cds, mcx, ncdex) => {
    const expected: Record<Exchange, string> = {
      NSE: nse,
      BSE: nse,
      NSE_INDEX: nse,
      BSE_INDEX: nse,
      GLOBAL_INDEX: nse,
      NFO: nfo,
      BFO: nfo,
      CDS: cds,
      BCD: cds,
      MCX: mcx,
      NCO: mcx,
      MCX_INDEX: mcx,
      NCDEX: ncdex,
      CRYPTO: '00:00-24:00',
    }
    expect(Object.fromEntries(EXCHANGES.map((exchange) => [exchange, hoursOn(exchange, date)]))).toEqual(expected)
  })

  test('is in the table above, and none is twice', () => {
    expect(TABLE.map(([date]) => date).sort()).toEqual(HOLIDAYS.map(({ date }) => date))
  })

  test.each([
    ['2025-11-14', 'which another list calls a holiday'],
    ['2025-11-01', 'which is a Saturday, and not Diwali'],
    ['2025-09-05', 'whose holiday was moved'],
    ['2024-09-16', 'whose holiday was moved'],
  ])('%s is none, %s', (date) => {
    expect(HOLIDAYS.some((day) => day.date === date)).toBe(false)
  })
})

describe('the lists', () => {
  test.each(CALENDAR_YEARS.map((year) => [year.year, year] as const))('of %i are in order', (number, year) => {
    const dates = year.days.map(({ date }) => date)
    expect(dates).toEqual([...new Set(dates)].sort())
    for (const day of year.days) {
      expect(dateOf(dayNumberOf(day.date))).toBe(day.date)
      expect(day.date.slice(0, 4)).toBe(String(number))
      if (day.type === 'TRADING_HOLIDAY') expect([1, 2, 3, 4, 5]).toContain(weekdayOf(dayNumberOf(day.date)))
      const named = [...new Set(day.open.map(({ exchange }) => exchange)), ...day.closed]
      expect(named).toEqual([...new Set(named)])
      for (const window of day.open) expect(window.opensAtMinute).toBeLessThan(window.closesAtMinute)
    }
  })

  test('say what the exchanges have yet to publish', () => {
    expect(CALENDAR_YEARS.filter(({ provisional }) => provisional).map(({ year }) => year)).toEqual([2027])
    expect(HOLIDAYS.filter(({ provisional }) => provisional === true).map(({ date }) => date)).toEqual([
      '2026-11-08',
      '2027-01-01',
      '2027-01-26',
      '2027-03-26',
      '2027-04-14',
    ])
  })

  test.each([2023, 2028])('of %i are refused, with the years there are', (year) => {
    const message = `The trading calendar of ${year} is not known; it covers 2024 to 2027.`
    expect(() => calendarYear(year)).toThrow(new Refusal('calendar_unknown', message))
    expect(() => calendarYearOf(`${year}-06-01`)).toThrow(new Refusal('calendar_unknown', message))
    expect(findYear(`${year}-06-01`)).toBeUndefined()
  })
})

const exchangeOf = fc.constantFrom(...EXCHANGES)
const dayOf = fc.integer({ min: dayNumberOf('2023-11-01'), max: dayNumberOf('2028-02-28') })

describe('for every exchange and day', () => {
  test('sessions follow each other and never overlap', () => {
    const wrong: string[] = []
    for (const exchange of MARKETS) {
      let before = previousSession(calendar, exchange, dayNumberOf('2023-12-20'))
      for (let day = dayNumberOf('2023-12-20'); day < dayNumberOf('2028-01-15'); day += 1) {
        const session = calendar.sessionOn(exchange, day)
        if (session === undefined) continue
        if (session.opensAt < before.closesAt || session.closesAt <= session.opensAt)
          wrong.push(`${exchange} ${session.date}`)
        before = session
      }
    }
    expect(wrong).toEqual([])
  })

  test('the next session and the one before agree', () => {
    fc.assert(
      fc.property(exchangeOf, dayOf, fc.integer({ min: 0, max: 86_399 }), (exchange, day, second) => {
        const at = Date.parse(`${dateOf(day)}T00:00:00+05:30`) + second * 1000
        const next = calendar.nextSession(exchange, at)
        const opened = sessionOpenedBy(calendar, exchange, at)
        expect(opened.opensAt).toBeLessThanOrEqual(at)
        expect(next.opensAt).toBeGreaterThan(at)
        expect(previousSession(calendar, exchange, dayNumberOf(next.date))).toBe(opened)
        expect(calendar.nextSession(exchange, opened.opensAt)).toBe(next)
        expect(calendar.sessionAt(exchange, at)).toBe(at < opened.closesAt ? opened : undefined)
      }),
    )
  })

  test('a date names the session that opens on it, wherever the host is', () => {
    fc.assert(
      fc.property(exchangeOf, dayOf, (exchange, day) => {
        const session = calendar.session(exchange, dateOf(day))
        expect(session).toBe(calendar.sessionOn(exchange, day))
        if (session === undefined) return
        expect(timestampOf(session.opensAt).slice(0, 10)).toBe(dateOf(day))
        expect(calendar.sessionAt(exchange, session.opensAt)).toBe(session)
        expect(calendar.sessionAt(exchange, session.closesAt - 1)).toBe(session)
        expect(calendar.sessionAt(exchange, session.closesAt)).not.toBe(session)
      }),
    )
  })
})
