import type { Clock } from '../kernel/clock.ts'
import type { Database } from '../storage/open.ts'
import type { RecordDatabase } from '../storage/schema.ts'
import type { Statement } from '../storage/writer.ts'
import { FAILURE_KINDS, FailureCounts, type FailureEntry, type FailureKind } from './failure-counts.ts'
import type { KeyedHash } from './keyed-hash.ts'

export const WRITTEN_EVERY_MS = 5_000
/** No failure counts longer. */
export const FAILURES_KEPT_MS = 24 * 60 * 60_000
/** Changes that wait to be written; more aren't, and a restart forgets those. */
export const UNWRITTEN_MAX = 20_000

export interface FailureLogOptions {
  readonly record: Database<RecordDatabase>
  readonly hash: KeyedHash
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}

/** Brings failed logins to disk, a few seconds behind, so that a restart ends no lock. */
export class FailureLog {
  readonly counts: FailureCounts
  readonly #options: FailureLogOptions
  readonly #unwritten = new Map<string, FailureEntry>()
  readonly #stopWriting: () => void

  private constructor(options: FailureLogOptions) {
    this.#options = options
    this.counts = new FailureCounts(options.hash, (entry) => this.#note(entry))
    this.#stopWriting = options.clock.every(WRITTEN_EVERY_MS, () => {
      this.write().catch(options.onError)
    })
  }

  static async open(options: FailureLogOptions): Promise<FailureLog> {
    const log = new FailureLog(options)
    const over = options.clock.now() - FAILURES_KEPT_MS
    for (const row of await options.record.kysely.selectFrom('login_failure').selectAll().orderBy('at').execute()) {
      const entry = { kind: kindOf(row.kind), hash: row.hash }
      if (row.at <= over) log.#note(entry)
      else log.counts.restore(entry, { count: row.count, at: row.at })
    }
    return log
  }

  /** Writes what has changed since the last time. When that fails, it is tried again with the next. */
  async write(): Promise<void> {
    if (this.#unwritten.size === 0) return
    const entries = [...this.#unwritten.values()]
    this.#unwritten.clear()
    try {
      await this.#options.record.writer.write(entries.map((entry) => this.#statement(entry)))
    } catch (error) {
      for (const entry of entries) this.#note(entry)
      throw error
    }
  }

  async close(): Promise<void> {
    this.#stopWriting()
    await this.write().catch(this.#options.onError)
  }

  #note(entry: FailureEntry): void {
    if (this.#unwritten.size < UNWRITTEN_MAX) this.#unwritten.set(`${entry.kind} ${entry.hash}`, entry)
  }

  #statement(entry: FailureEntry): Statement {
    const { kysely, compile } = this.#options.record
    const { kind, hash } = entry
    const failures = this.counts.find(entry)
    return compile(
      failures === undefined
        ? kysely.deleteFrom('login_failure').where('kind', '=', kind).where('hash', '=', hash)
        : kysely.replaceInto('login_failure').values({ kind, hash, ...failures }),
    )
  }
}

function kindOf(text: string): FailureKind {
  const kind = FAILURE_KINDS.find((known) => known === text)
  if (kind === undefined) throw new Error(`record.db: login failures of the kind "${text}", which isn't known`)
  return kind
}
