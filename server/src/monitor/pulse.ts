import type { Clock } from '../kernel/clock.ts'

/** An answer that is out for longer counts as none. */
export const PULSE_STALLED_MS = 10_000

export interface PulseOptions {
  readonly clock: Clock
  readonly intervalMs: number
  /** Asks for something small that goes the whole way. Resolves with what is wrong; undefined when nothing is. */
  readonly ask: () => Promise<string | undefined>
}

/**
 * Whether something still answers, and how fast, found out by asking it regularly: a disk or a feed that hangs raises no
 * error by itself. One question at a time.
 */
export class Pulse {
  readonly #options: PulseOptions
  readonly #stop: () => void
  #askedMs: number | undefined
  #tookMs = 0
  #problem: string | undefined

  constructor(options: PulseOptions) {
    this.#options = options
    this.#stop = options.clock.every(options.intervalMs, () => this.#ask())
    this.#ask()
  }

  /** How long the last answer took; of one that is out, how long it has been so far, when that is longer. */
  get lagMs(): number {
    const outMs = this.#askedMs === undefined ? 0 : this.#options.clock.elapsedMs() - this.#askedMs
    return Math.max(this.#tookMs, outMs)
  }

  /** What is wrong; undefined when nothing is known to be. */
  get problem(): string | undefined {
    if (this.#problem !== undefined || this.#askedMs === undefined) return this.#problem
    const outMs = this.#options.clock.elapsedMs() - this.#askedMs
    return outMs > PULSE_STALLED_MS ? `no answer for ${Math.floor(outMs / 1000)} s` : undefined
  }

  close(): void {
    this.#stop()
  }

  #ask(): void {
    if (this.#askedMs !== undefined) return
    const askedMs = this.#options.clock.elapsedMs()
    this.#askedMs = askedMs
    const answered = (problem: string | undefined): void => {
      this.#askedMs = undefined
      this.#tookMs = this.#options.clock.elapsedMs() - askedMs
      this.#problem = problem
    }
    this.#options.ask().then(answered, (error: unknown) => {
      answered(error instanceof Error ? error.message : String(error))
    })
  }
}
