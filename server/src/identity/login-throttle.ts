import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { ownerOf } from '../kernel/networks.ts'
import type { FailureCounts, FailureKind, Failures } from './failure-counts.ts'

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
  /** Each `at` is the instant of the last failure. */
  readonly #failures: FailureCounts

  constructor(clock: Clock, failures: FailureCounts) {
    this.#clock = clock
    this.#failures = failures
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
    const isAttacked = (this.#live('name', name)?.count ?? 0) >= FAILURES_OF_ATTACKED_NAME
    const [free, firstMs] = isAttacked ? [1, FIRST_WAIT_OF_ATTACKED_NAME_MS] : [FREE_TRIES, FIRST_WAIT_MS]
    const waitUntil = Math.max(waitsUntil(this.#live('pair', pair), free, firstMs), this.#addressWaitsUntil(address))
    if (waitUntil > now) throw tooSoon(waitUntil - now)
    const undoPair = this.#count('pair', pair)
    const undoAddress = this.#count('address', address)
    const undoName = this.#count('name', name)
    return {
      succeeded: () => {
        this.#failures.change('pair', pair, undefined)
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

  /** The same of a try that names nobody, such as a link. */
  attemptAt(from: string): Attempt {
    const now = this.#clock.now()
    const address = ownerOf(from)
    const waitUntil = this.#addressWaitsUntil(address)
    if (waitUntil > now) throw tooSoon(waitUntil - now)
    const undo = this.#count('address', address)
    return { succeeded: undo, undone: undo }
  }

  #addressWaitsUntil(address: string): number {
    return waitsUntil(this.#live('address', address), FREE_TRIES_OF_ADDRESS, FIRST_WAIT_MS)
  }

  #live(kind: FailureKind, key: string): Failures | undefined {
    const failures = this.#failures.of(kind, key)
    return failures === undefined || failures.at + FORGOTTEN_MS <= this.#clock.now() ? undefined : failures
  }

  /** Answers how to take it back. */
  #count(kind: FailureKind, key: string): () => void {
    const before = this.#live(kind, key)
    const counted = { count: (before?.count ?? 0) + 1, at: this.#clock.now() }
    this.#failures.add(kind, key, counted)
    return () => {
      const present = this.#failures.of(kind, key)
      if (present === undefined) return
      const at = present === counted ? (before?.at ?? counted.at) : present.at
      const rest = present.count > 1 ? { count: present.count - 1, at } : undefined
      this.#failures.change(kind, key, rest)
    }
  }
}

function waitsUntil(failures: Failures | undefined, free: number, firstMs: number): number {
  if (failures === undefined || failures.count < free) return 0
  return failures.at + Math.min(firstMs * 2 ** Math.min(failures.count - free, 20), WAIT_MS_MAX)
}

export function tooSoon(waitMs: number): Refusal {
  const seconds = Math.ceil(waitMs / 1000)
  return new Refusal('login_locked', `Too many failed tries. Wait ${seconds} seconds before the next one.`, {
    extra: { retry_after: seconds },
  })
}
