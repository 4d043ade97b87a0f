import type { MessagePort } from 'node:worker_threads'
import { assert } from '../kernel/assert.ts'
import type { SqlValue, Synchronous } from './sqlite.ts'

/**
 * What the main thread and a file's worker say to each other.
 *
 * A batch of writes is a row of values: for each call the number of its statements, then for each statement its SQL, the
 * number of its parameters and the parameters. SQL is sent as text the first time; the worker keeps the prepared
 * statement and both sides number it 0, 1, 2 … for later use. Once `PREPARED_STATEMENTS_MAX` are kept, further SQL is sent
 * as `UNKEPT` followed by its text.
 *
 * Values are written as bytes into memory that both threads see, since cloning them costs several times as much. The main
 * thread doesn't touch a batch's memory from when it is sent until it is answered.
 */
export interface WriteBatch {
  readonly memory: SharedArrayBuffer
  /** What of the memory is used. */
  readonly byteLength: number
}

/** Each value begins with a byte that says what follows: nothing, eight bytes, or a length and so many bytes. */
const NULL = 0
const NUMBER = 1
const TEXT = 2
/** Decimal digits: any size arrives, and whether it can be stored is found where it is stored. */
const BIGINT = 3
const BLOB = 4
const NUMBER_BYTES = 1 + Float64Array.BYTES_PER_ELEMENT
const LENGTH_BYTES = Uint32Array.BYTES_PER_ELEMENT
/** Longest UTF-8 of one UTF-16 code unit. */
const UTF8_BYTES_MAX = 3

/** Memory of a usual batch; a larger one takes as much as it needs. */
const MEMORY_BYTES = 131_072
/** Memory that is kept for later batches. */
const SPARE_MEMORIES_MAX = 4
const SPARE_MEMORY_BYTES_MAX = 1_048_576

/** Collects the values of a batch. */
export class BatchBuilder {
  readonly #spare: SharedArrayBuffer[] = []
  #memory = new SharedArrayBuffer(MEMORY_BYTES)
  #bytes = Buffer.from(this.#memory)
  #view = new DataView(this.#memory)
  #length = 0

  add(value: SqlValue): void {
    if (typeof value === 'number') {
      this.#makeRoom(NUMBER_BYTES)
      this.#view.setUint8(this.#length, NUMBER)
      this.#view.setFloat64(this.#length + 1, value)
      this.#length += NUMBER_BYTES
    } else if (typeof value === 'string') this.#addText(TEXT, value)
    else if (typeof value === 'bigint') this.#addText(BIGINT, String(value))
    else if (value === null) {
      this.#makeRoom(1)
      this.#view.setUint8(this.#length, NULL)
      this.#length += 1
    } else {
      this.#makeRoom(1 + LENGTH_BYTES + value.length)
      this.#view.setUint8(this.#length, BLOB)
      this.#view.setUint32(this.#length + 1, value.length)
      this.#bytes.set(value, this.#length + 1 + LENGTH_BYTES)
      this.#length += 1 + LENGTH_BYTES + value.length
    }
  }

  /** The batch so far; the next one begins empty. Its memory is to be given back when the batch is answered. */
  take(): WriteBatch {
    const batch = { memory: this.#memory, byteLength: this.#length }
    this.#use(this.#spare.pop() ?? new SharedArrayBuffer(MEMORY_BYTES))
    this.#length = 0
    return batch
  }

  giveBack({ memory }: WriteBatch): void {
    if (this.#spare.length < SPARE_MEMORIES_MAX && memory.byteLength <= SPARE_MEMORY_BYTES_MAX) this.#spare.push(memory)
  }

  #addText(kind: number, text: string): void {
    this.#makeRoom(1 + LENGTH_BYTES + text.length * UTF8_BYTES_MAX)
    const at = this.#length + 1 + LENGTH_BYTES
    const bytes = this.#bytes.write(text, at)
    this.#view.setUint8(this.#length, kind)
    this.#view.setUint32(this.#length + 1, bytes)
    this.#length = at + bytes
  }

  #makeRoom(bytes: number): void {
    const needed = this.#length + bytes
    if (needed <= this.#bytes.length) return
    const before = this.#bytes.subarray(0, this.#length)
    this.#use(new SharedArrayBuffer(Math.max(needed, this.#bytes.length * 2)))
    this.#bytes.set(before)
  }

  #use(memory: SharedArrayBuffer): void {
    this.#memory = memory
    this.#bytes = Buffer.from(memory)
    this.#view = new DataView(memory)
  }
}

/** Reads the values of a batch in order. */
export class BatchReader {
  readonly #bytes: Buffer
  #offset = 0

  constructor({ memory, byteLength }: WriteBatch) {
    this.#bytes = Buffer.from(memory, 0, byteLength)
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#bytes.length
  }

  next(): SqlValue {
    assert(!this.isAtEnd, 'a batch ends before its last call does')
    const kind = this.#bytes.readUInt8(this.#offset)
    this.#offset += 1
    if (kind === NULL) return null
    if (kind === NUMBER) {
      const value = this.#bytes.readDoubleBE(this.#offset)
      this.#offset += Float64Array.BYTES_PER_ELEMENT
      return value
    }
    const from = this.#offset + LENGTH_BYTES
    const to = from + this.#bytes.readUInt32BE(this.#offset)
    this.#offset = to
    if (kind === BLOB) return Uint8Array.from(this.#bytes.subarray(from, to)) // its own: the memory is used again
    const text = this.#bytes.toString('utf8', from, to)
    return kind === BIGINT ? BigInt(text) : text
  }
}

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
