import { sql } from 'kysely'
import type { Migration } from '../../migrate.ts'

export const paperGtts: Migration = {
  number: 4,
  name: 'paper-gtts',
  async up(database) {
    await sql`CREATE TABLE paper_gtt (
      account TEXT NOT NULL,
      gtt_id TEXT NOT NULL,
      session_date TEXT NOT NULL,
      placed_at INTEGER NOT NULL,
      status TEXT NOT NULL,
      body TEXT NOT NULL,
      tag TEXT,
      PRIMARY KEY (account, gtt_id)
    ) STRICT`.execute(database)
    await sql`CREATE INDEX paper_gtt_by_tag ON paper_gtt (account, tag) WHERE tag IS NOT NULL`.execute(database)
  },
}
