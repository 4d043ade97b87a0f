import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { DAY_MS } from '../../kernel/exchange-time.ts'
import { multiplierOf, PRICE_ONE, priceOf, quantityOf } from '../../kernel/fixed.ts'
import { contractEnd } from '../contract-end.ts'
import { createCalendar } from '../exchange-calendar.ts'
import type { Exchange, Instrument } from '../instrument.ts'
import { InstrumentStore } from '../instrument-store.ts'
import type { Candle } from '../market-data.ts'
import { settlementPrice, underlyingOf } from '../underlying.ts'
import { createSimulator, createUniverse, type SimulatedMarket } from './index.ts'
import { optionNear } from './test-market.ts'

const at = (text: string): number => Date.parse(`${text}+05:30`)
const NOW = '2026-03-10T13:07:42.310'

function setUp(options: { seed?: number; now?: string; hours?: 'always' | 'exchange' } = {}) {
  const { seed = 4, now = NOW, hours = 'exchange' } = options
  const clock = new ManualClock(at(now))
  const calendar = createCalendar({ hours })
  return { clock, calendar, market: createSimulator({ seed, clock, calendar }) }
}

const store = new InstrumentStore(createUniverse({ date: '2026-03-10', seed: 4 }))

function need(symbol: string, exchange: Exchange): Instrument {
  const found = store.find(symbol, exchange)
  if (found === undefined) throw new Error(`${symbol} on ${exchange} is not in the universe`)
  return found
}

function refusalOf(work: () => unknown): Refusal {
  try {
    work()
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe('determinism', () => {
  const sample = [
    need('SBIN', 'NSE'),
    need('NIFTY', 'NSE_INDEX'),
    need('BTCUSDFUT', 'CRYPTO'),
    ...store.futures('GOLD', 'MCX'),
  ]

  test('two markets of one seed show the same, whatever was asked before and in whatever order', () => {
    const first = setUp().market
    const second = setUp().market
    const expected = sample.map((row) => first.depthNow(row))
    for (const row of [...sample].reverse()) {
      second.candlesNow(row, '5m', at('2026-03-02T00:00:00'), at('2026-03-10T00:00:00'))
      second.quoteNow(row, at('2026-03-09T12:00:00'))
    }
    expect(sample.map((row) => second.depthNow(row))).toEqual(expected)
  })

  test('the past looks the same later', () => {
    const { clock, market } = setUp()
    const before = sample.map((row) => market.depthNow(row))
    const asked = clock.now()
    clock.advance(9 * DAY_MS + 12_345)
    expect(sample.map((row) => market.depthNow(row, asked))).toEqual(before)
  })

  test('another seed is another market', () => {
    const first = setUp({ seed: 4 }).market
    const second = setUp({ seed: 5 }).market
    for (const row of sample) expect(second.quoteNow(row)).not.toEqual(first.quoteNow(row))
  })

  test('prices move from second to second', () => {
    const { clock, market } = setUp()
    const prices = new Set<number>()
    for (let second = 0; second < 60; second += 1) {
      prices.add(market.quoteNow(need('RELIANCE', 'NSE')).ltp)
      clock.advance(1000)
    }
    expect(prices.size).toBeGreaterThan(5)
  })
})

describe('time', () => {
  test('outside a session the quote is that of the last second traded', () => {
    const { clock, market } = setUp({ now: '2026-03-10T20:00:00' })
    const closing = market.quoteNow(need('SBIN', 'NSE'))
    expect(closing.at).toBe(at('2026-03-10T15:29:59'))
    clock.moveTo(at('2026-03-11T09:14:59'))
    expect(market.quoteNow(need('SBIN', 'NSE'))).toEqual(closing)
    clock.moveTo(at('2026-03-11T09:15:00'))
    const opening = market.quoteNow(need('SBIN', 'NSE'))
    expect(opening.at).toBe(at('2026-03-11T09:15:00'))
    expect(opening.prevClose).toBe(closing.ltp)
    expect([opening.open, opening.high, opening.low]).toEqual(Array(3).fill(opening.ltp))
  })

  test('the future is refused', () => {
    const { clock, market } = setUp()
    const refusal = refusalOf(() => market.quoteNow(need('SBIN', 'NSE'), clock.now() + 1))
    expect(refusal.code).toBe('quote_unavailable')
    expect(refusal.message).toContain('SBIN on NSE')
    expect(refusal.message).toContain('future')
  })

  test('so are days before prices begin', () => {
    const { market } = setUp()
    const refusal = refusalOf(() => market.quoteNow(need('SBIN', 'NSE'), at('1999-12-31T12:00:00')))
    expect(refusal.code).toBe('quote_unavailable')
    expect(refusal.message).toContain('2000-01-01')
    const option = need('NIFTY10MAR2626000CE', 'NFO')
    expect(refusalOf(() => market.quoteNow(option, at('2024-03-11T12:00:00'))).message).toContain('2025-02-03')
    const years = market.candlesNow(option, 'Y', 0, at('2026-03-10T00:00:00'))
    expect(years.map((year) => year.startAt)).toEqual([at('2025-01-01T00:00:00'), at('2026-01-01T00:00:00')])
  })

  test('no candle begins outside the range, in the future or outside a session', () => {
    const { market } = setUp()
    const from = at('2026-03-09T15:00:00')
    const candles = market.candlesNow(need('SBIN', 'NSE'), '30m', from, at('2026-03-12T00:00:00'))
    expect(candles.map((candle) => new Date(candle.startAt + 19_800_000).toISOString().slice(8, 16))).toEqual([
      '09T15:15',
      '10T09:15',
      '10T09:45',
      '10T10:15',
      '10T10:45',
      '10T11:15',
      '10T11:45',
      '10T12:15',
      '10T12:45',
    ])
    expect(market.candlesNow(need('SBIN', 'NSE'), 'D', from, from)).toEqual([])
    expect(market.candlesNow(need('SBIN', 'NSE'), 'D', from, from - DAY_MS)).toEqual([])
  })

  test('a range with too many candles is refused before they are made', () => {
    const { market } = setUp()
    const refusal = refusalOf(() => market.candlesNow(need('BTCUSDFUT', 'CRYPTO'), '1s', 0, at('2026-03-10T00:00:00')))
    expect(refusal.code).toBe('range_too_long')
    expect(refusal.message).toContain('200000')
  })

  test('a session that runs past midnight is one trading day', () => {
    const { market } = setUp({ now: '2026-11-09T00:10:00' })
    const [future] = new InstrumentStore(createUniverse({ date: '2026-11-09', seed: 4 })).futures('GOLDPETAL', 'MCX')
    expect(future).toBeDefined()
    if (future === undefined) return
    const candles = market.candlesNow(future, '1m', at('2026-11-09T00:00:00'), at('2026-11-10T00:00:00'))
    expect(candles.length).toBe(11)
    const days = market.candlesNow(future, 'D', at('2026-11-08T00:00:00'), at('2026-11-10T00:00:00'))
    expect(days.map((day) => day.startAt)).toEqual([at('2026-11-08T00:00:00')])
    expect(days[0]?.close).toBe(candles[10]?.close)
  })
})

describe('derivatives follow their underlying', () => {
  const moments = Array.from({ length: 200 }, (_, index) => at('2026-03-10T09:20:00') + index * 61_000)

  test('a future rises and falls with the spot price', () => {
    const { market } = setUp()
    const [future] = store.futures('RELIANCE', 'NFO')
    const pairs = moments.map((moment) => [
      market.quoteNow(need('RELIANCE', 'NSE'), moment).ltp,
      future && market.quoteNow(future, moment).ltp,
    ])
    const sorted = pairs.sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0))
    for (let i = 1; i < sorted.length; i += 1) {
      // Two prices that round to the same tick of the share may be one tick apart in the future.
      const tick = future?.tickSize ?? 0
      expect((sorted[i]?.[1] ?? 0) + tick).toBeGreaterThanOrEqual(sorted[i - 1]?.[1] ?? 0)
    }
    expect(sorted[0]?.[1]).toBeGreaterThan(sorted[0]?.[0] ?? 0)
  })

  test('call minus put is future minus strike', () => {
    const { market } = setUp()
    const [future] = store.futures('NIFTY', 'NFO')
    const call = optionNear(store, market, 'BANKNIFTY', 'NFO', 'CE', 1)
    const put = call && need(`${call.symbol.slice(0, -2)}PE`, 'NFO')
    const [bankFuture] = store.futures('BANKNIFTY', 'NFO')
    expect(future).toBeDefined()
    if (call === undefined || put === undefined || bankFuture === undefined) throw new Error('not listed')
    expect(call.expiry).toBe(bankFuture.expiry)
    for (const moment of moments) {
      const parity = market.quoteNow(call, moment).ltp - market.quoteNow(put, moment).ltp + call.strike
      expect(Math.abs(parity - market.quoteNow(bankFuture, moment).ltp)).toBeLessThanOrEqual(priceOf('0.11'))
    }
  })

  test('within a quarter of an hour a call rises with its index and a put falls', () => {
    const { market } = setUp()
    const quarter = Array.from({ length: 900 }, (_, second) => at('2026-03-10T11:00:00') + second * 1000)
    const index = need('NIFTY', 'NSE_INDEX')
    for (const [kind, sign] of [
      ['CE', 1],
      ['PE', -1],
    ] as const) {
      const option = optionNear(store, market, 'NIFTY', 'NFO', kind, 1)
      if (option === undefined) throw new Error('not listed')
      const pairs = quarter.map(
        (moment) => [market.quoteNow(index, moment).ltp, market.quoteNow(option, moment).ltp * sign] as const,
      )
      pairs.sort((a, b) => a[0] - b[0] || a[1] - b[1])
      for (let i = 1; i < pairs.length; i += 1) {
        if (pairs[i]?.[0] !== pairs[i - 1]?.[0])
          expect((pairs[i]?.[1] ?? 0) + option.tickSize).toBeGreaterThanOrEqual(pairs[i - 1]?.[1] ?? 0)
      }
    }
  })

  test('at a higher strike a call costs less and a put more', () => {
    const { market } = setUp()
    const chain = [...store.byExchange('NFO')].filter((row) => row.name === 'NIFTY' && row.expiry === '2026-03-17')
    for (const [kind, sign] of [
      ['CE', -1],
      ['PE', 1],
    ] as const) {
      const prices = chain.filter((row) => row.kind === kind).map((row) => market.quoteNow(row).ltp * sign)
      expect(prices.length).toBeGreaterThan(80)
      for (let i = 1; i < prices.length; i += 1) expect(prices[i]).toBeGreaterThanOrEqual(prices[i - 1] ?? 0)
    }
  })
})

describe('expiry', () => {
  const DAY = '2026-03-10'

  test.each(['exchange', 'always'] as const)(
    'with hours %s options and futures end at their settlement price',
    async (hours) => {
      const { clock, calendar, market } = setUp({ now: `${DAY}T13:00:00`, hours })
      const kinds = ['CE', 'PE'] as const
      const expiring = [0.99, 1, 1.01].flatMap((share) =>
        kinds.map((kind) => optionNear(store, market, 'NIFTY', 'NFO', kind, share)),
      )
      clock.moveTo(at(hours === 'always' ? '2026-03-11T00:00:00' : `${DAY}T15:40:00`) - 1)
      for (const option of expiring) {
        if (option === undefined) throw new Error('not listed')
        expect(option.expiry).toBe(DAY)
        const settled = await settlementPrice({ market, store, calendar }, option)
        expect(Math.abs(Math.max(settled, option.tickSize) - market.quoteNow(option).ltp)).toBeLessThanOrEqual(
          option.tickSize,
        )
      }
    },
  )

  test("a stock future settles at the share's last price", async () => {
    const expiryDay = new InstrumentStore(createUniverse({ date: '2026-03-30', seed: 4 }))
    const { calendar, market } = setUp({ now: '2026-03-30T15:39:59' })
    const [future] = expiryDay.futures('SBIN', 'NFO')
    if (future === undefined) throw new Error('not listed')
    expect(future.expiry).toBe('2026-03-30')
    const settled = await settlementPrice({ market, store: expiryDay, calendar }, future)
    expect(settled).toBe(market.quoteNow(need('SBIN', 'NSE')).ltp)
    expect(market.quoteNow(future).ltp).toBe(settled)
  })

  test('commodity and currency options settle against the future behind them', async () => {
    for (const [root, exchange] of [
      ['CRUDEOIL', 'MCX'],
      ['USDINR', 'CDS'],
      ['BTC', 'CRYPTO'],
    ] as const) {
      const listed = setUp()
      const option = optionNear(store, listed.market, root, exchange, 'CE', 0.99)
      if (option?.expiry === undefined) throw new Error('not listed')
      const { calendar, market } = setUp({ now: `${option.expiry}T23:59:59.999` })
      const reference = underlyingOf(store, option)
      if (reference === undefined) throw new Error('no underlying')
      const settled = await settlementPrice({ market, store, calendar }, option)
      const last = (contractEnd(option, calendar)?.settlesAt ?? 0) - 1000
      expect(settled).toBe(Math.max(0, market.quoteNow(reference, last).ltp - option.strike))
      const step = Math.max(option.tickSize, reference.tickSize)
      expect(Math.abs(Math.max(settled, option.tickSize) - market.quoteNow(option, last).ltp)).toBeLessThanOrEqual(step)
    }
  })

  test('after expiry there is no quote, but the history stays', () => {
    const { clock, market } = setUp({ now: `${DAY}T15:40:00` })
    const option = need('NIFTY10MAR2626000CE', 'NFO')
    const refusal = refusalOf(() => market.quoteNow(option))
    expect(refusal.code).toBe('quote_unavailable')
    expect(refusal.message).toContain('expired at 2026-03-10 15:40:00')
    clock.advance(30 * DAY_MS)
    const days = market.candlesNow(option, 'D', at('2026-03-06T00:00:00'), clock.now())
    expect(days.map((day) => day.startAt)).toEqual(
      ['2026-03-06', '2026-03-09', DAY].map((date) => at(`${date}T00:00:00`)),
    )
  })

  test('settlement before the close, and of what never expires, is refused', async () => {
    const { calendar, market } = setUp()
    const sources = { market, store, calendar }
    await expect(settlementPrice(sources, need('NIFTY10MAR2626000CE', 'NFO'))).rejects.toMatchObject({
      code: 'quote_unavailable',
    })
    await expect(settlementPrice(sources, need('SBIN', 'NSE'))).rejects.toMatchObject({ code: 'quote_unavailable' })
  })
})

describe('the port', () => {
  test('quotes come in the order asked for, with a Refusal where there is none', async () => {
    const { market } = setUp()
    const stranger: Instrument = {
      ...need('SBIN', 'NSE'),
      id: 1,
      symbol: 'NOSUCH',
      lotSize: quantityOf('1'),
      multiplier: multiplierOf('1'),
    }
    const quotes = await market.quotes([need('TCS', 'NSE'), stranger, need('SBIN', 'NSE')])
    expect(quotes[0]).toEqual(market.quoteNow(need('TCS', 'NSE')))
    expect(quotes[1]).toMatchObject({ code: 'quote_unavailable' })
    expect(quotes[2]).toEqual(market.quoteNow(need('SBIN', 'NSE')))
  })

  test('depth and candles are those of the synchronous core', async () => {
    const { clock, market } = setUp()
    const sbin = need('SBIN', 'NSE')
    expect(await market.depth(sbin)).toEqual(market.depthNow(sbin))
    const range = [clock.now() - DAY_MS, clock.now()] as const
    expect(await market.candles(sbin, '1h', ...range)).toEqual(market.candlesNow(sbin, '1h', ...range))
  })
})

describe('plausibility', () => {
  const daily = (market: SimulatedMarket, row: Instrument): Candle[] =>
    market.candlesNow(row, 'D', at('2025-03-01T00:00:00'), at('2026-03-10T00:00:00'))

  test.each<[string, Exchange, number, number]>([
    ['NIFTY', 'NSE_INDEX', 0.005, 0.014],
    ['RELIANCE', 'NSE', 0.009, 0.03],
    ['BTCUSDFUT', 'CRYPTO', 0.015, 0.035],
  ])('%s moves like one', (symbol, exchange, least, most) => {
    const days = daily(setUp().market, need(symbol, exchange))
    const returns = days.slice(1).map((day, index) => Math.log(day.close / (days[index]?.close ?? day.close)))
    const deviation = Math.sqrt(returns.reduce((sum, value) => sum + value * value, 0) / returns.length)
    expect(deviation).toBeGreaterThan(least)
    expect(deviation).toBeLessThan(most)
    const ranges = days.map((day) => (day.high - day.low) / day.open)
    const meanRange = ranges.reduce((sum, value) => sum + value, 0) / ranges.length
    expect(meanRange).toBeGreaterThan(deviation * 0.8)
    expect(meanRange).toBeLessThan(deviation * 2.5)
  })

  test('prices stay near those of the tables', () => {
    const { market } = setUp()
    for (const row of store.byExchange('NSE')) {
      const { ltp } = market.quoteNow(row)
      expect(ltp / PRICE_ONE).toBeGreaterThan(0.5)
    }
    const nifty = market.quoteNow(need('NIFTY', 'NSE_INDEX')).ltp / PRICE_ONE
    expect(nifty).toBeGreaterThan(20_000)
    expect(nifty).toBeLessThan(33_000)
  })

  test('a share trades more in the first and last quarter of an hour than at noon', () => {
    const { market } = setUp({ now: '2026-03-10T18:00:00' })
    const row = need('INFY', 'NSE')
    const quarters = market.candlesNow(row, '15m', at('2026-02-10T00:00:00'), at('2026-03-10T23:00:00'))
    const sumAt = (time: string) =>
      quarters
        .filter((candle) => new Date(candle.startAt + 19_800_000).toISOString().slice(11, 16) === time)
        .reduce((sum, candle) => sum + candle.volume, 0)
    expect(sumAt('09:15')).toBeGreaterThan(1.3 * sumAt('12:30'))
    expect(sumAt('15:15')).toBeGreaterThan(1.3 * sumAt('12:30'))
  })
})
