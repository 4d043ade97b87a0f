import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { OrderReport, Venue } from '../../brokers/venue.ts'
import { Refusal } from '../../kernel/errors.ts'
import { Steps } from '../../kernel/steps.ts'
import type { Statement } from '../../storage/writer.ts'
import type { LegOutcome, Plan } from '../plan.ts'
import { TestFloor, type TestFlow, wanted } from '../test-flow.ts'
import type { Intent, Work } from './intent.ts'

/** Requests that their client named, on the way of every order. What is kept of them is noted, with the book of that moment. */

let floor: TestFloor
let flow: TestFlow
beforeAll(async () => {
  floor = await TestFloor.open()
})
afterAll(() => floor.close())
beforeEach(async () => {
  flow = await floor.flow()
  notes.length = 0
})

const notes: unknown[] = []
const NOTHING: Statement = { sql: 'SELECT 1', parameters: [] }

class NotedIntent implements Intent {
  readonly tag = 'idm_1'
  readonly isResumed: boolean
  work: Work | undefined
  failsToBegin = false

  constructor(work?: Work) {
    this.isResumed = work !== undefined
    this.work = work
  }

  async begin(work: Work): Promise<void> {
    if (this.failsToBegin) throw new Refusal('overloaded', 'too much waits')
    notes.push(['begun', (await flow.book()).length])
    this.work = JSON.parse(JSON.stringify(work)) as Work
  }

  keep(answer: () => unknown): Statement {
    notes.push(['kept', answer()])
    return NOTHING
  }
}

const planOf = (symbols: readonly string[], more: Partial<Plan> = {}): Plan => ({
  legs: symbols.map((symbol, position) => ({ position, order: wanted(symbol, position + 1) })),
  onRefusal: 'continue',
  marginTogether: false,
  ...more,
})
/** `SBIN placed`, or `SBIN risk_order_value`. */
const told = (_plan: Plan, outcomes: readonly LegOutcome[]): string[] =>
  outcomes.map((outcome) => {
    const { symbol } = outcome.leg.order
    return `${symbol} ${outcome.kind === 'refused' ? outcome.refusal.code : outcome.kind}`
  })
const never = (): Plan => {
  throw new Error('what was planned is not planned again')
}
const run = (intent: Intent, expand: () => Plan): Promise<string[]> =>
  flow.orders.run({ account: 'acc', caller: {}, visit: { steps: new Steps(() => 0), intent }, expand, answer: told })
const DENIED = { code: 'risk_order_value', message: 'Risk: too much' }
const denySmallest = (): void => {
  flow.gate.denial = ({ quantity }) => (quantity === wanted('SBIN', 1).quantity ? DENIED : undefined)
}

test('one order, and several that are placed together, are kept with their commit and not begun before', async () => {
  expect(await run(new NotedIntent(), () => planOf(['SBIN']))).toEqual(['SBIN placed'])
  const together = { marginTogether: true }
  expect(await run(new NotedIntent(), () => planOf(['SBIN', 'RELIANCE'], together))).toHaveLength(2)
  expect(notes).toEqual([
    ['kept', ['SBIN placed']],
    ['kept', ['SBIN placed', 'RELIANCE placed']],
  ])
})

test('several that are sent one by one are begun before the first, and kept with the last', async () => {
  const intent = new NotedIntent()
  denySmallest()
  const plan = planOf(['SBIN', 'RELIANCE', 'SBIN'])
  const answer = ['SBIN risk_order_value', 'RELIANCE placed', 'SBIN placed']
  expect(await run(intent, () => plan)).toEqual(answer)
  expect(notes).toEqual([
    ['begun', 0],
    ['kept', answer],
  ])
  expect(intent.work).toEqual({ plan, denied: { 0: 'risk_order_value' } })
})

test('an answer that the last order isn’t part of is left to who asked', async () => {
  denySmallest()
  const sent = run(new NotedIntent(), () => planOf(['SBIN', 'RELIANCE'], { onRefusal: 'stop' }))
  expect(await sent).toEqual(['SBIN risk_order_value', 'RELIANCE not-sent'])
  expect(notes).toEqual([['begun', 0]])
})

test('where it can’t be begun nothing is sent, and nothing is left on its way', async () => {
  const intent = new NotedIntent()
  intent.failsToBegin = true
  await expect(run(intent, () => planOf(['SBIN', 'RELIANCE']))).rejects.toMatchObject({ code: 'overloaded' })
  expect([await flow.book(), flow.gate.onTheirWay, notes]).toEqual([[], 0, []])
})

test('resumed, it goes on with the plan as it was, and what a limit had denied keeps its code', async () => {
  const plan = planOf(['SBIN', 'RELIANCE', 'SBIN'])
  denySmallest()
  const first = { ...plan, legs: plan.legs.slice(0, 1) }
  await run(new NotedIntent({}), () => first)
  flow.gate.denial = ({ symbol }) => (symbol === 'RELIANCE' ? { ...DENIED, code: 'risk_halted' } : undefined)
  const intent = new NotedIntent({ plan, denied: { 0: 'risk_order_value' } })
  notes.length = 0
  const answer = ['SBIN risk_order_value', 'RELIANCE risk_halted', 'SBIN placed']
  expect(await run(intent, never)).toEqual(answer)
  expect(notes).toEqual([
    ['begun', 1],
    ['kept', answer],
  ])
  // So that its end may be found out after another crash
  expect(intent.work?.denied).toEqual({ 0: 'risk_order_value', 1: 'risk_halted' })
  expect(await run(new NotedIntent(intent.work), never)).toEqual(answer)
  expect(await flow.book()).toHaveLength(3)
})

test('resumed before anything was sent, it sends the plan as it was', async () => {
  expect(await run(new NotedIntent({ plan: planOf(['RELIANCE', 'SBIN']) }), never)).toEqual([
    'RELIANCE placed',
    'SBIN placed',
  ])
})

test('resumed when what is missing is listed no more, it sends nothing, and says so', async () => {
  const plan = planOf(['SBIN', 'RELIANCE'])
  await run(new NotedIntent({}), () => ({ ...plan, legs: plan.legs.slice(0, 1) }))
  const work = { plan: { ...plan, legs: [...plan.legs.slice(0, 1), { position: 1, order: wanted('GONE', 1) }] } }
  expect(await run(new NotedIntent(work), never)).toEqual(['SBIN placed', 'GONE not-sent'])
  expect(await flow.book()).toHaveLength(1)
})

test('at a venue that commits nothing alongside, one order is begun before too', async () => {
  const placed: OrderReport[] = []
  const { venue } = flow
  const plain = {
    mode: 'live',
    name: 'plain',
    ordersByTag: (tag: string) => venue.ordersByTag(tag),
    async place(order: Parameters<Venue['place']>[0]) {
      notes.push(['sent', order.tag])
      placed.push(await venue.place(order))
      return placed.at(-1)
    },
  } as unknown as Venue
  flow.reached = plain
  denySmallest()
  const intent = new NotedIntent()
  expect(await run(intent, () => planOf(['SBIN']))).toEqual(['SBIN risk_order_value'])
  expect(notes).toEqual([
    ['begun', 0],
    ['sent', 'idm_1'],
  ])
  // Its answer was lost
  expect(await run(new NotedIntent(intent.work), never)).toEqual(['SBIN risk_order_value'])
  expect(placed).toHaveLength(1)
})
