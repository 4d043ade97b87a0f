import { sql } from 'kysely'
import type { Migration } from '../../migrate.ts'

export const accountsAndJournal: Migration = {
  number: 1,
  name: 'accounts-and-journal',
  async up(database, at) {
    await sql`CREATE TABLE account (
      id TEXT NOT NULL PRIMARY KEY,
      venue TEXT NOT NULL,
      created_at INTEGER NOT NULL
    ) STRICT`.execute(database)
    await sql`INSERT INTO account (id, venue, created_at) VALUES ('default', 'paper', ${at})`.execute(database)
    await sql`CREATE TABLE api_key (
      id TEXT NOT NULL PRIMARY KEY,
      account TEXT NOT NULL REFERENCES account (id),
      name TEXT NOT NULL,
      scopes TEXT NOT NULL,
      hash TEXT NOT NULL UNIQUE,
      created_at INTEGER NOT NULL,
      revoked_at INTEGER
    ) STRICT`.execute(database)
    await sql`CREATE TABLE journal (
      account TEXT NOT NULL,
      seq INTEGER NOT NULL,
      at INTEGER NOT NULL,
      kind TEXT NOT NULL,
      body TEXT NOT NULL,
      PRIMARY KEY (account, seq)
    ) STRICT, WITHOUT ROWID`.execute(database)
    await sql`CREATE TABLE snapshot (
      account TEXT NOT NULL,
      seq INTEGER NOT NULL,
      at INTEGER NOT NULL,
      body TEXT NOT NULL,
      PRIMARY KEY (account, seq)
    ) STRICT`.execute(database)
    await sql`CREATE TABLE id_block (name TEXT NOT NULL PRIMARY KEY, next INTEGER NOT NULL) STRICT`.execute(database)
    await sql`CREATE TABLE setting (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT`.execute(database)
  },
}
