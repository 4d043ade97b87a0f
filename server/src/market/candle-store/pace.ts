import type { Clock } from '../../kernel/clock.ts'
import { RateLimiter } from '../../kernel/rate-limiter.ts'
import type { Rate } from '../../kernel/rates.ts'
import { turn } from '../../kernel/turn.ts'
import { InTurn } from '../../kernel/turns.ts'

/** Resolves after that time, or as soon as the signal is aborted. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve()
      return
    }
    const end = (): void => {
      stop()
      signal.removeEventListener('abort', end)
      resolve()
    }
    const stop = clock.every(Math.max(1, Math.ceil(ms)), end)
    signal.addEventListener('abort', end)
  })
}

/** Lets requests to the source pass no faster than it allows, and everything else between them. */
export class Pace {
  readonly #clock: Clock
  readonly #limiter: RateLimiter
  readonly #turn = new InTurn()

  constructor(rates: readonly Rate[], clock: Clock) {
    this.#clock = clock
    this.#limiter = new RateLimiter({ name: 'downloads', algorithm: 'sliding-window', rates, clock, keysMax: 1 })
  }

  /**
   * Resolves when the next request may go, or the signal is aborted: one at a time, so that of sources that calculate their
   * answers never two in a row keep everybody else waiting.
   */
  next(signal: AbortSignal): Promise<void> {
    return this.#turn.run(async () => {
      await turn()
      while (!signal.aborted) {
        const verdict = this.#limiter.take('source')
        if (verdict.allowed) return
        await pause(this.#clock, verdict.retryAfterMs, signal)
      }
    })
  }
}
