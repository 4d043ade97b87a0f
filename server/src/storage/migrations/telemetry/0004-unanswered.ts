import { sql } from 'kysely'
import type { Migration } from '../../migrate.ts'

export const unanswered: Migration = {
  number: 4,
  name: 'unanswered',
  async up(database) {
    await sql`ALTER TABLE route_total ADD COLUMN unanswered INTEGER NOT NULL DEFAULT 0`.execute(database)
  },
}
