import { sql } from 'kysely'
import type { Migration } from '../../migrate.ts'

/** Rows of requests that took longer than ten minutes: they stand far behind the others of the time when they came. */
export const lateRows: Migration = {
  number: 6,
  name: 'late-rows',
  async up(database) {
    await sql`CREATE INDEX traffic_late ON traffic (id) WHERE duration_us > 600000000`.execute(database)
  },
}
