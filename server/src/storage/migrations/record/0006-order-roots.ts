import { sql } from 'kysely'
import type { Migration } from '../../migrate.ts'

export const orderRoots: Migration = {
  number: 6,
  name: 'order-roots',
  async up(database) {
    await sql`ALTER TABLE paper_order ADD COLUMN root TEXT`.execute(database)
    await sql`CREATE INDEX paper_order_by_root ON paper_order (account, root) WHERE root IS NOT NULL`.execute(database)
  },
}
