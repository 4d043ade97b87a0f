import { type FinishedRequest, STATUS_UNANSWERED } from './finished-request.ts'

/** Routes that are told apart; further ones count under the empty name, like paths that lead nowhere. */
export const ROUTES_MAX = 500
/** Codes of refusals that are told apart; further ones count as `other`. */
export const CODES_MAX = 200
const METHODS: readonly string[] = ['GET', 'POST', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'DELETE']
const OTHER = 'other'
/** Requests whose client left before the answer are a class of their own: neither success nor error. */
const UNANSWERED = 'unanswered'
const CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx', UNANSWERED] as const
const UNANSWERED_CLASS = CLASSES.indexOf(UNANSWERED)
const CLASS_5XX = CLASSES.indexOf('5xx')
/** Upper bounds of the buckets of durations. */
export const BUCKET_SECONDS: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10,
]

interface MethodCounts {
  readonly method: string
  readonly byClass: number[]
}

class RouteCounts {
  /** One for each method that came; nearly always a single one. */
  readonly methods: MethodCounts[] = []
  /** Each bucket by itself; the last one is of what exceeds every bound. */
  readonly buckets = new Float64Array(BUCKET_SECONDS.length + 1)
  seconds = 0
  /** Of an order operation: how often each outcome came. */
  readonly outcomes: Map<string, number> | undefined

  constructor(isOrder: boolean) {
    this.outcomes = isOrder ? new Map() : undefined
  }

  ofMethod(method: string): MethodCounts {
    for (const counts of this.methods) if (counts.method === method) return counts
    if (!METHODS.includes(method) && method !== OTHER) return this.ofMethod(OTHER)
    const counts = { method, byClass: CLASSES.map(() => 0) }
    this.methods.push(counts)
    return counts
  }
}

/** How many requests ended how, and how long they took, by route. Bounded, whatever is sent. */
export class RequestCounts {
  readonly #orderOperations: ReadonlySet<string>
  readonly #routes = new Map<string, RouteCounts>()
  readonly #refusals = new Map<string, number>()

  constructor(orderOperations: readonly string[]) {
    this.#orderOperations = new Set(orderOperations)
  }

  record({ route, method, status, code, durationMs }: FinishedRequest): void {
    const counts = this.#routes.get(route) ?? this.#newRoute(route)
    const { byClass } = counts.ofMethod(method)
    const isUnanswered = status === STATUS_UNANSWERED
    const index = isUnanswered ? UNANSWERED_CLASS : Math.min(CLASS_5XX, Math.max(0, Math.floor(status / 100) - 1))
    byClass[index] = (byClass[index] ?? 0) + 1
    if (counts.outcomes !== undefined)
      count(counts.outcomes, isUnanswered ? UNANSWERED : code === '' ? 'success' : code)
    if (isUnanswered) return
    const seconds = durationMs / 1000
    let bucket = 0
    while (seconds > (BUCKET_SECONDS[bucket] ?? Number.POSITIVE_INFINITY)) bucket += 1
    counts.buckets[bucket] = (counts.buckets[bucket] ?? 0) + 1
    counts.seconds += seconds
    if (code !== '') count(this.#refusals, code)
  }

  *requests(): Generator<readonly [{ route: string; method: string; status: string }, number]> {
    for (const [route, { methods }] of this.#routes) {
      for (const { method, byClass } of methods) {
        for (const [index, times] of byClass.entries())
          if (times > 0) yield [{ route, method, status: CLASSES[index] ?? '' }, times]
      }
    }
  }

  *refusals(): Generator<readonly [{ code: string }, number]> {
    for (const [code, times] of this.#refusals) yield [{ code }, times]
  }

  *orders(): Generator<readonly [{ operation: string; outcome: string }, number]> {
    for (const [operation, { outcomes }] of this.#routes)
      for (const [outcome, times] of outcomes ?? []) yield [{ operation, outcome }, times]
  }

  /** `buckets` count what lies up to each bound, and lastly all. */
  *durations(): Generator<{ route: string; buckets: readonly number[]; count: number; seconds: number }> {
    for (const [route, { buckets, seconds }] of this.#routes) {
      let below = 0
      const upTo = Array.from(buckets, (times) => {
        below += times
        return below
      })
      yield { route, buckets: upTo, count: below, seconds }
    }
  }

  #newRoute(wanted: string): RouteCounts {
    const route = this.#routes.size < ROUTES_MAX ? wanted : ''
    const known = this.#routes.get(route)
    if (known !== undefined) return known
    const counts = new RouteCounts(this.#orderOperations.has(route))
    this.#routes.set(route, counts)
    return counts
  }
}

function count(counts: Map<string, number>, code: string): void {
  const known = counts.get(code)
  if (known !== undefined) counts.set(code, known + 1)
  else if (counts.size < CODES_MAX) counts.set(code, 1)
  else counts.set(OTHER, (counts.get(OTHER) ?? 0) + 1)
}
