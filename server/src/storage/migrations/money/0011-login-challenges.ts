import { sql } from 'kysely'
import type { Migration } from '../../migrate.ts'

/** Logins whose password was right and whose code is awaited, so that a restart in between loses none. */
export const loginChallenges: Migration = {
  number: 11,
  name: 'login challenges',
  async up(database) {
    await sql`CREATE TABLE login_challenge (
      hash TEXT NOT NULL PRIMARY KEY,
      user_id TEXT NOT NULL REFERENCES user (id),
      password_mark TEXT NOT NULL,
      expires_at INTEGER NOT NULL,
      tries INTEGER NOT NULL
    ) STRICT`.execute(database)
  },
}
