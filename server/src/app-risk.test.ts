import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import pino from 'pino'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type App, createApp } from './app.ts'
import type { Action } from './brokers/venue.ts'
import { chargesOf } from './charges/index.ts'
import { runKillSwitchCommand } from './command-line/killswitch.ts'
import { loadConfig } from './config.ts'
import { OWNER } from './identity/audit.ts'
import { ManualClock } from './kernel/clock.ts'
import { add, moneyOf, toNumber, ZERO_MONEY } from './kernel/fixed.ts'
import { openDatabases } from './storage/open.ts'
import { LIMIT_NAMES } from './trading/risk/limits.ts'

/** Limits and the kill switch on the whole platform, over HTTP: they hold for every door. */

const UNLIMITED = {
  ADDRESS_RATE_LIMIT: '1000000 per second',
  API_RATE_LIMIT: '1000000 per second',
  ORDER_RATE_LIMIT: '1000000 per second',
  SMART_ORDER_RATE_LIMIT: '1000000 per second',
}
const BUY = { strategy: 's', exchange: 'NSE', symbol: 'SBIN', action: 'BUY', quantity: 1, product: 'MIS' }
const RESTING = { ...BUY, pricetype: 'LIMIT', price: 500 }
const { strategy: _, ...LEG } = RESTING
const GTT = { ...BUY, trigger_type: 'SINGLE', symbol: 'IDEA', product: 'CNC', price: 1, triggerprice_sl: 1.05 }

interface Reply {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

class Running {
  readonly app: App
  readonly clock: ManualClock
  readonly folder: string
  readonly admin: string
  readonly trader: string

  constructor(parts: Pick<Running, 'app' | 'clock' | 'folder' | 'admin' | 'trader'>) {
    this.app = parts.app
    this.clock = parts.clock
    this.folder = parts.folder
    this.admin = parts.admin
    this.trader = parts.trader
  }

  static async start(folder: string, settings: Record<string, string> = {}): Promise<Running> {
    const clock = new ManualClock('2026-11-25T11:00:00+05:30')
    const config = loadConfig({ DATA_DIR: folder, ...UNLIMITED, ...settings }, folder)
    const app = await createApp(config, clock, pino({ level: 'silent' }))
    const key = async (scopes: string[]) =>
      (await app.keys.createKey({ account: 'default', name: 'test', scopes }, OWNER)).text
    const running = new Running({ app, clock, folder, admin: await key(['admin']), trader: await key(['trade']) })
    started.push(running)
    return running
  }

  async post(name: string, payload: object, key = this.trader): Promise<Reply> {
    const answer = await this.app.http.inject({
      method: 'POST',
      url: `/api/v1/${name}`,
      headers: { 'x-api-key': key },
      payload,
    })
    return { status: answer.statusCode, body: answer.json() }
  }

  async set(limits: object, more: object = { scope: 'account' }): Promise<void> {
    const { status, body } = await this.post('risk/set', { ...more, limits }, this.admin)
    expect([status, body]).toEqual([200, expect.anything()])
  }

  async orders(): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const { body } = await this.post('orderbook', {})
    return (body['data'] as { orders: readonly Readonly<Record<string, unknown>>[] }).orders
  }

  async working(): Promise<number> {
    const orders = await this.orders()
    return orders.filter(({ order_status: is }) => is === 'open' || is === 'trigger pending').length
  }

  async close(): Promise<void> {
    started.splice(started.indexOf(this), 1)
    await this.app.close()
  }
}

const started: Running[] = []
const folders: string[] = []
const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'sauda-risk-'))
  folders.push(folder)
  return folder
}
/** Of its own, for what a setting or a restart changes. */
const start = (settings?: Record<string, string>) => Running.start(newFolder(), settings)
let shared: Running
beforeAll(async () => {
  shared = await start()
})
afterEach(async () => {
  for (const running of started.filter((one) => one !== shared)) await running.close()
})
afterAll(async () => {
  for (const running of [...started]) await running.close()
  for (const folder of folders) rmSync(folder, { recursive: true })
})

/** The shared one, with nothing set and nothing in its books. */
async function fresh(): Promise<Running> {
  const { app, clock } = shared
  for (const { scope, state } of app.limits.rules()) {
    if (state === 'halted') await app.limits.release(scope, OWNER)
    const limits = Object.fromEntries(LIMIT_NAMES.map((name) => [name, null]))
    await app.limits.set(scope, { limits, state: 'active' }, OWNER)
  }
  await app.paper.venue('default')?.reset(moneyOf(10_000_000))
  clock.advance(2_000)
  return shared
}

/** One of each segment, and what its instrument is. */
const HELD = [
  [{ exchange: 'NSE', symbol: 'SBIN', action: 'BUY', quantity: 40, product: 'MIS' }, 'EQ'],
  [{ exchange: 'NSE', symbol: 'IDEA', action: 'SELL', quantity: 900, product: 'MIS' }, 'EQ'],
  [{ exchange: 'BSE', symbol: 'INFY', action: 'BUY', quantity: 7, product: 'CNC' }, 'EQ'],
  [{ exchange: 'NFO', symbol: 'NIFTY29DEC26FUT', action: 'SELL', quantity: 65, product: 'NRML' }, 'FUT'],
  [{ exchange: 'NFO', symbol: 'NIFTY01DEC2625100CE', action: 'BUY', quantity: 130, product: 'NRML' }, 'CE'],
] as const
const BROKERAGE = { perOrder: moneyOf(20), sharePerMillion: 300 }
const paise = (rupees: unknown): number => Math.round(Number(rupees) * 100)
const sum = (amounts: readonly number[]): number => amounts.reduce((total, amount) => total + amount, 0)

interface ChargedRow {
  readonly orderid: string
  readonly symbol: string
  readonly action: Action
  readonly trade_value: number
  readonly charges: number
}

/** In paise, of each order that has traded: what it brought before its costs, its costs as booked, and as the table tells them. */
function costsOf(trades: readonly ChargedRow[]): { brought: number; booked: number; told: number }[] {
  const orders = Map.groupBy(trades, ({ orderid }) => orderid)
  return [...orders.values()].map((parts) => {
    const action = parts[0]?.action ?? 'BUY'
    const [{ exchange, symbol: name, product }, kind] =
      HELD.find(([{ symbol }]) => symbol === parts[0]?.symbol) ?? HELD[0]
    const value = parts.reduce((total, part) => add(total, moneyOf(part.trade_value)), ZERO_MONEY)
    const { total } = chargesOf(
      { instrument: { exchange, kind, name }, action, product, value },
      BROKERAGE,
      '2026-11-25',
    )
    return {
      brought: paise(toNumber.money(value)) * (action === 'SELL' ? 1 : -1),
      booked: sum(parts.map(({ charges }) => paise(charges))),
      told: paise(toNumber.money(total)),
    }
  })
}

const STEP = fc.record({
  kind: fc.constantFrom('rest', 'market', 'cancel', 'modify', 'close'),
  strategy: fc.constantFrom('s', 'other'),
  action: fc.constantFrom('BUY', 'SELL'),
  symbol: fc.constantFrom('SBIN', 'IDEA'),
  quantity: fc.integer({ min: 1, max: 9 }),
})
type Step = typeof STEP extends fc.Arbitrary<infer T> ? T : never

async function takeStep(running: Running, { kind, ...fields }: Step): Promise<void> {
  const order = { ...BUY, ...fields }
  const price = fields.action === 'BUY' ? 1 : 9_000
  if (kind === 'rest') await running.post('placeorder', { ...order, pricetype: 'LIMIT', price })
  else if (kind === 'market') await running.post('placeorder', { ...order, pricetype: 'MARKET' })
  else if (kind === 'close') await running.post('closeposition', { strategy: 's' })
  else {
    const open = (await running.orders()).find(({ order_status: is }) => is === 'open')
    if (open === undefined) return
    const changed = { ...BUY, ...open, quantity: fields.quantity, disclosed_quantity: 0 }
    const {
      orderid,
      exchange,
      symbol,
      action,
      product,
      pricetype,
      price: was,
      quantity,
      strategy,
    } = changed as Record<string, unknown>
    const input = { orderid, exchange, symbol, action, product, pricetype, price: was, quantity, strategy }
    await (kind === 'cancel'
      ? running.post('cancelorder', { strategy: 's', orderid })
      : running.post('modifyorder', input))
  }
}

const codesOf = (replies: readonly Reply[]): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const { status, body } of replies) {
    const code = status === 200 ? 'ok' : String(body['code'])
    counts[code] = (counts[code] ?? 0) + 1
  }
  return counts
}
const many = (count: number, send: (index: number) => Promise<Reply>): Promise<Reply[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => send(index)))

describe('limits', () => {
  it('deny an order, which stands in the book as rejected with the reason', async () => {
    const running = await fresh()
    await running.set({ order_value: 499 })
    const denied = await running.post('placeorder', RESTING)
    expect(denied.status).toBe(400)
    expect(denied.body).toMatchObject({
      code: 'risk_order_value',
      message: 'Risk: order_value of account default is 499.00, and this order is worth 500.00.',
      orderid: expect.any(String),
      mode: 'analyze',
    })
    expect(await running.orders()).toMatchObject([
      { orderid: denied.body['orderid'], order_status: 'rejected', rejection_reason: denied.body['message'] },
    ])
    expect((await running.post('placeorder', { ...RESTING, price: 499 })).status).toBe(200)
  })

  it('hold through every door', async () => {
    const running = await fresh()
    expect((await running.post('placeorder', RESTING)).status).toBe(200)
    const [order] = await running.orders()
    await running.set({ order_quantity: 1 })
    const two = { quantity: 2 }
    const code = 'risk_order_quantity'
    for (const [name, input] of [
      ['placeorder', { ...RESTING, ...two }],
      ['placegttorder', { ...GTT, ...two }],
      ['modifyorder', { ...RESTING, ...two, orderid: order?.['orderid'] }],
      ['placesmartorder', { ...RESTING, ...two, position_size: 2 }],
    ] as const)
      expect([name, (await running.post(name, input)).body['code']]).toEqual([name, code])
    const basket = await running.post('basketorder', { strategy: 's', orders: [{ ...LEG, ...two }, LEG] })
    expect(JSON.stringify(basket.body)).toContain('Risk: order_quantity')
    const split = await running.post('splitorder', { ...RESTING, quantity: 5, splitsize: 2 })
    expect(JSON.stringify(split.body)).toContain('Risk: order_quantity')
    expect(await running.working()).toBe(3)
  })

  it('of all scopes the tightest holds, and each is told with its source', async () => {
    const running = await fresh()
    await running.set({ order_value: 10_000, orders_per_day: 100 }, { scope: 'instance' })
    await running.set({ order_value: 5_000 })
    await running.set({ order_value: 7_000, orders_per_day: 1 }, { scope: 'strategy', strategy: 's' })
    const { body } = await running.post('risk', { strategy: 's' })
    expect(body['data']).toMatchObject({
      state: 'active',
      limits: [
        { limit: 'order_value', measured_on: 'account', source: 'account default', value: 5000 },
        { limit: 'orders_per_day', measured_on: 'account', source: 'this instance', value: 100 },
        { limit: 'order_value', measured_on: 'strategy', source: 'strategy "s"', value: 7000 },
        { limit: 'orders_per_day', measured_on: 'strategy', source: 'strategy "s"', value: 1 },
      ],
    })
    expect((await running.post('placeorder', RESTING)).status).toBe(200)
    expect((await running.post('placeorder', RESTING)).body['code']).toBe('risk_orders_per_day')
    expect((await running.post('placeorder', { ...RESTING, strategy: 'other' })).status).toBe(200)
    const use = (await running.post('risk', { strategy: 's' })).body['data']
    expect(use).toMatchObject({ use: { account: { orders_today: 2, open_orders: 2 }, strategy: { orders_today: 1 } } })
  })

  it('64 requests side by side don’t pass together', async () => {
    const running = await fresh()
    await running.set({ orders_per_second: 5 })
    expect(codesOf(await many(64, () => running.post('placeorder', RESTING)))).toEqual({
      ok: 5,
      risk_orders_per_second: 59,
    })
    running.clock.advance(1_000)
    await running.post(
      'risk/set',
      { scope: 'account', clear: ['orders_per_second'], limits: { position_quantity: 10 } },
      running.admin,
    )
    const bought = await many(64, () => running.post('placeorder', { ...BUY, pricetype: 'MARKET' }))
    expect(codesOf(bought)).toEqual({ ok: 5, risk_position_quantity: 59 }) // five work already
    const { body } = await running.post('openposition', {
      strategy: 's',
      symbol: 'SBIN',
      exchange: 'NSE',
      product: 'MIS',
    })
    expect(Number(body['quantity'])).toBe(5)
  })

  it('open orders of requests side by side', async () => {
    const running = await fresh()
    await running.set({ open_orders: 7, gross_exposure: 100_000, daily_loss: 1000 })
    expect(codesOf(await many(64, () => running.post('placeorder', RESTING)))).toEqual({ ok: 7, risk_open_orders: 57 })
    expect(await running.working()).toBe(7)
    const open = (await running.orders()).find(({ order_status: is }) => is === 'open')
    await running.post('cancelorder', { strategy: 's', orderid: open?.['orderid'] })
    expect((await running.post('placeorder', RESTING)).status).toBe(200)
    expect((await running.post('placeorder', RESTING)).body['code']).toBe('risk_open_orders')
  })

  it('in reduce_only what makes a position smaller passes, and no more', async () => {
    const running = await fresh()
    await running.post('placeorder', { ...BUY, quantity: 10, pricetype: 'MARKET' })
    const set = await running.post('risk/set', { scope: 'account', state: 'reduce_only' }, running.admin)
    expect(set.body['data']).toMatchObject({ state: 'reduce_only' })
    const sell = { ...BUY, action: 'SELL', pricetype: 'LIMIT', price: 2000 }
    expect((await running.post('placeorder', RESTING)).body['code']).toBe('risk_reduce_only')
    expect((await running.post('placeorder', { ...sell, quantity: 6 })).status).toBe(200)
    expect((await running.post('placeorder', { ...sell, quantity: 5 })).body['code']).toBe('risk_reduce_only')
    expect((await running.post('placeorder', { ...sell, quantity: 4 })).status).toBe(200)
    expect((await running.post('placegttorder', GTT)).body['code']).toBe('risk_reduce_only')
  })

  it('don’t hold up what closes a position, which counts as an order', async () => {
    const running = await fresh()
    await running.post('placeorder', { ...BUY, quantity: 10, pricetype: 'MARKET' })
    await running.set({ order_quantity: 1, orders_per_second: 1, daily_loss: 0.01 })
    await running.post('risk/set', { scope: 'account', state: 'reduce_only' }, running.admin)
    const closed = await running.post('closeposition', { strategy: 's' })
    expect(closed.body).toMatchObject({ closed_positions: 1, failures: [], orderids: [expect.any(String)] })
    const { body } = await running.post('risk', { strategy: 's' })
    expect(body['data']).toMatchObject({ use: { account: { orders_today: 2, orders_in_second: 1 } } })
    const killed = await running.post('killswitch', {})
    expect(killed.body['data']).toMatchObject({ accounts: [{ on_their_way: 0 }] })
  })

  it('the exchanges’ rules hold on paper when the setting asks', async () => {
    const running = await start({ PAPER_EXCHANGE_RULES: 'on' })
    const unbound = await running.post('placeorder', RESTING)
    expect([unbound.status, unbound.body]).toEqual([
      403,
      expect.objectContaining({ code: 'risk_address_unbound', message: expect.stringContaining('networks') }),
    ])
    expect(await running.orders()).toMatchObject([{ order_status: 'rejected' }])
    const bound = await running.app.keys.createKey(
      { account: 'default', name: 'bound', scopes: ['trade'], networks: '127.0.0.1' },
      OWNER,
    )
    const rulesFor = async (key?: string) => (await running.post('risk', {}, key)).body['data']
    expect(await rulesFor()).toMatchObject({ exchange_rules: { in_force: true, key_is_bound: false } })
    expect(await rulesFor(bound.text)).toMatchObject({ exchange_rules: { in_force: true, key_is_bound: true } })
    const place = (order: object) => running.post('placeorder', order, bound.text)
    expect((await place({ ...BUY, pricetype: 'MARKET' })).body['code']).toBe('risk_unprotected')
    expect(codesOf(await many(12, () => place(RESTING)))).toEqual({ ok: 10, risk_segment_orders_per_second: 2 })
    await running.set({ market_protection_percent: 50 })
    await running.post('risk/set', { scope: 'account', algo_registration: 'NSE-1' }, running.admin)
    expect(codesOf(await many(12, () => place({ ...BUY, pricetype: 'MARKET' })))).toEqual({ ok: 12 })
  })
})

it('what is measured is what the books say, whatever happens', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(STEP, { minLength: 5, maxLength: 40 }), async (steps) => {
      const running = await fresh()
      await running.set({ open_orders: 30, orders_per_day: 35, position_quantity: 1_000, gross_exposure: 1e9 })
      await running.set({ orders_per_day: 1_000 }, { scope: 'strategy', strategy: 's' })
      await Promise.all(steps.map((step) => takeStep(running, step)))
      running.clock.advance(1_000) // so that prices are looked at again
      const orders = await running.orders()
      const sent = orders.filter(({ rejection_reason: reason }) => !String(reason).startsWith('Risk:'))
      const own = sent.filter(({ strategy }) => strategy === 's')
      const ofWorking = (rows: typeof orders) => rows.filter(({ order_status: is }) => is === 'open').length
      const { body } = await running.post('risk', { strategy: 's' })
      const { use } = body['data'] as { use: Record<'account' | 'strategy', Record<string, number>> }
      expect(use.account).toMatchObject({ open_orders: ofWorking(orders), orders_today: sent.length })
      expect(use.strategy).toMatchObject({ open_orders: ofWorking(own), orders_today: own.length })
      // What was kept step by step is what reading all of it anew gives
      await running.set({ order_value: 1e9 })
      expect((await running.post('risk', { strategy: 's' })).body['data']).toMatchObject({ use })
    }),
    { numRuns: 10 },
  )
})

it('orders carry the algo id of their strategy', async () => {
  const running = await fresh()
  await running.post('risk/set', { scope: 'strategy', strategy: 's', algo_id: 'NSE-77' }, running.admin)
  const placed = await running.post('placeorder', RESTING)
  const other = await running.post('placeorder', { ...RESTING, strategy: 'other' })
  const venue = running.app.paper.venue('default')
  const ids = [placed, other].map(async ({ body }) => (await venue?.order(String(body['orderid'])))?.algoId)
  expect(await Promise.all(ids)).toEqual(['NSE-77', undefined])
})

describe('setting limits', () => {
  it('is for the scope admin, and takes known limits only', async () => {
    const running = await fresh()
    const wanted = { scope: 'account', limits: { order_value: 5 } }
    expect((await running.post('risk/set', wanted)).body['code']).toBe('scope_missing')
    const unknown = await running.post('risk/set', { scope: 'account', limits: { order_valu: 5 } }, running.admin)
    expect([unknown.status, unknown.body['message']]).toEqual([
      400,
      'limits.order_valu: Unknown field. There is no field "order_valu"; did you mean order_value?',
    ])
    const windows = { scope: 'account', limits: { trading_windows: ['15:30-09:15'] } }
    expect((await running.post('risk/set', windows, running.admin)).body['errors']).toEqual([
      {
        field: 'limits.trading_windows[0]',
        message: 'Must be two times as HH:MM-HH:MM, the earlier one first. Got "15:30-09:15".',
      },
    ])
  })

  it('refuses to overwrite what somebody else has changed', async () => {
    const running = await fresh()
    await running.set({ order_value: 5 })
    const version = running.app.limits.rule({ kind: 'account', account: 'default' })?.version ?? 0
    const stale = { scope: 'account', limits: { order_value: 6 }, version: version - 1 }
    expect(await running.post('risk/set', stale, running.admin)).toMatchObject({
      status: 409,
      body: { code: 'risk_changed' },
    })
    expect((await running.post('risk/set', { ...stale, version }, running.admin)).body['data']).toMatchObject({
      version: version + 1,
      limits: { order_value: 6 },
    })
  })

  it('leaves a row in the audit log', async () => {
    const running = await fresh()
    await running.set({ order_value: 5 })
    const answer = await running.app.http.inject({ url: '/api/v1/audit', headers: { 'x-api-key': running.admin } })
    expect(answer.payload).toContain('risk.set')
  })
})

describe('the kill switch', () => {
  it('cancels all that works and waits, and nothing passes until it is released', async () => {
    const running = await fresh()
    await many(5, () => running.post('placeorder', RESTING))
    await running.post('placeorder', { ...RESTING, pricetype: 'SL', price: 2000, trigger_price: 1990 })
    expect((await running.post('placegttorder', GTT)).status).toBe(200)
    await running.post('placeorder', { ...BUY, pricetype: 'MARKET', quantity: 3 })
    const [order] = await running.orders()
    const killed = await running.post('killswitch', {})
    expect(killed).toMatchObject({ status: 200, body: { message: 'Halted: 6 orders and 1 triggers cancelled' } })
    expect(await running.working()).toBe(0)
    const gtts = await running.post('gttorderbook', {})
    expect(JSON.stringify(gtts.body)).not.toContain('"active"')
    for (const [name, input] of [
      ['placeorder', RESTING],
      ['placesmartorder', { ...RESTING, position_size: 5 }],
      ['placegttorder', GTT],
      ['closeposition', { strategy: 's' }],
    ] as const)
      expect([name, (await running.post(name, input)).body['code']]).toEqual([name, 'risk_halted'])
    for (const [name, input] of [
      ['basketorder', { strategy: 's', orders: [LEG, LEG] }],
      ['splitorder', { ...RESTING, quantity: 5, splitsize: 2 }],
    ] as const)
      expect([name, JSON.stringify((await running.post(name, input)).body)]).toEqual([
        name,
        expect.stringContaining('is halted'),
      ])
    expect(await running.working()).toBe(0)
    expect(order).toBeDefined()
    expect((await running.post('killswitch/release', {})).body['code']).toBe('scope_missing')
    expect((await running.post('killswitch/release', {}, running.admin)).status).toBe(200)
    expect((await running.post('placeorder', RESTING)).status).toBe(200)
  })

  it('squares off when asked', async () => {
    const running = await fresh()
    await running.post('placeorder', { ...BUY, pricetype: 'MARKET', quantity: 3 })
    await running.post('placeorder', { ...BUY, symbol: 'IDEA', action: 'SELL', pricetype: 'MARKET', quantity: 3 })
    const killed = await running.post('killswitch', { square_off: true })
    expect(killed.body['message']).toBe('Halted: 0 orders and 0 triggers cancelled, 2 positions closed')
    const { body } = await running.post('positionbook', {})
    const positions = body['data'] as readonly { quantity: unknown }[]
    expect(positions.map(({ quantity }) => Number(quantity))).toEqual([0, 0])
  })

  it('of a strategy leaves the others alone', async () => {
    const running = await fresh()
    await running.post('placeorder', { ...BUY, pricetype: 'MARKET', quantity: 3 })
    await running.post('placeorder', { ...BUY, strategy: 'other', pricetype: 'MARKET', quantity: 2 })
    await running.post('placeorder', RESTING)
    await running.post('placeorder', { ...RESTING, strategy: 'other' })
    const killed = await running.post('killswitch', { scope: 'strategy', strategy: 's', square_off: true })
    expect(killed.body['message']).toBe('Halted: 1 orders and 0 triggers cancelled, 1 positions closed')
    expect(await running.working()).toBe(1)
    const { body } = await running.post('positionbook', {})
    expect((body['data'] as readonly { quantity: unknown }[]).map(({ quantity }) => Number(quantity))).toEqual([2])
    expect((await running.post('placeorder', RESTING)).body['code']).toBe('risk_halted')
    expect((await running.post('placeorder', { ...RESTING, strategy: 'other' })).status).toBe(200)
  })

  it('and closeposition cost, where trades are charged, what the table says of them, to the paisa', async () => {
    const running = await start({ PAPER_CHARGES: 'on' })
    const data = async (name: string) => (await running.post(name, {})).body['data']
    const doors = [
      ['closeposition', { strategy: 'x' }],
      ['killswitch', { square_off: true }],
      ['killswitch', { scope: 'strategy', strategy: 's', square_off: true }],
    ] as const
    for (const [index, [door, asked]] of doors.entries()) {
      for (const [order] of HELD)
        expect(await running.post('placeorder', { strategy: 's', ...order })).toMatchObject({ status: 200 })
      // What never trades costs nothing
      await running.post('placeorder', { ...RESTING, action: 'SELL', price: 2_000 })
      running.clock.advance(60_000)
      expect((await running.post(door, asked)).status).toBe(200)

      const costs = costsOf((await data('tradebook')) as readonly ChargedRow[])
      expect(costs).toHaveLength(2 * HELD.length * (index + 1))
      expect(costs.map(({ booked }) => booked)).toEqual(costs.map(({ told }) => told))
      expect(Math.min(...costs.map(({ told }) => told))).toBeGreaterThan(0)
      const profit = sum(costs.map(({ brought, told }) => brought - told))
      const funds = (await data('funds')) as Readonly<Record<string, string>>
      const shown = ['total_realized_pnl', 'today_realized_pnl', 'm2mrealized', 'totalpnl', 'utiliseddebits']
      expect(shown.map((name) => paise(funds[name]))).toEqual([profit, profit, profit, profit, 0])
      expect(paise(funds['availablecash'])).toBe(10_000_000_00 + profit)
      const positions = (await data('positionbook')) as readonly Readonly<Record<string, number>>[]
      expect(positions.map(({ quantity }) => Number(quantity))).toEqual(HELD.map(() => 0))
      expect(sum(positions.map((row) => paise(row['today_realized_pnl'])))).toBe(profit)
      const { strategies } = (await data('strategybook')) as { strategies: readonly { realized_pnl: number }[] }
      expect(sum(strategies.map(({ realized_pnl: own }) => paise(own)))).toBe(profit)
      for (const scope of [{}, { scope: 'strategy', strategy: 's' }])
        await running.post('killswitch/release', scope, running.admin)
    }
  })

  it('of a strategy closes what it has once, whoever closes the position at the same time', async () => {
    const running = await fresh()
    await running.post('placeorder', { ...BUY, pricetype: 'MARKET', quantity: 3 })
    const squareOff = { scope: 'strategy', strategy: 's', square_off: true }
    await Promise.all([
      running.post('closeposition', { strategy: 'x' }),
      running.post('killswitch', squareOff),
      running.post('killswitch', squareOff),
    ])
    const { body } = await running.post('positionbook', {})
    expect((body['data'] as readonly { quantity: unknown }[]).map(({ quantity }) => Number(quantity))).toEqual([0])
    expect(await running.orders()).toHaveLength(2)
  })

  it('leaves nothing of what was on its way', async () => {
    const running = await fresh()
    await running.set({ open_orders: 1_000 })
    const sent = many(40, () => running.post('placeorder', RESTING))
    const killed = running.post('killswitch', {})
    const more = many(40, () => running.post('placeorder', RESTING))
    const replies = await Promise.all([sent, more])
    expect((await killed).status).toBe(200)
    expect(await running.working()).toBe(0)
    expect(codesOf(replies.flat())['risk_halted']).toBeGreaterThan(0)
  })

  it('thrown without a server, halts the next start and cancels what worked', async () => {
    const folder = newFolder()
    const running = await Running.start(folder)
    await running.post('placeorder', RESTING)
    await running.close()
    const said: string[] = []
    const output = { print: (text: string) => said.push(text), printError: (text: string) => said.push(text) }
    expect(await runKillSwitchCommand(['on'], { dataDir: folder }, output)).toBe(0)
    expect(said.join('')).toBe('Halted. Sauda is not running: its next start cancels what works.\n')
    const again = await Running.start(folder)
    expect(await again.working()).toBe(1)
    again.app.start()
    await expect.poll(() => again.working()).toBe(0)
    expect((await again.post('placeorder', RESTING)).body['code']).toBe('risk_halted')
    await again.close()
    expect(await runKillSwitchCommand(['off'], { dataDir: folder }, output)).toBe(0)
    expect((await (await Running.start(folder)).post('placeorder', RESTING)).status).toBe(200)
  }, 60_000)

  it('works in semi-automatic mode and when the budget of orders is used up', async () => {
    const running = await start({ ORDER_RATE_LIMIT: '1 per second', API_RATE_LIMIT: '1 per second' })
    await running.post('placeorder', RESTING)
    expect((await running.post('placeorder', RESTING)).body['code']).toBe('rate_limited')
    await running.app.accounts.setOrderMode('default', 'semi_auto', OWNER)
    expect((await running.post('killswitch', {})).status).toBe(200)
  })

  it('is in force within 100 ms, with 500 orders to cancel', async () => {
    const running = await fresh()
    await many(500, () => running.post('placeorder', RESTING))
    const begun = performance.now()
    const killed = running.post('killswitch', {})
    const denied = await running.post('placeorder', RESTING)
    const tookMs = performance.now() - begun
    expect(denied.body['code']).toBe('risk_halted')
    expect((await killed).body['message']).toBe('Halted: 500 orders and 0 triggers cancelled')
    expect(tookMs).toBeLessThan(1_000) // 100 on a machine that has nothing else to do
  })

  it('is for one’s own account; the instance is for the scope admin', async () => {
    const running = await fresh()
    expect((await running.post('killswitch', { scope: 'instance' })).body['code']).toBe('scope_missing')
    expect((await running.post('killswitch', { account: 'acc_other' })).body['code']).toBe('account_not_found')
    expect((await running.post('killswitch', { scope: 'strategy' })).body['code']).toBe('validation_failed')
    expect((await running.post('killswitch', { scope: 'instance' }, running.admin)).status).toBe(200)
    expect((await running.post('placeorder', RESTING)).body['message']).toContain('this instance is halted')
  })
})

it('limits, counts of keys and halts outlast a restart; what can’t be read denies everything', async () => {
  const folder = newFolder()
  const running = await Running.start(folder)
  const [trading] = running.app.keys.list().filter(({ scopes }) => scopes.join() === 'trade')
  await running.set({ orders_per_day: 2 }, { scope: 'key', key_id: trading?.id })
  await running.set({ order_value: 500 })
  expect((await running.post('placeorder', RESTING)).status).toBe(200)
  const { trader } = running
  await running.post('killswitch', { scope: 'strategy', strategy: 'wild' })
  await running.close()

  const again = await Running.start(folder)
  expect((await again.post('placeorder', { ...RESTING, price: 501 }, trader)).body['code']).toBe('risk_order_value')
  expect((await again.post('placeorder', RESTING, trader)).status).toBe(200)
  expect((await again.post('placeorder', RESTING, trader)).body['code']).toBe('risk_orders_per_day')
  expect((await again.post('placeorder', RESTING)).status).toBe(200)
  expect((await again.post('placeorder', { ...RESTING, strategy: 'wild' })).body['code']).toBe('risk_halted')
  const { body } = await again.post('risk', { strategy: 'wild' })
  expect(body['data']).toMatchObject({ state: 'halted', state_source: 'strategy "wild"' })
  await again.close()

  const { money, close } = await openDatabases(folder)
  const { kysely, writer, compile } = money
  await writer.write([compile(kysely.updateTable('risk_rule').set({ limits: '{"order_value":"lots"}' }))])
  await close()
  const doubtful = await Running.start(folder)
  for (const [name, input] of [
    ['placeorder', RESTING],
    ['placegttorder', GTT],
    ['closeposition', { strategy: 's' }],
    ['risk', {}],
  ] as const) {
    const expected = name === 'closeposition' ? undefined : 'risk_unavailable' // there is nothing to close
    expect([name, (await doubtful.post(name, input)).body['code']]).toEqual([name, expected])
  }
  const set = { scope: 'account', limits: { order_value: 5 } }
  expect((await doubtful.post('risk/set', set, doubtful.admin)).body['code']).toBe('risk_unavailable')
  expect((await doubtful.post('killswitch', {})).status).toBe(200)
}, 60_000)
