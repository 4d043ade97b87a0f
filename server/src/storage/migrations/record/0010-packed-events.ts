import { sql } from 'kysely'
import type { Migration } from '../../migrate.ts'

/** Rows of events may be compressed: those that are there stay text. */
export const packedEvents: Migration = {
  number: 10,
  name: 'packed-events',
  async up(database) {
    await sql`CREATE TABLE order_event_packed (
      account TEXT NOT NULL,
      first_seq INTEGER NOT NULL,
      last_seq INTEGER NOT NULL,
      at INTEGER NOT NULL,
      body ANY NOT NULL,
      PRIMARY KEY (account, last_seq)
    ) STRICT`.execute(database)
    await sql`INSERT INTO order_event_packed SELECT account, first_seq, last_seq, at, body FROM order_event`.execute(
      database,
    )
    await sql`DROP TABLE order_event`.execute(database)
    await sql`ALTER TABLE order_event_packed RENAME TO order_event`.execute(database)
    await sql`CREATE INDEX order_event_by_time ON order_event (account, at)`.execute(database)
  },
}
