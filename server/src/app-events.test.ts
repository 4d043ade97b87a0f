import { mkdtempSync, rmSync } from 'node:fs'
import { type ClientRequest, get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { STREAM_LIFE_MS } from './api/v1/event-frames.ts'
import { type App, createApp } from './app.ts'
import { loadConfig } from './config.ts'
import { OWNER } from './identity/audit.ts'
import { ManualClock } from './kernel/clock.ts'

/** Events of orders over real connections, also across restarts. */

let folder: string
let app: App
let clock: ManualClock
let key: string
let address: string
const streams: Stream[] = []

const UNLIMITED = { API_RATE_LIMIT: '1000000 per second', ORDER_RATE_LIMIT: '1000000 per second' }

async function start(): Promise<void> {
  clock = new ManualClock(clock?.now() ?? '2026-11-25T11:00:00+05:30')
  app = await createApp(loadConfig({ DATA_DIR: folder, ...UNLIMITED }, folder), clock, pino({ level: 'silent' }))
  await app.http.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.http.server.address() as AddressInfo
  address = `http://127.0.0.1:${port}`
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-app-events-'))
  await start()
  key = await newKey()
})
afterEach(() => {
  for (const stream of streams.splice(0)) stream.leave()
})
afterAll(async () => {
  await app.close()
  rmSync(folder, { recursive: true })
})

const newKey = async (): Promise<string> =>
  (await app.keys.createKey({ account: 'default', name: 'test', scopes: ['read', 'trade'] }, OWNER)).text

interface Row {
  readonly id: string
  readonly seq: number
  readonly index: number
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

async function ask(name: string, body: object): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await fetch(`${address}/api/v1/${name}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': key },
    body: JSON.stringify(body),
  })
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}

const order = (more: object = {}) =>
  ask('placeorder', {
    strategy: 'one',
    exchange: 'NSE',
    symbol: 'SBIN',
    action: 'BUY',
    quantity: 1,
    pricetype: 'LIMIT',
    price: 500,
    product: 'MIS',
    ...more,
  })

const events = async (input: object): Promise<{ rows: Row[]; after: string }> => {
  const { body } = await ask('orderevents', input)
  return { rows: body['data'] as Row[], after: String(body['after']) }
}

/** The id to read on from what has happened until now. */
const here = async (): Promise<string> => (await events({})).after

/** Ids of the events of changes after a cursor. */
const idsAfter = (cursor: string, ...indexes: number[]): string[] =>
  indexes.flatMap((count, step) => Array.from({ length: count }, (_, index) => `${Number(cursor) + step + 1}.${index}`))

const ids = (rows: readonly Row[]): string[] => rows.map(({ id }) => id)

/** One connection of server-sent events, read as a client would. */
class Stream {
  readonly rows: Row[] = []
  readonly comments: string[] = []
  end: { readonly code: string } | undefined
  status = 0
  headers: IncomingMessage['headers'] = {}
  isOver = false
  response: IncomingMessage | undefined
  readonly #request: ClientRequest
  #text = ''

  constructor(query: string, headers: Record<string, string> = {}) {
    streams.push(this)
    this.#request = get(`${address}/api/v1/orderevents/stream${query}`, { headers: { 'x-api-key': key, ...headers } })
    this.#request.on('error', () => {
      this.isOver = true
    })
    this.#request.on('response', (response) => {
      this.response = response
      this.status = response.statusCode ?? 0
      this.headers = response.headers
      response.setEncoding('utf8')
      response.on('data', (text: string) => this.#read(text))
      response.on('close', () => {
        this.isOver = true
      })
    })
  }

  #read(text: string): void {
    this.#text += text
    const frames = this.#text.split('\n\n')
    this.#text = frames.pop() ?? ''
    for (const frame of frames) {
      const fields = frame.split('\n').map((line) => line.split(/: ?/, 1).concat(line.replace(/^[^:]*: ?/, '')))
      const field = (name: string) => fields.find(([found]) => found === name)?.[1]
      const data = field('data')
      if (data === undefined) this.comments.push(frame)
      else if (field('event') === 'end') this.end = JSON.parse(data) as { code: string }
      else {
        const row = JSON.parse(data) as Row
        expect(field('id')).toBe(row.id)
        this.rows.push(row)
      }
    }
  }

  leave(): void {
    this.#request.destroy()
  }
}

async function until(what: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2_000 && !what(); turn += 1) await new Promise((resolve) => setTimeout(resolve, 5))
  expect(what()).toBe(true)
}

describe('orderevents', () => {
  it('tells each change of an order, its trade, the position and the funds, with the keys of the books', async () => {
    const start = await here()
    await order({ pricetype: 'MARKET', price: 0, quantity: 3 })
    const { rows, after } = await events({ after: start })
    expect(rows.map(({ type }) => type)).toEqual(['trade', 'order', 'position', 'funds'])
    expect(ids(rows)).toEqual(idsAfter(start, 4))
    const book = (await ask('orderbook', {})).body['data'] as { orders: Record<string, unknown>[] }
    expect(rows[1]?.data).toEqual({ ...book.orders[0], root: book.orders[0]?.['orderid'] })
    expect(rows[0]?.data).toEqual(((await ask('tradebook', {})).body['data'] as unknown[])[0])
    const funds = (await ask('funds', {})).body['data'] as Record<string, unknown>
    expect(funds).toMatchObject(rows[3]?.data ?? {})
    expect(await events({ after })).toEqual({ rows: [], after: String(Number(start) + 1) })
  })

  it('waits for the first event, and answers as soon as it comes', async () => {
    const waiting = events({ wait_seconds: 30 })
    await new Promise((resolve) => setTimeout(resolve, 50))
    await order()
    const { rows } = await waiting
    expect(rows.map(({ type }) => type)).toEqual(['order', 'funds'])
  })

  it('waits no longer than it was asked to', async () => {
    const waiting = events({ wait_seconds: 2 })
    await new Promise((resolve) => setTimeout(resolve, 50))
    clock.advance(2_000)
    expect((await waiting).rows).toEqual([])
  })

  it('tells nothing that happens once its key is revoked', async () => {
    const kept = key
    key = await newKey()
    const waiting = events({ wait_seconds: 30 })
    await until(() => app.orderEvents.readerCount === 1)
    key = kept
    await app.keys.revoke(app.keys.list().at(-1)?.id ?? '', OWNER)
    await order()
    expect((await waiting).rows).toEqual([])
  })

  it('frees the place of a client that leaves', async () => {
    const leaving = new AbortController()
    const waiting = fetch(`${address}/api/v1/orderevents`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': key },
      body: JSON.stringify({ wait_seconds: 30 }),
      signal: leaving.signal,
    })
    await until(() => app.orderEvents.readerCount === 1)
    leaving.abort()
    await expect(waiting).rejects.toThrow()
    await until(() => app.orderEvents.readerCount === 0)
  })

  it('gives a page at a time', async () => {
    const start = await here()
    for (let count = 0; count < 3; count += 1) await order()
    const first = await events({ after: start, limit: 3 })
    const second = await events({ after: first.after, limit: 4 })
    expect([...ids(first.rows), '|', ...ids(second.rows)]).toEqual(idsAfter(start, 2, 2, 2).toSpliced(3, 0, '|'))
  })

  it.each([
    ['after: "x"', { after: 'x' }, 400, 'validation_failed'],
    ['after what there is', { after: 99999 }, 400, 'validation_failed'],
    ['more than 30 seconds', { wait_seconds: 31 }, 400, 'validation_failed'],
  ])('refuses %s', async (_, input, status, code) => {
    const answer = await ask('orderevents', input)
    expect([answer.status, answer.body['code']]).toEqual([status, code])
  })
})

describe('the stream', () => {
  it('sends what happens, as it happens', async () => {
    const after = await here()
    const stream = new Stream('')
    await until(() => stream.comments.length === 1)
    expect([stream.status, stream.headers['content-type'], stream.headers['cache-control']]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
      'no-store',
    ])
    await order()
    await until(() => stream.rows.length === 2)
    expect(stream.rows).toEqual((await events({ after })).rows)
  })

  it('loses and repeats nothing across lost connections and restarts', async () => {
    const seen: Row[] = []
    const before = await here()
    for (let round = 0; round < 4; round += 1) {
      const last = seen.at(-1)?.id
      const stream = new Stream(
        last === undefined ? `?after=${before}` : '',
        last === undefined ? {} : { 'last-event-id': last },
      )
      for (let count = 0; count < 5; count += 1) await order({ quantity: count + 1 })
      await until(() => stream.rows.length >= 6)
      stream.leave()
      await order()
      seen.push(...stream.rows)
      if (round % 2 === 0) continue
      await app.close()
      await start()
    }
    const all: Row[] = []
    for (let after = before; ; ) {
      const page = await events({ after, limit: 7 })
      if (page.rows.length === 0) break
      all.push(...page.rows)
      after = page.after
    }
    expect(ids(all)).toEqual(idsAfter(before, ...Array.from({ length: 24 }, () => 2)))
    expect(seen).toEqual(all.slice(0, seen.length))
  })

  it('shows that it lives, and ends when it is old', async () => {
    const stream = new Stream('')
    await until(() => stream.comments.length === 1)
    await new Promise((resolve) => setTimeout(resolve, 50))
    clock.advance(15_000)
    await until(() => stream.comments.length === 2)
    expect(stream.comments[1]).toBe(': alive')
    await new Promise((resolve) => setTimeout(resolve, 50))
    clock.advance(STREAM_LIFE_MS)
    await until(() => stream.isOver)
    expect(stream.end?.code).toBe('connect_again')
  })

  it('ends when its key is revoked', async () => {
    const kept = key
    key = await newKey()
    const stream = new Stream('')
    await until(() => stream.comments.length === 1)
    key = kept
    await app.keys.revoke(app.keys.list().at(-1)?.id ?? '', OWNER)
    await new Promise((resolve) => setTimeout(resolve, 50))
    clock.advance(15_000)
    await until(() => stream.isOver)
    expect(stream.end?.code).toBe('access_ended')
  })

  it('ends when the server stops, which doesn’t wait for it', async () => {
    const stream = new Stream('')
    await until(() => stream.comments.length === 1)
    await app.close()
    await until(() => stream.isOver)
    expect(stream.end?.code).toBe('shutting_down')
    await start()
  })

  it('frees its place when the client leaves', async () => {
    const stream = new Stream('')
    await until(() => app.orderEvents.readerCount === 1)
    stream.leave()
    await until(() => app.orderEvents.readerCount === 0)
  })

  it('refuses what isn’t kept any more with a status', async () => {
    const stream = new Stream('?after=99999')
    await until(() => stream.status !== 0)
    expect(stream.status).toBe(400)
    expect(app.orderEvents.readerCount).toBe(0)
  })
})
