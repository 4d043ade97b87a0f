import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Refusal } from '../../kernel/errors.ts'
import { priceOf } from '../../kernel/fixed.ts'
import { InstrumentStore } from '../../market/index.ts'
import { call } from '../test-api.ts'
import { type ChainApi, chainApi, chainOf, legsOf } from './test-option-chain.ts'
import { MONTH, type OptionMarket, type Spoil, store, WEEK } from './test-option-market.ts'

/** Option chains when something is missing, old, over or asked for wrongly. */

const closing: (() => Promise<void>)[] = []

async function apiOf(given: OptionMarket = {}): Promise<ChainApi> {
  const api = await chainApi(given)
  closing.push(() => api.app.close())
  return api
}

let api: ChainApi
beforeAll(async () => {
  api = await apiOf()
})
afterAll(() => Promise.all(closing.map((close) => close())))

describe('what is missing is said', () => {
  test('a contract that is not listed is null', async () => {
    const { atm_strike } = await chainOf(api, { ...WEEK, strike_count: 1 })
    const put = `NIFTY01DEC26${atm_strike}PE`
    const without = new InstrumentStore([...store].filter(({ name, symbol }) => name === 'NIFTY' && symbol !== put))
    const { chain } = await chainOf(await apiOf({ listed: without }), { ...WEEK, strike_count: 1 })
    expect(chain.map(({ pe }) => pe === null)).toEqual([false, true, false])
    expect(chain[1]?.ce?.symbol).toBe(`NIFTY01DEC26${atm_strike}CE`)
  })

  test('an option without a quote has a reason in place of prices', async () => {
    const silent: Spoil = ({ kind, strike }) =>
      kind === 'CE' && strike % 200e8 === 0 ? new Refusal('quote_unavailable', 'nobody knows') : undefined
    const chain = await chainOf(await apiOf({ spoil: silent }), { ...WEEK, strike_count: 5, with_greeks: true })
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
    const chain = await chainOf(await apiOf({ spoil: old }), { ...MONTH, strike_count: 1, with_greeks: true })
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
    const { chain: rows, forward_price } = await chainOf(api, { ...MONTH, strike_count: 20, with_greeks: true })
    const [deep, money] = [rows[0]?.ce?.symbol, rows[20]?.ce?.symbol]
    const spoil: Spoil = ({ symbol }, quote) => {
      if (symbol === deep) return { ...quote, ltp: priceOf(1) }
      return symbol === money ? { ...quote, ltp: priceOf((forward_price ?? 0) + 1) } : undefined
    }
    const { chain } = await chainOf(await apiOf({ spoil }), { ...MONTH, strike_count: 20, with_greeks: true })
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
    const options = await call((await apiOf({ spoil: noOptions })).app, 'optionchain', { ...WEEK, strike_count: 1 })
    expect([options.status, options.body]).toMatchObject([
      status,
      { code, message: 'None of the 6 options has a quote. It is out.', status: 'error' },
    ])
    const all = await call((await apiOf({ spoil: () => new Refusal(code, 'It is out.') })).app, 'optionchain', WEEK)
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
      const fresh = await apiOf({ at: new Date(moving.clock.now()).toISOString() })
      expect(await chainOf(moving, input)).toEqual(await chainOf(fresh, input))
    }
  })

  test.each([
    ['on a Sunday', '2026-11-29T12:00:00+05:30'],
    ['before the opening', '2026-11-26T08:00:00+05:30'],
    ['after the index has closed, while its options still trade', '2026-11-26T15:38:00+05:30'],
    ['in the last minute of the expiry', '2026-12-01T15:39:30+05:30'],
  ])('%s the last prices count', async (_, at) => {
    const chain = await chainOf(await apiOf({ at }), { ...WEEK, strike_count: 5, with_greeks: true })
    expect(chain.forward_source).toBe('synthetic')
    for (const leg of [...legsOf(chain, 'ce'), ...legsOf(chain, 'pe')]) {
      expect(leg).not.toHaveProperty('stale')
      expect(leg).toHaveProperty('delta')
    }
  })

  test('an expiry that is over is refused, and what comes next is named', async () => {
    const after = await apiOf({ at: '2026-12-01T15:40:00+05:30' })
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
