import type { Kysely } from 'kysely'
import { turn } from '../kernel/turn.ts'
import type { Database } from '../storage/open.ts'
import type { TelemetryDatabase } from '../storage/schema.ts'
import { IdSet } from './id-set.ts'

/** Rows of a block, as many as are looked through at a stretch; the batch that fills it may exceed that by its own. */
export const BLOCK_ROWS = 4_096
/** Bytes that tell which ids a block may have: two for each row, 10 MB for five million. */
const SET_BYTES = 8_192
/** Rows without a block that are read when the log is opened; more than that is looked through row by row. */
const UNBLOCKED_ROWS_MAX = 20_000
/** Blocks asked before everything else has its turn: about a millisecond. */
const BLOCKS_A_TURN = 64

/** Rows from an id on, below another. */
export interface Span {
  readonly from: number
  readonly below: number
}

/** By what a row is looked for: the id of its request, or of the trace that it belongs to. */
export type IdKind = 'ids' | 'trace_ids'

interface Block {
  readonly first: number
  /** The row after its last one. */
  readonly next: number
  readonly ids: IdSet
  /** A byte without any while no row of the block has one, as most requests haven't. */
  readonly trace_ids: IdSet
}

/**
 * Where in the traffic log a request id or a trace's may stand: for each block of rows in turn, a small set of its ids. An
 * index would be written all over, since proxies and traced clients send ids that are random: a page of the disk for each
 * request. This is written once for each block, at its end, and a look-up reads some kilobytes for each block instead of its
 * rows.
 */
export class RequestBlocks {
  readonly #telemetry: Database<TelemetryDatabase>
  readonly #blockRows: number
  /** Not on disk yet. */
  #open: Block

  private constructor(telemetry: Database<TelemetryDatabase>, blockRows: number, nextRow: number) {
    this.#telemetry = telemetry
    this.#blockRows = blockRows
    this.#open = emptyBlock(nextRow)
  }

  static async open(telemetry: Database<TelemetryDatabase>, blockRows = BLOCK_ROWS): Promise<RequestBlocks> {
    const { kysely } = telemetry
    const block = await newestBlock(kysely)
    const row = await kysely.selectFrom('traffic').select('id').orderBy('id', 'desc').limit(1).executeTakeFirst()
    const blocked = block?.last_row ?? 0
    const last = Math.max(row?.id ?? 0, blocked)
    const blocks = new RequestBlocks(telemetry, blockRows, last + 1)
    if (last === blocked || last - blocked > UNBLOCKED_ROWS_MAX) return blocks
    // What the process before had not come to write
    blocks.#open = emptyBlock(blocked + 1)
    const rest = kysely.selectFrom('traffic').select(['request_id', 'trace_id']).where('id', '>', blocked).orderBy('id')
    const rows = await rest.execute()
    const requestIds = rows.map(({ request_id }) => request_id)
    const traceIds = rows.map(({ trace_id }) => trace_id).filter((id) => id !== '')
    await blocks.add(requestIds, traceIds, last + 1)
    return blocks
  }

  /** The number that the next row gets. */
  get nextRow(): number {
    return this.#open.next
  }

  /**
   * Takes over the ids of rows that were written: one of a request for each, and those of traces that they have. Rows of a
   * block that can't be written are looked through one by one.
   */
  async add(
    requestIds: readonly string[],
    traceIds: readonly string[],
    nextRow = this.#open.next + requestIds.length,
  ): Promise<void> {
    const { first, ids } = this.#open
    let { trace_ids } = this.#open
    if (trace_ids === NONE && traceIds.length > 0) trace_ids = new IdSet(SET_BYTES)
    for (const id of requestIds) ids.add(id)
    for (const id of traceIds) trace_ids.add(id)
    this.#open = { first, next: nextRow, ids, trace_ids }
    if (nextRow - first < this.#blockRows) return
    this.#open = emptyBlock(nextRow)
    const { writer } = this.#telemetry
    await writer.write([{ sql: INSERT, parameters: [first, nextRow - 1, ids.bits, trace_ids.bits] }])
  }

  /** Where between two rows an id may stand, newest first. */
  async *spansOf(kind: IdKind, id: string, from: number, below: number): AsyncGenerator<Span> {
    const clipped = (span: Span): Span => ({ from: Math.max(from, span.from), below: Math.min(below, span.below) })
    const open = this.#open
    let looked = below
    if (open.next < looked) yield clipped({ from: open.next, below: looked })
    if (open.first < looked && open[kind].mayHave(id)) yield clipped({ from: open.first, below: open.next })
    looked = Math.min(looked, open.first)
    while (looked > from) {
      const found = await this.#before(looked, kind)
      for (const { first_row, last_row, set } of found) {
        // Rows that no block tells of
        if (last_row + 1 < looked) yield clipped({ from: last_row + 1, below: looked })
        if (last_row >= from && (set === null || new IdSet(set).mayHave(id)))
          yield clipped({ from: first_row, below: last_row + 1 })
        looked = first_row
        if (looked <= from) return
      }
      if (found.length < BLOCKS_A_TURN) break
      await turn()
    }
    if (looked > from) yield { from, below: looked }
  }

  /** Forgets blocks whose rows were deleted. */
  async retain(): Promise<void> {
    const { kysely, writer } = this.#telemetry
    const [row, block] = [
      await kysely.selectFrom('traffic').select('id').orderBy('id').limit(1).executeTakeFirst(),
      await kysely.selectFrom('request_block').select('last_row').orderBy('first_row').limit(1).executeTakeFirst(),
    ]
    const oldest = row?.id ?? this.#open.first
    if (block === undefined || block.last_row >= oldest) return
    // The newest stays, since rows are numbered on from it
    const sql =
      'DELETE FROM request_block WHERE last_row < ? AND first_row < (SELECT max(first_row) FROM request_block)'
    await writer.write([{ sql, parameters: [oldest] }])
  }

  #before(row: number, kind: IdKind) {
    const { kysely } = this.#telemetry
    const blocks = kysely.selectFrom('request_block').select(['first_row', 'last_row', `${kind} as set`])
    return blocks.where('first_row', '<', row).orderBy('first_row', 'desc').limit(BLOCKS_A_TURN).execute()
  }
}

const INSERT = 'INSERT INTO request_block (first_row, last_row, ids, trace_ids) VALUES (?, ?, ?, ?)'
const NONE = new IdSet(1)

const emptyBlock = (first: number): Block => ({ first, next: first, ids: new IdSet(SET_BYTES), trace_ids: NONE })

const newestBlock = (kysely: Kysely<TelemetryDatabase>) =>
  kysely.selectFrom('request_block').select('last_row').orderBy('first_row', 'desc').limit(1).executeTakeFirst()
