import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { seededRandom } from '../../test/random.ts'
import { exampleOf } from './api/openapi.ts'
import type { AnyOperation } from './api/operation.ts'
import { Contract, type ContractAnswer, type Published } from './api/test-contract.ts'
import { type Material, randomInput } from './api/test-inputs.ts'
import { operations } from './api/v1/index.ts'
import { type App, createApp } from './app.ts'
import { loadConfig } from './config.ts'
import { OWNER } from './identity/audit.ts'
import { ManualClock } from './kernel/clock.ts'

/**
 * Whatever is asked of the operations that read, right or wrong: every answer is one that the published OpenAPI document
 * tells of. CONTRACT_SEED asks other questions, CONTRACT_ROUNDS more of them.
 */
const SEED = Number(process.env['CONTRACT_SEED'] ?? 20_261_125)
const ROUNDS = Number(process.env['CONTRACT_ROUNDS'] ?? 12)

const all: readonly AnyOperation[] = operations
const reading = all.filter(
  ({ access, method }) => access === 'read' || (method === 'GET' && (access === 'admin' || access === 'public')),
)
const OPTIONS = { version: '', firstOrderId: '26112500000001', nextExpiry: '01DEC26' }
const UNLIMITED = {
  ADDRESS_RATE_LIMIT: '1000000 per second',
  API_RATE_LIMIT: '1000000 per second',
  HEAVY_RATE_LIMIT: '1000000 per second',
  ORDER_RATE_LIMIT: '1000000 per second',
}

/** Of operations whose every answer is large. */
const FEW_ROUNDS: ReadonlySet<string> = new Set(['instruments'])

/** So that nothing waits for what happens later. */
const AT_ONCE = { follow: 'false', wait_seconds: 0 }

const EXPIRY = OPTIONS.nextExpiry
const DATES = ['2026-11-20', '2026-11-22', '2026-11-24', '2026-11-25', '2026-12-31', '2030-01-01']
const LISTED = [
  { symbol: 'SBIN', exchange: 'NSE' },
  { symbol: 'NIFTY', exchange: 'NSE_INDEX' },
  { symbol: `NIFTY${EXPIRY}26000CE`, exchange: 'NFO' },
  { symbol: 'BTCUSDT', exchange: 'CRYPTO' },
  { symbol: 'NOBODY', exchange: 'NSE' },
]
const MATERIAL: Material = {
  words: {
    symbol: [...LISTED.map(({ symbol }) => symbol), ...LISTED.map(({ symbol, exchange }) => `${exchange}:${symbol}`)],
    underlying: ['NIFTY', 'BANKNIFTY', 'RELIANCE', 'GOLD', 'BTC'],
    exchange: ['NSE', 'NFO', 'NSE_INDEX', 'MCX', 'CRYPTO', 'BCD'],
    expiry_date: [EXPIRY, '29DEC26', '25NOV26', '01JAN20', '1DEC26'],
    offset: ['ATM', 'ITM1', 'OTM3', 'OTM50', 'OTM51'],
    query: ['NIFTY', 'NIFTY 26000 CE', 'reliance', 'SBI', 'zzzz'],
    interval: ['5m', '1h', 'D', 'W', '7m'],
    start_date: DATES,
    end_date: DATES,
    from: DATES,
    to: DATES,
    date: DATES,
    year: [2024, 2026, 2027, 2031],
    orderid: ['26112500000001', '26112500000002', '1'],
    source: ['api', 'db'],
    strike_count: [1, 3, 10],
  },
  together: [
    ...LISTED,
    { underlying: 'NIFTY', exchange: 'NSE_INDEX', expiry_date: EXPIRY },
    { underlying: 'NIFTY', exchange: 'NFO', expiry_date: EXPIRY },
    { underlying: 'RELIANCE', exchange: 'NSE', expiry_date: '29DEC26' },
    { start_date: '2026-11-20', end_date: '2026-11-24' },
    { from: '2026-11-20', to: '2026-11-24' },
  ],
}

let app: App
let folder: string
let key = ''
let contract: Contract

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-contract-'))
  const config = loadConfig({ DATA_DIR: folder, ...UNLIMITED }, folder)
  app = await createApp(config, new ManualClock('2026-11-25T11:00:00+05:30'), pino({ level: 'silent' }))
  key = (await app.keys.createFirstKey(OWNER))?.text ?? ''
  contract = new Contract((await app.http.inject('/api/v1/openapi.json')).json<Published>())
  // So that there is something to read
  for (const name of ['placeorder', 'placegttorder', 'optionsorder', 'basketorder']) {
    const operation = all.find((each) => each.name === name)
    if (operation !== undefined) await ask(operation, exampleOf(operation, OPTIONS) as Record<string, unknown>)
  }
})
afterAll(async () => {
  await app.close()
  rmSync(folder, { recursive: true })
})

async function ask(operation: AnyOperation, input: Record<string, unknown>): Promise<ContractAnswer> {
  const headers = { 'x-api-key': key, 'content-type': 'application/json' }
  const { method } = operation
  let path = operation.name
  const rest: Record<string, unknown> = { ...input }
  for (const [, name = ''] of operation.name.matchAll(/:(\w+)/g)) {
    path = path.replace(`:${name}`, encodeURIComponent(shownIn(rest[name]) || 'x'))
    delete rest[name]
  }
  const query = new URLSearchParams(Object.entries(rest).map(([name, value]) => [name, shownIn(value)]))
  const answer =
    method === 'GET'
      ? await app.http.inject({ method, url: `/api/v1/${path}?${query}`, headers: { 'x-api-key': key } })
      : await app.http.inject({ method, url: `/api/v1/${path}`, headers, payload: JSON.stringify(rest) })
  return { status: answer.statusCode, contentType: String(answer.headers['content-type']), text: answer.payload }
}

/** As an address holds it. */
const shownIn = (value: unknown): string =>
  typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value).toWellFormed()

it.each(reading.map((operation) => [operation.name, operation] as const))(
  'every answer of %s is as published',
  async (name, operation) => {
    const random = seededRandom(SEED + reading.indexOf(operation))
    const statuses = new Map<number, number>()
    const rounds = FEW_ROUNDS.has(name) ? Math.ceil(ROUNDS / 5) : ROUNDS
    for (let round = 0; round < rounds; round += 1) {
      const example = exampleOf(operation, OPTIONS) as Record<string, unknown>
      const { input, wrong } =
        round === 0 ? { input: example, wrong: undefined } : randomInput({ ...operation, example }, MATERIAL, random)
      for (const [field, value] of Object.entries(AT_ONCE)) if (field in operation.input) input[field] = value
      const answer = await ask(operation, input)
      const breach = contract.breach(operation, answer)
      const asked = `${name} ${JSON.stringify(input)}`
      expect(breach === undefined ? asked : `${asked}: ${breach}`).toBe(asked)
      if (wrong !== undefined) expect([wrong, asked, answer.status]).toEqual([wrong, asked, 400])
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
    }
    // A run that meets only one kind of answer proves little
    expect(statuses.get(200) ?? 0).toBeGreaterThan(0)
    if (Object.values(operation.input).some(({ required }) => required))
      expect(statuses.get(400) ?? 0).toBeGreaterThan(0)
  },
)

it('the judge finds what is not as published', () => {
  const quotes = all.find(({ name }) => name === 'quotes')
  if (quotes === undefined) throw new Error('there is no operation quotes')
  const json = (status: number, body: object | string): ContractAnswer => ({
    status,
    contentType: 'application/json; charset=utf-8',
    text: typeof body === 'string' ? body : JSON.stringify(body),
  })
  const error = { code: 'symbol_not_found', message: 'm', request_id: 'r', status: 'error' }
  expect(contract.breach(quotes, json(400, error))).toBeUndefined()
  expect(contract.breach(quotes, json(418, error))).toMatch(/status 418 isn't documented/)
  expect(contract.breach(quotes, json(400, { ...error, code: 'order_not_open' }))).toMatch(
    /code order_not_open isn't documented/,
  )
  expect(contract.breach(quotes, json(400, { ...error, message: 5 }))).toMatch(/\/message must be string/)
  expect(contract.breach(quotes, json(200, { status: 'success' }))).toMatch(/must have required properties data/)
  expect(contract.breach(quotes, json(200, { data: {}, status: 'success', extra: 1 }))).toMatch(/extra/)
  expect(contract.breach(quotes, json(200, '{"data":NaN}'))).toMatch(/isn't JSON/)
  expect(contract.breach(quotes, { ...json(200, '{}'), contentType: 'text/html' })).toMatch(/content type text\/html/)
})
