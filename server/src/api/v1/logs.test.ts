import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../../kernel/clock.ts'
import { Steps } from '../../kernel/steps.ts'
import { AuditLog } from '../../monitor/audit-log.ts'
import { OrderLog } from '../../monitor/order-log.ts'
import { RequestRows } from '../../monitor/request-rows.ts'
import { TrafficLog } from '../../monitor/traffic-log.ts'
import { type Databases, openDatabases } from '../../storage/open.ts'
import { ADMIN_KEY, READ_KEY, TRADE_KEY, testApi } from '../test-api.ts'
import { audit, auditverify } from './audit.ts'
import { logsorders, logsordersexport } from './logs.ts'
import { traffic, trafficexport, trafficstats } from './traffic.ts'

const START = 1_790_000_000_000

let folder: string
let databases: Databases
let clock: ManualClock
let logs: { traffic: TrafficLog; orderLog: OrderLog; audit: AuditLog }
let app: FastifyInstance

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-logs-'))
  clock = new ManualClock(START)
  databases = await openDatabases(folder, clock)
  const onError = (error: unknown) => {
    throw error
  }
  logs = {
    traffic: await TrafficLog.open({
      telemetry: databases.telemetry,
      clock,
      requests: new RequestRows(clock),
      retention: { retentionMs: 1e9, rowsMax: 10_000 },
      onError,
    }),
    orderLog: new OrderLog({ record: databases.record, clock, retentionMs: 1e9, onError }),
    audit: await AuditLog.open(databases.record, clock, folder, onError),
  }
  app = await testApi([traffic, trafficstats, trafficexport, logsorders, logsordersexport, audit, auditverify], logs)
})
afterEach(async () => {
  await app.close()
  await Promise.all([logs.traffic.close(), logs.orderLog.close(), logs.audit.close()])
  await databases.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Body {
  readonly data: readonly Record<string, unknown>[] & Record<string, unknown>
  readonly next_cursor: string | null
  readonly code: string
}

async function get(path: string, key = ADMIN_KEY) {
  const answer = await app.inject({ method: 'GET', url: `/api/v1/${path}`, headers: { 'x-api-key': key } })
  const isJson = String(answer.headers['content-type']).startsWith('application/json')
  const body = (isJson ? answer.json() : {}) as Body
  return { status: answer.statusCode, headers: answer.headers, text: answer.payload, body }
}

function request(requestId: string, status = 200, path = '/api/v1/quotes'): void {
  logs.traffic.record({
    at: clock.now(),
    requestId,
    traceId: '',
    method: 'POST',
    route: 'quotes',
    path,
    status,
    code: '',
    bytesIn: 10,
    bytesOut: 100,
    durationMs: 2,
    address: '::1',
    userId: '',
    keyId: 'key_a',
    userAgent: '=cmd',
    steps: new Steps(() => 0),
  })
}

function order(orderId: string, account = 'default'): void {
  logs.orderLog.record({
    at: clock.now(),
    account,
    mode: 'analyze',
    operation: 'placeorder',
    strategy: 's',
    symbol: 'SBIN',
    exchange: 'NSE',
    orderId,
    requestId: `req-${orderId}`,
    keyId: 'key_a',
    status: 200,
    code: '',
    request: { quantity: 1 },
    answer: { status: 'success', orderid: orderId },
  })
}

describe('traffic', () => {
  it('is paged by a cursor until there is none', async () => {
    for (let index = 0; index < 5; index += 1) request(`req-${index}`, index === 2 ? 404 : 200)
    const first = await get('traffic?limit=3')
    expect(first.body.data.map((row) => row['request_id'])).toEqual(['req-4', 'req-3', 'req-2'])
    const second = await get(`traffic?limit=3&cursor=${first.body.next_cursor}`)
    expect(second.body.data.map((row) => row['request_id'])).toEqual(['req-1', 'req-0'])
    expect(second.body.next_cursor).toBeNull()
    const failed = await get('traffic?status=4xx')
    expect(failed.body.data.map((row) => row['request_id'])).toEqual(['req-2'])
  })

  it.each([
    'traffic?cursor=abc',
    'traffic?cursor=-1',
    'traffic?status=9xx',
    'traffic?from=yesterday',
    'traffic?limit=1001',
    'traffic/stats?since=noon',
  ])('refuses %s', async (path) => {
    expect(await get(path)).toMatchObject({ status: 400, body: { code: 'validation_failed' } })
  })

  it('has totals', async () => {
    request('req-1')
    request('req-2', 404)
    request('req-3', 500)
    const { body } = await get('traffic/stats?since=start')
    expect(body.data).toMatchObject({ requests: 3, errors: 2, client_errors: 1, server_errors: 1, dropped: 0 })
    expect(body.data['routes']).toMatchObject([
      { route: 'quotes', requests: 3, average_ms: 2, max_ms: 2, bytes_out: 300 },
    ])
  })

  it('is exported whole, row by row, safe for spreadsheets', async () => {
    for (let index = 0; index < 2_500; index += 1) request(`req-${index}`)
    const { status, headers, text } = await get('traffic/export')
    expect([status, headers['content-type'], headers['content-disposition']]).toEqual([
      200,
      'text/csv; charset=utf-8',
      'attachment; filename="traffic.csv"',
    ])
    const lines = text.trimEnd().split('\r\n')
    expect(lines.length).toBe(2_501)
    expect(lines[0]).toMatch(/^time,request_id,method/)
    expect(lines[1]).toBe(
      "2026-09-21T14:13:20.000Z,req-2499,POST,quotes,/api/v1/quotes,200,,10,100,2,::1,,key_a,'=cmd,",
    )
    expect(lines.at(-1)).toContain(',req-0,')
  })

  it.each(['traffic', 'traffic/stats', 'traffic/export', 'audit', 'audit/verify'])(
    'and %s are for admins only',
    async (path) => {
      for (const key of [READ_KEY, TRADE_KEY]) expect((await get(path, key)).status).toBe(403)
      expect((await get(path)).status).toBe(200)
    },
  )
})

describe('the log of orders', () => {
  it("shows the account's own rows only", async () => {
    order('1')
    order('2', 'other')
    order('3')
    const { body } = await get('logs/orders', READ_KEY)
    expect(body.data.map((row) => row['orderid'])).toEqual(['3', '1'])
    expect((await get('logs/orders?orderid=2', READ_KEY)).body.data).toEqual([])
    expect((await get('logs/orders?request_id=req-2', READ_KEY)).body.data).toEqual([])
    const csv = (await get('logs/orders/export', READ_KEY)).text
    expect(csv.trimEnd().split('\r\n').length).toBe(3)
    expect(csv).not.toContain('req-2')
  })

  it('shows requests and answers as they were', async () => {
    order('1')
    const { body } = await get('logs/orders?strategy=s&symbol=SBIN&status=2xx&mode=analyze', READ_KEY)
    expect(body.data).toMatchObject([
      { at: START, request: { quantity: 1 }, answer: { status: 'success', orderid: '1' }, operation: 'placeorder' },
    ])
    expect((await get('logs/orders/export')).text).toContain('"{""quantity"":1}"')
  })

  it('is exported whole when it is long', async () => {
    for (let index = 0; index < 1_234; index += 1) order(String(index))
    const lines = (await get('logs/orders/export')).text.trimEnd().split('\r\n')
    expect(lines.slice(1).map((line) => line.split(',')[6])).toEqual(
      Array.from({ length: 1_234 }, (_, index) => String(1_233 - index)),
    )
  })
})

describe('the audit log', () => {
  it('is paged and verified', async () => {
    for (const target of ['key_a', 'key_b', 'key_c'])
      logs.audit.record({
        actor: 'owner',
        action: 'key.created',
        target,
        address: '',
        requestId: '',
        detail: { target },
      })
    const first = await get('audit?limit=2&action=key')
    expect(first.body.data).toMatchObject([{ seq: 3, target: 'key_c', detail: { target: 'key_c' } }, { seq: 2 }])
    const second = await get(`audit?limit=2&cursor=${first.body.next_cursor}`)
    expect(second.body).toMatchObject({ data: [{ seq: 1 }], next_cursor: null })
    expect((await get('audit/verify')).body.data).toMatchObject({
      rows: 3,
      broken_at: null,
      head: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    await databases.record.writer.write([{ sql: "UPDATE audit SET actor = 'eve' WHERE seq = 2", parameters: [] }])
    expect((await get('audit/verify')).body.data).toMatchObject({ rows: 1, broken_at: 2 })
  })
})
