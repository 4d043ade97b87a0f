import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ManualClock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { multiplierOf, priceOf, quantityOf } from '../../kernel/fixed.ts'
import type { Instrument } from '../../market/instrument.ts'
import type { Depth, MarketDataSource, Quote } from '../../market/market-data.ts'
import { Quotes } from '../../market/quotes/index.ts'
import type { Services } from '../services.ts'
import { call, READ_KEY, testApi } from '../test-api.ts'
import { operations } from './index.ts'

const equity = (id: number, symbol: string): Instrument => ({
  id,
  symbol,
  exchange: 'NSE',
  kind: 'EQ',
  name: `${symbol} LTD`,
  expiry: undefined,
  strike: priceOf(0),
  lotSize: quantityOf(1),
  tickSize: priceOf('0.05'),
  freezeQuantity: quantityOf(0),
  multiplier: multiplierOf(1),
  token: String(3000 + id),
  sourceSymbol: `${symbol}-EQ`,
  sourceExchange: 'NSE_CM',
})

const option: Instrument = {
  ...equity(9, 'NIFTY25AUG2626000CE'),
  exchange: 'NFO',
  kind: 'CE',
  name: 'NIFTY',
  expiry: '2026-08-25',
  strike: priceOf(26000),
  lotSize: quantityOf(65),
  freezeQuantity: quantityOf(1800),
}
const silent = equity(3, 'SILENT')
const listed = [equity(1, 'SBIN'), equity(2, 'M&M'), silent, option]

/** Wednesday 2026-08-05, 12:00 at the exchange. */
const NOON = Temporal.Instant.from('2026-08-05T06:30:00Z').epochMilliseconds

const quote: Quote = {
  at: NOON - 1500,
  ltp: priceOf('800.05'),
  bid: priceOf('800'),
  ask: priceOf('800.1'),
  open: priceOf('799.5'),
  high: priceOf('805'),
  low: priceOf('798.95'),
  prevClose: priceOf('797'),
  volume: quantityOf(14_414_545),
  openInterest: quantityOf(0),
}
const wireQuote = {
  ask: 800.1,
  bid: 800,
  high: 805,
  low: 798.95,
  ltp: 800.05,
  oi: 0,
  open: 799.5,
  prev_close: 797,
  timestamp: NOON / 1000 - 1.5,
  volume: 14_414_545,
}
const unavailable = new Refusal('quote_unavailable', 'No quote data available')

const marketData: MarketDataSource = {
  name: 'fixture',
  quotesMax: 200,
  intervals: ['1m', '5m', '1h', 'D', 'W'],
  quotes: async (instruments) => instruments.map((instrument) => (instrument === silent ? unavailable : quote)),
  async depth(instrument): Promise<Depth> {
    if (instrument === silent) throw unavailable
    const bids = [{ price: priceOf('800'), quantity: quantityOf(5) }]
    const totals = { totalBuyQuantity: quantityOf(5), totalSellQuantity: quantityOf(0), lastQuantity: quantityOf(2) }
    return { ...quote, ...totals, bids, asks: [] }
  },
  candles: async () => [],
  subscribe: () => ({ take: () => [], close: () => undefined }),
}

const services: Partial<Services> = {
  instruments: {
    find: (symbol, exchange) => listed.find((entry) => entry.symbol === symbol && entry.exchange === exchange),
    nearest: (symbol) => (symbol.startsWith('SB') ? ['SBIN', 'SBILIFE'] : []),
  },
  marketData,
  quotes: new Quotes({ source: marketData, calendar: { sessionAt: () => undefined }, clock: new ManualClock(NOON) }),
}

let app: FastifyInstance
beforeAll(async () => {
  app = await testApi(operations, services, { now: NOON })
})
afterAll(() => app.close())

const notFound = (symbol: string, exchange: string): string =>
  `Symbol '${symbol}' not found for exchange '${exchange}'. Please verify the symbol name and ensure master contracts are downloaded.`

describe('ping', () => {
  it('answers a read key', async () => {
    const { status, text } = await call(app, 'ping', {}, READ_KEY)
    expect([status, text]).toEqual([200, '{"data":{"broker":"paper","message":"pong"},"status":"success"}'])
  })
})

describe('quotes', () => {
  it('gives the nine figures and the instant of the data, and repairs case and white space of the symbol', async () => {
    const { body } = await call(app, 'quotes', { symbol: ' sbin ', exchange: 'NSE' })
    expect(body).toEqual({ data: wireQuote, status: 'success' })
  })

  it('of an unknown symbol is 400 with names that are near', async () => {
    const { status, body } = await call(app, 'quotes', { symbol: 'SBIM', exchange: 'NSE' })
    expect(status).toBe(400)
    expect(body).toMatchObject({
      code: 'symbol_not_found',
      message: `${notFound('SBIM', 'NSE')} Did you mean SBIN or SBILIFE?`,
    })
  })

  it('that the source doesn’t have is 503', async () => {
    const { status, body } = await call(app, 'quotes', { symbol: 'SILENT', exchange: 'NSE' })
    expect([status, body]).toMatchObject([503, { code: 'quote_unavailable', message: 'No quote data available' }])
  })
})

describe('multiquotes', () => {
  it('keeps the order of the request, also of duplicates, with an error for each symbol that has no quote', async () => {
    const symbols = ['SBIN', 'NOPE', 'SILENT', 'M&M', 'SBIN'].map((symbol) => ({ symbol, exchange: 'NSE' }))
    const { body } = await call(app, 'multiquotes', { symbols })
    expect(body).toEqual({
      results: [
        { data: wireQuote, exchange: 'NSE', symbol: 'SBIN' },
        { code: 'symbol_not_found', error: notFound('NOPE', 'NSE'), exchange: 'NSE', symbol: 'NOPE' },
        { code: 'quote_unavailable', error: 'No quote data available', exchange: 'NSE', symbol: 'SILENT' },
        { data: wireQuote, exchange: 'NSE', symbol: 'M&M' },
        { data: wireQuote, exchange: 'NSE', symbol: 'SBIN' },
      ],
      status: 'success',
    })
  })

  it('is quotes/batch too', async () => {
    const symbols = ['SBIN', 'NOPE'].map((symbol) => ({ symbol, exchange: 'NSE' }))
    const { body } = await call(app, 'multiquotes', { symbols })
    expect((await call(app, 'quotes/batch', { symbols })).body).toEqual(body)
  })

  it('of nothing but unknown symbols is 400', async () => {
    const { status, body } = await call(app, 'multiquotes', { symbols: [{ symbol: 'NOPE', exchange: 'NSE' }] })
    expect(status).toBe(400)
    expect(body).toMatchObject({
      code: 'symbol_not_found',
      invalid_symbols: [{ error: notFound('NOPE', 'NSE'), exchange: 'NSE', symbol: 'NOPE' }],
      message: notFound('NOPE', 'NSE'),
    })
  })

  it('takes 500 symbols and no more', async () => {
    const many = (count: number) => ({
      symbols: Array.from({ length: count }, () => ({ symbol: 'SBIN', exchange: 'NSE' })),
    })
    expect((await call(app, 'multiquotes', many(500))).status).toBe(200)
    const { status, body } = await call(app, 'multiquotes', many(501))
    expect([status, body.message]).toEqual([400, 'symbols: Must contain 1 to 500 items. Got 501.'])
  })

  it('tells which item is wrong', async () => {
    const { body } = await call(app, 'multiquotes', {
      symbols: [{ symbol: 'SBIN', exchange: 'NSE' }, { symbol: 'SBIN' }],
    })
    expect(body.errors).toEqual([{ field: 'symbols[1].exchange', message: 'Missing data for required field.' }])
  })
})

describe('depth', () => {
  it('has five levels on each side, padded with zeros', async () => {
    const { text } = await call(app, 'depth', { symbol: 'SBIN', exchange: 'NSE' })
    const none = '{"price":0,"quantity":0}'
    expect(text).toBe(
      `{"data":{"asks":[${Array(5).fill(none).join()}],"bids":[{"price":800,"quantity":5},${Array(4).fill(none).join()}],` +
        '"high":805,"low":798.95,"ltp":800.05,"ltq":2,"oi":0,"open":799.5,"prev_close":797,"timestamp":1785911398.5,' +
        '"totalbuyqty":5,"totalsellqty":0,"volume":14414545},"status":"success"}',
    )
  })

  it('that the source doesn’t have is 503', async () => {
    expect((await call(app, 'depth', { symbol: 'SILENT', exchange: 'NSE' })).status).toBe(503)
  })
})

describe('symbol', () => {
  it('gives the facts of a contract', async () => {
    const { body } = await call(app, 'symbol', { symbol: 'NIFTY25AUG2626000CE', exchange: 'NFO' })
    expect(body.data).toEqual({
      brexchange: 'NSE_CM',
      brsymbol: 'NIFTY25AUG2626000CE-EQ',
      exchange: 'NFO',
      expiry: '25-AUG-26',
      freeze_qty: 1800,
      id: 9,
      instrumenttype: 'CE',
      lotsize: 65,
      name: 'NIFTY',
      strike: 26000,
      symbol: 'NIFTY25AUG2626000CE',
      tick_size: 0.05,
      token: '3009',
    })
  })

  it('that is unknown is 404 with names that are near', async () => {
    const near = await call(app, 'symbol', { symbol: 'SBIM', exchange: 'NSE' })
    expect([near.status, near.body.message]).toEqual([
      404,
      'Symbol SBIM not found in exchange NSE. Did you mean SBIN or SBILIFE?',
    ])
    const far = await call(app, 'symbol', { symbol: 'ZZZ', exchange: 'NSE' })
    expect(far.body.message).toBe('Symbol ZZZ not found in exchange NSE')
  })
})
