import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fastJsonStringify from 'fast-json-stringify'
import pino from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serialisationSchema, withWarnings } from './api/output-schema.ts'
import { orderbook, tradebook } from './api/v1/books.ts'
import { type App, createApp } from './app.ts'
import { loadConfig } from './config.ts'
import { OWNER } from './identity/audit.ts'
import { ManualClock } from './kernel/clock.ts'
import { DAY_MS } from './kernel/exchange-time.ts'

/** What an account's books show of its orders: filters, pages, strategies and stories. */

type Row = Readonly<Record<string, unknown>>

let app: App
let folder: string
let key: string
const clock = new ManualClock('2026-11-25T11:00:00+05:30')
const UNLIMITED = { API_RATE_LIMIT: '1000000 per second', ORDER_RATE_LIMIT: '1000000 per second' }

async function start(): Promise<void> {
  app = await createApp(loadConfig({ DATA_DIR: folder, ...UNLIMITED }, folder), clock, pino({ level: 'silent' }))
}
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-records-'))
  await start()
  key = (await app.keys.createKey({ account: 'default', name: 'test', scopes: ['read', 'trade'] }, OWNER)).text
})
afterAll(async () => {
  await app.close()
  rmSync(folder, { recursive: true })
})

async function ask(name: string, input: object = {}): Promise<{ status: number; body: Row; text: string }> {
  const headers = { 'x-api-key': key }
  const answer = await app.http.inject({ method: 'POST', url: `/api/v1/${name}`, headers, payload: input })
  return { status: answer.statusCode, body: answer.json(), text: answer.payload }
}

const dataOf = async <Data>(name: string, input: object = {}): Promise<Data> =>
  (await ask(name, input)).body['data'] as Data

async function place(more: object = {}): Promise<string> {
  const order = { exchange: 'NSE', symbol: 'SBIN', action: 'BUY', quantity: 1, product: 'MIS', strategy: 'one' }
  const { body } = await ask('placeorder', { ...order, ...more })
  clock.advance(1_000)
  return String(body['orderid'])
}

const limit = (price: number) => ({ pricetype: 'LIMIT', price })
const ordersOf = async (input: object = {}): Promise<readonly Row[]> =>
  (await dataOf<{ orders: Row[] }>('orderbook', input)).orders
const idsOf = async (input: object): Promise<unknown[]> => (await ordersOf(input)).map((row) => row['orderid'])

describe('order and trade book', () => {
  const ids: string[] = []
  let middle = 0
  beforeAll(async () => {
    ids.push(await place())
    ids.push(await place({ ...limit(1), strategy: 'two' }))
    ids.push(await place({ symbol: 'RELIANCE', strategy: '' }))
    middle = clock.now()
    ids.push(await place({ action: 'SELL', strategy: 'Übung "x"' }))
    ids.push(await place({ quantity: 0.5 }))
  })

  it.each([
    ['orderbook', orderbook],
    ['tradebook', tradebook],
  ] as const)(
    '%s without fields is, byte for byte, the whole session serialised by its schema',
    async (name, { output }) => {
      const serialise = fastJsonStringify(serialisationSchema(withWarnings({ ...output })))
      for (const more of [undefined, limit(2), {}, { quantity: 0.25 }]) {
        if (more !== undefined) await place(more)
        const { text, body } = await ask(name)
        expect(text).toBe(serialise(body))
        expect(Object.keys(body)).not.toContain('next_cursor')
      }
    },
  )

  it('an order that changes shows it in the whole book', async () => {
    const id = await place({ ...limit(3), quantity: 7 })
    expect((await ordersOf()).find((row) => row['orderid'] === id)).toMatchObject({ price: 3, order_status: 'open' })
    const change = { exchange: 'NSE', symbol: 'SBIN', action: 'BUY', product: 'MIS', pricetype: 'LIMIT', strategy: '' }
    await ask('modifyorder', { ...change, orderid: id, quantity: 8, price: 4 })
    expect((await ordersOf()).find((row) => row['orderid'] === id)).toMatchObject({ price: 4, quantity: 8 })
    await ask('cancelorder', { orderid: id, strategy: '' })
    expect((await ordersOf()).find((row) => row['orderid'] === id)).toMatchObject({ order_status: 'cancelled' })
  })

  it('filters combine', async () => {
    expect(await idsOf({ symbol: 'reliance' })).toEqual([ids[2]])
    expect(await idsOf({ strategy_filter: '', exchange: 'NSE' })).toEqual([ids[2]])
    expect(await idsOf({ strategy_filter: 'two', order_status: 'open' })).toEqual([ids[1]])
    expect(await idsOf({ strategy_filter: 'two', order_status: 'complete' })).toEqual([])
    expect((await idsOf({ since: middle })).slice(-2)).toEqual([ids[4], ids[3]])
    const trades = await dataOf<Row[]>('tradebook', { strategy_filter: 'one', since: 1 })
    expect(new Set(trades.map((row) => row['strategy']))).toEqual(new Set(['one']))
  })

  it('statistics count what fits', async () => {
    const { statistics } = await dataOf<{ statistics: Row }>('orderbook', { symbol: 'RELIANCE' })
    expect(statistics).toEqual({
      total_buy_orders: 1,
      total_cancelled_orders: 0,
      total_completed_orders: 1,
      total_open_orders: 0,
      total_rejected_orders: 0,
      total_sell_orders: 0,
      total_trigger_pending_orders: 0,
    })
  })

  it.each(['orderbook', 'tradebook'])('%s is read a page at a time, whatever comes meanwhile', async (name) => {
    const rowsOf = (body: Row): Row[] =>
      (name === 'orderbook' ? (body['data'] as { orders: Row[] }).orders : body['data']) as Row[]
    const whole = rowsOf((await ask(name)).body)
    const pages: Row[] = []
    let cursor: unknown
    do {
      const { body } = await ask(name, { limit: 2, ...(cursor === undefined ? {} : { cursor }) })
      pages.push(...rowsOf(body))
      expect(Object.keys(body)).not.toContain('omitted')
      cursor = body['next_cursor']
      await place()
    } while (cursor !== null)
    expect(pages).toEqual(whole)
  })

  it.each([{ limit: 0 }, { cursor: 'x' }, { order_status: 'filled' }, { strategy: 'one' }])(
    'refuses %j',
    async (input) => {
      expect((await ask('orderbook', input)).status).toBe(400)
    },
  )
})

describe('pnl/symbols', () => {
  it('adds up to its totals and to the position book, to the paisa', async () => {
    await place({ action: 'SELL', quantity: 3, symbol: 'INFY' })
    await place({ action: 'BUY', quantity: 2, symbol: 'INFY' })
    const { body } = await ask('pnl/symbols')
    const book = (await ask('positionbook')).body
    const rows = body['data'] as Row[]
    const sum = (name: string): number => rows.reduce((total, row) => total + Math.round(Number(row[name]) * 100), 0)
    for (const [column, total] of [
      ['pnl', 'total_pnl'],
      ['total_pnl_today', 'total_pnl_today'],
      ['unrealized_pnl', 'total_unrealized_pnl'],
      ['today_realized_pnl', 'total_today_realized_pnl'],
    ] as const) {
      expect(sum(column)).toBe(Math.round(Number(body[total]) * 100))
      expect(body[total]).toBe(book[total])
    }
    expect((await dataOf<Row>('funds'))['today_realized_pnl']).toBe(body['total_today_realized_pnl'])
    expect(rows.find((row) => row['symbol'] === 'INFY')).toMatchObject({
      quantity: -1,
      product: 'MIS',
      exchange: 'NSE',
    })
  })
})

describe('strategybook', () => {
  it('shows strategies that hold opposite positions, and what the account nets', async () => {
    await place({ symbol: 'TCS', quantity: 5, strategy: 'long' })
    await place({ symbol: 'TCS', action: 'SELL', quantity: 5, strategy: 'short' })
    const book = await dataOf<{ account: Row; netting: Row; strategies: Row[] }>('strategybook')
    const named = (name: string) => book.strategies.find((row) => row['strategy'] === name)
    expect(named('long')).toMatchObject({ trades: 1, positions: [{ symbol: 'TCS', quantity: 5 }] })
    expect(named('short')).toMatchObject({ trades: 1, positions: [{ symbol: 'TCS', quantity: -5 }] })
    const paise = (value: unknown): number => Math.round(Number(value) * 100)
    for (const column of ['realized_pnl', 'unrealized_pnl', 'total_pnl'] as const) {
      const together = book.strategies.reduce((sum, row) => sum + paise(row[column]), paise(book.netting[column]))
      expect(together).toBe(paise(book.account[column]))
    }
    expect(book.netting['total_pnl']).toBe(0)
    const { strategies } = await dataOf<{ strategies: Row[] }>('strategybook', { strategy_filter: 'long' })
    expect(strategies.map((row) => row['strategy'])).toEqual(['long'])
  })
})

describe('orderstory', () => {
  const chapters = (story: Row): unknown[] =>
    (story['events'] as Row[]).map((row) => [row['event'], row['quantity'], row['price'], row['order_status']])
  let id = ''

  it('tells changes, trades and the end of an order, with the values of each', async () => {
    id = await place({ ...limit(10), quantity: 5, symbol: 'ITC' })
    const change = { exchange: 'NSE', symbol: 'ITC', action: 'BUY', product: 'MIS', pricetype: 'LIMIT', strategy: '' }
    await ask('modifyorder', { ...change, orderid: id, quantity: 6, price: 11 })
    clock.advance(1_000)
    await ask('modifyorder', { ...change, orderid: id, quantity: 7, price: 12 })
    clock.advance(1_000)
    await ask('cancelorder', { orderid: id, strategy: '' })
    const story = await dataOf<Row>('orderstory', { orderid: id })
    expect(chapters(story)).toEqual([
      ['placed', 5, 10, 'open'],
      ['modified', 6, 11, 'open'],
      ['modified', 7, 12, ''],
      ['cancelled', 7, 12, 'cancelled'],
    ])
    expect(story).toMatchObject({
      root: id,
      changes_forgotten: 0,
      orders: [{ orderid: id, order_status: 'cancelled' }],
    })
  })

  it('tells the same after a restart, and of a finished session', async () => {
    const before = await dataOf<Row>('orderstory', { orderid: id })
    await app.close()
    await start()
    expect(await dataOf<Row>('orderstory', { orderid: id })).toEqual(before)
    clock.advance(DAY_MS)
    expect(await ordersOf()).toEqual([])
    expect(await dataOf<Row>('orderstory', { orderid: id })).toEqual(before)
  })

  it('tells the fills of an order', async () => {
    const filled = await place({ quantity: 2 })
    const story = await dataOf<Row>('orderstory', { orderid: filled })
    expect((story['events'] as Row[]).map((row) => row['event'])).toEqual(['placed', 'traded', 'complete'])
    expect((story['events'] as Row[])[1]?.['tradeid']).toBe(`T${filled}-1`)
  })

  it('tells of a trigger and the order that it placed, by either id', async () => {
    const gtt = {
      strategy: 'g',
      trigger_type: 'SINGLE',
      exchange: 'NSE',
      symbol: 'SBIN',
      action: 'BUY',
      product: 'CNC',
    }
    const placed = await ask('placegttorder', { ...gtt, quantity: 1, price: 9000, triggerprice_sl: 9000 })
    const trigger = String(placed.body['trigger_id'])
    await app.paper.tick()
    const story = await dataOf<Row>('orderstory', { orderid: trigger })
    expect(story).toMatchObject({ root: trigger, gtt: { trigger_id: trigger, status: 'triggered' } })
    const [child] = story['orders'] as Row[]
    expect(child).toMatchObject({ root: trigger })
    expect(await dataOf<Row>('orderstory', { orderid: String(child?.['orderid']) })).toEqual(story)
  })

  it('tells of all parts of a split order, by any of them and by their root', async () => {
    const order = { exchange: 'NSE', symbol: 'SBIN', action: 'BUY', pricetype: 'MARKET', product: 'MIS', strategy: 's' }
    const { body } = await ask('splitorder', { ...order, quantity: 5, splitsize: 2 })
    const parts = (body['results'] as Row[]).map((row) => String(row['orderid']))
    const story = await dataOf<Row>('orderstory', { orderid: parts[1] ?? '' })
    expect(story['root']).toBe(parts[0])
    expect((story['orders'] as Row[]).map((row) => row['orderid'])).toEqual(parts)
    expect(parts).toHaveLength(3)
    expect(await dataOf<Row>('orderstory', { orderid: String(story['root']) })).toEqual(story)
    await app.close()
    clock.advance(DAY_MS)
    await start()
    expect(await ordersOf()).toEqual([])
    expect(await dataOf<Row>('orderstory', { orderid: parts[2] ?? '' })).toMatchObject({
      root: story['root'],
      orders: story['orders'],
    })
  })

  it('of nothing is refused', async () => {
    expect(await ask('orderstory', { orderid: '1' })).toMatchObject({ status: 404, body: { code: 'order_not_found' } })
  })
})
