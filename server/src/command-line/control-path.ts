import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import { StartRefused } from '../kernel/start-refused.ts'

const SOCKET_FILE = 'control.sock'
/** The shortest limit among operating systems is 104 bytes, with the final zero. */
const SOCKET_PATH_BYTES_MAX = 103

/**
 * Where the server of a data folder listens for commands: a socket in that folder. Where its path is too long for the
 * operating system, a socket in a folder of this user's among the temporary files; on Windows, a named pipe.
 */
export function controlPath(dataDir: string): string {
  const inside = join(resolve(dataDir), SOCKET_FILE)
  const hash = createHash('sha256').update(resolve(dataDir)).digest('hex').slice(0, 32)
  if (process.platform === 'win32') return `\\\\.\\pipe\\sauda-${hash}`
  if (Buffer.byteLength(inside) <= SOCKET_PATH_BYTES_MAX) return inside
  return join(privateFolder(), `${hash}.sock`)
}

/** Anyone may create things among the temporary files, so a folder that isn't ours alone is refused. */
function privateFolder(): string {
  const { uid } = userInfo()
  const folder = join(tmpdir(), `sauda-${uid}`)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const found = lstatSync(folder)
  if (!found.isDirectory() || found.uid !== uid || (found.mode & 0o077) !== 0) {
    throw new StartRefused(
      `${folder} must be a folder that only you can open. Remove it, or set DATA_DIR to a folder with a shorter path.`,
    )
  }
  return folder
}
