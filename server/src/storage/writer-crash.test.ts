import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDatabases } from './open.ts'

const PROCESS = fileURLToPath(new URL('./writer-crash-process.ts', import.meta.url))

let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'sauda-writer-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

/** Lines that the process printed before it was killed, or ended by itself. */
async function linesOf(command: string, args: readonly string[], killAfterLines: number): Promise<readonly string[]> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: string[] = []
  for await (const line of createInterface(child.stdout)) {
    lines.push(line)
    if (lines.length === killAfterLines) child.kill('SIGKILL')
  }
  return lines
}

async function journalSeqs(): Promise<readonly number[]> {
  const databases = await openDatabases(dataDir)
  try {
    const rows = await databases.money.kysely.selectFrom('journal').select('seq').orderBy('seq').execute()
    return rows.map(({ seq }) => seq)
  } finally {
    await databases.close()
  }
}

test('every acknowledged row survives kill -9, and rows have no gap', async () => {
  const acknowledged = new Set<number>()
  for (const [callers, killAfterLines] of [
    [1, 40],
    [16, 700],
    [64, 1500],
  ] as const) {
    const lines = await linesOf(process.execPath, [PROCESS, dataDir, String(callers)], killAfterLines)
    expect(lines.length).toBeGreaterThanOrEqual(killAfterLines)
    for (const line of lines) acknowledged.add(Number(line))
    const seqs = await journalSeqs()
    expect(seqs).toEqual(Array.from(seqs, (_, index) => index + 1))
    expect([...acknowledged].filter((seq) => seq > seqs.length)).toEqual([])
  }
})

test.skipIf(process.platform === 'win32')(
  'a file that can grow no more stops all writing, and keeps what it acknowledged',
  async () => {
    // bash counts in KiB; the process may not write files larger than this
    const lines = await linesOf(
      'bash',
      ['-c', `ulimit -f 512; exec "$0" "$@"`, process.execPath, PROCESS, dataDir, '8'],
      1e9,
    )
    expect(lines.at(-1)).toBe('refused account_stopped, later account_stopped')
    const acknowledged = lines.slice(0, -1).map(Number)
    expect(acknowledged.length).toBeGreaterThan(10)
    const seqs = new Set(await journalSeqs())
    expect(acknowledged.filter((seq) => !seqs.has(seq))).toEqual([])
  },
)
