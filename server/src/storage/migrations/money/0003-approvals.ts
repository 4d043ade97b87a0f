import { sql } from 'kysely'
import type { Migration } from '../../migrate.ts'

export const approvals: Migration = {
  number: 3,
  name: 'approvals',
  async up(database) {
    await sql`CREATE TABLE approval (
      id INTEGER PRIMARY KEY,
      account TEXT NOT NULL REFERENCES account (id),
      operation TEXT NOT NULL,
      input TEXT NOT NULL,
      key_id TEXT NOT NULL,
      request_id TEXT NOT NULL,
      status TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      expires_at INTEGER NOT NULL,
      decided_at INTEGER,
      decided_by TEXT,
      reason TEXT NOT NULL DEFAULT '',
      order_ids TEXT NOT NULL DEFAULT ''
    ) STRICT`.execute(database)
    await sql`CREATE INDEX approval_by_status ON approval (status, id)`.execute(database)
    await sql`CREATE INDEX approval_by_account ON approval (account, id)`.execute(database)
    await sql`CREATE INDEX approval_by_account_status ON approval (account, status, id)`.execute(database)
  },
}
