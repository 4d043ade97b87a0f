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

/** How many orders each subject sent in the last second. `elapsedMs` never goes back. */
export class RecentOrders {
  readonly #rings = new Map<string, Ring>()

  add(subject: string, elapsedMs: number): void {
    let ring = this.#rings.get(subject)
    if (ring === undefined) {
      if (this.#rings.size >= SUBJECTS_MAX) {
        const [oldest] = this.#rings.keys()
        if (oldest !== undefined) this.#rings.delete(oldest)
      }
      ring = new Ring()
      this.#rings.set(subject, ring)
    }
    ring.add(elapsedMs)
  }

  /** In the second that ends now. */
  count(subject: string, elapsedMs: number): number {
    return this.#rings.get(subject)?.since(elapsedMs - SECOND_MS) ?? 0
  }
}

/** Names of those whose orders are counted. */
export const accountSubject = (account: string): string => `a:${account}`
export const keySubject = (keyId: string): string => `k:${keyId}`
export const strategySubject = (account: string, strategy: string): string => `s:${account}:${strategy}`
/** A subject's orders on one exchange. */
export const segmentSubject = (subject: string, exchange: Exchange): string => `${exchange}|${subject}`
