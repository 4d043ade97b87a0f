import { type Kysely, sql } from 'kysely'
import { assert } from '../kernel/assert.ts'
import { StartRefused } from '../kernel/start-refused.ts'

/** One step of a database's schema. Once released, it never changes; a mistake is repaired by the next one. */
export interface Migration {
  /** 1, 2, 3 … without gaps. */
  readonly number: number
  readonly name: string
  /** Runs inside a transaction. `at` is the instant of the start, for rows that it seeds. */
  up(database: Kysely<unknown>, at: number): Promise<void>
}

interface MigrationDatabase {
  migration: { number: number; name: string; applied_at: number }
}

/**
 * Brings a database to the newest schema and answers how many steps that took. All steps run in one transaction, so a
 * start that fails leaves the file as the previous version wrote it.
 * Throws StartRefused when the file was written by a newer version, or by another line of development.
 */
export async function migrate<Schema>(
  kysely: Kysely<Schema>,
  migrations: readonly Migration[],
  file: string,
  at: number,
): Promise<number> {
  for (const [index, { number }] of migrations.entries()) assert(number === index + 1, 'migrations are out of order')
  const database = kysely as unknown as Kysely<MigrationDatabase>
  return await database.transaction().execute(async (transaction) => {
    await sql`CREATE TABLE IF NOT EXISTS migration (
      number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL
    ) STRICT`.execute(transaction)
    const applied = await transaction.selectFrom('migration').selectAll().orderBy('number').execute()
    refuseUnknown(applied, migrations, file)
    const pending = migrations.slice(applied.length)
    for (const { number, name, up } of pending) {
      try {
        await up(transaction as unknown as Kysely<unknown>, at)
      } catch (cause) {
        throw new Error(`${file}: migration ${number} (${name}) failed; the file is unchanged`, { cause })
      }
      await transaction.insertInto('migration').values({ number, name, applied_at: at }).execute()
    }
    return pending.length
  })
}

/**
 * How many steps a file lacks. Reads only; throws StartRefused as `migrate` does, and whatever SQLite throws when the file
 * has no schema at all.
 */
export async function pendingMigrations<Schema>(
  kysely: Kysely<Schema>,
  migrations: readonly Migration[],
  file: string,
): Promise<number> {
  const database = kysely as unknown as Kysely<MigrationDatabase>
  const applied = await database.selectFrom('migration').selectAll().orderBy('number').execute()
  refuseUnknown(applied, migrations, file)
  return migrations.length - applied.length
}

function refuseUnknown(
  applied: readonly { number: number; name: string }[],
  migrations: readonly Migration[],
  file: string,
): void {
  const newest = applied.at(-1)
  if (newest !== undefined && newest.number > migrations.length) {
    throw new StartRefused(
      `${file} was written by a newer version of Sauda: it has schema ${newest.number}, this version knows schemas up to ` +
        `${migrations.length}. Start the newer version, or restore the data folder from a backup made before the upgrade.`,
    )
  }
  for (const [index, { number, name }] of applied.entries()) {
    if (number !== index + 1 || name !== migrations[index]?.name) {
      throw new StartRefused(
        `${file} has migration ${number} "${name}" where this version of Sauda has ` +
          `"${migrations[index]?.name}": the file belongs to a different version.`,
      )
    }
  }
}
