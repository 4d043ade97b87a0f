import { mkdirSync } from 'node:fs'
import { open as openPath } from 'node:fs/promises'
import { join } from 'node:path'
import type { Compilable, Kysely } from 'kysely'
import { type Clock, systemClock } from '../kernel/clock.ts'
import { kyselyOver } from './dialect.ts'
import { type Migration, migrate } from './migrate.ts'
import { moneyMigrations } from './migrations/money/index.ts'
import { recordMigrations } from './migrations/record/index.ts'
import { telemetryMigrations } from './migrations/telemetry/index.ts'
import type { MoneyDatabase, RecordDatabase, TelemetryDatabase } from './schema.ts'
import { assertExactValue, bindable, openFile, type SqlValue, type Synchronous } from './sqlite.ts'
import { type Statement, Writer } from './writer.ts'

export interface Database<Schema> {
  /** For reading, on the main thread; it sees what is committed and refuses to write. */
  readonly kysely: Kysely<Schema>
  /**
   * For reading on hot paths: a query that is compiled and prepared once. What it answers takes the parameters in the
   * query's order and returns the rows at once; parameters must be exact values.
   */
  readonly prepare: <Result>(query: Compilable<Result>) => (...parameters: readonly SqlValue[]) => readonly Result[]
  /** For writing; its thread starts with the first use. */
  readonly writer: Writer
  /** A query as a statement for the writer. On hot paths keep its `sql` and pass fresh parameters. */
  readonly compile: (query: Compilable) => Statement
  /** Resolves when everything committed before survives a power cut too (with `synchronous` FULL or NORMAL). */
  readonly sync: () => Promise<void>
  /** Writes what was accepted, then closes the file. */
  readonly close: () => Promise<void>
}

/**
 * One file for each durability class, so that one never waits for another:
 * `money.db` (every commit waits for the disk), `record.db` (a power cut may lose the last commits, a crash of the
 * process none) and `telemetry.db` (best effort; may be deleted).
 */
export interface Databases {
  readonly money: Database<MoneyDatabase>
  readonly record: Database<RecordDatabase>
  readonly telemetry: Database<TelemetryDatabase>
  readonly close: () => Promise<void>
}

/**
 * Opens the databases of a data folder, creating the folder (mode 0700) and the files (0600) that aren't there, and
 * migrates them to the newest schema. Throws StartRefused when they were written by a newer version.
 */
export async function openDatabases(dataDir: string, clock: Clock = systemClock): Promise<Databases> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const at = clock.now()
  const opened: Database<unknown>[] = []
  const open = async <Schema>(name: string, synchronous: Synchronous, migrations: readonly Migration[]) => {
    const database = await openDatabase<Schema>(join(dataDir, name), synchronous, migrations, at)
    opened.push(database as Database<unknown>)
    return database
  }
  const close = async () => {
    await Promise.all(opened.map((database) => database.close()))
  }
  try {
    return {
      money: await open<MoneyDatabase>('money.db', 'FULL', moneyMigrations),
      record: await open<RecordDatabase>('record.db', 'NORMAL', recordMigrations),
      telemetry: await open<TelemetryDatabase>('telemetry.db', 'OFF', telemetryMigrations),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

function checked(value: SqlValue, position: number): SqlValue {
  assertExactValue(value, position)
  return bindable(value)
}

export async function openDatabase<Schema>(
  file: string,
  synchronous: Synchronous,
  migrations: readonly Migration[],
  at: number,
): Promise<Database<Schema>> {
  const migrating = kyselyOver<Schema>(openFile(file, synchronous, 'read-write'))
  try {
    await migrate(migrating, migrations, file, at)
  } finally {
    await migrating.destroy()
  }
  const connection = openFile(file, synchronous, 'query-only')
  const kysely = kyselyOver<Schema>(connection)
  let writer: Writer | undefined
  return {
    kysely,
    prepare: <Result>(query: Compilable<Result>) => {
      const statement = connection.prepare(query.compile().sql)
      return (...parameters) => statement.all(...parameters.map(checked)) as unknown as readonly Result[]
    },
    get writer() {
      // Started when first used: a file that is only read costs no thread.
      writer ??= new Writer(file, synchronous)
      return writer
    },
    compile: (query) => {
      const { sql, parameters } = query.compile()
      return { sql, parameters: parameters as readonly SqlValue[] } // the writer checks each value
    },
    sync: async () => {
      // SQLite holds its locks on the file and on its `-shm`: closing this descriptor drops none
      const log = await openPath(`${file}-wal`, 'r+')
      try {
        await log.sync()
      } finally {
        await log.close()
      }
    },
    close: async () => {
      if (connection.isOpen) connection.close()
      await writer?.close()
    },
  }
}
