import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../kernel/clock.ts'
import { type Databases, openDatabases } from '../storage/open.ts'
import type { FinishedRequest } from './finished-request.ts'
import { type OrderEvent, OrderLog, WAITING_LENGTH_MAX } from './order-log.ts'
import { RequestRows } from './request-rows.ts'
import { ROUTES_MAX } from './route-totals.ts'
import { finishedRequest } from './test-finished-request.ts'
import { TrafficLog } from './traffic-log.ts'

const START = 1_790_000_000_000
const AGE_MS = 600_000
const KEY = `sk_${'k'.repeat(43)}`

let folder: string
let databases: Databases
let clock: ManualClock
const errors: unknown[] = []
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-monitor-'))
  clock = new ManualClock(START)
  databases = await openDatabases(folder, clock)
  errors.length = 0
})
afterEach(async () => {
  await databases.close()
  rmSync(folder, { recursive: true, force: true })
})

const openTraffic = (retention = { retentionMs: 30 * AGE_MS, rowsMax: 1_000_000 }) =>
  TrafficLog.open({
    telemetry: databases.telemetry,
    clock,
    requests: new RequestRows(clock),
    retention,
    onError: (error) => errors.push(error),
  })

const finished = (more: Partial<FinishedRequest> = {}): FinishedRequest =>
  finishedRequest({
    at: clock.now(),
    requestId: 'req-1',
    route: 'quotes',
    path: '/api/v1/quotes',
    bytesIn: 10,
    bytesOut: 100,
    durationMs: 1.5,
    userId: '',
    keyId: 'key_a',
    userAgent: 'test',
    ...more,
  })

describe('the traffic log', () => {
  it('keeps a row for each request, newest first, and pages without gaps or repeats while rows come in', async () => {
    const traffic = await openTraffic()
    for (let index = 0; index < 25; index += 1) traffic.record(finished({ requestId: `req-${index}` }))
    const seen: string[] = []
    let below: number | undefined
    do {
      const page = await traffic.list({}, 10, below)
      seen.push(...page.rows.map(({ requestId }) => requestId))
      below = page.below
      traffic.record(finished({ requestId: 'later' }))
    } while (below !== undefined)
    expect(seen).toEqual(Array.from({ length: 25 }, (_, index) => `req-${24 - index}`))
    await traffic.close()
  })

  it.each([
    [{ route: 'placeorder' }, ['b']],
    [{ status: [400, 499] as const }, ['c']],
    [{ status: [200, 200] as const }, ['b', 'a']],
    [{ keyId: 'key_b' }, ['d']],
    [{ address: '203.0.113.9' }, ['d']],
    [{ requestId: 'a' }, ['a']],
    [{ traceId: 'f'.repeat(32) }, ['b']],
    [{ code: 'api_key_invalid' }, ['c']],
    [{ from: START + 2_000 }, ['d', 'c']],
    [{ until: START + 1_000 }, ['a']],
    [{ from: START + 1_000, until: START + 2_000 }, ['b']],
    [{ method: 'GET' }, ['b']],
    [{ userId: 'usr_a' }, ['b']],
    [{ route: 'quotes', keyId: 'key_b', status: [500, 599] as const }, ['d']],
    [{ route: "x' OR 1=1 --" }, []],
  ])('is filtered by %j', async (filter, expected) => {
    const traffic = await openTraffic()
    traffic.record(finished({ requestId: 'a' }))
    clock.advance(1_000)
    traffic.record(
      finished({ requestId: 'b', route: 'placeorder', method: 'GET', userId: 'usr_a', traceId: 'f'.repeat(32) }),
    )
    clock.advance(1_000)
    traffic.record(finished({ requestId: 'c', status: 403, code: 'api_key_invalid' }))
    traffic.record(finished({ requestId: 'd', status: 500, keyId: 'key_b', address: '203.0.113.9' }))
    const { rows } = await traffic.list(filter, 10)
    expect(rows.map(({ requestId }) => requestId)).toEqual(expected)
    await traffic.close()
  })

  it('has totals of each route that survive a restart, without counting rows', async () => {
    const traffic = await openTraffic()
    traffic.record(finished())
    traffic.record(finished({ status: 404, durationMs: 0.5 }))
    traffic.record(finished({ status: 499, durationMs: 30_000 }))
    traffic.record(finished({ route: 'placeorder' }))
    const quotes = {
      route: 'quotes',
      requests: 3,
      clientErrors: 1,
      serverErrors: 0,
      unanswered: 1,
      bytesIn: 30,
      bytesOut: 300,
      durationMs: 2,
      durationMsMax: 1.5,
    }
    expect(traffic.totals()[0]).toEqual(quotes)
    await traffic.close()
    await databases.telemetry.writer.write([{ sql: 'DELETE FROM traffic_pack', parameters: [] }])
    const again = await openTraffic()
    expect(again.totals()[0]).toEqual(quotes)
    await again.close()
  })

  it('tells what happened since the start apart from what ever happened', async () => {
    const traffic = await openTraffic()
    traffic.record(finished({ status: 500, durationMs: 9 }))
    await traffic.close()
    const again = await openTraffic()
    expect(again.totals('start')).toEqual([])
    again.record(finished({ status: 429, durationMs: 3 }))
    const [ever, start] = [again.totals('ever')[0], again.totals('start')[0]]
    expect(ever).toMatchObject({ requests: 2, clientErrors: 1, serverErrors: 1, durationMs: 12, durationMsMax: 9 })
    expect(start).toMatchObject({ requests: 1, clientErrors: 1, serverErrors: 0, durationMs: 3, durationMsMax: 3 })
    await again.close()
  })

  it('writes totals again that could not be written', async () => {
    const traffic = await openTraffic()
    const execute = (sql: string) => databases.telemetry.writer.write([{ sql, parameters: [] }])
    await execute("CREATE TRIGGER refuse BEFORE INSERT ON traffic_pack BEGIN SELECT RAISE(ABORT, 'no'); END")
    traffic.record(finished())
    await traffic.list({}, 1)
    await execute('DROP TRIGGER refuse')
    traffic.record(finished({ route: 'placeorder' }))
    await traffic.close()
    const again = await openTraffic()
    expect(again.totals().map(({ route }) => route)).toEqual(['quotes', 'placeorder'])
    expect(traffic.dropped).toBe(1)
    await again.close()
  })

  it('keeps no part of a key where it cuts a text off', async () => {
    const traffic = await openTraffic()
    for (const length of [480, 511, 230, 255])
      traffic.record(finished({ path: `/${'p'.repeat(length)}${KEY}`, userAgent: `${'u'.repeat(length)}${KEY}` }))
    const orders = openOrders()
    for (const length of [230, 255]) orders.record(ordered({ strategy: `${'s'.repeat(length)}${KEY}` }))
    const { rows } = await traffic.list({}, 10)
    const kept = JSON.stringify([rows, (await orders.list({}, 10)).rows])
    expect(rows).toHaveLength(4)
    expect(kept).not.toContain('sk_')
    expect(kept).not.toContain('kk')
    await traffic.close()
    await orders.close()
  })

  it('has no key, wherever a caller put one', async () => {
    const traffic = await openTraffic()
    traffic.record(finished({ path: `/api/v1/${KEY}`, userAgent: `bot ${KEY}`, requestId: KEY }))
    await traffic.list({}, 1)
    const packs = await databases.telemetry.kysely.selectFrom('traffic_pack').select('rows').execute()
    const [text] = packs.map(({ rows }) => zstdDecompressSync(rows).toString())
    expect(text).toContain('/api/v1/[scrubbed]')
    expect(text).not.toContain('kkkk')
    await traffic.close()
  })

  it('has a bounded number of routes', async () => {
    const traffic = await openTraffic()
    for (let index = 0; index < ROUTES_MAX + 50; index += 1) traffic.record(finished({ route: `route-${index}` }))
    expect(traffic.totals().length).toBe(ROUTES_MAX + 1)
    expect(traffic.totals()[0]).toMatchObject({ route: '', requests: 50 })
    await traffic.close()
  })

  it('drops the oldest of too many that wait, and counts them', async () => {
    const traffic = await openTraffic()
    for (let index = 0; index < 50_000; index += 1) traffic.record(finished({ requestId: `req-${index}` }))
    expect(traffic.waiting).toBeLessThanOrEqual(20_000)
    const { rows } = await traffic.list({}, 1)
    expect(rows[0]?.requestId).toBe('req-49999')
    let count = 0
    for await (const page of traffic.pages({})) count += page.length
    expect(traffic.dropped).toBeGreaterThan(0)
    expect(count + traffic.dropped).toBe(50_000)
    await traffic.close()
  })

  it('loses rows and counts them when the disk refuses, and says so', async () => {
    const traffic = await openTraffic()
    traffic.record(finished())
    await databases.telemetry.writer.close()
    await traffic.close()
    expect([traffic.dropped, errors.length]).toEqual([1, 1])
  })

  it('deletes what is too old and what is too much, while it runs', async () => {
    const traffic = await openTraffic({ retentionMs: AGE_MS, rowsMax: 10 })
    const ids = async () => (await traffic.list({}, 1_000)).rows.map(({ requestId }) => requestId)
    for (let index = 0; index < 25; index += 1) traffic.record(finished({ requestId: `req-${index}` }))
    await traffic.list({}, 1)
    clock.advance(10_000)
    await expect.poll(ids).toEqual(Array.from({ length: 10 }, (_, index) => `req-${24 - index}`))
    clock.advance(AGE_MS)
    traffic.record(finished({ requestId: 'young' }))
    await traffic.list({}, 1)
    clock.advance(10_000)
    await expect.poll(ids).toEqual(['young'])
    await traffic.close()
  })

  it('cuts what is too long', async () => {
    const traffic = await openTraffic()
    traffic.record(finished({ path: `/${'x'.repeat(5_000)}`, userAgent: 'y'.repeat(5_000) }))
    const [row] = (await traffic.list({}, 1)).rows
    expect([row?.path.length, row?.userAgent.length]).toEqual([512, 512])
    await traffic.close()
  })
})

function ordered(more: Partial<OrderEvent> = {}): OrderEvent {
  return {
    at: clock.now(),
    account: 'default',
    mode: 'analyze',
    operation: 'placeorder',
    strategy: 's',
    symbol: 'SBIN',
    exchange: 'NSE',
    orderId: '1',
    requestId: 'req-1',
    keyId: 'key_a',
    status: 200,
    code: '',
    request: { symbol: 'SBIN' },
    answer: { status: 'success' },
    ...more,
  }
}

const openOrders = () =>
  new OrderLog({ record: databases.record, clock, retentionMs: AGE_MS, onError: (error) => errors.push(error) })

describe('the order log', () => {
  it('is in order, on disk within a second, and searched by what it knows', async () => {
    const orders = openOrders()
    for (let index = 0; index < 5; index += 1)
      orders.record(
        ordered({ orderId: String(index), strategy: `s${index % 2}`, account: index === 4 ? 'other' : 'default' }),
      )
    clock.advance(250)
    await expect
      .poll(async () => (await databases.record.kysely.selectFrom('order_log').select('order_id').execute()).length)
      .toBe(5)
    const idsOf = async (filter: Parameters<OrderLog['list']>[0]) =>
      (await orders.list(filter, 10)).rows.map(({ orderId }) => orderId)
    expect(await idsOf({})).toEqual(['4', '3', '2', '1', '0'])
    expect(await idsOf({ account: 'default', strategy: 's0' })).toEqual(['2', '0'])
    expect(await idsOf({ orderId: '3' })).toEqual(['3'])
    expect(await idsOf({ symbol: 'TCS' })).toEqual([])
    await orders.close()
  })

  it('never has a secret, wherever it stood', async () => {
    const orders = openOrders()
    const request = { apikey: KEY, note: `x${KEY}y`, [KEY]: 1, legs: [{ apikey: KEY, name: [KEY] }] }
    orders.record(ordered({ request, answer: { message: `key ${KEY}`, data: { password: 'hunter2' } } }))
    const { rows } = await orders.list({}, 1)
    const text = JSON.stringify(await databases.record.kysely.selectFrom('order_log').selectAll().execute())
    expect(text).not.toContain('kkkk')
    expect(text).not.toContain('hunter2')
    expect(rows[0]?.request).toMatchObject({ apikey: '[scrubbed]', note: 'x[scrubbed]y' })
    await orders.close()
  })

  it('keeps keys out of the fields that it is searched by', async () => {
    const orders = openOrders()
    orders.record(ordered({ strategy: `x${KEY}`, symbol: KEY, exchange: KEY, orderId: KEY, requestId: `r-${KEY}` }))
    await orders.list({}, 1)
    expect(JSON.stringify(await databases.record.kysely.selectFrom('order_log').selectAll().execute())).not.toContain(
      'kkkk',
    )
    await orders.close()
  })

  it('shows why an operation was refused, but no code that was sent', async () => {
    const orders = openOrders()
    const answer = { status: 'error', message: 'm', code: 'insufficient_funds' }
    orders.record(ordered({ code: 'insufficient_funds', request: { code: '123456' }, answer }))
    const [row] = (await orders.list({ code: 'insufficient_funds' }, 1)).rows
    expect([row?.request, row?.answer]).toEqual([{ code: '[scrubbed]' }, answer])
    await orders.close()
  })

  it('takes an event as it was when it was recorded, and any answer', async () => {
    const orders = openOrders()
    const answer: Record<string, unknown> = { status: 'success' }
    orders.record(ordered({ answer }))
    answer['status'] = 'changed later'
    orders.record(ordered({ answer: { big: 1n } }))
    orders.record(ordered({ answer: undefined }))
    const { rows } = await orders.list({}, 3)
    expect(rows.map((row) => row.answer)).toEqual([
      null,
      { unreadable: expect.stringContaining('BigInt') },
      { status: 'success' },
    ])
    expect(errors.length).toBe(1)
    await orders.close()
  })

  it('holds a bounded amount of text while the disk hangs, and says aloud what it loses', async () => {
    const orders = openOrders()
    const answer = { data: 'x'.repeat(16_000) }
    const wanted = Math.ceil(WAITING_LENGTH_MAX / 16_000) + 500
    for (let index = 0; index < wanted; index += 1) orders.record(ordered({ orderId: String(index), answer }))
    expect(orders.waiting * 16_000).toBeLessThanOrEqual(WAITING_LENGTH_MAX)
    expect(orders.dropped).toBeGreaterThan(0)
    clock.advance(1_000)
    expect(errors).toMatchObject([{ name: 'RowsLost', count: orders.dropped }])
    clock.advance(1_000)
    expect(errors.length).toBe(1)
    await databases.record.writer.close()
    await orders.close()
  })

  it('says aloud what a disk that refuses costs, once a second', async () => {
    const orders = openOrders()
    await databases.record.writer.close()
    for (let index = 0; index < 2_000; index += 1) orders.record(ordered())
    await orders.list({}, 1)
    clock.advance(1_000)
    expect(errors).toMatchObject([{ name: 'RowsLost', count: 2_000, cause: expect.anything() }])
    expect(orders.dropped).toBe(2_000)
    await orders.close()
  })

  it('cuts a body that is too long, and says so', async () => {
    const orders = openOrders()
    orders.record(ordered({ answer: { data: 'x'.repeat(100_000) } }))
    const { rows } = await orders.list({}, 1)
    expect(rows[0]?.answer).toMatchObject({ cut: true })
    await orders.close()
  })

  it('deletes what is too old, while it runs', async () => {
    const orders = openOrders()
    orders.record(ordered())
    expect((await orders.list({}, 1)).rows.length).toBe(1)
    clock.advance(AGE_MS)
    await orders.list({}, 1)
    clock.advance(60_000)
    await expect.poll(async () => (await orders.list({}, 1)).rows).toEqual([])
    await orders.close()
  })
})
