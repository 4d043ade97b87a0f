import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { afterEach, describe, expect, test } from 'vitest'
import { Refusal } from '../../kernel/errors.ts'
import { defineOperation } from '../operation.ts'
import { READ_KEY, testServer } from '../test-api.ts'
import { type CorsSettings, isForeignOrigin, ownOrigins } from './cors.ts'

const GOOD = 'https://charts.example.com'
const BAD = 'https://evil.example.com'
const OFF: CorsSettings = { corsAllowedOrigins: [], corsAllowCredentials: 'off', corsMaxAgeSeconds: 600 }
const ON: CorsSettings = { ...OFF, corsAllowedOrigins: ['http://localhost:3000', GOOD] }

const ping = defineOperation({
  name: 'ping',
  method: 'POST',
  tag: 'Utilities',
  summary: 'Ping',
  description: 'Pings.',
  access: 'read',
  rateClass: 'read',
  input: {},
  output: Type.Object({ status: Type.Literal('success') }),
  example: {},
  handle: () => ({ status: 'success' as const }),
})

let app: FastifyInstance | undefined
afterEach(() => app?.close())

function serve(settings: CorsSettings, beforeBody: readonly (() => void)[] = []): FastifyInstance {
  app = testServer([ping], {}, { cors: settings, pipeline: { beforeBody } })
  app.get('/', (_request, reply) => reply.send('a page'))
  return app
}

const ofCors = (headers: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('access-control-')))

const preflight = (server: FastifyInstance, origin: string, url = '/api/v1/ping') =>
  server.inject({
    method: 'OPTIONS',
    url,
    headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-api-key' },
  })

const post = (server: FastifyInstance, headers: Record<string, string>) =>
  server.inject({ method: 'POST', url: '/api/v1/ping', headers, payload: { apikey: READ_KEY } })

describe('a preflight', () => {
  test('of a listed origin is told what it may do', async () => {
    const answer = await preflight(serve(ON), GOOD)
    expect([answer.statusCode, answer.payload]).toEqual([204, ''])
    expect(answer.headers['vary']).toBe('Origin')
    expect(ofCors(answer.headers)).toEqual({
      'access-control-allow-headers':
        'Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, Traceparent, X-Account, X-API-KEY, X-Request-Id',
      'access-control-allow-methods': 'GET, HEAD, POST',
      'access-control-allow-origin': GOOD,
      'access-control-expose-headers':
        'Content-Disposition, ETag, Idempotent-Replayed, RateLimit, RateLimit-Policy, Retry-After, Server-Timing, X-Request-Id',
      'access-control-max-age': '600',
    })
  })

  test('is remembered for as long as the setting says', async () => {
    const { headers } = await preflight(serve({ ...ON, corsMaxAgeSeconds: 0 }), GOOD)
    expect(headers['access-control-max-age']).toBe('0')
  })

  test.each([
    BAD,
    'null',
    `${GOOD}:444`,
    'http://charts.example.com',
    'https://x.charts.example.com',
    GOOD.toUpperCase(),
  ])('of the origin %s is told nothing', async (origin) => {
    const answer = await preflight(serve(ON), origin)
    expect(ofCors(answer.headers)).toEqual({})
    expect(answer.headers['vary']).toBe('Origin')
  })

  test('for a page is told nothing', async () => {
    expect(ofCors((await preflight(serve(ON), GOOD, '/')).headers)).toEqual({})
  })

  test('is told nothing when no origin is listed', async () => {
    expect(ofCors((await preflight(serve(OFF), GOOD)).headers)).toEqual({})
  })
})

describe('a request', () => {
  test('of a listed origin is answered for its page to read', async () => {
    const answer = await post(serve(ON), { origin: GOOD })
    expect(answer.json()).toEqual({ status: 'success' })
    expect(answer.headers['vary']).toBe('Origin')
    expect(ofCors(answer.headers)).toEqual({
      'access-control-allow-origin': GOOD,
      'access-control-expose-headers':
        'Content-Disposition, ETag, Idempotent-Replayed, RateLimit, RateLimit-Policy, Retry-After, Server-Timing, X-Request-Id',
    })
  })

  test('of any other origin is answered for nobody to read', async () => {
    const server = serve(ON)
    expect(ofCors((await post(server, { origin: BAD })).headers)).toEqual({})
    expect(ofCors((await post(server, {})).headers)).toEqual({})
    expect((await post(server, {})).headers['vary']).toBe('Origin')
  })

  test('for a page is answered without a header of CORS', async () => {
    const answer = await serve(ON).inject({ url: '/', headers: { origin: GOOD } })
    expect([answer.payload, ofCors(answer.headers)]).toEqual(['a page', {}])
  })

  test('gets no header of CORS when no origin is listed', async () => {
    const { headers } = await post(serve(OFF), { origin: GOOD })
    expect([ofCors(headers), headers['vary']]).toEqual([{}, undefined])
  })

  test.each(['ping', 'nowhere'])('that fails is answered for its page to read too: %s', async (name) => {
    const answer = await serve(ON).inject({ method: 'POST', url: `/api/v1/${name}`, headers: { origin: GOOD } })
    expect(answer.statusCode).toBeGreaterThanOrEqual(400)
    expect(answer.headers['access-control-allow-origin']).toBe(GOOD)
  })

  test('that is refused before its body is read is answered for its page to read too', async () => {
    const refuse = (): never => {
      throw new Refusal('rate_limited', 'Too many requests.')
    }
    const answer = await post(serve(ON, [refuse]), { origin: GOOD })
    expect(answer.statusCode).toBe(429)
    expect(answer.headers['access-control-allow-origin']).toBe(GOOD)
  })

  test.each(['/api/v1/ping', '/api/v1/nowhere', '/nowhere', '/'])(
    'that is refused before its body is read is refused wherever it goes: %s',
    async (url) => {
      const refuse = (): never => {
        throw new Refusal('rate_limited', 'Too many requests.')
      }
      for (const settings of [ON, OFF]) {
        const server = serve(settings, [refuse])
        for (const method of ['GET', 'POST', 'PUT', 'OPTIONS'] as const) {
          expect((await server.inject({ method, url, headers: { origin: BAD } })).statusCode, method).toBe(429)
        }
        await server.close()
      }
    },
  )

  test('that asks for the methods of a path, and is no preflight, is answered as without CORS', async () => {
    const answer = await serve(ON).inject({ method: 'OPTIONS', url: '/api/v1/ping', headers: { origin: GOOD } })
    expect([answer.statusCode, answer.headers['allow']]).toEqual([204, 'POST, OPTIONS'])
  })
})

test('credentials are allowed when the setting says so, to listed origins alone', async () => {
  const server = serve({ ...ON, corsAllowCredentials: 'on' })
  for (const [origin, allowed] of [
    [GOOD, 'true'],
    [BAD, undefined],
  ] as const) {
    expect((await preflight(server, origin)).headers['access-control-allow-credentials']).toBe(allowed)
    expect((await post(server, { origin })).headers['access-control-allow-credentials']).toBe(allowed)
  }
})

describe('a request bears cookies', () => {
  const PUBLIC = 'https://trade.example.com'
  const host = 'trade.example.com'
  const foreign = (headers: Record<string, string>, settings: Partial<CorsSettings> & { publicUrl?: string } = {}) =>
    isForeignOrigin(headers, ownOrigins({ publicUrl: '', ...ON, ...settings }))

  test.each<[string, Record<string, string>]>([
    ['no browser, which sends neither header', { host }],
    ['a page of ours', { host, origin: `http://${host}` }],
    ['a page of ours behind a proxy that ends TLS', { host, origin: `https://${host}` }],
    [
      'a page of ours, whatever a proxy makes of the host',
      { 'sec-fetch-site': 'same-origin', host: '10.0.0.1', origin: PUBLIC },
    ],
    ['a form of ours whose origin is withheld', { 'sec-fetch-site': 'same-origin', host, origin: 'null' }],
    ['an address that somebody typed', { 'sec-fetch-site': 'none', host }],
    [
      'a link elsewhere that somebody followed',
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', host },
    ],
  ])('of %s', (_, headers) => {
    expect(foreign(headers)).toBe(false)
  })

  test.each<[string, Record<string, string>]>([
    ['a page elsewhere', { 'sec-fetch-site': 'cross-site', host, origin: BAD }],
    ['a page elsewhere, in a browser that says no more', { host, origin: BAD }],
    ['a page of another port', { host: `${host}:5000`, origin: `http://${host}:3000` }],
    ['a page of a neighbour', { 'sec-fetch-site': 'same-site', host, origin: 'https://blog.example.com' }],
    ['a page without an origin', { host, origin: 'null' }],
    [
      'a picture elsewhere',
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image', host },
    ],
    [
      'a frame elsewhere',
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe', host },
    ],
    [
      'a form elsewhere',
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', host, origin: BAD },
    ],
    ['a listed origin without credentials', { 'sec-fetch-site': 'cross-site', host, origin: GOOD }],
    ['no host', { origin: `http://${undefined}` }],
  ])('not when it is of %s', (_, headers) => {
    expect(foreign(headers)).toBe(true)
  })

  test('of a listed origin when credentials are allowed', () => {
    const headers = { 'sec-fetch-site': 'cross-site', host, origin: GOOD }
    expect(foreign(headers, { corsAllowCredentials: 'on' })).toBe(false)
    expect(foreign({ ...headers, origin: BAD }, { corsAllowCredentials: 'on' })).toBe(true)
  })

  test('of the public address, scheme and all, or of the address that this machine was called by', () => {
    const from = (origin: string, called = host) => foreign({ host: called, origin }, { publicUrl: PUBLIC })
    expect([from(PUBLIC), from(PUBLIC, '127.0.0.1:5000'), from('http://127.0.0.1:5000', '127.0.0.1:5000')]).toEqual([
      false,
      false,
      false,
    ])
    expect([from(`http://${host}`), from('https://127.0.0.1:5000', '127.0.0.1:5000')]).toEqual([true, true])
  })
})
