import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { StartRefused } from '../kernel/start-refused.ts'

const LOCK_FILE = 'instance.lock'
/** SQLite's result code for a file that another connection holds. */
const SQLITE_BUSY = 5

/** A connection that nobody refers to is closed when memory is collected, and its lock would be gone. */
const held = new Set<DatabaseSync>()

export interface InstanceLock {
  release(): void
}

/**
 * Makes this process the only one that works on a data folder, which is created when it isn't there. The lock is an
 * exclusive SQLite transaction on an empty file: the operating system ends it with the process, however that dies.
 * Throws StartRefused when another process has it.
 */
export function acquireInstanceLock(dataDir: string): InstanceLock {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const path = join(dataDir, LOCK_FILE)
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE') // no journal file beside the lock
    chmodSync(path, 0o600)
  } catch (error) {
    database.close()
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) {
      throw new StartRefused(
        `The data folder ${dataDir} is in use by another running Sauda. Stop that one first, or set DATA_DIR to another folder.`,
      )
    }
    throw error
  }
  held.add(database)
  return {
    release: () => {
      held.delete(database)
      if (database.isOpen) database.close()
    },
  }
}
