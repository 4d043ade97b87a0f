import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type App, createApp } from './app.ts'
import { loadConfig } from './config.ts'
import { OWNER } from './identity/audit.ts'
import { ManualClock } from './kernel/clock.ts'

/** Several options in one request, on the whole platform. */

const UNLIMITED = {
  ADDRESS_RATE_LIMIT: '1000000 per second',
  API_RATE_LIMIT: '1000000 per second',
  ORDER_RATE_LIMIT: '1000000 per second',
}

type Body = Readonly<Record<string, unknown>>

let folder: string
let app: App
let account = ''
let key = ''
let adminKey = ''
let owner = ''
let people = 0

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-options-'))
  const config = loadConfig({ DATA_DIR: folder, ...UNLIMITED }, folder)
  app = await createApp(config, new ManualClock('2026-11-25T11:00:00+05:30'), pino({ level: 'silent' }))
})
/** Each test has an account of its own. */
beforeEach(async () => {
  people += 1
  const name = `trader-${people}`
  const email = `${name}@example.com`
  const { id: userId } = await app.identity.users.create({ name, email, role: 'admin', passwordHash: 'none' })
  owner = userId
  account = (await app.accounts.create(userId, 'default', OWNER)).id
  const newKey = (scope: string) => app.keys.createKey({ account, userId, name: 'bot', scopes: [scope] }, OWNER)
  key = (await newKey('trade')).text
  adminKey = (await newKey('admin')).text
})
afterAll(async () => {
  await app.close()
  rmSync(folder, { recursive: true })
})

async function send(name: string, input: object = {}, by = key): Promise<{ status: number; body: Body }> {
  const headers = { 'x-api-key': by }
  const answer = await app.http.inject({ method: 'POST', url: `/api/v1/${name}`, headers, payload: input })
  return { status: answer.statusCode, body: answer.json() }
}

const orderbook = async (): Promise<readonly Body[]> => {
  const { body } = await send('orderbook')
  return (body['data'] as { orders: Body[] }).orders
}
/** `BUY 65 NIFTY01DEC2626500CE complete`, oldest first. */
const book = async (): Promise<string[]> =>
  (await orderbook())
    .map(({ action, quantity, symbol, order_status: status }) => `${action} ${quantity} ${symbol} ${status}`)
    .reverse()

/** The option at that offset, and its underlying's price. */
const at = async (offset: string, option_type = 'CE'): Promise<{ symbol: string; ltp: number }> => {
  const wanted = { underlying: 'NIFTY', exchange: 'NSE_INDEX', expiry_date: '01DEC26', offset, option_type }
  const { body } = await send('optionsymbol', wanted)
  return { symbol: String(body['symbol']), ltp: Number(body['underlying_ltp']) }
}

const orderId = expect.stringMatching(/^261125\d{8}$/)

describe('optionsmultiorder', () => {
  const leg = (action: string, option_type: string, offset: string, more: object = {}) => ({
    offset,
    option_type,
    action,
    quantity: 65,
    product: 'NRML',
    ...more,
  })
  const multi = (legs: object[], more: object = {}) =>
    send('optionsmultiorder', {
      strategy: 'bot',
      underlying: 'NIFTY',
      exchange: 'NSE_INDEX',
      expiry_date: '01DEC26',
      legs,
      ...more,
    })

  it('sends purchases first, and answers in the order of the request', async () => {
    const call = await at('OTM2')
    const wing = await at('OTM6')
    const put = await at('OTM2', 'PE')
    const other = await at('OTM6', 'PE')
    const { status, body } = await multi([
      leg('SELL', 'CE', 'OTM2'),
      leg('BUY', 'CE', 'OTM6'),
      leg('SELL', 'PE', 'OTM2'),
      leg('BUY', 'pe', 'OTM6'),
    ])
    const row = (number: number, action: string, option_type: string, offset: string, symbol: string) => ({
      action,
      exchange: 'NFO',
      leg: number,
      mode: 'analyze',
      offset,
      option_type,
      orderid: orderId,
      product: 'NRML',
      status: 'success',
      symbol,
    })
    expect([status, body]).toEqual([
      200,
      {
        mode: 'analyze',
        results: [
          row(1, 'SELL', 'CE', 'OTM2', call.symbol),
          row(2, 'BUY', 'CE', 'OTM6', wing.symbol),
          row(3, 'SELL', 'PE', 'OTM2', put.symbol),
          row(4, 'BUY', 'PE', 'OTM6', other.symbol),
        ],
        status: 'success',
        underlying: 'NIFTY',
        underlying_ltp: call.ltp,
      },
    ])
    expect(await book()).toEqual([
      `BUY 65 ${wing.symbol} complete`,
      `BUY 65 ${other.symbol} complete`,
      `SELL 65 ${call.symbol} complete`,
      `SELL 65 ${put.symbol} complete`,
    ])
  })

  it('sends legs in pieces, and takes null for none', async () => {
    const { body } = await multi([
      leg('BUY', 'CE', 'OTM6', { quantity: 130, splitsize: 65 }),
      leg('SELL', 'CE', 'OTM2', { quantity: 130, splitsize: null }),
    ])
    expect(body['results']).toEqual([
      {
        action: 'BUY',
        exchange: 'NFO',
        leg: 1,
        mode: 'analyze',
        offset: 'OTM6',
        option_type: 'CE',
        product: 'NRML',
        split_results: [
          { order_num: 1, orderid: orderId, quantity: 65, status: 'success' },
          { order_num: 2, orderid: orderId, quantity: 65, status: 'success' },
        ],
        split_size: 65,
        status: 'success',
        symbol: expect.stringMatching(/^NIFTY01DEC26/),
        total_quantity: 130,
      },
      expect.objectContaining({ leg: 2, orderid: orderId, status: 'success' }),
    ])
    expect(await book()).toHaveLength(3)
  })

  it('a leg may have an expiry of its own', async () => {
    const { body } = await multi([leg('BUY', 'CE', 'ATM', { expiry_date: '29DEC26' }), leg('SELL', 'CE', 'ATM')])
    expect((body['results'] as Body[]).map(({ symbol }) => String(symbol).slice(0, 12))).toEqual([
      'NIFTY29DEC26',
      'NIFTY01DEC26',
    ])
  })

  it('with a leg that cannot be found, nothing is sent, and the leg is named', async () => {
    const { status, body } = await multi([
      leg('BUY', 'CE', 'OTM6'),
      leg('SELL', 'CE', 'OTM2', { expiry_date: '02DEC26' }),
    ])
    expect([status, body]).toEqual([
      400,
      {
        code: 'option_not_found',
        errors: [
          { field: 'legs[1]', message: expect.stringContaining('No strikes found for NIFTY expiring 02DEC26.') },
        ],
        message: expect.stringMatching(
          /^Nothing was sent, because of leg 2 \(SELL OTM2 CE\): No strikes found for NIFTY expiring 02DEC26\./,
        ),
        request_id: expect.any(String),
        status: 'error',
      },
    ])
    expect(await book()).toEqual([])
  })

  it('with `continue`, the others are sent, but for those that it was to hedge', async () => {
    const { status, body } = await multi(
      [
        leg('SELL', 'CE', 'OTM2'),
        leg('BUY', 'CE', 'OTM6', { expiry_date: '02DEC26' }), // no such expiry, and later
        leg('SELL', 'PE', 'OTM2'),
        leg('BUY', 'PE', 'OTM6'),
      ],
      { on_leg_failure: 'continue' },
    )
    const results = body['results'] as Body[]
    expect([status, results.map((row) => row['status'])]).toEqual([200, ['error', 'error', 'success', 'success']])
    expect(results[0]).toEqual({
      action: 'SELL',
      code: 'not_sent',
      exchange: 'NFO',
      leg: 1,
      message: "Not sent: leg 2, which was to hedge it, can't be sent.",
      offset: 'OTM2',
      option_type: 'CE',
      status: 'error',
      symbol: expect.stringMatching(/^NIFTY01DEC26\d+CE$/),
    })
    expect(results[1]).toEqual({
      action: 'BUY',
      code: 'option_not_found',
      leg: 2,
      message: expect.stringContaining('No strikes found for NIFTY expiring 02DEC26.'),
      offset: 'OTM6',
      option_type: 'CE',
      status: 'error',
    })
    expect((await book()).map((line) => line.replace(/NIFTY\S+(..) /, '$1 '))).toEqual([
      'BUY 65 PE complete',
      'SELL 65 PE complete',
    ])
  })

  it('a leg that is no order the exchange would take stops the request, or with `continue` fails with what it hedges', async () => {
    const legs = [leg('SELL', 'CE', 'OTM2'), leg('BUY', 'CE', 'OTM6', { quantity: 66 }), leg('BUY', 'PE', 'OTM6')]
    const stopped = await multi(legs)
    expect([stopped.status, stopped.body['code'], stopped.body['message']]).toEqual([
      400,
      'order_rejected',
      expect.stringMatching(/^Nothing was sent, because of leg 2 \(BUY OTM6 CE\): Quantity must be in multiples of/),
    ])
    expect(await book()).toEqual([])

    const { status, body } = await multi(legs, { on_leg_failure: 'continue' })
    const results = body['results'] as Body[]
    expect([status, results.map((row) => row['status'])]).toEqual([200, ['error', 'error', 'success']])
    expect(results[0]?.['message']).toBe("Not sent: leg 2, which was to hedge it, can't be sent.")
    expect(results[1]).toEqual({
      action: 'BUY',
      code: 'order_rejected',
      exchange: 'NFO',
      leg: 2,
      message: expect.stringMatching(/^Quantity must be in multiples of/),
      offset: 'OTM6',
      option_type: 'CE',
      status: 'error',
      symbol: expect.stringMatching(/^NIFTY01DEC26/),
    })
    expect(await book()).toHaveLength(1)
  })

  /** More than the account can pay, in pieces that it can pay some of. */
  const dear = [
    leg('BUY', 'CE', 'ITM50', { quantity: 8775, splitsize: 1755 }),
    leg('SELL', 'CE', 'OTM2', { quantity: 325, splitsize: 65 }),
  ]

  it('with `continue`, no sale leaves whose hedge was refused for want of funds', async () => {
    const legs = [dear[0] ?? {}, leg('SELL', 'CE', 'OTM2', { quantity: 8775, splitsize: 1755 })]
    const { status, body } = await multi(legs, { on_leg_failure: 'continue' })
    const [bought, sold] = body['results'] as [Body, Body]
    const [purchases, sales] = [bought['split_results'] as Body[], sold['split_results'] as Body[]]
    const first = purchases.findIndex((row) => row['status'] === 'error')
    expect([status, bought['status'], first > 0, purchases.length]).toEqual([200, 'success', true, 5])
    expect(purchases[first]).toMatchObject({ code: 'order_rejected', orderid: orderId })
    for (const [index, sale] of sales.entries()) {
      if (purchases[index]?.['status'] === 'success') expect(sale['code']).not.toBe('not_sent')
      else
        expect(sale).toEqual({
          code: 'not_sent',
          message: expect.stringMatching(/^Not sent: leg 1, which was to hedge it, was refused: Insufficient funds\./),
          order_num: index + 1,
          quantity: 1755,
          status: 'error',
        })
    }
  })

  it('with `stop`, all or none is taken for want of funds', async () => {
    const { status, body } = await multi(dear)
    const results = body['results'] as Body[]
    expect([status, results.map((row) => row['status'])]).toEqual([200, ['error', 'error']])
    expect(results[0]).toMatchObject({
      code: 'order_rejected',
      message: expect.stringMatching(/^Insufficient funds\./),
      split_size: 1755,
      total_quantity: 8775,
    })
    expect(results[0]).not.toHaveProperty('orderid')
    expect((await book()).every((line) => line.endsWith(' rejected'))).toBe(true)
    expect(await book()).toHaveLength(10)
  })

  it('a leg of too many pieces fails alone with `continue`, and the request with `stop`', async () => {
    const legs = [leg('BUY', 'CE', 'OTM6', { quantity: 6565, splitsize: 65 }), leg('BUY', 'PE', 'OTM6')]
    const stopped = await multi(legs)
    expect([stopped.status, stopped.body['code']]).toEqual([400, 'too_many_orders'])
    const { body } = await multi(legs, { on_leg_failure: 'continue' })
    expect(body['results']).toEqual([
      expect.objectContaining({
        code: 'too_many_orders',
        message: expect.stringContaining('Split orders would exceed maximum limit of 100 per leg'),
        status: 'error',
      }),
      expect.objectContaining({ status: 'success' }),
    ])
  })

  it.each(['stop', 'continue'])(
    'a purchase that a limit denies takes its sale with it, with `%s`',
    async (onFailure) => {
      const set = await send('risk/set', { scope: 'account', limits: { order_quantity: 100 } }, adminKey)
      expect(set.status).toBe(200)
      const { status, body } = await multi(
        [leg('SELL', 'CE', 'OTM2'), leg('BUY', 'CE', 'OTM6', { quantity: 130 }), leg('BUY', 'PE', 'OTM6')],
        { on_leg_failure: onFailure },
      )
      const [sale, denied, other] = body['results'] as Body[]
      expect([status, denied?.['code'], denied?.['status']]).toEqual([200, 'risk_order_quantity', 'error'])
      expect(sale).toMatchObject({ status: 'error', message: expect.stringContaining(String(denied?.['message'])) })
      expect(other?.['status']).toBe(onFailure === 'stop' ? 'error' : 'success')
      expect((await book()).filter((line) => line.startsWith('SELL') && !line.endsWith('rejected'))).toEqual([])
    },
  )

  it('orders of one request have one story', async () => {
    await multi([leg('SELL', 'CE', 'OTM2'), leg('BUY', 'CE', 'OTM6', { quantity: 130, splitsize: 65 })])
    const orders = await app.paper.venue(account)?.orders()
    expect(orders).toHaveLength(3)
    expect(new Set(orders?.map(({ root }) => root))).toEqual(new Set([orders?.[0]?.id]))
  })

  it('sent again under the same name, it is answered as before and sends nothing', async () => {
    const named = { client_order_id: 'condor-1' }
    const legs = [leg('SELL', 'CE', 'OTM2'), leg('BUY', 'CE', 'OTM6')]
    const first = await multi(legs, named)
    expect(first.status).toBe(200)
    expect(await multi(legs, named)).toEqual(first)
    expect(await book()).toHaveLength(2)
  })

  it('an approval knows every order that it led to', async () => {
    await app.accounts.setOrderMode(account, 'semi_auto', OWNER)
    const legs = [leg('BUY', 'CE', 'OTM6', { quantity: 130, splitsize: 65 }), leg('SELL', 'CE', 'OTM2')]
    const { body } = await multi(legs)
    const approved = await app.http.inject({
      method: 'POST',
      url: '/api/v1/approvals/approve',
      headers: { cookie: `sauda_session=${(await app.identity.sessions.begin(owner, '', '')).token}` },
      payload: { id: body['pending_order_id'] },
    })
    const ids = (await orderbook()).map(({ orderid }) => orderid).reverse()
    expect([approved.statusCode, ids.length]).toEqual([200, 3])
    expect(approved.json().data.orderids.toSorted()).toEqual(ids)
  })

  it('of an unknown underlying tells so for every leg with `continue`, and has no price', async () => {
    const { status, body } = await multi([leg('BUY', 'CE', 'ATM')], { underlying: 'NIFTI', on_leg_failure: 'continue' })
    expect([status, body['underlying_ltp'], (body['results'] as Body[])[0]?.['code']]).toEqual([
      200,
      null,
      'symbol_not_found',
    ])
  })

  it.each([
    [{ legs: [] }, 'legs'],
    [{ legs: Array.from({ length: 21 }, () => leg('BUY', 'CE', 'ATM')) }, 'legs'],
    [{ legs: [leg('BUY', 'CE', 'ATM', { quantity: 0 })] }, 'legs[0].quantity'],
    [{ legs: [leg('BUY', 'CE', 'ATM'), leg('BUY', 'CE', 'ATM', { pricetype: 'LIMIT' })] }, 'legs[1].price'],
    [{ legs: [leg('BUY', 'CE', 'FOO')] }, 'legs[0].offset'],
    [{ on_leg_failure: 'ask' }, 'on_leg_failure'],
  ])('%j is refused, naming the field', async (more, field) => {
    const { status, body } = await multi([leg('BUY', 'CE', 'ATM')], more)
    expect([status, body['code'], (body['errors'] as Body[])[0]?.['field']]).toEqual([400, 'validation_failed', field])
  })
})
