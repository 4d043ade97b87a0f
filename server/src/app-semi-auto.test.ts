import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { approvedOperations } from './api/approved.ts'
import { holdForApproval } from './api/middleware/hold-for-approval.ts'
import type { AnyOperation } from './api/operation.ts'
import type { Services } from './api/services.ts'
import { operations } from './api/v1/index.ts'
import { Visit } from './api/visit.ts'
import { type App, createApp } from './app.ts'
import { loadConfig } from './config.ts'
import { OWNER } from './identity/audit.ts'
import type { Role } from './identity/caller.ts'
import { ManualClock } from './kernel/clock.ts'
import type { Approval } from './trading/approvals.ts'

/** Semi-automatic mode on the whole platform, as programs and people meet it. */

const LIMITS = {
  ADDRESS_RATE_LIMIT: '1000000 per second',
  API_RATE_LIMIT: '1000000 per second',
  ORDER_RATE_LIMIT: '10 per second',
}
const SECRET = `sk_${'k'.repeat(43)}`

let folder: string
let clock: ManualClock
let app: App
/** In semi-automatic mode. */
let account: string
/** The account's owner, a stranger with an account of their own, and an admin without one. */
let owner: Person
let stranger: Person
let admin: Person
let key: { readonly id: string; readonly text: string }

interface Person {
  readonly userId: string
  readonly name: string
  readonly cookie: string
}

async function start(settings: Record<string, string> = {}): Promise<void> {
  app = await createApp(
    loadConfig({ DATA_DIR: folder, ...LIMITS, ...settings }, folder),
    clock,
    pino({ level: 'silent' }),
  )
}

let people = 0

async function person(role: Role): Promise<Person> {
  const { users, sessions } = app.identity
  people += 1
  const name = `${role}-${people}`
  const { id } = await users.create({ name, email: `${name}@example.com`, role, passwordHash: 'none' })
  return { userId: id, name, cookie: `sauda_session=${(await sessions.begin(id, '', '')).token}` }
}

const newKey = (more: { scopes?: readonly string[] } = {}) =>
  app.keys.createKey({ account, userId: owner.userId, name: 'bot', scopes: ['trade'], ...more }, OWNER)

async function restart(settings: Record<string, string> = {}): Promise<void> {
  await app.close()
  await start(settings)
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-semi-auto-'))
  clock = new ManualClock('2026-11-25T11:00:00+05:30')
  await start()
})
beforeEach(async () => {
  owner = await person('trader')
  account = (await app.accounts.create(owner.userId, 'default', OWNER)).id
  stranger = await person('trader')
  await app.accounts.create(stranger.userId, 'default', OWNER)
  admin = await person('admin')
  key = await newKey()
  await app.accounts.setOrderMode(account, 'semi_auto', OWNER)
})
afterAll(async () => {
  await app.close()
  rmSync(folder, { recursive: true })
})

type Body = Readonly<Record<string, unknown>>

async function send(
  name: string,
  input: object,
  headers: Record<string, string>,
): Promise<{ status: number; body: Body }> {
  const answer = await app.http.inject({ method: 'POST', url: `/api/v1/${name}`, payload: input, headers })
  return { status: answer.statusCode, body: answer.json() }
}
const byKey = (name: string, input: object = {}) => send(name, input, { 'x-api-key': key.text })
const by = ({ cookie }: Person, name: string, input: object = {}) => send(name, input, { cookie })
const outcome = ({ status, body }: { status: number; body: Body }) => [status, body['code'] ?? body['status']]

const LEG = { exchange: 'NSE', symbol: 'SBIN', action: 'BUY', quantity: 1, product: 'MIS' }
const ORDER = { strategy: 'bot', ...LEG }

async function queued(more: object = {}): Promise<number> {
  const { body } = await byKey('placeorder', { ...ORDER, ...more })
  return Number(body['pending_order_id'])
}
async function orderbook(): Promise<readonly Body[]> {
  const { body } = await byKey('orderbook')
  return (body['data'] as { orders: Body[] }).orders
}
async function approvals(query = ''): Promise<{ data: readonly Body[]; statistics: Body }> {
  const url = `/api/v1/approvals?${query}`
  const answer = await app.http.inject({ method: 'GET', url, headers: { 'x-api-key': key.text } })
  return answer.json()
}

describe('an order by key in semi-automatic mode', () => {
  it('waits, and the answer has no order id', async () => {
    const sent = { ...ORDER, action: 'buy', pricetype: 'LIMIT', price: '500.5' }
    expect(await byKey('placeorder', sent)).toEqual({
      status: 200,
      body: {
        message: 'Order queued for approval in Action Center',
        mode: 'semi_auto',
        pending_order_id: expect.any(Number),
        status: 'success',
      },
    })
    expect(await orderbook()).toEqual([])
    const { data, statistics } = await approvals()
    expect(data).toEqual([
      expect.objectContaining({
        id: expect.any(Number),
        account,
        action: 'BUY',
        created_at: clock.now(),
        decided_at: null,
        decided_by: null,
        exchange: 'NSE',
        expires_at: clock.now() + 30 * 60_000,
        key_id: key.id,
        operation: 'placeorder',
        orderids: [],
        price: '500.5',
        price_type: 'LIMIT',
        product_type: 'MIS',
        quantity: '1',
        request: sent,
        status: 'pending',
        strategy: 'bot',
        symbol: 'SBIN',
      }),
    ])
    expect(statistics).toMatchObject({ total_pending: 1, total_executed: 0 })
  })

  it.each([
    ['a field that there is not', { pricetyp: 'LIMIT' }, 'validation_failed'],
    ['a price type without its price', { pricetype: 'LIMIT' }, 'validation_failed'],
    ['a symbol that there is not', { symbol: 'NOSUCH' }, 'symbol_not_found'],
    ['a product of another segment', { product: 'NRML' }, 'order_rejected'],
    ['a price off the tick', { pricetype: 'LIMIT', price: 500.001 }, 'order_rejected'],
  ])('is refused at once with %s', async (_, more, code) => {
    expect(outcome(await byKey('placeorder', { ...ORDER, ...more }))).toEqual([400, code])
    expect((await approvals()).data).toEqual([])
  })

  it('is refused when no field but the key is wrong, so that nobody learns of it', async () => {
    const read = await newKey({ scopes: ['read'] })
    expect(outcome(await send('placeorder', ORDER, { 'x-api-key': read.text }))).toEqual([403, 'scope_missing'])
    expect((await approvals()).data).toEqual([])
  })

  it('keeps no key, wherever one stands in the request', async () => {
    const { body } = await byKey('placeorder', {
      ...ORDER,
      apikey: key.text,
      target: { nested: [SECRET] },
      stoploss: key.text.slice(0, -1),
    })
    expect(body['warnings']).toHaveLength(2) // what has no effect is told now, not when it is too late
    const [approval] = (await approvals()).data
    expect(approval?.['request']).toMatchObject({ target: { nested: ['[scrubbed]'] } })
    expect(approval?.['request']).not.toHaveProperty('apikey')
    await app.close()
    for (const file of readdirSync(folder)) {
      const text = readFileSync(join(folder, file), 'latin1')
      expect([file, text.includes(SECRET), text.includes(key.text)]).toEqual([file, false, false])
    }
    await start()
  })

  it.each([
    ['modifyorder', { ...ORDER, orderid: '26112500000001', pricetype: 'LIMIT', price: 500 }, 'Modify order'],
    ['cancelorder', { strategy: 'bot', orderid: '26112500000001' }, 'Cancel order'],
    ['cancelallorder', { strategy: 'bot' }, 'Cancel all orders'],
    ['closeposition', { strategy: 'bot' }, 'Close position'],
  ])('%s is refused', async (name, input, what) => {
    const { status, body } = await byKey(name, input)
    expect([status, body['code']]).toEqual([403, 'semi_auto'])
    expect(body['message']).toContain(`${what} operation is not allowed in Semi-Auto mode. Please switch to Auto mode`)
    await app.accounts.setOrderMode(account, 'auto', OWNER)
    expect((await byKey(name, input)).body['code']).not.toBe('semi_auto')
  })

  it('analyzer/toggle is refused', async () => {
    const { id } = await app.accounts.create(admin.userId, 'default', OWNER)
    await app.accounts.setOrderMode(id, 'semi_auto', OWNER)
    const wanted = { account: id, userId: admin.userId, name: 'a', scopes: ['admin'] }
    const { text } = await app.keys.createKey(wanted, OWNER)
    expect(outcome(await send('analyzer/toggle', { mode: true }, { 'x-api-key': text }))).toEqual([403, 'semi_auto'])
  })

  it('goes to the venue at once when a person sends it, or when the account is in automatic mode', async () => {
    expect(await by(owner, 'placeorder', ORDER)).toMatchObject({ status: 200, body: { mode: 'analyze' } })
    await app.accounts.setOrderMode(account, 'auto', OWNER)
    expect(await byKey('placeorder', ORDER)).toMatchObject({ status: 200, body: { mode: 'analyze' } })
    expect(await orderbook()).toHaveLength(2)
  })
})

describe('the decision', () => {
  it('is found by the name of its request', async () => {
    const status = () => byKey('orderstatus', { strategy: 'bot', client_order_id: 'waits' })
    const id = await queued({ client_order_id: 'waits' })
    expect(await status()).toMatchObject({
      status: 404,
      body: {
        code: 'order_not_found',
        message: `The request named waits has led to no order: its approval ${id} is pending`,
      },
    })
    await by(owner, 'approvals/approve', { id })
    const [order] = await orderbook()
    expect(await status()).toMatchObject({ status: 200, body: { data: { orderid: order?.['orderid'] } } })
  })

  it('is carried out once, however many approve at the same moment', async () => {
    const seen: Approval[] = []
    app.bus.subscribe('approval', {
      name: 'test',
      handle: (approval) => void seen.push(approval),
      onError: () => undefined,
    })
    const id = await queued()
    const answers = await Promise.all(Array.from({ length: 5 }, () => by(owner, 'approvals/approve', { id })))
    expect(answers.map(outcome).sort()).toEqual([[200, 'success'], ...Array(4).fill([409, 'approval_decided'])])
    const [order, ...others] = await orderbook()
    expect([order, others]).toMatchObject([{ strategy: 'bot', order_status: 'complete' }, []])
    const executed = answers.find(({ status }) => status === 200)
    expect(executed?.body).toMatchObject({
      message: 'Order approved and executed successfully',
      data: { status: 'executed', decided_by: owner.name, orderids: [order?.['orderid']] },
    })
    expect(seen.map(({ status }) => status)).toEqual(['pending', 'executing', 'executed'])
    const { rows } = await app.audit.list({ action: 'approval', target: String(id) }, 9, undefined)
    expect(rows).toMatchObject([
      { actor: owner.name, action: 'approval.executed', detail: { account, orderids: [order?.['orderid']] } },
      { actor: owner.name, action: 'approval.approved' },
    ])
    expect((await approvals('status=executed')).data).toHaveLength(1)
    expect((await approvals('status=pending')).data).toHaveLength(0)
  })

  it('to place a trigger places it, and names it', async () => {
    const prices = { trigger_type: 'SINGLE', product: 'CNC', price: 500, triggerprice_sl: 505 }
    const { body } = await byKey('placegttorder', { ...ORDER, ...prices })
    expect(body).toMatchObject({ mode: 'semi_auto', pending_order_id: expect.any(Number) })
    expect((await byKey('gttorderbook')).body['data']).toEqual([])
    const decided = await by(owner, 'approvals/approve', { id: Number(body['pending_order_id']) })
    const { data } = (await byKey('gttorderbook')).body as { data: readonly Body[] }
    expect(data).toHaveLength(1)
    expect(decided.body['data']).toMatchObject({ status: 'executed', orderids: [data[0]?.['trigger_id']] })
  })

  it('to send is in the order log under the request that asked, beside what it was answered', async () => {
    const id = await queued()
    await by(owner, 'approvals/approve', { id })
    const [order] = await orderbook()
    const { data } = await approvals()
    const rows = await app.http.inject({
      method: 'GET',
      url: `/api/v1/logs/orders?request_id=${data[0]?.['request_id']}`,
      headers: { 'x-api-key': key.text },
    })
    expect(rows.json()).toMatchObject({
      data: [
        { operation: 'placeorder', status: 200, key_id: key.id, orderid: order?.['orderid'] },
        { operation: 'placeorder', status: 200, key_id: key.id, answer: { pending_order_id: id } },
      ],
    })
  })

  it('not to send ends it, with the reason', async () => {
    const id = await queued()
    const { status, body } = await by(owner, 'approvals/reject', { id, reason: 'too late' })
    expect([status, body['data']]).toMatchObject([
      200,
      { status: 'rejected', reason: 'too late', decided_by: owner.name },
    ])
    expect(outcome(await by(owner, 'approvals/approve', { id }))).toEqual([409, 'approval_decided'])
    expect(await orderbook()).toEqual([])
  })

  it('on all that waits is one answer, and says what failed', async () => {
    await queued()
    const dear = await queued({ quantity: 10_000_000 })
    await queued()
    const { body } = await by(owner, 'approvals/approve-all')
    expect(body).toEqual({
      approved_count: 3,
      executed_count: 2,
      failed_executions: [{ error: expect.stringContaining('Insufficient funds'), order_id: dear }],
      message: 'Approved 3 orders, executed 2',
      status: 'success',
      still_waiting: [],
    })
    expect((await approvals('status=failed')).data).toMatchObject([{ id: dear, orderids: [expect.any(String)] }])
    expect((await by(owner, 'approvals/approve-all')).body).toMatchObject({ approved_count: 0 })
  })

  it('costs as much of the limit on orders as it sends, and on all that waits is made wholly or not at all', async () => {
    const basket = (orders: number) => byKey('basketorder', { strategy: 'bot', orders: Array(orders).fill(LEG) })
    const first = Number((await basket(6)).body['pending_order_id'])
    await basket(4)
    expect(outcome(await by(owner, 'approvals/approve', { id: first }))).toEqual([200, 'success'])
    expect((await by(owner, 'approvals/approve-all')).body).toMatchObject({ executed_count: 1 })
    expect(outcome(await by(owner, 'placeorder', ORDER))).toEqual([429, 'rate_limited'])
    clock.advance(1_000)
    await basket(9)
    await queued()
    expect(outcome(await by(owner, 'placeorder', ORDER))).toEqual([200, 'success'])
    expect(await by(owner, 'approvals/approve-all')).toMatchObject({
      status: 429,
      body: { retry_after: 1, message: expect.stringContaining('counts as 10') },
    })
    expect((await approvals('status=pending')).data).toHaveLength(2)
    clock.advance(1_000)
    expect((await by(owner, 'approvals/approve-all')).body).toMatchObject({ executed_count: 2, still_waiting: [] })
  })

  it('on all that waits sends as many orders as a basket has, and names what is left', async () => {
    const large = { strategy: 'bot', splitsize: 1, ...LEG, quantity: 60 }
    await byKey('splitorder', large)
    clock.advance(10_000)
    const second = Number((await byKey('splitorder', large)).body['pending_order_id'])
    clock.advance(1_000)
    const { body } = await by(owner, 'approvals/approve-all')
    expect(body).toMatchObject({ executed_count: 1, still_waiting: [second] })
  })

  it('is for people with the right to trade on that account, and for admins', async () => {
    const id = await queued()
    const viewer = await person('viewer')
    for (const name of ['approvals/approve', 'approvals/reject'] as const) {
      expect(outcome(await byKey(name, { id }))).toEqual([403, 'session_required'])
      expect(outcome(await by(viewer, name, { id }))).toEqual([403, 'role_missing'])
      expect(outcome(await by(stranger, name, { id }))).toEqual([404, 'not_found'])
      expect(outcome(await by(owner, name, { id: 99_999 }))).toEqual([404, 'not_found'])
    }
    expect(outcome(await byKey('approvals/approve-all'))).toEqual([403, 'session_required'])
    expect(outcome(await by(viewer, 'approvals/approve-all'))).toEqual([403, 'role_missing'])
    expect((await by(stranger, 'approvals/approve-all')).body).toMatchObject({ approved_count: 0 })
    expect((await approvals()).data).toMatchObject([{ status: 'pending' }])
    expect(outcome(await by(admin, 'approvals/approve', { id }))).toEqual([200, 'success'])
    expect(outcome(await by(stranger, 'approvals/approve', { id }))).toEqual([404, 'not_found'])
  })

  it.each<[string, () => Promise<unknown>]>([
    ['was revoked', () => app.keys.revoke(key.id, OWNER)],
    ['has a user who may trade no more', () => app.identity.changeUser(owner.userId, { role: 'viewer' }, OWNER)],
    ['has a user who was disabled', () => app.identity.changeUser(owner.userId, { disabled: true }, OWNER)],
  ])('to send what a key asked for that %s fails', async (_, happens) => {
    const id = await queued()
    await happens()
    const { status, body } = await by(admin, 'approvals/approve', { id })
    expect([status, body['data']]).toMatchObject([200, { status: 'failed', reason: expect.stringContaining(key.id) }])
    expect(await app.paper.venue(account)?.orders()).toEqual([])
  })

  it('to send what a key asked for that has expired meanwhile fails', async () => {
    await app.keys.rotate(key.id, 1, OWNER)
    clock.advance(50 * 60_000)
    const id = await queued()
    clock.advance(10 * 60_000)
    const { body } = await by(admin, 'approvals/approve', { id })
    expect(body['data']).toMatchObject({ status: 'failed', reason: expect.stringContaining('may not trade') })
  })

  it('may be made after a restart, and until APPROVAL_EXPIRY_MINUTES are over', async () => {
    await restart({ APPROVAL_EXPIRY_MINUTES: '2' })
    const first = await queued()
    const second = await queued()
    await restart()
    clock.advance(119_999)
    expect(outcome(await by(owner, 'approvals/approve', { id: first }))).toEqual([200, 'success'])
    clock.advance(1)
    expect(outcome(await by(owner, 'approvals/approve', { id: second }))).toEqual([409, 'approval_decided'])
    await expect
      .poll(async () => (await approvals('status=expired')).data)
      .toMatchObject([{ id: second, orderids: [], decided_by: null }])
    expect(await orderbook()).toHaveLength(1)
  })
})

it('the published schema does not promise an order id, and names what there is instead', () => {
  const output = operations.find(({ name }) => name === 'placeorder')?.output
  expect(output).toMatchObject({ properties: { orderid: { type: 'string' }, pending_order_id: { type: 'integer' } } })
  expect(output).toHaveProperty('required', ['mode', 'status'])
})

describe('in doubt nothing passes', () => {
  const all: readonly AnyOperation[] = operations
  const placeorder = all.find(({ name }) => name === 'placeorder') as AnyOperation
  const ask = (operation: AnyOperation, orderMode: () => 'auto' | 'semi_auto') => {
    const hold = holdForApproval({
      orderMode,
      queue: () => Promise.reject(new Error('queued')),
      services: () => ({ trading: { checkOrder: () => undefined } }) as unknown as Services,
    })
    const arrival = {
      id: 'r',
      at: 0,
      elapsedMs: () => 0,
      method: 'POST',
      url: '/',
      headers: {},
      address: '',
      bytesBefore: 0,
    }
    const visit = new Visit(arrival)
    visit.caller = { ...visit.caller, kind: 'key', account: 'acc' }
    return hold(visit, operation, {}, {})
  }

  it('every operation that trades says what becomes of it, and one that does not is refused', () => {
    for (const operation of all)
      if (operation.access === 'trade')
        expect([operation.name, operation.inSemiAuto]).not.toEqual([operation.name, undefined])
    const { inSemiAuto: _, ...silent } = placeorder
    expect(() => ask(silent as AnyOperation, () => 'semi_auto')).toThrow('not allowed in Semi-Auto mode')
    expect(ask(silent as AnyOperation, () => 'auto')).toBeUndefined()
  })

  it('what an account asked for is not done in another, should its key be that of another by now', async () => {
    const seen: Approval[] = []
    const handle = (approval: Approval) => void seen.push(approval)
    app.bus.subscribe('approval', { name: 'test', handle, onError: () => undefined })
    await queued()
    const [approval] = seen as [Approval]
    const outcomes: unknown[] = []
    const execute = approvedOperations({
      operations: all,
      services: () => {
        throw new Error('reached the business logic')
      },
      clock,
      keyCaller: (keyId) => app.keys.callerOf(keyId),
      tellOutcome: (_visit, _operation, _source, outcome) => outcomes.push(outcome),
    })
    await expect(execute(approval, 'apv-1')).rejects.toThrow('reached the business logic')
    await expect(execute({ ...approval, account: 'default' }, 'apv-1')).rejects.toThrow('may not trade any more')
    await expect(execute({ ...approval, operation: 'cancelorder' }, 'apv-1')).rejects.toThrow('no operation')
    await expect(execute({ ...approval, input: { symbol: 'SBIN' } }, 'apv-1')).rejects.toThrow('Missing data')
    expect(outcomes).toMatchObject([{ status: 500 }, { status: 400, code: 'validation_failed' }])
  })

  it('an account that is not known is in semi-automatic mode, and a mode that cannot be told refuses', async () => {
    expect(app.accounts.orderMode('acc_unknown')).toBe('semi_auto')
    await expect(ask(placeorder, () => app.accounts.orderMode('acc_unknown'))).rejects.toThrow('queued')
    const lost = () => {
      throw new Error('lost')
    }
    expect(() => ask(placeorder, lost)).toThrow('lost')
  })
})
