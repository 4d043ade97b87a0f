import { readFileSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Database } from '../storage/open.ts'
import type { AuditTable, RecordDatabase } from '../storage/schema.ts'
import { hashOf, type Link } from './audit-chain.ts'

/** Head of the chain, beside the database: rows that are taken off its end are missed by it. */
const HEAD_FILE = 'audit.head'
const HEAD = /^(\d{1,15}) ([0-9a-f]{64})$/
const FILE_MODE = 0o600

/** What the file says: the last row that is surely on disk, and those after it that were about to be written. */
export interface Head extends Link {
  readonly ahead: readonly AuditTable[]
}

/** `unreadable` is a file that Sauda didn't write so. */
export type KeptHead = Head | 'missing' | 'unreadable'

export function readHead(dataDir: string): KeptHead {
  let text: string
  try {
    text = readFileSync(join(dataDir, HEAD_FILE), 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'missing'
    throw error
  }
  return parse(text) ?? 'unreadable'
}

export interface HeadKeeperOptions {
  readonly record: Database<RecordDatabase>
  readonly dataDir: string
  /** Number of the row that the file says is on disk; undefined when it says nothing. */
  readonly keptSeq: number | undefined
  readonly onError: (error: unknown) => void
}

/**
 * Keeps the head of the audit log's chain in a file of its own, so that no row that was committed can be cut off for good,
 * whenever the process dies. Each batch of rows is written in three steps:
 *
 * 1. `announce`: the file says that n is on disk, with its hash, and has the rows n+1 to m in full;
 * 2. they are committed to record.db;
 * 3. `settle`: record.db's log is brought to the disk, then the file says that m is, with its hash.
 *
 * Killed before 1: file and rows both end at n. Killed between 1 and 2: the rows are in the file alone; they are the next
 * start's to write. Killed between 2 and 3: they are in both. Two files can't be written at once, so this last state and a
 * cut can't be told from the one before; but the start writes the rows again just as they were, and a row that says so:
 * nothing is lost by the cut, and nobody is accused when there was none. Other rows in their place show, since the file has
 * their hashes. Killed after 3: a row up to m that is missing was taken off. Steps 1 and 3 replace the file as a whole (a
 * file beside it, renamed), so that killing within one of them is killing before or after it.
 *
 * A power cut takes back commits to record.db, and the file's newest version, but never what 3 waited for. So it leaves
 * one of the states above, or a file that is behind the rows, which is no disagreement either.
 *
 * Where the file can't be written, rows are written all the same, and `onError` is told: until it can be, the end of the
 * log is as unguarded as without it.
 */
export class HeadKeeper {
  readonly #options: HeadKeeperOptions
  #settledSeq: number | undefined

  constructor(options: HeadKeeperOptions) {
    this.#options = options
    this.#settledSeq = options.keptSeq
  }

  /** Before rows are committed that come after the last one. Never rejects. */
  async announce(last: Link, rows: readonly AuditTable[]): Promise<void> {
    await this.#keep(last, rows)
  }

  /** Once the last row is committed. Rows that were announced and refused stay in the file. Never rejects. */
  async settle(last: Link): Promise<void> {
    if (last.seq !== this.#settledSeq) await this.#keep(last, [])
  }

  async #keep(last: Link, ahead: readonly AuditTable[]): Promise<void> {
    try {
      if (last.seq !== this.#settledSeq) await this.#options.record.sync()
      await this.#replace(textOf(last, ahead))
      this.#settledSeq = last.seq
    } catch (error) {
      this.#options.onError(error)
    }
  }

  async #replace(text: string): Promise<void> {
    const path = join(this.#options.dataDir, HEAD_FILE)
    const file = await open(`${path}.new`, 'w', FILE_MODE)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(`${path}.new`, path)
  }
}

/** A line for the row that is on disk; one for each row ahead of it, the list of its cells as JSON. */
function textOf({ seq, hash }: Link, ahead: readonly AuditTable[]): string {
  const rows = ahead.map((row) =>
    JSON.stringify([
      row.seq,
      row.at,
      row.actor,
      row.action,
      row.target,
      row.address,
      row.request_id,
      row.detail,
      row.hash,
    ]),
  )
  return `${[`${seq} ${hash}`, ...rows].join('\n')}\n`
}

function parse(text: string): Head | undefined {
  const [first = '', ...lines] = text.split('\n')
  const [, seq, hash] = HEAD.exec(first) ?? []
  if (seq === undefined || hash === undefined || lines.pop() !== '') return undefined
  const ahead: AuditTable[] = []
  let last: Link = { seq: Number(seq), hash }
  for (const line of lines) {
    const row = rowOf(line)
    if (row?.seq !== last.seq + 1 || row.hash !== hashOf(last.hash, row)) return undefined
    ahead.push(row)
    last = row
  }
  return { seq: Number(seq), hash, ahead }
}

function rowOf(line: string): AuditTable | undefined {
  const cells = cellsOf(line)
  const [seq, at, actor, action, target, address, request_id, detail, hash] = cells
  const isRow =
    cells.length === 9 &&
    cells.every((cell, index) => (index < 2 ? Number.isSafeInteger(cell) : typeof cell === 'string'))
  if (!isRow) return undefined
  return { seq, at, actor, action, target, address, request_id, detail, hash } as AuditTable
}

function cellsOf(line: string): readonly unknown[] {
  try {
    const cells: unknown = JSON.parse(line)
    return Array.isArray(cells) ? cells : []
  } catch (error) {
    if (error instanceof SyntaxError) return []
    throw error
  }
}
