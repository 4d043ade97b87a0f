import { sql } from 'kysely'
import type { Migration } from '../../migrate.ts'

export const paperBooks: Migration = {
  number: 1,
  name: 'paper-books',
  async up(database) {
    await sql`CREATE TABLE paper_order (
      account TEXT NOT NULL,
      order_id TEXT NOT NULL,
      session_date TEXT NOT NULL,
      placed_at INTEGER NOT NULL,
      body TEXT NOT NULL,
      PRIMARY KEY (account, order_id)
    ) STRICT`.execute(database)
    await sql`CREATE INDEX paper_order_by_date ON paper_order (account, session_date)`.execute(database)
    await sql`CREATE TABLE paper_trade (
      account TEXT NOT NULL,
      trade_id TEXT NOT NULL,
      order_id TEXT NOT NULL,
      session_date TEXT NOT NULL,
      traded_at INTEGER NOT NULL,
      body TEXT NOT NULL,
      PRIMARY KEY (account, trade_id)
    ) STRICT`.execute(database)
    await sql`CREATE INDEX paper_trade_by_order ON paper_trade (account, order_id)`.execute(database)
    await sql`CREATE INDEX paper_trade_by_date ON paper_trade (account, session_date)`.execute(database)
  },
}
