import { gunzipSync } from 'node:zlib'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest'
import { ManualClock } from '../../kernel/clock.ts'
import { priceOf, quantityOf } from '../../kernel/fixed.ts'
import { InstrumentUniverse } from '../../market/instruments/instrument-universe.ts'
import { call as callOption, share, shares, TestSource } from '../../market/instruments/test-rows.ts'
import { ADMIN_KEY, call, READ_KEY, testApi } from '../test-api.ts'
import { operations } from './index.ts'

const ROWS = [
  share('SBIN', 1, { name: 'STATE BANK OF INDIA' }),
  share('ODD', 2, { name: 'QUOTED "CO", LTD', sourceSymbol: 'ODD\\NAME', sourceExchange: 'NSE_CM' }),
  callOption(3),
  share('BTCINR', 4, {
    exchange: 'CRYPTO',
    kind: 'SPOT',
    name: 'BTC',
    lotSize: quantityOf('0.00001'),
    tickSize: priceOf('0.0001'),
  }),
  ...shares(1200, 1000),
]

let app: FastifyInstance
let source: TestSource
let universe: InstrumentUniverse
const audited: unknown[] = []

beforeAll(async () => {
  source = new TestSource(ROWS)
  const clock = new ManualClock('2025-10-27T08:00:00+05:30')
  universe = await InstrumentUniverse.open({ source, clock })
  const services = {
    get universe() {
      return universe
    },
    audit: { record: (entry: unknown) => audited.push(entry) } as never,
  }
  app = await testApi(operations, services)
})
beforeEach(async () => {
  source.rows = ROWS
  await universe.reload({ mayShrink: true })
})
afterAll(() => app.close())

const get = (query: string, headers: Record<string, string> = {}) =>
  app.inject({ method: 'GET', url: `/api/v1/instruments?${query}`, headers: { 'x-api-key': READ_KEY, ...headers } })

interface Body {
  readonly data: Record<string, unknown>[]
  readonly message: string
  readonly status: string
}

describe('instruments', () => {
  it('gives all instruments without an exchange, in the order of the source', async () => {
    const answer = await get('')
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, 'application/json; charset=utf-8'])
    const { data, message, status } = answer.json<Body>()
    expect([message, status]).toEqual(['Found 1204 instruments', 'success'])
    expect(data.map(({ symbol }) => symbol)).toEqual(ROWS.map(({ symbol }) => symbol))
  })

  it('gives those of one exchange, with the keys of the reference in alphabetical order', async () => {
    const text = (await get('exchange=NFO')).payload
    expect(text).toBe(
      '{"data":[{"brexchange":"NSE","brsymbol":"NIFTY28OCT2526000CE","exchange":"NFO","expiry":"28-OCT-25",' +
        '"instrumenttype":"CE","lotsize":65,"name":"NIFTY","strike":26000,"symbol":"NIFTY28OCT2526000CE",' +
        '"tick_size":0.05,"token":"T3"}],"message":"Found 1 instruments","status":"success"}',
    )
  })

  it('keeps texts that JSON must escape, and small numbers', async () => {
    const { data } = (await get('')).json<Body>()
    expect(data[1]).toMatchObject({ name: 'QUOTED "CO", LTD', brsymbol: 'ODD\\NAME', brexchange: 'NSE_CM', expiry: '' })
    expect(data[3]).toMatchObject({ lotsize: 0.00001, tick_size: 0.0001, strike: 0, instrumenttype: 'SPOT' })
  })

  it('has none of an exchange that lists nothing', async () => {
    expect((await get('exchange=NCDEX')).json()).toEqual({
      data: [],
      message: 'No instruments found',
      status: 'success',
    })
    expect((await get('exchange=NCDEX&format=csv')).payload).toBe(
      'symbol,brsymbol,name,exchange,brexchange,token,expiry,strike,lotsize,instrumenttype,tick_size\r\n',
    )
  })

  it('gives CSV, quoted only where it must be', async () => {
    const answer = await get('exchange=NSE&format=CSV')
    expect([answer.headers['content-type'], answer.headers['content-disposition']]).toEqual([
      'text/csv; charset=utf-8',
      'attachment; filename=instruments_NSE.csv',
    ])
    const lines = answer.payload.split('\r\n')
    expect(lines.slice(0, 3)).toEqual([
      'symbol,brsymbol,name,exchange,brexchange,token,expiry,strike,lotsize,instrumenttype,tick_size',
      'SBIN,SBIN,STATE BANK OF INDIA,NSE,NSE,T1,,0,1,EQ,0.05',
      'ODD,ODD\\NAME,"QUOTED ""CO"", LTD",NSE,NSE_CM,T2,,0,1,EQ,0.05',
    ])
    expect(lines).toHaveLength(1204)
    expect((await get('format=csv')).headers['content-disposition']).toBe('attachment; filename=instruments.csv')
  })

  it('is compressed when the client takes it', async () => {
    const [plain, zipped] = [await get(''), await get('', { 'accept-encoding': 'gzip' })]
    expect([plain.headers['content-encoding'], zipped.headers['content-encoding']]).toEqual([undefined, 'gzip'])
    expect(gunzipSync(zipped.rawPayload).toString()).toBe(plain.payload)
    expect(zipped.headers.vary).toBe('accept-encoding, origin')
  })

  it('takes the key in the query', async () => {
    const answer = await app.inject({ method: 'GET', url: `/api/v1/instruments?exchange=NFO&apikey=${READ_KEY}` })
    expect(answer.statusCode).toBe(200)
    const without = await app.inject({ method: 'GET', url: '/api/v1/instruments?exchange=NFO' })
    expect([without.statusCode, without.json().code]).toEqual([401, 'api_key_missing'])
  })

  it.each([
    ['exchange=NYSE', 'exchange: Must be one of: NSE, NFO,'],
    ['exchange=nse', 'did you mean NSE?'],
    ['exchange=', 'exchange: Must be one of: NSE, NFO,'],
    ['exchange=NSE&exchange=NFO', 'exchange: Must be one of: NSE, NFO,'],
    ['format=xml', 'format: Must be one of: JSON, CSV, json, csv. Got "xml"'],
    ['limit=5', 'limit: Unknown field.'],
  ])('refuses %s', async (query, message) => {
    const { statusCode, payload } = await get(query)
    expect([statusCode, JSON.parse(payload).message]).toEqual([400, expect.stringContaining(message)])
  })

  it('tells a HEAD the same without making the rows', async () => {
    const headers = { 'x-api-key': READ_KEY, 'accept-encoding': 'br' }
    const answer = await app.inject({ method: 'HEAD', url: '/api/v1/instruments', headers })
    expect([answer.statusCode, answer.payload, answer.headers['content-encoding']]).toEqual([200, '', 'br'])
    expect(answer.headers.etag).toBe((await get('')).headers.etag)
  })

  it('is one snapshot, whatever is loaded while it is sent', async () => {
    const all = get('')
    source.rows = shares(5)
    await universe.reload({ mayShrink: true })
    expect((await all).json<Body>().data).toHaveLength(ROWS.length)
    expect((await get('')).json<Body>().data).toHaveLength(5)
  })
})

describe('a client that has the instruments', () => {
  const etagOf = async (query = '') => String((await get(query)).headers.etag)

  it('is told that they are the same, without a body', async () => {
    const etag = await etagOf()
    for (const sent of [etag, etag.replace('W/', ''), `"other", ${etag}`, '*']) {
      const answer = await get('exchange=NSE', { 'if-none-match': sent })
      expect([answer.statusCode, answer.payload, answer.headers.etag]).toEqual([304, '', etag])
      expect(answer.headers['cache-control']).toBe('private, no-cache')
    }
  })

  it('gets others when it has another version', async () => {
    const etag = await etagOf()
    source.rows = [...ROWS, share('NEW', 9000)]
    await universe.reload()
    const answer = await get('', { 'if-none-match': etag })
    expect([answer.statusCode, answer.headers.etag === etag]).toEqual([200, false])
    for (const sent of ['"other"', 'W/""', 'nonsense'])
      expect((await get('', { 'if-none-match': sent })).statusCode).toBe(200)
  })
})

describe('instruments/loads and instruments/reload', () => {
  const loads = async () => {
    const headers = { 'x-api-key': ADMIN_KEY }
    return (await app.inject({ method: 'GET', url: '/api/v1/instruments/loads', headers })).json()
  }

  test('a reload that is taken changes the version, and is told and audited', async () => {
    const before = (await loads()).data.version
    source.rows = [...ROWS, share('NEW', 9000)]
    const { status, body } = await call(app, 'instruments/reload')
    expect([status, body.data]).toMatchObject([
      200,
      { accepted: true, added: { count: 1, first: ['NSE:NEW'] }, refusal: '', total: ROWS.length + 1, from: 'source' },
    ])
    const { data } = await loads()
    expect(data).toMatchObject({ date: '2025-10-27', instruments: ROWS.length + 1, source: 'test' })
    expect(data.version).not.toBe(before)
    expect(data.loads[0]).toEqual(body.data)
    expect(audited.at(-1)).toMatchObject({
      action: 'instruments.reloaded',
      detail: { accept_fewer: false, refusal: '' },
    })
  })

  test('a load that is refused says why, and changes nothing', async () => {
    source.rows = [...ROWS, share('bad', 9000)]
    const { body } = await call(app, 'instruments/reload', { accept_fewer: true })
    expect(body.data).toMatchObject({ accepted: false, faults: { count: 1 } })
    source.rows = shares(3)
    expect((await call(app, 'instruments/reload')).body.data).toMatchObject({
      accepted: false,
      refusal: 'there are 3 instruments instead of 1204; fewer than 70 % of them is taken for an incomplete load',
    })
    expect((await loads()).data.instruments).toBe(ROWS.length)
    expect((await call(app, 'instruments/reload', { accept_fewer: 'yes' })).body.data).toMatchObject({ accepted: true })
    expect((await loads()).data.instruments).toBe(3)
  })

  test('are for admins', async () => {
    const headers = { 'x-api-key': READ_KEY }
    expect((await app.inject({ method: 'GET', url: '/api/v1/instruments/loads', headers })).statusCode).toBe(403)
    expect((await call(app, 'instruments/reload', {}, READ_KEY)).status).toBe(403)
    expect((await call(app, 'instruments/reload', { accept_fewer: 'perhaps' })).body.message).toMatch(
      /^accept_fewer: Not a valid boolean/,
    )
  })
})
