import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Client, createClient } from '../client/src/index.ts'
import { type Answer, request } from './api.ts'
import { json, jsonText, NO_NUMBERS, NO_TEXTS, WRONG_WORDS } from './bad-values.ts'
import { ServerProcess } from './server-process.ts'

/** Nothing that anyone sends may move a paisa by mistake, and every refusal says why, with the value. */

let server: ServerProcess
let client: Client
let fundsBefore: object
/** Orders that the set-up made, and then the refused ones that the book must show, each with its reason. */
const expectedInBook = new Map<string, string>()
const mine = { complete: '', cancelled: '', working: '', stop: '' }
let foreign = ''
let nifty = { future: '', expired: 'NIFTY28JAN25FUT' }
let price = { low: 0, high: 0 }

const base = {
  strategy: 'bad-input',
  exchange: 'NSE',
  symbol: 'SBIN',
  action: 'BUY',
  quantity: 1,
  pricetype: 'MARKET',
  product: 'MIS',
} as const

beforeAll(async () => {
  server = await ServerProcess.start()
  await addAccount('other')
  client = createClient({ host: server.address, apiKey: server.key })
  const { ltp } = (await client.quotes({ symbol: 'SBIN', exchange: 'NSE' })).data
  price = { low: Math.round(ltp * 0.8), high: Math.round(ltp * 1.2) }
  const future = (await client.search({ query: 'NIFTY FUT', exchange: 'NFO' })).data.find(
    ({ name }) => name === 'NIFTY',
  )
  nifty = { ...nifty, future: future?.symbol ?? '' }
  expect(future).toMatchObject({ lotsize: 65, freeze_qty: 1800 })

  const limit = { ...base, pricetype: 'LIMIT', price: price.low } as const
  mine.complete = (await client.placeorder(base)).orderid
  mine.cancelled = (await client.placeorder(limit)).orderid
  await client.cancelorder({ strategy: 'x', orderid: mine.cancelled })
  mine.working = (await client.placeorder(limit)).orderid
  mine.stop = (
    await client.placeorder({ ...base, pricetype: 'SL', price: price.high, trigger_price: price.high })
  ).orderid
  for (const id of Object.values(mine)) expectedInBook.set(id, '')

  const other = createClient({ host: server.address, apiKey: (await server.createKey({ account: 'other' })).key })
  foreign = (await other.placeorder(limit)).orderid
  fundsBefore = await steadyFunds()
})

afterAll(async () => {
  await server.stop()
  await server.remove()
})

/** Another account of the same instance. */
async function addAccount(id: string): Promise<void> {
  await server.stop()
  const database = new DatabaseSync(join(server.dataDir, 'money.db'))
  database.prepare("INSERT INTO account (id, venue, created_at) VALUES (?, 'paper', 0)").run(id)
  database.close()
  await server.start()
}

/** The figures that don't move with the market. */
async function steadyFunds(): Promise<object> {
  const { availablecash, utiliseddebits, total_realized_pnl, today_realized_pnl } = (await client.funds()).data
  return { availablecash, utiliseddebits, total_realized_pnl, today_realized_pnl }
}

function post(name: string, fields: object): Promise<Answer> {
  const text = jsonText({ apikey: server.key, ...fields })
  return request(`${server.address}/api/v1/${name}`, { body: new TextEncoder().encode(text) })
}

function expectRefusal(answer: Answer, status: number, code: string): string {
  expect({ status: answer.status, code: answer.body?.code, text: answer.text }).toMatchObject({ status, code })
  const { body } = answer
  expect(body).toMatchObject({
    status: 'error',
    message: expect.any(String),
    request_id: answer.headers.get('x-request-id'),
  })
  return String(body?.message)
}

async function expectInvalid(name: string, fields: object, field: string, shown: string): Promise<void> {
  const answer = await post(name, fields)
  const message = expectRefusal(answer, 400, 'validation_failed')
  expect(answer.body).not.toHaveProperty('orderid')
  expect(answer.body?.errors?.map((error) => error.field)).toEqual([field])
  expect(message).toContain(field)
  expect(message).toContain(shown)
}

const limitOrder = { ...base, pricetype: 'LIMIT', price: 100 } as const
const stopOrder = { ...base, pricetype: 'SL', price: 100, trigger_price: 100 } as const
const NUMBER_FIELDS = [
  ['quantity', base],
  ['price', limitOrder],
  ['trigger_price', stopOrder],
  ['disclosed_quantity', base],
] as const

describe.each(NUMBER_FIELDS)('placeorder: %s', (field, order) => {
  test.each(NO_NUMBERS)('%j is refused by name and value', async (value, shown) => {
    await expectInvalid('placeorder', { ...order, [field]: value }, field, shown)
  })
})

describe.each(NUMBER_FIELDS)('modifyorder: %s', (field, order) => {
  test.each(NO_NUMBERS)('%j is refused by name and value', async (value, shown) => {
    const fields = { ...limitOrder, price: price.low, trigger_price: 0, disclosed_quantity: 0, ...order }
    await expectInvalid('modifyorder', { ...fields, orderid: mine.working, [field]: value }, field, shown)
  })
})

test.each([0, '0', '0.0', '-0', json('-0'), json('0e5')])('a quantity of %j is refused', async (quantity) => {
  await expectInvalid('placeorder', { ...base, quantity }, 'quantity', 'must be a positive number')
  await expectInvalid(
    'modifyorder',
    { ...limitOrder, orderid: mine.working, quantity },
    'quantity',
    'must be a positive number',
  )
})

describe.each(['strategy', 'exchange', 'symbol', 'action', 'pricetype', 'product'])('placeorder: %s', (field) => {
  test.each(NO_TEXTS)('%j is refused by name and value', async (value, shown) => {
    await expectInvalid('placeorder', { ...base, [field]: value }, field, shown)
  })
})

test.each(WRONG_WORDS)('placeorder: %s %j is refused', async (field, value, shown) => {
  await expectInvalid('placeorder', { ...base, [field]: value }, field, shown)
})

test.each(['strategy', 'exchange', 'symbol', 'action', 'quantity'])('an order without %s is refused', async (field) => {
  const order = Object.fromEntries(Object.entries(base).filter(([name]) => name !== field))
  await expectInvalid('placeorder', order, field, 'Missing data for required field.')
})

test.each([
  [{ pricetype: 'LIMIT' }, 'price', 'LIMIT orders require price'],
  [{ pricetype: 'LIMIT', price: 0 }, 'price', 'Got 0'],
  [{ pricetype: 'LIMIT', price: '0.00' }, 'price', 'Got 0'],
  [{ pricetype: 'SL', trigger_price: 100 }, 'price', 'SL orders require price'],
  [{ pricetype: 'SL', price: 100 }, 'trigger_price', 'SL orders require trigger_price'],
  [{ pricetype: 'SL-M' }, 'trigger_price', 'SL-M orders require trigger_price'],
  [{ pricetyp: 'LIMIT', price: 100 }, 'pricetyp', 'did you mean pricetype?'],
  [{ qty: 5 }, 'qty', 'quantity'],
])('an order with %j lacks what it needs', async (fields, field, shown) => {
  await expectInvalid('placeorder', { ...base, ...fields }, field, shown)
})

test.each([
  [{ symbol: 'SBINN' }, ['SBINN', 'SBIN']],
  [{ symbol: 'NOSUCHSYMBOL' }, ['NOSUCHSYMBOL']],
  [{ symbol: 'SBIN', exchange: 'NFO' }, ['SBIN', 'NFO']],
  [{ symbol: 'NIFTY28JAN25FUT', exchange: 'NFO' }, ['NIFTY28JAN25FUT']],
  [{ symbol: "' OR 1=1 --" }, ["' OR 1=1 --"]],
  [{ symbol: '../../etc/passwd' }, ['../../ETC/PASSWD']],
])('an order for %j, which is not listed, is refused with the symbol', async (fields, shown) => {
  const answer = await post('placeorder', { ...base, ...fields })
  const message = expectRefusal(answer, 400, 'symbol_not_found')
  for (const text of shown) expect(message).toContain(text)
  expect(answer.body).not.toHaveProperty('orderid')
})

describe('orders that the exchange or a limit refuses', () => {
  const rejected: readonly (readonly [what: string, fields: () => object, shown: readonly string[]])[] = [
    ['an index', () => ({ symbol: 'NIFTY', exchange: 'NSE_INDEX' }), ['NIFTY', 'index']],
    ['another index', () => ({ symbol: 'SENSEX', exchange: 'BSE_INDEX' }), ['SENSEX', 'index']],
    ['a fraction of a share', () => ({ quantity: 1.5 }), ['1.5', 'SBIN']],
    ['a sliver of a share', () => ({ quantity: '0.000001' }), ['0.000001']],
    ['a price off the tick', () => ({ pricetype: 'LIMIT', price: '900.03' }), ['900.03', '0.05', '900 or 900.05']],
    ['a price below one tick', () => ({ pricetype: 'LIMIT', price: '0.00000001' }), ['0.00000001', '0.05']],
    ['a trigger off the tick', () => ({ pricetype: 'SL-M', trigger_price: 900.01 }), ['Trigger price 900.01', '0.05']],
    ['a quantity off the lot', () => ({ ...inFutures(), quantity: 64 }), ['64', '65']],
    ['a quantity just above a lot', () => ({ ...inFutures(), quantity: 66 }), ['66', '65', '130']],
    ['a quantity above the freeze', () => ({ ...inFutures(), quantity: 1820 }), ['1820', '1800']],
    [
      'more funds than there are',
      () => ({ quantity: 1_000_000 }),
      ['Insufficient funds. Required: ₹', 'Available: ₹', 'Shortage: ₹'],
    ],
    ['the largest quantity there is', () => ({ quantity: 9_007_199_254 }), ['largest']],
    [
      'the largest price there is',
      () => ({ pricetype: 'LIMIT', price: '90071992.5', quantity: 1_000_000_000 }),
      ['largest'],
    ],
    ['selling shares that nobody holds', () => ({ action: 'SELL', product: 'CNC' }), ['SBIN', 'CNC']],
    ['a product of derivatives in shares', () => ({ product: 'NRML' }), ['NRML', 'NSE']],
    ['a product of shares in derivatives', () => ({ ...inFutures(), product: 'CNC' }), ['CNC', 'NFO']],
    ['showing more than there is', () => ({ quantity: 5, disclosed_quantity: 6 }), ['6', '5']],
    [
      'a buy stop above its limit',
      () => ({ pricetype: 'SL', price: price.high, trigger_price: price.high + 1 }),
      ['trigger'],
    ],
    [
      'a sell stop below its limit',
      () => ({ action: 'SELL', pricetype: 'SL', price: price.low, trigger_price: price.low - 1 }),
      ['trigger'],
    ],
  ]
  const inFutures = (): object => ({ symbol: nifty.future, exchange: 'NFO', product: 'NRML' })

  test.each(rejected)('%s: rejected, with the reason in the book', async (_what, fields, shown) => {
    const answer = await post('placeorder', { ...base, ...fields() })
    const message = expectRefusal(answer, 400, 'order_rejected')
    const orderid = String(answer.body?.orderid)
    expect(orderid).toMatch(/^\d{14}$/)
    expectedInBook.set(orderid, message)
    for (const text of shown) expect(message).toContain(text)
    const { data } = await client.orderstatus({ strategy: 'x', orderid })
    expect(data).toMatchObject({ order_status: 'rejected', rejection_reason: message, filled_quantity: 0 })
  })
})

describe('changing orders', () => {
  const change = { strategy: 'x', exchange: 'NSE', symbol: 'SBIN', action: 'BUY', product: 'MIS', quantity: 2 } as const
  const modify = (orderid: unknown, fields: object = {}): Promise<Answer> =>
    post('modifyorder', { ...change, pricetype: 'LIMIT', price: price.low, ...fields, orderid })
  const cancel = (orderid: unknown): Promise<Answer> => post('cancelorder', { strategy: 'x', orderid })

  test('a finished order is neither changed nor cancelled, and the answer says how it ended', async () => {
    for (const state of ['complete', 'cancelled'] as const) {
      const pricetype = state === 'complete' ? 'MARKET' : 'LIMIT'
      expect(expectRefusal(await modify(mine[state], { pricetype }), 400, 'order_not_open')).toContain(state)
      expect(expectRefusal(await cancel(mine[state]), 400, 'order_not_open')).toContain(state)
    }
    const [rejectedId] = [...expectedInBook].find(([, reason]) => reason !== '') ?? ['']
    expect(expectRefusal(await cancel(rejectedId), 400, 'order_not_open')).toContain('rejected')
  })

  test('an unknown order is named', async () => {
    for (const orderid of ['99999999999999', 'abc', "' OR 1=1 --", '0', '-1']) {
      for (const answer of [
        await modify(orderid),
        await cancel(orderid),
        await post('orderstatus', { strategy: 'x', orderid }),
      ]) {
        expect(expectRefusal(answer, 404, 'order_not_found')).toBe(`Order ${orderid} not found`)
      }
    }
  })

  test("another account's order is as unknown as one that never was", async () => {
    for (const answer of [
      await modify(foreign),
      await cancel(foreign),
      await post('orderstatus', { strategy: 'x', orderid: foreign }),
    ]) {
      expect(expectRefusal(answer, 404, 'order_not_found')).toBe(`Order ${foreign} not found`)
    }
  })

  test.each([
    ['', '""'],
    ['1'.repeat(51), '1'.repeat(20)],
    [null, 'null'],
    [true, 'true'],
    [1.5, '1.5'],
    [['26112500000001'], 'a list of 1 item'],
    ['1\u0000', 'U+0000'],
  ])('%j is no order id', async (orderid, shown) => {
    await expectInvalid('cancelorder', { strategy: 'x', orderid }, 'orderid', shown)
    await expectInvalid('orderstatus', { strategy: 'x', orderid }, 'orderid', shown)
    await expectInvalid('modifyorder', { ...limitOrder, orderid }, 'orderid', shown)
  })

  test('what an order is cannot change, and the refusal names it', async () => {
    for (const [field, value] of [
      ['symbol', 'TCS'],
      ['exchange', 'BSE'],
      ['action', 'SELL'],
      ['product', 'CNC'],
      ['pricetype', 'MARKET'],
    ] as const) {
      const message = expectRefusal(await modify(mine.working, { [field]: value }), 400, 'order_unchangeable')
      expect(message).toContain(field)
      expect(message).toContain(value)
    }
  })

  test.each([
    ['a price off the tick', () => ({ price: '900.03' }), '900.03'],
    ['a fraction of a share', () => ({ quantity: '2.5' }), '2.5'],
    ['more funds than there are', () => ({ quantity: 900_000 }), 'Insufficient funds'],
    ['showing more than there is', () => ({ disclosed_quantity: 3 }), '3'],
  ])('a change to %s is refused and the order stays as it was', async (_what, fields, shown) => {
    const before = (await client.orderstatus({ strategy: 'x', orderid: mine.working })).data
    const answer = await modify(mine.working, fields())
    expect(answer.status, answer.text).toBe(400)
    expect(expectRefusal(answer, 400, String(answer.body?.code))).toContain(shown)
    expect((await client.orderstatus({ strategy: 'x', orderid: mine.working })).data).toEqual(before)
  })

  test('a stop cannot get a trigger on the wrong side of its limit', async () => {
    const fields = { pricetype: 'SL', price: price.high, trigger_price: price.high + 1, quantity: 1 }
    const answer = await modify(mine.stop, fields)
    expect(expectRefusal(answer, 400, String(answer.body?.code))).toContain('trigger')
  })
})

describe('after all of it', () => {
  test('funds are what they were, to the paisa', async () => {
    expect(await steadyFunds()).toEqual(fundsBefore)
  })

  test('the book has, newest first, the good orders and the rejected ones with their reasons, and no malformed one', async () => {
    const { orders } = (await client.orderbook()).data
    expect(orders.map(({ orderid, rejection_reason }) => [orderid, rejection_reason])).toEqual(
      [...expectedInBook].reverse(),
    )
  })

  test('working orders still work', async () => {
    const statuses = Object.fromEntries(
      (await client.orderbook()).data.orders.map(({ orderid, order_status }) => [orderid, order_status]),
    )
    expect(statuses).toMatchObject({
      [mine.complete]: 'complete',
      [mine.cancelled]: 'cancelled',
      [mine.working]: 'open',
      [mine.stop]: 'trigger pending',
    })
  })

  test('nothing of it was a bug of the server', () => {
    expect(server.output).not.toContain('request failed')
  })
})
