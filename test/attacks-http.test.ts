import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { raw, send } from './raw-http.ts'
import { ServerProcess } from './server-process.ts'

/** What somebody who may send any bytes tries, without being anybody. */

const UNLIMITED = '1000000 per second'
const CHUNK = 65_536

let server: ServerProcess
let slow: Record<keyof typeof SLOW, Promise<Ending>>

interface Ending {
  readonly answer: string
  readonly afterMs: number
}

const HEAD = 'POST /api/v1/ping HTTP/1.1\r\nHost: x\r\n'

/** Senders that would hold a connection for as long as they like, most with a byte a second. */
const SLOW = {
  nothing: '',
  'the first line': 'GET /',
  headers: HEAD,
  'a body of known length': `${HEAD}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"apikey":"`,
  'a body in chunks': `${HEAD}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
} as const

const DRIPS: Readonly<Record<keyof typeof SLOW, string>> = {
  nothing: '',
  'the first line': 'a',
  headers: 'X-Drip: 1\r\n',
  'a body of known length': 'x',
  'a body in chunks': '1\r\nx\r\n',
}

function drip(name: keyof typeof SLOW): Promise<Ending> {
  const begun = performance.now()
  const sent = raw(server.port, SLOW[name] + DRIPS[name], (socket: Socket) => {
    const timer = setInterval(() => socket.write(DRIPS[name]), 1_000)
    socket.once('close', () => clearInterval(timer))
  })
  return sent.then((answer) => ({ answer, afterMs: performance.now() - begun }))
}

beforeAll(async () => {
  server = await ServerProcess.start({ ADDRESS_RATE_LIMIT: UNLIMITED, API_RATE_LIMIT: UNLIMITED })
  // They are waited for by the last test of the file.
  slow = {
    nothing: drip('nothing'),
    'the first line': drip('the first line'),
    headers: drip('headers'),
    'a body of known length': drip('a body of known length'),
    'a body in chunks': drip('a body in chunks'),
  }
})

afterAll(async () => {
  await server.stop()
  expect(server.output).not.toMatch(/request failed|internal_error|"level":(?:50|60)/)
  await server.remove()
})

/** The server answers whoever behaves. */
async function expectAlive(): Promise<void> {
  const answer = await send(server.port, '/api/v1/ping', { json: { apikey: server.key } })
  expect(answer).toMatchObject({ status: 200, body: { status: 'success' } })
}

describe('bodies that are too large', () => {
  test('are refused by their declared length, before they are sent', async () => {
    const answer = await raw(
      server.port,
      `${HEAD}Connection: close\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n`,
    )
    expect(answer).toMatch(/^HTTP\/1\.1 413 .*"code":"body_too_large"/s)
  })

  test('are cut off in chunks: an endless one is not read on', async () => {
    let written = 0
    const chunk = `${CHUNK.toString(16)}\r\n${'x'.repeat(CHUNK)}\r\n`
    const head = `${HEAD}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`
    const sent = raw(server.port, head, (socket) => {
      const more = (): void => {
        do written += chunk.length
        while (socket.write(chunk))
      }
      socket.on('drain', more)
      more()
    })
    // Who still sends when the connection is closed may never see the answer
    await expect(sent.catch(String)).resolves.toMatch(/^HTTP\/1\.1 413 .*"code":"body_too_large"|EPIPE|ECONNRESET/s)
    expect(written).toBeLessThan(64 * 1024 * 1024)
    await expectAlive()
  })

  test('outside the API are refused as well', async () => {
    const answer = await send(server.port, '/setup', { text: 'x'.repeat(300 * 1024), method: 'POST' })
    expect([404, 405, 413, 415]).toContain(answer.status)
  })
})

describe('headers', () => {
  test.each([
    ['too short', 'short'],
    ['too long', 'x'.repeat(65)],
    ['with spaces', 'one two three'],
    ['with markup', '<script>alert(1)</script>'],
    ['with quotes that would end a log entry', '"},{"level":60,"msg":"forged'],
    ['with an escaped line break', 'desk-0001%0d%0aSet-Cookie:%20a=b'],
    ['with bytes beyond ASCII', 'd\u00e9sk-\u00e9\u00e9\u00e9\u00e9'],
    ['with a terminal escape', 'desk-0001\u009b31m'],
  ])('X-Request-Id %s is replaced, in the answer and in the log', async (_, odd) => {
    const answer = await send(server.port, '/api/v1/nowhere', { headers: { 'x-request-id': odd } })
    expect(answer.headers['x-request-id']).toMatch(/^req-[\w-]{24}$/)
    expect(answer.body.request_id).toBe(answer.headers['x-request-id'])
    expect(answer.text + JSON.stringify(answer.headers)).not.toContain(odd)
    expect(server.output).not.toContain(odd)
  })

  test('two of X-Request-Id make no third one of both', async () => {
    const answer = await send(server.port, '/api/v1/nowhere', {
      headers: { 'x-request-id': ['desk-00001', 'desk-00002'] },
    })
    expect(answer.headers['x-request-id']).toMatch(/^req-/)
  })

  test.each(['\r\nX-Forged: 1', '\nX-Forged: 1', '\rX-Forged: 1', '\0'])(
    'line breaks and nulls end the request, and nothing of them comes back: %j',
    async (end) => {
      for (const name of ['X-Request-Id', 'Origin', 'User-Agent', 'Accept', 'Cookie', 'X-API-KEY']) {
        const answer = await raw(
          server.port,
          `GET /api/v1/nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${name}: desk-0001${end}\r\n\r\n`,
        )
        expect(answer).toMatch(/^HTTP\/1\.1 40[04] /)
        expect(answer).not.toMatch(/^x-forged/im)
      }
    },
  )

  const ODDITIES = [
    '',
    '*',
    'null',
    ',,,;;;===',
    '\u00ff'.repeat(200),
    'x'.repeat(8_000),
    '$'.concat('{jndi:ldap://x}'),
    "'; DROP TABLE user --",
  ]

  test.each([
    'origin',
    'accept',
    'user-agent',
    'accept-encoding',
    'cookie',
    'traceparent',
    'authorization',
    'referer',
    'x-account',
    'if-none-match',
    'range',
    'expect',
  ])('%s of any content breaks nothing and is not sent back', async (name) => {
    for (const [index, value] of ODDITIES.entries()) {
      for (const path of ['/', '/nowhere', '/api/v1/', '/api/v1/ping', '/healthz']) {
        const answer = await send(server.port, path, { headers: { [name]: value } })
        expect([200, 303, 304, 400, 401, 404, 405, 406, 416, 417], `${path} ${name} ${index}`).toContain(answer.status)
        if (value.length > 7) expect(answer.text + JSON.stringify(answer.headers)).not.toContain(value)
      }
    }
  })

  test('a request that two servers would read differently is refused', async () => {
    const body = '0\r\n\r\nGET /api/v1/nowhere HTTP/1.1\r\nHost: x\r\n\r\n'
    for (const framing of [
      `Content-Length: ${body.length}\r\nTransfer-Encoding: chunked\r\n`,
      `Content-Length: 3\r\nContent-Length: ${body.length}\r\n`,
      'Transfer-Encoding: xchunked\r\n',
      'Transfer-Encoding : chunked\r\n',
      `Content-Length: +${body.length}\r\n`,
    ]) {
      const answer = await raw(server.port, `${HEAD}Content-Type: application/json\r\n${framing}\r\n${body}`)
      expect(answer).toMatch(/^HTTP\/1\.1 400 /)
      expect(answer.match(/^HTTP\/1\.1 /gm)).toHaveLength(1)
    }
    expect(await raw(server.port, 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /)
  })
})

describe('paths', () => {
  const UP = [
    '..',
    '%2e%2e',
    '%2E%2E',
    '..%2f',
    '%2e%2e%2f',
    '..\\',
    '..%5c',
    '..%252f',
    '..;',
    '....//',
    '%c0%ae%c0%ae',
  ]
  const FRONTS = ['/', '/api/v1/', '/api/v1/docs/', '/assets/']
  const FILES = ['etc/passwd', 'package.json', 'data/secret.key', 'data/money.db', 'server/src/config.ts', '.env']

  test('lead to no file but those that are meant to be read', async () => {
    for (const front of FRONTS) {
      for (const up of UP) {
        for (const file of FILES) {
          const path = `${front}${`${up}/`.repeat(6)}${file}`
          const answer = await send(server.port, path)
          expect([400, 404], path).toContain(answer.status)
          expect(answer.text).not.toMatch(/root:|"private": true|SQLite format|const SETTINGS/)
        }
      }
    }
  })

  test.each([
    '/api/v1/ping%00',
    '/api/v1/%00ping',
    '/api/v1/ping%0d%0aSet-Cookie:%20a=b',
    '/api/v1%2fping',
    '/api%2fv1%2fping',
    '/api/v1//ping',
    '/api/v1/./ping',
    '/api/v1/x/../ping',
    '/api/v1/ping/../../../',
    '/api/v1/ping;x=1',
    '/api/v1/ping#x',
    '/api/v1/ping\\',
    '/api/v1/%F0%9F%92',
    '/api/v1/ping%',
    '//evil.example/',
    '/\\evil.example/',
    '/%2f%2fevil.example',
    '/%5cevil.example',
    'http://evil.example/',
  ])('of an odd form lead nowhere, and to no other site: %s', async (path) => {
    const answer = await raw(server.port, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    expect(answer).toMatch(path === 'http://evil.example/' ? /^HTTP\/1\.1 303 / : /^HTTP\/1\.1 (?:40[0145]) /)
    expect(answer).not.toMatch(/^(?:location: (?!\/[a-z])|set-cookie:)/im)
    expect(answer).not.toContain('"status":"success"')
  })

  test('that hold a null byte, a space or a line break are no HTTP', async () => {
    for (const odd of ['\0', ' x ', '\n', '\r', '\t']) {
      const answer = await raw(server.port, `GET /api/v1/${odd}ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
      expect(answer).toMatch(/^HTTP\/1\.1 40[04] /)
    }
  })

  test('that are very long are refused, with a short answer', async () => {
    for (const [length, status] of [
      [1_000, 404],
      [10_000, 404],
      [100_000, 431],
    ] as const) {
      for (const front of ['/', '/api/v1/', '/api/v1/ping?x=', `/api/v1/${'%41'.repeat(100)}`, '/a/'.repeat(100)]) {
        const answer = await send(server.port, front + 'x'.repeat(length))
        if (front.includes('ping') && length < 100_000) expect([400, 401, 405]).toContain(answer.status)
        else expect([status, 414]).toContain(answer.status)
        expect(answer.text.length).toBeLessThan(4_000)
      }
    }
  })
})

describe('JSON', () => {
  const post = (text: string) =>
    send(server.port, '/api/v1/quotes', { text, headers: { 'content-type': 'application/json' } })
  const rest = '"symbol":"SBIN","exchange":"NSE"'

  test('names that every object has are unknown fields, and change nothing for anybody', async () => {
    for (const name of ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '\\u005f_proto__']) {
      for (const value of ['{"isAdmin":true,"scopes":["admin"],"apikey":"x"}', 'null', '"x"', '[]']) {
        const answer = await post(`{"apikey":"${server.key}",${rest},"${name}":${value}}`)
        expect({ name, value, code: answer.body.code }).toEqual({ name, value, code: 'validation_failed' })
      }
    }
    const polluted = await post(`{"__proto__":{"apikey":"${server.key}"},${rest}}`)
    expect(polluted.body.code).toBe('api_key_missing')
    const query = await send(
      server.port,
      `/api/v1/traffic?__proto__[apikey]=${server.key}&constructor.prototype.apikey=1`,
    )
    expect([400, 401]).toContain(query.status)
    expect(await post(`{${rest}}`)).toMatchObject({ status: 401, body: { code: 'api_key_missing' } })
    await expectAlive()
  })

  test.each([
    ['lists', '[', ']'],
    ['objects', '{"a":', '}'],
  ])('of %s in each other is refused from a depth on, quickly', async (_, open, close) => {
    for (const depth of [40, 10_000, 40_000]) {
      const inside = depth === 40 ? `1${close.repeat(depth)}` : ''
      const begun = performance.now()
      const whole = await post(`{"apikey":"${server.key}","symbol":${open.repeat(depth)}1${close.repeat(depth)}}`)
      const cut = await post(`{"apikey":"${server.key}","symbol":${open.repeat(depth)}${inside}`)
      expect([whole.body.code, cut.body.code]).toEqual(['malformed_json', 'malformed_json'])
      expect(performance.now() - begun).toBeLessThan(2_000)
    }
  })

  test.each([
    ['the same field', `{"apikey":"KEY",${rest},"symbol":"SBIN"}`],
    ['the same field, once spelt with an escape', `{"apikey":"KEY",${rest},"s\\u0079mbol":"TCS"}`],
    ['the key', `{"apikey":"KEY",${rest},"apikey":"KEY"}`],
    ['the key, once of somebody else', `{"apikey":"x",${rest},"apikey":"KEY"}`],
  ])('with %s twice is refused, since readers differ', async (_, text) => {
    const answer = await post(text.replaceAll('KEY', server.key))
    expect(answer).toMatchObject({ status: 400, body: { code: 'malformed_json' } })
    expect(answer.body.message).toContain('a field twice')
    expect(answer.text).not.toContain(server.key)
  })

  test('of many fields or numbers of many digits takes no time', async () => {
    const begun = performance.now()
    const many = Array.from({ length: 15_000 }, (_, index) => `"f${index}":1`).join(',')
    const answer = await post(`{"apikey":"${server.key}",${many}}`)
    expect(answer).toMatchObject({ status: 400, body: { code: 'validation_failed' } })
    expect(answer.text.length).toBeLessThan(100_000)
    const digits = await post(`{"apikey":"${server.key}",${rest},"quantity":1${'0'.repeat(200_000)}}`)
    expect(digits).toMatchObject({ status: 400 })
    expect(digits.text.length).toBeLessThan(4_000)
    expect(performance.now() - begun).toBeLessThan(5_000)
  })
})

test('bytes that are no HTTP at all never end the server', async () => {
  const oddities = [
    randomBytes(1_000),
    Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]),
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    '\r\n\r\nnonsense\r\n\r\n',
  ]
  for (const bytes of oddities) expect(await raw(server.port, bytes)).toMatch(/^HTTP\/1\.1 400 /)
  await expectAlive()
})

describe('a sender that takes its time', () => {
  test.each([
    ['nothing', 10_000],
    ['the first line', 10_000],
    ['headers', 10_000],
    ['a body of known length', 30_000],
    ['a body in chunks', 30_000],
  ] as const)('with %s is cut off after %i ms, and nobody else waits', async (name, limitMs) => {
    await expectAlive()
    const { answer, afterMs } = await slow[name]
    console.log(`${name}: cut off after ${Math.round(afterMs)} ms`)
    expect(answer).toMatch(/^HTTP\/1\.1 408 .*"code":"request_timeout"/s)
    expect(afterMs).toBeGreaterThan(limitMs - 1_000)
    expect(afterMs).toBeLessThan(limitMs + 8_000)
  })

  test('is in the traffic log, as one that was not answered', async () => {
    const headers = { 'x-api-key': server.key }
    const { body } = await send(server.port, '/api/v1/traffic?limit=1000', { headers })
    const rows = (body as unknown as { data: { duration_ms: number; path: string; status: number }[] }).data
    const cutOff = rows.filter(({ duration_ms: ms }) => ms > 20_000)
    expect(cutOff.map(({ path, status }) => [path, status])).toEqual([
      ['/api/v1/ping', 499],
      ['/api/v1/ping', 499],
    ])
  })
})
