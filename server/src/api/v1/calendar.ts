import Type, { type Static } from 'typebox'
import {
  dateAt,
  dayNumberOf,
  dayStartAt,
  EXCHANGE_ZONE,
  type ExchangeDate,
  MINUTE_MS,
} from '../../kernel/exchange-time.ts'
import type { Window } from '../../market/calendar/day.ts'
import { MARKETS } from '../../market/calendar/hours.ts'
import { listedDays } from '../../market/calendar/listed-days.ts'
import { statusAt } from '../../market/calendar/status.ts'
import { calendarYear, calendarYearOf, findYear, holidayOn } from '../../market/calendar/years.ts'
import type { Exchange } from '../../market/instrument.ts'
import { date, integer } from '../field.ts'
import { defineOperation } from '../operation.ts'
import { success } from './caller.ts'
import { exchange } from './instrument-fields.ts'

/** Years and dates that may be asked for. */
export const YEAR_MIN = 2020
export const YEAR_MAX = 2050

/** Exchanges that timings list. */
const LISTED = MARKETS.filter((market) => market !== 'NCDEX')

const epochMs = (description: string) => Type.Integer({ description: `${description}, epoch milliseconds.` })

const OpenExchange = Type.Object({
  end_time: epochMs('Close'),
  exchange: Type.String(),
  start_time: epochMs('Opening'),
})

const DAY_MINUTES = 1440

/** A session that never ends is told up to the last second of its day. */
function openExchange(name: Exchange, day: ExchangeDate, window: Window): Static<typeof OpenExchange> {
  const startAt = dayStartAt(dayNumberOf(day))
  const { opensAtMinute, closesAtMinute } = window
  const isAllDay = opensAtMinute === 0 && closesAtMinute === DAY_MINUTES
  return {
    end_time: startAt + closesAtMinute * MINUTE_MS - (isAllDay ? 1000 : 0),
    exchange: name,
    start_time: startAt + opensAtMinute * MINUTE_MS,
  }
}

const provisionalOut = Type.Boolean({
  description: 'Whether something is missing or may change, since the exchanges have not announced it; see `note`.',
})
const timezone: typeof EXCHANGE_ZONE = EXCHANGE_ZONE
const timezoneOut = Type.Literal(timezone)

export const marketholidays = defineOperation({
  name: 'market/holidays',
  method: 'POST',
  tag: 'Calendar',
  summary: 'Holidays and special sessions of a year',
  description:
    'Days that are not like any other, by date: which exchanges are closed, and which trade in other hours. Exchanges that a day does not name trade as always, or not at all at a weekend. Weekends are not listed. A year that the calendar does not cover is refused with `calendar_unknown`.',
  access: 'read',
  rateClass: 'read',
  input: {
    year: integer({ min: YEAR_MIN, max: YEAR_MAX, description: 'Year; the current one when left out.' }).optional(),
  },
  output: Type.Object({
    data: Type.Array(
      Type.Object({
        closed_exchanges: Type.Array(Type.String()),
        date: Type.String(),
        description: Type.String(),
        holiday_type: Type.String({ description: '`TRADING_HOLIDAY`, `SETTLEMENT_HOLIDAY` or `SPECIAL_SESSION`.' }),
        open_exchanges: Type.Array(OpenExchange),
        overridden_exchanges: Type.Optional(
          Type.Array(Type.String(), { description: 'Exchanges that an override counts for; left out when none does.' }),
        ),
        provisional: Type.Optional(Type.Boolean({ description: 'True when the exchanges have yet to announce it.' })),
      }),
    ),
    note: Type.String({ description: 'Where the list comes from.' }),
    provisional: provisionalOut,
    status: success,
    timezone: timezoneOut,
    version: Type.String({ description: 'Date on which the list was last compared with the exchanges’.' }),
    year: Type.Integer(),
  }),
  example: { year: 2026 },
  refusals: ['calendar_unknown'],
  handle(input, { services, now }) {
    const year = calendarYear(input.year ?? Number(dateAt(now).slice(0, 4)))
    const data = listedDays(year, services.calendarOverrides.list(year.year)).map((day) => ({
      closed_exchanges: [...day.closed],
      date: day.date,
      description: day.description,
      holiday_type: day.type,
      open_exchanges: day.open.map((open) => openExchange(open.exchange, day.date, open)),
      ...(day.overridden.length === 0 ? {} : { overridden_exchanges: [...day.overridden] }),
      ...(day.provisional === true ? { provisional: true } : {}),
    }))
    return {
      data,
      note: year.source,
      provisional: year.provisional,
      status: 'success' as const,
      timezone,
      version: year.version,
      year: year.year,
    }
  },
})

const hoursOut = Type.String({
  description:
    '`exchange`: this server keeps to these hours. `always`: it trades around the clock (MARKET_HOURS), but on days with an override.',
})

export const markettimings = defineOperation({
  name: 'market/timings',
  method: 'POST',
  tag: 'Calendar',
  summary: 'Hours of the exchanges on a date',
  description:
    'When each exchange that trades on that date opens and closes by its own calendar, overrides included; a closed one is not in the list. A session in two parts has an entry for each. Ordinary hours are those of today, for the past too; on MCX and NCO the longest of the year, of which contracts use less while New York is on daylight saving. NCDEX and indices are answered when asked for by `exchange`. A year that the calendar does not cover is refused with `calendar_unknown`.',
  access: 'read',
  rateClass: 'read',
  input: {
    date: date({ description: `Exchange date, from ${YEAR_MIN}-01-01 to ${YEAR_MAX}-12-31.`, example: '2026-03-10' }),
    exchange: exchange().optional(),
  },
  check: ({ date: asked }) => dateProblems(asked),
  output: Type.Object({
    data: Type.Array(OpenExchange),
    date: Type.String(),
    description: Type.String({ description: 'What kind of day it is: a holiday’s name, or empty.' }),
    market_hours: hoursOut,
    overridden_exchanges: Type.Array(Type.String(), { description: 'Exchanges that an override counts for.' }),
    provisional: provisionalOut,
    status: success,
    timezone: timezoneOut,
  }),
  example: { date: '2026-03-10' },
  refusals: ['calendar_unknown'],
  handle({ date: asked, exchange: only }, { services }) {
    const { calendar } = services
    const year = calendarYearOf(asked)
    const day = dayNumberOf(asked)
    const listed = holidayOn(day)
    const exchanges: readonly Exchange[] = only === undefined ? LISTED : [only]
    const overridden = exchanges.filter((name) => calendar.overrideOn(name, day) !== undefined)
    const [said] = overridden.flatMap((name) => calendar.overrideOn(name, day)?.reason ?? [])
    return {
      data: exchanges.flatMap((name) =>
        calendar.exchangeWindows(name, day).map((window) => openExchange(name, asked, window)),
      ),
      date: asked,
      description: listed?.description ?? said ?? '',
      market_hours: calendar.hours,
      overridden_exchanges: overridden,
      provisional: year.provisional || listed?.provisional === true,
      status: 'success' as const,
      timezone,
    }
  },
})

/** What is wrong with a date that is none of those that may be asked for. */
export function dateProblems(asked: ExchangeDate): { field: string; message: string }[] {
  const year = Number(asked.slice(0, 4))
  if (year >= YEAR_MIN && year <= YEAR_MAX) return []
  const message = `Date must be between ${YEAR_MIN}-01-01 and ${YEAR_MAX}-12-31. Got ${asked}.`
  return [{ field: 'date', message }]
}

const instantOrNone = (description: string) =>
  Type.Union([Type.Integer(), Type.Null()], { description: `${description}, epoch milliseconds; null while closed.` })

export const marketstatus = defineOperation({
  name: 'market/status',
  method: 'POST',
  tag: 'Calendar',
  summary: 'Which exchanges are open',
  description:
    'For each exchange, whether orders trade there at this moment on this server, until when, and when it opens next. With MARKET_HOURS=always that is around the clock, whatever the exchange itself does: `market/timings` tells that. Outside the years that the calendar covers only weekends are known, and `provisional` is true.',
  access: 'read',
  rateClass: 'read',
  input: { exchange: exchange().optional() },
  output: Type.Object({
    data: Type.Array(
      Type.Object({
        exchange: Type.String(),
        next_close: epochMs('Close of the session that opens next'),
        next_open: epochMs('Opening of the session that opens next, after the running one'),
        open: Type.Boolean(),
        open_since: instantOrNone('Opening of the running session'),
        open_until: instantOrNone('Close of the running session'),
        reason: Type.String({ description: 'Why it is open or closed, for people.' }),
      }),
    ),
    market_hours: hoursOut,
    provisional: provisionalOut,
    server_time: epochMs('This moment'),
    status: success,
    timezone: timezoneOut,
  }),
  example: {},
  handle({ exchange: only }, { services, now }) {
    const { calendar } = services
    const exchanges: readonly Exchange[] = only === undefined ? MARKETS : [only]
    const today = dateAt(now)
    return {
      data: exchanges.map((name) => {
        const { session, next, reason } = statusAt(calendar, name, now)
        return {
          exchange: name,
          next_close: next.closesAt,
          next_open: next.opensAt,
          open: session !== undefined,
          open_since: session?.opensAt ?? null,
          open_until: session?.closesAt ?? null,
          reason,
        }
      }),
      market_hours: calendar.hours,
      provisional: findYear(today)?.provisional ?? true,
      server_time: now,
      status: 'success' as const,
      timezone,
    }
  },
})
