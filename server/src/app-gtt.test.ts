import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { momentOf } from './api/v1/gtt-fields.ts'
import { type App, createApp } from './app.ts'
import { loadConfig } from './config.ts'
import { OWNER } from './identity/audit.ts'
import { ManualClock } from './kernel/clock.ts'
import { timestampOf } from './kernel/exchange-time.ts'
import { moneyOf } from './kernel/fixed.ts'

/** GTT orders on the whole platform, as programs meet them. */

const UNLIMITED = { ADDRESS_RATE_LIMIT: '1000000 per second', ORDER_RATE_LIMIT: '1000000 per second' }
let folder: string
let clock: ManualClock
let app: App
let apikey: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-gtt-'))
  clock = new ManualClock('2026-11-25T11:00:00+05:30')
  const config = loadConfig({ DATA_DIR: folder, API_RATE_LIMIT: '1000000 per second', ...UNLIMITED }, folder)
  app = await createApp(config, clock, pino({ level: 'silent' }))
  apikey = (await app.keys.createFirstKey(OWNER))?.text ?? ''
})
beforeEach(() => app.paper.venue('default')?.reset(moneyOf(10_000_000)))
afterAll(async () => {
  await app.close()
  rmSync(folder, { recursive: true })
})

type Body = Readonly<Record<string, unknown>>

async function send(operation: string, input: object = {}): Promise<{ status: number; body: Body }> {
  const payload = { apikey, ...input }
  const answer = await app.http.inject({ method: 'POST', url: `/api/v1/${operation}`, payload })
  return { status: answer.statusCode, body: answer.json() }
}

async function rowsOf(operation: string, input: object = {}): Promise<readonly Body[]> {
  const { data } = (await send(operation, input)).body
  const rows = Array.isArray(data) ? data : (data as { orders: Body[] }).orders
  return rows as Body[]
}

async function lastPrice(symbol: string): Promise<number> {
  const { body } = await send('quotes', { symbol, exchange: 'NSE' })
  return (body['data'] as { ltp: number }).ltp
}

const WHO = { strategy: 's', exchange: 'NSE', symbol: 'SBIN', action: 'BUY', product: 'CNC', quantity: 10 }
const SINGLE = { ...WHO, trigger_type: 'SINGLE', price: 500, triggerprice_sl: 505 }
const OCO = {
  ...WHO,
  trigger_type: 'OCO',
  price: 0,
  triggerprice_sl: 500,
  stoploss: 495,
  triggerprice_tg: 2000,
  target: 2005,
}

describe('a GTT order', () => {
  it('is answered with its id and shown in the book until it ends, with what it reserves', async () => {
    const placed = await send('placegttorder', { ...OCO, expires_at: '2026-12-31T15:30:00' })
    const id = 'GTT-261125-00000001'
    expect(placed).toEqual({ status: 200, body: { mode: 'analyze', status: 'success', trigger_id: id } })
    const leg = { action: 'BUY', quantity: 10, pricetype: 'LIMIT', product: 'CNC', status: 'pending' }
    expect(await rowsOf('gttorderbook')).toEqual([
      {
        action: 'BUY',
        created_at: '2026-11-25T11:00:00',
        exchange: 'NSE',
        expires_at: '2026-12-31T15:30:00',
        last_price: await lastPrice('SBIN'),
        legs: [
          { ...leg, price: 495, trigger_price: 500, trigger_direction: 'below' },
          { ...leg, price: 2005, trigger_price: 2000, trigger_direction: 'above' },
        ],
        margin_blocked: 20050,
        orderid: '',
        rejection_reason: '',
        status: 'active',
        strategy: 's',
        symbol: 'SBIN',
        trigger_id: id,
        trigger_prices: [500, 2000],
        trigger_type: 'two-leg',
        updated_at: '2026-11-25T11:00:00',
      },
    ])
    expect((await send('funds')).body).toMatchObject({ data: { utiliseddebits: 20050 } })
    expect((await send('cancelgttorder', { strategy: 's', trigger_id: id })).body).toEqual(placed.body)
    expect(await rowsOf('gttorderbook')).toEqual([])
    expect(await rowsOf('gttorderbook', { status: 'all' })).toMatchObject([{ status: 'cancelled' }])
    expect(await rowsOf('gttorderbook', { trigger_id: id })).toMatchObject([{ status: 'cancelled' }])
    expect((await send('funds')).body).toMatchObject({ data: { utiliseddebits: 0 } })
  })

  it('whose price is reached already says so, fires on the next quote and has its order in the book', async () => {
    const ltp = await lastPrice('SBIN')
    const over = Math.round(ltp) + 10
    const { body } = await send('placegttorder', { ...SINGLE, price: over, triggerprice_sl: over })
    expect(body['message']).toBe(
      `It fires on the next quote: the last price ${ltp} is already at or below triggerprice_sl ${over}.`,
    )
    await app.paper.tick()
    const [order] = await rowsOf('orderbook')
    expect(order).toMatchObject({ price: over, pricetype: 'LIMIT', strategy: 's', quantity: 10 })
    const [gtt] = await rowsOf('gttorderbook', { status: 'triggered' })
    expect(gtt).toMatchObject({ trigger_id: body['trigger_id'], orderid: order?.['orderid'], margin_blocked: 0 })
  })

  it('that is named is placed once, however often it is asked for', async () => {
    const named = { ...SINGLE, client_order_id: 'protect-1' }
    const answers = [await send('placegttorder', named), await send('placegttorder', named)]
    expect(answers[1]).toEqual(answers[0])
    expect(await rowsOf('gttorderbook')).toMatchObject([{ trigger_id: answers[0]?.body['trigger_id'] }])
    const { status } = await send('placegttorder', { ...named, quantity: 11 })
    expect([status, (await rowsOf('gttorderbook')).length]).toEqual([422, 1])
  })

  it('stays when all orders are cancelled', async () => {
    await send('placegttorder', SINGLE)
    expect((await send('cancelallorder', { strategy: 's' })).body['message']).toBe('No open orders to cancel')
    expect(await rowsOf('gttorderbook')).toHaveLength(1)
  })

  it('takes numbers as text, any case and empty fields, as clients send them', async () => {
    const texts = {
      trigger_type: 'Oco',
      quantity: '10',
      price: '0',
      triggerprice_sl: '500',
      stoploss: '495',
      action: 'buy',
    }
    expect((await send('placegttorder', { ...OCO, ...texts })).status).toBe(200)
    const single = {
      ...SINGLE,
      trigger_type: 'single',
      triggerprice_tg: '',
      stoploss: '',
      target: null,
      expires_at: null,
    }
    expect((await send('placegttorder', single)).status).toBe(200)
    expect((await send('placegttorder', { ...SINGLE, expires_at: '' })).status).toBe(200)
    const rows = await rowsOf('gttorderbook')
    expect(rows.map((row) => [row['trigger_type'], row['expires_at']])).toEqual([
      ['single', '2027-11-25T11:00:00'],
      ['single', '2027-11-25T11:00:00'],
      ['two-leg', '2027-11-25T11:00:00'],
    ])
  })

  it('is replaced as a whole by a change', async () => {
    const { body } = await send('placegttorder', { ...SINGLE, expires_at: '2026-12-01' })
    clock.advance(60_000)
    const change = { ...SINGLE, quantity: 20, price: 2010, triggerprice_sl: 0, triggerprice_tg: '2000' }
    expect(await send('modifygttorder', { ...change, trigger_id: body['trigger_id'] })).toEqual({ status: 200, body })
    expect(await rowsOf('gttorderbook')).toMatchObject([
      {
        trigger_prices: [2000],
        legs: [{ quantity: 20, price: 2010, trigger_direction: 'above' }],
        margin_blocked: 40200,
        created_at: '2026-11-25T11:00:00',
        updated_at: '2026-11-25T11:01:00',
        expires_at: '2026-12-01T23:59:59',
      },
    ])
  })
})

describe('placegttorder refuses', () => {
  it.each<[string, object, string, string]>([
    ['another type', { trigger_type: 'TRAILING' }, 'trigger_type', "Must be 'SINGLE' or 'OCO'."],
    [
      'MIS',
      { product: 'MIS' },
      'product',
      'GTT supports only CNC (delivery) or NRML (overnight F&O); MIS is intraday-only.',
    ],
    [
      'no trigger',
      { triggerprice_sl: 0 },
      'triggerprice_sl',
      'SINGLE GTT requires a positive triggerprice_sl or triggerprice_tg.',
    ],
    [
      'two triggers of a SINGLE',
      { triggerprice_tg: 600 },
      'triggerprice_tg',
      'A SINGLE GTT needs exactly one of triggerprice_sl or triggerprice_tg; an OCO needs both.',
    ],
    [
      'a stoploss of a SINGLE',
      { stoploss: 490 },
      'stoploss',
      'A SINGLE GTT has its limit in price; stoploss is for OCO.',
    ],
    ['a LIMIT without price', { price: 0 }, 'price', 'LIMIT orders require price. Got 0'],
    ['a stop order', { pricetype: 'SL' }, 'pricetype', 'Must be one of: LIMIT, MARKET.'],
    [
      'part of a share',
      { quantity: 1.5 },
      'quantity',
      'Fractional quantity (1.5) is not allowed for non-crypto exchanges.',
    ],
    ['null as trigger', { triggerprice_sl: null }, 'triggerprice_sl', 'may not be null'],
    ['a negative trigger', { triggerprice_sl: -5 }, 'triggerprice_sl', 'Trigger price must be a non-negative number.'],
    ['a time that is none', { expires_at: 'next week' }, 'expires_at', 'Not a valid date or time. Got "next week"'],
    ['a field that is none', { triggerprice: 5 }, 'triggerprice', 'Unknown field.'],
  ])('%s', async (_, over, field, message) => {
    const { status, body } = await send('placegttorder', { ...SINGLE, ...over })
    expect([status, body['code']]).toEqual([400, 'validation_failed'])
    const errors = body['errors'] as { field: string; message: string }[]
    expect(errors.map((error) => error.field)).toEqual([field])
    expect(errors[0]?.message).toContain(message)
  })

  it.each<[string, object, string, string]>([
    ['a trigger', { triggerprice_sl: 0 }, 'triggerprice_sl', 'Required for OCO (stoploss trigger).'],
    ['a stoploss limit', { stoploss: null }, 'stoploss', 'Required for OCO (stoploss leg limit).'],
    ['the other trigger', { triggerprice_tg: '' }, 'triggerprice_tg', 'Required for OCO (target trigger).'],
    ['a target limit', { target: '' }, 'target', 'Required for OCO (target leg limit).'],
    [
      'order',
      { triggerprice_sl: 2000 },
      'triggerprice_sl',
      'Stoploss trigger must be less than target trigger (triggerprice_tg).',
    ],
  ])('an OCO without %s', async (_, over, field, message) => {
    const { status, body } = await send('placegttorder', { ...OCO, ...over })
    const errors = body['errors'] as { field: string; message: string }[]
    expect([status, errors.map((error) => error.field)]).toEqual([400, [field]])
    expect(errors[0]?.message).toContain(message)
  })

  it.each<[string, object, string, string]>([
    ['an unknown symbol', { symbol: 'SBINN' }, 'symbol_not_found', 'Symbol SBINN not found on NSE.'],
    ['an index', { exchange: 'NSE_INDEX', symbol: 'NIFTY', product: 'NRML' }, 'order_rejected', "can't be traded"],
    ['too little money', { quantity: 1_000_000 }, 'order_rejected', 'Insufficient funds. Required: ₹500000000.00'],
    ['a price off the tick', { price: 500.01 }, 'order_rejected', 'tick size'],
    ['a past end', { expires_at: '2026-11-25T10:59:59+05:30' }, 'order_rejected', 'expires_at must be in the future'],
    ['an end too far away', { expires_at: '2027-11-26' }, 'order_rejected', 'expires_at must be within 365 days'],
  ])('%s, and keeps what was refused by the exchange where it can be read', async (_, over, code, message) => {
    const { status, body } = await send('placegttorder', { ...SINGLE, ...over })
    expect([status, body['code'], body['message']]).toEqual([400, code, expect.stringContaining(message)])
    expect(await rowsOf('gttorderbook')).toEqual([])
    const kept =
      code === 'order_rejected' ? [{ trigger_id: body['trigger_id'], rejection_reason: body['message'] }] : []
    expect(await rowsOf('gttorderbook', { status: 'rejected' })).toMatchObject(kept)
  })
})

describe('modifygttorder and cancelgttorder refuse', () => {
  it.each<[string, object, string]>([
    ['symbol', { symbol: 'ITC' }, 'symbol cannot be changed on an existing GTT (SBIN -> ITC). Cancel and re-place.'],
    [
      'exchange',
      { exchange: 'BSE' },
      'exchange cannot be changed on an existing GTT (NSE -> BSE). Cancel and re-place.',
    ],
    ['action', { action: 'SELL' }, 'action cannot be changed on an existing GTT (BUY -> SELL). Cancel and re-place.'],
    [
      'product',
      { product: 'NRML' },
      'product cannot be changed on an existing GTT (CNC -> NRML). Cancel and re-place.',
    ],
    ['type', OCO, 'trigger_type cannot be changed (SINGLE -> OCO). Cancel and re-place.'],
    ['quantity, beyond the cash', { quantity: 1_000_000 }, 'Insufficient funds. Required: ₹499995000.00'],
  ])('another %s, and it stays as it was', async (_, over, message) => {
    const { body } = await send('placegttorder', SINGLE)
    const before = await rowsOf('gttorderbook')
    const id = String(body['trigger_id'])
    const refused = await send('modifygttorder', { ...SINGLE, ...over, trigger_id: id })
    expect(refused).toMatchObject({ status: 400, body: { code: 'gtt_unchangeable', mode: 'analyze', trigger_id: id } })
    expect(refused.body['message']).toContain(message)
    expect(await rowsOf('gttorderbook')).toEqual(before)
  })

  it('what is not active', async () => {
    const id = 'GTT-251106-1a2b3c4d'
    const message = `No active GTT with trigger_id '${id}'`
    for (const [operation, input] of [
      ['modifygttorder', { ...SINGLE, trigger_id: id }],
      ['cancelgttorder', { trigger_id: id, strategy: 's' }],
    ] as const)
      expect(await send(operation, input)).toMatchObject({
        status: 404,
        body: { status: 'error', mode: 'analyze', message, code: 'gtt_not_found' },
      })
    const { body } = await send('placegttorder', SINGLE)
    const cancel = { strategy: 's', trigger_id: body['trigger_id'] }
    expect((await send('cancelgttorder', cancel)).status).toBe(200)
    expect((await send('cancelgttorder', cancel)).status).toBe(404)
    expect((await send('modifygttorder', { ...SINGLE, trigger_id: body['trigger_id'] })).status).toBe(404)
  })
})

it('fires into a portfolio that is margined as a whole, and a restart has it the same', async () => {
  const own = mkdtempSync(join(tmpdir(), 'sauda-gtt-portfolio-'))
  const config = loadConfig({ DATA_DIR: own, ...UNLIMITED, PAPER_MARGIN: 'portfolio' }, own)
  const silent = pino({ level: 'silent' })
  const first = await createApp(config, clock, silent)
  const key = (await first.keys.createFirstKey(OWNER))?.text ?? ''
  const ask = async (at: App, operation: string, input: object = {}): Promise<Body> =>
    (await at.http.inject({ method: 'POST', url: `/api/v1/${operation}`, payload: { apikey: key, ...input } })).json()
  const { data: found } = await ask(first, 'search', { query: 'NIFTY 29DEC26 FUT', exchange: 'NFO' })
  const { symbol, lotsize } = (found as { symbol: string; lotsize: number }[])[0] ?? { symbol: '', lotsize: 0 }
  const short = { ...SINGLE, exchange: 'NFO', symbol, action: 'SELL', product: 'NRML', quantity: lotsize }
  const reached = { pricetype: 'MARKET', price: 0, triggerprice_sl: 0, triggerprice_tg: 100 }
  const { trigger_id: id } = await ask(first, 'placegttorder', { ...short, ...reached })
  await first.paper.tick()
  const ended = await ask(first, 'gttorderbook', { trigger_id: id })
  expect(ended['data']).toMatchObject([{ status: 'triggered', rejection_reason: '', margin_blocked: 0 }])
  expect(await ask(first, 'positionbook')).toMatchObject({ data: [{ symbol, quantity: -lotsize }] })
  const funds = await ask(first, 'funds')
  await first.close()
  const second = await createApp(config, clock, silent)
  expect(await ask(second, 'funds')).toEqual(funds)
  expect(await ask(second, 'gttorderbook', { trigger_id: id })).toEqual(ended)
  await second.close()
  rmSync(own, { recursive: true })
})

describe('the end of waiting', () => {
  it.each([
    ['2026-12-31', '2026-12-31 23:59:59'],
    ['2026-12-31 15:30:00', '2026-12-31 15:30:00'],
    ['2026-12-31T15:30', '2026-12-31 15:30:00'],
    ['2026-12-31T15:30:00.621740', '2026-12-31 15:30:00'],
    ['2026-12-31T10:00:00Z', '2026-12-31 15:30:00'],
    ['2026-12-31T15:30:00+05:30', '2026-12-31 15:30:00'],
    ['2026-12-31T05:00:00-0500', '2026-12-31 15:30:00'],
  ])('%s is %s', (given, moment) => {
    expect(timestampOf(momentOf(given) ?? 0)).toBe(moment)
  })

  it.each([
    '',
    'tomorrow',
    '2026-02-30',
    '2026-13-01',
    '31-12-2026',
    '2026-12-31T24:00:00',
    '2026-12-31T10:60:00',
    '2026-12-31T10:00:00+25:00',
    '1798713000',
  ])('"%s" is none', (given) => {
    expect(momentOf(given)).toBeUndefined()
  })
})
