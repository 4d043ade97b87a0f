import { assert } from './assert.ts'
import type { Clock } from './clock.ts'
import { type Meter, newMeter, type RateAlgorithm } from './rate-meter.ts'
import { type Rate, windowText } from './rates.ts'

export interface RateLimiterOptions {
  /** Lower-case letters and hyphens. */
  readonly name: string
  readonly algorithm: RateAlgorithm
  /** All of them hold; one at least, each with another window. */
  readonly rates: readonly Rate[]
  readonly clock: Pick<Clock, 'elapsedMs'>
  readonly keysMax?: number
}

export const RATE_KEYS_MAX = 100_000

/** One of a limiter's rates. Where there are several, each has a name of its own, such as `login-minute`. */
export interface Limit extends Rate {
  readonly name: string
}

interface Standing {
  /** The limit that comes to its end first. */
  readonly limit: Limit
  /** What it lets through now. */
  readonly remaining: number
  /** Until it is as if unused, when nothing else comes. */
  readonly resetMs: number
  /** All limits that were asked, as text of the header `RateLimit-Policy`. */
  readonly policy: string
}

export interface Allowed extends Standing {
  readonly allowed: true
}

export interface NotAllowed extends Standing {
  readonly allowed: false
  /** Until it may pass when nothing else does. */
  readonly retryAfterMs: number
  /** What was paid before included. */
  readonly cost: number
}

export type Verdict = Allowed | NotAllowed

/** Slots looked at for each new key, in turn, to free those of idle keys: more than are taken, so that all get free. */
const SWEEP = 2
/** The same, when there is no room left. */
const SWEEP_WHEN_FULL = 16
/** Slots that new keys share when there is no room for their own. */
const SHARED_SLOTS = 1024

/**
 * Limits what each key may do, in memory that is bounded by `keysMax`.
 *
 * Only a key whose slot is as if unused is ever forgotten, so that nobody gets a fresh budget by filling the memory with
 * other keys. While it is full of keys in use, further keys share slots, each as strict as one key's; a key that gets a
 * slot of its own goes on with what the shared one had counted.
 */
export class RateLimiter {
  readonly limits: readonly Limit[]
  /** As text of the header `RateLimit-Policy`. */
  readonly policy: string
  /** One for each limit. */
  readonly #meters: readonly Meter[]
  readonly #clock: Pick<Clock, 'elapsedMs'>
  readonly #keysMax: number
  readonly #slots = new Map<string, number>()
  /** By slot; undefined where one is free. */
  readonly #keys: (string | undefined)[] = []
  readonly #free: number[] = []
  #isShared = false
  #hand = 0
  #lastMs = 1

  constructor(options: RateLimiterOptions) {
    const { name, rates } = options
    assert(/^[a-z]+(-[a-z]+)*$/.test(name), 'a limiter has a name that can stand in a header')
    assert(rates.length > 0, 'a limiter limits something')
    this.limits = rates.map((rate) => ({
      ...rate,
      name: rates.length === 1 ? name : `${name}-${windowText(rate.windowMs).replace(' ', '-')}`,
    }))
    this.policy = this.limits.map((limit) => `"${limit.name}";q=${limit.count};w=${limit.windowMs / 1000}`).join(', ')
    this.#meters = this.limits.map((limit) => newMeter(options.algorithm, limit))
    this.#clock = options.clock
    this.#keysMax = options.keysMax ?? RATE_KEYS_MAX
  }

  /** Keys that have a slot of their own. */
  get size(): number {
    return this.#slots.size
  }

  /**
   * Takes the cost from every limit of the key, or, when one of them refuses, nothing. `paid` is what was taken before
   * for the same thing: it may pass only when both together fit.
   *
   * What costs more than a limit lets through at once passes when nothing else of that limit is used, and leaves it in
   * debt: a basket mustn't be torn apart for its length, and on average no more passes than the limit says.
   *
   * `at` is now, by the limiter's own clock, for who has just read it.
   */
  take(key: string, cost = 1, paid = 0, at = this.#clock.elapsedMs()): Verdict {
    const now = this.#notBefore(at)
    const slot = this.#slotOf(key, now)
    const refused = this.#refusal(slot, cost, paid, now)
    if (refused !== undefined) return refused
    for (const meter of this.#meters) meter.take(slot, cost, now)
    return this.#allowed(slot, now)
  }

  /** What `take` would answer now, taking nothing. */
  ask(key: string, cost = 1, paid = 0, at = this.#clock.elapsedMs()): Verdict {
    const now = this.#notBefore(at)
    const slot = this.#slotOf(key, now)
    return this.#refusal(slot, cost, paid, now) ?? this.#allowed(slot, now)
  }

  #refusal(slot: number, unpaid: number, paid: number, now: number): NotAllowed | undefined {
    assert(Number.isInteger(unpaid) && unpaid > 0, 'a cost is a whole number above 0')
    const cost = unpaid + paid
    let retryAfterMs = 0
    let refusing = 0
    for (let index = 0; index < this.#meters.length; index += 1) {
      const meter = this.#meterAt(index)
      const { count } = this.#limitAt(index)
      const isUnused = cost > count && meter.remaining(slot, now) >= count - paid
      const waitMs = cost <= count ? meter.waitMs(slot, unpaid, now) : isUnused ? 0 : meter.resetMs(slot, now)
      if (waitMs <= retryAfterMs) continue
      retryAfterMs = waitMs
      refusing = index
    }
    if (retryAfterMs === 0) return undefined
    const meter = this.#meterAt(refusing)
    const [remaining, resetMs] = [meter.remaining(slot, now), meter.resetMs(slot, now)]
    const limit = this.#limitAt(refusing)
    return { allowed: false, limit, remaining, resetMs, policy: this.policy, retryAfterMs, cost }
  }

  #allowed(slot: number, now: number): Allowed {
    let nearest = 0
    let least = Number.POSITIVE_INFINITY
    for (let index = 0; index < this.#meters.length; index += 1) {
      const remaining = this.#meterAt(index).remaining(slot, now)
      // Of equals the longer one, which takes longer to recover
      const isLonger = this.#limitAt(index).windowMs > this.#limitAt(nearest).windowMs
      if (remaining > least || (remaining === least && !isLonger)) continue
      nearest = index
      least = remaining
    }
    const resetMs = this.#meterAt(nearest).resetMs(slot, now)
    return { allowed: true, limit: this.#limitAt(nearest), remaining: least, resetMs, policy: this.policy }
  }

  #meterAt(index: number): Meter {
    const meter = this.#meters[index]
    assert(meter !== undefined, 'a limit has its meter')
    return meter
  }

  #limitAt(index: number): Limit {
    const limit = this.limits[index]
    assert(limit !== undefined, 'a meter has its limit')
    return limit
  }

  /** A clock that went back stands still here until it has caught up. */
  #notBefore(at: number): number {
    this.#lastMs = Math.max(this.#lastMs, at)
    return this.#lastMs
  }

  #slotOf(key: string, now: number): number {
    const own = this.#slots.get(key)
    if (own !== undefined) return own
    this.#dropIdle(this.size < this.#keysMax ? SWEEP : SWEEP_WHEN_FULL, now)
    const shared = this.#keysMax + (hash(key) % SHARED_SLOTS)
    if (this.size >= this.#keysMax) {
      this.#isShared = true
      return shared
    }
    const slot = this.#free.pop() ?? this.#keys.length
    this.#keys[slot] = key
    this.#slots.set(key, slot)
    // A slot that was freed is as if unused
    if (this.#isShared) for (const meter of this.#meters) meter.copy(shared, slot)
    return slot
  }

  /** Looks at the next slots in turn, so that a request never pays for more than a few. */
  #dropIdle(count: number, now: number): void {
    for (let looked = 0; looked < count; looked++) {
      if (this.#hand >= this.#keys.length) this.#hand = 0
      const slot = this.#hand++
      const key = this.#keys[slot]
      if (key === undefined || !this.#isIdle(slot, now)) continue
      this.#slots.delete(key)
      this.#keys[slot] = undefined
      this.#free.push(slot)
    }
  }

  #isIdle(slot: number, now: number): boolean {
    return this.#meters.every((meter) => meter.resetMs(slot, now) <= 0)
  }
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  return value >>> 0
}
