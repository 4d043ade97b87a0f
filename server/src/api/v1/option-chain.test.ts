import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Instrument } from '../../market/index.ts'
import { type ChainApi, chainApi, chainOf, type Leg, legsOf } from './test-option-chain.ts'
import { MONTH, NOON, store, WEEK } from './test-option-market.ts'

let api: ChainApi
beforeAll(async () => {
  api = await chainApi()
})
afterAll(() => api.app.close())

describe('optionchain', () => {
  test('says what clients know in the order in which they know it, and more behind it', async () => {
    const chain = await chainOf(api, { ...WEEK, strike_count: 1, with_greeks: true })
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
    const { chain } = await chainOf(api, { ...WEEK, strike_count: 5 })
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
    const all = await chainOf(api, WEEK)
    const listed = store.optionChain('NIFTY', 'NFO', '2026-12-01')?.strikes('CE') ?? []
    expect(all.chain.map(({ strike }) => strike)).toEqual(listed.map((strike) => strike / 1e8))
    const money = all.chain.findIndex(({ strike }) => strike === all.atm_strike)
    for (const count of [1, 10, 100]) {
      const { chain, totals } = await chainOf(api, { ...WEEK, strike_count: count })
      expect(chain).toEqual(all.chain.slice(Math.max(0, money - count), money + count + 1))
      expect(totals['strikes']).toBe(chain.length)
    }
  })

  test('without greeks there is no forward, and no key of theirs', async () => {
    const chain = await chainOf(api, { ...WEEK, strike_count: 1 })
    expect(chain).toMatchObject({ greeks_included: false, forward_price: null, forward_source: null })
    expect(chain.totals).toMatchObject({ atm_iv: null, skew: null })
    for (const leg of legsOf(chain, 'ce')) expect(leg).not.toHaveProperty('implied_volatility')
  })

  test('greeks come from the future of the expiry where there is one', async () => {
    const chain = await chainOf(api, { ...MONTH, strike_count: 20, with_greeks: true })
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
      (await chainOf(api, { ...MONTH, strike_count: 1, with_greeks: true, ...more })).chain[1]?.ce
        ?.implied_volatility ?? 0
    expect(await at({ interest_rate: null })).toBe(await at({}))
    expect(await at({ interest_rate: '7.5' })).toBeGreaterThan(await at({}))
  })

  test('the totals are those of the legs that are told', async () => {
    const chain = await chainOf(api, { ...WEEK, with_greeks: true })
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
    const chain = await chainOf(api, { ...WEEK, strike_count: 5 })
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
    const expected = await chainOf(api, { ...WEEK, strike_count: 2 })
    expect(await chainOf(api, { strike_count: 2, ...input })).toEqual(expected)
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
    const chain = await chainOf(api, { underlying, exchange, expiry_date, strike_count: 3, with_greeks: true })
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
