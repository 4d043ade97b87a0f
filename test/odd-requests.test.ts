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
