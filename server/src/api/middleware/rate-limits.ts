import type { Clock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { ownerOf } from '../../kernel/networks.ts'
import { type NotAllowed, RATE_KEYS_MAX, RateLimiter, type Verdict } from '../../kernel/rate-limiter.ts'
import type { RateAlgorithm } from '../../kernel/rate-meter.ts'
import { type Rate, rateText } from '../../kernel/rates.ts'
import type { RateClass } from '../operation.ts'

export interface RateLimitSettings {
  readonly rateLimitAlgorithm: RateAlgorithm
  readonly addressRateLimit: readonly Rate[]
  readonly apiRateLimit: readonly Rate[]
  readonly heavyRateLimit: readonly Rate[]
  readonly orderRateLimit: readonly Rate[]
  readonly smartOrderRateLimit: readonly Rate[]
  readonly loginRateLimit: readonly Rate[]
  readonly resetRateLimit: readonly Rate[]
}

/** A budget of its own, that nothing else can use up: what stops a runaway program mustn't be stopped by it. */
const KILL_SWITCH_RATE: readonly Rate[] = [{ count: 20, windowMs: 1_000 }]

/** How often who may ask for what. */
export class RateLimits {
  readonly #address: RateLimiter
  readonly #smartOrder: RateLimiter
  readonly #classes: Readonly<Record<Exclude<RateClass, 'smart-order'>, RateLimiter>>
  readonly #smartOrderPolicy: string

  constructor(settings: RateLimitSettings, clock: Pick<Clock, 'elapsedMs'>, keysMax = RATE_KEYS_MAX) {
    const limiter = (name: string, rates: readonly Rate[]): RateLimiter =>
      new RateLimiter({ name, rates, algorithm: settings.rateLimitAlgorithm, clock, keysMax })
    this.#address = limiter('address', settings.addressRateLimit)
    this.#smartOrder = limiter('smart-order', settings.smartOrderRateLimit)
    this.#classes = {
      read: limiter('api', settings.apiRateLimit),
      heavy: limiter('heavy', settings.heavyRateLimit),
      order: limiter('order', settings.orderRateLimit),
      killswitch: limiter('killswitch', KILL_SWITCH_RATE),
      login: limiter('login', settings.loginRateLimit),
      reset: limiter('reset', settings.resetRateLimit),
    }
    this.#smartOrderPolicy = `${this.#classes.order.policy}, ${this.#smartOrder.policy}`
  }

  /** Any request, before anything is known but where it comes from. `at` is now, as of all here. */
  admitAddress(address: string, at?: number): Verdict {
    return this.#address.take(ownerOf(address), 1, 0, at)
  }

  /** What `admitAddress` would answer now; nothing is counted. */
  askAddress(address: string): Verdict {
    return this.#address.ask(ownerOf(address))
  }

  /**
   * `who` is the key's id or the user's of a session, or the client's address where nobody has to say who they are.
   * `cost` is how many orders it stands for, beyond those that were `paid` before; a smart order also draws on the budget
   * of all orders.
   */
  admit(rateClass: RateClass, who: string, cost = 1, paid = 0, at?: number): Verdict {
    const owner = ownerOf(who)
    return rateClass === 'smart-order'
      ? this.#admitSmartOrder(owner, cost, paid, at)
      : this.#classes[rateClass].take(owner, cost, paid, at)
  }

  #admitSmartOrder(owner: string, cost: number, paid: number, at: number | undefined): Verdict {
    const asked = this.#smartOrder.ask(owner, cost, paid, at)
    const ofOrders = asked.allowed ? this.#classes.order.take(owner, cost, paid, at) : asked
    const ofSmart = ofOrders.allowed ? this.#smartOrder.take(owner, cost, paid, at) : ofOrders
    const nearest = ofSmart.remaining < ofOrders.remaining ? ofSmart : ofOrders
    return { ...nearest, policy: this.#smartOrderPolicy }
  }
}

export type RateLimitHeaders = { readonly 'ratelimit-policy': string; readonly ratelimit: string }

/** As in draft-ietf-httpapi-ratelimit-headers, with the limit that comes to its end first. */
export function rateLimitHeaders({ limit, remaining, resetMs, policy }: Verdict): RateLimitHeaders {
  return {
    'ratelimit-policy': policy,
    ratelimit: `"${limit.name}";r=${remaining};t=${wholeSeconds(resetMs)}`,
  }
}

/** Rounded up, but not for the sake of a millisecond's millionth that arithmetic left over. */
const wholeSeconds = (ms: number): number => Math.max(0, Math.ceil(ms / 1000 - 1e-9))

/** What to answer when a limit says no; its `retry_after`, in whole seconds, becomes the header `Retry-After` too. */
export function rateLimitRefusal({ limit, retryAfterMs, cost }: NotAllowed): Refusal {
  const seconds = Math.max(1, wholeSeconds(retryAfterMs))
  const counted = cost === 1 ? 'Too many requests' : `Too many requests for one that counts as ${cost}`
  return new Refusal(
    'rate_limited',
    `${counted}: the limit "${limit.name}" lets ${rateText(limit)} through. Try again in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}.`,
    { extra: { retry_after: seconds } },
  )
}
