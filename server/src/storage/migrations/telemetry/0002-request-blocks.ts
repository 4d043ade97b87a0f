import { sql } from 'kysely'
import type { Migration } from '../../migrate.ts'

/** Which request ids may stand in which rows of the traffic log. */
export const requestBlocks: Migration = {
  number: 2,
  name: 'request-blocks',
  async up(database) {
    await sql`CREATE TABLE request_block (
      first_row INTEGER PRIMARY KEY,
      last_row INTEGER NOT NULL,
      ids BLOB NOT NULL
    ) STRICT`.execute(database)
  },
}
