import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { turn } from '../kernel/turn.ts'

export interface BatchOptions<T> {
  readonly clock: Clock
  /** Rows wait at most so long. */
  readonly everyMs: number
  /** Rows that may wait; the oldest make room. As many again may be on their way to the disk. */
  readonly waitingMax: number
  /** Rows handed over at once. */
  readonly batchMax: number
  readonly write: (rows: readonly T[]) => Promise<void>
  /** Told of rows that are lost, and why: undefined when too many waited. */
  readonly onLost: (rows: readonly T[], error: unknown) => void
  /** What each row weighs, and how much may wait, where rows are of very different size. */
  readonly weigh?: { readonly weightOf: (row: T) => number; readonly weightMax: number }
}

/** When too many wait, this share of them is lost at once: moving the rest costs as much as for one. */
const SURPLUS_SHARE = 10
/** At the end, a writer with too much to do is asked again so often. */
const CLOSING_ATTEMPTS_MAX = 100

/**
 * Collects rows and writes them in batches, in order, one batch at a time, off the path of whoever adds them. What can't
 * be written is lost and counted: nothing grows while the disk is in trouble. A writer that has too much to do isn't in
 * trouble: the rows wait on.
 */
export class Batches<T> {
  readonly #options: BatchOptions<T>
  readonly #weightOf: (row: T) => number
  readonly #weightMax: number
  readonly #stop: () => void
  #waiting: T[] = []
  #weight = 0
  #writing: Promise<void> | undefined
  #dropped = 0

  constructor(options: BatchOptions<T>) {
    this.#options = options
    this.#weightOf = options.weigh?.weightOf ?? (() => 0)
    this.#weightMax = options.weigh?.weightMax ?? 0
    this.#stop = options.clock.every(options.everyMs, () => void this.flush())
  }

  /** Rows that were lost since the start. */
  get dropped(): number {
    return this.#dropped
  }

  get waiting(): number {
    return this.#waiting.length
  }

  add(row: T): void {
    const { batchMax } = this.#options
    this.#waiting.push(row)
    this.#weight += this.#weightOf(row)
    this.#makeRoom()
    if (this.#waiting.length >= batchMax && this.#writing === undefined) void this.flush()
  }

  /** Resolves when every row added before was handed to the writer and written, or is lost. Never rejects. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing
    if (this.#waiting.length === 0) return
    const rows = this.#waiting
    this.#waiting = []
    this.#weight = 0
    this.#writing = this.#writeAll(rows)
    await this.#writing
  }

  async close(): Promise<void> {
    this.#stop()
    for (let attempt = 0; attempt < CLOSING_ATTEMPTS_MAX; attempt += 1) {
      await this.flush()
      if (this.#waiting.length === 0) return
      await turn()
    }
    this.#weight = 0
    this.#lose(this.#waiting.splice(0), new Error('the writer had too much to do until the end'))
  }

  async #writeAll(rows: readonly T[]): Promise<void> {
    const { batchMax, write } = this.#options
    try {
      for (let from = 0; from < rows.length; from += batchMax) {
        const batch = rows.slice(from, from + batchMax)
        try {
          await write(batch)
        } catch (error) {
          if (error instanceof Refusal && error.code === 'overloaded') return this.#putBack(rows.slice(from))
          this.#lose(batch, error)
        }
      }
    } finally {
      this.#writing = undefined
    }
  }

  #putBack(rows: readonly T[]): void {
    this.#waiting = [...rows, ...this.#waiting]
    for (const row of rows) this.#weight += this.#weightOf(row)
    this.#makeRoom()
  }

  #makeRoom(): void {
    const { waitingMax } = this.#options
    const count = this.#waiting.length
    if (count <= waitingMax && this.#weight <= this.#weightMax) return
    const surplus = count > waitingMax ? count - waitingMax + Math.floor(waitingMax / SURPLUS_SHARE) : 0
    const weightLeft = this.#weight > this.#weightMax ? this.#weightMax - this.#weightMax / SURPLUS_SHARE : this.#weight
    let lost = 0
    for (const row of this.#waiting) {
      if (lost >= surplus && this.#weight <= weightLeft) break
      this.#weight -= this.#weightOf(row)
      lost += 1
    }
    this.#lose(this.#waiting.splice(0, lost), undefined)
  }

  #lose(rows: readonly T[], error: unknown): void {
    this.#dropped += rows.length
    this.#options.onLost(rows, error)
  }
}
