import type { Clock } from '../kernel/clock.ts'
import type { Database } from '../storage/open.ts'
import type { TelemetryDatabase, TrafficTable } from '../storage/schema.ts'
import { Batches } from './batches.ts'
import type { FinishedRequest } from './finished-request.ts'
import { LogTable, type Page } from './log-table.ts'

const FLUSH_MS = 250
const WAITING_MAX = 20_000
const BATCH_MAX = 500
const PATH_LENGTH_MAX = 512
const USER_AGENT_LENGTH_MAX = 256
/** Totals are kept by route; what would be one more counts under the empty name, like paths that lead nowhere. */
export const ROUTES_MAX = 500
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
}

export interface RouteTotals {
  readonly route: string
  readonly requests: number
  /** Answers of 400 and above. */
  readonly errors: number
  readonly bytesIn: number
  readonly bytesOut: number
  readonly durationMs: number
}

export interface TrafficSettings {
  readonly retentionMs: number
  readonly rowsMax: number
}

export interface TrafficLogOptions {
  readonly telemetry: Database<TelemetryDatabase>
  readonly clock: Clock
  readonly settings: TrafficSettings
  readonly onError: (error: unknown) => void
}

interface Total {
  requests: number
  errors: number
  bytesIn: number
  bytesOut: number
  durationUs: number
  isUnwritten: boolean
}

/**
 * One row for each request, written in batches behind it, and totals of each route, kept as they grow. When rows come
 * faster than the disk takes them, the oldest that wait are dropped and counted.
 */
export class TrafficLog {
  readonly #options: TrafficLogOptions
  readonly #batches: Batches<FinishedRequest>
  readonly #table: LogTable<TrafficTableRow>
  readonly #totals = new Map<string, Total>()
  readonly #stopRetention: () => void
  readonly #insertSql: string
  #retaining: Promise<void> = Promise.resolve()

  private constructor(options: TrafficLogOptions) {
    const { clock, onError } = options
    this.#options = options
    this.#table = new LogTable(options.telemetry, 'traffic')
    this.#insertSql = `INSERT INTO traffic (at, request_id, method, route, path, status, code, bytes_in, bytes_out, duration_us, address, user_id, key_id, user_agent) VALUES (${Array(14).fill('?').join(', ')})`
    this.#batches = new Batches({
      clock,
      everyMs: FLUSH_MS,
      waitingMax: WAITING_MAX,
      batchMax: BATCH_MAX,
      write: (rows) => this.#write(rows),
      onError,
    })
    this.#stopRetention = clock.every(RETENTION_EVERY_MS, () => {
      const { retentionMs, rowsMax } = options.settings
      this.#retaining = this.#table.retain(clock.now() - retentionMs, rowsMax).catch(onError)
    })
  }

  static async open(options: TrafficLogOptions): Promise<TrafficLog> {
    const log = new TrafficLog(options)
    for (const row of await options.telemetry.kysely.selectFrom('route_total').selectAll().execute()) {
      log.#totals.set(row.route, {
        requests: row.requests,
        errors: row.errors,
        bytesIn: row.bytes_in,
        bytesOut: row.bytes_out,
        durationUs: row.duration_us,
        isUnwritten: false,
      })
    }
    return log
  }

  /** Rows that were lost since the start. */
  get dropped(): number {
    return this.#batches.dropped
  }

  get waiting(): number {
    return this.#batches.waiting
  }

  record(request: FinishedRequest): void {
    const total = this.#totalOf(request.route)
    total.requests += 1
    if (request.status >= 400) total.errors += 1
    total.bytesIn += request.bytesIn
    total.bytesOut += request.bytesOut
    total.durationUs += Math.round(request.durationMs * 1000)
    total.isUnwritten = true
    this.#batches.add(request)
  }

  /** Newest first, from below an id. */
  async list(filter: TrafficFilter, limit: number, below?: number): Promise<Page<TrafficRow>> {
    await this.#batches.flush()
    const { from, until, status, route, method, code, keyId, userId, address, requestId } = filter
    const equal = { route, method, code, key_id: keyId, user_id: userId, address, request_id: requestId }
    const page = await this.#table.page({ equal, status, from, until }, limit, below)
    return { rows: page.rows.map(rowOf), below: page.below }
  }

  /** All time, busiest first. */
  totals(): readonly RouteTotals[] {
    return Array.from(this.#totals, ([route, total]) => ({
      route,
      requests: total.requests,
      errors: total.errors,
      bytesIn: total.bytesIn,
      bytesOut: total.bytesOut,
      durationMs: total.durationUs / 1000,
    })).sort((one, other) => other.requests - one.requests)
  }

  async close(): Promise<void> {
    this.#stopRetention()
    await this.#batches.close()
    await this.#retaining
  }

  #totalOf(route: string): Total {
    const known = this.#totals.get(route)
    if (known !== undefined) return known
    const name = this.#totals.size < ROUTES_MAX ? route : ''
    const total = this.#totals.get(name) ?? {
      requests: 0,
      errors: 0,
      bytesIn: 0,
      bytesOut: 0,
      durationUs: 0,
      isUnwritten: false,
    }
    this.#totals.set(name, total)
    return total
  }

  #write(rows: readonly FinishedRequest[]): Promise<void> {
    const { kysely, writer, compile } = this.#options.telemetry
    const statements = rows.map((row) => ({
      sql: this.#insertSql,
      parameters: [
        row.at,
        row.requestId,
        row.method,
        row.route,
        row.path.slice(0, PATH_LENGTH_MAX),
        row.status,
        row.code,
        row.bytesIn,
        row.bytesOut,
        Math.round(row.durationMs * 1000),
        row.address,
        row.userId,
        row.keyId,
        row.userAgent.slice(0, USER_AGENT_LENGTH_MAX),
      ],
    }))
    const changed = [...this.#totals].filter(([, total]) => total.isUnwritten)
    for (const [, total] of changed) total.isUnwritten = false
    const totals = changed.map(([route, total]) => {
      const values = {
        requests: total.requests,
        errors: total.errors,
        bytes_in: total.bytesIn,
        bytes_out: total.bytesOut,
        duration_us: total.durationUs,
      }
      return compile(
        kysely
          .insertInto('route_total')
          .values({ route, ...values })
          .onConflict((row) => row.column('route').doUpdateSet(values)),
      )
    })
    return writer.write([...statements, ...totals])
  }
}

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
  }
}
