import type { Clock } from '../kernel/clock.ts'
import { scrub, scrubText } from '../kernel/scrub.ts'
import type { Database } from '../storage/open.ts'
import type { AuditTable, RecordDatabase } from '../storage/schema.ts'
import { type ChainCheck, FIRST_HASH, hashOf, type Link, verifyChain } from './audit-chain.ts'
import { type Head, HeadKeeper, type KeptHead, readHead } from './audit-head.ts'
import { Batches } from './batches.ts'
import { LogTable, type Page } from './log-table.ts'

export type { ChainCheck } from './audit-chain.ts'

/** What `record` takes; see identity/audit.ts for what the fields mean. */
export interface AuditEvent {
  readonly actor: string
  readonly action: string
  readonly target: string
  readonly address: string
  readonly requestId: string
  readonly detail: Readonly<Record<string, unknown>>
}

export interface AuditRow extends Omit<AuditEvent, 'detail'> {
  readonly seq: number
  readonly at: number
  /** As it was recorded; the text itself of a row that was changed into something that is no JSON. */
  readonly detail: unknown
}

export interface AuditFilter {
  readonly actor?: string | undefined
  /** Whole, or its beginning up to a dot: `key` finds `key.created`. */
  readonly action?: string | undefined
  readonly target?: string | undefined
  readonly from?: number | undefined
  readonly until?: number | undefined
}

/** An event with the instant at which it was recorded; its place in the chain is known when it is written. */
type Recorded = Omit<AuditTable, 'seq' | 'hash'>

const WRITTEN_WITHIN_MS = 250
const WAITING_MAX = 100_000
const BATCH_MAX = 500
const SCANNED_ROWS_MAX = 100_000
const PAGE_ROWS = 1_000
/** Rows whose chain is walked at the start; the whole of it is for `verify`. */
const TAIL_ROWS = 1_000

/**
 * What was done to the instance, by whom and from where: rows are only ever added, and each row's hash covers the row and
 * the hash before it, so that a row that is changed or taken out breaks the chain. The last hash is kept in another file,
 * which rows taken off the end don't fit any more (audit-head.ts). Whoever may write to both files can still make all of it anew.
 */
export class AuditLog {
  readonly #record: Database<RecordDatabase>
  readonly #clock: Clock
  readonly #batches: Batches<Recorded>
  readonly #table: LogTable<AuditTable>
  /** The last row on disk. */
  #last: Link
  /** Nobody when the file of the head is evidence of rows that are gone: then it stays as it is. */
  readonly #keeper: HeadKeeper | undefined
  /** What the file said at the start. */
  readonly #found: KeptHead
  /** The newest rows' first that wasn't what it was when it was written, or was missing, at the start. */
  readonly brokenAt: number | undefined

  private constructor(
    record: Database<RecordDatabase>,
    clock: Clock,
    last: Link,
    brokenAt: number | undefined,
    found: KeptHead,
    keeper: HeadKeeper | undefined,
    onLost: (error: unknown, rows: readonly AuditEvent[]) => void,
  ) {
    this.#record = record
    this.#clock = clock
    this.#last = last
    this.brokenAt = brokenAt
    this.#found = found
    this.#keeper = keeper
    this.#table = new LogTable(record, {
      name: 'audit',
      id: 'seq',
      scannedMax: SCANNED_ROWS_MAX,
      pageRows: PAGE_ROWS,
      selective: [],
    })
    this.#batches = new Batches({
      clock,
      everyMs: WRITTEN_WITHIN_MS,
      waitingMax: WAITING_MAX,
      batchMax: BATCH_MAX,
      write: (rows) => this.#write(rows),
      onLost: (rows, error) => onLost(error, rows.map(eventOf)),
    })
  }

  /**
   * Goes on with the chain where it ends. `onLost` is told of rows that couldn't be written: they must stand somewhere;
   * and of an error without rows when the file of the head couldn't be.
   */
  static async open(
    record: Database<RecordDatabase>,
    clock: Clock,
    dataDir: string,
    onLost: (error: unknown, rows: readonly AuditEvent[]) => void,
  ): Promise<AuditLog> {
    const found = readHead(dataDir)
    const kept = typeof found === 'string' ? undefined : found
    const [end = START, beforeTail] = [await linkFromEnd(record, 0), await linkFromEnd(record, TAIL_ROWS)]
    const { brokenAt } = await verifyChain(record.kysely, kept, beforeTail)
    if (found === 'unreadable' || (kept !== undefined && !(await fits(record, kept, end.seq))))
      return new AuditLog(record, clock, end, brokenAt, found, undefined, onLost)
    const onError = (error: unknown) => onLost(error, [])
    const keeper = new HeadKeeper({ record, dataDir, keptSeq: kept?.seq, onError })
    const announced = kept?.ahead.filter(({ seq }) => seq > end.seq) ?? []
    if (announced.length > 0) await insert(record, announced)
    const last = announced.at(-1) ?? end
    const log = new AuditLog(record, clock, last, brokenAt, found, keeper, onLost)
    // Without the file nobody could tell whether these are all there were
    if (kept === undefined && last.seq > 0) log.record({ ...HEAD_MADE, target: String(last.seq) })
    else await keeper.settle(last)
    if (announced.length > 0) log.record({ ...ROWS_RESTORED, target: `${end.seq + 1}-${last.seq}` })
    return log
  }

  /** Adds a row; it is on disk within a second. */
  readonly record = (event: AuditEvent): void => {
    this.#batches.add({
      at: this.#clock.now(),
      actor: scrubText(event.actor), // of a login that failed, whatever was typed
      action: event.action,
      target: scrubText(event.target),
      address: event.address,
      request_id: scrubText(event.requestId),
      detail: JSON.stringify(scrub(event.detail)),
    })
  }

  get waiting(): number {
    return this.#batches.waiting
  }

  /** Newest first, from below a seq. */
  async list(filter: AuditFilter, limit: number, below?: number): Promise<Page<AuditRow>> {
    await this.#batches.flush()
    const { actor, action, target, from, until } = filter
    const page = await this.#table.page({ equal: { actor, target }, within: { action }, from, until }, limit, below)
    return { rows: page.rows.map(rowOf), below: page.below }
  }

  /** Walks the whole chain, some rows at a time. */
  async verify(): Promise<ChainCheck> {
    await this.#batches.flush()
    const evidence = typeof this.#found === 'string' ? undefined : this.#found
    return await verifyChain(this.#record.kysely, this.#keeper === undefined ? evidence : this.#last)
  }

  async close(): Promise<void> {
    await this.#batches.close()
    await this.#keeper?.settle(this.#last) // when the file couldn't be written before
  }

  /** Rows are chained as they are written: what is lost on the way leaves no gap that would look like a theft. */
  async #write(recorded: readonly Recorded[]): Promise<void> {
    let last = this.#last
    const rows = recorded.map((event) => {
      const row = { seq: last.seq + 1, ...event }
      const sealed = { ...row, hash: hashOf(last.hash, row) }
      last = sealed
      return sealed
    })
    await this.#keeper?.announce(this.#last, rows)
    await insert(this.#record, rows)
    this.#last = last
    await this.#keeper?.settle(last)
  }
}

const START: Link = { seq: 0, hash: FIRST_HASH }
const HEAD_MADE = { actor: 'sauda', action: 'audit.head_made', address: '', requestId: '', detail: {} }
const ROWS_RESTORED = { actor: 'sauda', action: 'audit.rows_restored', address: '', requestId: '', detail: {} }

/** In one commit. */
async function insert({ kysely, writer, compile }: Database<RecordDatabase>, rows: readonly AuditTable[]) {
  await writer.write(rows.map((row) => compile(kysely.insertInto('audit').values(row))))
}

/** Whether the rows that the head tells of are there, but for the last of those that were about to be written. */
async function fits(record: Database<RecordDatabase>, head: Head, endSeq: number): Promise<boolean> {
  const links = record.kysely.selectFrom('audit').select(['seq', 'hash']).where('seq', '>=', head.seq)
  const rows = await links.where('seq', '<=', head.seq + head.ahead.length).execute()
  const there = new Map([START, ...rows].map(({ seq, hash }) => [seq, hash]))
  return [head, ...head.ahead.filter(({ seq }) => seq <= endSeq)].every(({ seq, hash }) => there.get(seq) === hash)
}

/** The row that so many come after; undefined when there are fewer. */
function linkFromEnd(record: Database<RecordDatabase>, rowsAfter: number): Promise<Link | undefined> {
  return record.kysely
    .selectFrom('audit')
    .select(['seq', 'hash'])
    .orderBy('seq', 'desc')
    .limit(1)
    .offset(rowsAfter)
    .executeTakeFirst()
}

const eventOf = (row: Recorded): AuditEvent => ({
  actor: row.actor,
  action: row.action,
  target: row.target,
  address: row.address,
  requestId: row.request_id,
  detail: JSON.parse(row.detail) as Record<string, unknown>, // `record` wrote it
})

const rowOf = (row: AuditTable): AuditRow => ({
  seq: row.seq,
  at: row.at,
  actor: row.actor,
  action: row.action,
  target: row.target,
  address: row.address,
  requestId: row.request_id,
  detail: detailOf(row.detail),
})

/** Whoever changed a row may have left anything in it; the log is to be read all the same. */
function detailOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return text
    throw error
  }
}
