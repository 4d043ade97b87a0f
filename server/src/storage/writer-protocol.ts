import type { MessagePort } from 'node:worker_threads'
import type { SqlValue, Synchronous } from './sqlite.ts'

/**
 * What the main thread and a file's worker say to each other.
 *
 * A batch of writes is one flat array of primitives, the cheapest thing to clone: for each call the number of its
 * statements, then for each statement its SQL, the number of its parameters and the parameters. SQL is sent as text
 * the first time; the worker keeps the prepared statement and both sides number it 0, 1, 2 … for later use. Once
 * `PREPARED_STATEMENTS_MAX` are kept, further SQL is sent as `UNKEPT` followed by its text.
 */
export type WriteBatch = readonly SqlValue[]

export const PREPARED_STATEMENTS_MAX = 500
export const UNKEPT = -1

export interface QueryRequest {
  readonly kind: 'query'
  readonly id: number
  readonly sql: string
  readonly parameters: readonly SqlValue[]
}

export interface CloseRequest {
  readonly kind: 'close'
}

export type Request = WriteBatch | QueryRequest | CloseRequest

export interface CallFailure {
  /** Position among the calls of the batches that are answered. */
  readonly call: number
  readonly message: string
  /** SQLite's extended result code; undefined when the value couldn't be bound. */
  readonly errcode: number | undefined
}

export type Reply =
  /** So many batches are on disk, and every call in them succeeded. */
  | number
  | { readonly kind: 'committed'; readonly batches: number; readonly failures: readonly CallFailure[] }
  | { readonly kind: 'rows'; readonly id: number; readonly rows: readonly Record<string, SqlValue>[] }
  | {
      readonly kind: 'query-failed'
      readonly id: number
      readonly message: string
      readonly errcode: number | undefined
    }
  /** The file can't be trusted to take writes any more; the worker has stopped. */
  | { readonly kind: 'broken'; readonly message: string }

export interface WorkerData {
  readonly file: string
  readonly synchronous: Synchronous
  readonly port: MessagePort
  /** One Int32 that grows with every request: the worker sleeps on it. */
  readonly signal: SharedArrayBuffer
}
