import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { ManualClock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { priceOf, quantityOf } from '../../kernel/fixed.ts'
import type { CandleStore } from '../../market/candle-store/candle-store.ts'
import { CandleHistory, type HistorySource } from '../../market/candles/candle-history.ts'
import { createCalendar } from '../../market/exchange-calendar.ts'
import type { Instrument } from '../../market/instrument.ts'
import type { Candle, Interval } from '../../market/market-data.ts'
import { testApi } from '../test-api.ts'
import { operations } from './index.ts'

/** A server of some candles of three days, for tests of what shows them. */

const named = (symbol: string, exchange: Instrument['exchange']) => ({ symbol, exchange }) as Instrument
const listed = [named('SBIN', 'NSE'), named('M&M', 'NSE'), named('GONE', 'NSE'), named('NIFTY25AUG2626000CE', 'NFO')]

export const at = (text: string): number => Temporal.Instant.from(text).epochMilliseconds
/** Wednesday, 12:00:30 at the exchange. */
const NOON = at('2026-08-05T12:00:30+05:30')

interface Asked {
  readonly interval: Interval
  readonly fromAt: number
  readonly toAt: number
}
/** What the source was asked since the last test began. */
export const asked: Asked[] = []

const candle = (startAt: number, more: Partial<Candle> = {}): Candle => ({
  startAt,
  open: priceOf(1510),
  high: priceOf('1532'),
  low: priceOf('1504.1'),
  close: priceOf('1528.45'),
  volume: quantityOf(6_234_100),
  openInterest: quantityOf(0),
  ...more,
})

const source: HistorySource = {
  name: 'fixture',
  intervals: ['1m', '5m', '1h', 'D'],
  async candles(instrument, interval, fromAt, toAt) {
    asked.push({ interval, fromAt, toAt })
    if (instrument.symbol === 'GONE') throw new Refusal('source_down', 'The source is not available.')
    const starts = interval === 'D' ? ['T00:00', 'T00:00'] : ['T09:15', 'T09:20', 'T12:00']
    const all = ['2026-08-03', '2026-08-04', '2026-08-05'].flatMap((day) =>
      [...new Set(starts)].map((time) => at(`${day}${time}+05:30`)),
    )
    return all.filter((start) => start >= fromAt && start < toAt).map((start) => candle(start))
  },
}

const STORED: Readonly<Record<string, readonly Candle[]>> = {
  SBIN: [candle(at('2026-08-03T09:15+05:30')), candle(at('2026-08-03T09:16+05:30'), { close: priceOf('1505.5') })],
  NIFTY28JUL2624000CE: [candle(at('2026-07-28T15:29+05:30'))],
}
const store: CandleStore = {
  intervals: async ({ symbol }) => (STORED[symbol] === undefined ? [] : ['1m']),
  candles: async ({ symbol }, _interval, fromAt, toAt) =>
    (STORED[symbol] ?? []).filter(({ startAt }) => startAt >= fromAt && startAt < toAt),
  starts: async () => new Float64Array(),
}

/** Starts the server before the tests of a file and closes it after them. */
export function serveCandles(): { readonly app: FastifyInstance } {
  const server: { app: FastifyInstance | undefined } = { app: undefined }
  beforeAll(async () => {
    server.app = await openServer()
  })
  beforeEach(() => {
    asked.length = 0
  })
  afterAll(() => server.app?.close())
  return {
    get app() {
      if (server.app === undefined) throw new Error('the server is not started yet')
      return server.app
    },
  }
}

function openServer(): Promise<FastifyInstance> {
  const calendar = createCalendar({ hours: 'exchange' })
  const history = new CandleHistory({ source, store, calendar, clock: new ManualClock(NOON) })
  const instruments = {
    find: (symbol: string, exchange: string) =>
      listed.find((entry) => entry.symbol === symbol && entry.exchange === exchange),
    nearest: (symbol: string) => (symbol.startsWith('SB') ? ['SBIN', 'SBILIFE'] : []),
  }
  return testApi(operations, { history, instruments }, { now: NOON })
}

export const SBIN = {
  symbol: 'SBIN',
  exchange: 'NSE',
  interval: '5m',
  start_date: '2026-08-03',
  end_date: '2026-08-04',
}
/** The rows; the first one's whole prices have a decimal place. */
export const rows = (...timestamps: number[]): string =>
  timestamps
    .map((timestamp, index) => {
      const [high, open] = index === 0 ? ['1532.0', '1510.0'] : ['1532', '1510']
      return `{"close":1528.45,"high":${high},"low":1504.1,"oi":0,"open":${open},"timestamp":${timestamp},"volume":6234100}`
    })
    .join()
export const seconds = (text: string): number => at(text) / 1000
