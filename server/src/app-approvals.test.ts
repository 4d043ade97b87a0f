import { describe, expect, it } from 'vitest'
import { OWNER } from './identity/audit.ts'
import {
  account,
  admin,
  app,
  approvals,
  type Body,
  by,
  byKey,
  clock,
  key,
  LEG,
  ORDER,
  orderbook,
  outcome,
  owner,
  person,
  queued,
  restart,
  stranger,
} from './test-semi-auto-app.ts'
import type { Approval } from './trading/approvals.ts'

/** Approvals on the whole platform: who decides on what waits, and what comes of it. */

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
