import { sql } from 'kysely'
import type { Migration } from '../../migrate.ts'

export const usersAndBans: Migration = {
  number: 2,
  name: 'users-and-bans',
  async up(database) {
    await sql`CREATE TABLE user (
      id TEXT NOT NULL PRIMARY KEY,
      name TEXT NOT NULL UNIQUE COLLATE NOCASE,
      email TEXT NOT NULL UNIQUE COLLATE NOCASE,
      role TEXT NOT NULL,
      password_hash TEXT NOT NULL,
      totp_secret TEXT,
      totp_confirmed_at INTEGER,
      totp_last_step INTEGER NOT NULL DEFAULT 0,
      created_at INTEGER NOT NULL,
      password_changed_at INTEGER NOT NULL,
      disabled_at INTEGER
    ) STRICT`.execute(database)
    await sql`CREATE TABLE recovery_code (
      user_id TEXT NOT NULL REFERENCES user (id),
      hash TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      used_at INTEGER,
      PRIMARY KEY (user_id, hash)
    ) STRICT`.execute(database)
    await sql`CREATE TABLE session (
      id TEXT NOT NULL PRIMARY KEY,
      hash TEXT NOT NULL UNIQUE,
      user_id TEXT NOT NULL REFERENCES user (id),
      device TEXT NOT NULL,
      address TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      confirmed_at INTEGER NOT NULL,
      last_seen_at INTEGER NOT NULL
    ) STRICT`.execute(database)
    await sql`CREATE INDEX session_by_user ON session (user_id)`.execute(database)
    await sql`CREATE TABLE one_time_link (
      hash TEXT NOT NULL PRIMARY KEY,
      purpose TEXT NOT NULL,
      user_id TEXT REFERENCES user (id),
      expires_at INTEGER NOT NULL,
      used_at INTEGER
    ) STRICT`.execute(database)
    await sql`ALTER TABLE account ADD COLUMN user_id TEXT REFERENCES user (id)`.execute(database)
    await sql`ALTER TABLE account ADD COLUMN name TEXT NOT NULL DEFAULT 'default'`.execute(database)
    await sql`ALTER TABLE account ADD COLUMN order_mode TEXT NOT NULL DEFAULT 'auto'`.execute(database)
    await sql`CREATE UNIQUE INDEX account_by_user ON account (user_id, name)`.execute(database)
    await sql`ALTER TABLE api_key ADD COLUMN user_id TEXT REFERENCES user (id)`.execute(database)
    await sql`ALTER TABLE api_key ADD COLUMN expires_at INTEGER`.execute(database)
    await sql`ALTER TABLE api_key ADD COLUMN networks TEXT NOT NULL DEFAULT ''`.execute(database)
    await sql`ALTER TABLE api_key ADD COLUMN last_used_at INTEGER`.execute(database)
    await sql`ALTER TABLE api_key ADD COLUMN replaced_by TEXT`.execute(database)
    await sql`CREATE TABLE ban (
      id INTEGER PRIMARY KEY,
      address TEXT NOT NULL,
      reason TEXT NOT NULL,
      cause TEXT NOT NULL,
      created_by TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      expires_at INTEGER,
      lifted_at INTEGER,
      lifted_by TEXT
    ) STRICT`.execute(database)
    await sql`CREATE INDEX ban_by_address ON ban (address, created_at)`.execute(database)
  },
}
