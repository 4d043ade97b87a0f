import { sql } from 'kysely'
import type { Migration } from '../../migrate.ts'

export const loginFailures: Migration = {
  number: 9,
  name: 'login failures',
  async up(database) {
    await sql`CREATE TABLE login_failure (
      kind TEXT NOT NULL,
      hash TEXT NOT NULL,
      count INTEGER NOT NULL,
      at INTEGER NOT NULL,
      PRIMARY KEY (kind, hash)
    ) STRICT, WITHOUT ROWID`.execute(database)
  },
}
