import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'

/** Failures of one name from one address before the next try has to wait. */
export const FREE_TRIES = 3
/** The same for all names from one address, which several people may share. */
export const FREE_TRIES_OF_ADDRESS = 15
const FIRST_WAIT_MS = 2_000
export const WAIT_MS_MAX = 15 * 60_000
/** After so long without a failure, they are forgotten. */
const FORGOTTEN_MS = 60 * 60_000
export const ENTRIES_MAX = 20_000

interface Failures {
  readonly count: number
  readonly waitUntil: number
  readonly forgottenAt: number
}

/**
 * How soon somebody may try a password again. Waiting times grow with each failure, of a name from one address and of an
 * address whatever the names. Nothing is ever held against a name alone: that would let anybody lock its owner out.
 */
export class LoginThrottle {
  readonly #clock: Clock
  readonly #byPair = new Map<string, Failures>()
  readonly #byAddress = new Map<string, Failures>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Throws login_locked while this name must wait at this address. Says nothing about whether the name exists. */
  refuseTooSoon(name: string, address: string): void {
    const now = this.#clock.now()
    const waits = [this.#byPair.get(pairOf(name, address)), this.#byAddress.get(address)]
    const waitUntil = Math.max(...waits.map((failures) => failures?.waitUntil ?? 0))
    if (waitUntil <= now) return
    const seconds = Math.ceil((waitUntil - now) / 1000)
    throw new Refusal('login_locked', `Too many failed tries. Wait ${seconds} seconds before the next one.`, {
      extra: { retry_after: seconds },
    })
  }

  failed(name: string, address: string): void {
    this.#count(this.#byPair, pairOf(name, address), FREE_TRIES)
    this.#count(this.#byAddress, address, FREE_TRIES_OF_ADDRESS)
  }

  /** A success clears the name's own failures here; those of the address go on counting. */
  succeeded(name: string, address: string): void {
    this.#byPair.delete(pairOf(name, address))
  }

  #count(entries: Map<string, Failures>, key: string, free: number): void {
    const now = this.#clock.now()
    const before = entries.get(key)
    const count = before === undefined || before.forgottenAt <= now ? 1 : before.count + 1
    const wait = count < free ? 0 : Math.min(FIRST_WAIT_MS * 2 ** Math.min(count - free, 20), WAIT_MS_MAX)
    entries.delete(key) // so that the map is ordered by the last failure
    entries.set(key, { count, waitUntil: now + wait, forgottenAt: now + FORGOTTEN_MS })
    if (entries.size > ENTRIES_MAX) {
      const [oldest] = entries.keys()
      if (oldest !== undefined) entries.delete(oldest)
    }
  }
}

const pairOf = (name: string, address: string): string => `${name.trim().toLowerCase().slice(0, 254)}\n${address}`
