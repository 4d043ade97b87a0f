import { sql } from 'kysely'
import type { Migration } from '../../migrate.ts'

export const chartPreferences: Migration = {
  number: 7,
  name: 'chart-preferences',
  async up(database) {
    await sql`CREATE TABLE chart_preference (
      user_id TEXT NOT NULL,
      key TEXT NOT NULL,
      value TEXT NOT NULL,
      bytes INTEGER NOT NULL,
      updated_at INTEGER NOT NULL,
      PRIMARY KEY (user_id, key)
    ) STRICT`.execute(database)
  },
}
