import { type Kysely, sql } from 'kysely'
import type { Migration } from '../../migrate.ts'
import { bytesOfRows, RowPacker } from '../../packed-rows.ts'

const PACK_ROWS = 256
/** Each id may be anywhere. */
const EVERYTHING = new Uint8Array([0xff])

interface Row {
  readonly id: number
  readonly at: number
  readonly request_id: string
  readonly method: string
  readonly route: string
  readonly path: string
  readonly status: number
  readonly code: string
  readonly bytes_in: number
  readonly bytes_out: number
  readonly duration_us: number
  readonly address: string
  readonly user_id: string
  readonly key_id: string
  readonly user_agent: string
  readonly trace_id: string
}

/** Rows of the traffic log together, some hundred compressed ones in one of a table. */
export const trafficPacks: Migration = {
  number: 7,
  name: 'traffic-packs',
  async up(database) {
    await sql`CREATE TABLE traffic_pack (
      first_row INTEGER PRIMARY KEY,
      last_row INTEGER NOT NULL,
      first_began_at INTEGER NOT NULL,
      last_ended_at INTEGER NOT NULL,
      ids BLOB NOT NULL,
      trace_ids BLOB NOT NULL,
      rows BLOB NOT NULL
    ) STRICT`.execute(database)
    // All but the rows, so that looking for packs reads nothing else
    await sql`CREATE INDEX traffic_pack_search
      ON traffic_pack (first_row, last_row, first_began_at, last_ended_at, ids, trace_ids)`.execute(database)
    let [after, firstRow] = [0, 1]
    for (;;) {
      const query = sql<Row>`SELECT * FROM traffic WHERE id > ${after} ORDER BY id LIMIT ${PACK_ROWS}`
      const { rows } = await query.execute(database)
      const last = rows.at(-1)
      if (last === undefined) break
      await writePack(database, firstRow, rows)
      firstRow += rows.length
      after = last.id
    }
    await sql`DROP TABLE traffic`.execute(database)
    await sql`DROP TABLE request_block`.execute(database)
  },
}

async function writePack(database: Kysely<unknown>, firstRow: number, rows: readonly Row[]): Promise<void> {
  const packer = new RowPacker('nttttntnnnttttt', PACK_ROWS)
  let [began, ended] = [Number.POSITIVE_INFINITY, 0]
  for (const row of rows) {
    packer.number(row.at)
    for (const text of [row.request_id, row.method, row.route, row.path]) packer.text(text)
    packer.number(row.status)
    packer.text(row.code)
    for (const number of [row.bytes_in, row.bytes_out, row.duration_us]) packer.number(number)
    for (const text of [row.address, row.user_id, row.key_id, row.user_agent, row.trace_id]) packer.text(text)
    began = Math.min(began, row.at)
    ended = Math.max(ended, row.at + Math.ceil(row.duration_us / 1_000))
  }
  const lastRow = firstRow + rows.length - 1
  const bytes = bytesOfRows(packer.take())
  await sql`INSERT INTO traffic_pack (first_row, last_row, first_began_at, last_ended_at, ids, trace_ids, rows)
    VALUES (${firstRow}, ${lastRow}, ${began}, ${ended}, ${EVERYTHING}, ${EVERYTHING}, zstd(${bytes}))`.execute(
    database,
  )
}
