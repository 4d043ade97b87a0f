import type { Clock } from '../kernel/clock.ts'
import type { Database } from '../storage/open.ts'
import type { PackedRows } from '../storage/packed-rows.ts'
import type { TelemetryDatabase, TrafficTable } from '../storage/schema.ts'
import { Batches } from './batches.ts'
import type { FinishedRequest } from './finished-request.ts'
import { DISORDER_MS, type LogFilter, LogTable, type Page } from './log-table.ts'
import { Losses } from './losses.ts'
import { RequestBlocks } from './request-blocks.ts'
import { REQUEST_COLUMNS, type RequestRows } from './request-rows.ts'
import { RouteTotals, type Totals } from './route-totals.ts'

/** Rows come together; what the writer had no time for is tried again after this. */
const RETRY_MS = 250
const WAITING_MAX = 20_000
const SCANNED_ROWS_MAX = 100_000
const PAGE_ROWS = 1_000
const RETENTION_EVERY_MS = 10_000

export interface TrafficRow {
  readonly id: number
  readonly at: number
  readonly requestId: string
  readonly method: string
  readonly route: string
  readonly path: string
  readonly status: number
  readonly code: string
  readonly bytesIn: number
  readonly bytesOut: number
  readonly durationMs: number
  readonly address: string
  readonly userId: string
  readonly keyId: string
  readonly userAgent: string
  readonly traceId: string
}

export interface TrafficFilter {
  readonly from?: number | undefined
  readonly until?: number | undefined
  readonly route?: string | undefined
  readonly method?: string | undefined
  /** Least and greatest status. */
  readonly status?: readonly [number, number] | undefined
  readonly code?: string | undefined
  readonly keyId?: string | undefined
  readonly userId?: string | undefined
  readonly address?: string | undefined
  readonly requestId?: string | undefined
  readonly traceId?: string | undefined
}

export interface TrafficSettings {
  readonly retentionMs: number
  readonly rowsMax: number
}

export interface TrafficLogOptions {
  readonly telemetry: Database<TelemetryDatabase>
  readonly clock: Clock
  /** Where its rows come from, and what else wants them. */
  readonly requests: RequestRows
  readonly settings: TrafficSettings
  readonly onError: (error: unknown) => void
}

/**
 * One row for each request, written in batches behind it, and totals of each route, kept as they grow. When rows come
 * faster than the disk takes them, the oldest that wait are dropped and counted.
 */
export class TrafficLog {
  readonly #requests: RequestRows
  readonly #batches: Batches<Rows>
  readonly #losses: Losses
  readonly #table: LogTable<TrafficTableRow>
  readonly #totals: RouteTotals
  readonly #stopFollowing: () => void
  readonly #stopRetention: () => void
  #retaining: Promise<void> | undefined

  private constructor(
    { telemetry, clock, requests, settings, onError }: TrafficLogOptions,
    totals: RouteTotals,
    blocks: RequestBlocks,
  ) {
    this.#totals = totals
    this.#table = new LogTable(telemetry, {
      name: 'traffic',
      id: 'id',
      scannedMax: SCANNED_ROWS_MAX,
      pageRows: PAGE_ROWS,
      selective: [],
      late: `duration_us > ${DISORDER_MS * 1000}`,
      narrow: ({ equal: { request_id, trace_id } }, from, below) => {
        if (request_id !== undefined) return blocks.spansOf('ids', request_id, from, below)
        return trace_id === undefined ? undefined : blocks.spansOf('trace_ids', trace_id, from, below)
      },
    })
    this.#losses = new Losses('the traffic log', clock, onError)
    this.#batches = new Batches({
      clock,
      everyMs: RETRY_MS,
      waitingMax: WAITING_MAX,
      batchMax: 1,
      rowsOf: ({ packed }) => packed.count,
      write: async ([rows]) => {
        if (rows === undefined) return
        // SQLite would number on from the greatest; should no row be left, it would begin anew
        const insert = { sql: INSERT, packed: rows.packed, from: blocks.nextRow }
        await totals.written((statements) => telemetry.writer.write([insert, ...statements]))
        await blocks.add(rows.requestIds, rows.traceIds).catch(onError)
      },
      onLost: (lost, error) => {
        for (const { packed } of lost) this.#losses.note(packed.count, error)
      },
    })
    this.#requests = requests
    this.#stopFollowing = requests.follow((packed, requestIds, traceIds) =>
      this.#batches.add({ packed, requestIds, traceIds }),
    )
    this.#stopRetention = clock.every(RETENTION_EVERY_MS, () => {
      const { retentionMs, rowsMax } = settings
      this.#retaining ??= this.#table
        .retain(clock.now() - retentionMs, rowsMax)
        .then(() => blocks.retain())
        .catch(onError)
        .finally(() => {
          this.#retaining = undefined
        })
    })
  }

  static async open(options: TrafficLogOptions): Promise<TrafficLog> {
    const { telemetry } = options
    return new TrafficLog(options, await RouteTotals.open(telemetry), await RequestBlocks.open(telemetry))
  }

  /** Rows that were lost since the start. */
  get dropped(): number {
    return this.#batches.dropped
  }

  get waiting(): number {
    return this.#batches.waiting + this.#requests.waiting
  }

  record(request: FinishedRequest): void {
    this.#totals.add(request)
    this.#requests.add(request)
  }

  /** Newest first, from below an id. */
  async list(filter: TrafficFilter, limit: number, below?: number): Promise<Page<TrafficRow>> {
    await this.#flush()
    const page = await this.#table.page(tableFilter(filter), limit, below)
    return { rows: page.rows.map(rowOf), below: page.below }
  }

  /** Everything that fits, newest first, some at a time. */
  async *pages(filter: TrafficFilter): AsyncGenerator<readonly TrafficRow[]> {
    await this.#flush()
    for await (const rows of this.#table.pages(tableFilter(filter))) yield rows.map(rowOf)
  }

  /** Of each route, busiest first: since the instance exists, or since this process started. */
  totals(since: 'ever' | 'start' = 'ever'): readonly Totals[] {
    return this.#totals.read(since)
  }

  async close(): Promise<void> {
    this.#stopRetention()
    this.#requests.flush()
    this.#stopFollowing()
    await this.#batches.close()
    await this.#retaining
    this.#losses.close()
  }

  async #flush(): Promise<void> {
    this.#requests.flush()
    await this.#batches.flush()
  }
}

/** Rows that came together. */
interface Rows {
  readonly packed: PackedRows
  readonly requestIds: readonly string[]
  readonly traceIds: readonly string[]
}

/** Written out: the query builder would cost more than the row. */
const INSERT = `INSERT INTO traffic (${REQUEST_COLUMNS.join(', ')}, id) VALUES (${'?, '.repeat(REQUEST_COLUMNS.length)}?)`

const tableFilter = (filter: TrafficFilter): LogFilter => ({
  equal: {
    route: filter.route,
    method: filter.method,
    code: filter.code,
    key_id: filter.keyId,
    user_id: filter.userId,
    address: filter.address,
    request_id: filter.requestId,
    trace_id: filter.traceId,
  },
  status: filter.status,
  from: filter.from,
  until: filter.until,
})

type TrafficTableRow = Omit<TrafficTable, 'id'> & { readonly id: number }

function rowOf(row: TrafficTableRow): TrafficRow {
  return {
    id: row.id,
    at: row.at,
    requestId: row.request_id,
    method: row.method,
    route: row.route,
    path: row.path,
    status: row.status,
    code: row.code,
    bytesIn: row.bytes_in,
    bytesOut: row.bytes_out,
    durationMs: row.duration_us / 1000,
    address: row.address,
    userId: row.user_id,
    keyId: row.key_id,
    userAgent: row.user_agent,
    traceId: row.trace_id,
  }
}
