import { createHash } from 'node:crypto'
import type { Kysely } from 'kysely'
import { turn } from '../kernel/turn.ts'
import type { AuditTable, RecordDatabase } from '../storage/schema.ts'

/** What the first row is sealed with. */
export const FIRST_HASH = '0'.repeat(64)
/** Rows hashed before everything else has its turn: some milliseconds. */
const VERIFY_PAGE = 1_000

/** A row's place in the chain, and its seal. */
export interface Link {
  readonly seq: number
  readonly hash: string
}

/** Where the chain is known to have come: to a row, and then to some more, which may be there. */
export interface Reached extends Link {
  readonly ahead?: readonly Link[]
}

/** `brokenAt` is the first row that isn't what it was when it was written, or that is missing. */
export interface ChainCheck {
  /** Rows that are as they were, from the first on. */
  readonly rows: number
  readonly brokenAt: number | undefined
  /** Whether it is missing with all that came after it: rows were taken off the end. */
  readonly isShort: boolean
  /** Hash of the last of those rows. */
  readonly head: string
}

/** SHA-256 over the hash before and every cell of the row, as a list in JSON, where no two rows look the same. */
export function hashOf(before: string, row: Omit<AuditTable, 'hash'>): string {
  const { seq, at, actor, action, target, address, request_id, detail } = row
  const text = JSON.stringify([before, seq, at, actor, action, target, address, request_id, detail])
  return createHash('sha256').update(text).digest('hex')
}

/**
 * Walks the chain from after a row, or from the beginning, a page at a time. Of a file that somebody writes to, it sees
 * what is committed. `head` is a row known to have been written: where it isn't found, rows were taken off the end. Those
 * ahead of it may be missing; others in their place are wrong.
 */
export async function verifyChain(
  record: Kysely<RecordDatabase>,
  head?: Reached,
  after: Link = { seq: 0, hash: FIRST_HASH },
): Promise<ChainCheck> {
  let { seq, hash } = after
  const known = new Map(head === undefined ? [] : [head, ...(head.ahead ?? [])].map((link) => [link.seq, link.hash]))
  for (;;) {
    const rows = await record
      .selectFrom('audit')
      .selectAll()
      .where('seq', '>', seq)
      .orderBy('seq')
      .limit(VERIFY_PAGE)
      .execute()
    for (const row of rows) {
      const expected = row.seq === seq + 1 ? hashOf(hash, row) : undefined
      if (expected !== row.hash || (known.get(row.seq) ?? row.hash) !== row.hash)
        return { rows: seq, brokenAt: seq + 1, isShort: false, head: hash }
      seq = row.seq
      hash = expected
    }
    if (rows.length < VERIFY_PAGE) {
      const isShort = head !== undefined && seq < head.seq
      return { rows: seq, brokenAt: isShort ? seq + 1 : undefined, isShort, head: hash }
    }
    await turn()
  }
}
