import { sql } from 'kysely'
import type { Migration } from '../../migrate.ts'

export const candleJobs: Migration = {
  number: 8,
  name: 'candle-jobs',
  async up(database) {
    await sql`CREATE TABLE candle_job (
      id INTEGER PRIMARY KEY,
      state TEXT NOT NULL,
      interval TEXT NOT NULL,
      from_day INTEGER NOT NULL,
      to_day INTEGER NOT NULL,
      only_missing INTEGER NOT NULL,
      created_at INTEGER NOT NULL,
      created_by TEXT NOT NULL,
      started_at INTEGER,
      ended_at INTEGER
    ) STRICT`.execute(database)
    await sql`CREATE INDEX candle_job_by_state ON candle_job (state, id)`.execute(database)
    await sql`CREATE TABLE candle_job_part (
      job INTEGER NOT NULL REFERENCES candle_job (id) ON DELETE CASCADE,
      position INTEGER NOT NULL,
      symbol TEXT NOT NULL,
      exchange TEXT NOT NULL,
      state TEXT NOT NULL,
      next_day INTEGER NOT NULL,
      requests INTEGER NOT NULL DEFAULT 0,
      received INTEGER NOT NULL DEFAULT 0,
      stored INTEGER NOT NULL DEFAULT 0,
      missing INTEGER NOT NULL DEFAULT 0,
      problem TEXT NOT NULL DEFAULT '',
      PRIMARY KEY (job, position)
    ) STRICT, WITHOUT ROWID`.execute(database)
  },
}
