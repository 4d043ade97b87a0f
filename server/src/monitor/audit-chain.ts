import { createHash } from 'node:crypto'
import type { Kysely } from 'kysely'
import { turn } from '../kernel/turn.ts'
import type { AuditTable, RecordDatabase } from '../storage/schema.ts'

/** What the first row is sealed with. */
export const FIRST_HASH = '0'.repeat(64)
/** Rows hashed before everything else has its turn: some milliseconds. */
const VERIFY_PAGE = 1_000

/** `brokenAt` is the first row that isn't what it was when it was written, or that is missing. */
export interface ChainCheck {
  /** Rows that are as they were, from the first on. */
  readonly rows: number
  readonly brokenAt: number | undefined
  /** Hash of the last of those rows: a note of it elsewhere shows later that none was taken off the end. */
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
 * what is committed.
 */
export async function verifyChain(
  record: Kysely<RecordDatabase>,
  after: { readonly seq: number; readonly hash: string } = { seq: 0, hash: FIRST_HASH },
): Promise<ChainCheck> {
  let { seq, hash } = after
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
      if (expected !== row.hash) return { rows: seq, brokenAt: seq + 1, head: hash }
      seq = row.seq
      hash = expected
    }
    if (rows.length < VERIFY_PAGE) return { rows: seq, brokenAt: undefined, head: hash }
    await turn()
  }
}
