import type { Clock } from '../kernel/clock.ts'
import { scrubText } from '../kernel/scrub.ts'
import { type PackedRows, RowPacker } from '../storage/packed-rows.ts'
import type { FinishedRequest } from './finished-request.ts'

/** What a row says of a request, in this order: `t` for a text, `n` for a number. Names as in the traffic log. */
const COLUMNS = {
  at: 'n',
  request_id: 't',
  method: 't',
  route: 't',
  path: 't',
  status: 'n',
  code: 't',
  bytes_in: 'n',
  bytes_out: 'n',
  duration_us: 'n',
  address: 't',
  user_id: 't',
  key_id: 't',
  user_agent: 't',
  trace_id: 't',
} as const
export type RequestColumn = keyof typeof COLUMNS
/** The kinds of the columns, as packed rows tell them. */
export const REQUEST_COLUMNS = Object.values(COLUMNS).join('')
/** The number of each column. */
export const REQUEST_PLACES = Object.fromEntries(
  Object.keys(COLUMNS).map((column, place) => [column, place]),
) as Readonly<Record<RequestColumn, number>>

/**
 * Rows are handed on when there are so many, or after so long. Few enough for what the threads do with them to be done before a
 * client has waited for it, where there are no more processors than busy threads.
 */
export const ROWS_MAX = 256
const HAND_ON_MS = 200
/** Characters that are kept of a path or a name that a client gives itself. */
export const TEXT_LENGTH_MAX = 512

type Follower = (rows: PackedRows) => void

/**
 * Finished requests on their way to the traffic log and to the process's log, which both have threads that do the rest:
 * collected, without what is secret in them, and handed on many at a time.
 */
export class RequestRows {
  readonly #followers = new Set<Follower>()
  readonly #packer = new RowPacker(REQUEST_COLUMNS, ROWS_MAX, (text) => scrubText(text).slice(0, TEXT_LENGTH_MAX))
  readonly #stop: () => void

  constructor(clock: Clock) {
    this.#stop = clock.every(HAND_ON_MS, () => this.flush())
  }

  /** Requests that wait to be handed on. */
  get waiting(): number {
    return this.#packer.count
  }

  /** Has rows handed to a follower, which never throws; returns what ends it. */
  follow(follower: Follower): () => void {
    this.#followers.add(follower)
    return () => this.#followers.delete(follower)
  }

  add(request: FinishedRequest): void {
    const packer = this.#packer
    packer.number(request.at)
    packer.uniqueText(request.requestId)
    packer.text(request.method)
    packer.text(request.route)
    packer.text(request.path)
    packer.number(request.status)
    packer.text(request.code)
    packer.number(request.bytesIn)
    packer.number(request.bytesOut)
    packer.number(Math.round(request.durationMs * 1000))
    packer.text(request.address)
    packer.text(request.userId)
    packer.text(request.keyId)
    packer.text(request.userAgent)
    packer.text(request.traceId)
    if (packer.isFull) this.flush()
  }

  /** Hands on what there is. */
  flush(): void {
    if (this.#packer.count === 0) return
    const rows = this.#packer.take()
    for (const follower of this.#followers) follower(rows)
  }

  close(): void {
    this.#stop()
    this.flush()
  }
}
