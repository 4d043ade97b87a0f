import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Refusal } from '../../kernel/errors.ts'
import { Quotes, sourceDown } from '../../market/quotes/index.ts'
import { equities, listedAs, markets } from '../../market/quotes/test-listed.ts'
import { call, testApi } from '../test-api.ts'
import { depth, multiquotes, quotes } from './market.ts'

/** What clients are told when prices come from elsewhere, and don't come. */

const DEADLINE_MS = 2_000
const HALF = equities(20)
const known = new Map([...HALF, listedAs('SBIN', 'NSE')].map((instrument) => [instrument.symbol, instrument]))
const scene = markets(10)
let app: FastifyInstance

beforeAll(async () => {
  const { counting: clock, calendar, remote: source } = scene
  const services = {
    instruments: { find: (symbol: string) => known.get(symbol), nearest: () => [] },
    quotes: new Quotes({ source, calendar, clock, deadlineMs: DEADLINE_MS }),
  }
  app = await testApi([quotes, multiquotes, depth], services, { now: scene.clock.now() })
})
afterAll(() => app.close())
beforeEach(() => {
  scene.remote.failure = () => undefined
  scene.remote.change = (quote) => quote
  scene.clock.advance(1000) // nothing of the test before is given again
})

const SBIN = { symbol: 'SBIN', exchange: 'NSE' }
const half = { symbols: HALF.map(({ symbol, exchange }) => ({ symbol, exchange })) }
type Item = { symbol: string; code?: string; error?: string; data?: { ltp: number; timestamp: number } }
const resultsOf = (body: object): readonly Item[] => (body as { results: readonly Item[] }).results

describe.each([
  ['quotes', SBIN],
  ['depth', SBIN],
  ['multiquotes', half],
] as const)('%s of a source', (name, input) => {
  it('that is down are 502', async () => {
    scene.remote.failure = () => sourceDown('remote', 'it refuses connections')
    const { status, body, headers } = await call(app, name, input)
    expect([status, headers['retry-after'], body]).toMatchObject([
      502,
      '2',
      {
        code: 'source_down',
        message: 'The market data source remote is not available: it refuses connections. Try again in a few seconds.',
      },
    ])
  })

  it('that is slow are 504', async () => {
    scene.remote.hold()
    const answer = call(app, name, input)
    const moved = setInterval(() => scene.clock.advance(DEADLINE_MS), 5)
    const { status, body } = await answer
    clearInterval(moved)
    scene.remote.release()
    expect([status, body.code]).toEqual([504, 'source_slow'])
    expect(scene.counting.tasks).toBe(0)
  })

  it('that has a bug are 500, and say nothing of it', async () => {
    scene.remote.failure = () => new TypeError('secret of the adapter')
    const { status, body, text } = await call(app, name, input)
    expect([status, body.code]).toEqual([500, 'internal_error'])
    expect(text).not.toContain('secret')
  })
})

describe('multiquotes', () => {
  it('of which half fails say so item by item, in the order of the request', async () => {
    const first = HALF[0]?.symbol ?? ''
    scene.remote.failure = (symbols) => (symbols.includes(first) ? sourceDown('remote', 'it answered 500') : undefined)
    const { status, body } = await call(app, 'multiquotes', half)
    const results = resultsOf(body)
    expect(status).toBe(200)
    expect(results.map(({ symbol }) => symbol)).toEqual(half.symbols.map(({ symbol }) => symbol))
    expect(results.map(({ code }) => code)).toEqual(HALF.map((_, index) => (index < 10 ? 'source_down' : undefined)))
    for (const { code, error, data } of results) {
      expect(error === undefined).toBe(code === undefined)
      expect(data === undefined).toBe(code !== undefined)
    }
    expect(results[10]?.data?.ltp).toBeGreaterThan(0)
  })

  it('without a single price, for reasons of the instruments, are an answer', async () => {
    scene.remote.change = (quote) => ({ ...quote, ltp: 0 as typeof quote.ltp })
    const { status, body } = await call(app, 'multiquotes', half)
    expect(status).toBe(200)
    expect(new Set(resultsOf(body).map(({ code, data }) => [code, data === undefined].join()))).toEqual(
      new Set(['quote_unavailable,true']),
    )
  })
})

describe('a quote', () => {
  it('whose data are old while the exchange is open says so', async () => {
    const at = scene.clock.now() - 11_000
    scene.remote.change = (quote) => ({ ...quote, at })
    const { body } = await call(app, 'quotes', SBIN)
    expect(body.data).toMatchObject({ stale: true, timestamp: at / 1000 })
  })

  it('that is fresh doesn’t', async () => {
    const { text } = await call(app, 'quotes', SBIN)
    expect(text).not.toContain('stale')
  })
})

describe('input that is wrong', () => {
  const SYMBOLS: readonly (readonly [unknown, string])[] = [
    [undefined, 'Missing data for required field.'],
    [null, 'Field may not be null.'],
    [1, 'Not a valid string. Got 1.'],
    [['SBIN'], 'Not a valid string. Got a list of 1 item.'],
    ['', 'Symbol must be between 1 and 50 characters. Got "".'],
    ['  ', 'Symbol must be between 1 and 50 characters. Got "  ".'],
    ['S'.repeat(51), `Symbol must be between 1 and 50 characters. Got "${'S'.repeat(51)}".`],
    ['SB\nIN', 'Must not contain control characters (character 3 is U+000A).'],
  ]
  const RULE =
    'Must be one of: NSE, NFO, CDS, BSE, BFO, BCD, MCX, NCDEX, NCO, NSE_INDEX, BSE_INDEX, MCX_INDEX, GLOBAL_INDEX, CRYPTO.'
  const EXCHANGES: readonly (readonly [unknown, string])[] = [
    [undefined, 'Missing data for required field.'],
    [null, 'Field may not be null.'],
    [5, `${RULE} Got 5.`],
    ['nse', `${RULE} Got "nse"; did you mean NSE?`],
    ['NYSE', `${RULE} Got "NYSE"; did you mean NSE?`],
  ]
  const ITEM_CASES = [
    ...SYMBOLS.map(([value, message]) => [{ ...SBIN, symbol: value }, 'symbol', message] as const),
    ...EXCHANGES.map(([value, message]) => [{ ...SBIN, exchange: value }, 'exchange', message] as const),
    [{ ...SBIN, price: 1 }, 'price', 'Unknown field. There is no field "price"; known fields are'] as const,
  ]

  it.each(ITEM_CASES)('of quotes and depth, %j, is 400 and names %s', async (input, field, message) => {
    for (const name of ['quotes', 'depth'])
      expect(await refusalOf(name, input)).toMatchObject([400, [{ field, message: expect.stringContaining(message) }]])
  })

  it.each(ITEM_CASES)('of multiquotes, %j, is 400 and names the item', async (item, field, message) => {
    const [status, errors] = await refusalOf('multiquotes', { symbols: [SBIN, item] })
    expect([status, errors]).toMatchObject([
      400,
      [{ field: `symbols[1].${field}`, message: expect.stringContaining(message) }],
    ])
  })

  it.each([
    [undefined, 'symbols', 'Missing data for required field.'],
    [null, 'symbols', 'Field may not be null.'],
    ['SBIN', 'symbols', 'Not a valid list. Got "SBIN".'],
    [{}, 'symbols', 'Not a valid list. Got an object.'],
    [[], 'symbols', 'Must contain 1 to 500 items. Got 0.'],
    [['SBIN'], 'symbols[0]', 'Not a valid mapping type. Got "SBIN".'],
    [[null], 'symbols[0]', 'Not a valid mapping type. Got null.'],
  ])('of multiquotes, symbols %j, is 400', async (symbols, field, message) => {
    expect(await refusalOf('multiquotes', { symbols })).toEqual([400, [{ field, message }]])
  })

  async function refusalOf(name: string, input: object): Promise<[number, Refusal['errors']]> {
    const { status, body } = await call(app, name, input)
    return [status, body.errors as Refusal['errors']]
  }
})
