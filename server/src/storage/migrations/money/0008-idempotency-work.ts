import { sql } from 'kysely'
import type { Migration } from '../../migrate.ts'

export const idempotencyWork: Migration = {
  number: 8,
  name: 'idempotency work',
  async up(database) {
    await sql`ALTER TABLE idempotency ADD COLUMN work TEXT`.execute(database)
  },
}
