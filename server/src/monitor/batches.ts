import type { Clock } from '../kernel/clock.ts'

export interface BatchOptions<T> {
  readonly clock: Clock
  /** Rows wait at most so long. */
  readonly everyMs: number
  /** Rows that may wait; the oldest make room and are counted as dropped. */
  readonly waitingMax: number
  /** Rows handed over at once. */
  readonly batchMax: number
  readonly write: (rows: readonly T[]) => Promise<void>
  readonly onError: (error: unknown) => void
}

/**
 * Collects rows and writes them in batches, one batch at a time, off the path of whoever adds them. A batch that can't be
 * written is lost and counted: nothing grows while the disk is in trouble.
 */
export class Batches<T> {
  readonly #options: BatchOptions<T>
  readonly #stop: () => void
  #waiting: T[] = []
  #writing: Promise<void> | undefined
  #dropped = 0

  constructor(options: BatchOptions<T>) {
    this.#options = options
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
    const { waitingMax, batchMax } = this.#options
    if (this.#waiting.length >= waitingMax) {
      const surplus = Math.ceil(waitingMax / 10)
      this.#waiting.splice(0, surplus) // seldom and many, since moving the rest costs as much as for one
      this.#dropped += surplus
    }
    this.#waiting.push(row)
    if (this.#waiting.length >= batchMax && this.#writing === undefined) void this.flush()
  }

  /** Resolves when every row added before is written or lost. Never rejects. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing
    if (this.#waiting.length === 0) return
    this.#writing = this.#writeAll(this.#waiting)
    this.#waiting = []
    await this.#writing
  }

  async close(): Promise<void> {
    this.#stop()
    await this.flush()
  }

  async #writeAll(rows: readonly T[]): Promise<void> {
    const { batchMax, write, onError } = this.#options
    try {
      for (let from = 0; from < rows.length; from += batchMax) {
        const batch = rows.slice(from, from + batchMax)
        try {
          await write(batch)
        } catch (error) {
          this.#dropped += batch.length
          onError(error)
        }
      }
    } finally {
      this.#writing = undefined
    }
  }
}
