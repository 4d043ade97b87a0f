import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { afterEach, describe, expect, test } from 'vitest'
import { type App, createApp } from './app.ts'
import { loadConfig } from './config.ts'
import { OWNER } from './identity/audit.ts'
import { ManualClock } from './kernel/clock.ts'

/** The whole platform in process, on a clock that stands where it is put. */

const log = pino({ level: 'silent' })
/** A clock that stands still never gives a budget back. */
const UNLIMITED = {
  ADDRESS_RATE_LIMIT: '1000000 per second',
  API_RATE_LIMIT: '1000000 per second',
  ORDER_RATE_LIMIT: '1000000 per second',
}
const running: { app: App; folder: string }[] = []
afterEach(async () => {
  for (const { app, folder } of running) {
    await app.close()
    rmSync(folder, { recursive: true })
  }
  running.length = 0
})

async function start(
  at: string,
  settings: Record<string, string> = {},
): Promise<{ app: App; key: string; clock: ManualClock }> {
  const folder = mkdtempSync(join(tmpdir(), 'sauda-app-'))
  const clock = new ManualClock(Temporal.Instant.from(at).epochMilliseconds)
  const config = loadConfig({ DATA_DIR: folder, ...UNLIMITED, ...settings }, folder)
  const app = await createApp(config, clock, log)
  running.push({ app, folder })
  const key = await app.keys.createFirstKey(OWNER)
  return { app, clock, key: key?.text ?? '' }
}

async function post(
  app: App,
  operation: string,
  body: object,
): Promise<{ status: number; body: Record<string, never> }> {
  const answer = await app.http.inject({ method: 'POST', url: `/api/v1/${operation}`, payload: body })
  return { status: answer.statusCode, body: answer.json() }
}

/** The order that the README shows with curl. */
function firstOrder(apikey: string): object {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const shown = /placeorder[^{]*(\{[^}]*\})/.exec(readme)?.[1] ?? ''
  return { ...JSON.parse(shown), apikey }
}

describe("the README's first order, an intraday one, fills", () => {
  test.each([
    ['on a Sunday at 03:00', '2026-11-22T03:00:00+05:30'],
    ['on a weekday at 15:16', '2026-11-25T15:16:00+05:30'],
    ['on a weekday at 23:59', '2026-11-25T23:59:00+05:30'],
    ['in the last second of a day', '2026-11-25T23:59:59.500+05:30'],
    ['in the first second of a day', '2026-11-26T00:00:00.500+05:30'],
    ['on a holiday', '2026-12-25T12:00:00+05:30'],
    ['on the leap day of another year', '2028-02-29T11:00:00+05:30'],
  ])('%s', async (_, at) => {
    const { app, key } = await start(at)
    const placed = await post(app, 'placeorder', firstOrder(key))
    expect(placed).toMatchObject({ status: 200, body: { status: 'success' } })
    const book = await post(app, 'orderbook', { apikey: key })
    expect(book.body).toMatchObject({ data: { orders: [{ order_status: 'complete', filled_quantity: 10 }] } })
  })
})

test("an intraday position is squared off at the day's very end, at its last price, and the next day starts flat", async () => {
  const { app, clock, key } = await start('2026-11-25T23:58:00+05:30')
  await post(app, 'placeorder', firstOrder(key))
  clock.moveTo(Temporal.Instant.from('2026-11-25T23:59:59.999+05:30').epochMilliseconds)
  const last = await post(app, 'quotes', { apikey: key, symbol: 'SBIN', exchange: 'NSE' })
  const opened = await post(app, 'positionbook', { apikey: key })
  expect(opened.body).toMatchObject({ data: [{ quantity: 10 }] })
  clock.advance(1)
  expect((await post(app, 'positionbook', { apikey: key })).body).toMatchObject({ data: [], total_pnl: 0 })
  const { bid } = (last.body as unknown as { data: { bid: number } }).data
  const { average_price: paid } = (opened.body as unknown as { data: [{ average_price: number }] }).data[0]
  const { data: funds } = (await post(app, 'funds', { apikey: key })).body as unknown as {
    data: Record<string, number>
  }
  expect(funds['utiliseddebits']).toBe(0)
  expect(funds['total_realized_pnl']).toBeCloseTo(10 * (bid - paid), 6)
})

test('with the exchange hours a Sunday is closed, and the refusal says when it opens', async () => {
  const { app, key } = await start('2026-11-22T11:00:00+05:30', { MARKET_HOURS: 'exchange' })
  const placed = await post(app, 'placeorder', firstOrder(key))
  expect(placed).toMatchObject({
    status: 400,
    body: { code: 'order_rejected', message: 'NSE is closed; it opens at 2026-11-23 09:15:00 IST' },
  })
})

test('of 1,000 orders by 10 clients at once none is lost, doubled or out of the books', async () => {
  const { app, key } = await start('2026-11-25T11:00:00+05:30')
  const symbols = ['SBIN', 'RELIANCE', 'ITC', 'INFY']
  const client = async (number: number): Promise<string[]> => {
    const ids: string[] = []
    for (let index = 0; index < 100; index += 1) {
      const side = (number + index) % 2 === 0 ? 'BUY' : 'SELL'
      const symbol = symbols[(number * 7 + index) % symbols.length]
      const order = {
        apikey: key,
        strategy: `c${number}`,
        exchange: 'NSE',
        symbol,
        action: side,
        quantity: 1 + (index % 5),
        product: 'MIS',
      }
      const { body } = await post(app, 'placeorder', order)
      ids.push((body as unknown as { orderid: string }).orderid)
    }
    return ids
  }
  const ids = (await Promise.all(Array.from({ length: 10 }, (_, number) => client(number)))).flat()
  expect(new Set(ids).size).toBe(1_000)
  const book = (await post(app, 'orderbook', { apikey: key })).body as unknown as {
    data: { orders: { orderid: string; filled_quantity: number }[] }
  }
  const trades = (await post(app, 'tradebook', { apikey: key })).body as unknown as {
    data: { orderid: string; quantity: number }[]
  }
  expect(new Set(book.data.orders.map((order) => order.orderid))).toEqual(new Set(ids))
  const traded = new Map<string, number>()
  for (const trade of trades.data) traded.set(trade.orderid, (traded.get(trade.orderid) ?? 0) + trade.quantity)
  for (const order of book.data.orders) expect(traded.get(order.orderid) ?? 0).toBe(order.filled_quantity)
  const { data } = (await post(app, 'funds', { apikey: key })).body as unknown as { data: Record<string, number> }
  expect(Math.round(((data['availablecash'] ?? 0) + (data['utiliseddebits'] ?? 0)) * 100)).toBe(
    Math.round((10_000_000 + (data['total_realized_pnl'] ?? 0)) * 100),
  )
})

test('every answer of the API tells what is left of a limit, also those that are given before anything is asked', async () => {
  const { app, key } = await start('2026-11-25T11:00:00+05:30', { CORS_ALLOWED_ORIGINS: 'https://desk.example' })
  const from = '203.0.113.9'
  await app.bans.ban(from, 'test', undefined, OWNER)
  const preflight = { origin: 'https://desk.example', 'access-control-request-method': 'POST' }
  const answers = await Promise.all([
    app.http.inject({ method: 'POST', url: '/api/v1/ping', payload: { apikey: key } }),
    app.http.inject({ method: 'POST', url: '/api/v1/ping', payload: { apikey: key }, remoteAddress: from }),
    app.http.inject({ method: 'OPTIONS', url: '/api/v1/ping', headers: preflight }),
    app.http.inject({ method: 'GET', url: '/api/v1/ping' }),
    app.http.inject({ method: 'GET', url: '/api/v1/nowhere' }),
    app.http.inject({ method: 'POST', url: '/api/v1/ping', payload: '{' }),
  ])
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 403, 204, 405, 404, 400])
  for (const { headers } of answers) {
    expect(headers['ratelimit-policy']).toMatch(/^"[a-z-]+";q=\d+;w=1$/)
    expect(headers['ratelimit']).toMatch(/^"[a-z-]+";r=\d+;t=\d+$/)
  }
})

test('what is only read says so to every other method: documentation, its files, those of pages, probes', async () => {
  const { app } = await start('2026-11-25T11:00:00+05:30')
  const docs = await app.http.inject({ method: 'GET', url: '/api/v1/' })
  const page = await app.http.inject({ method: 'GET', url: '/setup' })
  const files = [docs, page].flatMap(({ payload }) =>
    Array.from(payload.matchAll(/(?:src|href)="(\/(?:api|assets)\/[^"]+)"/g), ([, url = '']) => url),
  )
  expect(files.length).toBeGreaterThan(4)
  const paths = new Set(['/api/v1', '/api/v1/', '/api/v1/openapi.json', '/healthz', '/readyz', '/metrics', ...files])
  for (const url of paths) {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const) {
      const { statusCode, headers } = await app.http.inject({ method, url })
      expect([method, url, statusCode, headers['allow']]).toEqual([method, url, 405, 'GET, HEAD'])
    }
    expect((await app.http.inject({ method: 'HEAD', url })).statusCode, url).toBeLessThan(400)
  }
})
