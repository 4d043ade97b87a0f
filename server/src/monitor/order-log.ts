import type { Clock } from '../kernel/clock.ts'
import { mayHoldSecrets, scrub, scrubText } from '../kernel/scrub.ts'
import type { Database } from '../storage/open.ts'
import type { OrderLogTable, RecordDatabase } from '../storage/schema.ts'
import { Batches } from './batches.ts'
import { type LogFilter, LogTable, type Page } from './log-table.ts'
import { Losses } from './losses.ts'

const WRITTEN_WITHIN_MS = 250
const WAITING_MAX = 50_000
/** Length of the rows that wait, all together, as JSON. */
export const WAITING_LENGTH_MAX = 67_108_864
const BATCH_MAX = 500
/** JSON of a request or an answer; what is longer is cut and says so. */
export const BODY_LENGTH_MAX = 16_384
const COLUMN_LENGTH_MAX = 256
const RETENTION_EVERY_MS = 60_000
const SCANNED_ROWS_MAX = 20_000
/** A row may be of 32 KiB. */
const PAGE_ROWS = 100

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
  readonly code?: string | undefined
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

/** The log of order operations, on paper and live: in order, on disk within a second. What is lost is said aloud. */
export class OrderLog {
  readonly #options: OrderLogOptions
  readonly #batches: Batches<string>
  readonly #losses: Losses
  readonly #table: LogTable<OrderTableRow>
  readonly #stopRetention: () => void
  #retaining: Promise<void> | undefined

  constructor(options: OrderLogOptions) {
    const { record, clock, onError } = options
    this.#options = options
    this.#table = new LogTable(record, {
      name: 'order_log',
      id: 'id',
      scannedMax: SCANNED_ROWS_MAX,
      pageRows: PAGE_ROWS,
      selective: ['order_id', 'request_id'],
    })
    this.#losses = new Losses('the order log', clock, onError)
    this.#batches = new Batches({
      clock,
      everyMs: WRITTEN_WITHIN_MS,
      waitingMax: WAITING_MAX,
      batchMax: BATCH_MAX,
      weigh: { weightOf: (row) => row.length, weightMax: WAITING_LENGTH_MAX },
      write: (rows) => record.writer.write([{ sql: INSERT, rows }]),
      onLost: (rows, error) => this.#losses.note(rows.length, error),
    })
    this.#stopRetention = clock.every(RETENTION_EVERY_MS, () => {
      const before = clock.now() - options.retentionMs
      this.#retaining ??= this.#table
        .retain(before, Number.MAX_SAFE_INTEGER)
        .catch(onError)
        .finally(() => {
          this.#retaining = undefined
        })
    })
  }

  get dropped(): number {
    return this.#batches.dropped
  }

  get waiting(): number {
    return this.#batches.waiting
  }

  /** Takes the event as it is now. Never throws: the order has happened. */
  record(event: OrderEvent): void {
    const cells = [
      event.at,
      columnText(event.account),
      event.mode,
      event.operation,
      columnText(event.strategy),
      columnText(event.symbol),
      columnText(event.exchange),
      columnText(event.orderId),
      columnText(event.requestId),
      event.keyId,
      event.status,
      event.code,
      this.#bodyText(event.request, scrub),
      this.#bodyText(event.answer, () => scrubbedAnswer(event)),
    ]
    this.#batches.add(JSON.stringify(cells))
  }

  /** Newest first, from below an id. */
  async list(filter: OrderLogFilter, limit: number, below?: number): Promise<Page<OrderLogRow>> {
    await this.#batches.flush()
    const page = await this.#table.page(tableFilter(filter), limit, below)
    return { rows: page.rows.map(rowOf), below: page.below }
  }

  /** Everything that fits, newest first, some at a time. */
  async *pages(filter: OrderLogFilter): AsyncGenerator<readonly OrderLogRow[]> {
    await this.#batches.flush()
    for await (const rows of this.#table.pages(tableFilter(filter))) yield rows.map(rowOf)
  }

  async close(): Promise<void> {
    this.#stopRetention()
    await this.#batches.close()
    await this.#retaining
    this.#losses.close()
  }

  #bodyText(body: unknown, scrubbed: (body: unknown) => unknown): string {
    let text: string
    try {
      text = JSON.stringify(body) ?? 'null'
      if (mayHoldSecrets(text)) text = JSON.stringify(scrubbed(body)) ?? 'null'
    } catch (error) {
      this.#options.onError(error)
      return JSON.stringify({ unreadable: error instanceof Error ? error.message : String(error) })
    }
    if (text.length <= BODY_LENGTH_MAX) return text
    return JSON.stringify({ cut: true, length: text.length, beginning: text.slice(0, BODY_LENGTH_MAX) })
  }
}

type OrderTableRow = Omit<OrderLogTable, 'id'> & { readonly id: number }

/** Written out, since building it for each order would cost more than the order. */
const INSERT = `INSERT INTO order_log (at, account, mode, operation, strategy, symbol, exchange, order_id, request_id, key_id, status, code, request, answer) VALUES (${Array(14).fill('?').join(', ')})`

/** What a request that was refused had in these fields may be anything. */
const columnText = (text: string): string => scrubText(text).slice(0, COLUMN_LENGTH_MAX)

/** The code of an error says what went wrong; in a request a field of that name would be a secret. */
function scrubbedAnswer({ answer, code }: OrderEvent): unknown {
  const scrubbed = scrub(answer)
  const isError = code !== '' && typeof answer === 'object' && answer !== null && 'code' in answer
  return isError && answer.code === code ? { ...(scrubbed as object), code } : scrubbed
}

const tableFilter = (filter: OrderLogFilter): LogFilter => ({
  equal: {
    account: filter.account,
    operation: filter.operation,
    strategy: filter.strategy,
    symbol: filter.symbol,
    mode: filter.mode,
    order_id: filter.orderId,
    request_id: filter.requestId,
    key_id: filter.keyId,
    code: filter.code,
  },
  status: filter.status,
  from: filter.from,
  until: filter.until,
})

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
