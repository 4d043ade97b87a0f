import type { Gauge, Registry } from 'prom-client'
import type { FinishedRequest } from './finished-request.ts'
import { BUCKET_SECONDS, RequestCounts } from './request-counts.ts'

/** A figure that is read when it is asked for. */
export interface Figure {
  readonly help: string
  readonly read: () => number
}

export interface MetricSources {
  /** Operations that send, change or cancel orders. */
  readonly orderOperations: readonly string[]
  /** What goes up and down, by name. */
  readonly gauges: Readonly<Record<string, Figure>>
  /** What only goes up, by name without `_total`. */
  readonly counters: Readonly<Record<string, Figure>>
}

/**
 * Figures for Prometheus. Requests are counted as they end, for next to nothing; everything else is put together when it
 * is asked for. No label ever holds a key, a symbol, an account or an address.
 */
export class Metrics {
  readonly #sources: MetricSources
  readonly #counts: RequestCounts
  #registry: Promise<Registry> | undefined

  constructor(sources: MetricSources) {
    this.#sources = sources
    this.#counts = new RequestCounts(sources.orderOperations)
  }

  record(finished: FinishedRequest): void {
    this.#counts.record(finished)
  }

  /** In the text format of Prometheus. */
  async text(): Promise<{ readonly contentType: string; readonly text: string }> {
    this.#registry ??= this.#makeRegistry()
    const registry = await this.#registry
    return { contentType: registry.contentType, text: await registry.metrics() }
  }

  /** Loaded when the first scrape comes: most instances are never asked. */
  async #makeRegistry(): Promise<Registry> {
    const prometheus = await import('prom-client')
    const registry = new prometheus.Registry()
    const registers = [registry]
    prometheus.collectDefaultMetrics({ register: registry })
    for (const [name, { help, read }] of Object.entries(this.#sources.gauges)) {
      new prometheus.Gauge({
        name: `sauda_${name}`,
        help,
        registers,
        collect(this: Gauge) {
          this.set(read())
        },
      })
    }
    const counter = (name: string, help: string, labelNames: string[], read: () => Iterable<Counted>) =>
      new prometheus.Counter({
        name: `sauda_${name}_total`,
        help,
        labelNames,
        registers,
        collect() {
          this.reset()
          for (const [labels, count] of read()) this.inc(labels, count)
        },
      })
    for (const [name, { help, read }] of Object.entries(this.#sources.counters))
      counter(name, help, [], () => [[{}, read()]])
    const counts = this.#counts
    counter(
      'http_requests',
      'Requests by the class of their answer; unanswered are those whose client left before it.',
      ['method', 'route', 'status'],
      () => counts.requests(),
    )
    counter('refusals', 'Requests refused, by the code in their answer.', ['code'], () => counts.refusals())
    counter(
      'order_requests',
      'Order operations by their outcome; unanswered are those whose client left before it.',
      ['operation', 'outcome'],
      () => counts.orders(),
    )

    /** The library's histograms count every value when it comes; these are counted already. */
    class Durations extends prometheus.Histogram<'route'> {
      async getForPromString() {
        const values = [...counts.durations()].flatMap(({ route, buckets, count, seconds }) => [
          ...buckets.map((value, index) => ({
            metricName: `${DURATIONS.name}_bucket`,
            labels: { route, le: BUCKET_SECONDS[index] ?? '+Inf' },
            value,
          })),
          { metricName: `${DURATIONS.name}_sum`, labels: { route }, value: seconds },
          { metricName: `${DURATIONS.name}_count`, labels: { route }, value: count },
        ])
        return { ...DURATIONS, type: 'histogram', values }
      }
    }
    new Durations({ ...DURATIONS, labelNames: ['route'], registers })
    return registry
  }
}

type Counted = readonly [labels: Record<string, string>, count: number]

const DURATIONS = {
  name: 'sauda_http_request_duration_seconds',
  help: 'Time from the arrival of a request until the last byte of its answer.',
}
