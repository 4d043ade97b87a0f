import { sql } from 'kysely'
import type { Migration } from '../../migrate.ts'

export const idempotency: Migration = {
  number: 5,
  name: 'idempotency',
  async up(database) {
    await sql`CREATE TABLE idempotency (
      account TEXT NOT NULL,
      key TEXT NOT NULL,
      hash TEXT NOT NULL,
      operation TEXT NOT NULL,
      tag TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      status INTEGER,
      answer TEXT,
      PRIMARY KEY (account, key)
    ) STRICT`.execute(database)
    await sql`CREATE INDEX idempotency_created_at ON idempotency (created_at)`.execute(database)
  },
}
