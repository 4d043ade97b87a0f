import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { zstdDecompressSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { filesIn } from './data-folder.ts'
import { type RawRequest, raw, send } from './raw-http.ts'
import { ServerProcess } from './server-process.ts'

/** Every place of a request in which somebody may put a key, by mistake or by a proxy's, and what it leaves behind. */

const json = (text: string): RawRequest => ({ text, headers: { 'content-type': 'application/json' } })
const API = '/api/v1/'
const ORDER = '"exchange":"NSE","symbol":"SBIN","action":"BUY","quantity":1,"product":"MIS"'

const DAY = '&from=2026-08-03&to=2026-08-03'

const PLACES: readonly (readonly [string, (key: string) => readonly [string, RawRequest]])[] = [
  ['the body', (key) => [`${API}funds`, { json: { apikey: key } }]],
  ['the body of an order', (key) => [`${API}placeorder`, json(`{"apikey":"${key}","strategy":"s",${ORDER}}`)]],
  ['a header', (key) => [`${API}funds`, { json: {}, headers: { 'x-api-key': key } }]],
  ['a bearer token', (key) => [`${API}funds`, { json: {}, headers: { authorization: `Bearer ${key}` } }]],
  ['basic credentials', (key) => [`${API}funds`, { json: {}, headers: { authorization: `Basic ${key}` } }]],
  ['the query of a GET', (key) => [`${API}traffic?apikey=${key}`, {}]],
  ['the query of a GET, as another field', (key) => [`${API}traffic?key=${key}`, { headers: { 'x-api-key': key } }]],
  ['the query of a GET, as a filter', (key) => [`${API}traffic?route=${key}`, { headers: { 'x-api-key': key } }]],
  ['the query of a ticker', (key) => [`${API}ticker/NSE:SBIN?apikey=${key}${DAY}`, {}]],
  ['the query of a ticker, for text', (key) => [`${API}ticker/NSE:NONE?apikey=${key}${DAY}&format=txt`, {}]],
  ['the path of a ticker', (key) => [`${API}ticker/NSE:${key}?${DAY}`, { headers: { 'x-api-key': key } }]],
  ['the path of a ticker, for text', (key) => [`${API}ticker/${key}?apikey=${key}${DAY}&format=txt`, {}]],
  ['the query of a POST', (key) => [`${API}funds?apikey=${key}`, { json: {} }]],
  ['the query of a page', (key) => [`/?apikey=${key}`, {}]],
  ['a path under the API', (key) => [`${API}${key}`, {}]],
  ['a path behind an operation', (key) => [`${API}funds/${key}`, { json: { apikey: key } }]],
  ['a path of a page', (key) => [`/${key}/x`, {}]],
  ['a path, escaped', (key) => [`/x/%73${key.slice(1)}`, {}]],
  ['a path under the API, escaped', (key) => [`${API}sk%5F${key.slice(3)}`, {}]],
  ['the name of an unknown field', (key) => [`${API}funds`, { json: { apikey: key, [key]: 1 } }]],
  ['the value of an unknown field', (key) => [`${API}funds`, { json: { apikey: key, other: key } }]],
  ['a text', (key) => [`${API}placeorder`, json(`{"apikey":"${key}","strategy":"of ${key}",${ORDER}}`)]],
  ['an order id', (key) => [`${API}orderstatus`, { json: { apikey: key, strategy: 's', orderid: key } }]],
  ['a symbol', (key) => [`${API}quotes`, { json: { apikey: key, symbol: key, exchange: 'NSE' } }]],
  ['a search', (key) => [`${API}search`, { json: { apikey: key, query: key } }]],
  [
    'a number',
    (key) => [`${API}placeorder`, json(`{"apikey":"${key}","strategy":"s",${ORDER.replace('1', `"${key}"`)}}`)],
  ],
  ['JSON that is broken', (key) => [`${API}funds`, json(`{"apikey":"${key}" "${key}"}`)]],
  ['a field that stands twice', (key) => [`${API}funds`, json(`{"apikey":"${key}","apikey":"${key}"}`)]],
  [
    'another type of body',
    (key) => [`${API}funds`, { text: `apikey=${key}`, headers: { 'content-type': `a/${key}` } }],
  ],
  ['the name of who signs in', (key) => [`${API}auth/login`, { json: { name: key, password: 'a wrong phrase' } }]],
  ['a password', (key) => [`${API}auth/login`, { json: { name: 'asha', password: key } }]],
  ['a token of a link', (key) => [`${API}auth/setup`, { json: { token: key, name: key, email: key, password: key } }]],
  ['the user agent', (key) => [`${API}ping`, { json: { apikey: key }, headers: { 'user-agent': `bot ${key}` } }]],
  ['the request id', (key) => [`${API}ping`, { json: { apikey: key }, headers: { 'x-request-id': key } }]],
  ['the request id, by nobody', (key) => [`${API}nowhere`, { headers: { 'x-request-id': key } }]],
  ['a cookie', (key) => [`${API}auth/status`, { headers: { cookie: `sauda_session=${key}; ${key}=1` } }]],
  [
    'the origin',
    (key) => [`${API}auth/login`, { json: { name: 'a', password: 'b' }, headers: { origin: `http://${key}` } }],
  ],
  ['the referrer', (key) => ['/', { headers: { referer: `http://x/?apikey=${key}` } }]],
  ['the account', (key) => [`${API}ping`, { json: { apikey: key }, headers: { 'x-account': key } }]],
  ['the idempotency key', (key) => [`${API}ping`, { json: { apikey: key }, headers: { 'idempotency-key': key } }]],
  ['the trace', (key) => [`${API}ping`, { json: { apikey: key }, headers: { traceparent: `00-${key}-1` } }]],
  ['the address', (key) => [`${API}ping`, { json: { apikey: key }, headers: { 'x-forwarded-for': key } }]],
  ['the name of a header', (key) => [`${API}ping`, { json: { apikey: key }, headers: { [key]: '1' } }]],
]

/** Places that keep what stands in them: the request has a key of its own and is refused for the other one. */
const KEPT: readonly (readonly [string, (key: string) => readonly [string, RawRequest]])[] = [
  ['a strategy', (key) => [`${API}placeorder`, json(`{"strategy":"${key}",${ORDER}}`)]],
  [
    'an idempotency key',
    (key) => [
      `${API}placeorder`,
      {
        text: `{"strategy":"s",${ORDER}}`,
        headers: { 'content-type': 'application/json', 'idempotency-key': key },
      },
    ],
  ],
  ['a client order id', (key) => [`${API}placeorder`, json(`{"strategy":"s","client_order_id":"${key}",${ORDER}}`)]],
  ['what charts remember', (key) => [`${API}chart`, { json: { layout: { note: key } } }]],
  ['the reason of a ban', (key) => [`${API}bans/create`, { json: { address: '203.0.113.9', reason: key } }]],
  [
    'the strategy that limits are for',
    (key) => [`${API}risk/set`, { json: { scope: 'strategy', strategy: key, state: 'reduce_only' } }],
  ],
]

/** What must be found nowhere: the beginning may be written in another way. */
const randomPartOf = (key: string): string => key.slice('sk_'.length)

const UNLIMITED = '1000000 per second'
/** How what Zstandard compresses begins. */
const ZSTD_FRAME = Buffer.from([0x28, 0xb5, 0x2f, 0xfd])

test('a key is afterwards in no file, in nothing that the server wrote, and in no answer', async () => {
  const server = await ServerProcess.start({
    ADDRESS_RATE_LIMIT: UNLIMITED,
    API_RATE_LIMIT: UNLIMITED,
    ORDER_RATE_LIMIT: UNLIMITED,
    LOGIN_RATE_LIMIT: UNLIMITED,
    TRUSTED_PROXIES: '127.0.0.1',
    LOG_LEVEL: 'trace',
    SERVER_TIMING: 'on',
  })
  try {
    const { key } = await server.createKey({ scopes: 'read,trade,admin', name: 'traced' })
    const unknown = `sk_${'Zq9-_'.repeat(9).slice(0, 43)}`
    const parts = [key, unknown].map(randomPartOf)
    const told: string[] = []
    for (const [place, request] of PLACES) {
      for (const one of [key, unknown]) {
        const answer = await send(server.port, ...request(one))
        expect(answer.status, place).toBeLessThan(500)
        if (`${answer.text}${JSON.stringify(answer.headers)}`.includes(randomPartOf(one))) told.push(place)
      }
    }
    for (const [place, request] of KEPT) {
      for (const one of [key, unknown]) {
        const [path, sent] = request(one)
        const answer = await send(server.port, path, { ...sent, headers: { ...sent.headers, 'x-api-key': server.key } })
        expect([place, answer.status, answer.body]).toMatchObject([place, 400, { code: 'validation_failed' }])
        expect(answer.text).toContain('Must not contain an API key.')
        if (answer.text.includes(randomPartOf(one))) told.push(place)
      }
    }
    for (const odd of [
      `GET /${key}\r\n\r\n`,
      `${key} / HTTP/1.1\r\nHost: x\r\n\r\n`,
      `GET / HTTP/1.1\r\n${key}\r\n\r\n`,
    ]) {
      if ((await raw(server.port, odd)).includes(key)) told.push(odd)
    }
    const inQuery = await send(server.port, `${API}traffic?apikey=${key}`)
    expect(inQuery).toMatchObject({ status: 400, body: { code: 'api_key_in_query' } })
    const two = await send(server.port, `${API}funds`, { json: { apikey: unknown }, headers: { 'x-api-key': key } })
    expect(two).toMatchObject({ status: 400, body: { code: 'api_key_conflict' } })
    for (const log of ['traffic', 'logs/orders', 'audit']) {
      const answer = await send(server.port, `${API}${log}?limit=1000`, { headers: { 'x-api-key': key } })
      expect(answer.status, log).toBe(200)
      for (const part of parts) if (answer.text.includes(part)) told.push(log)
    }
    expect(told).toEqual([])

    await sleep(500) // what is written late
    for (const part of parts) expect(server.output).not.toContain(part)
    expect(filesWith(server.dataDir, parts)).toEqual([]) // with what stands in the -wal
    await server.stop()
    expect(filesWith(server.dataDir, [...parts, randomPartOf(server.key)])).toEqual([])
    for (const part of parts) expect(server.output).not.toContain(part)
    // It would find one: the paths of requests are there, and nowhere but in what is compressed
    expect(filesWith(server.dataDir, [`${API}orderstatus`])).toEqual([expect.stringMatching(/telemetry\.db$/)])
  } finally {
    await server.remove()
  }
})

/** Files below a folder that contain one of the texts, wherever, and databases that have one in what they compress. */
function filesWith(folder: string, texts: readonly string[]): readonly string[] {
  return filesIn(folder)
    .filter(({ path, bytes }) =>
      [bytes, ...compressedIn(path)].some((part) => texts.some((text) => part.includes(text))),
    )
    .map(({ path }) => path)
}

/** What a database compressed. */
function compressedIn(path: string): readonly Buffer[] {
  if (!path.endsWith('.db')) return []
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
    const rows = tables.flatMap(({ name }) => database.prepare(`SELECT * FROM "${name}"`).all())
    const values = rows.flatMap((row) => Object.values(row)).filter((value) => value instanceof Uint8Array)
    return values.filter((bytes) => ZSTD_FRAME.equals(bytes.subarray(0, 4))).map((bytes) => zstdDecompressSync(bytes))
  } finally {
    database.close()
  }
}
