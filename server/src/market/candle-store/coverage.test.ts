import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DAY_MS, dateOf, dayNumberOf, dayStartAt } from '../../kernel/exchange-time.ts'
import { aggregate } from '../candles/buckets.ts'
import { calendarOf, candlesOfSessions, FIRST_DAY, HOURS, type Hours } from '../candles/test-sessions.ts'
import { INTERVALS, type Interval } from '../market-data.ts'
import type { Series } from './candle-store.ts'
import { CoverageCount, HOLES_MAX } from './coverage.ts'
import { coverageReport } from './coverage-report.ts'

const LATER = Date.parse('2027-01-01T00:00:00Z')
const MINUTE = 60_000
const series = (interval: Interval): Series => ({ symbol: 'GOLD', exchange: 'MCX', interval })
const DAYS = [HOURS.usual, undefined, HOURS.half, HOURS.evening, undefined, HOURS.special, HOURS.odd]
const RANGE = { fromAt: dayStartAt(FIRST_DAY), toAt: dayStartAt(FIRST_DAY + DAYS.length) }

function report(interval: Interval, starts: readonly number[], more: { range?: typeof RANGE; now?: number } = {}) {
  const { range = RANGE, now = LATER } = more
  const count = new CoverageCount(series(interval), calendarOf(DAYS), now)
  count.add(Float64Array.from(starts), range)
  return count.take()
}
const startsOf = (interval: Interval): number[] => {
  const calendar = calendarOf(DAYS)
  const candles = candlesOfSessions(calendar.sessions, interval.endsWith('s') ? 1 : 60)
  return aggregate(candles, interval, calendar, 'MCX', interval.endsWith('s') ? '1s' : '1m').map(
    ({ startAt }) => startAt,
  )
}

describe('a report', () => {
  it.each(INTERVALS.filter((interval) => interval !== '1s'))(
    'expects exactly the candles that %s candles are made as',
    (interval) => {
      const starts = startsOf(interval).filter((at) => at >= RANGE.fromAt && at < RANGE.toAt)
      const found = report(interval, starts)
      expect(found).toMatchObject({ expected: starts.length, stored: starts.length, missing: 0, outside: 0, holes: [] })
    },
  )

  it('names the holes, one across a night too, and the sessions that are empty', () => {
    const all = startsOf('1m')
    const [monday] = calendarOf(DAYS).sessions
    const closesAt = monday?.closesAt ?? 0
    const half = closesAt + 2 * DAY_MS
    // The last two minutes of one session and the first three of the next, and all of the evening
    const isGone = (at: number): boolean =>
      (at >= closesAt - 2 * MINUTE && at < dayStartAt(FIRST_DAY + 2) + (555 + 3) * MINUTE) ||
      (at >= dayStartAt(FIRST_DAY + 3) && at < dayStartAt(FIRST_DAY + 4))
    const found = report(
      '1m',
      all.filter((at) => !isGone(at)),
    )
    expect(found).toMatchObject({ missing: 5 + 415, sessions: 5, emptySessions: 1, outside: 0 })
    expect(found.holes).toEqual([
      { firstAt: closesAt - 2 * MINUTE, lastAt: dayStartAt(FIRST_DAY + 2) + 557 * MINUTE, candles: 5 },
      {
        firstAt: dayStartAt(FIRST_DAY + 3) + 1020 * MINUTE,
        lastAt: dayStartAt(FIRST_DAY + 3) + 1434 * MINUTE,
        candles: 415,
      },
    ])
    expect(half).toBeGreaterThan(0)
  })

  it('counts what no session has, such as a candle before the opening', () => {
    const [first = 0] = startsOf('1m')
    const found = report('1m', [first - 7 * MINUTE, first, first + 30_000])
    expect([found.stored, found.outside]).toEqual([1, 2])
  })

  it('expects nothing that is not over', () => {
    const [first = 0] = startsOf('5m')
    const range = { fromAt: first, toAt: first + DAY_MS }
    const expected = (now: number, interval: Interval = '5m'): number => report(interval, [], { range, now }).expected
    expect([expected(first), expected(first + 5 * MINUTE - 1), expected(first + 5 * MINUTE)]).toEqual([0, 0, 1])
    const day = { fromAt: dayStartAt(FIRST_DAY), toAt: dayStartAt(FIRST_DAY + 1) }
    const daily = (now: number): number => report('D', [], { range: day, now }).expected
    expect([daily(first + 374 * MINUTE), daily(first + 375 * MINUTE)]).toEqual([0, 1])
  })

  it('lists so many holes and counts the rest', () => {
    const hours: Hours = [0, 1440]
    const calendar = calendarOf([hours, hours])
    const range = { fromAt: dayStartAt(FIRST_DAY), toAt: dayStartAt(FIRST_DAY + 2) }
    const count = new CoverageCount(series('1m'), calendar, LATER)
    count.add(
      Float64Array.from({ length: 1440 }, (_, index) => range.fromAt + index * 2 * MINUTE),
      range,
    )
    expect(count.take()).toMatchObject({ missing: 1440, holes: { length: HOLES_MAX }, holesLeftOut: 440 })
  })

  it('is the same whether a range is looked at as one or in parts', () => {
    const day = fc.option(fc.constantFrom(...Object.values(HOURS).filter(([, end]) => end <= 1440)), { nil: undefined })
    fc.assert(
      fc.property(
        fc.array(day, { minLength: 1, maxLength: 6 }),
        fc.constantFrom<Interval>('1m', '7m' as Interval, '15m', '1h', 'D', 'W'),
        fc.nat(10_000),
        fc.infiniteStream(fc.boolean()),
        (days, wanted, cut, kept) => {
          const interval = wanted === ('7m' as Interval) ? '3m' : wanted
          const calendar = calendarOf(days)
          const range = { fromAt: dayStartAt(FIRST_DAY), toAt: dayStartAt(FIRST_DAY + days.length) }
          const candles = aggregate(candlesOfSessions(calendar.sessions, 60), interval, calendar, 'MCX')
          const starts = Float64Array.from(candles.map(({ startAt }) => startAt).filter(() => kept.next().value))
          const middle = Math.min(range.toAt, range.fromAt + cut * MINUTE)
          const whole = new CoverageCount(series(interval), calendar, LATER)
          whole.add(
            starts.filter((at) => at >= range.fromAt),
            range,
          )
          const parts = new CoverageCount(series(interval), calendar, LATER)
          for (const part of [
            { fromAt: range.fromAt, toAt: middle },
            { fromAt: middle, toAt: range.toAt },
          ])
            parts.add(
              starts.filter((at) => at >= part.fromAt && at < part.toAt),
              part,
            )
          // A session that is cut counts on both sides
          const { sessions: _, emptySessions: __, ...expected } = whole.take()
          expect(parts.take()).toMatchObject(expected)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('reads a month at a time', async () => {
    const asked: string[] = []
    const store = {
      starts: async (_series: Series, fromAt: number, toAt: number) => {
        asked.push(`${dateOf(Math.round((fromAt + 19_800_000) / DAY_MS))} ${(toAt - fromAt) / DAY_MS}`)
        return new Float64Array()
      },
    }
    const range = { fromAt: dayStartAt(dayNumberOf('2026-01-01')), toAt: dayStartAt(dayNumberOf('2026-03-01')) }
    await coverageReport(store, calendarOf([]), series('1m'), range, LATER)
    expect(asked).toEqual(['2026-01-01 31', '2026-02-01 28'])
  })
})
