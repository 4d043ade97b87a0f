import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../kernel/clock.ts'
import { dayNumberAt } from '../../kernel/exchange-time.ts'
import { createCalendar } from '../exchange-calendar.ts'
import type { Instrument } from '../instrument.ts'
import { InstrumentStore } from '../instrument-store.ts'
import type { Candle } from '../market-data.ts'
import { dynamicLimits, fixedLimits } from './circuit.ts'
import { createSimulator, createUniverse } from './index.ts'
import { simulatedUnderlying, type Underlying } from './underlyings.ts'

const SEED = 2
const at = (text: string): number => Date.parse(`${text}+05:30`)
const clock = new ManualClock(at('2026-11-20T18:00:00'))
const calendar = createCalendar({ hours: 'exchange' })
const market = createSimulator({ seed: SEED, clock, calendar })
const store = new InstrumentStore(createUniverse({ date: '2026-11-20', seed: SEED }))
const FROM = at('2025-11-20T00:00:00')

describe('limits', () => {
  test.each([
    [0.05, 10_000, 9500, 10_500],
    [0.05, 10_001, 9501, 10_501],
    [0.1, 333, 300, 366],
    [0.2, 2, 2, 2],
    [0.2, 1, 1, 1],
  ])('of a band of %f around %i ticks are %i and %i', (band, base, lower, upper) => {
    expect(fixedLimits({ band } as Underlying, base)).toEqual({ lower, upper })
  })

  test('a share with contracts has none that is fixed', () => {
    expect(fixedLimits({ band: 0 } as Underlying, 1000)).toBeUndefined()
  })

  test.each([
    [10_000, 10_000, 9000, 11_000],
    [10_000, 10_989, 9000, 11_000],
    [10_000, 10_990, 8500, 11_500],
    [9010, 10_000, 8500, 11_500],
    [8510, 10_000, 8000, 12_000],
    [10_000, 12_700, 7000, 13_000],
  ])('between %i and %i the dynamic band of 10000 is %i to %i', (low, high, lower, upper) => {
    expect(dynamicLimits(10_000, low, high)).toEqual({ lower, upper })
  })
})

const bandOf = (share: Instrument): number => simulatedUnderlying(share)?.band ?? 0

describe('shares with a fixed band', () => {
  const shares = [...store.byExchange('NSE')].filter((row) => bandOf(row) > 0).slice(0, 50)
  const years = shares.map((share) => ({ share, days: market.candlesNow(share, 'D', FROM, clock.now()) }))
  const eveningOf = (day: Candle): number => (calendar.sessionOn('NSE', dayNumberAt(day.startAt))?.closesAt ?? 0) - 1000
  /** Days that closed near a limit, with the ones before. */
  const locked = years.flatMap(({ share, days }) =>
    days.flatMap((day, i) => {
      const change = Math.abs(day.close / (days[i - 1]?.close ?? day.close) - 1)
      return Math.abs(change - bandOf(share)) < 0.002 ? [{ share, day }] : []
    }),
  )

  test('never leave it', () => {
    for (const { share, days } of years.slice(0, 15)) {
      for (const day of days.slice(-40)) {
        const limits = market.circuitLimits(share, eveningOf(day))
        expect(day.high).toBeLessThanOrEqual(limits?.upper ?? 0)
        expect(day.low).toBeGreaterThanOrEqual(limits?.lower ?? Number.POSITIVE_INFINITY)
        const { prevClose } = market.quoteNow(share, eveningOf(day))
        // The base price is yesterday's close, but for a close at a limit that was rounded to a tick.
        expect(Math.abs((limits?.upper ?? 0) - prevClose * (1 + bandOf(share)))).toBeLessThanOrEqual(4 * share.tickSize)
      }
    }
  })

  test('reach it now and then; nobody takes the other side there, and that side of the book says so', () => {
    const seen = { upper: 0, lower: 0 }
    for (const { share, day } of locked) {
      const limits = market.circuitLimits(share, eveningOf(day))
      const atUpper = day.close === limits?.upper
      if (!atUpper && day.close !== limits?.lower) continue
      const depth = market.depthNow(share, eveningOf(day))
      const [gone, offered] = atUpper ? [depth.asks, depth.bids] : [depth.bids, depth.asks]
      expect(atUpper ? depth.ask : depth.bid).toBe(0)
      expect(gone).toEqual([{ price: day.close, quantity: 0 }])
      expect(offered[0]?.price).toBe(day.close)
      expect(offered[0]?.quantity).toBeGreaterThan(0)
      expect(atUpper ? depth.totalSellQuantity : depth.totalBuyQuantity).toBe(0)
      seen[atUpper ? 'upper' : 'lower'] += 1
    }
    expect(seen.upper).toBeGreaterThan(3)
    expect(seen.lower).toBeGreaterThan(3)
    expect(seen.upper + seen.lower).toBeLessThan(0.03 * 50 * 250)
  })

  test('only shares have limits', () => {
    const index = store.find('NIFTY', 'NSE_INDEX')
    const share = store.find('RELIANCE', 'NSE')
    if (index === undefined || share === undefined) throw new Error('not listed')
    expect(market.circuitLimits(index)).toBeUndefined()
    const { lower, upper } = market.circuitLimits(share) ?? { lower: 0, upper: 0 }
    const { low, high } = market.quoteNow(share)
    expect(lower).toBeLessThan(low)
    expect(upper).toBeGreaterThan(high)
  })
})
