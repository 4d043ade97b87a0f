import type { Clock } from '../kernel/clock.ts'
import { tooSoon } from './login-throttle.ts'

/** Wrong codes of one user within a day, wherever from: six digits could be guessed by many addresses together. */
export const CODE_FAILURES_MAX = 30
const DAY_MS = 24 * 60 * 60_000
const ENTRIES_MAX = 20_000

/** How many codes of an authenticator may be tried for one user. Recovery codes are too long to guess and don't count. */
export class CodeLimit {
  readonly #clock: Clock
  readonly #byKey = new Map<string, { readonly count: number; readonly firstAt: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Counts a try until `succeeded` takes all back. Throws login_locked when there were too many. */
  attempt(key: string): void {
    const now = this.#clock.now()
    const known = this.#byKey.get(key)
    const { count, firstAt } = known === undefined || known.firstAt + DAY_MS <= now ? { count: 0, firstAt: now } : known
    if (count >= CODE_FAILURES_MAX) throw tooSoon(firstAt + DAY_MS - now)
    this.#byKey.delete(key) // so that the map is ordered by the last try
    this.#byKey.set(key, { count: count + 1, firstAt })
    if (this.#byKey.size > ENTRIES_MAX) {
      const [oldest] = this.#byKey.keys()
      if (oldest !== undefined) this.#byKey.delete(oldest)
    }
  }

  succeeded(key: string): void {
    this.#byKey.delete(key)
  }
}
