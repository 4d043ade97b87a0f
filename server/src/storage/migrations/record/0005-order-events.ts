import { sql } from 'kysely'
import type { Migration } from '../../migrate.ts'

export const orderEvents: Migration = {
  number: 5,
  name: 'order-events',
  async up(database) {
    await sql`CREATE TABLE order_event (
      account TEXT NOT NULL,
      first_seq INTEGER NOT NULL,
      last_seq INTEGER NOT NULL,
      at INTEGER NOT NULL,
      body TEXT NOT NULL,
      PRIMARY KEY (account, last_seq)
    ) STRICT`.execute(database)
    await sql`CREATE INDEX order_event_by_time ON order_event (account, at)`.execute(database)
  },
}
