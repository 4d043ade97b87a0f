import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { raw, send } from './raw-http.ts'
import { ServerProcess } from './server-process.ts'

/** Requests that are within HTTP or just beside it, and that no client library makes: met by the same rules as all others. */

let server: ServerProcess
let admin: string
const EVERYWHERE = [/^x-request-id: \S+$/im, /^ratelimit: "address";r=\d+;t=\d+$/im, /^cache-control: no-store$/im]

beforeAll(async () => {
  server = await ServerProcess.start()
  admin = server.key
})
afterAll(() => server.remove())

const ask = (head: string, body = ''): Promise<string> =>
  raw(
    server.port,
    `${head}\r\nConnection: close\r\n${body === '' ? '' : `Content-Length: ${body.length}\r\n`}\r\n${body}`,
  )

/** What the traffic log says of a request, as soon as its connection is done with it. */
async function rowOf(requestId: string): Promise<Record<string, unknown> | undefined> {
  const path = `/api/v1/traffic?request_id=${requestId}`
  let rows: Record<string, unknown>[] = []
  const ask = async (): Promise<number> => {
    const answer = await send(server.port, path, { headers: { 'x-api-key': admin } })
    rows = answer.body['data'] as Record<string, unknown>[]
    return rows.length
  }
  await expect.poll(ask, { timeout: 10_000 }).toBe(1)
  return rows[0]
}

const idIn = (answer: string): string => /"request_id":"([^"]+)"/.exec(answer)?.[1] ?? ''

/** What came on one connection, each answer by itself. */
const answersIn = (received: string): readonly string[] => received.split(/(?=HTTP\/1\.1 \d{3} )/)

const JSON_TYPE = 'Content-Type: application/json\r\n'

/** A request that has a name for the traffic log, on a connection that stays. `more` are further lines of its head. */
const named = (id: string, line: string, more = '', body = ''): string =>
  `${line} HTTP/1.1\r\nHost: x\r\nX-Request-Id: ${id}\r\n${more}${body === '' ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`}\r\n${body}`

const LAST = 'Connection: close\r\n'

describe('what node:http and the framework would answer by themselves', () => {
  test.each([
    ['an address that is none', 'GET /api/v1/%zz HTTP/1.1\r\nHost: x', 400, 'malformed_request'],
    ['no host', 'GET /api/v1/ping HTTP/1.1', 400, 'malformed_request'],
    ['two hosts', 'GET /api/v1/ping HTTP/1.1\r\nHost: x\r\nHost: y', 400, 'malformed_request'],
    ['an expectation', 'GET /api/v1/nowhere HTTP/1.1\r\nHost: x\r\nExpect: wonders', 404, 'not_found'],
    ['a method of another protocol', 'PROPFIND /api/v1/ping HTTP/1.1\r\nHost: x', 405, 'method_not_allowed'],
    ['HTTP/1.0 without a host', 'GET /api/v1/nowhere HTTP/1.0', 404, 'not_found'],
    ['a host that is none', 'GET /api/v1/ping HTTP/1.1\r\nHost: a b', 400, 'malformed_request'],
    ['a host with a user', 'GET /api/v1/ping HTTP/1.1\r\nHost: user:word@x', 400, 'malformed_request'],
    ['a server as a whole', 'OPTIONS * HTTP/1.1\r\nHost: x', 400, 'malformed_request'],
    ['a page that is no path', 'GET * HTTP/1.1\r\nHost: x', 400, 'malformed_request'],
    ['a tunnel', 'CONNECT x:443 HTTP/1.1\r\nHost: x', 400, 'malformed_request'],
    ['a tunnel with a body', 'CONNECT x:443 HTTP/1.1\r\nHost: x\r\nContent-Length: 9', 400, 'malformed_request'],
    [
      'chunks of something else',
      'POST /api/v1/ping HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked',
      501,
      'not_implemented',
    ],
    ['chunks in HTTP/1.0', 'POST /api/v1/ping HTTP/1.0\r\nTransfer-Encoding: chunked', 400, 'malformed_request'],
  ])('%s is answered as all else, and is in the traffic log', async (_what, head, status, code) => {
    const answer = await ask(head)
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} .*"code":"${code}".*"status":"error"`, 's'))
    for (const header of EVERYWHERE) expect(answer).toMatch(header)
    expect(await rowOf(idIn(answer))).toMatchObject({ status, code })
  })

  test('a POST with two hosts reaches no operation', async () => {
    const body = JSON.stringify({ apikey: admin })
    const answer = await ask('POST /api/v1/ping HTTP/1.1\r\nHost: x\r\nHost: y\r\nContent-Type: application/json', body)
    expect(answer).toMatch(/^HTTP\/1\.1 400 .*"code":"malformed_request"/s)
  })

  test('a banned address gets no further with an address that is none', async () => {
    const banned = await ServerProcess.start({ TRUSTED_PROXIES: '127.0.0.1' })
    try {
      const from = 'X-Forwarded-For: 203.0.113.7'
      const json = { apikey: banned.key, address: '203.0.113.7', hours: 1, reason: 'test' }
      expect((await send(banned.port, '/api/v1/bans/create', { json })).status).toBe(200)
      for (const path of ['/api/v1/%zz', '/api/v1/ping']) {
        const answer = await raw(banned.port, `GET ${path} HTTP/1.1\r\nHost: x\r\n${from}\r\nConnection: close\r\n\r\n`)
        expect(answer).toMatch(/^HTTP\/1\.1 403 .*"code":"address_banned"/s)
      }
    } finally {
      await banned.remove()
    }
  })
})

describe('two keys in one request', () => {
  const other = `sk_${'x'.repeat(43)}`
  test.each([
    ['two headers Authorization', { authorization: ['Bearer KEY', `Bearer ${other}`] }],
    ['two headers X-API-KEY', { 'x-api-key': ['KEY', other] }],
    ['a list in one', { 'x-api-key': `KEY, ${other}` }],
    ['both headers', { 'x-api-key': 'KEY', authorization: `Bearer ${other}` }],
  ] as const)('%s are a conflict', async (_what, headers) => {
    const real = JSON.parse(JSON.stringify(headers).replaceAll('KEY', admin)) as Record<string, string>
    const answer = await send(server.port, '/api/v1/ping', { json: {}, headers: real })
    expect([answer.status, answer.body.code]).toEqual([400, 'api_key_conflict'])
  })

  test('the same one twice is one', async () => {
    const headers = { authorization: [`Bearer ${admin}`, `Bearer ${admin}`], 'x-api-key': admin }
    expect((await send(server.port, '/api/v1/ping', { json: { apikey: admin }, headers })).status).toBe(200)
  })

  test.each([{}, { apikey: 'KEY' }])('a POST has none in its address, whatever its body %j says', async (fields) => {
    const json = JSON.parse(JSON.stringify(fields).replace('KEY', admin)) as object
    for (const key of [other, admin]) {
      const answer = await send(server.port, `/api/v1/ping?apikey=${key}`, { json })
      expect([answer.status, answer.body.code]).toEqual([400, 'api_key_in_query'])
    }
  })
})

describe('a target that is a whole URL', () => {
  const ping = (target: string, more = '', host = 'x'): Promise<string> =>
    ask(`POST ${target} HTTP/1.1\r\nHost: ${host}\r\n${JSON_TYPE}${more}`.trimEnd(), JSON.stringify({ apikey: admin }))

  test.each(['http://x', 'https://x', 'HTTP://x', 'http://x:5000', 'http://[::1]:5000', 'http://other.example'])(
    'leads where its path leads: %s',
    async (front) => {
      const id = `whole-url-${front.replaceAll(/[^\w.-]/g, '-')}`
      expect(await ping(`${front}/api/v1/ping`, `X-Request-Id: ${id}`)).toMatch(/^HTTP\/1\.1 200 .*"status":"success"/s)
      expect(await rowOf(id)).toMatchObject({ route: 'ping', path: '/api/v1/ping', status: 200 })
      const page = await ask(`GET ${front}?x=1 HTTP/1.1\r\nHost: x\r\nX-Request-Id: ${id}-page`)
      expect(page).toMatch(/^HTTP\/1\.1 303 .*^location: \/setup\r/ms)
      expect(await rowOf(`${id}-page`)).toMatchObject({ route: '/', path: '/' })
    },
  )

  test('may stand between others on one connection', async () => {
    const body = JSON.stringify({ apikey: admin })
    const received = await raw(
      server.port,
      [
        named('between-0001', 'POST /api/v1/ping', JSON_TYPE, body),
        named('between-0002', 'POST http://x/api/v1/ping', JSON_TYPE, body),
        named('between-0003', 'GET http://x/healthz'),
        named('between-0004', 'GET /readyz'),
        named('between-0005', 'POST http://x/api/v1/ping', `${JSON_TYPE}${LAST}`, body),
      ].join(''),
    )
    const said = answersIn(received).map((answer) => /"(?:pong|alive|ready)"/.exec(answer)?.[0])
    expect(said).toEqual(['"pong"', '"pong"', '"alive"', '"ready"', '"pong"'])
  })

  test.each([
    ['a user', 'http://user:s3cretword@x/api/v1/ping'],
    ['a user, and no path', 'http://user:s3cretword@x'],
    ['a user, for another service', 'ftp://user:s3cretword@x/api/v1/ping'],
    ['another service', 'ftp://x/api/v1/ping'],
    ['no host', 'http:///api/v1/ping'],
    ['a host that is none', 'http://[x]/api/v1/ping'],
    ['two hosts', 'http://x,y/api/v1/ping'],
    ['a port that is none', 'http://x:123456/api/v1/ping'],
  ])('is refused when it names %s', async (_what, target) => {
    const answer = await ping(target, 'Accept: application/json')
    expect(answer).toMatch(/^HTTP\/1\.1 400 .*"code":"malformed_request"/s)
    if (target.startsWith('http://user')) expect(answer).toContain('names a user')
    expect(answer).not.toContain('s3cretword')
    const path = new URL(target.replace('[x]', 'x').replace(':123456', '')).pathname
    const row = await rowOf(idIn(answer))
    expect(row).toMatchObject({ status: 400, route: '' })
    if (target !== 'http:///api/v1/ping') expect(row).toMatchObject({ path })
  })

  test('of a tunnel neither leaves the name of a user', async () => {
    const answer = await ask('CONNECT user:s3cretword@x:443 HTTP/1.1\r\nHost: x')
    expect(await rowOf(idIn(answer))).toMatchObject({ method: 'CONNECT', path: 'x:443', status: 400 })
    expect(server.output).not.toContain('s3cretword')
  })

  test('is no way around the header Host, of which there must be one', async () => {
    for (const hosts of ['', 'Host: x\r\nHost: x\r\n', 'Host: a b\r\n']) {
      const answer = await raw(server.port, `GET http://x/api/v1/ping HTTP/1.1\r\n${hosts}Connection: close\r\n\r\n`)
      if (hosts !== 'Host: a b\r\n') expect(answer).toMatch(/^HTTP\/1\.1 400 .*"code":"malformed_request"/s)
      else expect(answer).toMatch(/^HTTP\/1\.1 405 /) // it counts for nothing
    }
    expect(await raw(server.port, 'GET http://x/healthz HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /)
  })

  test('takes the place of the header Host where a browser says what page asks', async () => {
    const login = (target: string, host: string): Promise<string> =>
      ask(
        `POST ${target} HTTP/1.1\r\nHost: ${host}\r\n${JSON_TYPE}Origin: http://ours.example`,
        JSON.stringify({ username: 'nobody', password: 'wrong password' }),
      )
    const path = '/api/v1/auth/login'
    const foreign = /^HTTP\/1\.1 403 .*"code":"cross_origin"/s
    expect(await login(path, 'ours.example')).not.toMatch(foreign)
    expect(await login(path, 'other.example')).toMatch(foreign)
    expect(await login(`http://ours.example${path}`, 'other.example')).not.toMatch(foreign)
    expect(await login(`http://other.example${path}`, 'ours.example')).toMatch(foreign)
  })

  test('keeps a key out of the logs, as any other', async () => {
    const answer = await ask(`GET http://x/api/v1/traffic?apikey=${admin} HTTP/1.1\r\nHost: x`)
    expect(answer).toMatch(/^HTTP\/1\.1 400 .*"code":"api_key_in_query"/s)
    expect(await rowOf(idIn(answer))).toMatchObject({ path: '/api/v1/traffic' })
    expect(server.output.split(admin)).toHaveLength(2) // as it was shown at the start
  })
})

describe('what comes behind requests that wait for their answers', () => {
  const body = (): string => JSON.stringify({ apikey: admin })
  const two = (): string =>
    named('waiting-0001', 'POST /api/v1/ping', JSON_TYPE, body()) + named('waiting-0002', 'GET /healthz')

  test.each([
    ['is no HTTP', 'nonsense\r\n\r\nnonsense\r\n\r\n', '', 400],
    ['has too many headers', `GET / HTTP/1.1\r\nA: ${'x'.repeat(20_000)}\r\n\r\n`, '', 431],
    ['asks for a tunnel', 'CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\nnonsense', 'CONNECT', 400],
  ])('and %s is answered after them, and logged', async (_what, bytes, method, status) => {
    const answers = answersIn(await raw(server.port, two() + bytes))
    expect(answers.map((answer) => Number(answer.slice(9, 12)))).toEqual([200, 200, status])
    const last = answers.at(-1) ?? ''
    for (const header of [...EVERYWHERE, /^date: .* GMT\r$/im, /^connection: close\r$/im]) expect(last).toMatch(header)
    expect(await rowOf(idIn(last))).toMatchObject({ method, status, bytes_out: last.length })
  })

  test('and asks for a tunnel keeps no reader, however slow, from a long answer', async () => {
    const long = named('long-00000001', 'GET /api/v1/instruments', `X-API-KEY: ${admin}\r\n`)
    const tunnel = 'CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n'
    const received = await raw(server.port, long + tunnel, (socket) => {
      socket.pause()
      setTimeout(() => socket.resume(), 500)
    })
    const [whole = '', last] = answersIn(received)
    expect(whole).toMatch(/\r\n0\r\n\r\n$/)
    expect(last).toMatch(/^HTTP\/1\.1 400 /)
    expect(await rowOf('long-00000001')).toMatchObject({ bytes_out: Buffer.byteLength(whole) })
  })

  test('and breaks off within its body is answered after them', async () => {
    for (const [framing, sent] of [
      ['Transfer-Encoding: chunked', '2\r\n{}\r\nzz\r\n'],
      ['Content-Length: 9', '{}'],
    ]) {
      const head = `POST /api/v1/ping HTTP/1.1\r\nHost: x\r\n${JSON_TYPE}${framing}\r\n\r\n`
      const received = await raw(server.port, `${two()}${head}${sent}`, (socket) => setTimeout(() => socket.end(), 200))
      const answers = answersIn(received)
      expect(answers.map((answer) => Number(answer.slice(9, 12)))).toEqual([200, 200, 400])
      const row = { status: 499, code: 'malformed_request', bytes_in: 2, bytes_out: answers.at(-1)?.length }
      expect(await rowOf(idIn(answers.at(-1) ?? ''))).toMatchObject(row)
    }
  })

  test('and breaks off when it was answered gets no second answer', async () => {
    for (const framing of ['Transfer-Encoding: chunked', 'Transfer-Encoding: xchunked', 'Content-Length: 9']) {
      const head = named('twice-000001', 'POST /api/v1/nowhere', `${framing}\r\n`)
      const received = await raw(server.port, `${head}zz\r\n`, (socket) => setTimeout(() => socket.end(), 200))
      expect(answersIn(received)).toHaveLength(1)
    }
  })

  test('is in the log as unanswered when the sender leaves before', async () => {
    const stream = named('left-00000001', 'GET /api/v1/orderevents/stream', `X-API-KEY: ${admin}\r\n`)
    const behind =
      named('left-00000002', 'GET /healthz') + named('left-00000003', 'POST /api/v1/ping', JSON_TYPE, body())
    await raw(server.port, stream + behind, (socket) =>
      socket.once('data', () => setTimeout(() => socket.destroy(), 100)),
    )
    expect(await rowOf('left-00000001')).toMatchObject({ status: 200 })
    for (const id of ['left-00000002', 'left-00000003']) {
      expect(await rowOf(id)).toMatchObject({ status: 499, bytes_out: 0 })
    }
  })
})

describe('what an answer says of itself', () => {
  test.each(['/api/v1/instruments?exchange=NSE', '/api/v1/traffic/export'])(
    'to HEAD is no other length than to GET: %s',
    async (path) => {
      const key = `X-API-KEY: ${admin}\r\n`
      for (const more of ['', 'If-None-Match: *\r\n']) {
        const [head = '', rest] = (await ask(`HEAD ${path} HTTP/1.1\r\nHost: x\r\n${key}${more}`.trimEnd())).split(
          '\r\n\r\n',
        )
        expect(head).toMatch(/^HTTP\/1\.1 (?:200|304) /)
        expect(head).not.toMatch(/^content-length:/im)
        expect(rest).toBe('')
      }
    },
  )

  test('is not that a connection is kept which ends', async () => {
    for (const line of ['GET /healthz', 'GET /api/v1/nowhere', 'POST /api/v1/ping']) {
      expect(await ask(`${line} HTTP/1.1\r\nHost: x`)).not.toMatch(/^keep-alive:/im)
    }
    const kept = await raw(
      server.port,
      named('kept-000001', 'GET /healthz') + named('kept-000002', 'GET /healthz', LAST),
    )
    expect(answersIn(kept).map((answer) => /^keep-alive: timeout=110\r$/im.test(answer))).toEqual([true, false])
  })

  test('is no invitation to send a body that will be refused', async () => {
    const expecting = (length: number): string =>
      `POST /api/v1/ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${JSON_TYPE}Expect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`
    expect(await raw(server.port, expecting(9_999_999))).toMatch(/^HTTP\/1\.1 413 /)
    const body = JSON.stringify({ apikey: admin })
    const received = await raw(server.port, expecting(body.length), (socket) =>
      socket.once('data', () => socket.write(body)),
    )
    expect(received).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /)
  })

  test('of a compressed body is that it is not read, whatever it holds', async () => {
    const json = { apikey: admin }
    for (const encoding of ['gzip', 'br', 'x-own']) {
      const { status, body } = await send(server.port, '/api/v1/ping', {
        json,
        headers: { 'content-encoding': encoding },
      })
      expect([status, body.code]).toEqual([415, 'unsupported_media_type'])
    }
    const plain = await send(server.port, '/api/v1/ping', { json, headers: { 'content-encoding': 'identity' } })
    expect(plain.status).toBe(200)
  })
})

describe('bytes in the traffic log', () => {
  test('of a body in chunks are those of the body', async () => {
    const body = JSON.stringify({ apikey: admin })
    const head = 'POST /api/v1/ping HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked'
    const id = 'in-chunks-0001'
    const sent = `${head}\r\nX-Request-Id: ${id}\r\nConnection: close\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
    expect(await raw(server.port, sent)).toMatch(/^HTTP\/1\.1 200 /)
    expect(await rowOf(id)).toMatchObject({ bytes_in: body.length, status: 200 })
  })

  test.each(['/setup', '/api/v1/ping'])('of what is sent to %s are those that came', async (path) => {
    const body = 'username=someone'
    const id = `came${path.replaceAll('/', '-')}`
    const form = 'Content-Type: application/x-www-form-urlencoded\r\n'
    const chunk = `${body.length.toString(16)}\r\n${body}\r\n`
    await raw(
      server.port,
      named(`${id}-length`, `POST ${path}`, form, body) +
        `${named(`${id}-chunks`, `POST ${path}`, `${form}Transfer-Encoding: chunked\r\n`)}${chunk}${chunk}0\r\n\r\n` +
        named(`${id}-none`, `GET ${path}`, LAST),
    )
    expect((await rowOf(`${id}-length`))?.['bytes_in']).toBe(body.length)
    expect((await rowOf(`${id}-chunks`))?.['bytes_in']).toBe(2 * body.length)
    expect((await rowOf(`${id}-none`))?.['bytes_in']).toBe(0)
  })

  test('of answers to requests that were sent ahead are of each alone', async () => {
    const body = JSON.stringify({ apikey: admin })
    const lines: readonly [line: string, more: string, body: string][] = [
      ['POST /api/v1/ping', JSON_TYPE, body],
      ['GET /healthz', '', ''],
      ['GET /setup', '', ''],
      ['HEAD /setup', '', ''],
      ['POST /api/v1/ping', JSON_TYPE, body],
      ['POST /api/v1/ping', '', body],
      ['GET /api/v1/traffic/export?limit=1', `X-API-KEY: ${admin}\r\n`, ''],
      ['GET /api/v1/nowhere', '', ''],
      ['GET /assets/sauda.css', '', ''],
      ['POST /api/v1/symbol', JSON_TYPE, `{"apikey":"${admin}","symbol":"₹","exchange":"NSE"}`],
      ['GET /healthz', LAST, ''],
    ]
    const ids = lines.map((_line, index) => `ahead-${String(index).padStart(6, '0')}`)
    const sent = lines.map(([line, more, text], index) => named(ids[index] ?? '', line, more, text))
    const answers = answersIn(await raw(server.port, sent.join('')))
    expect(answers).toHaveLength(lines.length)
    const lengths = answers.map((answer) => Buffer.byteLength(answer))
    const rows = await Promise.all(ids.map(rowOf))
    expect(rows.map((row) => row?.['bytes_out'])).toEqual(lengths)
  })
})
