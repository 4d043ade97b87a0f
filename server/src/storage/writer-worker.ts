import type { StatementSync } from 'node:sqlite'
import { receiveMessageOnPort, workerData } from 'node:worker_threads'
import { assert } from '../kernel/assert.ts'
import { runInBackground } from '../kernel/background-thread.ts'
import { bindable, openFile, type SqlValue } from './sqlite.ts'
import {
  BatchReader,
  type CallFailure,
  PREPARED_STATEMENTS_MAX,
  type QueryRequest,
  type Reply,
  type Request,
  ROWS,
  UNKEPT,
  type WorkerData,
  type WriteBatch,
} from './writer-protocol.ts'

/** Calls that arrive during a commit share the next one, up to so many values (a journal row is 8). */
const GROUP_VALUES_MAX = 16_384
const QUERY_ROWS_MAX = 100_000

/** SQLite's result codes that are the statement's own fault: ERROR, TOOBIG, CONSTRAINT, MISMATCH, RANGE. */
const OWN_FAULTS: ReadonlySet<number> = new Set([1, 18, 19, 20, 25])

/** SQL text and, once it has run, its prepared statement. */
interface Sql {
  readonly text: string
  prepared: StatementSync | undefined
}

interface BoundStatement {
  readonly sql: Sql
  readonly parameters: SqlValue[]
}

type Call = readonly BoundStatement[]

/** A failure of the file or the disk rather than of one call. */
class FileFailure extends Error {}

const { file, synchronous, port, signal } = workerData as WorkerData
if (synchronous !== 'FULL') runInBackground() // nobody waits for these commits
const requests = new Int32Array(signal)
const database = openFile(file, synchronous, 'read-write')
const begin = prepareToRun('BEGIN IMMEDIATE')
const commit = prepareToRun('COMMIT')
const rollback = prepareToRun('ROLLBACK')
/** In the order in which they were first sent. */
const kept: Sql[] = []

run()

function run(): void {
  let held: Request | undefined
  for (;;) {
    const request = held ?? nextRequest()
    held = undefined
    if (!isBatch(request)) {
      if (request.kind === 'close') break
      answerQuery(request)
      continue
    }
    const group = [request]
    let values = request.values.length
    while (values < GROUP_VALUES_MAX && held === undefined) {
      const more = pollRequest()
      if (more === undefined) break
      if (isBatch(more)) {
        group.push(more)
        values += more.values.length
      } else held = more
    }
    try {
      const failures = commitGroup(group)
      reply(failures.length === 0 ? group.length : { kind: 'committed', batches: group.length, failures })
    } catch (error) {
      if (!(error instanceof FileFailure)) throw error
      reply({ kind: 'broken', message: error.message })
      break
    }
  }
  database.close()
  port.close()
}

function pollRequest(): Request | undefined {
  return receiveMessageOnPort(port)?.message as Request | undefined
}

function nextRequest(): Request {
  for (;;) {
    const seen = Atomics.load(requests, 0)
    const request = pollRequest()
    if (request !== undefined) return request
    Atomics.wait(requests, 0, seen)
  }
}

function isBatch(request: Request): request is WriteBatch {
  return 'values' in request
}

function reply(message: Reply): void {
  port.postMessage(message)
}

/** Everything in one transaction; when a call fails, each call in a savepoint of its own, and only that one fails. */
function commitGroup(group: readonly WriteBatch[]): readonly CallFailure[] {
  const calls = group.flatMap(callsOf)
  orFileFailure(() => begin.run())
  try {
    for (const call of calls) runCall(call)
  } catch (error) {
    if (isFileFault(error)) throw new FileFailure(messageOf(error))
    if (database.isTransaction) orFileFailure(() => rollback.run())
    return commitSeparately(calls)
  }
  orFileFailure(() => commit.run())
  return []
}

function commitSeparately(calls: readonly Call[]): readonly CallFailure[] {
  const failures: CallFailure[] = []
  orFileFailure(() => begin.run())
  for (const [index, call] of calls.entries()) {
    orFileFailure(() => database.exec('SAVEPOINT one_call'))
    try {
      runCall(call)
    } catch (error) {
      if (isFileFault(error)) throw new FileFailure(messageOf(error))
      orFileFailure(() => database.exec('ROLLBACK TO one_call'))
      failures.push({ call: index, message: messageOf(error), errcode: errcodeOf(error) })
    }
    orFileFailure(() => database.exec('RELEASE one_call'))
  }
  orFileFailure(() => commit.run())
  return failures
}

/** `run()` reports the last row id, which as a number would fail beyond 2^53-1 after the statement has run. */
function prepareToRun(text: string): StatementSync {
  const statement = database.prepare(text)
  statement.setReadBigInts(true)
  return statement
}

function runCall(call: Call): void {
  for (const { sql, parameters } of call) {
    sql.prepared ??= prepareToRun(sql.text)
    sql.prepared.run(...parameters)
  }
}

function callsOf(batch: WriteBatch): Call[] {
  const reader = new BatchReader(batch)
  const calls: Call[] = []
  while (!reader.isAtEnd) {
    const call: BoundStatement[] = []
    for (let left = Number(reader.next()); left > 0; left -= 1) {
      let reference = reader.next()
      const unkept = reference === UNKEPT
      if (unkept) reference = reader.next()
      const sql = typeof reference === 'string' ? newSql(reference, unkept) : keptSql(Number(reference))
      const values = Number(reader.next())
      if (values === ROWS) {
        for (const row of rowsOf(String(reader.next()))) call.push({ sql, parameters: row.map(bindable) })
        continue
      }
      const parameters: SqlValue[] = []
      for (let left = values; left > 0; left -= 1) parameters.push(bindable(reader.next()))
      call.push({ sql, parameters })
    }
    calls.push(call)
  }
  return calls
}

function rowsOf(text: string): readonly (readonly SqlValue[])[] {
  return JSON.parse(text) as readonly (readonly SqlValue[])[]
}

function newSql(text: string, unkept: boolean): Sql {
  const sql: Sql = { text, prepared: undefined }
  if (!unkept) kept.push(sql)
  assert(kept.length <= PREPARED_STATEMENTS_MAX, 'more statements kept than agreed')
  return sql
}

function keptSql(number: number): Sql {
  const sql = kept[number]
  assert(sql !== undefined, `statement ${number} was never sent`)
  return sql
}

function answerQuery({ id, sql, parameters }: QueryRequest): void {
  try {
    const rows: Record<string, SqlValue>[] = []
    for (const row of database.prepare(sql).iterate(...parameters.map(bindable))) {
      if (rows.length >= QUERY_ROWS_MAX) throw new RangeError(`the query has more than ${QUERY_ROWS_MAX} rows`)
      rows.push({ ...row } as Record<string, SqlValue>)
    }
    reply({ kind: 'rows', id, rows })
  } catch (error) {
    reply({ kind: 'query-failed', id, message: messageOf(error), errcode: errcodeOf(error) })
  }
}

/** Beginning and ending a transaction fails only when the file can't be written, or a statement ended it early. */
function orFileFailure(step: () => unknown): void {
  try {
    step()
  } catch (error) {
    throw new FileFailure(messageOf(error))
  }
}

function isFileFault(error: unknown): boolean {
  const errcode = errcodeOf(error)
  return errcode !== undefined && !OWN_FAULTS.has(errcode & 0xff)
}

function errcodeOf(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : undefined
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
