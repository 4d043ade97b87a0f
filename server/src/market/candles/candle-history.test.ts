import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { ManualClock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { dayNumberAt, dayStartAt, MINUTE_MS } from '../../kernel/exchange-time.ts'
import { price } from '../../kernel/fixed.ts'
import type { TradingCalendar } from '../calendar.ts'
import type { CandleStore } from '../candle-store/candle-store.ts'
import type { Instrument } from '../instrument.ts'
import { type Candle, INTERVALS, type Interval } from '../market-data.ts'
import { aggregate, canAggregate } from './buckets.ts'
import { CandleHistory, HISTORY_DEADLINE_MS, type HistorySource, type HistoryWanted } from './candle-history.ts'
import { GAPS_MAX } from './gaps.ts'
import { calendarOf, candlesOfSessions, FIRST_DAY, HOURS, type Hours } from './test-sessions.ts'

const instrument = { symbol: 'GOLD05JUN26FUT', exchange: 'MCX' } as Instrument

interface Call {
  readonly interval: Interval
  readonly fromAt: number
  readonly toAt: number
}

interface SourceOptions {
  readonly intervals?: readonly Interval[]
  readonly candles: (call: Call) => Candle[] | Promise<Candle[]>
  readonly days?: number
}

function sourceOf({ intervals = ['1m'], candles, days }: SourceOptions): HistorySource & { readonly calls: Call[] } {
  const calls: Call[] = []
  return {
    name: 'fixture',
    intervals,
    calls,
    ...(days === undefined ? {} : { candleDays: () => days }),
    async candles(_instrument, interval, fromAt, toAt) {
      calls.push({ interval, fromAt, toAt })
      return candles({ interval, fromAt, toAt })
    },
  }
}

const within = (candles: readonly Candle[], { fromAt, toAt }: Omit<Call, 'interval'>): Candle[] =>
  candles.filter(({ startAt }) => startAt >= fromAt && startAt < toAt)

/** A store that holds these candles of one length. */
const storeOf = (interval: Interval, candles: readonly Candle[]): CandleStore => ({
  intervals: async () => (candles.length === 0 ? [] : [interval]),
  candles: async (_of, asked, fromAt, toAt) => (asked === interval ? within(candles, { fromAt, toAt }) : []),
  starts: async () => new Float64Array(),
})

const anyHours = fc.option(fc.constantFrom<Hours>(...Object.values(HOURS)), { nil: undefined, freq: 6 })
const someDays = fc.array(anyHours, { minLength: 4, maxLength: 9 })

interface Setting {
  readonly calendar: TradingCalendar
  readonly source: HistorySource
  readonly store?: CandleStore
  readonly clock?: ManualClock
}

const LATER = dayStartAt(FIRST_DAY + 400)

function historyOf({ calendar, source, store, clock = new ManualClock(LATER) }: Setting) {
  const history = new CandleHistory({ calendar, source, store, clock })
  return async (interval: Interval, first: number, last: number, more: Partial<HistoryWanted> = {}) => {
    const range = { firstDay: FIRST_DAY + first, lastDay: FIRST_DAY + last }
    const { symbol, exchange } = instrument
    return history.candles({ symbol, exchange, instrument, interval, origin: 'api', ...range, ...more })
  }
}

const OF_MINUTES = INTERVALS.filter((interval) => canAggregate('1m', interval))

describe('ranges', () => {
  test.each(OF_MINUTES)('of %s that meet give what the whole gives', async (interval) => {
    await fc.assert(
      fc.asyncProperty(someDays, fc.nat(7), fc.nat(7), fc.nat(7), async (days, ...cuts) => {
        const [a = 0, b = 0, c = 0] = cuts.sort((x, y) => x - y)
        const calendar = calendarOf(days)
        const minutes = candlesOfSessions(calendar.sessions, 60)
        const candles = historyOf({ calendar, source: sourceOf({ candles: (call) => within(minutes, call) }) })
        const parts = [await candles(interval, a, b), await candles(interval, b + 1, c)]
        const whole = await candles(interval, a, c)
        expect(parts.flatMap((part) => part.candles)).toEqual(whole.candles)
      }),
      { numRuns: 8 },
    )
  })

  test.each(OF_MINUTES)('of %s over everything are the aggregation of the minutes', async (interval) => {
    const calendar = calendarOf([HOURS.overnight, HOURS.usual, undefined, HOURS.half, HOURS.evening, HOURS.odd])
    const minutes = candlesOfSessions(calendar.sessions, 60)
    const candles = historyOf({ calendar, source: sourceOf({ candles: (call) => within(minutes, call) }) })
    // From the first of a year, so that every length has its beginning inside
    const made = await candles(interval, -120, 300)
    expect(made.candles).toEqual(aggregate(minutes, interval, calendar, 'MCX'))
    expect(made.candles.length).toBeGreaterThan(0)
  })

  it('longer than the source takes are asked for in pieces', async () => {
    const calendar = calendarOf(Array.from({ length: 10 }, () => HOURS.half))
    const minutes = candlesOfSessions(calendar.sessions, 60)
    const source = sourceOf({ candles: (call) => within(minutes, call), days: 3 })
    const { candles } = await historyOf({ calendar, source })('1m', 0, 9)
    expect(candles).toEqual(minutes)
    expect(source.calls.map(({ fromAt, toAt }) => (toAt - fromAt) / (1440 * MINUTE_MS))).toEqual([3, 3, 3, 1])
  })

  it('of years are made of days where the source takes fewer days at once', async () => {
    const calendar = calendarOf([HOURS.usual])
    const ask = async (days: number): Promise<Call[]> => {
      const source = sourceOf({ candles: () => [], intervals: ['D', 'W', 'Y'], days })
      await historyOf({ calendar, source })('Y', -89, 200)
      return source.calls
    }
    const year = { fromAt: dayStartAt(FIRST_DAY - 89), toAt: dayStartAt(FIRST_DAY + 276) }
    expect((await ask(500)).map(({ interval }) => interval)).toEqual(['Y'])
    const days = await ask(100)
    expect(days.map(({ interval }) => interval)).toEqual(['D', 'D', 'D', 'D'])
    expect({ fromAt: days[0]?.fromAt, toAt: days.at(-1)?.toAt }).toEqual(year)
  })

  it('that no candle begins in are empty, and nobody is asked', async () => {
    const source = sourceOf({ candles: () => [], intervals: ['D'] })
    const candles = historyOf({ calendar: calendarOf([HOURS.usual]), source })
    for (const interval of ['W', 'Q', 'Y'] as const) {
      expect(await candles(interval, 2, 4)).toEqual({ candles: [], isLastRunning: false })
    }
    expect(await candles('D', 401, 500)).toEqual({ candles: [], isLastRunning: false })
    expect(source.calls).toEqual([])
  })

  it.each([
    ['1m', 0, 3_660, 'A range may have at most 3660 days for candles of 1m'],
    ['D', -36_600, 0, 'A range may have at most 36600 days for candles of D'],
    [
      '1m',
      0,
      999,
      'holds more than 200000 candles of 1m for GOLD05JUN26FUT on MCX; from 2026-03-31, end on 2027-07-19',
    ],
    ['1s', 0, 30, 'more than 200000 candles of 1s'],
  ] as const)('of %s from day %d to %d are too long', async (interval, first, last, message) => {
    const calendar = calendarOf(Array.from({ length: 1000 }, () => [540, 960] as const))
    const source = sourceOf({ candles: () => [], intervals: ['1s', '1m', 'D'] })
    const candles = historyOf({ calendar, source, clock: new ManualClock(dayStartAt(FIRST_DAY + 5000)) })
    const refused = await candles(interval, first, last).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'range_too_long', message: expect.stringContaining(message) as string })
    expect(source.calls).toEqual([])
  })

  it('of a length that is made of too many shorter candles are too long', async () => {
    const calendar = calendarOf(Array.from({ length: 1000 }, () => [540, 960] as const))
    const candles = historyOf({
      calendar,
      source: sourceOf({ candles: () => [] }),
      clock: new ManualClock(dayStartAt(FIRST_DAY + 5000)),
    })
    await expect(candles('D', 0, 999)).rejects.toMatchObject({ code: 'range_too_long' })
    await expect(candles('D', 0, 99)).resolves.toMatchObject({ candles: [] })
  })
})

describe('the last candle', () => {
  const calendar = calendarOf([HOURS.usual, HOURS.usual, undefined, HOURS.overnight])
  const minutes = candlesOfSessions(calendar.sessions, 60)
  const nineAt = (day: number, minute: number): number => dayStartAt(FIRST_DAY + day) + minute * MINUTE_MS
  it.each([
    ['1m', nineAt(1, 600) + 30_000, true],
    ['1m', nineAt(1, 930), false],
    ['2h', nineAt(1, 929), true],
    ['2h', nineAt(1, 930), false],
    ['D', nineAt(1, 929), true],
    ['D', nineAt(1, 930), false],
    // The session of its last day is to come
    ['W', nineAt(1, 930), true],
    ['W', nineAt(3, 1589), true],
    ['W', nineAt(3, 1590), false],
    // Begins before the range
    ['M', nineAt(0, 930), false],
  ] as const)('of %s at %d runs: %s', async (interval, now, running) => {
    const known = minutes.filter(({ startAt }) => startAt <= now)
    const source = sourceOf({ candles: (call) => within(known, call) })
    const candles = historyOf({ calendar, source, clock: new ManualClock(now) })
    expect((await candles(interval, -1, 30)).isLastRunning).toBe(running)
  })
})

describe('a source', () => {
  const calendar = calendarOf([HOURS.half])
  const [good] = candlesOfSessions(calendar.sessions, 60)
  if (good === undefined) throw new Error('no candle')
  const next = { ...good, startAt: good.startAt + MINUTE_MS }

  it.each([
    ['not a number', [{ ...good, close: Number.NaN as Candle['close'] }], 'whose close is NaN'],
    ['endless', [{ ...good, volume: Number.POSITIVE_INFINITY as Candle['volume'] }], 'whose volume is Infinity'],
    ['without a time', [{ ...good, startAt: Number.NaN }], 'without a time'],
    ['above its high', [{ ...good, open: price(good.high + 1) }], 'crosses its own high or low'],
    ['below its low', [{ ...good, close: price(good.low - 1) }], 'crosses its own high or low'],
    ['negative', [{ ...good, volume: -1 as Candle['volume'] }], 'negative volume'],
    ['twice', [good, good], 'out of order'],
    ['backwards', [next, good], 'out of order'],
    ['elsewhere', [{ ...good, startAt: good.startAt - 86_400_000 }], 'outside the range'],
  ])('whose candle is %s is not believed', async (_what, sent, message) => {
    const candles = historyOf({ calendar, source: sourceOf({ candles: () => sent }) })
    const refused = await candles('1m', 0, 0).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'source_down', message: expect.stringContaining(message) as string })
  })

  it('that does not answer in time is given up, and asked for no more', async () => {
    const clock = new ManualClock(LATER)
    const hung = Promise.withResolvers<Candle[]>()
    const source = sourceOf({ candles: () => hung.promise, days: 1 })
    const answer = historyOf({ calendar, source, clock })('1m', 0, 5)
    const refused = expect(answer).rejects.toMatchObject({ code: 'source_slow' })
    clock.advance(HISTORY_DEADLINE_MS)
    await refused
    hung.resolve([])
    await new Promise(setImmediate)
    expect(source.calls).toHaveLength(1)
  })

  it('that refuses is passed on; one that breaks is a bug', async () => {
    const refusal = new Refusal('source_down', 'Not there.')
    const refusing = historyOf({ calendar, source: sourceOf({ candles: () => Promise.reject(refusal) }) })
    await expect(refusing('1m', 0, 0)).rejects.toBe(refusal)
    const broken = historyOf({ calendar, source: sourceOf({ candles: () => Promise.reject(new TypeError('x')) }) })
    await expect(broken('1m', 0, 0)).rejects.toBeInstanceOf(TypeError)
  })

  it('that has no shorter candles lists what it can give', async () => {
    const candles = historyOf({ calendar, source: sourceOf({ candles: () => [], intervals: ['5m', 'D'] }) })
    await expect(candles('1m', 0, 0)).rejects.toMatchObject({
      code: 'validation_failed',
      message:
        'interval: The market data source has no 1m candles. Use one of: 5m, 10m, 15m, 20m, 30m, 1h, 2h, 3h, 4h, D, W, M, Q, Y.',
    })
  })
})

describe('the store', () => {
  const calendar = calendarOf([HOURS.usual, undefined, HOURS.usual])
  const minutes = candlesOfSessions(calendar.sessions, 60)
  const unasked = sourceOf({ candles: () => Promise.reject(new Error('the source was asked')) })

  test.each(OF_MINUTES)('gives %s of stored minutes, of unlisted contracts too', async (interval) => {
    const candles = historyOf({ calendar, source: unasked, store: storeOf('1m', minutes) })
    const expected = aggregate(minutes, interval, calendar, 'MCX')
    for (const listed of [instrument, undefined]) {
      const made = await candles(interval, -120, 2, { origin: 'db', instrument: listed })
      expect(made.candles).toEqual(expected)
    }
  })

  it('without candles of a range that has sessions says so; without sessions it is empty', async () => {
    const candles = historyOf({ calendar, source: unasked, store: storeOf('1m', minutes.slice(0, 5)) })
    const none = {
      code: 'no_data',
      message: expect.stringMatching(/^No data found for GOLD05JUN26FUT:MCX interval 5m in local database\./) as string,
    }
    await expect(candles('5m', 2, 2, { origin: 'db' })).rejects.toMatchObject(none)
    expect(await candles('5m', 1, 1, { origin: 'db' })).toEqual({ candles: [], isLastRunning: false })
    const empty = historyOf({ calendar, source: unasked, store: storeOf('1m', []) })
    await expect(empty('5m', 0, 2, { origin: 'db' })).rejects.toMatchObject(none)
    const absent = historyOf({ calendar, source: unasked })
    await expect(absent('5m', 0, 2, { origin: 'db' })).rejects.toMatchObject(none)
  })

  it('gives what its candles give', async () => {
    const stored = new CandleHistory({
      calendar,
      source: unasked,
      store: storeOf('D', minutes),
      clock: new ManualClock(0),
    })
    expect(await stored.storedIntervals(instrument)).toEqual(['D', 'W', 'M', 'Q', 'Y'])
    expect(stored.intervals).toEqual(OF_MINUTES)
  })
})

describe('the store and the source together', () => {
  const anyInterval = fc.constantFrom(...OF_MINUTES)
  /** What is stored of each day: nothing, all, or all but some. */
  const someKept = fc.array(fc.constantFrom('none', 'all', 'first', 'holes'), { minLength: 9, maxLength: 9 })
  const isKept = (kept: readonly string[], { startAt }: Candle): boolean => {
    const day = kept[dayNumberAt(startAt) - FIRST_DAY] ?? 'none'
    return day === 'all' || (day !== 'none' && (day === 'first' ? startAt % 3_600_000 === 0 : startAt % 420_000 !== 0))
  }

  it('give what the source gives alone, whatever is stored', async () => {
    await fc.assert(
      fc.asyncProperty(
        someDays,
        someKept,
        anyInterval,
        fc.nat(4),
        fc.nat(8),
        async (days, kept, interval, first, more) => {
          const calendar = calendarOf(days)
          const now = calendar.sessions.at(-1)?.closesAt ?? LATER
          const clock = new ManualClock(now - (more % 2) * 600_000)
          const minutes = candlesOfSessions(calendar.sessions, 60).filter(({ startAt }) => startAt <= clock.now())
          const source = sourceOf({ candles: (call) => within(minutes, call) })
          const stored = minutes.filter((candle) => isKept(kept, candle))
          const candles = historyOf({ calendar, source, clock, store: storeOf('1m', stored) })
          const last = first + more
          const alone = await candles(interval, first, last)
          expect(await candles(interval, first, last, { origin: 'merged' })).toEqual(alone)
        },
      ),
      {
        numRuns: 80,
        // A session past midnight, stored until midnight: its last candle in the range needs what lies behind the range
        examples: [[[undefined, undefined, [1080, 1590], undefined, undefined], ['none', 'none', 'all'], '4h', 2, 0]],
      },
    )
  })

  it('ask the source only for sessions that are not over or not whole, and for no more than a few parts', async () => {
    const calendar = calendarOf(Array.from({ length: 30 }, () => HOURS.usual))
    const minutes = candlesOfSessions(calendar.sessions, 60)
    const source = sourceOf({ candles: (call) => within(minutes, call) })
    const dayOf = ({ startAt }: Candle): number => dayNumberAt(startAt) - FIRST_DAY
    const without = (...days: number[]) =>
      storeOf(
        '1m',
        minutes.filter((candle) => !days.includes(dayOf(candle))),
      )
    const askedFor = async (store: CandleStore, clock = new ManualClock(LATER)): Promise<number[][]> => {
      source.calls.length = 0
      await historyOf({ calendar, source, store, clock })('5m', 0, 29, { origin: 'merged' })
      return source.calls.map(({ fromAt, toAt }) => [dayNumberAt(fromAt) - FIRST_DAY, dayNumberAt(toAt) - FIRST_DAY])
    }
    expect(await askedFor(without())).toEqual([])
    expect(await askedFor(without(3, 4, 9))).toEqual([
      [3, 4],
      [9, 9],
    ])
    const half = calendar.sessions[29]?.opensAt ?? 0
    expect(await askedFor(without(), new ManualClock(half))).toEqual([[29, 29]])
    const every = Array.from({ length: GAPS_MAX + 1 }, (_, index) => index * 3)
    expect(await askedFor(without(...every))).toEqual([[0, GAPS_MAX * 3]])
  })

  it('take the source’s candle where both have one, and keep what only the store has', async () => {
    const calendar = calendarOf([HOURS.half])
    const minutes = candlesOfSessions(calendar.sessions, 60)
    const corrected = minutes.slice(0, 50).map((candle) => ({ ...candle, close: candle.open }))
    const source = sourceOf({ candles: (call) => within(corrected, call) })
    const candles = historyOf({ calendar, source, store: storeOf('1m', minutes.slice(20, 100)) })
    const made = await candles('1m', 0, 0, { origin: 'merged' })
    expect(made.candles).toEqual([...corrected, ...minutes.slice(50, 100)])
  })
})
