import type { Exchange } from '../../market/instrument.ts'
import { PER_SECOND_MAX } from './limits.ts'

const SECOND_MS = 1000
/** More than the largest limit needs to know. */
const KEPT_MAX = PER_SECOND_MAX + 1
/** Subjects whose last second is known; the one that was asked about longest ago is forgotten when there are more. */
export const SUBJECTS_MAX = 10_000

/** Instants of the last orders of one subject, oldest overwritten first. */
class Ring {
  #instants = new Float64Array(16)
  #first = 0
  #count = 0

  add(at: number): void {
    if (this.#count === this.#instants.length && this.#count < KEPT_MAX) this.#grow()
    const { length } = this.#instants
    this.#instants[(this.#first + this.#count) % length] = at
    if (this.#count === length) this.#first = (this.#first + 1) % length
    else this.#count += 1
  }

  since(at: number): number {
    const { length } = this.#instants
    while (this.#count > 0 && (this.#instants[this.#first] ?? 0) <= at) {
      this.#first = (this.#first + 1) % length
      this.#count -= 1
    }
    return this.#count
  }

  #grow(): void {
    const { length } = this.#instants
    const grown = new Float64Array(Math.min(length * 2, KEPT_MAX))
    for (let index = 0; index < this.#count; index += 1)
      grown[index] = this.#instants[(this.#first + index) % length] ?? 0
    this.#instants = grown
    this.#first = 0
  }
}

/** By exchange; under undefined those of all exchanges. */
type Rings = Map<Exchange | undefined, Ring>

/** How many orders each subject sent in the last second. `elapsedMs` never goes back. */
export class RecentOrders {
  readonly #rings = new Map<string, Rings>()

  /** Counts one: towards all that the subject sent or, with an exchange, towards what it sent there. */
  add(subject: string, elapsedMs: number, exchange?: Exchange): void {
    const rings = this.#rings.get(subject) ?? this.#begin(subject)
    let ring = rings.get(exchange)
    if (ring === undefined) {
      ring = new Ring()
      rings.set(exchange, ring)
    }
    ring.add(elapsedMs)
  }

  /** In the second that ends now. */
  count(subject: string, elapsedMs: number, exchange?: Exchange): number {
    return (
      this.#rings
        .get(subject)
        ?.get(exchange)
        ?.since(elapsedMs - SECOND_MS) ?? 0
    )
  }

  #begin(subject: string): Rings {
    if (this.#rings.size >= SUBJECTS_MAX) {
      const [oldest] = this.#rings.keys()
      if (oldest !== undefined) this.#rings.delete(oldest)
    }
    const rings: Rings = new Map()
    this.#rings.set(subject, rings)
    return rings
  }
}

/** Whose orders are counted, by name. */
export interface Subjects {
  readonly account: string
  readonly key: string
  readonly strategy: string
}

export const subjectsOf = (account: string, keyId: string, strategy: string): Subjects => ({
  account: `a:${account}`,
  key: `k:${keyId}`,
  strategy: `s:${account}:${strategy}`,
})
