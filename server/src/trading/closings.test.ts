import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { priceOf, quantityOf, toNumber } from '../kernel/fixed.ts'
import { Steps } from '../kernel/steps.ts'
import { instrumentOf } from '../paper/order.ts'
import { NIFTY_FUT } from '../paper/test-desk.ts'
import { Closings } from './closings.ts'
import { singlePlan } from './plans/single.ts'
import { failingAfter, TestFloor, type TestFlow, wanted } from './test-flow.ts'
import type { OrderRequest } from './trading.ts'

const FUTURE = NIFTY_FUT.symbol
const ASKED = { account: 'acc', caller: {} }

let floor: TestFloor
let flow: TestFlow
let closings: Closings
beforeAll(async () => {
  floor = await TestFloor.open()
})
afterAll(() => floor.close())
beforeEach(async () => {
  flow = await floor.flow()
  closings = new Closings(flow)
})

async function place(...orders: readonly OrderRequest[]): Promise<void> {
  for (const order of orders)
    await flow.orders.run({ ...ASKED, expand: () => singlePlan(order), answer: (_plan, outcomes) => outcomes })
}

/** Sizes and strategies of what closed a symbol. */
const closedBy = async (symbol: string): Promise<[string, number][]> =>
  (await flow.book())
    .filter((order) => order.symbol === symbol && order.strategy === 'AUTO_SQUARE_OFF')
    .map(({ action, quantity }) => [action, toNumber.quantity(quantity)])

describe('closing all', () => {
  test('sells what is held and buys back what is owed, above the freeze quantity in several orders of one story', async () => {
    await place(wanted('SBIN', 5), wanted('RELIANCE', -3), wanted(FUTURE, 1755), wanted(FUTURE, 1755))
    const { rows, outcomes } = await closings.closeAll(ASKED)
    // What is owed first: what is held may be its hedge
    expect([rows, outcomes.map(({ symbol, failure }) => [symbol, failure])]).toEqual([
      3,
      ['RELIANCE', 'SBIN', FUTURE].map((symbol) => [symbol, undefined]),
    ])
    expect(await Promise.all(['SBIN', 'RELIANCE', FUTURE].map(closedBy))).toEqual([
      [['SELL', 5]],
      [['BUY', 3]],
      [
        ['SELL', 1755],
        ['SELL', 1755],
      ],
    ])
    const { orderIds = [] } = outcomes[2] ?? {}
    const orders = (await flow.book()).filter(({ id }) => orderIds.includes(id))
    expect(orders.map(({ root }) => root)).toEqual([orderIds[0], orderIds[0]])
    expect([await flow.held(), flow.gate.onTheirWay]).toEqual([{}, 0])
    expect(await closings.closeAll(ASKED)).toEqual({ rows: 3, outcomes: [] })
  })

  test('names a position that the exchange won’t close, after its first refused order, and closes the others', async () => {
    await place(wanted(FUTURE, 1755), wanted(FUTURE, 65), wanted('SBIN', 5))
    // Since it was bought the lot has become another one
    const today = { ...NIFTY_FUT, lotSize: quantityOf(75), freezeQuantity: quantityOf(900) }
    flow.listed.set(FUTURE, instrumentOf(today))
    const { outcomes } = await closings.closeAll(ASKED)
    expect(await closedBy(FUTURE)).toEqual([
      ['SELL', 900],
      ['SELL', 900],
      ['SELL', 20],
    ])
    expect(outcomes).toMatchObject([
      { symbol: FUTURE, failure: expect.stringContaining('multiples of lot size 75'), orderIds: { length: 3 } },
      { symbol: 'SBIN', failure: undefined },
    ])
    expect(await flow.held()).toEqual({ [FUTURE]: 20 })
    flow.listed.set(FUTURE, instrumentOf({ ...today, lotSize: quantityOf(50), freezeQuantity: quantityOf(0) }))
    expect((await closings.closeAll(ASKED)).outcomes).toMatchObject([{ failure: expect.any(String) }])
    expect([await flow.held(), flow.gate.onTheirWay]).toEqual([{ [FUTURE]: 20 }, 0])
  })

  test('sends at most 100 orders for one position, and says that it is more', async () => {
    for (const quantity of [1755, 1755, 1755, 1365]) await place(wanted(FUTURE, quantity))
    flow.listed.set(FUTURE, instrumentOf({ ...NIFTY_FUT, freezeQuantity: quantityOf(65) }))
    const { outcomes } = await closings.closeAll(ASKED)
    expect(outcomes).toMatchObject([
      { failure: 'more than 100 orders of the freeze quantity would be needed', orderIds: { length: 100 } },
    ])
    expect(await flow.held()).toEqual({ [FUTURE]: 130 })
  })

  test('cancels what works in a position before it looks at it, and leaves other orders alone', async () => {
    const limit = { priceType: 'LIMIT', price: priceOf(150) } as const
    await place(wanted('SBIN', 5), wanted('SBIN', -5, limit), wanted('RELIANCE', -1, limit))
    await closings.closeAll(ASKED)
    expect((await flow.book()).map(({ symbol, status }) => [symbol, status])).toEqual([
      ['SBIN', 'complete'],
      ['SBIN', 'cancelled'],
      ['RELIANCE', 'open'],
      ['SBIN', 'complete'],
    ])
  })

  test('that is halted cancels nothing; the kill switch’s own passes', async () => {
    await place(wanted('SBIN', 5), wanted('SBIN', -5, { priceType: 'LIMIT', price: priceOf(150) }))
    flow.gate.halt = { code: 'risk_halted', message: 'Risk: halted' }
    await expect(closings.closeAll(ASKED)).rejects.toMatchObject({ code: 'risk_halted', message: 'Risk: halted' })
    expect((await flow.book()).map(({ status }) => status)).toEqual(['complete', 'open'])
    expect((await closings.closeAll(ASKED, 'despite-halts')).outcomes).toMatchObject([{ failure: undefined }])
    expect(flow.gate.asked.at(-1)).toMatchObject({ closing: 'despite-halts' })
    expect(await flow.held()).toEqual({})
  })

  test('closes what isn’t listed any more', async () => {
    await place(wanted('SBIN', 5))
    flow.listed.delete('SBIN')
    expect((await closings.closeAll(ASKED)).outcomes).toMatchObject([{ symbol: 'SBIN', failure: undefined }])
    expect(await flow.held()).toEqual({})
  })
})

test('a named closing that broke off goes on with what is still held, and tells the orders of both tries', async () => {
  await place(wanted('SBIN', 5), wanted('RELIANCE', -3), wanted(FUTURE, 65))
  const named = (isResumed: boolean) => ({
    ...ASKED,
    visit: {
      steps: new Steps(() => 0),
      intent: { tag: 'idm_1', isResumed, work: {}, begin: () => Promise.resolve(), keep: notCalled },
    },
  })
  flow.reached = failingAfter(1, flow.venue)
  await expect(closings.closeAll(named(false))).rejects.toThrow('lost the venue')
  const [sent] = (await flow.book()).slice(3)
  expect([sent?.symbol, flow.gate.onTheirWay]).toEqual(['RELIANCE', 0])
  flow.reached = flow.venue
  const { outcomes } = await closings.closeAll(named(true))
  const orders = (await flow.book()).slice(3)
  expect(orders.map(({ tag }) => tag)).toEqual(['idm_1', 'idm_1', 'idm_1'])
  expect(outcomes.map(({ symbol, orderIds, failure }) => [symbol, orderIds, failure])).toEqual(
    ['RELIANCE', 'SBIN', FUTURE].map((symbol, index) => [symbol, [orders[index]?.id], undefined]),
  )
  expect(await flow.held()).toEqual({})
})

test('closing a strategy sells what that has, in its name, however often it is asked for at once', async () => {
  await place(wanted('SBIN', 5), wanted('SBIN', 3, { strategy: 'other' }), wanted('RELIANCE', 1, { strategy: 'other' }))
  await Promise.all([1, 2, 3].map(() => closings.closeStrategy('acc', 's')))
  expect(await flow.held()).toEqual({ SBIN: 3, RELIANCE: 1 })
  expect((await flow.book()).slice(3)).toMatchObject([{ symbol: 'SBIN', strategy: 's', quantity: quantityOf(5) }])
})

function notCalled(): never {
  throw new Error('the answer of one position is kept as that of all')
}
