import Type from 'typebox'
import { formatTimeOfDay } from '../../kernel/exchange-time.ts'
import { minuteOf, type Window } from '../../market/calendar/day.ts'
import { MARKETS, type Market } from '../../market/calendar/hours.ts'
import type { CalendarOverride } from '../../market/calendar/override.ts'
import {
  CLOSES_AT_MINUTE_MAX,
  OVERRIDE_REASON_LENGTH_MAX,
  SESSION_MINUTES_MIN,
} from '../../market/calendar/override-store.ts'
import { choice, date, flag, integer, list, text } from '../field.ts'
import { makeField, problem, shown } from '../field-type.ts'
import { defineOperation } from '../operation.ts'
import { dateProblems, YEAR_MAX, YEAR_MIN } from './calendar.ts'
import { actorOf, instantOut, success, textOrNull } from './caller.ts'

const CLOSES_MAX = formatTimeOfDay(CLOSES_AT_MINUTE_MAX)

const Override = Type.Object({
  closed: Type.Boolean({ description: 'Whether the exchange does not trade on that date.' }),
  date: Type.String(),
  end_time: Type.Union([Type.String(), Type.Null()], {
    description: `Close, \`HH:MM\` of the exchange’s zone; hours above 24 are on the next day. null when closed.`,
  }),
  exchange: Type.String(),
  reason: Type.String(),
  set_at: instantOut,
  set_by: Type.String(),
  start_time: textOrNull,
})

const shownOverride = ({ date: day, exchange, window, reason, setAt, setBy }: CalendarOverride) => ({
  closed: window === undefined,
  date: day,
  end_time: window === undefined ? null : formatTimeOfDay(window.closesAtMinute),
  exchange,
  reason,
  set_at: setAt,
  set_by: setBy,
  start_time: window === undefined ? null : formatTimeOfDay(window.opensAtMinute),
})

const exchanges = list(choice<Market>(MARKETS), {
  min: 1,
  max: MARKETS.length,
  description: 'Exchanges that it counts for. Indices follow the exchange they are computed from.',
})
const overriddenDate = date({
  description: `Exchange date, from ${YEAR_MIN}-01-01 to ${YEAR_MAX}-12-31.`,
  example: '2027-03-22',
})

const TIME = /^([0-2]\d|30):[0-5]\d$/

/** A time of day as minutes; hours from 24 to 30 are on the next day. */
const time = (description: string, example: string) =>
  makeField<string, number>({ type: 'string', pattern: TIME.source }, { description, example }, (value) => {
    const minute = typeof value === 'string' && TIME.test(value) ? minuteOf(value) : Number.NaN
    if (minute <= CLOSES_AT_MINUTE_MAX) return minute
    return problem(`Not a time. Got ${shown(value)}; write it as HH:MM, from 00:00 to ${CLOSES_MAX}, such as 18:00.`)
  })

interface Wish {
  readonly closed: boolean
  readonly start_time: number | undefined
  readonly end_time: number | undefined
}

function windowProblem({
  closed,
  start_time: opens,
  end_time: closes,
}: Wish): [field: string, message: string] | undefined {
  if (closed) {
    if (opens === undefined && closes === undefined) return undefined
    return [
      opens === undefined ? 'end_time' : 'start_time',
      'A closed exchange has no hours: leave them out, or closed.',
    ]
  }
  if (opens === undefined) return ['start_time', 'Say when the session opens, or that the exchanges are closed.']
  if (closes === undefined) return ['end_time', 'Say when the session closes.']
  if (opens >= 1440)
    return ['start_time', `Must be on the date itself. Got ${formatTimeOfDay(opens)}; use the next date.`]
  if (closes - opens >= SESSION_MINUTES_MIN)
    return closes - opens > 1440 ? ['end_time', 'A session lasts 24 hours at most.'] : undefined
  const message = `Must be at least ${SESSION_MINUTES_MIN} minutes after start_time. Got ${formatTimeOfDay(closes)}, and start_time is ${formatTimeOfDay(opens)}; a close on the next day is written with 24 added to its hours, such as 24:15.`
  return ['end_time', message]
}

function windowOf({ closed, start_time: opensAtMinute, end_time: closesAtMinute }: Wish): Window | undefined {
  if (closed || opensAtMinute === undefined || closesAtMinute === undefined) return undefined
  return { opensAtMinute, closesAtMinute }
}

export const marketoverrides = defineOperation({
  name: 'market/overrides',
  method: 'GET',
  tag: 'Calendar',
  summary: 'What was changed about the calendar',
  description:
    'Days for which an administrator has said when exchanges trade, by date. The audit log has who and when.',
  access: 'read',
  rateClass: 'read',
  input: {
    year: integer({ min: YEAR_MIN, max: YEAR_MAX, description: 'Of that year only.' }).optional(),
  },
  output: Type.Object({ data: Type.Array(Override), status: success }),
  example: { year: 2027 },
  handle: ({ year }, { services }) => ({
    data: services.calendarOverrides.list(year).map(shownOverride),
    status: 'success' as const,
  }),
})

export const marketoverridesset = defineOperation({
  name: 'market/overrides/set',
  method: 'POST',
  tag: 'Calendar',
  summary: 'Say when exchanges trade on a date',
  description:
    'That they are closed, or their hours, in place of what the exchanges have published, and with MARKET_HOURS=always in place of trading around the clock. In force at once for orders, square-off, expiry, candles, timings and status; it stays until it is set anew or removed. Orders that wait stay in the book.',
  access: 'admin',
  rateClass: 'read',
  input: {
    date: overriddenDate,
    exchanges,
    closed: flag({ description: 'They do not trade on that date.' }).optional(false, false),
    start_time: time('Opening, `HH:MM` in the exchange’s zone.', '18:00').optional(),
    end_time: time(
      `Close, \`HH:MM\` in the exchange’s zone; hours above 24 are on the next day, up to ${CLOSES_MAX}.`,
      '19:00',
    ).optional(),
    reason: text({
      min: 1,
      max: OVERRIDE_REASON_LENGTH_MAX,
      description: 'Shown as the day’s description and as the reason in the status.',
    }).optional('Set by an administrator', 'Set by an administrator'),
  },
  check(input) {
    const repeated = input.exchanges.findIndex((name, index) => input.exchanges.indexOf(name) !== index)
    const wrong = windowProblem(input)
    return [
      ...dateProblems(input.date),
      ...(repeated === -1
        ? []
        : [{ field: `exchanges[${repeated}]`, message: `${input.exchanges[repeated]} is named twice.` }]),
      ...(wrong === undefined ? [] : [{ field: wrong[0], message: wrong[1] }]),
    ]
  },
  output: Type.Object({ data: Type.Array(Override), status: success }),
  example: { date: '2027-03-22', exchanges: ['NSE', 'BSE', 'NFO', 'BFO'], closed: true, reason: 'Holi' },
  async handle(input, context) {
    const { date: day, exchanges: named, reason } = input
    const wish = { date: day, exchanges: named, window: windowOf(input), reason }
    const set = await context.services.calendarOverrides.set(wish, actorOf(context))
    return { data: set.map(shownOverride), status: 'success' as const }
  },
})

export const marketoverridesremove = defineOperation({
  name: 'market/overrides/remove',
  method: 'POST',
  tag: 'Calendar',
  summary: 'Let the published calendar count again on a date',
  description: 'At once. Answers what was removed; refused when nothing was said of one of the exchanges.',
  access: 'admin',
  rateClass: 'read',
  input: { date: overriddenDate, exchanges },
  output: Type.Object({ data: Type.Array(Override), status: success }),
  example: { date: '2027-03-22', exchanges: ['NSE', 'BSE', 'NFO', 'BFO'] },
  refusals: ['not_found'],
  check: (input) => dateProblems(input.date),
  async handle(input, context) {
    const names = [...new Set(input.exchanges)]
    const removed = await context.services.calendarOverrides.remove(input.date, names, actorOf(context))
    return { data: removed.map(shownOverride), status: 'success' as const }
  },
})
