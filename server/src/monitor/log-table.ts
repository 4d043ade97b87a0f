import { type Kysely, type RawBuilder, sql } from 'kysely'
import { turn } from '../kernel/turn.ts'
import type { Writer } from '../storage/writer.ts'

/** Rows looked at before everything else has its turn: a few milliseconds. */
const SLICE_ROWS = 5_000
/** Rows deleted by one commit when they are too many or too old, so that nothing waits long for it. */
export const DELETED_ROWS_MAX = 5_000
/** Commits that delete, at a time. */
const DELETIONS_MAX = 200
/** Rows are numbered as requests end and dated as they begin; few take longer, and no clock is set back further. */
const DISORDER_MS = 600_000
/** Rows in a row that may have taken longer, such as streams that a shutdown ends together. */
const LONG_ROWS_MAX = 1_000

export interface LogFilter {
  /** Columns that must be exactly this; undefined ones count for nothing. */
  readonly equal: Readonly<Record<string, string | undefined>>
  /** Columns that must be this, or begin with it and a dot. */
  readonly within?: Readonly<Record<string, string | undefined>>
  /** Least and greatest status. */
  readonly status?: readonly [number, number] | undefined
  readonly from: number | undefined
  readonly until: number | undefined
}

export interface Page<T> {
  readonly rows: readonly T[]
  /** To go on below; undefined at the end. A page may have fewer rows than asked for and still have more behind it. */
  readonly below: number | undefined
}

/** One page after the other, without empty ones; others have their turn in between. */
export async function* pagesOf<T>(page: (below: number | undefined) => Promise<Page<T>>): AsyncGenerator<readonly T[]> {
  let below: number | undefined
  do {
    const { rows, below: rest } = await page(below)
    if (rows.length > 0) yield rows
    below = rest
    await turn()
  } while (below !== undefined)
}

export interface LogTableOptions {
  /** A table with the columns `at` and, where it is filtered by, `status`. */
  readonly name: string
  /** Its integer primary key, which only grows. */
  readonly id: string
  /** Rows that one call looks at before it answers with a cursor to go on from: a rare match must not take for ever. */
  readonly scannedMax: number
  /** Rows read at once when everything is read. */
  readonly pageRows: number
  /** Columns with an index of their own, each value of which few rows have. */
  readonly selective: readonly string[]
}

type Cells = Readonly<Record<string, unknown>>

/** A table whose rows are added with growing ids and deleted from the oldest on. */
export class LogTable<Row extends object> {
  readonly #kysely: Kysely<unknown>
  readonly #writer: () => Pick<Writer, 'write'>
  readonly #options: LogTableOptions

  constructor(
    database: { readonly kysely: unknown; readonly writer: Pick<Writer, 'write'> },
    options: LogTableOptions,
  ) {
    this.#kysely = database.kysely as Kysely<unknown>
    this.#writer = () => database.writer
    this.#options = options
  }

  /** Rows that fit, newest first, from below an id. */
  async page(filter: LogFilter, limit: number, below?: number): Promise<Page<Row>> {
    const [oldest, newest] = [await this.#edge('ASC'), await this.#edge('DESC')]
    if (oldest === undefined || newest === undefined) return { rows: [], below: undefined }
    const { from, until } = filter
    const bottom =
      from === undefined ? oldest.id : await this.#firstSince(from - DISORDER_MS, oldest.id, newest.id, LONG_ROWS_MAX)
    const end =
      until === undefined ? newest.id + 1 : await this.#firstSince(until + DISORDER_MS, oldest.id, newest.id, 1)
    const top = Math.min(below ?? end, end)
    const { scannedMax, selective } = this.#options
    const isSelective = selective.some((column) => filter.equal[column] !== undefined)
    const slice = isSelective ? Number.MAX_SAFE_INTEGER : SLICE_ROWS
    const conditions = this.#conditionsOf(filter, isSelective)
    const rows: Row[] = []
    let scanned = 0
    for (let up = top, down = up; up > bottom; up = down) {
      if (scanned >= scannedMax) return { rows, below: up }
      if (scanned > 0) await turn()
      down = Math.max(bottom, up - slice)
      const found = await this.#rows(conditions, down, up, limit - rows.length)
      rows.push(...found)
      scanned += slice
      const last = found.at(-1)
      if (rows.length < limit || last === undefined) continue
      const below = this.#idOf(last)
      return { rows, below: below > bottom ? below : undefined }
    }
    return { rows, below: undefined }
  }

  /** Everything that fits, newest first, as it was at the beginning. */
  pages(filter: LogFilter): AsyncGenerator<readonly Row[]> {
    return pagesOf((below) => this.page(filter, this.#options.pageRows, below))
  }

  /** Deletes the rows before an instant and what is more than so many, some at a time. */
  async retain(before: number, rowsMax: number): Promise<void> {
    const { name, id } = this.#options
    const newest = await this.#edge('DESC')
    if (newest === undefined) return
    const surplus = newest.id - rowsMax
    for (let deletions = 0; deletions < DELETIONS_MAX; deletions += 1) {
      const oldest = await this.#edge('ASC')
      if (oldest === undefined || (oldest.id > surplus && oldest.at >= before)) return
      await this.#writer().write([
        {
          sql: `DELETE FROM ${name} WHERE ${id} < ? AND (${id} <= ? OR at < ?)`,
          parameters: [oldest.id + DELETED_ROWS_MAX, surplus, before],
        },
      ])
    }
  }

  async #rows(conditions: readonly RawBuilder<unknown>[], down: number, up: number, limit: number): Promise<Row[]> {
    const { name, id } = this.#options
    const where = sql.join([sql`${sql.ref(id)} < ${up}`, sql`${sql.ref(id)} >= ${down}`, ...conditions], sql` AND `)
    const query = sql<Row>`SELECT * FROM ${sql.table(name)} WHERE ${where} ORDER BY ${sql.ref(id)} DESC LIMIT ${limit}`
    return (await query.execute(this.#kysely)).rows
  }

  /**
   * The first id from which on everything is of that instant or later, apart from disorder; one more than the last. A row
   * that took long, such as a stream's, stands among later ones and would end the search too late: so it asks whether one of
   * the next `among` rows is of then or later, which may be as many rows early.
   */
  async #firstSince(at: number, oldest: number, newest: number, among: number): Promise<number> {
    const { name, id } = this.#options
    let [low, high] = [oldest, newest + 1]
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const next = sql`SELECT at FROM ${sql.table(name)} WHERE ${sql.ref(id)} >= ${middle}
        ORDER BY ${sql.ref(id)} LIMIT ${among}`
      const { rows } = await sql`SELECT 1 FROM (${next}) WHERE at >= ${at} LIMIT 1`.execute(this.#kysely)
      if (rows.length > 0) high = middle
      else low = middle + 1
    }
    return low
  }

  async #edge(order: 'ASC' | 'DESC'): Promise<{ readonly id: number; readonly at: number } | undefined> {
    const { name, id } = this.#options
    const query = sql<{ id: number; at: number }>`SELECT ${sql.ref(id)} AS id, at FROM ${sql.table(name)}
      ORDER BY ${sql.ref(id)} ${sql.raw(order)} LIMIT 1`
    return (await query.execute(this.#kysely)).rows[0]
  }

  #idOf(row: Row): number {
    return Number((row as Cells)[this.#options.id])
  }

  #conditionsOf(filter: LogFilter, isSelective: boolean): RawBuilder<unknown>[] {
    const { equal, within = {}, status, from, until } = filter
    // A plus keeps SQLite from choosing the index of a column that many rows have the value of
    const column = (name: string) =>
      isSelective && !this.#options.selective.includes(name) ? sql`+${sql.ref(name)}` : sql.ref(name)
    const conditions: RawBuilder<unknown>[] = []
    for (const [name, value] of Object.entries(equal))
      if (value !== undefined) conditions.push(sql`${column(name)} = ${value}`)
    for (const [name, value] of Object.entries(within))
      if (value !== undefined)
        conditions.push(sql`(${sql.ref(name)} = ${value} OR instr(${sql.ref(name)}, ${`${value}.`}) = 1)`)
    if (status !== undefined) conditions.push(sql`status BETWEEN ${status[0]} AND ${status[1]}`)
    if (from !== undefined) conditions.push(sql`at >= ${from}`)
    if (until !== undefined) conditions.push(sql`at < ${until}`)
    return conditions
  }
}
