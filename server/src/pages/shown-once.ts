import { randomBytes } from 'node:crypto'
import type { Clock } from '../kernel/clock.ts'
import type { View } from './page.ts'

/** How long a view waits for the browser to follow its redirect. */
export const WAITING_MS = 2 * 60_000
/** Views that wait for one session, and for all of them; of more, the oldest is dropped unseen. */
export const WAITING_PER_SESSION_MAX = 4
export const WAITING_MAX = 200
const NAME_BYTES = 12

interface Waiting {
  readonly sessionId: string
  readonly view: View
  readonly until: number
}

/**
 * Views with a secret in them, between the form that made it and the page that shows it: in memory alone, for one session,
 * until they are looked at. So neither a reload nor the way back does again what the form did, and the address has no
 * secret: a name that is worth nothing in any other session, and nothing the second time.
 */
export class ShownOnce {
  readonly #clock: Clock
  /** By name, oldest first. */
  readonly #waiting = new Map<string, Waiting>()
  readonly close: () => void

  constructor(clock: Clock) {
    this.#clock = clock
    this.close = clock.every(WAITING_MS, () => this.#forget())
  }

  /** Answers the view's name. */
  keep(sessionId: string, view: View): string {
    this.#forget()
    const all = [...this.#waiting.keys()]
    this.#makeRoom(
      all.filter((name) => this.#waiting.get(name)?.sessionId === sessionId),
      WAITING_PER_SESSION_MAX,
    )
    this.#makeRoom(all, WAITING_MAX)
    const name = randomBytes(NAME_BYTES).toString('base64url')
    this.#waiting.set(name, { sessionId, view, until: this.#clock.now() + WAITING_MS })
    return name
  }

  /** The view, which is forgotten with this; undefined when there is none (any more) for this session. */
  take(sessionId: string, name: string): View | undefined {
    this.#forget()
    const waiting = this.#waiting.get(name)
    if (waiting === undefined || waiting.sessionId !== sessionId) return undefined
    this.#waiting.delete(name)
    return waiting.view
  }

  #makeRoom([oldest, ...others]: readonly string[], most: number): void {
    if (oldest !== undefined && others.length + 1 >= most) this.#waiting.delete(oldest)
  }

  #forget(): void {
    const now = this.#clock.now()
    for (const [name, { until }] of this.#waiting) if (until <= now) this.#waiting.delete(name)
  }
}
