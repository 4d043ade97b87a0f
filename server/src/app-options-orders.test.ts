import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type App, createApp } from './app.ts'
import { loadConfig } from './config.ts'
import { OWNER } from './identity/audit.ts'
import { ManualClock } from './kernel/clock.ts'

/** Orders for options by their offset, on the whole platform. */

const UNLIMITED = {
  ADDRESS_RATE_LIMIT: '1000000 per second',
  API_RATE_LIMIT: '1000000 per second',
  ORDER_RATE_LIMIT: '1000000 per second',
}

type Body = Readonly<Record<string, unknown>>

interface Platform {
  readonly app: App
  readonly clock: ManualClock
  readonly folder: string
}

async function start(at: string, settings: Record<string, string> = {}): Promise<Platform> {
  const folder = mkdtempSync(join(tmpdir(), 'sauda-options-'))
  const clock = new ManualClock(at)
  const config = loadConfig({ DATA_DIR: folder, ...UNLIMITED, ...settings }, folder)
  return { app: await createApp(config, clock, pino({ level: 'silent' })), clock, folder }
}

async function end({ app, folder }: Platform): Promise<void> {
  await app.close()
  rmSync(folder, { recursive: true })
}

let platform: Platform
let app: App
let account = ''
let key = ''
let people = 0

beforeAll(async () => {
  platform = await start('2026-11-25T11:00:00+05:30')
  app = platform.app
})
beforeEach(async () => {
  people += 1
  const name = `trader-${people}`
  const { id: userId } = await app.identity.users.create({
    name,
    email: `${name}@example.com`,
    role: 'trader',
    passwordHash: 'none',
  })
  account = (await app.accounts.create(userId, 'default', OWNER)).id
  key = (await app.keys.createKey({ account, userId, name: 'bot', scopes: ['trade'] }, OWNER)).text
})
afterAll(() => end(platform))

async function send(name: string, input: object = {}): Promise<{ status: number; body: Body }> {
  const answer = await app.http.inject({
    method: 'POST',
    url: `/api/v1/${name}`,
    headers: { 'x-api-key': key },
    payload: input,
  })
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

const ATM = {
  strategy: 'bot',
  underlying: 'NIFTY',
  exchange: 'NSE_INDEX',
  expiry_date: '01DEC26',
  offset: 'ATM',
  option_type: 'CE',
  action: 'BUY',
  quantity: 65,
  product: 'NRML',
}
/** The option at that offset, and its underlying's price. */
const at = async (more: object = {}): Promise<{ symbol: string; ltp: number }> => {
  const { underlying, exchange, expiry_date, offset, option_type } = { ...ATM, ...more }
  const { body } = await send('optionsymbol', { underlying, exchange, expiry_date, offset, option_type })
  return { symbol: String(body['symbol']), ltp: Number(body['underlying_ltp']) }
}

const orderId = expect.stringMatching(/^261125\d{8}$/)

describe('optionsorder', () => {
  it('orders the option and tells which', async () => {
    const { symbol, ltp } = await at()
    const { status, body } = await send('optionsorder', ATM)
    expect([status, body]).toEqual([
      200,
      {
        exchange: 'NFO',
        mode: 'analyze',
        offset: 'ATM',
        option_type: 'CE',
        orderid: orderId,
        status: 'success',
        symbol,
        underlying: 'NIFTY',
        underlying_ltp: ltp,
      },
    ])
    expect(await book()).toEqual([`BUY 65 ${symbol} complete`])
    expect((await orderbook())[0]).toMatchObject({ orderid: body['orderid'], product: 'NRML', strategy: 'bot' })
  })

  it('takes numbers as text, and null or 0 as no split', async () => {
    for (const splitsize of [null, 0, '0']) {
      const { status, body } = await send('optionsorder', { ...ATM, quantity: '65', strike_int: '50', splitsize })
      expect([status, body['orderid']]).toEqual([200, orderId])
      expect(body).not.toHaveProperty('results')
    }
  })

  it('answers the offset as it was typed, and the type in upper case', async () => {
    const { body } = await send('optionsorder', { ...ATM, offset: 'otm2', option_type: 'pe', action: 'buy' })
    expect(body).toMatchObject({
      offset: 'otm2',
      option_type: 'PE',
      symbol: (await at({ offset: 'OTM2', option_type: 'PE' })).symbol,
    })
  })

  it('is sent in pieces', async () => {
    const { symbol, ltp } = await at({ offset: 'OTM3' })
    const { status, body } = await send('optionsorder', { ...ATM, offset: 'OTM3', quantity: 325, splitsize: '130' })
    expect([status, body]).toEqual([
      200,
      {
        exchange: 'NFO',
        mode: 'analyze',
        offset: 'OTM3',
        option_type: 'CE',
        results: [
          { order_num: 1, orderid: orderId, quantity: 130, status: 'success' },
          { order_num: 2, orderid: orderId, quantity: 130, status: 'success' },
          { order_num: 3, orderid: orderId, quantity: 65, status: 'success' },
        ],
        split_size: 130,
        status: 'success',
        symbol,
        total_quantity: 325,
        underlying: 'NIFTY',
        underlying_ltp: ltp,
      },
    ])
    expect(await book()).toEqual([130, 130, 65].map((quantity) => `BUY ${quantity} ${symbol} complete`))
  })

  it('tells of each piece whether it was taken, and leaves the rest when funds are spent', async () => {
    const deep = { ...ATM, offset: 'ITM50', quantity: 8775, splitsize: 1755 }
    const { status, body } = await send('optionsorder', deep)
    const rows = body['results'] as Body[]
    const taken = rows.findIndex((row) => row['status'] === 'error')
    expect([status, rows.length, taken > 0 && taken < 4]).toEqual([200, 5, true])
    const row = { order_num: taken + 1, quantity: 1755, status: 'error' }
    expect(rows[taken]).toEqual({
      ...row,
      code: 'order_rejected',
      message: expect.stringMatching(/^Insufficient funds\./),
      orderid: orderId,
    })
    expect(rows[taken + 1]).toEqual({
      ...row,
      code: 'not_sent',
      message: expect.stringContaining('Insufficient funds.'),
      order_num: taken + 2,
    })
    expect(await book()).toHaveLength(taken + 1)
  })

  it('of which a piece can be no order is refused as a whole', async () => {
    const { status, body } = await send('optionsorder', { ...ATM, quantity: 100, splitsize: 65 })
    expect([status, body['code'], body['message']]).toEqual([
      400,
      'validation_failed',
      expect.stringContaining('pieces[1]: Quantity must be in multiples of lot size 65'),
    ])
    expect(await book()).toEqual([])
  })

  it('that the exchange refuses answers as placeorder does', async () => {
    const { symbol } = await at()
    const refused = await send('optionsorder', { ...ATM, quantity: 64 })
    const plain = await send('placeorder', {
      strategy: 'bot',
      symbol,
      exchange: 'NFO',
      action: 'BUY',
      quantity: 64,
      product: 'NRML',
    })
    const { orderid: one, request_id: _one, ...answer } = refused.body
    const { orderid: other, request_id: _other, ...same } = plain.body
    expect(refused.status).toBe(plain.status)
    expect(answer).toEqual(same)
    expect(answer).toMatchObject({ code: 'order_rejected', mode: 'analyze', status: 'error' })
    expect((await orderbook()).map(({ orderid }) => orderid)).toEqual([other, one])
  })

  it.each([
    [
      'a future of commodities',
      { underlying: 'CRUDEOIL', exchange: 'MCX', expiry_date: '16DEC26', quantity: 100 },
      'MCX',
    ],
    [
      'one that is named',
      { underlying: 'CRUDEOIL19JAN27FUT', exchange: 'MCX', expiry_date: '15JAN27', quantity: 100 },
      'MCX',
    ],
    ['a currency', { underlying: 'USDINR', exchange: 'CDS', expiry_date: '29DEC26', quantity: 1000 }, 'CDS'],
    [
      'an index of the other exchange',
      { underlying: 'SENSEX', exchange: 'BSE_INDEX', expiry_date: '26NOV26', quantity: 20 },
      'BFO',
    ],
    [
      'a share with a sign in its name',
      { underlying: 'M&M29DEC26FUT', exchange: 'NFO', expiry_date: '', quantity: 200 },
      'NFO',
    ],
    [
      'a share with digits in its name',
      { underlying: '360ONE', exchange: 'NSE', expiry_date: '29DEC26', quantity: 500 },
      'NFO',
    ],
    ['a coin', { underlying: 'BTC', exchange: 'CRYPTO', expiry_date: '27NOV26', quantity: 1 }, 'CRYPTO'],
  ])('on %s', async (_, more, exchange) => {
    const { status, body } = await send('optionsorder', { ...ATM, ...more })
    expect([status, body['status'], body['exchange']]).toEqual([200, 'success', exchange])
    expect(await book()).toEqual([`BUY ${more.quantity} ${body['symbol']} complete`])
  })

  it.each([
    [{ offset: 'OTM51' }, 400, 'validation_failed'],
    [{ quantity: 75.9 }, 400, 'validation_failed'],
    [{ quantity: 0 }, 400, 'validation_failed'],
    [{ quantity: 1e15 }, 400, 'validation_failed'],
    [{ splitsize: 1.9 }, 400, 'validation_failed'],
    [{ product: 'CNC' }, 400, 'validation_failed'],
    [{ pricetype: 'LIMIT' }, 400, 'validation_failed'],
    [{ expiry_date: null }, 400, 'validation_failed'],
    [{ underlyng: 'NIFTY' }, 400, 'validation_failed'],
    [{ expiry_date: '' }, 400, 'expiry_missing'],
    [{ underlying: 'NIFTI' }, 400, 'symbol_not_found'],
    [{ underlying: 'BANKNIFTY' }, 404, 'option_not_found'],
    [{ quantity: 6565, splitsize: 65 }, 400, 'too_many_orders'],
    [{ underlying: 'RELIANCE', exchange: 'NSE', expiry_date: '29DEC26', offset: 'OTM50' }, 400, 'offset_out_of_range'],
  ])('with %j is refused before anything is sent', async (more, status, code) => {
    const answer = await send('optionsorder', { ...ATM, ...more })
    expect([answer.status, answer.body['code']]).toEqual([status, code])
    expect(await book()).toEqual([])
  })
})

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
    const call = await at({ offset: 'OTM2' })
    const wing = await at({ offset: 'OTM6' })
    const put = await at({ offset: 'OTM2', option_type: 'PE' })
    const other = await at({ offset: 'OTM6', option_type: 'PE' })
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

describe('in semi-automatic mode', () => {
  beforeEach(() => app.accounts.setOrderMode(account, 'semi_auto', OWNER))

  it.each([
    ['optionsorder', ATM],
    [
      'optionsmultiorder',
      {
        strategy: 'bot',
        underlying: 'NIFTY',
        exchange: 'NSE_INDEX',
        expiry_date: '01DEC26',
        legs: [{ offset: 'ATM', option_type: 'CE', action: 'BUY', quantity: 65 }],
      },
    ],
  ])('%s waits for a person, unless there is no such option', async (name, input) => {
    expect(await send(name, input)).toEqual({
      status: 200,
      body: {
        message: 'Order queued for approval in Action Center',
        mode: 'semi_auto',
        pending_order_id: expect.any(Number),
        status: 'success',
      },
    })
    expect((await send(name, { ...input, expiry_date: '02DEC26' })).body['code']).toBe('option_not_found')
    expect(await book()).toEqual([])
  })
})

describe('on the last day of a contract', () => {
  it('it can be ordered until its close, and then says that it ended', async () => {
    const day = await start('2026-11-26T15:39:50+05:30', { MARKET_HOURS: 'exchange' })
    const { text } = await day.app.keys.createKey({ account: 'default', name: 'bot', scopes: ['trade'] }, OWNER)
    const sensex = { ...ATM, underlying: 'SENSEX', exchange: 'BSE_INDEX', expiry_date: '26NOV26', quantity: 20 }
    const order = async () => {
      const headers = { 'x-api-key': text }
      const answer = await day.app.http.inject({
        method: 'POST',
        url: '/api/v1/optionsorder',
        headers,
        payload: sensex,
      })
      return { status: answer.statusCode, body: answer.json() }
    }
    expect((await order()).body).toMatchObject({ exchange: 'BFO', status: 'success' })
    day.clock.advance(10_000)
    const { status, body } = await order()
    expect([status, body.code, body.message]).toEqual([
      400,
      'contract_expired',
      expect.stringContaining('Options of SENSEX expiring 26NOV26 ended at 2026-11-26 15:40:00.'),
    ])
    await end(day)
  })
})
