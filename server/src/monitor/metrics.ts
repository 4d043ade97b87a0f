import { timingSafeEqual } from 'node:crypto'
import type { Counter, Gauge, Registry } from 'prom-client'
import type { FinishedRequest } from './finished-request.ts'

/** Routes that are told apart; further ones count as one. */
export const ROUTES_MAX = 300
const CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const

export interface MetricSources {
  /** Figures that are read when they are asked for, by name. */
  readonly gauges: Readonly<Record<string, { readonly help: string; readonly read: () => number }>>
}

interface RouteCounts {
  readonly byClass: [number, number, number, number, number]
  durationSeconds: number
}

/**
 * Figures for Prometheus. Requests are counted as they end, for next to nothing; everything else is put together when it
 * is asked for. No label ever holds a key, a symbol, an account or an address.
 */
export class Metrics {
  readonly #sources: MetricSources
  readonly #routes = new Map<string, RouteCounts>()
  #made: Promise<Made> | undefined

  constructor(sources: MetricSources) {
    this.#sources = sources
  }

  record({ route, status, durationMs }: FinishedRequest): void {
    const name = this.#routes.has(route) || this.#routes.size < ROUTES_MAX ? route : ''
    let counts = this.#routes.get(name)
    if (counts === undefined) {
      counts = { byClass: [0, 0, 0, 0, 0], durationSeconds: 0 }
      this.#routes.set(name, counts)
    }
    const index = Math.min(4, Math.max(0, Math.floor(status / 100) - 1)) as 0 | 1 | 2 | 3 | 4
    counts.byClass[index] += 1
    counts.durationSeconds += durationMs / 1000
  }

  /** In the text format of Prometheus. */
  async text(): Promise<{ readonly contentType: string; readonly text: string }> {
    this.#made ??= this.#make()
    const { registry, requests, seconds } = await this.#made
    requests.reset()
    seconds.reset()
    for (const [route, { byClass, durationSeconds }] of this.#routes) {
      for (const [index, count] of byClass.entries()) {
        if (count > 0) requests.inc({ route, status: CLASSES[index] ?? '' }, count)
      }
      seconds.inc({ route }, durationSeconds)
    }
    return { contentType: registry.contentType, text: await registry.metrics() }
  }

  /** Loaded when the first scrape comes: most instances are never asked. */
  async #make(): Promise<Made> {
    const prometheus = await import('prom-client')
    const registry = new prometheus.Registry()
    prometheus.collectDefaultMetrics({ register: registry })
    const requests = new prometheus.Counter({
      name: 'sauda_http_requests_total',
      help: 'Requests answered, by route and class of status.',
      labelNames: ['route', 'status'],
      registers: [registry],
    })
    const seconds = new prometheus.Counter({
      name: 'sauda_http_request_seconds_total',
      help: 'Time until the last byte of answers, by route.',
      labelNames: ['route'],
      registers: [registry],
    })
    for (const [name, { help, read }] of Object.entries(this.#sources.gauges)) {
      new prometheus.Gauge({
        name: `sauda_${name}`,
        help,
        registers: [registry],
        collect(this: Gauge) {
          this.set(read())
        },
      })
    }
    return { registry, requests, seconds }
  }
}

interface Made {
  readonly registry: Registry
  readonly requests: Counter
  readonly seconds: Counter
}

/** Whether a bearer token is the right one, in a time that doesn't tell how near it came. */
export function isToken(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)]
  return one.length === other.length && timingSafeEqual(one, other)
}
