import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Writer } from '../storage/writer.ts'

/** Rows that one call looks at before it answers with a cursor to go on from: a rare match must not stall the server. */
export const SCANNED_ROWS_MAX = 20_000
/** Rows deleted at once when they are too many or too old, so that nothing waits long for it. */
export const DELETED_ROWS_MAX = 5_000

export interface LogFilter {
  /** Columns that must be exactly this; undefined ones count for nothing. */
  readonly equal: Readonly<Record<string, string | undefined>>
  /** Least and greatest status. */
  readonly status: readonly [number, number] | undefined
  readonly from: number | undefined
  readonly until: number | undefined
}

export interface Page<T> {
  readonly rows: readonly T[]
  /** To go on below; undefined at the end. A page may have fewer rows than asked for and still have more behind it. */
  readonly below: number | undefined
}

/** A table whose rows are added with growing ids and deleted from the oldest on. */
export class LogTable<Row extends { readonly id: number }> {
  readonly #kysely: Kysely<unknown>
  readonly #writer: () => Pick<Writer, 'write'>
  readonly #name: string

  /** `database` has a table of that name with the columns id, at and status. */
  constructor(database: { readonly kysely: unknown; readonly writer: Pick<Writer, 'write'> }, name: string) {
    this.#kysely = database.kysely as Kysely<unknown>
    this.#writer = () => database.writer
    this.#name = name
  }

  /** Rows that fit, newest first, from below an id. */
  async page(filter: LogFilter, limit: number, below: number | undefined): Promise<Page<Row>> {
    const [oldest, newest] = [await this.#edge('ASC'), await this.#edge('DESC')]
    if (oldest === undefined || newest === undefined) return { rows: [], below: undefined }
    const from = Math.min(below ?? Number.MAX_SAFE_INTEGER, newest.id + 1)
    const down = Math.max(0, from - SCANNED_ROWS_MAX)
    const where = sql.join([sql`id < ${from}`, sql`id >= ${down}`, ...conditionsOf(filter)], sql` AND `)
    const { rows } =
      await sql<Row>`SELECT * FROM ${sql.table(this.#name)} WHERE ${where} ORDER BY id DESC LIMIT ${limit}`.execute(
        this.#kysely,
      )
    const last = rows.at(-1)
    const next = rows.length === limit && last !== undefined ? last.id : down
    return { rows, below: next <= oldest.id ? undefined : next }
  }

  /** Deletes some of the rows before an instant, and some of what is more than so many; nothing when there are none. */
  async retain(before: number, rowsMax: number): Promise<void> {
    const [oldest, newest] = [await this.#edge('ASC'), await this.#edge('DESC')]
    if (oldest === undefined || newest === undefined) return
    const surplus = newest.id - rowsMax
    if (oldest.id > surplus && oldest.at >= before) return
    await this.#writer().write([
      {
        sql: `DELETE FROM ${this.#name} WHERE id < ? AND (id <= ? OR at < ?)`,
        parameters: [oldest.id + DELETED_ROWS_MAX, surplus, before],
      },
    ])
  }

  async #edge(order: 'ASC' | 'DESC'): Promise<{ readonly id: number; readonly at: number } | undefined> {
    const { rows } = await sql<{
      id: number
      at: number
    }>`SELECT id, at FROM ${sql.table(this.#name)} ORDER BY id ${sql.raw(order)} LIMIT 1`.execute(this.#kysely)
    return rows[0]
  }
}

function conditionsOf({ equal, status, from, until }: LogFilter): RawBuilder<unknown>[] {
  const conditions = Object.entries(equal).flatMap(([column, value]) =>
    value === undefined ? [] : [sql`${sql.ref(column)} = ${value}`],
  )
  if (status !== undefined) conditions.push(sql`status BETWEEN ${status[0]} AND ${status[1]}`)
  if (from !== undefined) conditions.push(sql`at >= ${from}`)
  if (until !== undefined) conditions.push(sql`at < ${until}`)
  return conditions
}
