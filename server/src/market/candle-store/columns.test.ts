import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { price, quantity } from '../../kernel/fixed.ts'
import { aggregate, bucketing } from '../candles/buckets.ts'
import { calendarOf, candlesOfSessions, HOURS } from '../candles/test-sessions.ts'
import type { Candle, Interval } from '../market-data.ts'
import { aggregateColumns, candlesOf, columnsOf, inOrder, merge } from './columns.ts'

const figure = fc.nat(1_000_000)
const candles = fc
  .array(fc.record({ startAt: fc.nat(40), figure }), { maxLength: 30 })
  .map((rows) => rows.map(({ startAt, figure: units }) => ({ ...candleOf(units), startAt })))
const candleOf = (units: number): Omit<Candle, 'startAt'> => ({
  open: price(units),
  high: price(units + 9),
  low: price(units - 9),
  close: price(units + 1),
  volume: quantity(units % 7),
  openInterest: quantity(units % 5),
})
/** By start, the last one of several. */
const kept = (...lists: readonly Candle[][]): Candle[] =>
  [...new Map(lists.flat().map((candle) => [candle.startAt, candle])).values()].sort((a, b) => a.startAt - b.startAt)

describe('candles as columns', () => {
  it('are the same candles', () => {
    fc.assert(
      fc.property(candles, (given) => {
        expect(candlesOf(columnsOf(given))).toEqual(given)
      }),
    )
  })

  it('are put in order, the last one of several with one start', () => {
    fc.assert(
      fc.property(candles, (given) => {
        expect(candlesOf(inOrder(columnsOf(given)))).toEqual(kept(given))
      }),
    )
  })

  it('are merged, the fresh ones first, and what is new or other is counted', () => {
    fc.assert(
      fc.property(candles, candles, (one, other) => {
        const [old, fresh] = [kept(one), kept(other)]
        const merged = merge(columnsOf(old), columnsOf(fresh))
        expect(candlesOf(merged.columns)).toEqual(kept(old, fresh))
        const before = new Map(old.map((candle) => [candle.startAt, JSON.stringify(candle)]))
        expect(merged.added).toBe(fresh.filter(({ startAt }) => !before.has(startAt)).length)
        const isOther = (candle: Candle): boolean => before.get(candle.startAt) !== JSON.stringify(candle)
        expect(merged.changed).toBe(fresh.filter(isOther).length - merged.added)
      }),
    )
  })

  it('make longer candles as candles do', () => {
    const hours = fc.option(fc.constantFrom(...Object.values(HOURS)), { nil: undefined })
    fc.assert(
      fc.property(
        fc.array(hours, { minLength: 1, maxLength: 4 }),
        fc.constantFrom<Interval>('2m', '5m', '1h', '4h', 'D', 'W', 'M'),
        fc.infiniteStream(fc.boolean()),
        (days, interval, isThere) => {
          const calendar = calendarOf(days)
          const minutes = candlesOfSessions(calendar.sessions, 60).filter(() => isThere.next().value)
          const made = aggregateColumns(columnsOf(minutes), bucketing('1m', interval, calendar, 'MCX'))
          expect(candlesOf(made)).toEqual(aggregate(minutes, interval, calendar, 'MCX'))
        },
      ),
      { numRuns: 40 },
    )
  })

  it('throw where a volume is more than can be exact', () => {
    const big = { ...candleOf(1), volume: quantity(Number.MAX_SAFE_INTEGER) }
    const rows = columnsOf([1, 2].map((startAt) => ({ ...big, startAt })))
    expect(() => candlesOf(aggregateColumns(rows, () => 0))).toThrow(/exact range/)
  })
})
