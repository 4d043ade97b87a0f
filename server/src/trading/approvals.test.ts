import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { type Databases, openDatabases } from '../storage/open.ts'
import type { TaggedOrder } from './approval.ts'
import { type Approval, Approvals, type ApprovalsOptions, INPUT_LENGTH_MAX, PENDING_MAX } from './approvals.ts'

const START = 1_790_000_000_000
const EXPIRY_MS = 60_000
const ASHA = { name: 'asha', address: '127.0.0.1', requestId: 'req-1' }

let folder: string
let databases: Databases
let clock: ManualClock
/** What the venue has, by tag. A crash of ours doesn't touch it. */
let placed: Map<string, TaggedOrder[]>
/** What, by whom, and with which orders. */
const audited: string[] = []
let details: Readonly<Record<string, unknown>>[] = []
const told: unknown[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-approvals-'))
  clock = new ManualClock(START)
  databases = await openDatabases(folder, clock)
  placed = new Map()
  orders = 0
  audited.length = 0
  details = []
  told.length = 0
})
afterEach(async () => {
  await databases.close()
  rmSync(folder, { recursive: true, force: true })
})

function open(more: Partial<ApprovalsOptions> = {}): Promise<Approvals> {
  return Approvals.open({
    money: databases.money,
    clock,
    expiryMs: EXPIRY_MS,
    execute: (_approval, tag) => Promise.resolve([place(tag)]),
    ordersByTag: (_account, tag) => Promise.resolve(placed.get(tag) ?? []),
    audit: ({ actor, action, target, detail }) => {
      audited.push(`${actor}: ${action} ${target}`)
      details.push(detail)
    },
    publish: () => undefined,
    onError: (error) => told.push(error),
    ...more,
  })
}

let orders = 0
function place(tag: string, status: TaggedOrder['status'] = 'complete', reason = ''): string {
  orders += 1
  const id = String(orders)
  placed.set(tag, [...(placed.get(tag) ?? []), { id, status, reason }])
  return id
}

const wanted = (more: object = {}) => ({
  account: 'default',
  operation: 'placeorder',
  input: { symbol: 'SBIN' },
  keyId: 'key_a',
  requestId: 'req-1',
  ...more,
})
const codeOf = async (pending: Promise<unknown>): Promise<string> => {
  try {
    await pending
    return ''
  } catch (error) {
    return error instanceof Refusal ? error.code : String(error)
  }
}

describe('an order that waits', () => {
  it('is sent once when it is approved, and a later decision comes too late', async () => {
    const approvals = await open()
    const { id } = await approvals.queue(wanted())
    expect(placed.size).toBe(0)
    expect(await approvals.approve(id, ASHA)).toMatchObject({
      status: 'executed',
      orderIds: ['1'],
      decidedBy: 'asha',
      decidedAt: START,
    })
    expect(await codeOf(approvals.approve(id, ASHA))).toBe('approval_decided')
    expect(await codeOf(approvals.reject(id, 'late', ASHA))).toBe('approval_decided')
    expect(placed.size).toBe(1)
    expect(audited).toEqual(['asha: approval.approved 1', 'asha: approval.executed 1'])
    expect(details[1]).toEqual({ account: 'default', operation: 'placeorder', orderids: ['1'] })
    approvals.close()
  })

  it('is sent once however many approve it at the same moment', async () => {
    const approvals = await open()
    const { id } = await approvals.queue(wanted())
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => codeOf(approvals.approve(id, ASHA))))
    expect(outcomes.filter((code) => code === '')).toHaveLength(1)
    expect(placed.size).toBe(1)
    approvals.close()
  })

  it('is never sent when it was rejected, or waited too long', async () => {
    const approvals = await open()
    const rejected = await approvals.queue(wanted())
    expect(await approvals.reject(rejected.id, 'no', ASHA)).toMatchObject({ status: 'rejected', reason: 'no' })
    const late = await approvals.queue(wanted())
    clock.advance(EXPIRY_MS)
    expect(await codeOf(approvals.approve(late.id, ASHA))).toBe('approval_decided')
    await approvals.expire()
    expect(approvals.counts('default')).toMatchObject({ pending: 0, rejected: 1, expired: 1 })
    expect([await codeOf(approvals.approve(99, ASHA)), placed.size]).toEqual(['not_found', 0])
    await expect.poll(() => audited).toEqual(['asha: approval.rejected 1', 'sauda: approval.expired 2'])
    approvals.close()
  })

  it('fails with the reason when the venue says no, with the order that the venue keeps of it', async () => {
    const approvals = await open({
      execute: (_approval, tag) => {
        place(tag, 'rejected', 'Insufficient funds')
        return Promise.reject(new Refusal('order_rejected', 'Insufficient funds'))
      },
    })
    const { id } = await approvals.queue(wanted())
    const failed = { status: 'failed', reason: 'Insufficient funds', orderIds: ['1'] }
    expect(await approvals.approve(id, ASHA)).toMatchObject(failed)
    expect(await approvals.find(id)).toMatchObject({ ...failed, decidedBy: 'asha' })
    expect(approvals.counts('default')).toMatchObject({ failed: 1, executing: 0 })
    expect(audited[1]).toBe('asha: approval.failed 1')
    expect(details[1]).toMatchObject({ orderids: ['1'], reason: 'Insufficient funds', refused_by: 'venue' })
    approvals.close()
  })

  it('is executed, with the reason, when only a part of it was placed', async () => {
    const approvals = await open({
      execute: (_approval, tag) => {
        place(tag)
        place(tag, 'rejected', 'no')
        return Promise.reject(new Refusal('order_rejected', 'leg 2: no'))
      },
    })
    const { id } = await approvals.queue(wanted())
    expect(await approvals.approve(id, ASHA)).toMatchObject({
      status: 'executed',
      reason: 'leg 2: no',
      orderIds: ['1', '2'],
    })
    approvals.close()
  })

  it('is found out about after a bug: failed when nothing was placed, executed otherwise; the bug is thrown on', async () => {
    let places = false
    const approvals = await open({
      execute: (_approval, tag) => {
        if (places) place(tag)
        return Promise.reject(new TypeError('a bug'))
      },
    })
    for (const status of ['failed', 'executed']) {
      const { id } = await approvals.queue(wanted())
      await expect(approvals.approve(id, ASHA)).rejects.toThrow('a bug')
      expect(await approvals.find(id)).toMatchObject({ status, reason: expect.stringContaining('inside the server') })
      places = true
    }
    expect(details[1]).toMatchObject({ refused_by: 'sauda', reason: expect.stringContaining('inside the server') })
    approvals.close()
  })

  it('stays undecided while the venue cannot tell, and is found out as soon as it can', async () => {
    let isReachable = false
    const ordersByTag: ApprovalsOptions['ordersByTag'] = (_account, tag) =>
      isReachable ? Promise.resolve(placed.get(tag) ?? []) : Promise.reject(new Refusal('account_stopped', 'stopped'))
    const lost = new Refusal('account_stopped', 'lost')
    const execute: ApprovalsOptions['execute'] = ({ input }, tag) => {
      if (input['arrives'] === true) place(tag)
      return Promise.reject(lost)
    }
    const approvals = await open({ ordersByTag, execute })
    const arrived = await approvals.queue(wanted({ input: { arrives: true } }))
    const lostOnTheWay = await approvals.queue(wanted())
    for (const { id } of [arrived, lostOnTheWay]) {
      await expect(approvals.approve(id, ASHA)).rejects.toBe(lost)
      expect(await codeOf(approvals.approve(id, ASHA))).toBe('approval_decided')
      expect(await codeOf(approvals.reject(id, '', ASHA))).toBe('approval_decided')
    }
    approvals.close()
    const again = await open({ ordersByTag })
    expect(again.counts('default')).toMatchObject({ executing: 2 })
    const before = told.length
    isReachable = true
    clock.advance(30_000)
    await again.settle()
    await expect.poll(() => again.counts('default').executing).toBe(0)
    expect(await again.find(arrived.id)).toMatchObject({ status: 'executed', orderIds: ['1'], decidedBy: 'asha' })
    expect(await again.find(lostOnTheWay.id)).toMatchObject({ status: 'pending', decidedBy: undefined })
    expect([before, told.length]).toEqual([4, 4])
    expect(audited.slice(2)).toEqual(['sauda: approval.executed 1', 'sauda: approval.waiting_again 2'])
    expect(await again.approve(lostOnTheWay.id, ASHA)).toMatchObject({ status: 'executed' })
    again.close()
  })

  it('is as it was before when a decision cannot be written, and nothing is sent', async () => {
    const full = new Refusal('overloaded', 'full')
    let isFull = false
    const { money } = databases
    const writer = new Proxy(money.writer, {
      get(target, name) {
        if (name === 'write' && isFull) return () => Promise.reject(full)
        const member: unknown = Reflect.get(target, name)
        return typeof member === 'function' ? member.bind(target) : member
      },
    })
    const execute: ApprovalsOptions['execute'] = (approval, tag) => {
      isFull = approval.input['fills'] === true
      return Promise.resolve([place(tag)])
    }
    const approvals = await open({ money: { ...money, writer }, execute })
    const { id } = await approvals.queue(wanted())
    const filling = await approvals.queue(wanted({ input: { fills: true } }))
    isFull = true
    const waiting = approvals.counts('default')
    for (const decision of [
      () => approvals.approve(id, ASHA),
      () => approvals.reject(id, '', ASHA),
      () => approvals.queue(wanted()),
    ])
      expect(await codeOf(decision())).toBe('overloaded')
    expect([placed.size, approvals.counts('default'), audited]).toEqual([0, waiting, []])
    isFull = false
    // Placed, but that couldn't be written: found out later
    expect(await codeOf(approvals.approve(filling.id, ASHA))).toBe('overloaded')
    expect(approvals.counts('default')).toMatchObject({ pending: 1, executing: 1 })
    isFull = false
    await approvals.settle()
    expect(await approvals.find(filling.id)).toMatchObject({ status: 'executed', orderIds: ['1'] })
    expect(await approvals.approve(id, ASHA)).toMatchObject({ status: 'executed', orderIds: ['2'] })
    approvals.close()
  })

  it('expires once, by the clock, however slow the disk is, and after a crash too', async () => {
    const published: Approval[] = []
    const approvals = await open({ publish: (approval) => published.push(approval) })
    for (let index = 0; index < 3; index += 1) await approvals.queue(wanted())
    clock.advance(EXPIRY_MS - 1)
    expect(approvals.counts('default')).toMatchObject({ pending: 3 })
    clock.advance(5_000) // looks several times before the first look is on disk
    await expect.poll(async () => (await approvals.list({ status: 'expired' }, 9, undefined)).length).toBe(3)
    expect(approvals.counts('default')).toMatchObject({ pending: 0, expired: 3 })
    expect(published.filter(({ status }) => status === 'expired')).toHaveLength(3)
    expect(told).toEqual([])
    const late = await approvals.queue(wanted())
    approvals.close()
    clock.advance(EXPIRY_MS) // nobody looks any more
    expect(await codeOf(approvals.approve(late.id, ASHA))).toBe('approval_decided')
    expect(placed.size).toBe(0)

    const dying = await open({ execute: () => new Promise(() => undefined) })
    const { id } = await dying.queue(wanted())
    void dying.approve(id, ASHA)
    await databases.money.writer.query('SELECT 1')
    dying.close()
    clock.advance(EXPIRY_MS)
    const again = await open()
    expect(await again.find(id)).toMatchObject({ status: 'expired', decidedBy: undefined })
    expect(placed.size).toBe(0)
    again.close()
  })

  it('is of a bounded length', async () => {
    const approvals = await open()
    const note = 'x'.repeat(INPUT_LENGTH_MAX)
    expect(await codeOf(approvals.queue(wanted({ input: { note } })))).toBe('body_too_large')
    expect(await codeOf(approvals.queue(wanted({ input: { note: note.slice(20) } })))).toBe('')
    expect(approvals.counts('default')).toMatchObject({ pending: 1 })
    approvals.close()
  })

  it('is one of a bounded number, for each account', async () => {
    const approvals = await open()
    await Promise.all(Array.from({ length: PENDING_MAX }, () => approvals.queue(wanted())))
    expect(await codeOf(approvals.queue(wanted()))).toBe('too_many_orders')
    await databases.money.writer.write([
      { sql: "INSERT INTO account (id, venue, created_at) VALUES ('other', 'paper', 0)", parameters: [] },
    ])
    const other = await approvals.queue(wanted({ account: 'other' }))
    expect(approvals.waiting('other')).toMatchObject([{ id: other.id }])
    await approvals.reject(1, '', ASHA)
    expect(await codeOf(approvals.queue(wanted()))).toBe('')
    approvals.close()
  })

  it('is listed, newest first, by state and page', async () => {
    const approvals = await open()
    for (let index = 0; index < 5; index += 1) await approvals.queue(wanted())
    await approvals.approve(2, ASHA)
    const ids = async (...how: Parameters<Approvals['list']>) => (await approvals.list(...how)).map(({ id }) => id)
    expect(await ids({ status: 'pending' }, 3, undefined)).toEqual([5, 4, 3])
    expect(await ids({ status: 'executed' }, 3, undefined)).toEqual([2])
    expect(await ids({}, 2, 3)).toEqual([2, 1])
    expect(await ids({ account: 'other' }, 2, undefined)).toEqual([])
    approvals.close()
  })
})
