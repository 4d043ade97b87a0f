import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import pino from 'pino'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type App, createApp } from './app.ts'
import { loadConfig } from './config.ts'
import { OWNER } from './identity/audit.ts'
import { ManualClock } from './kernel/clock.ts'

/** Requests that are under way together and want the same few positions, over the whole platform in process. */

const UNLIMITED = {
  ADDRESS_RATE_LIMIT: '1000000 per second',
  API_RATE_LIMIT: '1000000 per second',
  ORDER_RATE_LIMIT: '1000000 per second',
  SMART_ORDER_RATE_LIMIT: '1000000 per second',
}
const READS = new Set(['orderbook', 'funds'])
const SYMBOLS = ['SBIN', 'ITC'] as const

let folder = ''
let app: App
let key = ''

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-order-races-'))
  const clock = new ManualClock('2026-11-25T05:30:00Z')
  app = await createApp(loadConfig({ DATA_DIR: folder, ...UNLIMITED }, folder), clock, pino({ level: 'silent' }))
  key = (await app.keys.createFirstKey(OWNER))?.text ?? ''
})
afterAll(async () => {
  await app.close()
  rmSync(folder, { recursive: true })
})
beforeEach(async () => {
  await ask('cancelallorder', {})
  await ask('closeposition', {})
})

interface Answer {
  readonly status: number
  readonly json: Readonly<Record<string, unknown>>
}

async function ask(operation: string, fields: object): Promise<Answer> {
  const answer = await app.http.inject({
    method: 'POST',
    url: `/api/v1/${operation}`,
    payload: { apikey: key, ...(READS.has(operation) ? {} : { strategy: 's' }), ...fields },
  })
  return { status: answer.statusCode, json: answer.json() }
}

const smart = (symbol: string, target: number, more: object = {}): Promise<Answer> =>
  ask('placesmartorder', {
    ...{ symbol, exchange: 'NSE', product: 'MIS', action: 'BUY', quantity: 1, position_size: target },
    ...more,
  })

interface Row {
  readonly orderid: string
  readonly symbol: string
  readonly action: string
  readonly quantity: number
  readonly order_status: string
  readonly strategy: string
}

const ordersOf = async (symbol: string): Promise<Row[]> =>
  ((await ask('orderbook', {})).json['data'] as { orders: Row[] }).orders.filter((order) => order.symbol === symbol)

const held = async (symbol: string): Promise<number> =>
  Number((await ask('openposition', { symbol, exchange: 'NSE', product: 'MIS' })).json['quantity'])

const ten = Array.from({ length: 10 })

test('ten equal signals in one millisecond are one order, and the position is what was wanted', async () => {
  const before = (await ordersOf('SBIN')).length
  const answers = await Promise.all(ten.map(() => smart('SBIN', 7)))
  expect(answers.map(({ status }) => status)).toEqual(ten.map(() => 200))
  expect(answers.filter(({ json }) => 'orderid' in json)).toHaveLength(1)
  expect(answers.filter(({ json }) => json['message'] === 'Positions Already Matched. No Action needed.')).toHaveLength(
    9,
  )
  expect((await ordersOf('SBIN')).length - before).toBe(1)
  expect(await held('SBIN')).toBe(7)
})

test('so they are while the order rests at its limit, which the smart order honours', async () => {
  const before = (await ordersOf('SBIN')).length
  const answers = await Promise.all(ten.map(() => smart('SBIN', 7, { pricetype: 'LIMIT', price: 700 })))
  expect(answers.filter(({ json }) => 'orderid' in json)).toHaveLength(1)
  const [order, ...others] = (await ordersOf('SBIN')).slice(0, -before || undefined)
  expect([order, others]).toMatchObject([{ order_status: 'open', pricetype: 'LIMIT', price: 700, quantity: 7 }, []])
  expect(await held('SBIN')).toBe(0)
  // A target beyond it orders what is missing to it, not to what is held
  expect((await smart('SBIN', 9, { pricetype: 'LIMIT', price: 700 })).json).toMatchObject({
    action: 'BUY',
    quantity: 2,
  })
})

test('a position that is closed ten times at once is closed once, and stays flat', async () => {
  await smart('SBIN', 7)
  const before = (await ordersOf('SBIN')).length
  // All of them wait until another order is on disk, and then look at the positions together
  const other = { symbol: 'ITC', exchange: 'NSE', product: 'MIS', action: 'BUY', quantity: 1 }
  await Promise.all([ask('placeorder', other), ...ten.map(() => ask('closeposition', {}))])
  expect((await ordersOf('SBIN')).length - before).toBe(1)
  expect(await held('SBIN')).toBe(0)
})

test('signals of both sides and closings at once come to what the last of them wanted', async () => {
  for (let round = 0; round < 5; round += 1) {
    const targets = [5, -5, 5, 12, -3]
    await Promise.all([
      ...targets.map((target) => smart('SBIN', target)),
      ask('closeposition', {}),
      ask('closeposition', {}),
    ])
    // Taken one after the other, in whatever order: nothing in between those
    expect([0, ...targets]).toContain(await held('SBIN'))
    expect((await smart('SBIN', 4)).status).toBe(200)
    expect(await held('SBIN')).toBe(4)
  }
})

test('what closes a position never brings it to the other side, whatever smart orders do meanwhile', async () => {
  const close = fc.constant({ symbol: undefined, target: 0 })
  const signal = fc.record({ symbol: fc.constantFrom(...SYMBOLS), target: fc.integer({ min: -9, max: 9 }) })
  const wishes = fc.array(fc.oneof({ weight: 2, arbitrary: signal }, { weight: 1, arbitrary: close }), {
    minLength: 4,
    maxLength: 16,
  })
  await fc.assert(
    fc.asyncProperty(wishes, async (wanted) => {
      const before = await Promise.all(SYMBOLS.map(async (name) => (await ordersOf(name)).length))
      await Promise.all(
        wanted.map(({ symbol: of, target }) => (of === undefined ? ask('closeposition', {}) : smart(of, target))),
      )
      expect((await ask('closeposition', {})).json).toMatchObject({ failures: [] })
      for (const [index, name] of SYMBOLS.entries()) {
        let position = 0
        for (const order of (await ordersOf(name)).reverse().slice(before[index])) {
          const after = position + (order.action === 'BUY' ? order.quantity : -order.quantity)
          if (order.strategy === 'AUTO_SQUARE_OFF') expect([position !== 0, after]).toEqual([true, 0])
          position = after
        }
        expect([name, position, await held(name)]).toEqual([name, 0, 0])
      }
    }),
    { numRuns: 15, seed: 20_261_128 },
  )
})

type Wish =
  | { readonly kind: 'smart'; readonly symbol: string; readonly target: number }
  | { readonly kind: 'basket' | 'split' | 'rest' | 'modify' | 'cancel'; readonly symbol: string; readonly size: number }
  | { readonly kind: 'cancel-all' | 'close' }

const symbol = fc.constantFrom(...SYMBOLS)
const size = fc.integer({ min: 1, max: 6 })
const wish: fc.Arbitrary<Wish> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('smart' as const), symbol, target: fc.integer({ min: -20, max: 20 }) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constantFrom('basket', 'split', 'rest', 'modify', 'cancel'), symbol, size }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('cancel-all' as const, 'close' as const) }) },
)

/** Answers that somebody gets who is late. */
const FAIR = new Set(['order_not_open', 'order_not_found'])

async function grant(wanted: Wish): Promise<void> {
  const { status, json } = await answerTo(wanted)
  if (status !== 200) expect([wanted, FAIR.has(String(json['code'])), json]).toEqual([wanted, true, json])
}

async function answerTo(wanted: Wish): Promise<Answer> {
  if (wanted.kind === 'smart') return smart(wanted.symbol, wanted.target)
  if (!('symbol' in wanted)) return ask(wanted.kind === 'close' ? 'closeposition' : 'cancelallorder', {})
  const { symbol, size } = wanted
  const order = { symbol, exchange: 'NSE', product: 'MIS', action: 'BUY', quantity: size }
  const resting = { ...order, pricetype: 'LIMIT', price: 100 }
  if (wanted.kind === 'rest') return ask('placeorder', resting)
  if (wanted.kind === 'split') return ask('splitorder', { ...order, splitsize: 2 })
  if (wanted.kind === 'basket')
    return ask('basketorder', { orders: [{ ...order, action: 'SELL' }, order, { ...order, quantity: 1 }] })
  const open = (await ordersOf(symbol)).filter(({ order_status }) => order_status === 'open')
  const { orderid } = open[size % (open.length || 1)] ?? { orderid: '1' }
  return wanted.kind === 'cancel'
    ? ask('cancelorder', { orderid })
    : ask('modifyorder', { ...resting, orderid, quantity: size + 1 })
}

test('whatever is under way together, books, positions and funds agree, and a target is reached after it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(wish, { minLength: 4, maxLength: 24, size: 'max' }), async (wishes) => {
      await Promise.all(wishes.map(grant))
      await ask('cancelallorder', {})
      const orders = await Promise.all(SYMBOLS.map(ordersOf))
      const all = orders.flat()
      expect(new Set(all.map(({ orderid }) => orderid)).size).toBe(all.length)
      expect(all.filter(({ order_status }) => order_status === 'open')).toEqual([])
      for (const [index, name] of SYMBOLS.entries()) {
        const filled = (orders[index] ?? []).filter(({ order_status }) => order_status === 'complete')
        const net = filled.reduce((sum, { action, quantity }) => sum + (action === 'BUY' ? quantity : -quantity), 0)
        expect(await held(name)).toBe(net)
        await smart(name, 3)
        expect(await held(name)).toBe(3)
      }
      const funds = (await ask('funds', {})).json['data'] as Readonly<Record<string, string>>
      const sum = Number(funds['availablecash']) + Number(funds['utiliseddebits']) - Number(funds['total_realized_pnl'])
      expect(sum).toBeCloseTo(10_000_000, 2)
    }),
    { numRuns: 25, seed: 20_261_127 },
  )
}, 30_000)
