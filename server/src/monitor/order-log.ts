import type { Clock } from '../kernel/clock.ts'
import { scrub } from '../kernel/scrub.ts'
import type { Database } from '../storage/open.ts'
import type { OrderLogTable, RecordDatabase } from '../storage/schema.ts'
import { Batches } from './batches.ts'
import { LogTable, type Page } from './log-table.ts'

const WRITTEN_WITHIN_MS = 250
const WAITING_MAX = 50_000
const BATCH_MAX = 500
/** JSON of a request or an answer; what is longer is cut and says so. */
export const BODY_LENGTH_MAX = 16_384
const RETENTION_EVERY_MS = 60_000

/** An order operation that somebody asked for by right, and what it answered. */
export interface OrderEvent {
  readonly at: number
  readonly account: string
  /** `analyze` on paper, `live` otherwise. */
  readonly mode: string
  readonly operation: string
  readonly strategy: string
  readonly symbol: string
  readonly exchange: string
  readonly orderId: string
  readonly requestId: string
  /** Empty for a signed-in person. */
  readonly keyId: string
  readonly status: number
  readonly code: string
  /** Secrets are taken out here. */
  readonly request: object
  readonly answer: unknown
}

export interface OrderLogRow extends Omit<OrderEvent, 'request' | 'answer'> {
  readonly id: number
  readonly request: unknown
  readonly answer: unknown
}

export interface OrderLogFilter {
  readonly account?: string | undefined
  readonly operation?: string | undefined
  readonly strategy?: string | undefined
  readonly symbol?: string | undefined
  readonly orderId?: string | undefined
  readonly requestId?: string | undefined
  readonly keyId?: string | undefined
  readonly mode?: string | undefined
  readonly status?: readonly [number, number] | undefined
  readonly from?: number | undefined
  readonly until?: number | undefined
}

export interface OrderLogOptions {
  readonly record: Database<RecordDatabase>
  readonly clock: Clock
  readonly retentionMs: number
  readonly onError: (error: unknown) => void
}

/** The log of order operations, on paper and live: in order, on disk within a second. */
export class OrderLog {
  readonly #options: OrderLogOptions
  readonly #batches: Batches<OrderEvent>
  readonly #table: LogTable<OrderTableRow>
  readonly #stopRetention: () => void
  #retaining: Promise<void> = Promise.resolve()

  constructor(options: OrderLogOptions) {
    const { clock, onError } = options
    this.#options = options
    this.#table = new LogTable(options.record, 'order_log')
    this.#batches = new Batches({
      clock,
      everyMs: WRITTEN_WITHIN_MS,
      waitingMax: WAITING_MAX,
      batchMax: BATCH_MAX,
      write: (rows) => this.#write(rows),
      onError,
    })
    this.#stopRetention = clock.every(RETENTION_EVERY_MS, () => {
      const before = clock.now() - options.retentionMs
      this.#retaining = this.#table.retain(before, Number.MAX_SAFE_INTEGER).catch(onError)
    })
  }

  get dropped(): number {
    return this.#batches.dropped
  }

  get waiting(): number {
    return this.#batches.waiting
  }

  record(event: OrderEvent): void {
    this.#batches.add(event)
  }

  /** Newest first, from below an id. */
  async list(filter: OrderLogFilter, limit: number, below?: number): Promise<Page<OrderLogRow>> {
    await this.#batches.flush()
    const { account, operation, strategy, symbol, orderId, requestId, keyId, mode, status, from, until } = filter
    const ids = { order_id: orderId, request_id: requestId, key_id: keyId }
    const equal = { account, operation, strategy, symbol, mode, ...ids }
    const page = await this.#table.page({ equal, status, from, until }, limit, below)
    return { rows: page.rows.map(rowOf), below: page.below }
  }

  async close(): Promise<void> {
    this.#stopRetention()
    await this.#batches.close()
    await this.#retaining
  }

  #write(events: readonly OrderEvent[]): Promise<void> {
    return this.#options.record.writer.write(
      events.map((event) => ({
        sql: INSERT,
        parameters: [
          event.at,
          event.account,
          event.mode,
          event.operation,
          event.strategy,
          event.symbol,
          event.exchange,
          event.orderId,
          event.requestId,
          event.keyId,
          event.status,
          event.code,
          bodyText(event.request),
          bodyText(event.answer),
        ],
      })),
    )
  }
}

/** Written out, since building it for each order would cost more than the order. */
const INSERT = `INSERT INTO order_log (at, account, mode, operation, strategy, symbol, exchange, order_id, request_id, key_id, status, code, request, answer) VALUES (${Array(14).fill('?').join(', ')})`

type OrderTableRow = Omit<OrderLogTable, 'id'> & { readonly id: number }

function bodyText(body: unknown): string {
  const text = JSON.stringify(scrub(body)) ?? 'null'
  return text.length <= BODY_LENGTH_MAX
    ? text
    : JSON.stringify({ cut: true, length: text.length, beginning: text.slice(0, BODY_LENGTH_MAX) })
}

const rowOf = (row: OrderTableRow): OrderLogRow => ({
  id: row.id,
  at: row.at,
  account: row.account,
  mode: row.mode,
  operation: row.operation,
  strategy: row.strategy,
  symbol: row.symbol,
  exchange: row.exchange,
  orderId: row.order_id,
  requestId: row.request_id,
  keyId: row.key_id,
  status: row.status,
  code: row.code,
  request: JSON.parse(row.request),
  answer: JSON.parse(row.answer),
})
