import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ManualClock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { priceOf } from '../../kernel/fixed.ts'
import {
  createCalendar,
  createSimulator,
  createUniverse,
  type Instrument,
  InstrumentStore,
  type Quote,
} from '../../market/index.ts'
import { Forwards, OptionChains } from '../../options/index.ts'
import { call, testApi } from '../test-api.ts'
import { optionchain } from './option-chain.ts'

type Spoil = (instrument: Instrument, quote: Quote, now: number) => Quote | Error | undefined

const NOON = '2026-11-25T12:00:00+05:30'
const calendar = createCalendar({ hours: 'exchange' })
const store = new InstrumentStore(createUniverse({ date: '2026-11-25', seed: 1 }))
const closing: (() => Promise<void>)[] = []

/** Option chains of the simulated market; `spoil` changes what it answers. */
async function apiOf(spoil: Spoil = () => undefined, at = NOON, listed = store) {
  const clock = new ManualClock(at)
  const market = createSimulator({ seed: 1, clock, calendar })
  const marketData = {
    async quotes(instruments: readonly Instrument[]) {
      const quotes = await market.quotes(instruments)
      return quotes.map((quote, index) => {
        const instrument = instruments[index]
        if (instrument === undefined || quote instanceof Error) return quote
        return spoil(instrument, quote, clock.now()) ?? quote
      })
    },
  }
  const options = { store: () => listed, marketData, history: market, calendar, clock }
  const optionChains = new OptionChains({ ...options, forwards: new Forwards(options) })
  const app = await testApi([optionchain], { optionChains })
  closing.push(() => app.close())
  return { app, clock, market }
}

let api: Awaited<ReturnType<typeof apiOf>>
beforeAll(async () => {
  api = await apiOf()
})
afterAll(() => Promise.all(closing.map((close) => close())))

const WEEK = { underlying: 'NIFTY', exchange: 'NSE_INDEX', expiry_date: '01DEC26' }
const MONTH = { ...WEEK, expiry_date: '29DEC26' }

interface Leg {
  readonly symbol: string
  readonly label: string
  readonly ltp: number | null
  readonly oi: number
  readonly volume: number
  readonly oi_change?: number | null
  readonly implied_volatility?: number
  readonly delta?: number
  readonly error?: string
  readonly stale?: boolean
}
interface Row {
  readonly strike: number
  readonly ce: Leg | null
  readonly pe: Leg | null
}
interface Chain {
  readonly status: string
  readonly underlying_ltp: number
  readonly atm_strike: number
  readonly forward_price: number | null
  readonly forward_source: string | null
  readonly totals: Record<string, number | null>
  readonly chain: readonly Row[]
}
async function chainOf(input: object, from = api): Promise<Chain> {
  const answer = await call(from.app, 'optionchain', input)
  expect([answer.status, answer.body.message]).toEqual([200, undefined])
  return JSON.parse(answer.text)
}
const legsOf = ({ chain }: Chain, side: 'ce' | 'pe'): Leg[] =>
  chain.map((row) => row[side]).filter((leg) => leg !== null)

describe('optionchain', () => {
  test('says what clients know in the order in which they know it, and more behind it', async () => {
    const chain = await chainOf({ ...WEEK, strike_count: 1, with_greeks: true })
    expect(Object.keys(chain)).toEqual([
      'status',
      'underlying',
      'underlying_symbol',
      'underlying_exchange',
      'underlying_ltp',
      'underlying_prev_close',
      'expiry_date',
      'expiry_ts',
      'server_ts',
      'atm_strike',
      'quotes_included',
      'greeks_included',
      'forward_price',
      'forward_source',
      'totals',
      'chain',
    ])
    const { ltp, prevClose } = api.market.quoteNow(store.find('NIFTY', 'NSE_INDEX') as Instrument)
    expect(chain).toMatchObject({
      status: 'success',
      underlying: 'NIFTY',
      underlying_symbol: 'NIFTY',
      underlying_exchange: 'NSE_INDEX',
      underlying_ltp: ltp / 1e8,
      underlying_prev_close: prevClose / 1e8,
      expiry_date: '01DEC26',
      expiry_ts: Date.parse('2026-12-01T15:40:00+05:30') / 1000,
      server_ts: Date.parse(NOON) / 1000,
      quotes_included: true,
      greeks_included: true,
      forward_source: 'synthetic',
    })
    expect(chain.chain.map(({ ce, pe }) => [ce?.label, pe?.label])).toEqual([
      ['ITM1', 'OTM1'],
      ['ATM', 'ATM'],
      ['OTM1', 'ITM1'],
    ])
    const [, money] = chain.chain
    expect(money?.strike).toBe(chain.atm_strike)
    expect(Object.keys(money?.ce ?? {})).toEqual([
      'symbol',
      'label',
      'ltp',
      'bid',
      'ask',
      'bid_qty',
      'ask_qty',
      'open',
      'high',
      'low',
      'prev_close',
      'volume',
      'oi',
      'lotsize',
      'tick_size',
      'implied_volatility',
      'delta',
      'gamma',
      'theta',
      'vega',
      'oi_change',
      'timestamp',
    ])
    expect(money?.ce).toMatchObject({ symbol: `NIFTY01DEC26${chain.atm_strike}CE`, lotsize: 65, tick_size: 0.05 })
  })

  test('tells the very quotes of its legs', async () => {
    const { chain } = await chainOf({ ...WEEK, strike_count: 5 })
    for (const leg of chain.flatMap(({ ce, pe }) => [ce, pe])) {
      const option = store.find(leg?.symbol ?? '', 'NFO') as Instrument
      const quote = api.market.quoteNow(option)
      const { bids, asks } = api.market.depthNow(option)
      expect(leg).toMatchObject({
        ltp: quote.ltp / 1e8,
        bid: quote.bid / 1e8,
        ask: quote.ask / 1e8,
        bid_qty: (bids[0]?.quantity ?? 0) / 1e6,
        ask_qty: (asks[0]?.quantity ?? 0) / 1e6,
        open: quote.open / 1e8,
        high: quote.high / 1e8,
        low: quote.low / 1e8,
        prev_close: quote.prevClose / 1e8,
        volume: quote.volume / 1e6,
        oi: quote.openInterest / 1e6,
        timestamp: quote.at / 1000,
      })
    }
  })

  test('without strike_count all strikes, ascending; with it so many on each side, as far as there are any', async () => {
    const all = await chainOf(WEEK)
    const listed = store.optionChain('NIFTY', 'NFO', '2026-12-01')?.strikes('CE') ?? []
    expect(all.chain.map(({ strike }) => strike)).toEqual(listed.map((strike) => strike / 1e8))
    const money = all.chain.findIndex(({ strike }) => strike === all.atm_strike)
    for (const count of [1, 10, 100]) {
      const { chain, totals } = await chainOf({ ...WEEK, strike_count: count })
      expect(chain).toEqual(all.chain.slice(Math.max(0, money - count), money + count + 1))
      expect(totals['strikes']).toBe(chain.length)
    }
  })

  test('without greeks there is no forward, and no key of theirs', async () => {
    const chain = await chainOf({ ...WEEK, strike_count: 1 })
    expect(chain).toMatchObject({ greeks_included: false, forward_price: null, forward_source: null })
    expect(chain.totals).toMatchObject({ atm_iv: null, skew: null })
    for (const leg of legsOf(chain, 'ce')) expect(leg).not.toHaveProperty('implied_volatility')
  })

  test('greeks come from the future of the expiry where there is one', async () => {
    const chain = await chainOf({ ...MONTH, strike_count: 20, with_greeks: true })
    const future = api.market.quoteNow(store.find('NIFTY29DEC26FUT', 'NFO') as Instrument)
    expect(chain).toMatchObject({ forward_price: future.ltp / 1e8, forward_source: 'future' })
    const deltas = legsOf(chain, 'ce').map(({ delta }) => delta ?? Number.NaN)
    expect(deltas).toEqual(deltas.toSorted((a, b) => b - a))
    for (const { ce, pe } of chain.chain) {
      expect((ce?.delta ?? 0) - (pe?.delta ?? 0)).toBeCloseTo(1, 2)
      expect(Math.abs((ce?.implied_volatility ?? 0) - (pe?.implied_volatility ?? 99))).toBeLessThan(0.3)
    }
  })

  test('interest changes greeks, and counts as 0 when it is null', async () => {
    const at = async (more: object) =>
      (await chainOf({ ...MONTH, strike_count: 1, with_greeks: true, ...more })).chain[1]?.ce?.implied_volatility ?? 0
    expect(await at({ interest_rate: null })).toBe(await at({}))
    expect(await at({ interest_rate: '7.5' })).toBeGreaterThan(await at({}))
  })

  test('the totals are those of the legs that are told', async () => {
    const chain = await chainOf({ ...WEEK, with_greeks: true })
    const [calls, puts] = [legsOf(chain, 'ce'), legsOf(chain, 'pe')]
    const sum = (legs: readonly Leg[], key: 'oi' | 'volume') => legs.reduce((total, leg) => total + leg[key], 0)
    const money = chain.chain.find(({ strike }) => strike === chain.atm_strike)
    const { totals } = chain
    expect(totals).toMatchObject({
      call_oi: sum(calls, 'oi'),
      put_oi: sum(puts, 'oi'),
      call_volume: sum(calls, 'volume'),
      put_volume: sum(puts, 'volume'),
      pcr_oi: Number((sum(puts, 'oi') / sum(calls, 'oi')).toFixed(4)),
      pcr_volume: Number((sum(puts, 'volume') / sum(calls, 'volume')).toFixed(4)),
      atm_straddle: Number(((money?.ce?.ltp ?? 0) + (money?.pe?.ltp ?? 0)).toFixed(2)),
      skew: expect.any(Number),
    })
    const [call = 0, put = 0] = [money?.ce?.implied_volatility, money?.pe?.implied_volatility]
    expect(Math.abs((totals['atm_iv'] ?? 0) - (call + put) / 2)).toBeLessThanOrEqual(0.0101)
    const pays = chain.chain.map(({ strike }) =>
      chain.chain.reduce(
        (total, row) =>
          total +
          (row.ce?.oi ?? 0) * Math.max(0, strike - row.strike) +
          (row.pe?.oi ?? 0) * Math.max(0, row.strike - strike),
        0,
      ),
    )
    expect(totals['max_pain']).toBe(chain.chain[pays.indexOf(Math.min(...pays))]?.strike)
  })

  test('open interest is compared with that of the close before', async () => {
    const chain = await chainOf({ ...WEEK, strike_count: 5 })
    const close = Date.parse('2026-11-23T15:39:59+05:30') // the 24th is a holiday
    const changeOf = (symbol: string) => {
      const option = store.find(symbol, 'NFO') as Instrument
      const [now, before] = [api.market.quoteNow(option), api.market.quoteNow(option, close)]
      return (now.openInterest - before.openInterest) / 1e6
    }
    const [calls, puts] = [legsOf(chain, 'ce'), legsOf(chain, 'pe')]
    for (const { symbol, oi_change } of [...calls, ...puts]) expect(oi_change).toBe(changeOf(symbol))
    const sum = (legs: readonly Leg[]) => legs.reduce((total, { oi_change }) => total + (oi_change ?? 0), 0)
    expect(chain.totals).toMatchObject({ call_oi_change: sum(calls), put_oi_change: sum(puts) })
  })

  test.each([
    [{ underlying: 'NIFTY01DEC26', exchange: 'NFO' }],
    [{ underlying: ' nifty01dec26fut ', exchange: 'NSE_INDEX' }],
    [{ underlying: 'NIFTY29DEC26', exchange: 'NSE_INDEX', expiry_date: '01-DEC-26' }], // the field wins, as in optionsymbol
    [{ underlying: 'nifty', exchange: 'NFO', expiry_date: ' 01dec26 ', strike_count: '2', with_greeks: 'no' }],
  ])('%j is the same chain', async (input) => {
    const expected = await chainOf({ ...WEEK, strike_count: 2 })
    expect(await chainOf({ strike_count: 2, ...input })).toEqual(expected)
  })

  test.each([
    ['CRUDEOIL', 'MCX', '16DEC26', 'CRUDEOIL18DEC26FUT', 'MCX', 'future'],
    ['USDINR', 'CDS', '27NOV26', 'USDINR29DEC26FUT', 'CDS', 'synthetic'],
    ['M&M', 'NFO', '29DEC26', 'M&M', 'NSE', 'future'],
    ['BAJAJ-AUTO', 'NSE', '29DEC26', 'BAJAJ-AUTO', 'NSE', 'future'],
    ['360ONE', 'NSE', '29DEC26', '360ONE', 'NSE', 'future'],
    ['NIFTYNXT50', 'NFO', '29DEC26', 'NIFTYNXT50', 'NSE_INDEX', 'future'],
    ['SENSEX', 'BFO', '03DEC26', 'SENSEX', 'BSE_INDEX', 'synthetic'],
    ['BTC', 'CRYPTO', '25DEC26', 'BTCUSDFUT', 'CRYPTO', 'future'],
  ])('of %s on %s', async (underlying, exchange, expiry_date, quoted, on, source) => {
    const chain = await chainOf({ underlying, exchange, expiry_date, strike_count: 3, with_greeks: true })
    expect(chain).toMatchObject({
      underlying,
      underlying_symbol: quoted,
      underlying_exchange: on,
      expiry_date,
      forward_source: source,
    })
    expect(chain.chain.length).toBeGreaterThan(3)
    expect(chain.totals['atm_iv']).toBeGreaterThan(0)
  })
})

describe('what is missing is said', () => {
  test('a contract that is not listed is null', async () => {
    const { atm_strike } = await chainOf({ ...WEEK, strike_count: 1 })
    const put = `NIFTY01DEC26${atm_strike}PE`
    const without = new InstrumentStore([...store].filter(({ name, symbol }) => name === 'NIFTY' && symbol !== put))
    const { chain } = await chainOf({ ...WEEK, strike_count: 1 }, await apiOf(undefined, NOON, without))
    expect(chain.map(({ pe }) => pe === null)).toEqual([false, true, false])
    expect(chain[1]?.ce?.symbol).toBe(`NIFTY01DEC26${atm_strike}CE`)
  })

  test('an option without a quote has a reason in place of prices', async () => {
    const silent: Spoil = ({ kind, strike }) =>
      kind === 'CE' && strike % 200e8 === 0 ? new Refusal('quote_unavailable', 'nobody knows') : undefined
    const chain = await chainOf({ ...WEEK, strike_count: 5, with_greeks: true }, await apiOf(silent))
    for (const { strike, ce } of chain.chain) {
      if (strike % 200 === 0) {
        expect(ce).toMatchObject({ ltp: null, bid: null, oi: null, error: 'nobody knows', code: 'quote_unavailable' })
        expect(ce).not.toHaveProperty('delta')
      } else expect(ce?.ltp).toBeGreaterThan(0)
    }
    expect(chain.totals['call_oi']).toBe(
      legsOf(chain, 'ce').reduce((sum, { error, oi }) => sum + (error === undefined ? oi : 0), 0),
    )
  })

  test('old data are told as such, and have no greeks', async () => {
    const old: Spoil = ({ kind }, quote, now) => (kind === 'PE' ? { ...quote, at: now - 10_001 } : undefined)
    const chain = await chainOf({ ...MONTH, strike_count: 1, with_greeks: true }, await apiOf(old))
    for (const leg of legsOf(chain, 'pe')) {
      expect(leg).toMatchObject({ stale: true, ltp: expect.any(Number) })
      expect(leg).not.toHaveProperty('delta')
    }
    for (const leg of legsOf(chain, 'ce')) {
      expect(leg).not.toHaveProperty('stale')
      expect(leg).toHaveProperty('delta')
    }
  })

  test('a price that no volatility explains says which bound it is beyond', async () => {
    const { chain: rows, forward_price } = await chainOf({ ...MONTH, strike_count: 20, with_greeks: true })
    const [deep, money] = [rows[0]?.ce?.symbol, rows[20]?.ce?.symbol]
    const spoil: Spoil = ({ symbol }, quote) => {
      if (symbol === deep) return { ...quote, ltp: priceOf(1) }
      return symbol === money ? { ...quote, ltp: priceOf((forward_price ?? 0) + 1) } : undefined
    }
    const { chain } = await chainOf({ ...MONTH, strike_count: 20, with_greeks: true }, await apiOf(spoil))
    const none = { implied_volatility: 0, delta: 1, gamma: 0, theta: 0, vega: 0 }
    expect(chain[0]?.ce).toMatchObject({ ...none, bound: 'below_intrinsic' })
    expect(chain[20]?.ce).toMatchObject({ ...none, bound: 'above_maximum' })
    expect(chain[10]?.ce).not.toHaveProperty('bound')
  })

  test.each([
    ['source_down', 502],
    ['source_slow', 504],
    ['quote_unavailable', 503],
  ] as const)('a source without any price is a failure, not a chain of zeros: %s', async (code, status) => {
    const noOptions: Spoil = ({ kind }) =>
      kind === 'CE' || kind === 'PE' ? new Refusal(code, 'It is out.') : undefined
    const options = await call((await apiOf(noOptions)).app, 'optionchain', { ...WEEK, strike_count: 1 })
    expect([options.status, options.body]).toMatchObject([
      status,
      { code, message: 'None of the 6 options has a quote. It is out.', status: 'error' },
    ])
    const all = await call((await apiOf(() => new Refusal(code, 'It is out.'))).app, 'optionchain', WEEK)
    expect([all.status, all.body]).toMatchObject([
      status,
      { code, message: 'Failed to fetch LTP for NIFTY. It is out.' },
    ])
  })
})

describe('as time passes', () => {
  test('nothing old is told: neither quotes, nor the money, nor the clock', async () => {
    const moving = await apiOf()
    const input = { ...WEEK, strike_count: 2, with_greeks: true }
    const before = await call(moving.app, 'optionchain', input)
    expect((await call(moving.app, 'optionchain', input)).text).toBe(before.text)
    for (let minute = 0; minute < 90; minute += 30) {
      await moving.clock.advance(30 * 60_000)
      const fresh = await apiOf(undefined, new Date(moving.clock.now()).toISOString())
      expect(await chainOf(input, moving)).toEqual(await chainOf(input, fresh))
    }
  })

  test.each([
    ['on a Sunday', '2026-11-29T12:00:00+05:30'],
    ['before the opening', '2026-11-26T08:00:00+05:30'],
    ['after the index has closed, while its options still trade', '2026-11-26T15:38:00+05:30'],
    ['in the last minute of the expiry', '2026-12-01T15:39:30+05:30'],
  ])('%s the last prices count', async (_, at) => {
    const chain = await chainOf({ ...WEEK, strike_count: 5, with_greeks: true }, await apiOf(undefined, at))
    expect(chain.forward_source).toBe('synthetic')
    for (const leg of [...legsOf(chain, 'ce'), ...legsOf(chain, 'pe')]) {
      expect(leg).not.toHaveProperty('stale')
      expect(leg).toHaveProperty('delta')
    }
  })

  test('an expiry that is over is refused, and what comes next is named', async () => {
    const after = await apiOf(undefined, '2026-12-01T15:40:00+05:30')
    const { status, body } = await call(after.app, 'optionchain', WEEK)
    expect([status, body.code]).toEqual([400, 'contract_expired'])
    expect(body.message).toContain('08DEC26')
  })
})

describe('bad input', () => {
  test.each([
    [{ underlying: '' }, 'underlying'],
    [{ underlying: 5 }, 'underlying'],
    [{ underlying: undefined }, 'underlying'],
    [{ underlying: 'N'.repeat(51) }, 'underlying'],
    [{ exchange: 'NYSE' }, 'exchange'],
    [{ exchange: undefined }, 'exchange'],
    [{ expiry_date: '31FEB26' }, 'expiry_date'],
    [{ expiry_date: 5 }, 'expiry_date'],
    [{ expiry_date: null }, 'expiry_date'],
    [{ strike_count: 0 }, 'strike_count'],
    [{ strike_count: 101 }, 'strike_count'],
    [{ strike_count: 1.5 }, 'strike_count'],
    [{ strike_count: 'ten' }, 'strike_count'],
    [{ strike_count: [] }, 'strike_count'],
    [{ with_greeks: null }, 'with_greeks'],
    [{ with_greeks: 'perhaps' }, 'with_greeks'],
    [{ interest_rate: -0.1 }, 'interest_rate'],
    [{ interest_rate: 100.1 }, 'interest_rate'],
    [{ interest_rate: 'NaN' }, 'interest_rate'],
    [{ interest_rate: {} }, 'interest_rate'],
    [{ strikes: 5 }, 'strikes'],
  ])('%j is refused', async (more, field) => {
    const { status, body } = await call(api.app, 'optionchain', { ...WEEK, ...more })
    expect([status, body.code, (body.errors as { field: string }[]).map((error) => error.field)]).toEqual([
      400,
      'validation_failed',
      [field],
    ])
  })

  test.each([
    [{ underlying: 'NIFTI' }, 400, 'symbol_not_found', 'Did you mean NIFTY'],
    [{ underlying: 'NIFTY', expiry_date: undefined }, 400, 'expiry_missing', 'Expiry date required.'],
    [{ expiry_date: '02DEC26' }, 404, 'option_not_found', 'No strikes found for NIFTY expiring 02DEC26.'],
    [{ underlying: 'N.*', exchange: 'NSE' }, 400, 'symbol_not_found', "Symbol 'N.*' not found"], // no pattern
    [
      { underlying: 'ZZZ', exchange: 'CRYPTO' },
      404,
      'option_not_found',
      'No perpetual futures found for ZZZ on CRYPTO',
    ],
  ])('%j is refused with %i %s', async (more, status, code, message) => {
    const answer = await call(api.app, 'optionchain', { ...WEEK, ...more })
    expect([answer.status, answer.body.code]).toEqual([status, code])
    expect(answer.body.message).toContain(message)
  })
})
