import { sql } from 'kysely'
import type { Migration } from '../../migrate.ts'

/**
 * The journal by one integer, the account's number and the command's in one. With the account's name in its key it was a
 * tree of whole rows, five to a page up to its root, and a commit of thirty commands wrote two thirds more pages.
 */
export const journalInOrder: Migration = {
  number: 9,
  name: 'journal in order',
  async up(database) {
    await sql`CREATE TABLE journal_account (number INTEGER PRIMARY KEY, account TEXT NOT NULL UNIQUE) STRICT`.execute(
      database,
    )
    await sql`INSERT INTO journal_account (account)
      SELECT account FROM snapshot UNION SELECT account FROM journal ORDER BY account`.execute(database)
    await sql`CREATE TABLE journal_in_order (
      id INTEGER PRIMARY KEY,
      account TEXT NOT NULL,
      seq INTEGER NOT NULL,
      at INTEGER NOT NULL,
      kind TEXT NOT NULL,
      body TEXT NOT NULL
    ) STRICT`.execute(database)
    await sql`INSERT INTO journal_in_order (id, account, seq, at, kind, body)
      SELECT number * 68719476736 + seq, account, seq, at, kind, body
      FROM journal_account JOIN journal USING (account) ORDER BY number, seq`.execute(database)
    await sql`DROP TABLE journal`.execute(database)
    await sql`ALTER TABLE journal_in_order RENAME TO journal`.execute(database)
  },
}
