import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { dateOf, dayNumberAt, dayNumberOf, dayStartAt } from '../../kernel/exchange-time.ts'
import { price, quantity } from '../../kernel/fixed.ts'
import type { Session } from '../calendar.ts'
import { createCalendar } from '../exchange-calendar.ts'
import { type Candle, INTERVALS, type Interval } from '../market-data.ts'
import {
  aggregate,
  baseOf,
  bucketEnd,
  bucketStart,
  canAggregate,
  intervalSeconds,
  isPeriod,
  nextPeriod,
  PERIODS,
  periodStart,
  reachable,
} from './buckets.ts'
import { calendarOf, candleAt, candlesOfSessions, FIRST_DAY, HOURS, type Hours } from './test-sessions.ts'

const at = (text: string): number => Temporal.Instant.from(`${text}+05:30`).epochMilliseconds
const calendar = createCalendar({ hours: 'exchange' })

function startOn(exchange: 'NSE' | 'NFO' | 'CDS' | 'MCX' | 'CRYPTO', interval: Interval, time: string): string {
  const session = calendar.sessionAt(exchange, at(time))
  if (session === undefined) throw new Error(`${exchange} is closed at ${time}`)
  const startAt = bucketStart(session, interval, at(time))
  return Temporal.Instant.fromEpochMilliseconds(startAt).toZonedDateTimeISO('Asia/Kolkata').toPlainDateTime().toString()
}

describe('a candle begins', () => {
  it.each([
    ['NSE', '1h', '2026-08-03T10:14:59', '2026-08-03T09:15:00'],
    ['NSE', '1h', '2026-08-03T10:15:00', '2026-08-03T10:15:00'],
    ['NSE', '2m', '2026-08-03T09:16:59.999', '2026-08-03T09:15:00'],
    ['NSE', '45s', '2026-08-03T09:16:31', '2026-08-03T09:16:30'],
    ['NSE', '4h', '2026-08-03T15:29:59', '2026-08-03T13:15:00'],
    ['CDS', '1h', '2026-08-03T16:59:00', '2026-08-03T16:00:00'],
    ['MCX', '4h', '2026-08-03T23:30:00', '2026-08-03T21:00:00'],
    ['CRYPTO', '1h', '2026-08-02T00:59:00', '2026-08-02T00:00:00'],
    // Its morning session was a holiday
    ['MCX', '2h', '2026-01-15T20:30:00', '2026-01-15T19:00:00'],
    ['NSE', 'D', '2026-08-03T15:29:00', '2026-08-03T00:00:00'],
    ['NSE', 'W', '2026-08-06T15:29:00', '2026-08-03T00:00:00'],
    ['NSE', 'M', '2026-08-06T15:29:00', '2026-08-01T00:00:00'],
    ['NSE', 'Q', '2026-08-06T15:29:00', '2026-07-01T00:00:00'],
    ['NSE', 'Y', '2026-08-06T15:29:00', '2026-01-01T00:00:00'],
  ] as const)('on %s, of %s, at %s: %s', (exchange, interval, time, expected) => {
    expect(startOn(exchange, interval, time)).toBe(expected)
  })

  it('at the opening of a half day, an evening and a session past midnight', () => {
    const days = calendarOf([HOURS.half, HOURS.evening, HOURS.overnight])
    for (const session of days.sessions) {
      for (const interval of INTERVALS.filter((one) => !isPeriod(one))) {
        expect(bucketStart(session, interval, session.opensAt)).toBe(session.opensAt)
        const last = bucketStart(session, interval, session.closesAt - 1)
        expect(bucketEnd(session, interval, last)).toBe(session.closesAt)
      }
    }
  })

  it('a session past midnight is of the day that it opened on', () => {
    const [session] = calendarOf([HOURS.overnight]).sessions
    if (session === undefined) throw new Error('no session')
    const afterMidnight = session.closesAt - 1
    expect(dayNumberAt(afterMidnight)).toBe(FIRST_DAY + 1)
    expect(bucketStart(session, 'D', afterMidnight)).toBe(dayStartAt(FIRST_DAY))
    // 1 April would be another month, quarter and week day
    expect(dateOf(dayNumberAt(bucketStart(session, 'Q', afterMidnight)))).toBe('2026-01-01')
  })
})

test('periods follow each other without a gap, weeks from Monday', () => {
  for (const period of PERIODS) {
    let first = periodStart(period, dayNumberOf('2023-12-30'))
    for (let day = first; day < dayNumberOf('2029-01-02'); day += 1) {
      if (day === nextPeriod(period, first)) first = day
      expect([dateOf(day), dateOf(periodStart(period, day))]).toEqual([dateOf(day), dateOf(first)])
    }
  }
})

describe('what can be made of what', () => {
  it.each([
    ['1m', '5m', true],
    ['2m', '5m', false],
    ['15s', '45s', true],
    ['10s', '45s', false],
    ['5m', '1m', false],
    ['4h', 'D', true],
    ['D', '4h', false],
    ['D', 'W', true],
    ['W', 'M', false],
    ['M', 'Q', true],
    ['Q', 'Y', true],
    ['W', 'Y', false],
    ['M', 'W', false],
    ['W', 'W', true],
  ] as const)('%s → %s: %s', (from, to, expected) => {
    expect(canAggregate(from, to)).toBe(expected)
  })

  it('the longest one serves', () => {
    expect(baseOf(['1m', '5m', 'D'], '10m')).toBe('5m')
    expect(baseOf(['1m', '5m', 'D'], '2m')).toBe('1m')
    expect(baseOf(['1m', 'D'], 'Y')).toBe('D')
    expect(baseOf(['1m', 'D'], 'D')).toBe('D')
    expect(baseOf(['D'], '1m')).toBeUndefined()
  })

  it('minutes give all but seconds', () => {
    expect(reachable(['1m'])).toEqual(INTERVALS.filter((interval) => !interval.endsWith('s')))
    expect(reachable([])).toEqual([])
  })
})

const anyHours = fc.option(fc.constantFrom<Hours>(...Object.values(HOURS)), { nil: undefined, freq: 6 })
const someDays = fc.array(anyHours, { minLength: 1, maxLength: 9 })

/** Candles by the rule, read slowly: every part of every session, or every day of every period. */
function expected(sessions: readonly Session[], candles: readonly Candle[], interval: Interval): Candle[] {
  const groups = new Map<number, Candle[]>()
  for (const session of sessions) {
    const inside = candles.filter(({ startAt }) => session.opensAt <= startAt && startAt < session.closesAt)
    for (const candle of inside) {
      const startAt = isPeriod(interval)
        ? dayStartAt(firstDayOf(interval, session.date))
        : candle.startAt - ((candle.startAt - session.opensAt) % ((intervalSeconds(interval) ?? 0) * 1000))
      groups.set(startAt, [...(groups.get(startAt) ?? []), candle])
    }
  }
  return [...groups].map(([startAt, members]) => whole(startAt, members))
}

function whole(startAt: number, members: readonly Candle[]): Candle {
  const [first = candleAt(0), last = first] = [members[0], members.at(-1)]
  return {
    startAt,
    open: first.open,
    high: price(Math.max(...members.map(({ high }) => high))),
    low: price(Math.min(...members.map(({ low }) => low))),
    close: last.close,
    volume: quantity(members.reduce((sum, { volume }) => sum + volume, 0)),
    openInterest: last.openInterest,
  }
}

function firstDayOf(period: (typeof PERIODS)[number], date: string): number {
  const day = Temporal.PlainDate.from(date)
  const first = {
    D: day,
    W: day.subtract({ days: day.dayOfWeek - 1 }),
    M: day.with({ day: 1 }),
    Q: day.with({ month: day.month - ((day.month - 1) % 3), day: 1 }),
    Y: day.with({ month: 1, day: 1 }),
  }[period]
  return dayNumberOf(first.toString())
}

describe('aggregation', () => {
  test.each(INTERVALS.filter((interval) => canAggregate('1m', interval)))(
    'of minutes to %s is by the rule',
    (interval) => {
      fc.assert(
        fc.property(someDays, fc.integer({ min: 1, max: 9 }), (days, kept) => {
          const { sessions, ...calendarOfDays } = calendarOf(days)
          const minutes = candlesOfSessions(sessions, 60).filter((_, index) => index % 10 < kept)
          expect(aggregate(minutes, interval, calendarOfDays, 'MCX')).toEqual(expected(sessions, minutes, interval))
        }),
        { numRuns: 5 },
      )
    },
  )

  test.each(['5s', '10s', '15s', '30s', '45s', '1m', '1h'] as const)('of seconds to %s is by the rule', (interval) => {
    const { sessions, ...special } = calendarOf([HOURS.special, undefined, HOURS.special])
    const seconds = candlesOfSessions(sessions, 1)
    expect(aggregate(seconds, interval, special, 'MCX', '1s')).toEqual(expected(sessions, seconds, interval))
  })

  it('in two steps is the same as in one', () => {
    const everyPair = INTERVALS.flatMap((through) => INTERVALS.map((to) => [through, to] as const))
    const pairs = everyPair.filter(([through, to]) => canAggregate('1m', through) && canAggregate(through, to))
    expect(pairs.length).toBeGreaterThan(60)
    const { sessions, ...days } = calendarOf([HOURS.overnight, HOURS.half, undefined, HOURS.evening, HOURS.odd])
    const minutes = candlesOfSessions(sessions, 60)
    for (const [through, to] of pairs) {
      const between = aggregate(minutes, through, days, 'MCX')
      expect(aggregate(between, to, days, 'MCX', through), `${through} → ${to}`).toEqual(
        aggregate(minutes, to, days, 'MCX'),
      )
    }
  })

  it('loses no candle that lies outside the sessions, and gives each start once', () => {
    fc.assert(
      fc.property(
        someDays,
        fc.uniqueArray(fc.integer({ min: 0, max: 12 * 1440 }), { minLength: 1, maxLength: 200 }),
        fc.constantFrom(...INTERVALS.filter((interval) => canAggregate('1m', interval))),
        (days, minutes, interval) => {
          const anywhere = minutes
            .sort((a, b) => a - b)
            .map((minute) => candleAt(dayStartAt(FIRST_DAY - 1) + minute * 60_000))
          const made = aggregate(anywhere, interval, calendarOf(days), 'MCX')
          const volume = (candles: readonly Candle[]): number => candles.reduce((sum, candle) => sum + candle.volume, 0)
          expect(volume(made)).toBe(volume(anywhere))
          const starts = made.map(({ startAt }) => startAt)
          expect(starts).toEqual([...new Set(starts)].sort((a, b) => a - b))
        },
      ),
      { numRuns: 100 },
    )
  })
})
