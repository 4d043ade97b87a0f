import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { turn } from '../kernel/turn.ts'

export interface BatchOptions<T> {
  readonly clock: Clock
  /** Rows wait at most so long. */
  readonly everyMs: number
  /** Rows that may wait; the oldest make room. As many again may be on their way to the disk. */
  readonly waitingMax: number
  /** Rows handed over at once, or as many more as one item stands for. */
  readonly batchMax: number
  readonly write: (rows: readonly T[]) => Promise<void>
  /** Told of rows that are lost, and why: undefined when too many waited. */
  readonly onLost: (rows: readonly T[], error: unknown) => void
  /** How many rows an item stands for, where it is more than one. */
  readonly rowsOf?: (item: T) => number
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
  readonly #rowsOf: (item: T) => number
  readonly #weightOf: (row: T) => number
  readonly #weightMax: number
  readonly #stop: () => void
  #waiting: T[] = []
  #rows = 0
  #weight = 0
  #writing: Promise<void> | undefined
  #dropped = 0

  constructor(options: BatchOptions<T>) {
    this.#options = options
    this.#rowsOf = options.rowsOf ?? (() => 1)
    this.#weightOf = options.weigh?.weightOf ?? (() => 0)
    this.#weightMax = options.weigh?.weightMax ?? 0
    this.#stop = options.clock.every(options.everyMs, () => void this.flush())
  }

  /** Rows that were lost since the start. */
  get dropped(): number {
    return this.#dropped
  }

  /** Rows that wait. */
  get waiting(): number {
    return this.#rows
  }

  add(row: T): void {
    const { batchMax } = this.#options
    this.#waiting.push(row)
    this.#count(row)
    this.#makeRoom()
    if (this.#rows >= batchMax && this.#writing === undefined) void this.flush()
  }

  /** Resolves when every row added before was handed to the writer and written, or is lost. Never rejects. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing
    if (this.#waiting.length === 0) return
    const rows = this.#waiting
    this.#waiting = []
    this.#rows = 0
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
    this.#rows = 0
    this.#weight = 0
    this.#lose(this.#waiting.splice(0), new Error('the writer had too much to do until the end'))
  }

  async #writeAll(rows: readonly T[]): Promise<void> {
    const { batchMax, write } = this.#options
    try {
      for (let from = 0, to = 0; from < rows.length; from = to) {
        for (let count = 0; to < rows.length && count < batchMax; to += 1) count += this.#rowsOf(rows[to] as T)
        const batch = rows.slice(from, to)
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
    for (const row of rows) this.#count(row)
    this.#makeRoom()
  }

  #count(row: T): void {
    this.#rows += this.#rowsOf(row)
    this.#weight += this.#weightOf(row)
  }

  #makeRoom(): void {
    const { waitingMax } = this.#options
    if (this.#rows <= waitingMax && this.#weight <= this.#weightMax) return
    const rowsLeft = this.#rows > waitingMax ? waitingMax - Math.floor(waitingMax / SURPLUS_SHARE) : this.#rows
    const weightLeft = this.#weight > this.#weightMax ? this.#weightMax - this.#weightMax / SURPLUS_SHARE : this.#weight
    let lost = 0
    for (const row of this.#waiting) {
      if (this.#rows <= rowsLeft && this.#weight <= weightLeft) break
      this.#rows -= this.#rowsOf(row)
      this.#weight -= this.#weightOf(row)
      lost += 1
    }
    this.#lose(this.#waiting.splice(0, lost), undefined)
  }

  #lose(rows: readonly T[], error: unknown): void {
    for (const row of rows) this.#dropped += this.#rowsOf(row)
    this.#options.onLost(rows, error)
  }
}
