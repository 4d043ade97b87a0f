import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ManualClock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { MINUTE_MS } from '../kernel/exchange-time.ts'
import type { Instrument } from './instrument.ts'
import {
  CANDLES_MAX,
  DEPTH_LEVELS,
  type DepthLevel,
  type Interval,
  type MarketDataSource,
  type Quote,
  type QuoteStream,
  type QuoteUpdate,
  SUBSCRIBED_INSTRUMENTS_MAX,
  SUBSCRIPTIONS_MAX,
} from './market-data.ts'

const HOUR_MS = 60 * MINUTE_MS

/** A source for the acceptance suite, in the middle of a session that goes on for an hour at least. */
export interface PortUnderTest {
  readonly source: MarketDataSource
  /** Prices change, and the source notices, when it is moved. */
  readonly clock: ManualClock
  /** Three or more that have traded in this session and will trade in the next minute. */
  readonly instruments: readonly [Instrument, Instrument, Instrument, ...Instrument[]]
  /** One that the source has never heard of. */
  readonly unknown: Instrument
  /** Timers, connections and the like that subscriptions hold in the source now. */
  readonly held: () => number
}

/** What every source of market data must do, whatever it gets its prices from. */
export function acceptMarketDataSource(name: string, open: () => Promise<PortUnderTest> | PortUnderTest): void {
  describe(`the market data port of ${name}`, () => {
    let port: PortUnderTest
    beforeEach(async () => {
      port = await open()
    })

    it('names itself and how much it takes', () => {
      const { source } = port
      expect(source.name).not.toBe('')
      expect(source.quotesMax).toBeGreaterThan(0)
      expect(source.intervals.length).toBeGreaterThan(0)
      expect(source.quoteNow === undefined).toBe(source.depthNow === undefined)
    })

    describe('quotes', () => {
      it('come one for each instrument, in order, also twice for the same', async () => {
        const { source, instruments } = port
        const wanted = [...instruments, ...instruments].reverse()
        const quotes = await quotesOf(source, wanted)
        for (const [index, instrument] of wanted.entries()) {
          const [alone] = await quotesOf(source, [instrument])
          expect(quotes[index]).toEqual(alone)
        }
        expect(await source.quotes([])).toEqual([])
      })

      it('tell the instant of their data, and prices that belong together', async () => {
        const { source, clock, instruments } = port
        for (const quote of await quotesOf(source, instruments)) {
          expect(quote.at).toBeLessThanOrEqual(clock.now())
          expectQuote(quote)
        }
      })

      it('of an unknown instrument are a refusal in its place; the others are there', async () => {
        const { source, instruments, unknown } = port
        const [first, refused, last] = await source.quotes([instruments[0], unknown, instruments[1]])
        expect(refused).toBeInstanceOf(Refusal)
        expect((refused as Refusal).code).toBe('quote_unavailable')
        expect((refused as Refusal).message).toContain(unknown.symbol)
        expect([first, last]).toEqual(await quotesOf(source, [instruments[0], instruments[1]]))
      })

      it('that the source can tell at once are the same', async () => {
        const { source, instruments } = port
        if (source.quoteNow === undefined) return
        for (const instrument of instruments)
          expect([source.quoteNow(instrument)]).toEqual(await source.quotes([instrument]))
      })

      it('of the future are refused', async () => {
        const { source, clock, instruments } = port
        const [quote] = await source.quotes([instruments[0]], clock.now() + MINUTE_MS)
        expect(quote).toMatchObject({ code: 'quote_unavailable' })
      })
    })

    describe('depth', () => {
      it('has its best prices first, does not cross, and agrees with the quote', async () => {
        const { source, instruments } = port
        for (const instrument of instruments) {
          const depth = await source.depth(instrument)
          const [quote] = await quotesOf(source, [instrument])
          expect(depth).toMatchObject({ ltp: quote?.ltp, at: quote?.at, volume: quote?.volume })
          expectSide(depth.bids, (before, after) => before > after)
          expectSide(depth.asks, (before, after) => before < after)
          const [bid, ask] = [depth.bids[0], depth.asks[0]]
          if (bid !== undefined && ask !== undefined) expect(bid.price).toBeLessThan(ask.price)
          expect(depth.totalBuyQuantity).toBeGreaterThanOrEqual(sum(depth.bids))
          expect(depth.totalSellQuantity).toBeGreaterThanOrEqual(sum(depth.asks))
        }
      })

      it('of an unknown instrument is refused', async () => {
        await expect(port.source.depth(port.unknown)).rejects.toMatchObject({ code: 'quote_unavailable' })
      })
    })

    describe('candles', () => {
      const minute: Interval = '1m'

      it('lie in the range, ascend, and hold together', async () => {
        const { source, clock, instruments } = port
        const [fromAt, toAt] = [clock.now() - HOUR_MS, clock.now() + HOUR_MS]
        for (const instrument of instruments) {
          const candles = await source.candles(instrument, minute, fromAt, toAt)
          let before = fromAt - 1
          expect(candles.length).toBeLessThanOrEqual(CANDLES_MAX)
          for (const { startAt, open: opened, high, low, close, volume } of candles) {
            expect(startAt).toBeGreaterThan(before)
            expect(startAt).toBeLessThanOrEqual(clock.now())
            expect(low).toBeGreaterThan(0)
            expect(low).toBeLessThanOrEqual(Math.min(opened, close))
            expect(high).toBeGreaterThanOrEqual(Math.max(opened, close))
            expect(volume).toBeGreaterThanOrEqual(0)
            before = startAt
          }
        }
      })

      it('of two ranges that meet are those of both', async () => {
        const { source, clock, instruments } = port
        const [instrument] = instruments
        const [from, to] = [clock.now() - HOUR_MS, clock.now()]
        const whole = await source.candles(instrument, minute, from, to)
        for (const middle of [from + 1, from + 17 * MINUTE_MS, from + 30 * MINUTE_MS + 29_999, to]) {
          const parts = [
            ...(await source.candles(instrument, minute, from, middle)),
            ...(await source.candles(instrument, minute, middle, to)),
          ]
          expect(parts).toEqual(whole)
        }
      })

      it('of the future, of nothing and of a reversed range are none', async () => {
        const { source, clock, instruments } = port
        const now = clock.now()
        const of = (fromAt: number, toAt: number) => source.candles(instruments[0], minute, fromAt, toAt)
        expect(await of(now + MINUTE_MS, now + HOUR_MS)).toEqual([])
        expect(await of(now, now)).toEqual([])
        expect(await of(now, now - HOUR_MS)).toEqual([])
      })

      it('of an unknown instrument are refused', async () => {
        const { source, clock, unknown } = port
        const asked = source.candles(unknown, minute, clock.now() - HOUR_MS, clock.now())
        await expect(asked).rejects.toBeInstanceOf(Refusal)
      })
    })

    acceptSubscriptions(() => port)
  })
}

function acceptSubscriptions(portOf: () => PortUnderTest): void {
  describe('a subscription', () => {
    let port: PortUnderTest
    const opened: QuoteStream[] = []
    beforeEach(() => {
      port = portOf()
    })
    afterEach(() => {
      for (const stream of opened.splice(0)) stream.close()
    })

    function subscribe(instruments: readonly Instrument[]): { stream: QuoteStream; wakes: () => number } {
      let wakes = 0
      const stream = port.source.subscribe(instruments, () => {
        wakes += 1
      })
      opened.push(stream)
      return { stream, wakes: () => wakes }
    }

    it('begins with the present quote of each instrument, in order, each once', async () => {
      const { source, instruments } = port
      const { stream, wakes } = subscribe([...instruments, ...instruments])
      expect(wakes()).toBe(0)
      await settled()
      expect(wakes()).toBe(1)
      const updates = stream.take()
      expect(updates.map(({ instrument }) => instrument.symbol)).toEqual(instruments.map(({ symbol }) => symbol))
      expect(updates.map(({ quote }) => quote)).toEqual(await quotesOf(source, instruments))
      expect(stream.take()).toEqual([])
    })

    it('tells what changes, never going back, and ends at the price that the source has', async () => {
      const { source, clock, instruments } = port
      const { stream } = subscribe(instruments)
      const last = new Map<number, QuoteUpdate>()
      for (let second = 0; second < 60; second += 1) {
        for (const update of stream.take()) {
          const { instrument, quote } = update
          const before = last.get(instrument.id)?.quote
          if (before !== undefined) expect(at(quote)).toBeGreaterThanOrEqual(at(before))
          last.set(instrument.id, update)
        }
        clock.advance(1000)
        await settled()
      }
      for (const update of stream.take()) last.set(update.instrument.id, update)
      for (const instrument of instruments)
        expect([last.get(instrument.id)?.quote]).toEqual(await source.quotes([instrument]))
    })

    it('keeps only the newest for a reader that is slow, and wakes it once', async () => {
      const { clock, instruments } = port
      const { stream, wakes } = subscribe(instruments)
      await settled()
      for (let second = 0; second < 60; second += 1) {
        clock.advance(1000)
        await settled()
      }
      expect(wakes()).toBe(1)
      const updates = stream.take()
      expect(updates).toHaveLength(instruments.length)
      expect(new Set(updates.map(({ instrument }) => instrument.id)).size).toBe(instruments.length)
      for (const { quote } of updates) expect(at(quote)).toBeGreaterThan(clock.now() - MINUTE_MS)
    })

    it('lets a reader take a few at a time; who has waited longest is first', async () => {
      const { clock, instruments } = port
      const { stream } = subscribe(instruments)
      await settled()
      const [first] = stream.take(1)
      expect(first?.instrument.id).toBe(instruments[0].id)
      clock.advance(60_000)
      await settled()
      const rest = stream.take()
      expect(rest.map(({ instrument }) => instrument.id).slice(0, 2)).toEqual([instruments[1].id, instruments[2].id])
      expect(rest.at(-1)?.instrument.id).toBe(first?.instrument.id)
    })

    it('says of an unknown instrument why it has none, once', async () => {
      const { clock, instruments, unknown } = port
      const { stream } = subscribe([unknown, instruments[0]])
      const told: QuoteUpdate[] = []
      for (let second = 0; second < 5; second += 1) {
        await settled()
        told.push(...stream.take().filter(({ instrument }) => instrument.id === unknown.id))
        clock.advance(1000)
      }
      expect(told).toMatchObject([{ quote: { code: 'quote_unavailable' } }])
    })

    it('that has ended tells nothing more and leaves nothing behind', async () => {
      const { clock, instruments, held } = port
      const before = held()
      const one = subscribe(instruments)
      const other = subscribe([instruments[0]])
      await settled()
      expect(held()).toBeGreaterThan(before)
      one.stream.close()
      one.stream.close()
      const woken = one.wakes()
      clock.advance(60_000)
      await settled()
      expect([one.stream.take(), one.wakes()]).toEqual([[], woken])
      expect(other.stream.take()).toHaveLength(1)
      other.stream.close()
      expect(held()).toBe(before)
    })

    it('that is closed before it was woken is not woken', async () => {
      const { stream, wakes } = subscribe(port.instruments)
      stream.close()
      await settled()
      expect(wakes()).toBe(0)
    })

    it('is refused when it is too large, or one too many', () => {
      const { source, instruments, held } = port
      const before = held()
      const many = Array.from({ length: SUBSCRIBED_INSTRUMENTS_MAX + 1 }, (_, id) => ({
        ...instruments[0],
        id: 1e9 + id,
      }))
      expect(() => subscribe(many)).toThrow(expect.objectContaining({ code: 'overloaded' }))
      expect(held()).toBe(before)
      const streams = Array.from({ length: SUBSCRIPTIONS_MAX }, () =>
        source.subscribe([instruments[0]], () => undefined),
      )
      expect(() => subscribe([instruments[0]])).toThrow(expect.objectContaining({ code: 'overloaded' }))
      for (const stream of streams) stream.close()
      expect(held()).toBe(before)
    })
  })
}

/** Lets everything happen that waits for nothing but its turn. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const at = (quote: Quote | Refusal): number => (quote instanceof Refusal ? Number.NaN : quote.at)

const sum = (side: readonly DepthLevel[]): number => side.reduce((total, { quantity }) => total + quantity, 0)

async function quotesOf(source: MarketDataSource, instruments: readonly Instrument[]): Promise<Quote[]> {
  const found = await source.quotes(instruments)
  return found.map((quote) => {
    if (quote instanceof Error) throw quote
    return quote
  })
}

function expectQuote(quote: Quote): void {
  expect(quote.low).toBeGreaterThan(0)
  expect(quote.low).toBeLessThanOrEqual(Math.min(quote.open, quote.ltp))
  expect(quote.high).toBeGreaterThanOrEqual(Math.max(quote.open, quote.ltp))
  if (quote.bid > 0 && quote.ask > 0) expect(quote.bid).toBeLessThan(quote.ask)
  expect(Math.min(quote.volume, quote.openInterest, quote.bid, quote.ask)).toBeGreaterThanOrEqual(0)
}

function expectSide(side: readonly DepthLevel[], inOrder: (before: number, after: number) => boolean): void {
  expect(side.length).toBeLessThanOrEqual(DEPTH_LEVELS)
  for (const [index, { price, quantity }] of side.entries()) {
    expect(Math.min(price, quantity)).toBeGreaterThan(0)
    const before = side[index - 1]
    if (before !== undefined) expect(inOrder(before.price, price)).toBe(true)
  }
}
