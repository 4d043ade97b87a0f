import { type AddressInfo, connect } from 'node:net'
import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Refusal } from '../kernel/errors.ts'
import { quantity } from './number-fields.ts'
import { defineOperation } from './operation.ts'
import { ADMIN_KEY, READ_KEY, testServer } from './test-api.ts'
import { text } from './text-fields.ts'

const order = defineOperation({
  name: 'order',
  method: 'POST',
  tag: 'Orders',
  summary: 'x',
  description: 'x',
  access: 'trade',
  rateClass: 'order',
  input: { symbol: text({ min: 1, canonical: true }), quantity: quantity() },
  ignored: { target: 'has no effect' },
  refusals: ['symbol_not_found'],
  refusalStatus: { symbol_not_found: 404 },
  output: Type.Object({
    status: Type.Literal('success'),
    symbol: Type.String(),
    count: Type.Number(),
    missing: Type.Union([Type.Number(), Type.Null()]),
  }),
  example: { symbol: 'SBIN', quantity: 1 },
  async handle({ symbol, quantity: count }) {
    if (symbol === 'NONE') throw new Refusal('symbol_not_found', 'no NONE', { extra: { orderid: '1' } })
    if (symbol === 'BUSY') throw new Refusal('overloaded', 'try again')
    if (symbol === 'BUG') throw new Error('secret of the house')
    return { status: 'success' as const, symbol, count, missing: null }
  },
})

const good = { apikey: ADMIN_KEY, symbol: 'sbin ₹', quantity: '2' }
const json = (body: unknown): string => JSON.stringify(body)
const REQUESTS: [string, string, Record<string, string>][] = [
  ['a good request', json(good), {}],
  ['the key in a header', json({ symbol: 'A', quantity: 1 }), { authorization: `Bearer ${ADMIN_KEY}` }],
  ['a field that has no effect', json({ ...good, target: 1 }), {}],
  ['bad fields', json({ ...good, quantity: -1, symbl: 'x' }), {}],
  ['no key', json({ symbol: 'A', quantity: 1 }), {}],
  ['an unknown key', json({ ...good, apikey: 'sk_nobody' }), {}],
  ['two keys', json(good), { 'x-api-key': READ_KEY }],
  ['a key without the scope', json({ ...good, apikey: READ_KEY }), {}],
  ['the key in another field', json({ ...good, symbol: `x${ADMIN_KEY}` }), {}],
  ['a refusal with a status of its own and more fields', json({ ...good, symbol: 'none' }), {}],
  ['a refusal to be repeated later', json({ ...good, symbol: 'busy' }), {}],
  ['a bug', json({ ...good, symbol: 'bug' }), {}],
  ['an idempotency key', json(good), { 'idempotency-key': 'once' }],
  ['malformed JSON', '{"apikey":', {}],
  ['a list', '[]', {}],
  ['null', 'null', {}],
  ['bytes that are no UTF-8', '"\ud800"', {}],
]

let app: FastifyInstance
let address: string
let framework = 0
beforeAll(async () => {
  app = testServer([order])
  app.addHook('onRequest', (_request, _reply, done) => {
    framework += 1
    done()
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  address = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
})
afterAll(() => app.close())

describe('a request past the framework', () => {
  it.each(REQUESTS)('is answered like one through it: %s', async (_, body, more) => {
    const headers = { 'content-type': 'application/json', 'x-request-id': 'the-same-id', ...more }
    const injected = await app.inject({ method: 'POST', url: '/api/v1/order', payload: body, headers })
    const sent = await fetch(`${address}/api/v1/order`, { method: 'POST', body, headers })
    expect([sent.status, await sent.text()]).toEqual([injected.statusCode, injected.payload])
    for (const name of ['content-type', 'x-request-id', 'www-authenticate', 'retry-after', 'content-length']) {
      expect(sent.headers.get(name) ?? undefined, name).toBe(
        injected.headers[name] === undefined ? undefined : String(injected.headers[name]),
      )
    }
  })

  it('does not meet the framework, unlike every other request', async () => {
    const post = async (
      url: string,
      headers: Record<string, string>,
      body: string | ReadableStream = json(good),
    ): Promise<boolean> => {
      const before = framework
      const duplex = body instanceof ReadableStream ? { duplex: 'half' as const } : {}
      expect((await fetch(`${address}${url}`, { method: 'POST', body, headers, ...duplex })).status).toBe(200)
      return framework === before
    }
    const type = { 'content-type': 'application/json' }
    expect(await post('/api/v1/order', type)).toBe(true)
    expect(await post('/api/v1/order/', type)).toBe(false)
    expect(await post('/api/v1/order', { 'content-type': 'application/json; charset=utf-8' })).toBe(false)
    expect(await post('/api/v1/order', { 'content-type': 'text/plain' })).toBe(false)
    expect(await post('/api/v1/order', type, new Blob([json(good)]).stream())).toBe(false)
  })

  it('may break off in the middle of its body: the server goes on', async () => {
    const { port } = app.server.address() as AddressInfo
    await new Promise<void>((done) => {
      const socket = connect(port, '127.0.0.1', () => {
        const head =
          'POST /api/v1/order HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"a'
        socket.write(head, () => socket.resetAndDestroy())
      })
      socket.on('close', () => done())
    })
    const answer = await fetch(`${address}/api/v1/order`, {
      method: 'POST',
      body: json(good),
      headers: { 'content-type': 'application/json' },
    })
    expect(answer.status).toBe(200)
  })

  it('is refused by the framework when it is too large', async () => {
    const body = json({ ...good, symbol: 'x'.repeat(300_000) })
    const answer = await fetch(`${address}/api/v1/order`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    })
    expect(answer.status).toBe(413)
  })
})
