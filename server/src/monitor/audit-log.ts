import { createHash } from 'node:crypto'
import type { Clock } from '../kernel/clock.ts'
import type { Database } from '../storage/open.ts'
import type { AuditTable, RecordDatabase } from '../storage/schema.ts'
import { Batches } from './batches.ts'

/** What `record` takes; see identity/audit.ts for what the fields mean. */
export interface AuditEvent {
  readonly actor: string
  readonly action: string
  readonly target: string
  readonly address: string
  readonly requestId: string
  readonly detail: Readonly<Record<string, unknown>>
}

export interface AuditRow extends AuditEvent {
  readonly seq: number
  readonly at: number
}

export interface AuditFilter {
  readonly actor?: string | undefined
  /** Whole, or its beginning up to a dot: `key` finds `key.created`. */
  readonly action?: string | undefined
  readonly target?: string | undefined
  readonly from?: number | undefined
  readonly until?: number | undefined
}

/** `brokenAt` is the first row that isn't what it was when it was written, or that is missing. */
export interface ChainCheck {
  readonly rows: number
  readonly brokenAt: number | undefined
}

const WRITTEN_WITHIN_MS = 250
const WAITING_MAX = 100_000
const BATCH_MAX = 500
const VERIFY_PAGE = 2_000
const FIRST_HASH = '0'.repeat(64)

/**
 * What was done to the instance, by whom and from where: rows are only ever added, and each row's hash covers the row and
 * the hash before it, so that a row that is changed or taken out breaks the chain.
 */
export class AuditLog {
  readonly #record: Database<RecordDatabase>
  readonly #clock: Clock
  readonly #batches: Batches<AuditTable>
  #seq: number
  #hash: string

  private constructor(
    record: Database<RecordDatabase>,
    clock: Clock,
    last: { readonly seq: number; readonly hash: string } | undefined,
    onLost: (error: unknown, rows: readonly AuditEvent[]) => void,
  ) {
    this.#record = record
    this.#clock = clock
    this.#seq = last?.seq ?? 0
    this.#hash = last?.hash ?? FIRST_HASH
    this.#batches = new Batches({
      clock,
      everyMs: WRITTEN_WITHIN_MS,
      waitingMax: WAITING_MAX,
      batchMax: BATCH_MAX,
      write: async (rows) => {
        const { kysely, writer, compile } = record
        try {
          await writer.write(rows.map((row) => compile(kysely.insertInto('audit').values(row))))
        } catch (error) {
          onLost(error, rows.map(eventOf))
          throw error
        }
      },
      onError: () => undefined, // onLost was told, with the rows
    })
  }

  /** `onLost` is told of rows that couldn't be written: they must stand somewhere. */
  static async open(
    record: Database<RecordDatabase>,
    clock: Clock,
    onLost: (error: unknown, rows: readonly AuditEvent[]) => void,
  ): Promise<AuditLog> {
    const last = await record.kysely
      .selectFrom('audit')
      .select(['seq', 'hash'])
      .orderBy('seq', 'desc')
      .limit(1)
      .executeTakeFirst()
    return new AuditLog(record, clock, last, onLost)
  }

  /** Adds a row; it is on disk within a second. */
  readonly record = (event: AuditEvent): void => {
    const row = {
      seq: this.#seq + 1,
      at: this.#clock.now(),
      actor: event.actor,
      action: event.action,
      target: event.target,
      address: event.address,
      request_id: event.requestId,
      detail: JSON.stringify(event.detail),
    }
    const hash = hashOf(this.#hash, row)
    this.#seq = row.seq
    this.#hash = hash
    this.#batches.add({ ...row, hash })
  }

  get waiting(): number {
    return this.#batches.waiting
  }

  /** Newest first, from below a seq. */
  async list(filter: AuditFilter, limit: number, below: number | undefined): Promise<readonly AuditRow[]> {
    await this.#batches.flush()
    const { actor, action, target, from, until } = filter
    let query = this.#record.kysely.selectFrom('audit').selectAll().orderBy('seq', 'desc').limit(limit)
    if (below !== undefined) query = query.where('seq', '<', below)
    if (actor !== undefined) query = query.where('actor', '=', actor)
    if (target !== undefined) query = query.where('target', '=', target)
    if (from !== undefined) query = query.where('at', '>=', from)
    if (until !== undefined) query = query.where('at', '<', until)
    if (action !== undefined)
      query = query.where((row) =>
        row.or([row('action', '=', action), row(row.fn('instr', ['action', row.val(`${action}.`)]), '=', 1)]),
      )
    return (await query.execute()).map((row) => ({ ...eventOf(row), seq: row.seq, at: row.at }))
  }

  /** Walks the whole chain, a page at a time. */
  async verify(): Promise<ChainCheck> {
    await this.#batches.flush()
    return await verifyChain(this.#record)
  }

  close(): Promise<void> {
    return this.#batches.close()
  }
}

/** Walks the chain of a file that nobody writes to, or of one that is flushed. */
export async function verifyChain(record: Database<RecordDatabase>): Promise<ChainCheck> {
  let hash = FIRST_HASH
  let seq = 0
  for (;;) {
    const rows = await record.kysely
      .selectFrom('audit')
      .selectAll()
      .where('seq', '>', seq)
      .orderBy('seq')
      .limit(VERIFY_PAGE)
      .execute()
    for (const row of rows) {
      if (row.seq !== seq + 1) return { rows: seq, brokenAt: seq + 1 }
      hash = hashOf(hash, row)
      if (hash !== row.hash) return { rows: seq, brokenAt: row.seq }
      seq = row.seq
    }
    if (rows.length < VERIFY_PAGE) return { rows: seq, brokenAt: undefined }
  }
}

function hashOf(before: string, row: Omit<AuditTable, 'hash'>): string {
  const { seq, at, actor, action, target, address, request_id, detail } = row
  const text = JSON.stringify([before, seq, at, actor, action, target, address, request_id, detail])
  return createHash('sha256').update(text).digest('hex')
}

const eventOf = (row: AuditTable): AuditEvent => ({
  actor: row.actor,
  action: row.action,
  target: row.target,
  address: row.address,
  requestId: row.request_id,
  detail: JSON.parse(row.detail) as Record<string, unknown>,
})
