import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../kernel/clock.ts'
import { DAY_MS, dayNumberAt, dayStartAt, MINUTE_MS } from '../../kernel/exchange-time.ts'
import { createCalendar } from '../exchange-calendar.ts'
import type { Exchange, Instrument } from '../instrument.ts'
import { InstrumentStore } from '../instrument-store.ts'
import type { Candle, Interval } from '../market-data.ts'
import { createSimulator, createUniverse } from './index.ts'
import { INDEX_MEMBERS } from './index-members.ts'
import { Levels } from './levels.ts'
import { autocorrelation, correlation, deviation, kurtosis, logChanges, mean, standardised } from './test-statistics.ts'
import { underlyingByKey } from './underlyings.ts'

const SEED = 2
const at = (text: string): number => Date.parse(`${text}+05:30`)
const clock = new ManualClock(at('2026-11-20T14:30:00'))
const FROM = at('2025-11-20T00:00:00')
const calendar = createCalendar({ hours: 'exchange' })
const market = createSimulator({ seed: SEED, clock, calendar })
const store = new InstrumentStore(createUniverse({ date: '2026-11-20', seed: SEED }))

function need(symbol: string, exchange: Exchange): Instrument {
  const found = store.find(symbol, exchange)
  if (found === undefined) throw new Error(`${symbol} on ${exchange} is not in the universe`)
  return found
}

const candles = (row: Instrument, interval: Interval, fromAt = FROM): Candle[] =>
  market.candlesNow(row, interval, fromAt, clock.now())
const changes = (row: Instrument, interval: Interval): number[] =>
  logChanges(candles(row, interval).map((candle) => candle.close))

const nifty = need('NIFTY', 'NSE_INDEX')
const members = INDEX_MEMBERS.get('NIFTY') ?? []
const shares = members.map(({ symbol }) => need(symbol, 'NSE'))
const daily = shares.map((share) => changes(share, 'D'))
const niftyDaily = changes(nifty, 'D')

describe('daily changes of a year', () => {
  const pooled = daily.flatMap(standardised)

  test('have fat tails', () => {
    expect(kurtosis(pooled)).toBeGreaterThan(4)
    expect(kurtosis(pooled)).toBeLessThan(12)
    const far = pooled.filter((change) => Math.abs(change) > 4).length
    expect(far / pooled.length).toBeGreaterThan(5 * 0.000_063) // five times what a normal distribution has there
  })

  test('come in quiet and unquiet spells, while their directions follow no pattern', () => {
    const lags = [1, 2, 3, 5]
    const sizes = lags.map((lag) => mean(daily.map((row) => autocorrelation(row.map(Math.abs), lag))))
    const directions = lags.map((lag) => mean(daily.map((row) => autocorrelation(row, lag))))
    for (const value of sizes) expect(value).toBeGreaterThan(0.025)
    expect(sizes[0]).toBeGreaterThan(0.05)
    for (const value of directions) expect(Math.abs(value)).toBeLessThan(0.05)
  })

  test('have no drift', () => {
    expect(Math.abs(mean(niftyDaily)) / (deviation(niftyDaily) / Math.sqrt(niftyDaily.length))).toBeLessThan(2.5)
    const levels = new Levels({ seed: SEED, scenario: 'ordinary', trades: () => true })
    const index = underlyingByKey('INDEX:NIFTY')
    if (index === undefined) throw new Error('not known')
    const today = dayNumberAt(clock.now())
    const years = 26
    const whole = Math.log(levels.closeOn(index, today) / levels.closeOn(index, today - years * 365))
    expect(Math.abs(whole / years)).toBeLessThan(0.02)
  })

  test('are those of an index and its shares', () => {
    const withIndex = daily.map((row) => correlation(row, niftyDaily))
    expect(Math.min(...withIndex)).toBeGreaterThan(0.1)
    expect(mean(withIndex)).toBeGreaterThan(0.4)
    expect(mean(withIndex)).toBeLessThan(0.8)
    const yearly = deviation(niftyDaily) * Math.sqrt(250)
    expect(yearly).toBeGreaterThan(0.1)
    expect(yearly).toBeLessThan(0.22)
    expect(deviation(niftyDaily)).toBeLessThan(0.7 * mean(daily.map(deviation)))
  })

  test('tie shares of a sector together more closely', () => {
    const of = (symbol: string): number[] => daily[members.findIndex((member) => member.symbol === symbol)] ?? []
    const banks = ['HDFCBANK', 'ICICIBANK', 'SBIN', 'AXISBANK', 'KOTAKBANK']
    const others = ['SUNPHARMA', 'MARUTI', 'TATASTEEL', 'ITC', 'TCS']
    const within = banks.flatMap((a) => banks.filter((b) => b > a).map((b) => correlation(of(a), of(b))))
    const across = banks.flatMap((a) => others.map((b) => correlation(of(a), of(b))))
    expect(mean(within)).toBeGreaterThan(mean(across) + 0.08)
  })
})

describe('an index', () => {
  test.each(['NIFTY', 'BANKNIFTY', 'NIFTY100', 'MIDCPNIFTY'])(
    '%s is worth what its shares are, at any second',
    (symbol) => {
      const index = need(symbol, 'NSE_INDEX')
      const parts = underlyingByKey(`INDEX:${symbol}`)?.constituents ?? []
      expect(parts.length).toBeGreaterThan(10)
      for (const moment of [
        '2026-11-20T09:15:00',
        '2026-11-20T11:02:37',
        '2026-11-19T15:29:59',
        '2025-12-31T12:00:01',
      ]) {
        let worth = 0
        let rounding = index.tickSize / 2
        for (const { stock, shares: count } of parts) {
          const share = need(stock.key.slice('EQ:'.length), 'NSE')
          worth += count * market.quoteNow(share, at(moment)).ltp
          rounding += (count * share.tickSize) / 2
        }
        expect(Math.abs(market.quoteNow(index, at(moment)).ltp - worth)).toBeLessThanOrEqual(rounding + 1)
      }
    },
  )

  test('and its shares move together within the day too', () => {
    const from = clock.now() - 20 * DAY_MS
    const closes = (row: Instrument) => logChanges(candles(row, '15m', from).map((candle) => candle.close))
    const index = closes(nifty)
    expect(mean(shares.slice(0, 10).map((share) => correlation(closes(share), index)))).toBeGreaterThan(0.4)
  })
})

describe('a day', () => {
  const from = clock.now() - 60 * DAY_MS
  const quarters = shares.slice(0, 6).map((share) => candles(share, '15m', from))
  /** Sum over all days of what the quarter of an hour that begins so many minutes after the opening has. */
  const sumAt = (minute: number, of: (candle: Candle) => number): number =>
    quarters.flat().reduce((sum, candle) => {
      const opening = dayStartAt(dayNumberAt(candle.startAt)) + (9 * 60 + 15) * MINUTE_MS
      return candle.startAt === opening + minute * MINUTE_MS ? sum + of(candle) : sum
    }, 0)

  test('sees most trading at its ends, least at noon', () => {
    const volume = (minute: number) => sumAt(minute, (candle) => candle.volume)
    for (const noon of [165, 180, 195]) {
      expect(volume(0)).toBeGreaterThan(1.4 * volume(noon))
      expect(volume(360)).toBeGreaterThan(1.4 * volume(noon))
    }
  })

  test('sees the widest movement after its opening', () => {
    const range = (minute: number) => sumAt(minute, (candle) => (candle.high - candle.low) / candle.open)
    expect(range(0)).toBeGreaterThan(1.3 * range(180))
    expect(range(360)).toBeGreaterThan(1.05 * range(180))
  })

  test('has fat tails in its minutes', () => {
    expect(kurtosis(logChanges(candles(nifty, '1m', from).map((candle) => candle.close)))).toBeGreaterThan(5)
  })
})
