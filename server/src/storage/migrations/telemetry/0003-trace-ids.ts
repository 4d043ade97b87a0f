import { sql } from 'kysely'
import type { Migration } from '../../migrate.ts'

export const traceIds: Migration = {
  number: 3,
  name: 'trace-ids',
  async up(database) {
    await sql`ALTER TABLE traffic ADD COLUMN trace_id TEXT NOT NULL DEFAULT ''`.execute(database)
  },
}
