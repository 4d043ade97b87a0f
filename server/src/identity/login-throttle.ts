import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { ownerOf } from '../kernel/networks.ts'
import type { FailureCounts, FailureKind, Failures } from './failure-counts.ts'
import { nameKey, type User } from './users.ts'

/** Failures of one name from one address before the next try has to wait. */
export const FREE_TRIES = 3
/** The same for all names from one address, which several people may share. */
export const FREE_TRIES_OF_ADDRESS = 15
/** After so many failures of a name or user, wherever from, each address has one free try of it, and then longer waits. */
export const FAILURES_OF_ATTACKED_NAME = 20
const FIRST_WAIT_MS = 2_000
const FIRST_WAIT_OF_ATTACKED_NAME_MS = 60_000
export const WAIT_MS_MAX = 15 * 60_000
/** After so long without a failure, they are forgotten. */
export const FORGOTTEN_MS = 60 * 60_000

/** A try that was let through. It counts as a failure until one of these says otherwise. */
export interface Attempt {
  /**
   * Whoever is meant failed too often here by another of their names: however right this is, it must fail as if it were
   * wrong. To say so would tell that both names are of one user.
   */
  readonly isTooSoon: boolean
  /** It was right: its failures at this address are forgotten. */
  succeeded(): void
  /** It neither failed nor succeeded: it was cut short, or only half of what is needed was right. */
  undone(): void
}

/**
 * How soon somebody may try a password again. Waiting times grow with each failure, of a name from one address, of a user
 * by all names together from one address, and of an address whatever the names. A name or user that fails everywhere makes
 * the waits longer, but never takes the first try from an address that hasn't failed: otherwise anybody could lock its owner
 * out. An address of IPv6 is its network of 64 bits.
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
   * Counts a try by a name, before it is known how it ends, so that many at once don't slip through. Throws login_locked
   * while this name must wait at this address; neither that nor how long it takes says whether there is such a user.
   */
  attempt(text: string, userId: string | undefined, from: string): Attempt {
    const address = ownerOf(from)
    const name = named(text)
    const holder = person(userId ?? `nobody ${name.key}`)
    this.#requireOver(Math.max(this.#waitsUntil(name, address), this.#addressWaitsUntil(address)))
    const isTooSoon = this.#waitsUntil(holder, address) > this.#clock.now()
    return this.#counted(isTooSoon ? [name] : [name, holder], address, isTooSoon)
  }

  /** The same of a user who is known to who tries: they are signed in, or had the password right. */
  attemptOf(user: User, from: string): Attempt {
    const address = ownerOf(from)
    const holder = person(user.id)
    this.#requireOver(Math.max(this.#waitsUntil(holder, address), this.#addressWaitsUntil(address)))
    return this.#counted([named(user.name), named(user.email), holder], address, false)
  }

  /** The same of a try that names nobody, such as a link. */
  attemptAt(from: string): Attempt {
    const address = ownerOf(from)
    this.#requireOver(this.#addressWaitsUntil(address))
    return this.#counted([], address, false)
  }

  #requireOver(waitUntil: number): void {
    const now = this.#clock.now()
    if (waitUntil > now) throw tooSoon(waitUntil - now)
  }

  #counted(subjects: readonly Subject[], address: string, isTooSoon: boolean): Attempt {
    const pairs = subjects.map(({ here, key }) => [here, pairOf(key, address)] as const)
    const undoPairs = pairs.map(([kind, key]) => this.#count(kind, key))
    const undoOthers = [
      this.#count('address', address),
      ...subjects.map(({ anywhere, key }) => this.#count(anywhere, key)),
    ]
    return {
      isTooSoon,
      succeeded: () => {
        for (const [kind, key] of pairs) this.#failures.change(kind, key, undefined)
        for (const undo of undoOthers) undo()
      },
      undone: () => {
        for (const undo of [...undoPairs, ...undoOthers]) undo()
      },
    }
  }

  #waitsUntil({ here, anywhere, key }: Subject, address: string): number {
    const isAttacked = (this.#live(anywhere, key)?.count ?? 0) >= FAILURES_OF_ATTACKED_NAME
    const [free, firstMs] = isAttacked ? [1, FIRST_WAIT_OF_ATTACKED_NAME_MS] : [FREE_TRIES, FIRST_WAIT_MS]
    return waitsUntil(this.#live(here, pairOf(key, address)), free, firstMs)
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

/** Of what failures are counted, at one address and wherever from. */
interface Subject {
  readonly here: FailureKind
  readonly anywhere: FailureKind
  readonly key: string
}

/** A name as it was typed. */
const named = (text: string): Subject => ({ here: 'pair', anywhere: 'name', key: nameKey(text) })
/** Whoever is meant. */
const person = (key: string): Subject => ({ here: 'user-pair', anywhere: 'user', key })

const pairOf = (key: string, address: string): string => `${key}\n${address}`

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
