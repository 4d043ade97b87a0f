import { describe, expect, test } from 'vitest'
import { ManualClock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { price, toNumber } from '../kernel/fixed.ts'
import {
  createCalendar,
  createSimulator,
  createUniverse,
  type Exchange,
  type Instrument,
  InstrumentStore,
  type Quote,
} from '../market/index.ts'
import { findSeries } from './find-series.ts'
import { Forwards } from './forwards.ts'

const SEED = 1
const NOON = '2026-11-25T12:00:00+05:30'
const calendar = createCalendar({ hours: 'exchange' })
const store = new InstrumentStore(createUniverse({ date: '2026-11-25', seed: SEED }))

type Spoil = (instrument: Instrument, quote: Quote, now: number) => Quote | Error | undefined

/** Forwards over the simulated market; `spoil` changes what it answers. */
function setUp(spoil: Spoil = () => undefined) {
  const clock = new ManualClock(NOON)
  const market = createSimulator({ seed: SEED, clock, calendar })
  const asked: (readonly Instrument[])[] = []
  const marketData = {
    async quotes(instruments: readonly Instrument[]) {
      asked.push(instruments)
      const quotes = await market.quotes(instruments)
      return quotes.map((quote, index) => {
        const instrument = instruments[index]
        if (instrument === undefined || quote instanceof Error) return quote
        return spoil(instrument, quote, clock.now()) ?? quote
      })
    },
  }
  const forwards = new Forwards({ store: () => store, marketData, calendar, clock })
  const series = (underlying: string, exchange: Exchange, expiry: string) =>
    findSeries({ store, calendar, now: clock.now() }, { underlying, exchange, expiry })
  return { forwards, series, asked, clock, market }
}

const priced = async (symbol: string, exchange: Exchange): Promise<number> => {
  const { market } = setUp()
  const instrument = store.find(symbol, exchange)
  return instrument === undefined ? Number.NaN : toNumber.price(market.quoteNow(instrument).ltp)
}

describe('the forward of a series', () => {
  test.each<[string, Exchange, string, string, string | undefined]>([
    ['NIFTY', 'NSE_INDEX', '2026-12-29', 'future', 'NIFTY29DEC26FUT'],
    ['RELIANCE', 'NSE', '2026-12-29', 'future', 'RELIANCE29DEC26FUT'],
    ['CRUDEOIL', 'MCX', '2026-12-16', 'future', 'CRUDEOIL18DEC26FUT'], // exercised into it
    ['CRUDEOIL19JAN27FUT', 'MCX', '2026-12-16', 'future', 'CRUDEOIL18DEC26FUT'], // whatever future is named
    ['COPPER', 'NCO', '2026-12-21', 'future', 'COPPER24DEC26FUT'],
    ['USDINR', 'CDS', '2026-12-29', 'future', 'USDINR29DEC26FUT'],
    ['NIFTY', 'NSE_INDEX', '2026-12-01', 'synthetic', undefined], // a week without a future
    ['NIFTYNXT50', 'NSE_INDEX', '2026-12-29', 'future', 'NIFTYNXT5029DEC26FUT'],
    ['USDINR', 'CDS', '2026-11-27', 'synthetic', undefined], // not that of the month
    ['BTC', 'CRYPTO', '2026-12-25', 'future', undefined],
  ])('of %s on %s for %s is by %s', async (underlying, exchange, expiry, source, future) => {
    const { forwards, series } = setUp()
    const { forwards: found, sheet } = await forwards.read([series(underlying, exchange, expiry)], [], 0)
    const [forward] = found
    if (forward === undefined || forward instanceof Refusal) throw forward
    expect(forward.source).toBe(source)
    const { reference, exchange: listedOn } = series(underlying, exchange, expiry)
    const spot = toNumber.price(sheet.price(reference) ?? (0 as never))
    expect(Math.abs(forward.price / spot - 1)).toBeLessThan(0.02)
    if (future !== undefined) expect(forward.price).toBe(await priced(future, listedOn))
  })

  test('parity gives what the future of the expiry says', async () => {
    const noFuture: Spoil = ({ kind }) => (kind === 'FUT' ? new Refusal('quote_unavailable', 'no future') : undefined)
    for (const [underlying, exchange, future] of [
      ['NIFTY', 'NSE_INDEX', 'NIFTY29DEC26FUT'],
      ['BANKNIFTY', 'NSE_INDEX', 'BANKNIFTY29DEC26FUT'],
      ['RELIANCE', 'NSE', 'RELIANCE29DEC26FUT'],
    ] as const) {
      const { forwards, series } = setUp(noFuture)
      const { forwards: found } = await forwards.read([series(underlying, exchange, '2026-12-29')], [], 0)
      const expected = await priced(future, 'NFO')
      expect(found[0]).toEqual({ price: expect.any(Number), source: 'synthetic' })
      const error = Math.abs((found[0] as { price: number }).price / expected - 1)
      expect(error).toBeLessThan(0.0002)
    }
  })

  test('so it does when the future has a wide spread', async () => {
    const wide: Spoil = ({ kind }, quote) => (kind === 'FUT' ? { ...quote, bid: price(quote.bid / 2) } : undefined)
    const { forwards, series } = setUp(wide)
    const { forwards: found } = await forwards.read([series('NIFTY', 'NSE_INDEX', '2026-12-29')], [], 0)
    expect(found[0]).toMatchObject({ source: 'synthetic' })
  })

  test('stale calls and puts do not count', async () => {
    const stale: Spoil = ({ kind }, quote, now) =>
      kind === 'CE' || kind === 'PE' ? { ...quote, at: now - 11_000 } : undefined
    const { forwards, series } = setUp(stale)
    const { forwards: found, sheet } = await forwards.read([series('NIFTY', 'NSE_INDEX', '2026-12-01')], [], 0)
    const index = store.find('NIFTY', 'NSE_INDEX')
    if (index === undefined) throw new Error('NIFTY is listed')
    expect(found).toEqual([{ price: toNumber.price(sheet.price(index) ?? (0 as never)), source: 'spot' }])
  })

  test('without any price it is refused, in words that say why', async () => {
    const { forwards, series } = setUp(
      (instrument) => new Refusal('quote_unavailable', `${instrument.symbol} is silent`),
    )
    const { forwards: found } = await forwards.read([series('NIFTY', 'NSE_INDEX', '2026-12-29')], [], 0)
    expect(found[0]).toMatchObject({ code: 'quote_unavailable' })
    expect((found[0] as Refusal).message).toBe(
      'No forward of NIFTY: neither a future of its expiry, nor calls and puts around the money, nor NIFTY on NSE_INDEX has a fresh price. Failed to fetch LTP for NIFTY. NIFTY is silent',
    )
  })

  test('what goes wrong in a source is not taken for a missing price', async () => {
    const { forwards, series } = setUp(() => new TypeError('a bug'))
    await expect(forwards.read([series('NIFTY', 'NSE_INDEX', '2026-12-29')], [], 0)).rejects.toThrow('a bug')
  })
})

describe('what the source is asked', () => {
  test('one question suffices where a future is listed, with whatever else is wanted', async () => {
    const { forwards, series, asked } = setUp()
    const option = series('NIFTY', 'NSE_INDEX', '2026-12-29').chain.find(2_600_000_000_000, 'CE')
    if (option === undefined) throw new Error('26000 is listed')
    await forwards.read([series('NIFTY', 'NSE_INDEX', '2026-12-29')], [option], 0)
    expect(asked.map((question) => question.map(({ symbol }) => symbol))).toEqual([
      ['NIFTY29DEC2626000CE', 'NIFTY', 'NIFTY29DEC26FUT'],
    ])
  })

  test('one question suffices without a future too, once it is known where the money is', async () => {
    const { forwards, series, asked, clock } = setUp()
    const week = series('NIFTY', 'NSE_INDEX', '2026-12-01')
    await forwards.read([week], [], 0)
    expect(asked.map(({ length }) => length)).toEqual([1, 14])
    await clock.advance(1000)
    await forwards.read([week, week], [], 0)
    expect(asked.map(({ length }) => length)).toEqual([1, 14, 15])
  })
})
