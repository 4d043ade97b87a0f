import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Refusal } from '../../kernel/errors.ts'
import { priceOf, quantityOf, toNumber } from '../../kernel/fixed.ts'
import type { Leg, LegOutcome, Plan } from '../plan.ts'
import { effectivePosition, smartPlan } from '../plans/smart.ts'
import { failingAfter, TestFloor, type TestFlow, wanted } from '../test-flow.ts'
import type { OrderRequest } from '../trading.ts'

let floor: TestFloor
let flow: TestFlow
beforeAll(async () => {
  floor = await TestFloor.open()
})
afterAll(() => floor.close())
beforeEach(async () => {
  flow = await floor.flow()
})

const legsOf = (orders: readonly OrderRequest[]): Leg[] => orders.map((order, position) => ({ position, order }))
const planOf = (orders: readonly OrderRequest[], more: Partial<Plan> = {}): Plan => ({
  legs: legsOf(orders),
  onRefusal: 'continue',
  marginTogether: false,
  ...more,
})

const run = (plan: Plan): Promise<readonly LegOutcome[]> =>
  flow.orders.run({ account: 'acc', caller: {}, expand: () => plan, answer: (_plan, outcomes) => outcomes })

const refusalOf = async (pending: Promise<unknown>): Promise<Refusal> => {
  const error = await pending.then(
    () => 'nothing was refused',
    (refused: unknown) => refused,
  )
  if (error instanceof Refusal) return error
  throw error
}

const kindsOf = (outcomes: readonly LegOutcome[]): string[] => outcomes.map(({ kind }) => kind)

/** Off its tick: the exchange refuses it, and not because of what is like it. */
const OFF_TICK = { priceType: 'LIMIT', price: priceOf('99.99') } as const
const HUGE = wanted('SBIN', 1_000_000)
const DENIED = { code: 'risk_order_value', message: 'Risk: too much' }
const denyStrategy = (name: string): void => {
  flow.gate.denial = ({ strategy }) => (strategy === name ? DENIED : undefined)
}

describe('a plan of one order', () => {
  test('is placed, and answered with its report', async () => {
    const [outcome] = await run(planOf([wanted('SBIN', 5)]))
    expect(outcome).toMatchObject({ kind: 'placed', report: { symbol: 'SBIN', status: 'complete', leg: 0 } })
    expect(await flow.held()).toEqual({ SBIN: 5 })
  })

  test('carries the tag of the approval that it comes from', async () => {
    const request = { account: 'acc', caller: {}, orderTag: 'APR-7', expand: () => planOf([wanted('SBIN', 5)]) }
    await flow.orders.run({ ...request, answer: () => ({}) })
    expect(await flow.book()).toMatchObject([{ tag: 'APR-7' }])
  })

  test('of an instrument that there is not is refused, and nothing is judged or sent', async () => {
    expect((await refusalOf(run(planOf([wanted('NOSUCH', 1)])))).code).toBe('symbol_not_found')
    expect([flow.gate.asked, await flow.book()]).toEqual([[], []])
  })

  test('that the exchange refuses stands in its book', async () => {
    const [outcome] = await run(planOf([wanted('SBIN', 1, OFF_TICK)]))
    const [order] = await flow.book()
    expect(outcome).toMatchObject({ kind: 'refused', orderId: order?.id, refusal: { code: 'order_rejected' } })
    expect(order).toMatchObject({ status: 'rejected', reason: expect.stringContaining('tick size') })
  })

  test('that a limit denies stands in the book with that, and isn’t on its way', async () => {
    denyStrategy('s')
    const [outcome] = await run(planOf([wanted('SBIN', 1)]))
    expect(outcome).toMatchObject({ kind: 'refused', refusal: DENIED })
    expect(await flow.book()).toMatchObject([{ status: 'rejected', reason: DENIED.message }])
    expect(flow.gate.onTheirWay).toBe(0)
  })

  test('of an account without a venue is refused', async () => {
    flow.reached = undefined
    expect((await refusalOf(run(planOf([wanted('SBIN', 1)])))).code).toBe('venue_unavailable')
  })
})

describe('a plan of several orders', () => {
  test('sends nothing when one of them can’t be an order, and names each by its place in the request', async () => {
    const orders = [wanted('SBIN', 1), wanted('NOSUCH', 1), wanted('SBIN', 1, OFF_TICK)]
    const refusal = await refusalOf(run(planOf(orders, { listName: 'legs' })))
    expect(refusal).toMatchObject({
      code: 'validation_failed',
      errors: [{ field: 'legs[1].symbol' }, { field: 'legs[2]' }],
    })
    expect([flow.gate.asked, await flow.book()]).toEqual([[], []])
  })

  test('sends them in its order and answers in that of the request; all belong to one story', async () => {
    const [first, second, third] = legsOf([wanted('SBIN', 1), wanted('RELIANCE', 2), wanted('SBIN', 3)])
    if (first === undefined || second === undefined || third === undefined) throw new Error('three were asked for')
    const outcomes = await run({ ...planOf([]), legs: [third, first, second] })
    expect(outcomes.map(({ leg }) => leg.position)).toEqual([0, 1, 2])
    const book = await flow.book()
    expect(book.map(({ leg }) => leg)).toEqual([2, 0, 1])
    expect(new Set(book.map(({ root }) => root))).toEqual(new Set([book[0]?.id]))
  })

  test.each([
    // What the second of three meets, what the plan says of that, what becomes of the three
    ['a limit', 'continue', ['placed', 'refused', 'placed']],
    ['a limit', 'stop', ['placed', 'refused', 'not-sent']],
    ['a limit', 'stop-if-it-repeats', ['placed', 'refused', 'placed']],
    ['a lack of funds', 'continue', ['placed', 'refused', 'placed']],
    ['a lack of funds', 'stop-if-it-repeats', ['placed', 'refused', 'not-sent']],
  ] as const)('after %s does with %s: %j', async (what, onRefusal, expected) => {
    denyStrategy('denied')
    const second = what === 'a limit' ? wanted('SBIN', 1, { strategy: 'denied' }) : HUGE
    const outcomes = await run(planOf([wanted('SBIN', 1), second, wanted('SBIN', 1)], { onRefusal }))
    expect(kindsOf(outcomes)).toEqual(expected)
    expect(await flow.book()).toHaveLength(expected.filter((kind) => kind !== 'not-sent').length)
    expect(flow.gate.onTheirWay).toBe(0)
  })

  test('sends no order without those that it needs, and nothing that needs it', async () => {
    denyStrategy('denied')
    const [hedge, sale, next, other] = legsOf([
      wanted('SBIN', 1, { strategy: 'denied' }),
      ...[1, 2, 3].map((quantity) => wanted('SBIN', quantity)),
    ])
    if (hedge === undefined || sale === undefined || next === undefined || other === undefined)
      throw new Error('four were asked for')
    const outcomes = await run({
      ...planOf([]),
      legs: [hedge, { ...sale, needs: [0] }, { ...next, needs: [1] }, other],
    })
    expect(kindsOf(outcomes)).toEqual(['refused', 'not-sent', 'not-sent', 'placed'])
    expect(outcomes[1]).toMatchObject({
      reason: 'Not sent, because order 1, which it relies on, was not accepted.',
    })
    expect(flow.gate.onTheirWay).toBe(0)
  })

  test('as one thing: none is taken when all together can’t be paid', async () => {
    const apart = await run(planOf([wanted('SBIN', 300_000), wanted('RELIANCE', 300_000)]))
    expect(kindsOf(apart)).toEqual(['placed', 'refused'])
    await run(planOf([wanted('SBIN', -300_000)]))
    const together = await run(planOf([wanted('SBIN', 300_000), wanted('RELIANCE', 300_000)], { marginTogether: true }))
    expect(kindsOf(together)).toEqual(['refused', 'refused'])
    expect([await flow.held(), flow.gate.onTheirWay]).toEqual([{}, 0])
  })

  test('of which the venue takes only the first leaves none on its way', async () => {
    flow.reached = failingAfter(1, flow.venue)
    await expect(run(planOf([1, 2, 3].map((quantity) => wanted('SBIN', quantity))))).rejects.toThrow('lost the venue')
    expect([await flow.held(), flow.gate.onTheirWay]).toEqual([{ SBIN: 1 }, 0])
  })

  test('that only closes is sent order by order, each judged as a closing; one that can’t be is refused alone', async () => {
    const plan = planOf([wanted('SBIN', 1, OFF_TICK), wanted('SBIN', 2)], { closing: 'unless-halted' })
    expect(kindsOf(await run(plan))).toEqual(['refused', 'placed'])
    expect(flow.gate.asked).toMatchObject([{ closing: 'unless-halted' }])
  })

  test('without orders is answered without asking anybody', async () => {
    expect([await run(planOf([])), flow.gate.asked]).toEqual([[], []])
  })
})

test('requests that look at a position first take turns, whatever they come to', async () => {
  const position = { symbol: 'SBIN', exchange: 'NSE', product: 'MIS' } as const
  const bringTo = (target: number): Promise<number> =>
    flow.orders.run({
      account: 'acc',
      caller: {},
      position,
      async expand() {
        const held = effectivePosition(await flow.venue.standing(position))
        return smartPlan(wanted('SBIN', 1), held, quantityOf(target))
      },
      answer: (_plan, outcomes) => outcomes.length,
    })
  const failing = expect(
    flow.orders.run({
      account: 'acc',
      caller: {},
      position,
      expand: () => Promise.reject(new Error('no plan')),
      answer: () => ({}),
    }),
  ).rejects.toThrow('no plan')
  const counts = await Promise.all([...Array.from({ length: 5 }, () => bringTo(7)), bringTo(-7), bringTo(-7)])
  await failing
  expect(counts).toEqual([1, 0, 0, 0, 0, 1, 0])
  expect((await flow.book()).map(({ quantity }) => toNumber.quantity(quantity))).toEqual([7, 14])
})
