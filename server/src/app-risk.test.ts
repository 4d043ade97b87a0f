import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OWNER } from './identity/audit.ts'
import { openDatabases } from './storage/open.ts'
import { BUY, codesOf, fresh, GTT, LEG, many, newFolder, RESTING, Running, start } from './test-risk-app.ts'

/** Limits on the whole platform, over HTTP: they hold for every door. */

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
