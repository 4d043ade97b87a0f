import { readFileSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../kernel/clock.ts'
import type { Database } from '../storage/open.ts'
import type { RecordDatabase } from '../storage/schema.ts'
import type { Link } from './audit-chain.ts'

/** Head of the chain, beside the database: rows that are taken off its end are missed by it. */
const HEAD_FILE = 'audit.head'
/** The head follows the rows at most so far behind, unless a reader keeps the disk waiting. */
const FOLLOW_MS = 5_000
const HEAD = /^(\d{1,15}) ([0-9a-f]{64})\n$/
const FILE_MODE = 0o600

/** `unreadable` is a file that Sauda didn't write so. */
export type KeptHead = Link | 'missing' | 'unreadable'

export function readHead(dataDir: string): KeptHead {
  let text: string
  try {
    text = readFileSync(join(dataDir, HEAD_FILE), 'latin1')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'missing'
    throw error
  }
  const [, seq, hash] = HEAD.exec(text) ?? []
  return seq === undefined || hash === undefined ? 'unreadable' : { seq: Number(seq), hash }
}

export interface HeadKeeperOptions {
  readonly record: Database<RecordDatabase>
  readonly dataDir: string
  readonly clock: Clock
  /** What the file says now; undefined for none. */
  readonly kept: Link | undefined
  readonly onError: (error: unknown) => void
}

/**
 * Keeps the head of the audit log's chain in a file of its own. It is always that of a row which the disk has: whatever
 * crashes, the file is behind the rows or level with them, so that a head without its row means that the row was removed.
 */
export class HeadKeeper {
  readonly #options: HeadKeeperOptions
  readonly #stop: () => void
  #kept: Link | undefined
  #newest: Link | undefined
  #following: Promise<void> | undefined

  constructor(options: HeadKeeperOptions) {
    this.#options = options
    this.#kept = options.kept
    this.#stop = options.clock.every(FOLLOW_MS, () => void this.follow())
  }

  /** Told of the last row, once it is committed. */
  note(newest: Link): void {
    this.#newest = newest
  }

  async close(): Promise<void> {
    this.#stop()
    await this.follow()
    await this.follow() // what was noted while the first was under way
  }

  /** Brings the file to the last row, when the disk has it. Never rejects. */
  follow(): Promise<void> {
    this.#following ??= this.#write()
      .catch(this.#options.onError)
      .finally(() => {
        this.#following = undefined
      })
    return this.#following
  }

  async #write(): Promise<void> {
    const head = this.#newest
    if (head === undefined || head.seq === this.#kept?.seq) return
    if (head.seq > 0 && !(await this.#isOnDisk())) return
    const path = join(this.#options.dataDir, HEAD_FILE)
    const file = await open(`${path}.new`, 'w', FILE_MODE)
    try {
      await file.writeFile(`${head.seq} ${head.hash}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(`${path}.new`, path)
    this.#kept = head
  }

  /** A commit to record.db may be lost in a power cut until it is copied into the file itself. */
  async #isOnDisk(): Promise<boolean> {
    const [copied] = await this.#options.record.writer.query('PRAGMA wal_checkpoint(PASSIVE)')
    return copied !== undefined && copied['busy'] === 0 && copied['log'] === copied['checkpointed']
  }
}
