import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../kernel/clock.ts'
import { DAY_MS, dayNumberAt, dayStartAt, MINUTE_MS } from '../../kernel/exchange-time.ts'
import { add, greatest, isMultipleOf, least } from '../../kernel/fixed.ts'
import type { Session } from '../calendar.ts'
import { intervalSeconds } from '../candles/buckets.ts'
import { contractEnd } from '../contract-end.ts'
import { createCalendar, type TradingHours } from '../exchange-calendar.ts'
import { INDEX_EXCHANGES, type Instrument } from '../instrument.ts'
import { InstrumentStore } from '../instrument-store.ts'
import { type Candle, INTERVALS, type Interval } from '../market-data.ts'
import { createSimulator, createUniverse, type SimulatedMarket } from './index.ts'
import { optionNear } from './test-market.ts'

const SEED = 11

interface Scene {
  readonly hours: TradingHours
  readonly now: string
}

/** Middle of a session, with some milliseconds of the running second gone. The last one is an expiry day of both exchanges' options. */
const SCENES: readonly Scene[] = [
  { hours: 'exchange', now: '2026-03-10T13:07:42.310+05:30' },
  { hours: 'exchange', now: '2026-11-08T18:47:05.000+05:30' },
  { hours: 'always', now: '2026-03-24T15:34:00.999+05:30' },
  { hours: 'exchange', now: '2026-03-24T15:34:00.999+05:30' },
]

describe.each(SCENES)('at $now with hours $hours', ({ hours, now }) => {
  const clock = new ManualClock(now)
  const calendar = createCalendar({ hours })
  const market = createSimulator({ seed: SEED, clock, calendar })
  const store = new InstrumentStore(createUniverse({ date: now.slice(0, 10), seed: SEED }))
  const instruments = sample(store, market, now.slice(0, 10))

  test.each(instruments.map((instrument) => [`${instrument.symbol} on ${instrument.exchange}`, instrument] as const))(
    '%s: quote, book and candles of every length agree',
    (_, instrument) => {
      const at = clock.now()
      const session = openedBy(instrument)
      const minutes = market.candlesNow(instrument, '1m', session.opensAt, at + 1)
      expect(minutes.length).toBe(Math.ceil((Math.min(at + 1, session.closesAt) - session.opensAt) / MINUTE_MS))

      checkIntraday(instrument, session, minutes)
      checkSeconds(instrument, minutes)
      checkDay(instrument, session, minutes)
      checkPeriods(instrument)
      checkPast(instrument, session, minutes)
    },
  )

  /** The session, up to the end of a contract whose life ends within it. */
  function openedBy(instrument: Instrument): Session {
    const expiresAt = contractEnd(instrument, calendar)?.expiresAt ?? Number.POSITIVE_INFINITY
    for (let day = dayNumberAt(clock.now()); ; day -= 1) {
      const session = calendar.sessionOn(instrument.exchange, day)
      if (session !== undefined && session.opensAt <= clock.now()) {
        return { ...session, closesAt: Math.min(session.closesAt, expiresAt) }
      }
    }
  }

  function checkIntraday(instrument: Instrument, session: Session, minutes: Candle[]): void {
    for (const interval of INTERVALS) {
      const seconds = intervalSeconds(interval)
      if (seconds === undefined || seconds % 60 !== 0) continue
      const candles = market.candlesNow(instrument, interval, session.opensAt, clock.now() + 1)
      const expected = grouped(
        minutes,
        (minute) =>
          session.opensAt + Math.floor((minute.startAt - session.opensAt) / (seconds * 1000)) * seconds * 1000,
      )
      expect(candles, interval).toEqual(expected)
    }
  }

  function checkSeconds(instrument: Instrument, minutes: Candle[]): void {
    for (const minute of [minutes[0], minutes[minutes.length >> 1], minutes[minutes.length - 1]]) {
      if (minute === undefined) continue
      const end = minute.startAt + MINUTE_MS
      const single = market.candlesNow(instrument, '1s', minute.startAt, end)
      expect(grouped(single, () => minute.startAt)).toEqual([minute])
      for (const candle of single) expect([candle.high, candle.low, candle.close]).toEqual(Array(3).fill(candle.open))
      for (const interval of ['5s', '10s', '15s', '30s'] as const) {
        const length = (intervalSeconds(interval) ?? 0) * 1000
        const expected = grouped(
          single,
          (second) => minute.startAt + Math.floor((second.startAt - minute.startAt) / length) * length,
        )
        expect(market.candlesNow(instrument, interval, minute.startAt, end), interval).toEqual(expected)
      }
    }
  }

  function checkDay(instrument: Instrument, session: Session, minutes: Candle[]): void {
    const dayStart = dayStartAt(dayNumberAt(session.opensAt))
    const [day] = market.candlesNow(instrument, 'D', dayStart, dayStart + 1)
    expect([day]).toEqual(grouped(minutes, () => dayStart))
    const quote = market.quoteNow(instrument)
    const lastSecond = Math.min(Math.floor(clock.now() / 1000) * 1000, session.closesAt - 1000)
    expect(quote.at).toBe(lastSecond)
    expect(quote).toMatchObject({
      open: day?.open,
      high: day?.high,
      low: day?.low,
      ltp: day?.close,
      volume: day?.volume,
      openInterest: day?.openInterest,
    })
    const before = market.candlesNow(instrument, 'D', dayStart - 20 * DAY_MS, dayStart)
    expect(quote.prevClose).toBe(before[before.length - 1]?.close)
  }

  function checkPeriods(instrument: Instrument): void {
    const from = Date.parse('2025-12-29T00:00:00+05:30')
    const days = market.candlesNow(instrument, 'D', from, clock.now() + 1)
    const starts: Partial<Record<Interval, (at: number) => number>> = {
      W: (at) => at - ((new Date(at + DAY_MS / 2).getUTCDay() + 6) % 7) * DAY_MS,
      M: (at) => Date.parse(`${dateText(at).slice(0, 7)}-01T00:00:00+05:30`),
      Q: (at) => Date.parse(`${dateText(at).slice(0, 4)}-${quarter(dateText(at))}-01T00:00:00+05:30`),
      Y: (at) => Date.parse(`${dateText(at).slice(0, 4)}-01-01T00:00:00+05:30`),
    }
    for (const [interval, start] of Object.entries(starts)) {
      const candles = market.candlesNow(instrument, interval as Interval, from, clock.now() + 1)
      const expected = grouped(days, (day) => start(day.startAt)).filter((candle) => candle.startAt >= from)
      expect(candles, interval).toEqual(expected)
    }
  }

  function checkPast(instrument: Instrument, session: Session, minutes: Candle[]): void {
    for (const index of [0, 3, 61, minutes.length - 2]) {
      const minute = minutes[index]
      if (minute === undefined) continue
      const quote = market.quoteNow(instrument, minute.startAt + 59_000)
      const [soFar] = grouped(minutes.slice(0, index + 1), () => session.opensAt)
      expect(quote).toMatchObject({
        open: soFar?.open,
        high: soFar?.high,
        low: soFar?.low,
        ltp: soFar?.close,
        volume: soFar?.volume,
      })
      checkBook(market, instrument, minute.startAt + 17_000)
    }
    checkBook(market, instrument, clock.now())
  }
})

function checkBook(market: SimulatedMarket, instrument: Instrument, at: number): void {
  const { bids, asks, lastQuantity, totalBuyQuantity, totalSellQuantity, ...quote } = market.depthNow(instrument, at)
  expect(quote).toEqual(market.quoteNow(instrument, at))
  expect(isMultipleOf(quote.ltp, instrument.tickSize)).toBe(true)
  if (INDEX_EXCHANGES.has(instrument.exchange)) {
    expect([quote.bid, quote.ask, quote.volume, bids.length, asks.length]).toEqual([0, 0, 0, 0, 0])
    return
  }
  expect(asks).toHaveLength(5)
  expect(bids.length).toBeGreaterThan(0)
  expect(bids[0]?.price).toBe(quote.bid)
  expect(asks[0]?.price).toBe(quote.ask)
  expect(quote.bid).toBeLessThan(quote.ask)
  expect(quote.bid).toBeLessThanOrEqual(quote.ltp)
  expect(quote.ask).toBeGreaterThanOrEqual(quote.ltp)
  for (const [level, bid] of bids.entries()) expect(bid.price).toBe(quote.bid - level * instrument.tickSize)
  for (const [level, ask] of asks.entries()) expect(ask.price).toBe(quote.ask + level * instrument.tickSize)
  for (const { price, quantity } of [...bids, ...asks]) {
    expect(price).toBeGreaterThan(0)
    expect(quantity).toBeGreaterThan(0)
    expect(isMultipleOf(quantity, instrument.lotSize)).toBe(true)
  }
  for (const quantity of [lastQuantity, totalBuyQuantity, totalSellQuantity]) {
    expect(isMultipleOf(quantity, instrument.lotSize)).toBe(true)
  }
}

/** Candles made of other candles, in the order given, one for each start. */
function grouped(candles: readonly Candle[], startOf: (candle: Candle) => number): Candle[] {
  const groups: Candle[] = []
  for (const candle of candles) {
    const startAt = startOf(candle)
    const last = groups[groups.length - 1]
    if (last === undefined || last.startAt !== startAt) {
      groups.push({ ...candle, startAt })
      continue
    }
    groups[groups.length - 1] = {
      startAt,
      open: last.open,
      high: greatest(candle.high, last.high),
      low: least(candle.low, last.low),
      close: candle.close,
      volume: add(last.volume, candle.volume),
      openInterest: candle.openInterest,
    }
  }
  return groups
}

const dateText = (at: number): string => new Date(at + DAY_MS / 2).toISOString().slice(0, 10)
const quarter = (date: string): string => ['01', '04', '07', '10'][Math.floor((Number(date.slice(5, 7)) - 1) / 3)] ?? ''

function sample(store: InstrumentStore, market: SimulatedMarket, date: string): Instrument[] {
  const found: (Instrument | undefined)[] = [
    store.find('RELIANCE', 'NSE'),
    store.find('IDEA', 'NSE'),
    store.find('MRF', 'BSE'),
    store.find('NIFTY', 'NSE_INDEX'),
    store.find('SENSEX', 'BSE_INDEX'),
    store.find('MCXBULLDEX', 'MCX_INDEX'),
    store.find('GIFTNIFTY', 'GLOBAL_INDEX'),
    ...['NIFTY', 'RELIANCE'].map((root) => store.futures(root, 'NFO')[0]),
    store.futures('SENSEX', 'BFO')[1],
    store.futures('CRUDEOIL', 'MCX')[0],
    store.futures('GOLD', 'NCO')[0],
    store.futures('CASTOR', 'NCDEX')[0],
    store.futures('USDINR', 'CDS')[0],
    store.futures('EURINR', 'BCD')[0],
    store.futures('BTC', 'CRYPTO')[1],
    store.find('BTCINR', 'CRYPTO'),
    store.find('DOGEUSDT', 'CRYPTO'),
    store.find('BTCUSDFUT', 'CRYPTO'),
    optionNear(store, market, 'NIFTY', 'NFO', 'CE', 1),
    optionNear(store, market, 'NIFTY', 'NFO', 'PE', 1),
    optionNear(store, market, 'NIFTY', 'NFO', 'PE', 0.95),
    optionNear(store, market, 'RELIANCE', 'NFO', 'CE', 1.02),
    optionNear(store, market, 'SENSEX', 'BFO', 'CE', 0.99),
    optionNear(store, market, 'CRUDEOIL', 'MCX', 'PE', 1),
    optionNear(store, market, 'USDINR', 'CDS', 'CE', 1),
    // Those of the day itself have ended by the evening
    optionNear(store, market, 'BTC', 'CRYPTO', 'PE', 1, date),
  ]
  return found.map((instrument) => {
    if (instrument === undefined) throw new Error('an instrument of the sample is not in the universe')
    return instrument
  })
}
