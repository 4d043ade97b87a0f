import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import pino from 'pino'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type App, createApp } from './app.ts'
import { loadConfig } from './config.ts'
import { OWNER } from './identity/audit.ts'
import { ManualClock } from './kernel/clock.ts'
import { quantityOf } from './kernel/fixed.ts'
import { Writer } from './storage/writer.ts'

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
function forgetAnswer(name: string, work: object = {}): void {
  const database = new DatabaseSync(join(folder, 'money.db'))
  const forget = 'UPDATE idempotency SET status = NULL, answer = NULL, work = ? WHERE key = ?'
  database.prepare(forget).run(JSON.stringify(work), name)
  database.close()
}

const basket = (count: number) => ({
  strategy: 's',
  orders: Array.from({ length: count }, () => ({ exchange: 'NSE', symbol: 'ITC', action: 'BUY', quantity: 1 })),
})

describe('a request that is sent again', () => {
  test('is answered as the first time, also after a restart, and does nothing', async () => {
    const requests = [
      ['placeorder', ORDER],
      ['placesmartorder', { ...ORDER, position_size: 7 }],
      ['basketorder', basket(3)],
      ['splitorder', { ...ORDER, splitsize: 2 }],
      ['placegttorder', GTT()],
    ] as const
    const firsts: unknown[] = []
    for (const [operation, body] of requests) {
      const first = await post(operation, body, { 'idempotency-key': operation })
      expect([operation, first.status, first.replayed]).toEqual([operation, 200, undefined])
      const again = await post(operation, body, { 'idempotency-key': operation })
      expect([operation, again.status, again.replayed, again.json]).toEqual([operation, 200, 'true', first.json])
      firsts.push(first.json)
    }
    await app.close()
    await start()
    for (const [index, [operation, body]] of requests.entries()) {
      const named = await post(operation, { ...body, client_order_id: operation })
      expect([operation, named.replayed, named.json]).toEqual([operation, 'true', firsts[index]])
    }
    expect(await orders()).toHaveLength(1 + 1 + 3 + 3)
    expect((await post('gttorderbook', {})).json['data']).toHaveLength(1)
  })

  test('whose answer was lost in a crash finds its orders, and nobody is asked to approve them again', async () => {
    const body = { ...ORDER, splitsize: 2 }
    const first = await post('splitorder', body, { 'idempotency-key': 'lost' })
    await app.close()
    forgetAnswer('lost')
    await start()
    await app.accounts.setOrderMode('default', 'semi_auto', OWNER)
    const again = await post('splitorder', body, { 'idempotency-key': 'lost' })
    expect([again.status, again.json]).toEqual([200, first.json])
    expect(await orders()).toHaveLength(3)
    expect((await post('splitorder', body, { 'idempotency-key': 'lost' })).replayed).toBe('true')
  })

  test('to cancel everything is about the orders that worked then', async () => {
    const resting = { ...ORDER, pricetype: 'LIMIT', price: 700 }
    const { orderid } = (await post('placeorder', resting)).json
    const cancelAll = { strategy: 's', client_order_id: 'all' }
    expect((await post('cancelallorder', cancelAll)).json).toMatchObject({ canceled_orders: [orderid] })
    await app.close()
    forgetAnswer('all', { cancels: [orderid] })
    await start()
    const later = (await post('placeorder', resting)).json['orderid']
    const again = await post('cancelallorder', cancelAll)
    expect([again.replayed, again.json]).toMatchObject([
      undefined,
      { canceled_orders: [orderid], failed_cancellations: [] },
    ])
    expect(await orders()).toMatchObject([
      { orderid: later, order_status: 'open' },
      { orderid, order_status: 'cancelled' },
    ])
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

  test('is the answer of a rejected order too', async () => {
    const offTick = { ...ORDER, pricetype: 'LIMIT', price: 500.01, client_order_id: 'bad' }
    const first = await post('placeorder', offTick)
    expect(first).toMatchObject({ status: 400, json: { code: 'order_rejected' } })
    const again = await post('placeorder', offTick)
    expect([again.status, again.replayed, again.json]).toEqual([400, 'true', first.json])
    expect(await orders()).toMatchObject([{ order_status: 'rejected' }])
  })

  test('cancels and changes once', async () => {
    const resting = { ...ORDER, pricetype: 'LIMIT', price: 700 }
    const { orderid } = (await post('placeorder', resting)).json as { orderid: string }
    const cancel = { strategy: 's', orderid, client_order_id: 'c1' }
    const first = await post('cancelorder', cancel)
    expect(first.status).toBe(200)
    expect(await post('cancelorder', cancel)).toMatchObject({ status: 200, replayed: 'true', json: first.json })
    expect(await post('cancelorder', { ...cancel, client_order_id: 'c2' })).toMatchObject({
      status: 400,
      json: { code: 'order_not_open' },
    })
  })

  test('waits for approval once', async () => {
    await app.accounts.setOrderMode('default', 'semi_auto', OWNER)
    const named = { ...ORDER, client_order_id: 'waits' }
    const first = await post('placeorder', named)
    expect(first.json).toMatchObject({ mode: 'semi_auto', pending_order_id: 1 })
    expect(await post('placeorder', named)).toMatchObject({ status: 200, replayed: 'true', json: first.json })
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

describe('an answer', () => {
  /** Tables of every commit that concerns names, while that is asked. */
  async function commitsOf(ask: () => Promise<{ status: number; json: Record<string, unknown> }>) {
    const commits: string[][] = []
    const works: string[] = []
    const write = vi.spyOn(Writer.prototype, 'write').mockImplementation(function (this: Writer, statements) {
      const tables = statements.map(({ sql }) => /into "?(\w+)/.exec(sql)?.[1] ?? sql)
      if (tables.includes('idempotency')) commits.push(tables)
      for (const statement of statements)
        for (const value of 'parameters' in statement ? statement.parameters : [])
          if (typeof value === 'string' && value.startsWith(WORK)) works.push(value)
      return writing.call(this, statements)
    })
    const answer = await ask()
    write.mockRestore()
    return { ...answer, commits, works }
  }
  const writing = Writer.prototype.write
  const WORK = '{"plan":'
  const WITH_ORDER = [['journal', 'idempotency']]
  let names = 0

  /** Asks for it twice under one name: the answer, and what was committed for each. */
  async function twice(operation: string, body: object, status = 200) {
    const named = { strategy: 's', ...body, client_order_id: `name-${++names}` }
    const first = await commitsOf(() => post(operation, named))
    expect([operation, first.status, first.json]).toEqual([operation, status, first.json])
    const again = await commitsOf(() => post(operation, named))
    expect(again).toMatchObject({ status, replayed: 'true', json: first.json, commits: [] })
    return first
  }

  test('is one commit with the order, the change or the cancellation that it tells of', async () => {
    const resting = { ...ORDER, pricetype: 'LIMIT', price: 700 }
    const placed = await twice('placeorder', resting)
    const { orderid } = placed.json
    const change = { ...resting, orderid, quantity: 4, disclosed_quantity: 0, trigger_price: 0 }
    const gtt = await twice('placegttorder', GTT())
    const trigger = { trigger_id: gtt.json['trigger_id'] }
    const option = { offset: 'ATM', option_type: 'CE', action: 'BUY', quantity: 65, product: 'NRML' }
    const series = { underlying: 'NIFTY', exchange: 'NSE_INDEX', expiry_date: '01DEC26' }
    const legs = [option, { ...option, offset: 'OTM2', action: 'SELL' }]
    const done = [
      placed,
      gtt,
      await twice('modifyorder', change),
      await twice('cancelorder', { orderid }),
      await twice('modifygttorder', { ...GTT(), ...trigger, quantity: 2 }),
      await twice('cancelgttorder', trigger),
      await twice('placesmartorder', { ...ORDER, position_size: 7 }),
      await twice('basketorder', basket(3)),
      await twice('optionsorder', { ...series, ...option }),
      await twice('optionsmultiorder', { ...series, legs }),
      await twice('placeorder', { ...ORDER, pricetype: 'LIMIT', price: 500.01 }, 400),
    ]
    expect(done.map(({ commits }) => commits)).toEqual(done.map(() => WITH_ORDER))
  })

  test('that a limit denied keeps the limit’s code', async () => {
    await app.limits.set({ kind: 'account', account: 'default' }, { limits: { order_quantity: quantityOf(3) } }, OWNER)
    const denied = await twice('placeorder', ORDER, 400)
    expect(denied).toMatchObject({ json: { code: 'risk_order_quantity' }, commits: WITH_ORDER })
    expect(await twice('placegttorder', { ...GTT(), quantity: 5 }, 400)).toMatchObject({
      json: { code: 'risk_order_quantity' },
      commits: WITH_ORDER,
    })
  })

  test('of several orders that are sent one by one is with the last; the plan is on disk before the first', async () => {
    const { commits } = await twice('splitorder', { ...ORDER, splitsize: 2 })
    expect(commits).toEqual([['idempotency'], ['journal', 'idempotency']])
  })

  test('of what cancels, closes and halts follows what it tells of; a halt waits for no commit', async () => {
    await post('placeorder', { ...ORDER, pricetype: 'LIMIT', price: 700 })
    const cancelled = await twice('cancelallorder', {})
    await post('placeorder', ORDER)
    const closed = await twice('closeposition', {})
    const halted = await twice('killswitch', { scope: 'strategy' })
    expect([cancelled.commits, closed.commits, halted.commits]).toEqual([
      [['idempotency'], ['idempotency']],
      [['idempotency'], ['idempotency']],
      [['idempotency']],
    ])
  })

  test('is worded from the plan as it was, when it was lost in a crash', async () => {
    const option = { offset: 'ATM', option_type: 'CE', action: 'BUY', quantity: 195, splitsize: 65, product: 'NRML' }
    const none = { ...option, offset: 'OTM1', expiry_date: '02DEC26' }
    const series = { underlying: 'NIFTY', exchange: 'NSE_INDEX', expiry_date: '01DEC26', on_leg_failure: 'continue' }
    const request = { strategy: 's', ...series, legs: [none, option], client_order_id: 'legs' }
    const first = await commitsOf(() => post('optionsmultiorder', request))
    const [work = ''] = first.works
    expect(first).toMatchObject({ status: 200, json: { results: [{ status: 'error' }, { status: 'success' }] } })
    await app.close()
    forgetAnswer('legs', JSON.parse(work))
    clock.advance(3 * 3_600_000) // which moves the price that strikes are chosen by, and closes the exchange
    await start()
    expect(await post('optionsmultiorder', request)).toMatchObject({
      status: 200,
      replayed: undefined,
      json: first.json,
    })
    expect(await orders()).toHaveLength(3)
  })

  test('that tells of no order is a commit of its own', async () => {
    await twice('placesmartorder', { ...ORDER, position_size: 7 })
    const { commits } = await twice('placesmartorder', { ...ORDER, position_size: 7 })
    expect(commits).toEqual([['idempotency']])
    const gone = await twice('cancelorder', { orderid: '26112500000099' }, 404)
    expect(gone.commits).toEqual([['idempotency']])
  })

  test('that the order waits for approval is one commit with its place in the queue', async () => {
    await app.accounts.setOrderMode('default', 'semi_auto', OWNER)
    expect((await twice('placeorder', ORDER)).commits).toEqual([['approval', 'idempotency']])
    expect((await twice('basketorder', basket(3))).commits).toEqual([['approval', 'idempotency']])
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
