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

/** What the traffic log says of a request. */
async function rowOf(requestId: string): Promise<Record<string, unknown> | undefined> {
  const answer = await send(server.port, `/api/v1/traffic?request_id=${requestId}`, { headers: { 'x-api-key': admin } })
  return (answer.body['data'] as Record<string, unknown>[])[0]
}

const idIn = (answer: string): string => /"request_id":"([^"]+)"/.exec(answer)?.[1] ?? ''

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

  test('of answers to requests that were sent ahead are of each alone', async () => {
    const one = (id: string, more = ''): string => {
      const body = JSON.stringify({ apikey: admin })
      return `POST /api/v1/ping HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-Request-Id: ${id}\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`
    }
    const ids = ['ahead-000001', 'ahead-000002', 'ahead-000003']
    const [first = '', second = '', third = ''] = ids
    const answer = await raw(server.port, one(first) + one(second) + one(third, 'Connection: close\r\n'))
    const answers = answer.split(/(?=HTTP\/1\.1 200 )/)
    expect(answers).toHaveLength(3)
    for (const [at, id] of ids.entries()) expect(await rowOf(id)).toMatchObject({ bytes_out: answers[at]?.length })
  })
})
