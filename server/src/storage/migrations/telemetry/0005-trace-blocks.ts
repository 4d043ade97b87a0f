import { sql } from 'kysely'
import type { Migration } from '../../migrate.ts'

/** Which ids of traces may stand in which rows of the traffic log; null for blocks that were written without them. */
export const traceBlocks: Migration = {
  number: 5,
  name: 'trace-blocks',
  async up(database) {
    await sql`ALTER TABLE request_block ADD COLUMN trace_ids BLOB`.execute(database)
  },
}
