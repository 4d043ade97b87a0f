import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { GttReport } from '../brokers/gtt.ts'
import type { Venue } from '../brokers/venue.ts'
import { ManualClock } from '../kernel/clock.ts'
import { moneyOf, priceOf, quantityOf } from '../kernel/fixed.ts'
import { Steps } from '../kernel/steps.ts'
import { instrumentOf } from '../paper/order.ts'
import type { PaperExchange } from '../paper/paper-exchange.ts'
import { QuoteBoard } from '../paper/quote-board.ts'
import { SBIN } from '../paper/test-desk.ts'
import { openTestExchange } from '../paper/test-exchange.ts'
import { type Databases, openDatabases } from '../storage/open.ts'
import type { Intent, Work } from './flow/intent.ts'
import { type GttAsker, type GttChangeRequest, type GttRequest, Gtts } from './gtt.ts'
import { type Denial, OPEN_GATE, type RiskRequest } from './risk/gate.ts'

/** GTT orders between the limits and a venue: the paper exchange. */

const ASKER = { account: 'default', keyId: 'key-1' }
const clock = new ManualClock('2026-11-25T05:00:00Z')
const board = new QuoteBoard(() => clock.now())
let folder = ''
let databases: Databases
let exchange: PaperExchange
let venue: Venue

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-gtts-'))
  databases = await openDatabases(folder, clock)
  exchange = await openTestExchange({
    databases,
    accounts: ['default'],
    marketData: board,
    clock,
  })
  const opened = exchange.venue('default')
  if (opened === undefined) throw new Error('the default account has a venue')
  venue = opened
  board.set('SBIN', 500)
})
beforeEach(() => exchange.venue('default')?.reset(moneyOf(10_000_000)))
afterAll(async () => {
  await exchange.close()
  await databases.close()
  rmSync(folder, { recursive: true })
})

function gttsWith(denial: Denial | undefined, at: Venue = venue) {
  const asked: RiskRequest[] = []
  const settled: unknown[] = []
  const gtts = new Gtts({
    find: (symbol) => (symbol === 'SBIN' ? instrumentOf(SBIN) : undefined),
    nearest: () => ['SBIN'],
    venueOf: (account) => (account === 'default' ? at : undefined),
    gate: {
      ...OPEN_GATE,
      judge(request) {
        asked.push(request)
        return [denial]
      },
      settle(request, index, orderId) {
        settled.push([asked.indexOf(request), index, orderId])
      },
    },
  })
  const told = (report: GttReport): GttReport => report
  return {
    gtts: {
      all: (account: string) => gtts.all(account),
      byTag: (account: string, tag: string) => gtts.byTag(account, tag),
      find: (account: string, id: string) => gtts.find(account, id),
      cancelAll: (account: string) => gtts.cancelAll(account),
      place: (asker: GttAsker, request: GttRequest) => gtts.place(asker, request, told),
      modify: (asker: GttAsker, request: GttChangeRequest) => gtts.modify(asker, request, told),
      cancel: (asker: GttAsker, id: string) => gtts.cancel(asker, id, told),
    },
    asked,
    settled,
  }
}

const REQUEST: GttRequest = {
  symbol: 'SBIN',
  exchange: 'NSE',
  action: 'BUY',
  product: 'CNC',
  quantity: quantityOf(10),
  priceType: 'LIMIT',
  legs: [
    { direction: 'below', triggerPrice: priceOf(490), price: priceOf(495) },
    { direction: 'above', triggerPrice: priceOf(510), price: priceOf(505) },
  ],
  strategy: 's',
  expiresAt: undefined,
}
const DENIAL = { code: 'risk_order_value', message: 'Risk: order_value of account default is 1000.00, got 5100.00.' }

describe('the limits', () => {
  it('are asked for the dearest leg, as for a stop that waits, and told when it is over', async () => {
    const { gtts, asked, settled } = gttsWith(undefined)
    const { id } = await gtts.place(ASKER, REQUEST)
    const { legs, quantity } = REQUEST
    await gtts.modify(ASKER, { ...REQUEST, id, legs: [...legs].slice(0, 2), quantity, priceType: 'MARKET' })
    const order = { symbol: 'SBIN', action: 'BUY', triggerPrice: priceOf(510), price: priceOf(505), strategy: 's' }
    expect(asked).toMatchObject([
      { ...ASKER, waits: true, orders: [{ order: { ...order, priceType: 'SL' } }] },
      { ...ASKER, waits: true, orders: [{ order: { ...order, priceType: 'SL-M' } }] },
    ])
    expect(settled).toEqual([
      [0, 0, undefined],
      [1, 0, undefined],
    ])
  })

  it('are told also when the venue refuses', async () => {
    const { gtts, settled } = gttsWith(undefined)
    const tooMuch = gtts.place(ASKER, { ...REQUEST, quantity: quantityOf(1_000_000) })
    await expect(tooMuch).rejects.toMatchObject({ code: 'order_rejected' })
    expect(settled).toHaveLength(1)
  })

  it('deny with their code and words, and what they denied can be read', async () => {
    const { gtts, settled } = gttsWith(DENIAL)
    const extra = { mode: 'analyze', trigger_id: expect.any(String) }
    await expect(gtts.place(ASKER, REQUEST)).rejects.toMatchObject({ ...DENIAL, extra })
    expect(await gtts.all('default')).toMatchObject([{ status: 'rejected', reason: DENIAL.message, margin: 0 }])
    expect(settled).toEqual([])
  })

  it('deny a change, which then changes nothing', async () => {
    const { id } = await gttsWith(undefined).gtts.place(ASKER, REQUEST)
    const { gtts } = gttsWith(DENIAL)
    const before = await gtts.find('default', id)
    const change = gtts.modify(ASKER, { ...REQUEST, id, quantity: quantityOf(20) })
    const message = 'Risk: order_value of account default is 1000.00, got 5100.00. The GTT is unchanged.'
    await expect(change).rejects.toMatchObject({ code: DENIAL.code, message })
    expect(await gtts.find('default', id)).toEqual(before)
  })
})

it('cancelling all leaves none active; when there are none, nothing is cancelled', async () => {
  const { gtts } = gttsWith(undefined)
  const placed = [await gtts.place(ASKER, REQUEST), await gtts.place(ASKER, REQUEST)]
  expect(await gtts.cancelAll('default')).toEqual({ cancelled: placed.map(({ id }) => id), failed: [] })
  expect((await gtts.all('default')).map(({ status }) => status)).toEqual(['cancelled', 'cancelled'])
  expect(await gtts.cancelAll('default')).toEqual({ cancelled: [], failed: [] })
})

it('of two at once who cancel all, each cancels what the other has not', async () => {
  const { gtts } = gttsWith(undefined)
  const ids = await Promise.all(Array.from({ length: 20 }, async () => (await gtts.place(ASKER, REQUEST)).id))
  const [one, two] = await Promise.all([gtts.cancelAll('default'), gtts.cancelAll('default')])
  expect([...one.cancelled, ...two.cancelled].sort()).toEqual(ids.sort())
  for (const { id, message } of [...one.failed, ...two.failed])
    expect(message).toBe(`No active GTT with trigger_id '${id}'`)
})

describe('a request that began before a crash', () => {
  const resumedAs = (tag: string, work: Work = {}): GttAsker => {
    const intent: Intent = {
      ...{ tag, isResumed: true, work },
      begin: () => Promise.resolve(),
      keep: () => ({ sql: 'SELECT 1', parameters: [] }),
    }
    return { ...ASKER, visit: { steps: new Steps(() => 0), intent } }
  }
  const resumed = resumedAs('idem-1')

  it('is answered by what it placed, and places nothing again', async () => {
    const { gtts, asked } = gttsWith(undefined)
    const first = await gtts.place(resumed, REQUEST)
    const second = await gtts.place(resumed, REQUEST)
    expect([second, await gtts.all('default'), asked.length]).toEqual([first, [first], 1])
    expect(first.tag).toBe('idem-1')
  })

  it('is answered by its refusal again', async () => {
    const { gtts } = gttsWith(undefined)
    const asker = resumedAs('idem-2')
    const place = () => gtts.place(asker, { ...REQUEST, quantity: quantityOf(1_000_000) })
    const reasons = await Promise.allSettled([await place().catch((error: Error) => error.message), place()])
    expect(reasons[1]).toMatchObject({ reason: { message: (reasons[0] as { value: string }).value } })
    expect(await gtts.all('default')).toHaveLength(1)
  })

  it('is answered by the limits’ denial again, as it began', async () => {
    const { gtts } = gttsWith(DENIAL)
    const asker = resumedAs('idem-3', { denied: { 0: 'risk_order_value' } })
    const place = () => gtts.place(asker, REQUEST)
    await expect(place()).rejects.toMatchObject(DENIAL)
    await expect(place()).rejects.toMatchObject(DENIAL)
    expect(await gtts.all('default')).toHaveLength(1)
  })

  it('to change or cancel is answered as done when it is done, and done when it is not', async () => {
    const { gtts } = gttsWith(undefined)
    const { id } = await gtts.place(ASKER, REQUEST)
    const change = { ...REQUEST, id, quantity: quantityOf(20) }
    const changed = await gtts.modify(resumed, change)
    expect(changed.quantity).toBe(quantityOf(20))
    expect(await gtts.modify(resumed, change)).toEqual(changed)
    const cancelled = await gtts.cancel(resumed, id)
    expect(await gtts.cancel(resumed, id)).toEqual(cancelled)
    expect((await gtts.modify(resumed, change)).status).toBe('cancelled')
    await expect(gtts.cancel(ASKER, id)).rejects.toMatchObject({ code: 'gtt_not_found' })
  })
})

describe('a venue that keeps none', () => {
  const without = () => {
    const { gtt: _, ...rest } = venue
    return gttsWith(undefined, { ...rest, name: 'plain', mode: 'live' }).gtts
  }

  it('is said to be the reason', async () => {
    const refusal = { code: 'not_implemented', message: expect.stringContaining('not supported by plain') }
    await expect(without().place(ASKER, REQUEST)).rejects.toMatchObject(refusal)
    await expect(without().all('default')).rejects.toMatchObject(refusal)
  })

  it('has none to cancel, and none of any tag', async () => {
    expect(await without().cancelAll('default')).toEqual({ cancelled: [], failed: [] })
    expect(await without().byTag('default', 'apv-1')).toEqual([])
  })
})
