import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Database } from '../storage/open.ts'
import type { ApprovalTable, MoneyDatabase } from '../storage/schema.ts'

/** Orders of one account that may wait at once. */
export const PENDING_MAX = 1_000
export const REASON_LENGTH_MAX = 200
const EXPIRY_LOOK_MS = 1_000

/**
 * `pending` waits for a person. `executing` is on its way, and how far it came is found out after a crash. The others are
 * final: `executed`, `failed` (the venue or a check said no), `rejected` by a person, `expired` undecided.
 */
export const APPROVAL_STATUSES = ['pending', 'executing', 'executed', 'failed', 'rejected', 'expired'] as const
export type ApprovalStatus = (typeof APPROVAL_STATUSES)[number]

export interface Approval {
  readonly id: number
  readonly account: string
  readonly operation: string
  /** Fields of the request, without the key. */
  readonly input: Readonly<Record<string, unknown>>
  readonly keyId: string
  readonly requestId: string
  readonly status: ApprovalStatus
  readonly createdAt: number
  readonly expiresAt: number
  readonly decidedAt: number | undefined
  readonly decidedBy: string | undefined
  /** Why it was rejected, or failed; empty otherwise. */
  readonly reason: string
  readonly orderIds: readonly string[]
}

export interface NewApproval {
  readonly account: string
  readonly operation: string
  readonly input: Readonly<Record<string, unknown>>
  readonly keyId: string
  readonly requestId: string
}

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
  /** Ids of an account's orders that carry a tag, placed at an instant or after it: what the venue knows is the truth. */
  readonly ordersByTag: (account: string, tag: string, since: number) => Promise<readonly string[]>
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

/** What orders of an approval carry at their venue. */
export const tagOf = (id: number): string => `apv-${id}`

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
  readonly #stop: () => void
  #nextId: number

  private constructor(options: ApprovalsOptions, nextId: number) {
    this.#options = options
    this.#nextId = nextId
    this.#stop = options.clock.every(EXPIRY_LOOK_MS, () => {
      this.expire().catch(options.onError)
    })
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
    for (const row of live) if (row.status === 'executing') await approvals.#resolve(row.id)
    return approvals
  }

  /** Lets an order wait; it is on disk when this resolves. Throws too_many_orders. */
  async queue(wanted: NewApproval): Promise<Approval> {
    const { money, clock, expiryMs, publish } = this.#options
    if (this.#countOf(wanted.account, 'pending') >= PENDING_MAX) {
      throw new Refusal(
        'too_many_orders',
        `${PENDING_MAX} orders wait for approval already, as many as may. Approve or reject some first.`,
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
      await writer.write([compile(kysely.insertInto('approval').values(rowOf(approval)))])
    } catch (error) {
      this.#count(wanted.account, 'pending', -1)
      throw error
    }
    this.#live.set(approval.id, approval)
    publish(approval)
    return approval
  }

  find(id: number): Approval | undefined {
    return this.#live.get(id)
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
   * Throws not_found, or approval_decided when it doesn't wait any more.
   */
  async approve(id: number, decider: Decider): Promise<Approval> {
    const pending = this.#pending(id)
    const { clock, audit, execute } = this.#options
    const executing: Approval = {
      ...pending,
      status: 'executing',
      decidedAt: clock.now(),
      decidedBy: decider.name,
    }
    await this.#change(executing, 'pending')
    audit({ ...entryOf(decider), action: 'approval.approved', target: String(id), detail: detailOf(pending) })
    try {
      const orderIds = await execute(executing, tagOf(id))
      return await this.#change({ ...executing, status: 'executed', orderIds }, 'executing')
    } catch (error) {
      // After any other failure it isn't known whether the order is placed: it stays as it is until a restart finds out
      if (!(error instanceof Refusal) || UNCERTAIN.has(error.code)) throw error
      const { orderid } = error.extra
      const orderIds = typeof orderid === 'string' ? [orderid] : []
      return await this.#change({ ...executing, status: 'failed', reason: error.message, orderIds }, 'executing')
    }
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
    const detail = { ...detailOf(pending), reason: rejected.reason }
    this.#options.audit({ ...entryOf(decider), action: 'approval.rejected', target: String(id), detail })
    return changed
  }

  /** Ids of the orders that wait in an account, oldest first. */
  waiting(account: string): readonly number[] {
    return [...this.#live.values()]
      .filter((approval) => approval.account === account && approval.status === 'pending')
      .map(({ id }) => id)
  }

  /** Ends what waited too long. Called by the clock. */
  async expire(): Promise<void> {
    const now = this.#options.clock.now()
    const old = [...this.#live.values()].filter(({ status, expiresAt }) => status === 'pending' && expiresAt <= now)
    for (const approval of old) await this.#change({ ...approval, status: 'expired' }, 'pending')
  }

  close(): void {
    this.#stop()
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

  /** After a crash: what the venue has is executed; what it hasn't never reached it, and waits again. */
  async #resolve(id: number): Promise<void> {
    const approval = this.#live.get(id)
    if (approval === undefined) return
    const orderIds = await this.#options.ordersByTag(approval.account, tagOf(id), approval.createdAt)
    if (orderIds.length > 0) await this.#change({ ...approval, status: 'executed', orderIds }, 'executing')
    else await this.#change({ ...approval, status: 'pending', decidedAt: undefined, decidedBy: undefined }, 'executing')
  }

  async #change(changed: Approval, from: ApprovalStatus): Promise<Approval> {
    const { id, account, status } = changed
    const before = this.#live.get(id)
    if (status === 'pending' || status === 'executing') this.#live.set(id, changed)
    else this.#live.delete(id)
    this.#count(account, from, -1)
    this.#count(account, status, 1)
    const { kysely, writer, compile } = this.#options.money
    const { id: _, ...row } = rowOf(changed)
    try {
      await writer.write([
        compile(kysely.updateTable('approval').set(row).where('id', '=', id).where('status', '=', from)),
      ])
    } catch (error) {
      // Nothing has left yet but in executed and failed, which a restart finds out again
      if (before !== undefined && status !== 'executed' && status !== 'failed') this.#live.set(id, before)
      throw error
    }
    this.#options.publish(changed)
    return changed
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

/** Refusals after which the order may be placed all the same. */
const UNCERTAIN: ReadonlySet<string> = new Set(['account_stopped', 'shutting_down'])

const entryOf = ({ name, address, requestId }: Decider) => ({ actor: name, address, requestId })
const detailOf = ({ account, operation }: Approval) => ({ account, operation })

function statusOf(text: string): ApprovalStatus {
  const status = APPROVAL_STATUSES.find((each) => each === text)
  if (status === undefined) throw new Error(`money.db: an approval has the status "${text}", which isn't known`)
  return status
}

const approvalOf = (row: ApprovalTable): Approval => ({
  id: row.id,
  account: row.account,
  operation: row.operation,
  input: JSON.parse(row.input) as Record<string, unknown>,
  keyId: row.key_id,
  requestId: row.request_id,
  status: statusOf(row.status),
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  decidedAt: row.decided_at ?? undefined,
  decidedBy: row.decided_by ?? undefined,
  reason: row.reason,
  orderIds: row.order_ids === '' ? [] : row.order_ids.split(','),
})

const rowOf = (approval: Approval): ApprovalTable => ({
  id: approval.id,
  account: approval.account,
  operation: approval.operation,
  input: JSON.stringify(approval.input),
  key_id: approval.keyId,
  request_id: approval.requestId,
  status: approval.status,
  created_at: approval.createdAt,
  expires_at: approval.expiresAt,
  decided_at: approval.decidedAt ?? null,
  decided_by: approval.decidedBy ?? null,
  reason: approval.reason,
  order_ids: approval.orderIds.join(','),
})
