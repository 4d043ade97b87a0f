import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { StartRefused } from '../kernel/start-refused.ts'

const SECRET_FILE = 'secret.key'
const SECRET_BYTES = 32

/**
 * The server's secret, which keys are hashed with; it lies beside the databases, not in them. It is created when it
 * isn't there, unless keys exist (`inUse`): those would all stop working, so that start is refused.
 */
export function openSecret(dataDir: string, inUse: boolean): Buffer {
  const path = join(dataDir, SECRET_FILE)
  if (!existsSync(path)) {
    if (inUse) {
      throw new StartRefused(
        `${path} is missing, and without it no API key can be checked. Restore it from a backup; or delete the rows of ` +
          'table api_key in money.db and create new keys.',
      )
    }
    createSecret(path)
  }
  const secret = readFileSync(path)
  if (secret.length !== SECRET_BYTES) {
    throw new StartRefused(`${path} has ${secret.length} bytes instead of ${SECRET_BYTES}. Restore it from a backup.`)
  }
  return secret
}

/** Written beside its place first, so that a crash leaves the whole secret or none. */
function createSecret(path: string): void {
  const unfinished = `${path}.new`
  const file = openSync(unfinished, 'w', 0o600)
  try {
    writeSync(file, randomBytes(SECRET_BYTES))
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(unfinished, path)
  syncFolder(path)
}

function syncFolder(path: string): void {
  if (process.platform === 'win32') return // folders can't be opened there
  const folder = openSync(join(path, '..'), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
