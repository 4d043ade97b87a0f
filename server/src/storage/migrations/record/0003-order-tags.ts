import { sql } from 'kysely'
import type { Migration } from '../../migrate.ts'

export const orderTags: Migration = {
  number: 3,
  name: 'order-tags',
  async up(database) {
    await sql`ALTER TABLE paper_order ADD COLUMN tag TEXT`.execute(database)
    await sql`CREATE INDEX paper_order_by_tag ON paper_order (account, tag) WHERE tag IS NOT NULL`.execute(database)
  },
}
