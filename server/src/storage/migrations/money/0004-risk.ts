import { sql } from 'kysely'
import type { Migration } from '../../migrate.ts'

export const risk: Migration = {
  number: 4,
  name: 'risk',
  async up(database) {
    await sql`CREATE TABLE risk_rule (
      scope TEXT NOT NULL PRIMARY KEY,
      state TEXT NOT NULL,
      limits TEXT NOT NULL,
      algo_id TEXT NOT NULL,
      algo_registration TEXT NOT NULL,
      sweep TEXT,
      version INTEGER NOT NULL,
      changed_at INTEGER NOT NULL,
      changed_by TEXT NOT NULL
    ) STRICT`.execute(database)
    await sql`CREATE TABLE risk_use (
      scope TEXT NOT NULL PRIMARY KEY,
      date TEXT NOT NULL,
      orders INTEGER NOT NULL
    ) STRICT`.execute(database)
  },
}
