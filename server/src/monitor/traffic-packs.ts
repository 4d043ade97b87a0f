import { promisify } from 'node:util'
import { zstdDecompress } from 'node:zlib'
import { sql } from 'kysely'
import type { Clock } from '../kernel/clock.ts'
import { turn } from '../kernel/turn.ts'
import type { Database } from '../storage/open.ts'
import { bytesOfRows, joinedRows, type PackedRows, RowReader, rowsOfBytes } from '../storage/packed-rows.ts'
import type { TelemetryDatabase } from '../storage/schema.ts'
import type { Statement } from '../storage/writer.ts'
import { IdSet } from './id-set.ts'
import type { Page } from './log-table.ts'
import { REQUEST_PLACES as PLACES, ROWS_MAX } from './request-rows.ts'
import { placesOfMatches, type TrafficFilter, type TrafficRow, trafficRow } from './traffic-row.ts'

/** An open pack takes no more rows after this, so that rows which are too old aren't kept long for younger ones. */
const OPEN_MS = 3_600_000
/** Rows looked at by one call before it answers with a cursor to go on from: a rare match must not take for ever. */
export const SCANNED_ROWS_MAX = 100_000
/** Packs asked for at a time. */
const PACKS_A_QUERY = 64
/** Packs deleted by one commit, and commits at a time. */
const PACKS_DELETED = 64
const DELETIONS_MAX = 200
/** Bytes for each row that tell which ids a pack may have. */
const ID_BYTES = 2

interface TrafficRetention {
  readonly retentionMs: number
  readonly rowsMax: number
}

export interface TrafficPacksOptions {
  readonly telemetry: Database<TelemetryDatabase>
  readonly clock: Clock
  readonly retention: TrafficRetention
  /** Told of packs that can't be read. */
  readonly onError: (error: unknown) => void
}

/** A pack without its rows. */
interface Pack {
  readonly first_row: number
  /** Of the ids that are looked for, when one is. */
  readonly set: Uint8Array | null
}

/** The pack that more rows are added to. */
interface OpenPack {
  readonly firstRow: number
  readonly since: number
  readonly rows: PackedRows
}

const decompress = promisify(zstdDecompress)
/** In one piece. */
const ROOM = { chunkSize: 65_536 }

/**
 * Rows of the traffic log on disk: some hundred to a pack, compressed, a quarter or less of what they would take as rows of a
 * table, in a third of the time. A row's number is that of its pack's first row and its place in it.
 *
 * Beside its rows a pack tells when they were, and in a small set of bits which request and trace ids they may have: proxies
 * and traced clients send random ones, and an index would be written all over.
 */
export class TrafficPacks {
  readonly #telemetry: Database<TelemetryDatabase>
  readonly #clock: Clock
  readonly #retention: TrafficRetention
  readonly #onError: (error: unknown) => void
  readonly #search: ReturnType<typeof searchOf>
  readonly #rowsOf: (firstRow: number) => readonly { readonly rows: Uint8Array }[]
  #nextRow: number
  #open: OpenPack | undefined

  private constructor({ telemetry, clock, retention, onError }: TrafficPacksOptions, nextRow: number) {
    this.#telemetry = telemetry
    this.#clock = clock
    this.#retention = retention
    this.#onError = onError
    this.#nextRow = nextRow
    this.#search = searchOf(telemetry)
    this.#rowsOf = telemetry.prepare(
      telemetry.kysely.selectFrom('traffic_pack').select('rows').where('first_row', '=', 0),
    )
  }

  static async open(options: TrafficPacksOptions): Promise<TrafficPacks> {
    const packs = options.telemetry.kysely.selectFrom('traffic_pack')
    const newest = packs.select('last_row').orderBy('first_row', 'desc').limit(1)
    return new TrafficPacks(options, ((await newest.executeTakeFirst())?.last_row ?? 0) + 1)
  }

  /** Writes rows, in one go with other statements. Few are added to those that came before. */
  async add(packs: readonly [PackedRows, ...PackedRows[]], statements: readonly Statement[]): Promise<void> {
    const open = this.#open
    const now = this.#clock.now()
    const count = packs.reduce((sum, pack) => sum + pack.count, 0)
    const isAdded = open !== undefined && open.rows.count + count <= ROWS_MAX && now < open.since + OPEN_MS
    const rows = joinedRows(isAdded ? [open.rows, ...packs] : packs)
    const [firstRow, since] = isAdded ? [open.firstRow, open.since] : [this.#nextRow, now]
    await this.#telemetry.writer.write([insertOf(firstRow, rows), ...statements])
    this.#nextRow = firstRow + rows.count
    this.#open = rows.count < ROWS_MAX ? { firstRow, since, rows } : undefined
  }

  /** Rows that fit, newest first, from below a number. */
  async page(filter: TrafficFilter, limit: number, below = this.#nextRow): Promise<Page<TrafficRow>> {
    const oldestRow = Math.max(await this.#oldestRow(), this.#nextRow - this.#retention.rowsMax)
    const endedSince = this.#clock.now() - this.#retention.retentionMs
    const { from = endedSince, until = Number.MAX_SAFE_INTEGER, requestId, traceId } = filter
    const { all, byRequest, byTrace } = this.#search
    const search = requestId !== undefined ? byRequest : traceId !== undefined ? byTrace : all
    const rows: TrafficRow[] = []
    let [up, scanned] = [below, 0]
    for (;;) {
      const packs = search(up, oldestRow, Math.max(endedSince, from), until, PACKS_A_QUERY)
      for (const pack of packs) {
        if (scanned >= SCANNED_ROWS_MAX) return { rows, below: up }
        const reader = mayHave(pack, filter) ? await this.#read(pack.first_row) : undefined
        if (reader !== undefined) {
          scanned += reader.count
          for (const place of placesOfMatches(reader, filter, endedSince)) {
            const row = pack.first_row + place
            if (row >= up) continue
            if (row < oldestRow) break
            rows.push(trafficRow(reader, place, row))
            if (rows.length === limit) return { rows, below: row > oldestRow ? row : undefined }
          }
        }
        up = Math.min(up, pack.first_row)
      }
      if (packs.length < PACKS_A_QUERY) return { rows, below: undefined }
      await turn()
    }
  }

  /** Deletes packs of which every row is too old or too much; rows of the others that are, `page` doesn't show. */
  async retain(): Promise<void> {
    const { kysely, writer } = this.#telemetry
    const surplus = this.#nextRow - 1 - this.#retention.rowsMax
    const endedBefore = this.#clock.now() - this.#retention.retentionMs
    const oldest = kysely
      .selectFrom('traffic_pack')
      .select(['first_row', 'last_row', 'last_ended_at'])
      .orderBy('first_row')
      .limit(PACKS_DELETED + 1)
    for (let deletions = 0; deletions < DELETIONS_MAX; deletions += 1) {
      const packs = await oldest.execute()
      const kept = packs.findIndex(({ last_row, last_ended_at }) => last_row > surplus && last_ended_at >= endedBefore)
      // The newest stays, since rows are numbered on from it
      const below = packs.at(kept)?.first_row
      if (below === undefined || below === packs[0]?.first_row) return
      await writer.write([{ sql: 'DELETE FROM traffic_pack WHERE first_row < ?', parameters: [below] }])
    }
  }

  async #oldestRow(): Promise<number> {
    const oldest = this.#telemetry.kysely.selectFrom('traffic_pack').select('first_row').orderBy('first_row').limit(1)
    return (await oldest.executeTakeFirst())?.first_row ?? this.#nextRow
  }

  /** Undefined when it was deleted meanwhile, or when the disk has damaged it: the others are there all the same. */
  async #read(firstRow: number): Promise<RowReader | undefined> {
    const [pack] = this.#rowsOf(firstRow)
    try {
      return pack && new RowReader(rowsOfBytes(await decompress(pack.rows, ROOM)))
    } catch (cause) {
      this.#onError(new Error(`the pack of row ${firstRow} of the traffic log can't be read`, { cause }))
      return undefined
    }
  }
}

/** The next packs that rows may be in, newest first: by an index, without their rows. */
function searchOf({ kysely, prepare }: Database<TelemetryDatabase>) {
  const packs = kysely
    .selectFrom('traffic_pack')
    .where('first_row', '<', 0)
    .where('last_row', '>=', 0)
    .where('last_ended_at', '>=', 0)
    .where('first_began_at', '<', 0)
    .orderBy('first_row', 'desc')
    .limit(PACKS_A_QUERY)
  return {
    all: prepare(packs.select(['first_row', sql<null>`NULL`.as('set')])),
    byRequest: prepare(packs.select(['first_row', 'ids as set'])),
    byTrace: prepare(packs.select(['first_row', 'trace_ids as set'])),
  }
}

const INSERT = `INSERT OR REPLACE INTO traffic_pack
  (first_row, last_row, first_began_at, last_ended_at, ids, trace_ids, rows) VALUES (?, ?, ?, ?, ?, ?, zstd(?))`

function insertOf(firstRow: number, rows: PackedRows): Statement {
  const reader = new RowReader(rows)
  let [began, ended] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (let row = 0; row < rows.count; row += 1) {
    const at = reader.number(PLACES.at, row)
    began = Math.min(began, at)
    ended = Math.max(ended, at + Math.ceil(reader.number(PLACES.duration_us, row) / 1_000))
  }
  const lastRow = firstRow + rows.count - 1
  const [ids, traceIds] = [idsOf(reader, PLACES.request_id), idsOf(reader, PLACES.trace_id)]
  return { sql: INSERT, parameters: [firstRow, lastRow, began, ended, ids, traceIds, bytesOfRows(rows)] }
}

/** A byte that has no id. */
const NONE = new IdSet(1)

/** Which ids a column may have; an empty text is none. */
function idsOf(reader: RowReader, column: number): Uint8Array {
  let ids = NONE
  const add = (text: string, from: number, to: number): void => {
    if (from === to) return
    if (ids === NONE) ids = new IdSet(2 ** Math.ceil(Math.log2(reader.count * ID_BYTES)))
    ids.add(text, from, to)
  }
  for (let row = 0; row < reader.count; row += 1) reader.visitText(column, row, add)
  return ids.bits
}

function mayHave({ set }: Pack, { requestId, traceId }: TrafficFilter): boolean {
  const id = requestId ?? traceId
  return id === undefined || set === null || new IdSet(set).mayHave(id)
}
