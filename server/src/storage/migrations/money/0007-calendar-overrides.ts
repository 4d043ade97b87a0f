import { sql } from 'kysely'
import type { Migration } from '../../migrate.ts'

export const calendarOverrides: Migration = {
  number: 7,
  name: 'calendar overrides',
  async up(database) {
    await sql`CREATE TABLE calendar_override (
      date TEXT NOT NULL,
      exchange TEXT NOT NULL,
      opens_at_minute INTEGER,
      closes_at_minute INTEGER,
      reason TEXT NOT NULL,
      set_at INTEGER NOT NULL,
      set_by TEXT NOT NULL,
      PRIMARY KEY (date, exchange),
      CHECK ((opens_at_minute IS NULL) = (closes_at_minute IS NULL))
    ) STRICT`.execute(database)
  },
}
