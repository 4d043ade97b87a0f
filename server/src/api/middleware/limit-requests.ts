import type { Verdict } from '../../kernel/rate-limiter.ts'
import type { AnyOperation } from '../operation.ts'
import type { Services } from '../services.ts'
import type { Visit } from '../visit.ts'
import { type RateLimits, rateLimitHeaders, rateLimitRefusal } from './rate-limits.ts'

/** Any request, before anything of it is read. */
export const limitAddress =
  (limits: RateLimits) =>
  (visit: Visit): void =>
    admit(visit, limits.admitAddress(visit.address, visit.steps.startedAtMs))

/** A request of a class, by whoever it turned out to be. */
export const limitCaller =
  (limits: RateLimits) =>
  (visit: Visit, operation: AnyOperation): void =>
    admit(visit, limits.admit(operation.rateClass, payerOf(visit, operation), 1, 0, visit.steps.lastMs))

/** What a request costs beyond the one order that it was counted as. */
export const limitOrders =
  (limits: RateLimits, services: () => Services) =>
  (visit: Visit, operation: AnyOperation, input: object): undefined => {
    if (operation.cost === undefined) return
    const { caller } = visit
    const cost = operation.cost(input as never, { caller, account: caller.account, services: services() })
    if (cost > 1)
      admit(visit, limits.admit(operation.rateClass, payerOf(visit, operation), cost - 1, 1, visit.steps.lastMs))
  }

/**
 * Whose budget it is: each key and each user has its own, and nobody shares that of their address, but that somebody
 * is signed in earns them no further attempts to sign in.
 */
const payerOf = ({ caller, address }: Visit, { rateClass }: AnyOperation): string =>
  rateClass === 'login' || rateClass === 'reset' ? address : (caller.keyId ?? caller.userId ?? address)

/**
 * Puts into the answer what is left of the limit that was asked last; of what was answered before any was, such as a
 * preflight or a banned address, what the address has left.
 */
export const tellLimits =
  (limits: RateLimits) =>
  (visit: Visit): void => {
    if (visit.limit === undefined && visit.isPage) return
    const told = rateLimitHeaders(visit.limit ?? limits.askAddress(visit.address))
    visit.answerHeaders['ratelimit-policy'] = told['ratelimit-policy']
    visit.answerHeaders['ratelimit'] = told.ratelimit
  }

function admit(visit: Visit, verdict: Verdict): void {
  visit.limit = verdict
  if (!verdict.allowed) throw rateLimitRefusal(verdict)
}
