import type { KeyedHash } from './keyed-hash.ts'

/** Entries of each kind; the one that failed longest ago makes room. */
export const ENTRIES_MAX = 20_000

/**
 * Of a name as it was typed, at one address and wherever from; of whoever is meant by it, the same; of an address; of codes for
 * one user.
 */
export const FAILURE_KINDS = ['pair', 'name', 'user-pair', 'user', 'address', 'code'] as const
export type FailureKind = (typeof FAILURE_KINDS)[number]

export interface Failures {
  readonly count: number
  /** Instant that they are counted from, or of the last one, as the kind has it. */
  readonly at: number
}

export interface FailureEntry {
  readonly kind: FailureKind
  readonly hash: string
}

/**
 * How often signing in has failed, in memory. Of who failed only a hash is kept: a name that nobody has may be a password
 * in the wrong field.
 */
export class FailureCounts {
  readonly #hash: KeyedHash
  readonly #byKind: Readonly<Record<FailureKind, Map<string, Failures>>> = {
    pair: new Map(),
    name: new Map(),
    'user-pair': new Map(),
    user: new Map(),
    address: new Map(),
    code: new Map(),
  }
  readonly #changed: (entry: FailureEntry) => void

  /** `changed` is told which entries are no longer as they were. */
  constructor(hash: KeyedHash = (text) => text, changed: (entry: FailureEntry) => void = () => undefined) {
    this.#hash = hash
    this.#changed = changed
  }

  of(kind: FailureKind, key: string): Failures | undefined {
    return this.find({ kind, hash: this.#hashOf(kind, key) })
  }

  find({ kind, hash }: FailureEntry): Failures | undefined {
    return this.#byKind[kind].get(hash)
  }

  /** One more failure: the entry is the last one to make room. */
  add(kind: FailureKind, key: string, failures: Failures): void {
    const entry = { kind, hash: this.#hashOf(kind, key) }
    this.restore(entry, failures)
    this.#changed(entry)
  }

  /** Puts failures in place of others, without a new one; none when undefined. */
  change(kind: FailureKind, key: string, failures: Failures | undefined): void {
    const hash = this.#hashOf(kind, key)
    if (failures === undefined) this.#byKind[kind].delete(hash)
    else this.#byKind[kind].set(hash, failures)
    this.#changed({ kind, hash })
  }

  /** Puts back what was written, as the latest. */
  restore({ kind, hash }: FailureEntry, failures: Failures): void {
    const entries = this.#byKind[kind]
    entries.delete(hash) // so that the map is ordered by the last failure
    entries.set(hash, failures)
    const [oldest] = entries.keys()
    if (entries.size <= ENTRIES_MAX || oldest === undefined) return
    entries.delete(oldest)
    this.#changed({ kind, hash: oldest })
  }

  #hashOf(kind: FailureKind, key: string): string {
    return this.#hash(`login failure\n${kind}\n${key}`)
  }
}
