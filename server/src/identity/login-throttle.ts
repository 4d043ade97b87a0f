import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { ownerOf } from '../kernel/networks.ts'

/** Failures of one name from one address before the next try has to wait. */
export const FREE_TRIES = 3
/** The same for all names from one address, which several people may share. */
export const FREE_TRIES_OF_ADDRESS = 15
/** After so many failures of a name, wherever from, each address has one free try of it, and then longer waits. */
export const FAILURES_OF_ATTACKED_NAME = 20
const FIRST_WAIT_MS = 2_000
const FIRST_WAIT_OF_ATTACKED_NAME_MS = 60_000
export const WAIT_MS_MAX = 15 * 60_000
/** After so long without a failure, they are forgotten. */
export const FORGOTTEN_MS = 60 * 60_000
/** Names, addresses and pairs of them that failures are kept of, each; who failed longest ago makes room. */
export const ENTRIES_MAX = 20_000

interface Failures {
  readonly count: number
  readonly lastAt: number
}

/** A try that was let through. It counts as a failure until one of these says otherwise. */
export interface Attempt {
  /** It was right: the name's failures at this address are forgotten. */
  succeeded(): void
  /** It neither failed nor succeeded: it was cut short, or only half of what is needed was right. */
  undone(): void
}

/**
 * How soon somebody may try a password again. Waiting times grow with each failure, of a name from one address and of an
 * address whatever the names. A name that fails everywhere makes the waits longer, but never takes the first try from an
 * address that hasn't failed: otherwise anybody could lock its owner out. An address of IPv6 is its network of 64 bits.
 */
export class LoginThrottle {
  readonly #clock: Clock
  readonly #byPair = new Map<string, Failures>()
  readonly #byAddress = new Map<string, Failures>()
  readonly #byName = new Map<string, Failures>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Counts a try, before it is known how it ends, so that many at once don't slip through. Throws login_locked while this
   * name must wait at this address; says nothing about whether the name exists.
   */
  attempt(text: string, from: string): Attempt {
    const now = this.#clock.now()
    const name = text.trim().toLowerCase().slice(0, 254)
    const address = ownerOf(from)
    const pair = `${name}\n${address}`
    const isAttacked = (this.#live(this.#byName, name)?.count ?? 0) >= FAILURES_OF_ATTACKED_NAME
    const [free, firstMs] = isAttacked ? [1, FIRST_WAIT_OF_ATTACKED_NAME_MS] : [FREE_TRIES, FIRST_WAIT_MS]
    const waitUntil = Math.max(
      waitsUntil(this.#live(this.#byPair, pair), free, firstMs),
      waitsUntil(this.#live(this.#byAddress, address), FREE_TRIES_OF_ADDRESS, FIRST_WAIT_MS),
    )
    if (waitUntil > now) throw tooSoon(waitUntil - now)
    const undoPair = this.#count(this.#byPair, pair)
    const undoAddress = this.#count(this.#byAddress, address)
    const undoName = this.#count(this.#byName, name)
    return {
      succeeded: () => {
        this.#byPair.delete(pair)
        undoAddress()
        undoName()
      },
      undone: () => {
        undoPair()
        undoAddress()
        undoName()
      },
    }
  }

  #live(entries: ReadonlyMap<string, Failures>, key: string): Failures | undefined {
    const failures = entries.get(key)
    return failures === undefined || failures.lastAt + FORGOTTEN_MS <= this.#clock.now() ? undefined : failures
  }

  /** Answers how to take it back. */
  #count(entries: Map<string, Failures>, key: string): () => void {
    const before = this.#live(entries, key)
    const counted = { count: (before?.count ?? 0) + 1, lastAt: this.#clock.now() }
    entries.delete(key) // so that the map is ordered by the last failure
    entries.set(key, counted)
    if (entries.size > ENTRIES_MAX) {
      const [oldest] = entries.keys()
      if (oldest !== undefined) entries.delete(oldest)
    }
    return () => {
      const present = entries.get(key)
      if (present === undefined) return
      const lastAt = present === counted ? (before?.lastAt ?? counted.lastAt) : present.lastAt
      if (present.count > 1) entries.set(key, { count: present.count - 1, lastAt })
      else entries.delete(key)
    }
  }
}

function waitsUntil(failures: Failures | undefined, free: number, firstMs: number): number {
  if (failures === undefined || failures.count < free) return 0
  return failures.lastAt + Math.min(firstMs * 2 ** Math.min(failures.count - free, 20), WAIT_MS_MAX)
}

export function tooSoon(waitMs: number): Refusal {
  const seconds = Math.ceil(waitMs / 1000)
  return new Refusal('login_locked', `Too many failed tries. Wait ${seconds} seconds before the next one.`, {
    extra: { retry_after: seconds },
  })
}
