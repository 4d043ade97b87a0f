import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { OrderReport } from '../brokers/venue.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { moneyOf, priceOf, quantityOf } from '../kernel/fixed.ts'
import { instrumentOf } from '../paper/order.ts'
import { QuoteBoard } from '../paper/quote-board.ts'
import { SBIN } from '../paper/test-desk.ts'
import { openTestExchange } from '../paper/test-exchange.ts'
import { type Databases, openDatabases } from '../storage/open.ts'
import { type Death, Mortal } from '../storage/test-mortal.ts'
import { type Approval, Approvals } from './approvals.ts'
import { OrderFlow } from './flow/order-flow.ts'
import { placedReport } from './plan.ts'
import { singlePlan } from './plans/single.ts'
import { OPEN_GATE } from './risk/gate.ts'
import { Trading } from './trading.ts'

/** Approvals over the real paper exchange on real files, in a process that may die at any of its writes. */

const HOUR_MS = 3_600_000
const EXPIRY_MS = 30 * HOUR_MS
const ASHA = { name: 'asha', address: '127.0.0.1', requestId: 'req-1' }

/** A clock that leaps: what is due many times in between runs once. */
class LeapingClock implements Clock {
  #now = Temporal.Instant.from('2026-11-23T05:00:00Z').epochMilliseconds
  readonly #tasks = new Set<() => void>()

  now(): number {
    return this.#now
  }

  elapsedMs(): number {
    return this.#now
  }

  every(_intervalMs: number, task: () => void): () => void {
    this.#tasks.add(task)
    return () => this.#tasks.delete(task)
  }

  leap(ms: number): void {
    this.#now += ms
    for (const task of this.#tasks) task()
  }
}

type Step =
  | { readonly kind: 'queue'; readonly what: 'filled' | 'refused' | 'unknown' }
  | { readonly kind: 'decide'; readonly how: readonly ('approve' | 'reject')[]; readonly which: readonly number[] }
  | { readonly kind: 'wait'; readonly hours: number }
  | { readonly kind: 'arm'; readonly death: Death }
  | { readonly kind: 'restart'; readonly death: Death | undefined }

const death: fc.Arbitrary<Death> = fc.record({ writesBefore: fc.nat(6), isLastKept: fc.boolean() })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('queue' as const),
      what: fc.constantFrom('filled' as const, 'filled' as const, 'refused' as const, 'unknown' as const),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('decide' as const),
      how: fc.array(fc.constantFrom('approve' as const, 'approve' as const, 'reject' as const), {
        minLength: 1,
        maxLength: 4,
      }),
      which: fc.array(fc.nat(3), { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), hours: fc.constantFrom(1, 13, 31) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('arm' as const), death }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('restart' as const), death: fc.option(death, { nil: undefined }) }),
  },
)

/** Fields of a request; every order differs from every other. */
const inputOf = (what: 'filled' | 'refused' | 'unknown', number: number) => ({
  symbol: what === 'unknown' ? 'NOSUCH' : 'SBIN',
  quantity: what === 'refused' ? 1_000_000_000 : 1,
  strategy: `s${number}`,
})

let folder: string
let real: Databases
const clock = new LeapingClock()
const board = new QuoteBoard(() => clock.now())

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-approvals-crash-'))
  real = await openDatabases(folder, clock)
  board.set('SBIN', 500)
})
afterAll(async () => {
  await real.close()
  rmSync(folder, { recursive: true, force: true })
})

interface Running {
  readonly approvals: Approvals
  readonly trading: Trading
}

async function open({ databases }: Mortal, account: string): Promise<Running> {
  const paper = await openTestExchange({
    databases,
    accounts: [account],
    marketData: board,
    clock,
  })
  const lookup = {
    find: (symbol: string) => (symbol === 'SBIN' ? instrumentOf(SBIN) : undefined),
    nearest: () => [],
    venueOf: (of: string) => paper.venue(of),
  }
  const trading = new Trading({
    ...lookup,
    marketData: board,
    gate: OPEN_GATE,
    brokerage: { perOrder: moneyOf(20), sharePerMillion: 300 },
  })
  const orders = new OrderFlow({ ...lookup, gate: OPEN_GATE })
  const approvals = await Approvals.open({
    money: databases.money,
    clock,
    expiryMs: EXPIRY_MS,
    execute: ({ input }, orderTag) =>
      orders.run({
        account,
        caller: { keyId: undefined },
        orderTag,
        expand: () => singlePlan(requestOf(input)),
        answer: (_plan, [outcome]) => [placedReport(outcome).id],
      }),
    ordersByTag: (of, tag) => trading.ordersByTag(of, tag),
    audit: () => undefined,
    publish: () => undefined,
    onError: (error) => {
      throw error
    },
  })
  return { approvals, trading }
}

const requestOf = (input: Readonly<Record<string, unknown>>) => ({
  symbol: String(input['symbol']),
  exchange: 'NSE' as const,
  action: 'BUY' as const,
  quantity: quantityOf(Number(input['quantity'])),
  priceType: 'MARKET' as const,
  product: 'CNC' as const,
  price: priceOf(0),
  triggerPrice: priceOf(0),
  disclosedQuantity: quantityOf(0),
  strategy: String(input['strategy']),
})

/** What a run must end with, whatever died when. */
class Ledger {
  readonly ids: number[] = []
  /** Of each approval that somebody was told of: its last answer. */
  readonly told = new Map<number, Approval>()

  tell(approval: Approval): void {
    expect(this.told.get(approval.id)?.status ?? 'pending').toBe('pending')
    this.told.set(approval.id, approval)
  }

  check(approval: Approval, orders: readonly OrderReport[]): void {
    const accepted = orders.filter(({ status }) => status !== 'rejected')
    const told = this.told.get(approval.id)
    expect(orders.length).toBeLessThanOrEqual(1)
    expect(approval.status).not.toBe('executing')
    expect(accepted).toHaveLength(approval.status === 'executed' ? 1 : 0)
    expect(orders.map(({ id }) => id)).toEqual(approval.orderIds)
    if (told !== undefined && told.status !== 'pending') expect(approval).toEqual(told)
    if (approval.status === 'executed' || approval.status === 'failed') expect(approval.decidedBy).toBe('asha')
    else expect(orders).toEqual([])
  }
}

let accounts = 0

async function run(steps: readonly Step[]): Promise<ReadonlySet<string>> {
  accounts += 1
  const account = `acc_${accounts}`
  await real.money.writer.write([
    { sql: `INSERT INTO account (id, venue, created_at) VALUES (?, 'paper', 0)`, parameters: [account] },
  ])
  const ledger = new Ledger()
  let mortal = new Mortal(real)
  let running: Running | undefined = await open(mortal, account)

  const restart = async (at?: Death) => {
    running?.approvals.close()
    mortal.kill()
    await Promise.all([real.money.writer.query('SELECT 1'), real.record.writer.query('SELECT 1')])
    mortal = new Mortal(real, at)
    running = await Promise.race([open(mortal, account), mortal.died.then(() => undefined)])
    if (running !== undefined) return
    await real.money.writer.query('SELECT 1')
    mortal = new Mortal(real)
    running = await open(mortal, account)
  }
  /** Until all is answered or the process is dead; then it starts again. */
  const together = async (asked: readonly Promise<Approval>[]) => {
    const answers = asked.map(async (pending) => {
      try {
        ledger.tell(await pending)
      } catch (error) {
        if (!(error instanceof Refusal && error.code === 'approval_decided')) throw error
      }
    })
    const isDead = await Promise.race([Promise.all(answers).then(() => false), mortal.died.then(() => true)])
    if (isDead) await restart()
  }

  let queued = 0
  for (const each of steps) {
    const { approvals } = running
    if (each.kind === 'queue') {
      queued += 1
      const wanted = {
        account,
        operation: 'placeorder',
        input: inputOf(each.what, queued),
        keyId: 'key_a',
        requestId: 'r',
      }
      const queueing = async () => {
        const approval = await approvals.queue(wanted)
        ledger.ids.push(approval.id)
        return approval
      }
      await together([queueing()])
    } else if (each.kind === 'decide') {
      const ids = each.which.flatMap((back) => ledger.ids.at(-1 - back) ?? [])
      const decide = (id: number, how: 'approve' | 'reject') =>
        how === 'approve' ? approvals.approve(id, ASHA) : approvals.reject(id, 'no', ASHA)
      await together(ids.flatMap((id) => each.how.map((how) => decide(id, how))))
    } else if (each.kind === 'wait') {
      clock.leap(each.hours * HOUR_MS)
      await together([])
    } else if (each.kind === 'arm') mortal.arm(each.death)
    else await restart(each.death)
  }
  await restart()
  const { approvals, trading } = running
  const rows = await approvals.list({ account }, 1_000, undefined)
  for (const id of ledger.told.keys()) expect(rows.map((row) => row.id)).toContain(id)
  for (const row of rows) ledger.check(row, await trading.ordersByTag(account, `apv-${row.id}`))
  for (const [status, count] of Object.entries(approvals.counts(account)))
    expect([status, count]).toEqual([status, rows.filter((row) => row.status === status).length])
  approvals.close()
  mortal.kill()
  // The next run needn't load them
  await real.money.writer.write([
    { sql: `UPDATE approval SET status = 'rejected' WHERE status = 'pending'`, parameters: [] },
  ])
  return new Set(rows.map(({ status }) => status))
}

it('whatever is decided at once and whenever the process dies, an order is placed once or not at all, as it was told', async () => {
  const ends = new Set<string>()
  await fc.assert(
    fc.asyncProperty(fc.array(step, { size: 'max', minLength: 5, maxLength: 30 }), async (steps) => {
      for (const end of await run(steps)) ends.add(end)
    }),
    { numRuns: 60, seed: 20_261_125 },
  )
  expect([...ends].sort()).toEqual(['executed', 'expired', 'failed', 'pending', 'rejected'])
})
