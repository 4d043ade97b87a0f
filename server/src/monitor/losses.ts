import type { Clock } from '../kernel/clock.ts'

/** Rows of a log that could not be kept. */
export class RowsLost extends Error {
  override readonly name = 'RowsLost'
  readonly count: number

  constructor(log: string, count: number, cause: unknown) {
    const why = cause === undefined ? 'they came faster than the disk takes them' : 'they could not be written'
    super(`${count} rows of ${log} are lost: ${why}`, { cause })
    this.count = count
  }
}

const REPORTED_WITHIN_MS = 1_000

/** Says how many rows were lost, at most once a second: a disk in trouble must not fill the log as well. */
export class Losses {
  readonly #log: string
  readonly #report: (error: RowsLost) => void
  readonly #stop: () => void
  #count = 0
  #cause: unknown

  constructor(log: string, clock: Clock, report: (error: RowsLost) => void) {
    this.#log = log
    this.#report = report
    this.#stop = clock.every(REPORTED_WITHIN_MS, () => this.#tell())
  }

  note(count: number, cause: unknown): void {
    this.#count += count
    this.#cause ??= cause
  }

  close(): void {
    this.#stop()
    this.#tell()
  }

  #tell(): void {
    if (this.#count === 0) return
    const error = new RowsLost(this.#log, this.#count, this.#cause)
    this.#count = 0
    this.#cause = undefined
    this.#report(error)
  }
}
