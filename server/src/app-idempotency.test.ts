import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import pino from 'pino'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type App, createApp } from './app.ts'
import { loadConfig } from './config.ts'
import { OWNER } from './identity/audit.ts'
import { ManualClock } from './kernel/clock.ts'

/** Requests that their clients name, over the whole platform in process. */

const UNLIMITED = {
  ADDRESS_RATE_LIMIT: '1000000 per second',
  API_RATE_LIMIT: '1000000 per second',
  ORDER_RATE_LIMIT: '1000000 per second',
  SMART_ORDER_RATE_LIMIT: '1000000 per second',
}

let folder = ''
let clock: ManualClock
let app: App
let key = ''

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-once-'))
  clock = new ManualClock('2026-11-25T05:30:00Z')
  await start()
  key = (await app.keys.createFirstKey(OWNER))?.text ?? ''
})
afterEach(async () => {
  await app.close()
  rmSync(folder, { recursive: true })
})

async function start(): Promise<void> {
  app = await createApp(loadConfig({ DATA_DIR: folder, ...UNLIMITED }, folder), clock, pino({ level: 'silent' }))
}

async function post(operation: string, body: object, headers: Record<string, string> = {}) {
  const answer = await app.http.inject({
    method: 'POST',
    url: `/api/v1/${operation}`,
    payload: { apikey: key, ...body },
    headers,
  })
  const { request_id: _, ...json } = answer.json<Record<string, unknown>>()
  return { status: answer.statusCode, json, replayed: answer.headers['idempotent-replayed'], headers: answer.headers }
}

const ORDER = { strategy: 's', exchange: 'NSE', symbol: 'SBIN', action: 'BUY', quantity: 5, product: 'MIS' }
const orders = async (): Promise<{ orderid: string; order_status: string }[]> =>
  ((await post('orderbook', {})).json['data'] as { orders: { orderid: string; order_status: string }[] }).orders

/** What a crash leaves that comes after the orders are on disk and before their answer is. */
function forgetAnswer(name: string): void {
  const database = new DatabaseSync(join(folder, 'money.db'))
  database.prepare('UPDATE idempotency SET status = NULL, answer = NULL WHERE key = ?').run(name)
  database.close()
}

const basket = (count: number) => ({
  strategy: 's',
  orders: Array.from({ length: count }, () => ({ exchange: 'NSE', symbol: 'ITC', action: 'BUY', quantity: 1 })),
})

describe('a request that is sent again', () => {
  test.each([
    ['placeorder', ORDER, 1],
    ['placesmartorder', { ...ORDER, position_size: 7 }, 1],
    ['basketorder', basket(3), 3],
    ['splitorder', { ...ORDER, splitsize: 2 }, 3],
    ['placegttorder', GTT(), 0],
  ])('%s is answered as the first time, also after a restart, and does nothing', async (operation, body, count) => {
    const first = await post(operation, body, { 'idempotency-key': 'one' })
    expect([first.status, first.replayed]).toEqual([200, undefined])
    const again = await post(operation, body, { 'idempotency-key': 'one' })
    expect([again.status, again.replayed, again.json]).toEqual([200, 'true', first.json])
    await app.close()
    await start()
    const named = await post(operation, { ...body, client_order_id: 'one' })
    expect([named.replayed, named.json]).toEqual(['true', first.json])
    expect(await orders()).toHaveLength(count)
  })

  test.each([
    ['placeorder', ORDER, 1],
    ['placesmartorder', { ...ORDER, position_size: 7 }, 1],
    ['basketorder', basket(3), 3],
    ['splitorder', { ...ORDER, splitsize: 2 }, 3],
    ['placegttorder', GTT(), 0],
  ])('%s whose answer was lost in a crash finds its orders', async (operation, body, count) => {
    const first = await post(operation, body, { 'idempotency-key': 'lost' })
    await app.close()
    forgetAnswer('lost')
    await start()
    const again = await post(operation, body, { 'idempotency-key': 'lost' })
    expect([again.status, again.json]).toEqual([200, first.json])
    expect(await orders()).toHaveLength(count)
    expect((await post('gttorderbook', {})).json['data']).toHaveLength(operation === 'placegttorder' ? 1 : 0)
    expect((await post(operation, body, { 'idempotency-key': 'lost' })).replayed).toBe('true')
  })

  test('closeposition whose answer was lost in a crash tells the orders of both tries', async () => {
    const held = ['SBIN', 'ITC'] as const
    for (const symbol of held) await post('placeorder', { ...ORDER, symbol })
    const body = { strategy: 's', client_order_id: 'flat' }
    const first = await post('closeposition', body)
    expect(first).toMatchObject({ status: 200, json: { closed_positions: 2, failed_closures: 0 } })
    await app.close()
    forgetAnswer('flat')
    await start()
    await post('placeorder', { ...ORDER, symbol: 'IDEA', quantity: 3 }) // as if the crash had come before this one
    const again = await post('closeposition', body)
    expect(again).toMatchObject({ status: 200, json: { closed_positions: 3, failures: [] } })
    const ids = again.json['orderids'] as string[]
    expect(ids.slice(0, 2).toSorted()).toEqual((first.json['orderids'] as string[]).toSorted())
    expect([ids.length, new Set(ids).size]).toEqual([3, 3])
    expect(await post('closeposition', body)).toMatchObject({ replayed: 'true', json: again.json })
    expect(await orders()).toHaveLength(6)
    const { data } = (await post('positionbook', {})).json as { data: { quantity: number }[] }
    expect(data.map(({ quantity }) => quantity)).toEqual([0, 0, 0])
  })

  test('is the answer of a rejected order too, and finds it', async () => {
    const offTick = { ...ORDER, pricetype: 'LIMIT', price: 500.01, client_order_id: 'bad' }
    const first = await post('placeorder', offTick)
    expect(first).toMatchObject({ status: 400, json: { code: 'order_rejected' } })
    const again = await post('placeorder', offTick)
    expect([again.status, again.replayed, again.json]).toEqual([400, 'true', first.json])
    expect(await orders()).toMatchObject([{ order_status: 'rejected' }])
    await app.close()
    forgetAnswer('bad')
    await start()
    expect((await post('placeorder', offTick)).json).toMatchObject({
      code: 'order_rejected',
      orderid: first.json['orderid'],
    })
    expect(await orders()).toHaveLength(1)
  })

  test('cancels and changes once', async () => {
    const resting = { ...ORDER, pricetype: 'LIMIT', price: 700 }
    const { orderid } = (await post('placeorder', resting)).json as { orderid: string }
    const cancel = { strategy: 's', orderid, client_order_id: 'c1' }
    const first = await post('cancelorder', cancel)
    expect(first.status).toBe(200)
    expect(await post('cancelorder', cancel)).toMatchObject({ status: 200, replayed: 'true', json: first.json })
    await app.close()
    forgetAnswer('c1')
    await start()
    expect(await post('cancelorder', cancel)).toMatchObject({ status: 200, json: first.json })
    expect(await post('cancelorder', { ...cancel, client_order_id: 'c2' })).toMatchObject({
      status: 400,
      json: { code: 'order_not_open' },
    })
  })

  test('waits for approval once, also when its answer was lost in a crash', async () => {
    await app.accounts.setOrderMode('default', 'semi_auto', OWNER)
    const named = { ...ORDER, client_order_id: 'waits' }
    const first = await post('placeorder', named)
    expect(first.json).toMatchObject({ mode: 'semi_auto', pending_order_id: 1 })
    expect((await post('placeorder', named)).replayed).toBe('true')
    await app.close()
    forgetAnswer('waits')
    await start()
    expect(await post('placeorder', named)).toMatchObject({ status: 200, json: first.json })
    const { data } = (
      await app.http.inject({ method: 'GET', url: '/api/v1/approvals', headers: { 'x-api-key': key } })
    ).json<{ data: unknown[] }>()
    expect(data).toHaveLength(1)
    // It is carried out as placeorder's fields, of which the name is none
    expect(JSON.stringify(data)).not.toContain('client_order_id')
  })

  test('with another payload is refused, and so is one that is still being done', async () => {
    const name = { 'idempotency-key': 'k' }
    const [one, two, three] = await Promise.all([
      post('placeorder', ORDER, name),
      post('placeorder', ORDER, name),
      post('placeorder', { ...ORDER, quantity: 6 }, name),
    ])
    expect(one.status).toBe(200)
    expect(two).toMatchObject({ status: 409, json: { code: 'request_running' }, headers: { 'retry-after': '1' } })
    expect(three).toMatchObject({ status: 422, json: { code: 'idempotency_key_reused' } })
    expect(await post('placeorder', { ...ORDER, quantity: 6 }, name)).toMatchObject({ status: 422 })
    expect(await post('cancelallorder', { strategy: 's' }, name)).toMatchObject({ status: 422 })
    expect(await orders()).toHaveLength(1)
  })

  test('that validation refused is judged anew', async () => {
    const wrong = await post('placeorder', { ...ORDER, quantity: 0, client_order_id: 'v' })
    expect(wrong).toMatchObject({ status: 400, json: { code: 'validation_failed' } })
    const unknown = await post('placeorder', { ...ORDER, symbol: 'NOSUCH', client_order_id: 'v' })
    expect(unknown).toMatchObject({ status: 400, json: { code: 'symbol_not_found' } })
    expect(await post('placeorder', { ...ORDER, client_order_id: 'v' })).toMatchObject({ status: 200 })
  })
})

describe('a name', () => {
  test('is refused when it is empty, too long or of other characters', async () => {
    for (const name of ['', ' ', 'a b', 'é', 'x'.repeat(256)]) {
      const { status, json } = await post('placeorder', ORDER, { 'idempotency-key': name })
      expect([name, status, json['code']]).toEqual([name, 400, 'validation_failed'])
    }
    expect(await orders()).toEqual([])
  })

  test('that differs between header and body is refused, and so is the API key', async () => {
    const two = await post('placeorder', { ...ORDER, client_order_id: 'a' }, { 'idempotency-key': 'b' })
    expect(two).toMatchObject({ status: 400, json: { code: 'validation_failed' } })
    const secret = await post('placeorder', ORDER, { 'idempotency-key': key })
    expect(secret).toMatchObject({ status: 400, json: { code: 'validation_failed' } })
    expect(JSON.stringify(secret.json)).not.toContain(key)
    expect(await post('placeorder', { ...ORDER, client_order_id: 'a' }, { 'idempotency-key': 'a' })).toMatchObject({
      status: 200,
    })
  })

  test('finds its order', async () => {
    const { orderid } = (await post('placeorder', { ...ORDER, client_order_id: 'signal-42' })).json as {
      orderid: string
    }
    const found = await post('orderstatus', { strategy: 's', client_order_id: 'signal-42' })
    expect(found).toMatchObject({ status: 200, json: { data: { orderid } } })
    expect(await post('orderstatus', { strategy: 's', client_order_id: 'nobody' })).toMatchObject({
      status: 404,
      json: { code: 'order_not_found' },
    })
    expect(await post('orderstatus', { strategy: 's' })).toMatchObject({ status: 400 })
  })
})

function GTT() {
  const legs = { price: 9.5, triggerprice_sl: 9.55 }
  return {
    strategy: 's',
    trigger_type: 'SINGLE',
    exchange: 'NSE',
    symbol: 'IDEA',
    action: 'BUY',
    product: 'CNC',
    quantity: 1,
    ...legs,
  }
}
