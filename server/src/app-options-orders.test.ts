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
