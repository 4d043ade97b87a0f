import { sql } from 'kysely'
import type { Migration } from '../../migrate.ts'

/** The request that each key was made for, when its client named it: the same one makes no second key. */
export const keyRequests: Migration = {
  number: 10,
  name: 'key requests',
  async up(database) {
    await sql`ALTER TABLE api_key ADD COLUMN request_hash TEXT`.execute(database)
    await sql`CREATE UNIQUE INDEX api_key_by_request ON api_key (request_hash)
      WHERE request_hash IS NOT NULL`.execute(database)
  },
}
