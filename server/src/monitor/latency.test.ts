import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AssertionFailed } from '../kernel/assert.ts'
import { ManualClock } from '../kernel/clock.ts'
import { Steps } from '../kernel/steps.ts'
import { distributionOf, Histogram, VALUE_MAX } from './histogram.ts'
import {
  LatencyMonitor,
  MINUTES_KEPT,
  OPERATIONS_MAX,
  ORDERS_KEPT,
  type OrderFilter,
  READ_A_TURN,
  serverTiming,
} from './latency.ts'

describe('a histogram', () => {
  it('knows percentiles to two digits, whatever was recorded, also when several are added up', () => {
    const value = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 4_000_000_000 }))
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 300, size: 'max' }),
        fc.integer({ min: 1, max: 4 }),
        (values, parts) => {
          const histograms = Array.from({ length: parts }, () => new Histogram())
          for (const [index, each] of values.entries()) histograms[index % parts]?.record(each)
          const sorted = values.toSorted((one, other) => one - other)
          const packed = histograms.map((each, index) => (index % 2 === 0 ? each.summary() : each))
          const found = distributionOf(packed, [1, 50, 90, 99, 99.9, 100])
          expect(found?.count).toBe(values.length)
          expect(found?.max).toBe(sorted.at(-1))
          for (const [index, percentile] of [1, 50, 90, 99, 99.9, 100].entries()) {
            const exact = sorted[Math.max(1, Math.ceil((percentile / 100) * sorted.length)) - 1] ?? 0
            const told = found?.percentiles[index] ?? -1
            expect(Math.abs(told - exact)).toBeLessThanOrEqual(exact * 0.01)
          }
        },
      ),
    )
    expect(distributionOf([new Histogram().summary()], [50])).toBeUndefined()
  })

  it('keeps exact counts, sums and greatest values through packing, however many there are', () => {
    const histogram = new Histogram()
    const times = [1, 127, 128, 16_383, 16_384, 70_000]
    for (const [index, count] of times.entries())
      for (let each = 0; each < count; each += 1) histogram.record(10 ** index)
    const count = times.reduce((sum, each) => sum + each)
    const sum = times.reduce((total, each, index) => total + each * 10 ** index, 0)
    const summary = histogram.summary()
    expect(summary.counts.length).toBeLessThan(40)
    expect(distributionOf([summary, summary], [100])).toMatchObject({ count: 2 * count, mean: sum / count, max: 1e5 })
    histogram.reset()
    expect(distributionOf([histogram.summary()], [50])).toBeUndefined()
    expect(distributionOf([summary], [])?.count).toBe(count)
  })

  it('takes what is beyond its range as its greatest value, and no number below zero', () => {
    const histogram = new Histogram()
    histogram.record(Number.POSITIVE_INFINITY)
    histogram.record(VALUE_MAX)
    expect(distributionOf([histogram.summary()], [50])).toMatchObject({ count: 2, max: VALUE_MAX })
    for (const value of [-1, Number.NaN]) expect(() => histogram.record(value)).toThrow(AssertionFailed)
  })
})

const START = 1_790_000_040_000

function monitor() {
  const clock = new ManualClock(START)
  const latency = new LatencyMonitor(clock)
  const record = (totalMs: number, more: { operation?: string; status?: number; venueMs?: number } = {}) => {
    const steps = new Steps(() => 0)
    steps.venue = more.venueMs ?? 0
    latency.record({ operation: more.operation ?? 'quotes', steps, totalMs, status: more.status ?? 200 })
  }
  return { clock, latency, record }
}

describe('the latency monitor', () => {
  it('keeps each step that took time, in milliseconds', async () => {
    const { latency, record } = monitor()
    record(2, { venueMs: 1.5 })
    record(4, { venueMs: 0.5 })
    expect(await latency.times('start')).toEqual([
      {
        operation: 'quotes',
        step: 'venue',
        count: 2,
        meanMs: 1,
        p50Ms: 0.502,
        p90Ms: 1.496,
        p99Ms: 1.496,
        p999Ms: 1.496,
        maxMs: 1.5,
      },
      expect.objectContaining({ step: 'total', count: 2, meanMs: 3, maxMs: 4 }),
    ])
    expect(await latency.times('start', 'placeorder')).toEqual([])
  })

  it('forgets in windows, and never since the start', async () => {
    const { clock, latency, record } = monitor()
    const counts = () =>
      Promise.all(
        (['1m', '5m', '60m', 'start'] as const).map(async (window) => (await latency.times(window))[0]?.count ?? 0),
      )
    record(1)
    expect(await counts()).toEqual([1, 1, 1, 1])
    clock.advance(60_000)
    record(1)
    expect(await counts()).toEqual([2, 2, 2, 2])
    clock.advance(60_000)
    expect(await counts()).toEqual([1, 2, 2, 2])
    clock.advance(5 * 60_000)
    expect(await counts()).toEqual([0, 0, 2, 2])
    clock.advance((MINUTES_KEPT - 5) * 60_000)
    expect(await counts()).toEqual([0, 0, 0, 2])
  })

  it('does not count what a limit refused or a client did not wait for, and has a bounded number of operations', async () => {
    const { latency, record } = monitor()
    record(1, { status: 429 })
    record(1, { status: 499 })
    expect(await latency.times('start')).toEqual([])
    for (let index = 0; index < OPERATIONS_MAX + 5; index += 1) record(1, { operation: `operation-${index}` })
    expect((await latency.times('start')).length).toBe(OPERATIONS_MAX)
  })

  it('lets others have their turn while it reads an hour of every operation', async () => {
    const { clock, latency, record } = monitor()
    for (let minute = 0; minute < 3; minute += 1) {
      for (let index = 0; index < OPERATIONS_MAX; index += 1) record(1 + minute, { operation: `operation-${index}` })
      clock.advance(60_000)
    }
    let turns = 0
    let isOver = false
    const others = (): void => {
      turns += 1
      if (!isOver) setImmediate(others)
    }
    setImmediate(others)
    const rows = await latency.times('60m')
    isOver = true
    expect(rows.length).toBe(OPERATIONS_MAX)
    expect(rows.every(({ count, maxMs }) => count === 3 && maxMs === 3)).toBe(true)
    expect(turns).toBeGreaterThanOrEqual(Math.floor(OPERATIONS_MAX / READ_A_TURN))
  })

  it('keeps the newest orders one by one', () => {
    const { latency } = monitor()
    const order = (index: number) => ({
      at: START,
      requestId: `req-${index}`,
      orderId: String(index),
      operation: 'placeorder',
      account: index % 2 === 0 ? 'default' : 'other',
      symbol: 'SBIN',
      status: 200,
      totalMs: 2,
      venueMs: 0.5,
      journalMs: 1,
    })
    for (let index = 0; index < ORDERS_KEPT + 10; index += 1) latency.recordOrder(order(index))
    const ids = (limit: number, below?: number, account?: string) =>
      latency.orders(limit, below, { account }).map(({ orderId }) => Number(orderId))
    expect(ids(3)).toEqual([ORDERS_KEPT + 9, ORDERS_KEPT + 8, ORDERS_KEPT + 7])
    expect(ids(2, 20, 'default')).toEqual([18, 16])
    expect(ids(100, 15)).toEqual([14, 13, 12, 11, 10])
    const found = (filter: OrderFilter) => latency.orders(ORDERS_KEPT, undefined, filter).length
    expect(found({})).toBe(ORDERS_KEPT)
    expect(
      found({ orderId: '77', requestId: 'req-77', operation: 'placeorder', symbol: 'SBIN', account: 'other' }),
    ).toBe(1)
    for (const other of [
      { orderId: '9' },
      { requestId: 'req-9' },
      { operation: 'x' },
      { symbol: 'x' },
      { account: 'x' },
    ])
      expect(found(other)).toBe(0)
  })

  it('tells a request its steps in a header', () => {
    const clock = new ManualClock(0)
    const steps = new Steps(() => clock.elapsedMs())
    clock.advance(2)
    steps.lap('validate')
    clock.advance(1)
    expect(serverTiming(steps)).toBe('validate;dur=2.000, total;dur=3.000')
  })
})
