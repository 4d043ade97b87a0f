import { sql } from 'kysely'
import type { Migration } from '../../migrate.ts'

export const approvalIntents: Migration = {
  number: 6,
  name: 'approval intents',
  async up(database) {
    await sql`ALTER TABLE approval ADD COLUMN intent TEXT`.execute(database)
    await sql`CREATE INDEX approval_by_intent ON approval (intent) WHERE intent IS NOT NULL`.execute(database)
  },
}
