import type { MessagePort } from 'node:worker_threads'
import { assert } from '../kernel/assert.ts'
import type { SqlValue, Synchronous } from './sqlite.ts'

/**
 * What the main thread and a file's worker say to each other.
 *
 * A batch of writes is a row of values: for each call the number of its statements, then for each statement its SQL, the
 * number of its parameters and the parameters; or `ROWS`, and JSON of a list of rows, each a list of parameters. SQL is
 * sent as text the first time; the worker keeps the prepared statement and both sides number it 0, 1, 2 … for later use.
 * Once `PREPARED_STATEMENTS_MAX` are kept, further SQL is sent as `UNKEPT` followed by its text.
 *
 * All texts of a batch are sent as one, the cheapest thing to clone: half the time of so many strings.
 */
export interface WriteBatch {
  readonly text: string
  /** For each value one character: `TEXT` or `OTHER`. */
  readonly kinds: string
  /** The length of each text, and every other value itself. */
  readonly values: readonly Exclude<SqlValue, string>[]
}

export const TEXT = 't'
export const OTHER = 'o'

/** Collects the values of a batch. */
export class BatchBuilder {
  #text = ''
  #kinds = ''
  #values: Exclude<SqlValue, string>[] = []

  add(value: SqlValue): void {
    if (typeof value === 'string') {
      this.#text += value
      this.#kinds += TEXT
      this.#values.push(value.length)
    } else {
      this.#kinds += OTHER
      this.#values.push(value)
    }
  }

  /** The batch so far; the next one begins empty. */
  take(): WriteBatch {
    const batch = { text: this.#text, kinds: this.#kinds, values: this.#values }
    this.#text = ''
    this.#kinds = ''
    this.#values = []
    return batch
  }
}

/** Reads the values of a batch in order. */
export class BatchReader {
  readonly #batch: WriteBatch
  #position = 0
  #offset = 0

  constructor(batch: WriteBatch) {
    this.#batch = batch
  }

  get isAtEnd(): boolean {
    return this.#position === this.#batch.values.length
  }

  next(): SqlValue {
    const { text, kinds, values } = this.#batch
    const value = values[this.#position]
    assert(value !== undefined, 'a batch ends before its last call does')
    const isText = kinds[this.#position] === TEXT
    this.#position += 1
    if (!isText) return value
    const from = this.#offset
    this.#offset += Number(value)
    return text.slice(from, this.#offset)
  }
}

export const PREPARED_STATEMENTS_MAX = 500
export const UNKEPT = -1
export const ROWS = -1

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
