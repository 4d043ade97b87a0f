import { chmodSync, closeSync, existsSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { constants, zstdCompressSync } from 'node:zlib'
import { StartRefused } from '../kernel/start-refused.ts'

/** What a column or parameter may hold. Integers beyond 2^53-1 must be bigint, and can't be read back as numbers. */
export type SqlValue = string | number | bigint | null | Uint8Array

/**
 * FULL waits for the disk at every commit; NORMAL may lose the last commits in a power cut, never their order; OFF never
 * waits, and a power cut may damage the file.
 */
export type Synchronous = 'FULL' | 'NORMAL' | 'OFF'

/** How long a statement waits for another process (a backup, a shell) to let go of the file. */
export const BUSY_TIMEOUT_MS = 5_000
/**
 * Pages in the log before a commit copies them into the file. Of a file whose commits are waited for, a thread beside copies
 * most of them before (checkpointer.ts), and the commit should rarely have to. Of the others few at once: while they are
 * brought to disk, orders wait for the same disk, with 4,000 pages a tenth of a second every three.
 */
const CHECKPOINT_PAGES: Readonly<Record<Synchronous, number>> = { FULL: 4_000, NORMAL: 200, OFF: 200 }
/** After an exceptionally large transaction the write-ahead log shrinks back to this. */
const WAL_SIZE_MAX_BYTES = 67_108_864

/** The quickest: it is a part of every order. */
const COMPRESSION = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

const FILE_MODE = 0o600

/**
 * Opens a database file in WAL mode, readable by its owner alone, and creates it when it isn't there.
 * A `queryOnly` connection refuses to write. SQL may compress a text or bytes by `zstd(value)`: in the thread that writes,
 * and with no object for it in the one that asks. Throws StartRefused when the file system can't hold a write-ahead log.
 */
export function openFile(file: string, synchronous: Synchronous, mode: 'read-write' | 'query-only'): DatabaseSync {
  // Only when it isn't there: closing a file drops every POSIX lock that this process holds on it, and with the locks of
  // open connections gone, another process that closes the database would delete the log under them
  if (!existsSync(file)) closeSync(openSync(file, 'ax', FILE_MODE))
  // SQLite gives the log and its index the mode of the database file
  for (const path of [file, `${file}-wal`, `${file}-shm`]) if (existsSync(path)) chmodSync(path, FILE_MODE)
  const database = new DatabaseSync(file, {
    timeout: BUSY_TIMEOUT_MS,
    enableForeignKeyConstraints: true,
    enableDoubleQuotedStringLiterals: false,
  })
  try {
    const { journal_mode } = database.prepare('PRAGMA journal_mode = WAL').get() ?? {}
    if (journal_mode !== 'wal') {
      throw new StartRefused(
        `${file} can't use a write-ahead log (journal mode is "${journal_mode}"): put the data folder on a local disk`,
      )
    }
    database.exec(`PRAGMA synchronous = ${synchronous}; PRAGMA journal_size_limit = ${WAL_SIZE_MAX_BYTES}`)
    database.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES[synchronous]}`)
    database.exec('PRAGMA trusted_schema = OFF')
    // On macOS fsync alone leaves data in the drive's cache; elsewhere these change nothing
    if (synchronous === 'FULL') database.exec('PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON')
    database.function('zstd', { deterministic: true, directOnly: true }, (value) =>
      zstdCompressSync(value instanceof Uint8Array ? value : String(value), COMPRESSION),
    )
    if (mode === 'query-only') database.exec('PRAGMA query_only = ON')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** Integers are bound as integers: SQLite would otherwise store the number 5 in a text column as "5.0". */
export function bindable(value: SqlValue): SqlValue {
  return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value
}

/** Throws a TypeError on values that SQLite would silently change: NaN becomes NULL, 2^53+1 becomes 2^53. */
export function assertExactValue(value: unknown, position: number): asserts value is SqlValue {
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value))) return
    throw new TypeError(`SQL parameter ${position + 1} is ${value}, which can't be stored exactly`)
  }
  if (typeof value === 'string' || value === null || typeof value === 'bigint' || value instanceof Uint8Array) return
  throw new TypeError(`SQL parameter ${position + 1} is of type ${typeof value}, which can't be stored`)
}
