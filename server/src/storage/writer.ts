import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import { assert } from '../kernel/assert.ts'
import { Refusal } from '../kernel/errors.ts'
import { Checkpointer } from './checkpointer.ts'
import { assertExactValue, type SqlValue, type Synchronous } from './sqlite.ts'
import {
  BatchBuilder,
  type CallFailure,
  PREPARED_STATEMENTS_MAX,
  type Reply,
  type Request,
  ROWS,
  UNKEPT,
  type WorkerData,
} from './writer-protocol.ts'

export interface Statement {
  readonly sql: string
  readonly parameters: readonly SqlValue[]
}

/**
 * The same statement for each of some rows, one at least. A row is JSON of the list of its parameters (texts, numbers and
 * nulls), made when the row was, so that what is written later isn't looked at again here.
 */
export interface RowsStatement {
  readonly sql: string
  readonly rows: readonly string[]
}

export type AnyStatement = Statement | RowsStatement

export type Row = Readonly<Record<string, SqlValue>>

/** A statement that SQLite refused: a constraint, a missing table, a value out of range. Nothing of its call is kept. */
export class StatementFailed extends Error {
  override readonly name = 'StatementFailed'
  /** SQLite's extended result code; undefined when a value couldn't be bound. */
  readonly errcode: number | undefined

  constructor(message: string, errcode: number | undefined) {
    super(message)
    this.errcode = errcode
  }
}

/** Statements accepted and not yet on disk. */
export const QUEUE_STATEMENTS_MAX = 100_000
/** Statements after which a file whose commits are waited for gets help with its log: before, it is no load. */
const STATEMENTS_ALONE = 1_000
/** Queries accepted and not yet answered. */
export const QUEUE_QUERIES_MAX = 10_000

interface Waiting<T> {
  readonly resolve: (value: T) => void
  readonly reject: (error: Error) => void
}

interface Call extends Waiting<void> {
  readonly statementCount: number
}

/**
 * The only way to write to one database file. Statements run in a worker thread, in the order of the calls; all calls
 * that arrive while one commit runs share the next one, so that the disk is waited for once.
 */
export class Writer {
  readonly #file: string
  readonly #synchronous: Synchronous
  readonly #worker: Worker
  readonly #port: MessagePort
  readonly #signal: Int32Array<SharedArrayBuffer>
  readonly #exited: Promise<void>
  readonly #sqlNumbers = new Map<string, number>()
  readonly #queries = new Map<number, Waiting<readonly Row[]>>()
  #nextQueryId = 1
  /** The calls of each batch that was sent and not yet answered. */
  readonly #sent: Call[][] = []
  #calls: Call[] = []
  readonly #batch = new BatchBuilder()
  #pendingStatements = 0
  #statements = 0
  #checkpointer: Checkpointer | undefined
  #sending = false
  #closing = false
  #broken: string | undefined

  constructor(file: string, synchronous: Synchronous) {
    this.#file = file
    this.#synchronous = synchronous
    const { port1, port2 } = new MessageChannel()
    const signal = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)
    const data: WorkerData = { file, synchronous, port: port2, signal }
    this.#port = port1
    this.#signal = new Int32Array(signal)
    this.#worker = new Worker(new URL('./writer-worker.ts', import.meta.url), {
      workerData: data,
      transferList: [port2],
      execArgv: [],
      name: 'database-writer',
    })
    port1.on('message', (reply: Reply) => this.#receive(reply))
    this.#worker.on('error', (error) => this.#break(error instanceof Error ? error.message : String(error)))
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.#receiveRest()
        const owesAnswers = this.#sent.length > 0 || this.#queries.size > 0
        if (!this.#closing || owesAnswers) this.#break('its writer stopped')
        resolve()
      })
    })
  }

  /** Why nothing can be written any more; undefined while all is well. */
  get broken(): string | undefined {
    return this.#broken
  }

  /** Statements that were accepted and aren't on disk yet. */
  get pendingStatements(): number {
    return this.#pendingStatements
  }

  /**
   * Runs all statements or none, and resolves when they are on disk (with `synchronous` NORMAL: committed).
   * Rejects with StatementFailed when one of them is refused by SQLite; with a TypeError on a value that can't be
   * stored exactly; with a Refusal `overloaded` when too much is waiting, `shutting_down` after `close()`, and
   * `account_stopped` when the file can't be written: then it isn't known whether the statements are on disk, and
   * every later write is refused until a restart.
   */
  write(statements: readonly AnyStatement[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#refuseIfStopped()
      const statementCount = countOf(statements)
      this.requireRoom(statementCount)
      for (const statement of statements) if ('parameters' in statement) assertExact(statement.parameters)
      this.#encode(statements)
      this.#pendingStatements += statementCount
      this.#statements += statementCount
      this.#calls.push({ statementCount, resolve, reject })
      if (!this.#sending) {
        this.#sending = true
        setImmediate(() => this.#send())
      }
    })
  }

  /** Throws Refusal overloaded when so many statements would not be accepted now. */
  requireRoom(statements: number): void {
    if (this.#pendingStatements + statements <= QUEUE_STATEMENTS_MAX) return
    throw new Refusal(
      'overloaded',
      `${this.#pendingStatements} statements wait to be written to ${this.#file}, at most ${QUEUE_STATEMENTS_MAX} may: try again later`,
    )
  }

  /** Rows of a query that sees every write accepted before it. Long queries delay the writes behind them. */
  query(sql: string, parameters: readonly SqlValue[] = []): Promise<readonly Row[]> {
    return new Promise((resolve, reject) => {
      this.#refuseIfStopped()
      if (this.#queries.size >= QUEUE_QUERIES_MAX) {
        throw new Refusal('overloaded', `${this.#queries.size} queries wait for ${this.#file}: try again later`)
      }
      assertExact(parameters)
      this.#send()
      const id = this.#nextQueryId++
      this.#queries.set(id, { resolve, reject })
      this.#post({ kind: 'query', id, sql, parameters })
    })
  }

  /** Writes what was accepted, then closes the file. */
  async close(): Promise<void> {
    if (!this.#closing) {
      this.#send()
      this.#closing = true
      this.#post({ kind: 'close' })
    }
    await this.#exited
    await this.#checkpointer?.close()
    this.#port.close()
  }

  #refuseIfStopped(): void {
    if (this.#broken !== undefined) throw this.#stopped()
    if (this.#closing) throw new Refusal('shutting_down', 'Sauda is shutting down: try again when it is back')
  }

  #stopped(): Refusal {
    return new Refusal(
      'account_stopped',
      `${this.#file} can't be written (${this.#broken}): free the disk or repair it, then restart Sauda`,
    )
  }

  #encode(statements: readonly AnyStatement[]): void {
    const batch = this.#batch
    batch.add(statements.length)
    for (const statement of statements) {
      const { sql } = statement
      const number = this.#sqlNumbers.get(sql)
      if (number !== undefined) batch.add(number)
      else if (this.#sqlNumbers.size < PREPARED_STATEMENTS_MAX) {
        this.#sqlNumbers.set(sql, this.#sqlNumbers.size)
        batch.add(sql)
      } else {
        batch.add(UNKEPT)
        batch.add(sql)
      }
      if ('rows' in statement) {
        assert(statement.rows.length > 0, 'a statement for rows has rows')
        batch.add(ROWS)
        batch.add(`[${statement.rows.join()}]`)
      } else {
        batch.add(statement.parameters.length)
        for (const value of statement.parameters) batch.add(value)
      }
    }
  }

  #send(): void {
    this.#sending = false
    if (this.#calls.length === 0 || this.#broken !== undefined) return
    if (this.#statements > STATEMENTS_ALONE && this.#synchronous === 'FULL')
      this.#checkpointer ??= new Checkpointer(this.#file, this.#synchronous, this.#signal.buffer)
    this.#sent.push(this.#calls)
    this.#post(this.#batch.take())
    this.#calls = []
  }

  #post(request: Request): void {
    this.#port.postMessage(request)
    Atomics.add(this.#signal, 0, 1)
    Atomics.notify(this.#signal, 0)
  }

  #receive(reply: Reply): void {
    if (typeof reply === 'number') this.#settle(reply, [])
    else if (reply.kind === 'committed') this.#settle(reply.batches, reply.failures)
    else if (reply.kind === 'broken') this.#break(reply.message)
    else if (reply.kind === 'rows') this.#takeQuery(reply.id).resolve(reply.rows)
    else this.#takeQuery(reply.id).reject(new StatementFailed(reply.message, reply.errcode))
  }

  /** The end of the worker may be known before its last replies are delivered. */
  #receiveRest(): void {
    for (;;) {
      const rest = receiveMessageOnPort(this.#port)
      if (rest === undefined) return
      this.#receive(rest.message as Reply)
    }
  }

  #settle(batches: number, failures: readonly CallFailure[]): void {
    const failed = new Map(failures.map((failure) => [failure.call, failure]))
    let index = 0
    for (let left = batches; left > 0; left -= 1) {
      const calls = this.#sent.shift()
      assert(calls !== undefined, 'the writer answered more batches than were sent')
      for (const call of calls) {
        this.#pendingStatements -= call.statementCount
        const failure = failed.size === 0 ? undefined : failed.get(index)
        if (failure === undefined) call.resolve()
        else call.reject(new StatementFailed(failure.message, failure.errcode))
        index += 1
      }
    }
  }

  #takeQuery(id: number): Waiting<readonly Row[]> {
    const query = this.#queries.get(id)
    assert(query !== undefined, `the writer answered query ${id}, which nobody asked`)
    this.#queries.delete(id)
    return query
  }

  #break(message: string): void {
    this.#broken ??= message
    const stopped = this.#stopped()
    for (const calls of [...this.#sent.splice(0), this.#calls.splice(0)]) for (const call of calls) call.reject(stopped)
    for (const query of this.#queries.values()) query.reject(stopped)
    this.#queries.clear()
    this.#batch.take()
    this.#pendingStatements = 0
  }
}

function countOf(statements: readonly AnyStatement[]): number {
  let count = 0
  for (const statement of statements) count += 'rows' in statement ? statement.rows.length : 1
  return count
}

function assertExact(parameters: readonly SqlValue[]): void {
  for (let index = 0; index < parameters.length; index += 1) assertExactValue(parameters[index], index)
}
