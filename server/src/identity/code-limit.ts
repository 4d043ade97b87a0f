import type { Clock } from '../kernel/clock.ts'
import type { FailureCounts } from './failure-counts.ts'
import { tooSoon } from './login-throttle.ts'

/** Wrong codes of one user within a day, wherever from: six digits could be guessed by many addresses together. */
export const CODE_FAILURES_MAX = 30
const DAY_MS = 24 * 60 * 60_000

/** How many codes of an authenticator may be tried for one user. Recovery codes are too long to guess and don't count. */
export class CodeLimit {
  readonly #clock: Clock
  /** Each `at` is the instant of the first failure. */
  readonly #failures: FailureCounts

  constructor(clock: Clock, failures: FailureCounts) {
    this.#clock = clock
    this.#failures = failures
  }

  /** Counts a try until `succeeded` takes all back. Throws login_locked when there were too many. */
  attempt(key: string): void {
    const waitMs = this.#tried(key)
    if (waitMs > 0) throw tooSoon(waitMs)
  }

  /** The same, but answers whether it may be tried. */
  mayTry(key: string): boolean {
    return this.#tried(key) === 0
  }

  /** How long to wait; 0 when the try was counted. */
  #tried(key: string): number {
    const now = this.#clock.now()
    const known = this.#failures.of('code', key)
    const { count, at } = known === undefined || known.at + DAY_MS <= now ? { count: 0, at: now } : known
    if (count >= CODE_FAILURES_MAX) return at + DAY_MS - now
    this.#failures.add('code', key, { count: count + 1, at })
    return 0
  }

  succeeded(key: string): void {
    this.#failures.change('code', key, undefined)
  }
}
