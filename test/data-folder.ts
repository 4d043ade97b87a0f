import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

export interface DataFile {
  readonly path: string
  readonly mode: number
  readonly bytes: Buffer
}

/** Every file below a folder. Of a running server some come and go: a log, the new head of the audit log. */
export function filesIn(folder: string): readonly DataFile[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return files.flatMap(({ parentPath, name }) => {
    const path = join(parentPath, name)
    try {
      return [{ path, mode: statSync(path).mode, bytes: readFileSync(path) }]
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
      throw error
    }
  })
}
