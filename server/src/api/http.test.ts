import { pino } from 'pino'
import Type from 'typebox'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Refusal } from '../kernel/errors.ts'
import { errorPage, sendPage } from '../pages/index.ts'
import { choice, list, object, quantity, text } from './field.ts'
import { type Context, defineOperation } from './operation.ts'
import { READ_KEY, TRADE_KEY, testServer } from './test-api.ts'

interface WireBody {
  readonly code?: string
  readonly message?: string
  readonly request_id?: string
  readonly status?: string
  readonly errors?: unknown
  readonly warnings?: unknown
}

const contexts: Context[] = []
const inputs: unknown[] = []

const trade = defineOperation({
  name: 'trade',
  method: 'POST',
  tag: 'Orders',
  summary: 'Trade',
  description: 'Trades.',
  access: 'trade',
  rateClass: 'order',
  input: {
    symbol: text({ min: 1 }),
    action: choice(['BUY', 'SELL'], { lowerCase: true }),
    quantity: quantity(),
    legs: list(object({ symbol: text() }, { ignored: { target: 'Legs have no target.' } }), {
      min: 0,
      max: 9,
    }).optional([]),
  },
  ignored: { stoploss: 'Plain orders have no stop loss; place an SL order.' },
  output: Type.Object({
    zebra: Type.Number(),
    alpha: Type.Optional(Type.Array(Type.Object({ z: Type.String(), a: Type.String() }))),
    status: Type.Literal('success'),
  }),
  example: { symbol: 'SBIN', action: 'BUY', quantity: 1 },
  handle(input, context) {
    inputs.push(input)
    contexts.push(context)
    return { zebra: 1, alpha: [{ z: 'z', a: 'a' }], status: 'success' as const }
  },
})

const broken = defineOperation({
  name: 'broken',
  method: 'POST',
  tag: 'Utilities',
  summary: 'Break',
  description: 'Breaks.',
  access: 'read',
  rateClass: 'read',
  input: { how: choice(['throw', 'reject', 'rejected-order', 'unknown-symbol', 'overloaded']) },
  output: Type.Object({ status: Type.Literal('success') }),
  example: { how: 'throw' },
  refusalStatus: { symbol_not_found: 404 },
  handle({ how }) {
    if (how === 'throw') throw new Error('secret detail')
    if (how === 'unknown-symbol') throw new Refusal('symbol_not_found', 'Symbol X not found')
    if (how === 'overloaded') throw new Refusal('overloaded', 'Too busy.')
    if (how === 'reject') return Promise.reject(new TypeError('secret detail'))
    const extra = { orderid: '26010100000001', mode: 'analyze' }
    return Promise.reject(new Refusal('order_rejected', 'Insufficient funds', { extra }))
  },
})

const item = defineOperation({
  name: 'item/:symbol',
  method: 'GET',
  tag: 'Symbols',
  summary: 'Item',
  description: 'An item.',
  access: 'read',
  rateClass: 'read',
  keyInQuery: true,
  input: { symbol: text({ canonical: true }), count: quantity().optional() },
  output: Type.Object({ symbol: Type.String(), count: Type.Number() }),
  example: { symbol: 'SBIN' },
  handle: ({ symbol, count }) => ({ symbol, count: count ?? 0 }),
})

const operations = [trade, broken, item] as const
const good = { symbol: 'SBIN', action: 'buy', quantity: '1' }

let app: ReturnType<typeof testServer>
const logLines: string[] = []
beforeAll(() => {
  app = testServer(
    operations,
    {},
    {
      logger: pino({}, { write: (line: string) => logLines.push(line) }),
      now: 42,
      showError: (reply, status, message, requestId) => sendPage(reply, errorPage(status, message, requestId)),
    },
  )
  app.get('/twice', (_request, reply) => {
    reply.send('once')
    reply.send('twice')
  })
})
afterAll(() => app.close())

async function send(
  body: unknown,
  headers: Record<string, string> = {},
  url = '/api/v1/trade',
  method: 'POST' | 'GET' | 'PUT' | 'HEAD' | 'OPTIONS' | 'DELETE' = 'POST',
) {
  const isRaw = typeof body === 'string' || Buffer.isBuffer(body) || body === undefined
  const payload = isRaw ? (body as string | Buffer | undefined) : JSON.stringify(body)
  const answer = await app.inject({
    method,
    url,
    headers: { ...(isRaw ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(payload === undefined ? {} : { payload }),
  })
  const isJson = String(answer.headers['content-type']).startsWith('application/json') && answer.payload !== ''
  const json: WireBody = isJson ? answer.json<WireBody>() : {}
  return { status: answer.statusCode, headers: answer.headers, json, text: answer.payload }
}

const withKey = (body: object, key = TRADE_KEY) => ({ apikey: key, ...body })

describe('an answer', () => {
  it('has its keys in alphabetical order at every level', async () => {
    const { status, text: body } = await send(withKey(good))
    expect(status).toBe(200)
    expect(body).toBe('{"alpha":[{"a":"a","z":"z"}],"status":"success","zebra":1}')
  })

  it('warns about fields that were accepted and have no effect', async () => {
    const { json } = await send(withKey({ ...good, stoploss: 5, legs: [{ symbol: 'A', target: 1 }] }))
    expect(json.warnings).toEqual([
      { field: 'legs[0].target', message: 'Legs have no target.' },
      { field: 'stoploss', message: 'Plain orders have no stop loss; place an SL order.' },
    ])
  })

  it('carries the request id: the caller’s when it is harmless, else a new one', async () => {
    expect((await send(withKey(good), { 'x-request-id': 'my-id.0123' })).headers['x-request-id']).toBe('my-id.0123')
    for (const odd of ['short', 'has space in it', 'x'.repeat(65), 'a\tbcdefgh']) {
      const { headers } = await send(withKey(good), { 'x-request-id': odd })
      expect(headers['x-request-id']).toMatch(/^req-[A-Za-z0-9_-]{16}[0-9a-z]{8}$/)
    }
  })

  it('comes with and without a trailing slash', async () => {
    expect((await send(withKey(good), {}, '/api/v1/trade/')).status).toBe(200)
  })
})

describe('a handler', () => {
  it('gets the decoded input, never the key', async () => {
    await send(withKey(good))
    expect(inputs.at(-1)).toEqual({ symbol: 'SBIN', action: 'BUY', quantity: 1_000_000, legs: [] })
  })

  it('gets who asks and when', async () => {
    await send(withKey(good), { 'x-request-id': 'request-1' })
    const { caller, account, now, visit } = contexts.at(-1) ?? ({} as Context)
    expect([caller.keyId, account, now]).toEqual(['test', 'default', 42])
    expect([visit.id, visit.route, visit.path]).toEqual(['request-1', 'trade', '/api/v1/trade'])
  })

  it('of a GET gets path and query', async () => {
    const { status, json } = await send(undefined, {}, `/api/v1/item/sbin?count=5&apikey=${READ_KEY}`, 'GET')
    expect([status, json]).toEqual([200, { count: 5_000_000, symbol: 'SBIN' }])
    const twice = await send(undefined, {}, `/api/v1/item/sbin?count=5&count=6&apikey=${READ_KEY}`, 'GET')
    expect(twice.json.message).toBe('count: Not a valid number. Got a list of 2 items.')
  })
})

describe('the body', () => {
  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'APPLICATION/JSON',
    'application/vnd.api+json',
    'text/plain',
  ])('may be %s', async (type) => {
    expect((await send(JSON.stringify(withKey(good)), { 'content-type': type })).status).toBe(200)
  })

  it('may have no type', async () => {
    const { status } = await send(Buffer.from(JSON.stringify(withKey(good))))
    expect(status).toBe(200)
  })

  it.each([
    ['application/xml', 'Content-Type "application/xml" is not accepted; send application/json.'],
    [
      'application/x-www-form-urlencoded',
      'Content-Type "application/x-www-form-urlencoded" is not accepted; send application/json.',
    ],
    ['application/json; charset=iso-8859-1', 'Charset "iso-8859-1" is not accepted; send JSON in UTF-8.'],
    ['nonsense', 'The Content-Type header is not a media type; send application/json.'],
  ])('of type %s is 415', async (type, message) => {
    const { status, json } = await send('a=1', { 'content-type': type })
    expect([status, json.code, json.message]).toEqual([415, 'unsupported_media_type', message])
  })

  it('that is malformed is 400, tells where, and leaves the connection usable', async () => {
    const {
      status,
      json,
      text: body,
      headers,
    } = await send('{"apikey":"top secret",}', { 'content-type': 'application/json' })
    expect([status, json.code]).toEqual([400, 'malformed_json'])
    expect(json.message).toMatch(/line 1, column 24/)
    expect(body).not.toContain('secret')
    expect(headers.connection).not.toBe('close')
  })

  it.each(['[1]', 'null', '"text"', '5', 'true'])('%s is not an object', async (body) => {
    const { status, json } = await send(body, { 'content-type': 'application/json' })
    expect([status, json.code]).toEqual([400, 'not_an_object'])
  })

  it('empty is 400, with and without a type', async () => {
    for (const headers of [{}, { 'content-type': 'application/json' }]) {
      const { status, json } = await send(undefined, headers as Record<string, string>)
      expect([status, json.code]).toEqual([400, 'malformed_json'])
    }
  })

  it('too large is 413 and tells the limit', async () => {
    const { status, json } = await send(withKey({ ...good, symbol: 'x'.repeat(262_144) }))
    expect([status, json.code]).toEqual([413, 'body_too_large'])
    expect(json.message).toContain('262144 bytes')
  })
})

describe('wrong fields', () => {
  it('are all told, with one sentence for people', async () => {
    const { status, json } = await send(withKey({ quantity: -5, action: 'BUYY', symbl: 'SBIN', legs: [{}] }))
    expect(status).toBe(400)
    expect(json).toEqual({
      code: 'validation_failed',
      errors: [
        { field: 'symbol', message: 'Missing data for required field.' },
        { field: 'action', message: 'Must be one of: BUY, SELL, buy, sell. Got "BUYY"; did you mean BUY?' },
        { field: 'quantity', message: 'Quantity must be a positive number. Got -5.' },
        { field: 'legs[0].symbol', message: 'Missing data for required field.' },
        { field: 'symbl', message: 'Unknown field. There is no field "symbl"; did you mean symbol?' },
      ],
      message:
        'symbol: Missing data for required field. ' +
        'action: Must be one of: BUY, SELL, buy, sell. Got "BUYY"; did you mean BUY? ' +
        'quantity: Quantity must be a positive number. Got -5. (and 2 more)',
      request_id: json.request_id,
      status: 'error',
    })
  })
})

describe('a failure of a handler', () => {
  it.each(['throw', 'reject'])(
    'that is a bug (%s) is 500, logged, and tells nothing but the request id',
    async (how) => {
      logLines.length = 0
      const headers = { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` }
      const { status, json, text: body } = await send(withKey({ how }), headers, '/api/v1/broken')
      expect([status, json.code, json.status]).toEqual([500, 'internal_error', 'error'])
      expect(body).not.toContain('secret')
      const log = logLines.join('')
      expect(log).toContain('secret detail')
      expect(JSON.parse(log)).toMatchObject({ requestId: json.request_id, traceId: 'a'.repeat(32) })
      expect(log).not.toContain(TRADE_KEY)
    },
  )

  it('that the framework finds is logged with the request id and that of its trace too', async () => {
    logLines.length = 0
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
    const headers = { 'x-request-id': 'answered-twice', traceparent: `00-${traceId}-00f067aa0ba902b7-01` }
    await send(undefined, headers, '/twice', 'GET')
    expect(logLines.map((line) => JSON.parse(line))).toMatchObject([
      { level: 40, requestId: 'answered-twice', traceId, err: { code: 'FST_ERR_REP_ALREADY_SENT' } },
    ])
  })

  it('that is a refusal keeps its extra fields', async () => {
    logLines.length = 0
    const { status, json } = await send(withKey({ how: 'rejected-order' }), {}, '/api/v1/broken')
    expect(status).toBe(400)
    expect(json).toEqual({
      code: 'order_rejected',
      message: 'Insufficient funds',
      mode: 'analyze',
      orderid: '26010100000001',
      request_id: json.request_id,
      status: 'error',
    })
    expect(Object.keys(json)).toEqual(Object.keys(json).sort())
    expect(logLines).toEqual([])
  })

  it('has the status that its operation chose', async () => {
    expect((await send(withKey({ how: 'unknown-symbol' }), {}, '/api/v1/broken')).status).toBe(404)
  })

  it('that will pass says when to try again', async () => {
    const { status, headers } = await send(withKey({ how: 'overloaded' }), {}, '/api/v1/broken')
    expect([status, headers['retry-after']]).toEqual([503, '1'])
  })
})

describe('paths and methods', () => {
  it.each(['GET', 'PUT', 'DELETE', 'HEAD'] as const)('%s on an operation of POST is 405 with Allow', async (method) => {
    const { status, headers, json } = await send(
      '<x/>',
      { 'content-type': 'application/xml' },
      '/api/v1/trade/',
      method,
    )
    expect([status, headers.allow]).toEqual([405, 'POST, OPTIONS'])
    if (method !== 'HEAD') expect(json.message).toBe(`${method} is not allowed for /api/v1/trade; use POST.`)
  })

  it('OPTIONS tells what is allowed', async () => {
    const { status, headers } = await send(undefined, {}, '/api/v1/item/x', 'OPTIONS')
    expect([status, headers.allow]).toEqual([204, 'GET, HEAD, OPTIONS'])
  })

  it.each(['GET', 'POST', 'PUT'] as const)('%s of an unknown path below /api is 404 in JSON', async (method) => {
    const { status, json, headers } = await send('<x/>', { 'content-type': 'application/xml' }, '/api/v1/nope', method)
    expect([status, json.code, json.status]).toEqual([404, 'not_found', 'error'])
    expect(headers['x-request-id']).toBe(json.request_id)
  })

  it('elsewhere answers with a page, harmless whatever the path says', async () => {
    const { status, headers, text: body } = await send(undefined, {}, '/<script>alert(1)</script>', 'GET')
    expect([status, headers['content-type']]).toEqual([404, 'text/html; charset=utf-8'])
    expect(body).not.toContain('<script>')
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'/)
    expect(body).toContain(String(headers['x-request-id']))
  })

  it('a path that is not a URL path is 400', async () => {
    const { status, json } = await send(undefined, {}, '/api/v1/%zz', 'GET')
    expect([status, json.code]).toEqual([400, 'malformed_request'])
  })
})
