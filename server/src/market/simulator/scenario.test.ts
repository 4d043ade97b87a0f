import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../kernel/clock.ts'
import { MINUTE_MS } from '../../kernel/exchange-time.ts'
import type { TradingHours } from '../exchange-calendar.ts'
import { createCalendar } from '../exchange-calendar.ts'
import type { Exchange, Instrument } from '../instrument.ts'
import { InstrumentStore } from '../instrument-store.ts'
import { createSimulator, createUniverse, SCENARIOS, type Scenario, type SimulatedMarket } from './index.ts'
import { deviation, logChanges, mean } from './test-statistics.ts'

const at = (text: string): number => Date.parse(`${text}+05:30`)
const NOW = '2026-03-20T15:00:00'
const store = new InstrumentStore(createUniverse({ date: '2026-03-20', seed: 4 }))
const DAYS = ['2026-03-16', '2026-03-17', '2026-03-18', '2026-03-19']

function need(symbol: string, exchange: Exchange): Instrument {
  const found = store.find(symbol, exchange)
  if (found === undefined) throw new Error(`${symbol} on ${exchange} is not in the universe`)
  return found
}
const nifty = need('NIFTY', 'NSE_INDEX')
const share = need('SBIN', 'NSE')
const [future = share] = store.futures('NIFTY', 'NFO')

function open(scenario: Scenario, now = NOW, hours: TradingHours = 'exchange') {
  const clock = new ManualClock(at(now))
  return { clock, market: createSimulator({ seed: 4, scenario, clock, calendar: createCalendar({ hours }) }) }
}

const minutesOf = (market: SimulatedMarket, row: Instrument, day: string) =>
  market.candlesNow(row, '1m', at(`${day}T00:00:00`), at(`${day}T23:59:59`))

const dailyOf = (scenario: Scenario, row: Instrument) =>
  open(scenario).market.candlesNow(row, 'D', at('2025-09-20T00:00:00'), at('2026-03-20T00:00:00'))

test.each(SCENARIOS)('%s is the same market again whenever it is made', (scenario) => {
  const rows = [nifty, share, future, ...store.futures('GOLD', 'MCX').slice(0, 1)]
  const first = open(scenario).market
  const second = open(scenario).market
  second.candlesNow(share, '5m', at('2026-03-16T00:00:00'), at(NOW))
  for (const row of rows) {
    expect(second.depthNow(row)).toEqual(first.depthNow(row))
    const seen = first.quoteNow(row)
    expect(second.quoteNow(row, seen.at)).toEqual(seen)
  }
})

test.each(SCENARIOS)('in %s quotes agree with candles', (scenario) => {
  const { market } = open(scenario)
  for (const row of [nifty, share, future]) {
    const quote = market.quoteNow(row)
    const [day] = market.candlesNow(row, 'D', at('2026-03-20T00:00:00'), at(NOW))
    const minutes = market.candlesNow(row, '1m', at('2026-03-20T00:00:00'), at(NOW) + 1)
    expect(quote).toMatchObject({
      open: day?.open,
      high: day?.high,
      low: day?.low,
      ltp: day?.close,
      volume: day?.volume,
    })
    expect(minutes.reduce((sum, minute) => sum + minute.volume, 0)).toBe(quote.volume)
    expect(Math.max(...minutes.map((minute) => minute.high))).toBe(quote.high)
    expect(minutes[minutes.length - 1]?.close).toBe(quote.ltp)
  }
})

test('calm days move less than half as much as ordinary ones', () => {
  const size = (scenario: Scenario) => deviation(logChanges(dailyOf(scenario, share).map((day) => day.close)))
  expect(size('calm')).toBeLessThan(0.5 * size('ordinary'))
})

test('a trend goes one way for weeks, then the other', () => {
  const closes = dailyOf('trending', nifty).map((day) => day.close)
  const weeks = closes.filter((_, i) => i % 5 === 0)
  const signs = logChanges(weeks).map(Math.sign)
  const turns = signs.slice(1).filter((sign, i) => sign !== signs[i]).length
  expect(turns).toBeLessThan(signs.length / 2.5)
  expect(mean(logChanges(weeks).map(Math.abs))).toBeGreaterThan(0.03)
})

test('a gap opens every day far from where the day before closed', () => {
  const gaps = (scenario: Scenario) => {
    const days = dailyOf(scenario, share)
    return days.slice(1).map((day, i) => Math.abs(Math.log(day.open / (days[i]?.close ?? day.open))))
  }
  expect(mean(gaps('gap'))).toBeGreaterThan(0.02)
  expect(mean(gaps('ordinary'))).toBeLessThan(0.006)
})

describe('a crash', () => {
  test('takes more than a tenth off the index, which halts shares, indices and contracts for 45 minutes', () => {
    const { market } = open('crash')
    for (const day of DAYS) {
      const minutes = minutesOf(market, nifty, day)
      expect(minutes).toHaveLength(375 - 45)
      const jump = minutes.findIndex(
        (minute, i) => minute.startAt - (minutes[i - 1]?.startAt ?? 0) > MINUTE_MS && i > 0,
      )
      const { prevClose, open: opened } = market.quoteNow(nifty, (minutes[0]?.startAt ?? 0) + 1000)
      expect(opened).toBeGreaterThan(0.97 * prevClose)
      const before = minutes.slice(0, jump)
      const haltedAt = (minutes[jump - 1]?.startAt ?? 0) + MINUTE_MS
      expect((minutes[jump]?.startAt ?? 0) - haltedAt).toBe(45 * MINUTE_MS)
      expect(haltedAt).toBeLessThan(at(`${day}T13:00:00`))
      // The fall of a tenth comes in the very minute before the halt, not earlier.
      expect(before[before.length - 1]?.low).toBeLessThanOrEqual(0.9002 * prevClose)
      expect(Math.min(...before.slice(0, -1).map((minute) => minute.low))).toBeGreaterThan(0.8998 * prevClose)
      expect(Math.min(...minutes.map((minute) => minute.low))).toBeLessThan(0.88 * prevClose)

      for (const row of [share, future]) {
        const during = market.quoteNow(row, haltedAt + 20 * MINUTE_MS)
        expect(during.at).toBe(haltedAt - 1000)
        expect(during).toEqual(market.quoteNow(row, haltedAt - 1000))
        expect(market.quoteNow(row, haltedAt + 45 * MINUTE_MS).at).toBe(haltedAt + 45 * MINUTE_MS)
      }
      const gold = store.futures('GOLD', 'MCX')[0] ?? share
      expect(market.quoteNow(gold, haltedAt + 20 * MINUTE_MS).at).toBe(haltedAt + 20 * MINUTE_MS)
    }
  })

  test('also comes where trading never stops', () => {
    const { market } = open('crash', '2026-03-22T15:00:00', 'always')
    const quote = market.quoteNow(nifty)
    expect(quote.low).toBeLessThan(0.88 * quote.prevClose)
  })

  test('holds shares with a band at their lower limit', () => {
    const { market } = open('crash')
    const cash = [...store.byExchange('NSE')].filter((row) => market.circuitLimits(row) !== undefined)
    const limited = cash.filter((row) => market.quoteNow(row).low === market.circuitLimits(row)?.lower)
    expect(limited.length).toBeGreaterThan(50)
    expect(market.quoteNow(limited[0] ?? share, at('2026-03-20T12:30:00')).bid).toBe(0)
  })
})

describe('a halt', () => {
  test.each(['exchange', 'always'] as const)('rests the market for an hour or more, with hours %s', (hours) => {
    const { market } = open('halted', NOW, hours)
    for (const row of [nifty, share, future, store.futures('GOLD', 'MCX')[0] ?? share]) {
      for (const day of DAYS) {
        const minutes = minutesOf(market, row, day)
        const gaps = minutes.flatMap((minute, i) => {
          const gap = minute.startAt - (minutes[i - 1]?.startAt ?? minute.startAt - MINUTE_MS) - MINUTE_MS
          return gap > 0 ? [{ fromAt: minute.startAt - gap, gap }] : []
        })
        expect(gaps).toHaveLength(1)
        const [{ fromAt, gap } = { fromAt: 0, gap: 0 }] = gaps
        expect(gap).toBeGreaterThanOrEqual(60 * MINUTE_MS)
        expect(gap).toBeLessThan(90 * MINUTE_MS)
        const quote = market.quoteNow(row, fromAt + gap - 1)
        expect(quote.at).toBe(fromAt - 1000)
        expect(market.depthNow(row, fromAt + gap / 2)).toEqual(market.depthNow(row, fromAt - 1000))
        expect(market.candlesNow(row, '1s', fromAt, fromAt + gap)).toEqual([])
      }
    }
  })
})

describe('a lost feed', () => {
  const { market } = open('feed-loss')
  const seconds = Array.from({ length: 240 }, (_, i) => at('2026-03-20T10:00:00') + i * 15_000)
  const seen = seconds.map((moment) => {
    try {
      return { moment, age: moment - market.quoteNow(share, moment).at }
    } catch (error) {
      return { moment, age: String(error) }
    }
  })

  test('comes in every hour: quotes grow old, then there are none, then they are fresh again', () => {
    const kinds = seen.map(({ age }) => (typeof age === 'string' ? 'none' : age < 1000 ? 'fresh' : 'old'))
    const runs = kinds.filter((kind, i) => kind !== kinds[i - 1])
    expect(runs).toEqual(['fresh', 'old', 'none', 'fresh', 'fresh'].slice(0, 4))
    expect(kinds.filter((kind) => kind !== 'fresh').length * 15).toBeGreaterThan(5 * 60)
    for (const { age } of seen) {
      if (typeof age === 'string') expect(age).toContain('the feed was lost at 2026-03-20 10:0')
    }
  })

  test('the time of the data stays old, and candles end where the data does', () => {
    const old = seen.filter(({ age }) => typeof age === 'number' && age >= 1000).map(({ moment }) => moment)
    const last = old[old.length - 1] ?? 0
    const { clock, market: live } = open('feed-loss')
    clock.moveTo(last)
    const quote = live.quoteNow(share)
    expect(last - quote.at).toBeGreaterThan(60_000)
    const minutes = live.candlesNow(share, '1m', at('2026-03-20T00:00:00'), last)
    expect(minutes[minutes.length - 1]?.close).toBe(quote.ltp)
    expect(minutes[minutes.length - 1]?.startAt).toBeLessThan(quote.at)
  })

  test('history has what was missed, and the close is never missing', () => {
    expect(minutesOf(market, share, '2026-03-19')).toHaveLength(375)
    expect(market.quoteNow(share, at('2026-03-19T15:29:59')).at).toBe(at('2026-03-19T15:29:59'))
    expect(market.quoteNow(future, at('2026-03-19T15:39:59')).at).toBe(at('2026-03-19T15:39:59'))
  })
})
