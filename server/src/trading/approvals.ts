import { assert } from '../kernel/assert.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Database } from '../storage/open.ts'
import type { MoneyDatabase } from '../storage/schema.ts'
import type { Statement } from '../storage/writer.ts'
import {
  type Approval,
  type ApprovalStatus,
  approvalOf,
  auditedEnd,
  auditedSubject,
  type NewApproval,
  outcomeOf,
  rowOf,
  statusOf,
  type TaggedOrder,
  tagOf,
} from './approval.ts'

export { APPROVAL_STATUSES, type Approval, type ApprovalStatus, type NewApproval } from './approval.ts'

/** Orders of one account that may wait or be on their way at once. */
export const PENDING_MAX = 1_000
/** JSON of a request that waits. */
export const INPUT_LENGTH_MAX = 32_768
export const REASON_LENGTH_MAX = 200
const EXPIRY_LOOK_MS = 1_000
const SETTLE_EVERY_MS = 30_000

/** Who decides. */
export interface Decider {
  readonly name: string
  readonly address: string
  readonly requestId: string
}

export interface ApprovalsOptions {
  readonly money: Database<MoneyDatabase>
  readonly clock: Clock
  readonly expiryMs: number
  /** Does what was asked for, under the tag; answers the ids of its orders. Throws Refusal when it can't be done. */
  readonly execute: (approval: Approval, tag: string) => Promise<readonly string[]>
  /** How many orders an approval asks for; one when it isn't said. */
  readonly ordersIn?: (approval: Approval) => number
  /** Why nothing of an account may be sent now, so that what waits goes on waiting; undefined when it may. */
  readonly halted?: (account: string) => Refusal | undefined
  /** An account's orders that carry a tag: what the venue knows is the truth. Throws when it can't tell. */
  readonly ordersByTag: (account: string, tag: string) => Promise<readonly TaggedOrder[]>
  readonly audit: (entry: {
    readonly actor: string
    readonly action: string
    readonly target: string
    readonly address: string
    readonly requestId: string
    readonly detail: Readonly<Record<string, unknown>>
  }) => void
  /** Told of every approval that is new or has changed. */
  readonly publish: (approval: Approval) => void
  readonly onError: (error: unknown) => void
}

/**
 * Orders that wait for a person's yes. What waits or executes is in memory, and each change of state happens there before
 * anything else, so that of two decisions at once one comes too late. `executing` is on disk before the order leaves; the
 * order carries the approval's tag; so after a crash the venue tells whether it was placed.
 */
export class Approvals {
  readonly #options: ApprovalsOptions
  /** Those that aren't final. */
  readonly #live = new Map<number, Approval>()
  readonly #counts = new Map<string, Map<ApprovalStatus, number>>()
  /** Those of which it isn't known how far they came. */
  readonly #unsettled = new Set<number>()
  readonly #stops: readonly (() => void)[]
  #nextId: number

  private constructor(options: ApprovalsOptions, nextId: number) {
    this.#options = options
    this.#nextId = nextId
    const { clock, onError } = options
    this.#stops = [
      clock.every(EXPIRY_LOOK_MS, () => {
        this.expire().catch(onError)
      }),
      clock.every(SETTLE_EVERY_MS, () => {
        this.settle().catch(onError)
      }),
    ]
  }

  /** Reads what wasn't finished and finds out how far it came. The venues must be open. */
  static async open(options: ApprovalsOptions): Promise<Approvals> {
    const { kysely } = options.money
    const last = await kysely.selectFrom('approval').select('id').orderBy('id', 'desc').limit(1).executeTakeFirst()
    const approvals = new Approvals(options, (last?.id ?? 0) + 1)
    const counts = await kysely
      .selectFrom('approval')
      .select((row) => ['account', 'status', row.fn.countAll<number>().as('count')])
      .groupBy(['account', 'status'])
      .execute()
    for (const { account, status, count } of counts) approvals.#count(account, statusOf(status), count)
    const live = await kysely
      .selectFrom('approval')
      .selectAll()
      .where('status', 'in', ['pending', 'executing'])
      .orderBy('id')
      .execute()
    for (const row of live) approvals.#live.set(row.id, approvalOf(row))
    for (const row of live) if (row.status === 'executing') approvals.#unsettled.add(row.id)
    await approvals.settle()
    return approvals
  }

  /**
   * Lets an order wait; it is on disk when this resolves, and in one commit with it what belongs `alongside`. Throws
   * too_many_orders, body_too_large.
   */
  async queue(wanted: NewApproval, alongside?: (id: number) => Statement): Promise<Approval> {
    const { money, clock, expiryMs, publish } = this.#options
    const waiting = this.#countOf(wanted.account, 'pending') + this.#countOf(wanted.account, 'executing')
    if (waiting >= PENDING_MAX) {
      throw new Refusal(
        'too_many_orders',
        `${PENDING_MAX} orders wait for approval already, as many as may. Approve or reject some first.`,
      )
    }
    const { length } = JSON.stringify(wanted.input)
    if (length > INPUT_LENGTH_MAX) {
      throw new Refusal(
        'body_too_large',
        `The request has ${length} characters; one that waits for approval has ${INPUT_LENGTH_MAX} at most.`,
      )
    }
    const now = clock.now()
    const approval: Approval = {
      ...wanted,
      id: this.#nextId,
      status: 'pending',
      createdAt: now,
      expiresAt: now + expiryMs,
      decidedAt: undefined,
      decidedBy: undefined,
      reason: '',
      orderIds: [],
    }
    this.#nextId += 1
    this.#count(wanted.account, 'pending', 1)
    const { kysely, writer, compile } = money
    try {
      const row = compile(kysely.insertInto('approval').values(rowOf(approval)))
      await writer.write(alongside === undefined ? [row] : [row, alongside(approval.id)])
    } catch (error) {
      this.#count(wanted.account, 'pending', -1)
      throw error
    }
    this.#live.set(approval.id, approval)
    publish(approval)
    return approval
  }

  /** What a request that its client named had queued before. */
  async byIntent(intent: string): Promise<Approval | undefined> {
    const { kysely } = this.#options.money
    const row = await kysely.selectFrom('approval').selectAll().where('intent', '=', intent).executeTakeFirst()
    return row === undefined ? undefined : (this.#live.get(row.id) ?? approvalOf(row))
  }

  async find(id: number): Promise<Approval | undefined> {
    const live = this.#live.get(id)
    if (live !== undefined) return live
    const { kysely } = this.#options.money
    const row = await kysely.selectFrom('approval').selectAll().where('id', '=', id).executeTakeFirst()
    return row === undefined ? undefined : approvalOf(row)
  }

  /** Newest first, from below an id. */
  async list(
    filter: { readonly account?: string | undefined; readonly status?: ApprovalStatus | undefined },
    limit: number,
    below: number | undefined,
  ): Promise<readonly Approval[]> {
    let query = this.#options.money.kysely.selectFrom('approval').selectAll().orderBy('id', 'desc').limit(limit)
    if (filter.account !== undefined) query = query.where('account', '=', filter.account)
    if (filter.status !== undefined) query = query.where('status', '=', filter.status)
    if (below !== undefined) query = query.where('id', '<', below)
    const rows = await query.execute()
    return rows.map((row) => this.#live.get(row.id) ?? approvalOf(row))
  }

  /** How many of an account's approvals are in each state. */
  counts(account: string): Readonly<Record<ApprovalStatus, number>> {
    const of = (status: ApprovalStatus) => this.#countOf(account, status)
    return {
      pending: of('pending'),
      executing: of('executing'),
      executed: of('executed'),
      failed: of('failed'),
      rejected: of('rejected'),
      expired: of('expired'),
    }
  }

  /**
   * Executes an order that waits, once. Answers what became of it: `executed`, or `failed` with the reason.
   * Throws not_found, approval_decided when it doesn't wait any more, or risk_halted, and then it goes on waiting.
   */
  async approve(id: number, decider: Decider): Promise<Approval> {
    const pending = this.#pending(id)
    const { clock, audit, execute, halted } = this.#options
    const halt = halted?.(pending.account)
    if (halt !== undefined) throw halt
    const executing: Approval = {
      ...pending,
      status: 'executing',
      decidedAt: clock.now(),
      decidedBy: decider.name,
    }
    await this.#change(executing, 'pending')
    audit({ ...entryOf(decider), action: 'approval.approved', ...auditedSubject(pending) })
    let orderIds: readonly string[]
    try {
      orderIds = await execute(executing, tagOf(id))
    } catch (error) {
      return await this.#afterFailure(executing, error, decider)
    }
    return await this.#finish({ ...executing, status: 'executed', orderIds }, decider)
  }

  async reject(id: number, reason: string, decider: Decider): Promise<Approval> {
    const pending = this.#pending(id)
    const rejected: Approval = {
      ...pending,
      status: 'rejected',
      decidedAt: this.#options.clock.now(),
      decidedBy: decider.name,
      reason: reason.slice(0, REASON_LENGTH_MAX),
    }
    const changed = await this.#change(rejected, 'pending')
    this.#options.audit({ ...entryOf(decider), ...auditedEnd(rejected) })
    return changed
  }

  /** What waits in an account, oldest first. */
  waiting(account: string): readonly Approval[] {
    return [...this.#live.values()].filter((approval) => approval.account === account && approval.status === 'pending')
  }

  /** One that waits or is being executed. */
  live(id: number): Approval | undefined {
    return this.#live.get(id)
  }

  /** How many orders it asks for, one at least. */
  ordersIn(approval: Approval): number {
    return Math.max(1, this.#options.ordersIn?.(approval) ?? 1)
  }

  /** Ends what waited too long. Called by the clock. */
  async expire(): Promise<void> {
    const now = this.#options.clock.now()
    const old = [...this.#live.values()].filter(({ status, expiresAt }) => status === 'pending' && expiresAt <= now)
    await Promise.all(old.map((approval) => this.#end({ ...approval, status: 'expired' }, 'pending')))
  }

  /** Finds out how far those came whose end wasn't seen or couldn't be written. Called at the start and by the clock. */
  async settle(): Promise<void> {
    const ids = [...this.#unsettled]
    this.#unsettled.clear()
    for (const id of ids) {
      try {
        await this.#resolve(id)
      } catch (error) {
        this.#unsettled.add(id)
        this.#options.onError(error)
      }
    }
  }

  close(): void {
    for (const stop of this.#stops) stop()
  }

  #pending(id: number): Approval {
    const approval = this.#live.get(id)
    if (approval === undefined) {
      if (id >= this.#nextId || id < 1) throw new Refusal('not_found', `There is no approval ${id}.`)
      throw new Refusal('approval_decided', `Approval ${id} was decided or has expired already.`)
    }
    if (approval.status !== 'pending')
      throw new Refusal('approval_decided', `Approval ${id} is being executed already.`)
    if (approval.expiresAt <= this.#options.clock.now())
      throw new Refusal('approval_decided', `Approval ${id} has expired.`)
    return approval
  }

  /**
   * Something went wrong on the way. Whether orders came of it, only the venue knows; while it can't tell, the approval
   * stays as it is. Throws what went wrong unless that was a Refusal whose outcome is known.
   */
  async #afterFailure(executing: Approval, failure: unknown, decider: Decider): Promise<Approval> {
    const { ordersByTag, onError } = this.#options
    let found: readonly TaggedOrder[]
    try {
      found = await ordersByTag(executing.account, tagOf(executing.id))
    } catch (error) {
      this.#unsettled.add(executing.id)
      onError(error)
      throw failure
    }
    const reason = failure instanceof Refusal ? failure.message : INTERNAL_FAILURE
    const finished = await this.#finish({ ...executing, ...(outcomeOf(found) ?? NOTHING_PLACED), reason }, decider)
    if (!(failure instanceof Refusal)) throw failure
    return finished
  }

  async #finish(finished: Approval, decider: Decider): Promise<Approval> {
    try {
      return await this.#end(finished, 'executing', decider)
    } catch (error) {
      this.#unsettled.add(finished.id)
      throw error
    }
  }

  /** What the venue has was placed; what it hasn't never reached it, and waits again unless it is too late. */
  async #resolve(id: number): Promise<void> {
    const { ordersByTag, clock } = this.#options
    const executing = this.#live.get(id)
    assert(executing?.status === 'executing', `approval ${id} isn't executing`)
    const outcome = outcomeOf(await ordersByTag(executing.account, tagOf(id)))
    if (outcome !== undefined) await this.#end({ ...executing, ...outcome }, 'executing')
    else {
      const status = executing.expiresAt <= clock.now() ? 'expired' : 'pending'
      await this.#end({ ...executing, status, decidedAt: undefined, decidedBy: undefined }, 'executing')
    }
  }

  /** Writes what became of it, and says so in the audit log. Without a decider Sauda found it out by itself. */
  async #end(ended: Approval, from: ApprovalStatus, decider?: Decider): Promise<Approval> {
    const changed = await this.#change(ended, from)
    const by = decider ?? { name: ITSELF, address: '', requestId: changed.requestId }
    this.#options.audit({ ...entryOf(by), ...auditedEnd(changed) })
    return changed
  }

  /** In memory at once, so that nothing else can begin; then on disk. When that fails, it is as before. */
  async #change(changed: Approval, from: ApprovalStatus): Promise<Approval> {
    const { id } = changed
    const before = this.#live.get(id)
    assert(before?.status === from, `approval ${id} is ${before?.status ?? 'final'}, not ${from}`)
    this.#put(before, changed)
    const { kysely, writer, compile } = this.#options.money
    const { id: _, ...row } = rowOf(changed)
    const update = kysely.updateTable('approval').set(row).where('id', '=', id).where('status', '=', from)
    try {
      await writer.write([compile(update)])
    } catch (error) {
      this.#put(changed, before)
      throw error
    }
    this.#options.publish(changed)
    return changed
  }

  #put(before: Approval, after: Approval): void {
    const { id, account, status } = after
    if (status === 'pending' || status === 'executing') this.#live.set(id, after)
    else this.#live.delete(id)
    this.#count(account, before.status, -1)
    this.#count(account, status, 1)
  }

  #countOf(account: string, status: ApprovalStatus): number {
    return this.#counts.get(account)?.get(status) ?? 0
  }

  #count(account: string, status: ApprovalStatus, by: number): void {
    const counts = this.#counts.get(account) ?? new Map<ApprovalStatus, number>()
    counts.set(status, (counts.get(status) ?? 0) + by)
    this.#counts.set(account, counts)
  }
}

/** What the audit log calls the instance. */
const ITSELF = 'sauda'
const INTERNAL_FAILURE = 'Something went wrong inside the server; its log has the details.'
const NOTHING_PLACED = { status: 'failed', orderIds: [] } as const

const entryOf = ({ name, address, requestId }: Decider) => ({ actor: name, address, requestId })
