import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { type Databases, openDatabases } from '../storage/open.ts'
import { type Approval, Approvals, type ApprovalsOptions, PENDING_MAX } from './approvals.ts'

const START = 1_790_000_000_000
const EXPIRY_MS = 60_000
const ASHA = { name: 'asha', address: '127.0.0.1', requestId: 'req-1' }

let folder: string
let databases: Databases
let clock: ManualClock
/** What the venue has: the tags of its orders, by id. A crash of ours doesn't touch it. */
let placed: Map<string, string>
const audited: string[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-approvals-'))
  clock = new ManualClock(START)
  databases = await openDatabases(folder, clock)
  placed = new Map()
  audited.length = 0
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
    ordersByTag: (_account, tag) => Promise.resolve([...placed].filter(([, of]) => of === tag).map(([id]) => id)),
    audit: ({ action }) => audited.push(action),
    publish: () => undefined,
    onError: (error) => {
      throw error
    },
    ...more,
  })
}

function place(tag: string): string {
  const id = String(placed.size + 1)
  placed.set(id, tag)
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
    expect(audited).toEqual(['approval.approved'])
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
    approvals.close()
  })

  it('fails with the reason when the venue says no', async () => {
    const refusal = new Refusal('order_rejected', 'Insufficient funds', { extra: { orderid: '7' } })
    const approvals = await open({ execute: () => Promise.reject(refusal) })
    const { id } = await approvals.queue(wanted())
    expect(await approvals.approve(id, ASHA)).toMatchObject({
      status: 'failed',
      reason: 'Insufficient funds',
      orderIds: ['7'],
    })
    approvals.close()
  })

  it('stays undecided while nobody knows whether it was placed, and a restart finds out', async () => {
    const approvals = await open({
      execute: (_approval, tag) => {
        place(tag)
        return Promise.reject(new Refusal('account_stopped', 'stopped'))
      },
    })
    const { id } = await approvals.queue(wanted())
    expect(await codeOf(approvals.approve(id, ASHA))).toBe('account_stopped')
    expect(approvals.find(id)?.status).toBe('executing')
    approvals.close()
    const again = await open()
    expect((await again.list({}, 1, undefined))[0]).toMatchObject({ status: 'executed', orderIds: ['1'] })
    again.close()
  })

  it('is one of a bounded number, for each account', async () => {
    const approvals = await open()
    await Promise.all(Array.from({ length: PENDING_MAX }, () => approvals.queue(wanted())))
    expect(await codeOf(approvals.queue(wanted()))).toBe('too_many_orders')
    await databases.money.writer.write([
      { sql: "INSERT INTO account (id, venue, created_at) VALUES ('other', 'paper', 0)", parameters: [] },
    ])
    const other = await approvals.queue(wanted({ account: 'other' }))
    expect(approvals.waiting('other')).toEqual([other.id])
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

type Step =
  | { readonly kind: 'queue' }
  | { readonly kind: 'crash' }
  | { readonly kind: 'approve' | 'reject'; readonly which: number; readonly times: number }
  | { readonly kind: 'approve-and-crash'; readonly which: number; readonly at: 'before' | 'after' }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Step>({ kind: 'queue' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'crash' }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('approve' as const, 'reject' as const),
      which: fc.nat(5),
      times: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('approve-and-crash' as const),
      which: fc.nat(5),
      at: fc.constantFrom('before' as const, 'after' as const),
    }),
  },
)

describe('over crashes at any point', () => {
  it('no order is sent twice, none that was approved and answered is lost, and what was rejected is never sent', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { size: 'max', maxLength: 25 }), async (steps) => {
        await databases.money.writer.write([{ sql: 'DELETE FROM approval', parameters: [] }])
        placed.clear()
        const answered = new Set<number>()
        const rejected = new Set<number>()
        const ids: number[] = []
        let crash: 'before' | 'after' | undefined
        const execute: ApprovalsOptions['execute'] = (_approval: Approval, tag) => {
          if (crash === 'before') return new Promise(() => undefined) // the process dies here: nothing comes back
          const orderId = place(tag)
          return crash === 'after' ? new Promise(() => undefined) : Promise.resolve([orderId])
        }
        let approvals = await open({ execute })
        const restart = async () => {
          approvals.close()
          approvals = await open({ execute })
        }
        const idAt = (which: number) => ids[ids.length - 1 - (which % Math.max(1, ids.length))] ?? 0
        for (const each of steps) {
          if (each.kind === 'queue') ids.push((await approvals.queue(wanted())).id)
          else if (each.kind === 'crash') await restart()
          else if (each.kind === 'approve-and-crash') {
            crash = each.at
            const approving = approvals.approve(idAt(each.which), ASHA).catch(() => undefined)
            await Promise.race([approving, databases.money.writer.query('SELECT 1')])
            await new Promise((resolve) => setImmediate(resolve))
            crash = undefined
            await restart()
          } else {
            const id = idAt(each.which)
            const decisions = Array.from({ length: each.times }, () =>
              each.kind === 'approve' ? approvals.approve(id, ASHA) : approvals.reject(id, '', ASHA),
            )
            for (const outcome of await Promise.allSettled(decisions)) {
              if (outcome.status === 'rejected') continue
              if (each.kind === 'approve') answered.add(id)
              else rejected.add(id)
            }
          }
        }
        await restart()
        const tags = [...placed.values()]
        expect(new Set(tags).size).toBe(tags.length)
        for (const id of answered) expect(tags).toContain(`apv-${id}`)
        for (const id of rejected) expect(tags).not.toContain(`apv-${id}`)
        for (const approval of await approvals.list({}, 1_000, undefined)) {
          expect(approval.status === 'executed').toBe(tags.includes(`apv-${approval.id}`))
          expect(approval.status).not.toBe('executing')
        }
        approvals.close()
      }),
      { numRuns: 60 },
    )
  })
})
