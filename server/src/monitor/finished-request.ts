import type { Steps } from '../kernel/steps.ts'

/**
 * Status of a request whose sender left, or was cut off for being too slow, before an answer began; other servers have the
 * same number for it. It is neither a success nor an error, and nobody waited for its end: its duration is no latency.
 */
export const STATUS_UNANSWERED = 499

/** One request, when its last byte had left. Nothing in it is secret: no query, no key, no cookie. */
export interface FinishedRequest {
  /** Instant of arrival. */
  readonly at: number
  readonly requestId: string
  /** Of the distributed trace that it belongs to; empty for none. */
  readonly traceId: string
  readonly method: string
  /** Name of the operation or pattern of the page; empty for a path that leads nowhere. */
  readonly route: string
  readonly path: string
  readonly status: number
  /** Code of the refusal; empty when there was none. */
  readonly code: string
  readonly bytesIn: number
  readonly bytesOut: number
  readonly durationMs: number
  readonly address: string
  /** Empty for nobody. */
  readonly userId: string
  readonly keyId: string
  readonly userAgent: string
  readonly steps: Steps
}
