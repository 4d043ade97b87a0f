import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { Kysely, type SqliteDatabase, SqliteDialect, type SqliteStatement } from 'kysely'
import { assertExactValue, bindable, type SqlValue } from './sqlite.ts'

/**
 * Kysely over a connection of the built-in SQLite. `destroy()` closes the connection.
 * Reading an integer beyond 2^53-1, or passing a number that isn't exact, throws.
 */
export function kyselyOver<Schema>(database: DatabaseSync): Kysely<Schema> {
  return new Kysely<Schema>({ dialect: new SqliteDialect({ database: async () => adapt(database) }) })
}

function adapt(database: DatabaseSync): SqliteDatabase {
  return {
    close: () => database.close(),
    prepare: (sql) => adaptStatement(database.prepare(sql)),
  }
}

function adaptStatement(statement: StatementSync): SqliteStatement {
  const reader = statement.columns().length > 0
  // The row id that a write reports as a number would fail beyond 2^53-1 after the write has happened
  if (!reader) statement.setReadBigInts(true)
  return {
    reader,
    all: (parameters) => statement.all(...exact(parameters)),
    run: (parameters) => statement.run(...exact(parameters)),
    iterate: (parameters) => statement.iterate(...exact(parameters)),
  }
}

function exact(parameters: readonly unknown[]): SqlValue[] {
  return parameters.map((value, position) => {
    assertExactValue(value, position)
    return bindable(value)
  })
}
