import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Answer, type RequestOptions, request } from './api.ts'
import { ServerProcess } from './server-process.ts'

let server: ServerProcess

beforeAll(async () => {
  server = await ServerProcess.start()
})

afterAll(async () => {
  await server.stop()
  // Once, when it was shown; no request ever brought it into the log.
  expect(server.output.split(server.key).length - 1).toBe(1)
  await server.remove()
})

const REQUEST_ID = /^[A-Za-z0-9._-]{8,64}$/
const market = {
  strategy: 'answers',
  exchange: 'NSE',
  symbol: 'SBIN',
  action: 'BUY',
  quantity: 1,
  pricetype: 'MARKET',
  product: 'MIS',
}

/** Asks, and checks what every answer must be: it has a request id and never the key. */
async function ask(path: string, options: RequestOptions = {}): Promise<Answer> {
  const answer = await request(server.address + path, options)
  expect(answer.headers.get('x-request-id')).toMatch(REQUEST_ID)
  const told = answer.text + JSON.stringify([...answer.headers])
  expect(told).not.toContain(server.key)
  return answer
}

/** The one shape of every error of the API. */
function expectError(answer: Answer, status: number, code: string): string {
  expect({ status: answer.status, code: answer.body?.code }).toEqual({ status, code })
  expect(answer.headers.get('content-type')).toMatch(/^application\/json\b/)
  expect(answer.body).toMatchObject({
    status: 'error',
    message: expect.any(String),
    request_id: answer.headers.get('x-request-id'),
  })
  const keys = Object.keys(answer.body ?? {})
  expect(keys).toEqual([...keys].sort())
  return String(answer.body?.message)
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const withKey = (fields: object): object => ({ apikey: server.key, ...fields })

describe('paths and methods', () => {
  test('an unknown path under /api/ answers 404 in JSON, whatever the method', async () => {
    for (const method of ['POST', 'GET', 'PUT', 'DELETE', 'PATCH']) {
      const message = expectError(await ask('/api/v1/placeodrer', { method }), 404, 'not_found')
      expect(message).toContain('/api/v1/placeodrer')
    }
    expectError(await ask('/api/v2/funds'), 404, 'not_found')
    expectError(await ask('/api/', { method: 'GET' }), 404, 'not_found')
  })

  test('a known path with the wrong method answers 405 and says what is allowed', async () => {
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH']) {
      const answer = await ask('/api/v1/placeorder', { method })
      const message = expectError(answer, 405, 'method_not_allowed')
      expect(message).toContain(method)
      expect(answer.headers.get('allow')).toBe('POST, OPTIONS')
    }
    const head = await ask('/api/v1/placeorder', { method: 'HEAD' })
    expect([head.status, head.headers.get('allow'), head.text]).toEqual([405, 'POST, OPTIONS', ''])
  })

  test('a slash at the end changes nothing', async () => {
    expect((await ask('/api/v1/funds/', { body: withKey({}) })).status).toBe(200)
    expectError(await ask('/api/v1/funds/', { method: 'GET' }), 405, 'method_not_allowed')
  })

  test('outside /api/ errors are pages for people', async () => {
    for (const path of ['/nope', '/apix', '/robots.txt', '/%3Cscript%3Ealert(1)%3C/script%3E']) {
      const answer = await ask(path, { method: 'GET' })
      expect(answer.status).toBe(404)
      expect(answer.headers.get('content-type')).toMatch(/^text\/html\b/)
      expect(answer.text).toMatch(/^<!doctype html>/i)
      expect(answer.text).not.toMatch(/<script>|<script[^>]*alert/)
      expect(answer.text).toContain(answer.headers.get('x-request-id'))
    }
  })

  test('the start page and the documents are there', async () => {
    expect((await ask('/', { method: 'GET' })).status).toBe(200)
    expect((await ask('/api/v1/', { method: 'GET' })).status).toBe(200)
  })

  test("a caller's harmless request id is kept; any other is replaced", async () => {
    const kept = await ask('/api/v1/nope', { headers: { 'x-request-id': 'desk-0001.a' } })
    expect(kept.body?.request_id).toBe('desk-0001.a')
    for (const odd of ['short', 'x'.repeat(65), 'with space here', '{"a":1}xxxx']) {
      const replaced = await ask('/api/v1/nope', { headers: { 'x-request-id': odd } })
      expect(replaced.body?.request_id).not.toBe(odd)
    }
  })
})

describe('content types and bodies', () => {
  const sent = (type: string | undefined, text: string): Promise<Answer> =>
    ask('/api/v1/funds', { body: bytes(text), headers: type === undefined ? {} : { 'content-type': type } })

  test.each(['application/json', 'application/json; charset=utf-8', 'application/vnd.x+json', 'text/plain', undefined])(
    'content type %s is read as JSON',
    async (type) => {
      expect((await sent(type, JSON.stringify(withKey({})))).status).toBe(200)
    },
  )

  test.each([
    'application/xml',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'text/html',
    'application/octet-stream',
    'application/json; charset=utf-16',
    'nonsense',
  ])('content type %s is refused with 415', async (type) => {
    const message = expectError(await sent(type, JSON.stringify(withKey({}))), 415, 'unsupported_media_type')
    expect(message).toMatch(/JSON|json/)
  })

  test.each([
    ['{"apikey":"x",}', 'line 1, column 15'],
    ['{"apikey":\n"x" "y"}', 'line 2, column 5'],
    ['{"apikey":"x"', 'ends too early'],
    ["{'apikey':'x'}", 'line 1, column 2'],
    ['{"quantity":NaN}', 'line 1, column 13'],
    ['apikey=x', 'line 1, column 1'],
    ['', 'empty'],
    ['   ', 'ends too early'],
  ])('%j is refused as malformed JSON, saying where', async (text, where) => {
    expect(expectError(await sent('application/json', text), 400, 'malformed_json')).toContain(where)
  })

  test('bytes that are not UTF-8 are refused', async () => {
    const body = Uint8Array.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])
    expectError(await ask('/api/v1/funds', { body }), 400, 'malformed_json')
  })

  test.each([
    ['[]', 'a list'],
    ['[{"apikey":"x"}]', 'a list'],
    ['null', 'null'],
    ['"text"', 'a string'],
    ['1', 'a number'],
    ['true', 'a boolean'],
  ])('%s instead of an object is refused', async (text, kind) => {
    expect(expectError(await sent('application/json', text), 400, 'not_an_object')).toContain(kind)
  })

  test('a body above the limit answers 413 and names the limit, with a length or in chunks', async () => {
    const large = JSON.stringify(withKey({ strategy: 'x'.repeat(256 * 1024) }))
    expect(expectError(await sent('application/json', large), 413, 'body_too_large')).toContain('262144')
    const head =
      'POST /api/v1/funds HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n'
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`
    expect(await raw(head + chunk.repeat(5))).toMatch(/^HTTP\/1\.1 413 .*"code":"body_too_large"/s)
  })

  test('a key that stands in a malformed body, an unknown field or a path is not repeated', async () => {
    const { key } = server
    for (const body of [
      bytes(`{"apikey":"${key}" "${key}"}`),
      withKey({ [key]: key }),
      withKey({ strategy: key, symbol: key }),
    ]) {
      const answer = await ask('/api/v1/placeorder', { body })
      expect(answer.status).toBe(400)
    }
    expect((await ask('/api/v1/quotes', { body: withKey({ symbol: key, exchange: 'NSE' }) })).status).toBe(400)
    expect((await ask('/api/v1/quotes', { body: withKey({ symbol: 'SBIN', exchange: key }) })).status).toBe(400)
    for (const fields of [
      { strategy: '', orderid: key },
      { strategy: `my ${key}`, orderid: '1' },
    ]) {
      const answer = await ask('/api/v1/cancelorder', { body: withKey(fields) })
      expect(expectError(answer, 400, 'validation_failed')).toContain('Must not contain an API key.')
    }
    expect((await ask('/api/v1/placeorder', { body: withKey({ ...market, strategy: key }) })).status).toBe(400)
  })
})

describe('keys', () => {
  const funds = (options: RequestOptions): Promise<Answer> => ask('/api/v1/funds', { body: {}, ...options })

  test('the field, X-API-KEY and Authorization: Bearer all carry the key', async () => {
    const { key } = server
    expect((await funds({ body: { apikey: key } })).status).toBe(200)
    expect((await funds({ headers: { 'x-api-key': key } })).status).toBe(200)
    expect((await funds({ headers: { authorization: `Bearer ${key}` } })).status).toBe(200)
  })

  test('no key answers 401 and says where to put it', async () => {
    for (const body of [{}, { apikey: '' }, { apikey: null }]) {
      const answer = await funds({ body })
      expect(expectError(answer, 401, 'api_key_missing')).toContain('X-API-KEY')
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/)
    }
  })

  test('an unknown key answers 403 with the text that clients match on, and is not repeated', async () => {
    for (const wrong of ['wrong-key', `${server.key}x`, 'x'.repeat(10_000), "' OR 1=1 --"]) {
      const answer = await funds({ body: { apikey: wrong } })
      expect(expectError(answer, 403, 'api_key_invalid')).toBe('Invalid openalgo apikey')
      expect(answer.text).not.toContain(wrong)
    }
  })

  test('two different keys in one request are refused', async () => {
    const answer = await funds({ body: { apikey: server.key }, headers: { 'x-api-key': 'another' } })
    expectError(answer, 400, 'api_key_conflict')
  })

  test('a key that may only read reads, and places no order', async () => {
    const { key } = await server.createKey({ scopes: 'read' })
    expect((await ask('/api/v1/orderbook', { body: { apikey: key } })).status).toBe(200)
    const before = (await ask('/api/v1/orderbook', { body: withKey({}) })).text
    const attempts = {
      placeorder: market,
      cancelorder: { strategy: 's', orderid: '1' },
      cancelallorder: { strategy: 's' },
      closeposition: { strategy: 's' },
      'analyzer/toggle': { mode: true },
    }
    for (const [name, fields] of Object.entries(attempts)) {
      const message = expectError(
        await ask(`/api/v1/${name}`, { body: { apikey: key, ...fields } }),
        403,
        'scope_missing',
      )
      expect(message).toContain('read')
      expect(message).not.toContain(key)
    }
    expect((await ask('/api/v1/orderbook', { body: withKey({}) })).text).toBe(before)
  })

  test('a revoked key is refused at once by the running server', async () => {
    const { key, id } = await server.createKey({ name: 'leaving' })
    expect((await ask('/api/v1/funds', { body: { apikey: key } })).status).toBe(200)
    const revoked = await server.command(['key', 'revoke', id])
    expect([revoked.code, revoked.stdout]).toEqual([0, `Revoked ${id}.\n`])
    expectError(await ask('/api/v1/funds', { body: { apikey: key } }), 403, 'api_key_invalid')
  })
})

describe('fields', () => {
  const place = (fields: object): Promise<Answer> => ask('/api/v1/placeorder', { body: withKey(fields) })

  test('every wrong field is told, in one answer', async () => {
    const answer = await place({ ...market, quantity: '-5', exchange: 'NSX', pricetype: 'SLM', product: 7 })
    const message = expectError(answer, 400, 'validation_failed')
    const { errors = [] } = answer.body ?? {}
    expect(errors.map(({ field }) => field).sort()).toEqual(['exchange', 'pricetype', 'product', 'quantity'])
    expect(errors.find(({ field }) => field === 'quantity')?.message).toBe(
      'Quantity must be a positive number. Got "-5".',
    )
    expect(errors.find(({ field }) => field === 'exchange')?.message).toMatch(/^Must be one of: NSE, .*Got "NSX"/)
    expect(errors.find(({ field }) => field === 'pricetype')?.message).toContain('did you mean SL-M?')
    expect(message).toContain('"-5"')
  })

  test('a missing field is named', async () => {
    const { symbol: _, ...rest } = market
    const answer = await place(rest)
    expectError(answer, 400, 'validation_failed')
    expect(answer.body?.errors).toEqual([{ field: 'symbol', message: 'Missing data for required field.' }])
  })

  test('a misspelt field is refused with the name that was meant, and nothing is ordered', async () => {
    const { pricetype: _, ...rest } = market
    const before = (await ask('/api/v1/orderbook', { body: withKey({}) })).text
    const answer = await place({ ...rest, pricetyp: 'LIMIT', price: 100 })
    expect(expectError(answer, 400, 'validation_failed')).toMatch(/pricetyp.*did you mean pricetype\?/)
    expect(answer.body?.errors?.map(({ field }) => field)).toEqual(['pricetyp'])
    expect((await ask('/api/v1/orderbook', { body: withKey({}) })).text).toBe(before)
  })

  test('fields that clients send in vain are accepted with a warning each', async () => {
    const answer = await place({ ...market, target: '900', stoploss: 700, trailing_sl: 5 })
    expect(answer.status).toBe(200)
    expect(answer.body?.warnings?.map(({ field }) => field).sort()).toEqual(['stoploss', 'target', 'trailing_sl'])
  })

  test('names that JavaScript objects have by themselves are unknown fields like others', async () => {
    for (const name of ['__proto__', 'constructor', 'toString']) {
      const body = bytes(`{"apikey":"${server.key}","${name}":{"quantity":1},${JSON.stringify(market).slice(1)}`)
      const answer = await ask('/api/v1/placeorder', { body })
      expect(expectError(answer, 400, 'validation_failed')).toContain(name)
    }
  })
})

describe('requests that are not quite HTTP', () => {
  test('garbage answers 400 in JSON and the server lives on', async () => {
    expect(await raw('HELLO\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 .*X-Request-Id: \S+.*"status":"error"/is)
    expect(await raw('POST /api/v1/funds HTTP/1.1\r\nHost: x\r\nContent-Length: nope\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 400 /,
    )
    expect((await ask('/api/v1/funds', { body: withKey({}) })).status).toBe(200)
  })

  test('headers that are too large answer 431', async () => {
    const answer = await raw(`POST /api/v1/funds HTTP/1.1\r\nHost: x\r\nX-Large: ${'x'.repeat(64 * 1024)}\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1\.1 431 .*"code":"headers_too_large"/s)
  })

  test('a path that is not a URL answers an error', async () => {
    expect(await raw('GET /api/v1/%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 40[04] .*"status":"error"/s,
    )
  })

  test('requests sent ahead on one connection are answered in order', async () => {
    const one = (symbol: string, last: boolean): string => {
      const body = JSON.stringify(withKey({ symbol, exchange: 'NSE' }))
      return `POST /api/v1/symbol HTTP/1.1\r\nHost: x\r\n${last ? 'Connection: close\r\n' : ''}Content-Length: ${body.length}\r\n\r\n${body}`
    }
    const answer = await raw(one('SBIN', false) + one('RELIANCE', false) + one('TCS', true))
    expect(Array.from(answer.matchAll(/"symbol":"(\w+)"/g), ([, symbol]) => symbol)).toEqual([
      'SBIN',
      'RELIANCE',
      'TCS',
    ])
  })
})

const RAW_MS_MAX = 15_000

/** Sends bytes as they are and returns all that comes back until the server closes. */
function raw(text: string): Promise<string> {
  return new Promise((done, failed) => {
    let answer = ''
    const socket = connect(server.port, '127.0.0.1', () => socket.write(text))
    socket.setEncoding('utf8').setTimeout(RAW_MS_MAX, () => {
      socket.destroy(new Error(`The server kept the connection open for ${RAW_MS_MAX} ms. It had answered: ${answer}`))
    })
    socket.on('data', (part) => {
      answer += part
    })
    // Bytes that the server had no need to read may reset the connection after the answer.
    socket.once('error', (error) => (answer === '' ? failed(error) : done(answer)))
    socket.once('close', () => done(answer))
  })
}
