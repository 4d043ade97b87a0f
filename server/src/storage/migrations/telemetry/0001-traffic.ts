import { sql } from 'kysely'
import type { Migration } from '../../migrate.ts'

export const traffic: Migration = {
  number: 1,
  name: 'traffic',
  async up(database) {
    await sql`CREATE TABLE traffic (
      id INTEGER PRIMARY KEY,
      at INTEGER NOT NULL,
      request_id TEXT NOT NULL,
      method TEXT NOT NULL,
      route TEXT NOT NULL,
      path TEXT NOT NULL,
      status INTEGER NOT NULL,
      code TEXT NOT NULL,
      bytes_in INTEGER NOT NULL,
      bytes_out INTEGER NOT NULL,
      duration_us INTEGER NOT NULL,
      address TEXT NOT NULL,
      user_id TEXT NOT NULL,
      key_id TEXT NOT NULL,
      user_agent TEXT NOT NULL
    ) STRICT`.execute(database)
    await sql`CREATE TABLE route_total (
      route TEXT NOT NULL PRIMARY KEY,
      requests INTEGER NOT NULL,
      client_errors INTEGER NOT NULL,
      server_errors INTEGER NOT NULL,
      bytes_in INTEGER NOT NULL,
      bytes_out INTEGER NOT NULL,
      duration_us INTEGER NOT NULL,
      duration_us_max INTEGER NOT NULL
    ) STRICT`.execute(database)
  },
}
