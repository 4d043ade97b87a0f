import { sql } from 'kysely'
import type { Migration } from '../../migrate.ts'

export const auditAndOrderLog: Migration = {
  number: 2,
  name: 'audit-and-order-log',
  async up(database) {
    await sql`CREATE TABLE audit (
      seq INTEGER PRIMARY KEY,
      at INTEGER NOT NULL,
      actor TEXT NOT NULL,
      action TEXT NOT NULL,
      target TEXT NOT NULL,
      address TEXT NOT NULL,
      request_id TEXT NOT NULL,
      detail TEXT NOT NULL,
      hash TEXT NOT NULL
    ) STRICT`.execute(database)
    await sql`CREATE TABLE order_log (
      id INTEGER PRIMARY KEY,
      at INTEGER NOT NULL,
      account TEXT NOT NULL,
      mode TEXT NOT NULL,
      operation TEXT NOT NULL,
      strategy TEXT NOT NULL,
      symbol TEXT NOT NULL,
      exchange TEXT NOT NULL,
      order_id TEXT NOT NULL,
      request_id TEXT NOT NULL,
      key_id TEXT NOT NULL,
      status INTEGER NOT NULL,
      code TEXT NOT NULL,
      request TEXT NOT NULL,
      answer TEXT NOT NULL
    ) STRICT`.execute(database)
    await sql`CREATE INDEX order_log_by_account ON order_log (account, id)`.execute(database)
    await sql`CREATE INDEX order_log_by_order ON order_log (order_id)`.execute(database)
    await sql`CREATE INDEX order_log_by_request ON order_log (request_id)`.execute(database)
  },
}
