import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { approvedOperations } from './api/approved.ts'
import { holdForApproval } from './api/middleware/hold-for-approval.ts'
import type { AnyOperation } from './api/operation.ts'
import type { Services } from './api/services.ts'
import { operations } from './api/v1/index.ts'
import { Visit } from './api/visit.ts'
import { OWNER } from './identity/audit.ts'
import {
  account,
  admin,
  app,
  approvals,
  by,
  byKey,
  clock,
  folder,
  key,
  newKey,
  ORDER,
  orderbook,
  outcome,
  owner,
  queued,
  SECRET,
  send,
  start,
} from './test-semi-auto-app.ts'
import type { Approval } from './trading/approvals.ts'

/** Semi-automatic mode on the whole platform: what becomes of the orders that keys send. */

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
