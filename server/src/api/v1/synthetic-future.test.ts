import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Refusal } from '../../kernel/errors.ts'
import { ZERO_PRICE } from '../../kernel/fixed.ts'
import { type Instrument, InstrumentStore } from '../../market/index.ts'
import { Forwards, OptionResolver } from '../../options/index.ts'
import { call, testApi } from '../test-api.ts'
import { syntheticfuture } from './synthetic-future.ts'
import { MONTH, type OptionMarket, optionMarket, type Spoil, store, WEEK } from './test-option-market.ts'

const closing: (() => Promise<void>)[] = []

async function apiOf(given: OptionMarket = {}) {
  const { market, asked, rooms } = optionMarket(given)
  const options = new OptionResolver({ ...rooms, marketData: market })
  const app = await testApi([syntheticfuture], { optionLookups: options, forwards: new Forwards(rooms) })
  closing.push(() => app.close())
  return { app, market, asked }
}

let api: Awaited<ReturnType<typeof apiOf>>
beforeAll(async () => {
  api = await apiOf()
})
afterAll(() => Promise.all(closing.map((close) => close())))

interface Synthetic {
  readonly atm_strike: number
  readonly call_ltp: number
  readonly call_symbol: string
  readonly put_ltp: number
  readonly put_symbol: string
  readonly synthetic_future_price: number
  readonly underlying_ltp: number
  readonly forward_price: number
}
async function syntheticOf(input: object, from = api): Promise<Synthetic> {
  const answer = await call(from.app, 'syntheticfuture', input)
  expect([answer.status, answer.body.message]).toEqual([200, undefined])
  return JSON.parse(answer.text)
}

describe('syntheticfuture', () => {
  test('is strike + call - put of the strike at the money, to the paisa', async () => {
    const answer = await syntheticOf(WEEK)
    const { atm_strike, call_ltp, put_ltp, synthetic_future_price, underlying_ltp } = answer
    expect(answer).toEqual({
      atm_strike: expect.any(Number),
      basis: Number((synthetic_future_price - underlying_ltp).toFixed(2)),
      call_ltp: expect.any(Number),
      call_symbol: `NIFTY01DEC26${atm_strike}CE`,
      expiry: '01DEC26',
      forward_price: expect.any(Number),
      forward_source: 'synthetic',
      put_ltp: expect.any(Number),
      put_symbol: `NIFTY01DEC26${atm_strike}PE`,
      status: 'success',
      synthetic_future_price: Number((atm_strike + call_ltp - put_ltp).toFixed(2)),
      underlying: 'NIFTY',
      underlying_ltp: expect.any(Number),
    })
    expect(Math.abs(atm_strike - underlying_ltp)).toBeLessThanOrEqual(25)
    const callQuote = api.market.quoteNow(store.find(answer.call_symbol, 'NFO') as Instrument)
    expect(call_ltp).toBe(callQuote.ltp / 1e8)
  })

  test.each([
    ['NIFTY', 'NSE_INDEX', '29DEC26', 'future'],
    ['M&M', 'NSE', '29DEC26', 'future'],
    ['360ONE', 'NFO', '29DEC26', 'future'],
    ['BAJAJ-AUTO', 'NFO', '29DEC26', 'future'],
    ['NIFTYNXT50', 'NSE_INDEX', '29DEC26', 'future'],
    ['CRUDEOIL', 'MCX', '16DEC26', 'future'],
    ['USDINR', 'CDS', '29DEC26', 'future'],
    ['SENSEX', 'BFO', '03DEC26', 'synthetic'],
    ['BTC', 'CRYPTO', '25DEC26', 'future'],
  ])('of %s on %s for %s lies near the forward', async (underlying, exchange, expiry_date, source) => {
    const answer = await syntheticOf({ underlying, exchange, expiry_date })
    expect(answer).toMatchObject({ underlying, expiry: expiry_date, forward_source: source })
    expect(Math.abs(answer.synthetic_future_price / answer.forward_price - 1)).toBeLessThan(0.001)
  })

  test('an expiry in the underlying does', async () => {
    const { underlying: _, ...expected } = { ...(await syntheticOf(WEEK)) } as Record<string, unknown>
    const answer = await syntheticOf({ underlying: 'nifty01dec26fut', exchange: 'NFO' })
    expect(answer).toEqual({ ...expected, underlying: 'NIFTY01DEC26FUT' })
  })

  test('a strike with only one of the two is passed over', async () => {
    const { put_symbol, atm_strike } = await syntheticOf(WEEK)
    const without = new InstrumentStore(
      [...store].filter(({ name, symbol }) => name === 'NIFTY' && symbol !== put_symbol),
    )
    const answer = await syntheticOf(WEEK, await apiOf({ listed: without }))
    expect(Math.abs(answer.atm_strike - atm_strike)).toBe(50)
    expect(answer.call_symbol.slice(0, -2)).toBe(answer.put_symbol.slice(0, -2))
  })

  test('from the second time on the source is asked once', async () => {
    const { app, asked } = await apiOf()
    for (let time = 0; time < 3; time += 1) await call(app, 'syntheticfuture', MONTH)
    expect(asked).toEqual([2, 2, 4, 4])
  })
})

describe('what has no price is refused', () => {
  test.each<[string, Spoil, string]>([
    [
      'a call without',
      ({ kind }) => (kind === 'CE' ? new Refusal('quote_unavailable', 'Why.') : undefined),
      'Call option: ',
    ],
    [
      'a put at 0',
      ({ kind }, quote) => (kind === 'PE' ? { ...quote, ltp: ZERO_PRICE } : undefined),
      'It has no last price.',
    ],
    [
      'an old put',
      ({ kind }, quote, now) => (kind === 'PE' ? { ...quote, at: now - 20_000 } : undefined),
      'is of 2026-11-25 11:59:40; at most 10 s count.',
    ],
    [
      'an old index',
      ({ kind }, quote, now) => (kind === 'INDEX' ? { ...quote, at: now - 20_000 } : undefined),
      'Failed to fetch LTP for NIFTY. Its last price is of 2026-11-25 11:59:40, 20 s old',
    ],
  ])('%s', async (_, spoil, message) => {
    const { status, body } = await call((await apiOf({ spoil })).app, 'syntheticfuture', MONTH)
    expect([status, body.code]).toEqual([503, 'quote_unavailable'])
    expect(body.message).toContain(message)
  })

  test('a source that fails keeps its code', async () => {
    const { app } = await apiOf({ spoil: () => new Refusal('source_slow', 'It is slow.') })
    const { status, body } = await call(app, 'syntheticfuture', MONTH)
    expect([status, body.code, body.message]).toEqual([
      504,
      'source_slow',
      'Failed to fetch LTP for NIFTY. It is slow.',
    ])
  })
})

describe('bad input', () => {
  test.each([
    [{ underlying: '' }, 'underlying'],
    [{ underlying: undefined }, 'underlying'],
    [{ underlying: ['NIFTY'] }, 'underlying'],
    [{ exchange: 'nse_index' }, 'exchange'],
    [{ exchange: undefined }, 'exchange'],
    [{ expiry_date: '32DEC26' }, 'expiry_date'],
    [{ expiry_date: null }, 'expiry_date'],
    [{ expiry_date: 251226 }, 'expiry_date'],
    [{ strike: 25000 }, 'strike'],
  ])('%j is refused', async (more, field) => {
    const { status, body } = await call(api.app, 'syntheticfuture', { ...WEEK, ...more })
    expect([status, body.code, (body.errors as { field: string }[]).map((error) => error.field)]).toEqual([
      400,
      'validation_failed',
      [field],
    ])
  })

  test.each([
    [{ underlying: 'NIFTI' }, 400, 'symbol_not_found'],
    [{ expiry_date: undefined }, 400, 'expiry_missing'],
    [{ expiry_date: '02DEC26' }, 404, 'option_not_found'],
  ])('%j is refused with %i %s', async (more, status, code) => {
    const answer = await call(api.app, 'syntheticfuture', { ...WEEK, ...more })
    expect([answer.status, answer.body.code]).toEqual([status, code])
  })
})
