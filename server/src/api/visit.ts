import type { IncomingHttpHeaders } from 'node:http'
import { type Caller, NOBODY } from '../identity/caller.ts'
import type { Verdict } from '../kernel/rate-limiter.ts'
import { Steps } from '../kernel/steps.ts'
import { parseTraceparent } from '../kernel/trace-context.ts'
import type { Intent } from '../trading/flow/intent.ts'

/** Also of what is no path, such as `*`: no browser asks for it. */
export const isApiPath = (url: string): boolean => url.startsWith('/api/') || url === '/api' || !url.startsWith('/')

const traceIdOf = (header: string | string[] | undefined): string =>
  typeof header === 'string' ? (parseTraceparent(header)?.traceId ?? '') : ''

export interface Arrival {
  readonly id: string
  /** Instant of arrival. */
  readonly at: number
  readonly elapsedMs: () => number
  readonly method: string
  /** As it was sent, with the query. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  /** Of the client, behind trusted proxies too. */
  readonly address: string
}

/** One request on its way through the layer: what came, from where, who sent it, and what becomes of it. */
export class Visit {
  readonly id: string
  readonly at: number
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly address: string
  readonly steps: Steps
  /** Name of the operation or pattern of the page; empty while unknown. */
  route = ''
  caller: Caller = NOBODY
  /** The key's text as it was sent, to keep it out of whatever is written of this request; empty without one. */
  apiKey = ''
  /** Stable code of the refusal that was answered; empty when there was none. */
  errorCode = ''
  /** What its client named it for, so that asking again doesn't do it again; undefined without a name. */
  intent: Intent | undefined
  /** Of the order that it was about, for the latency of orders; empty without one. */
  orderId = ''
  symbol = ''
  /** Called when the answer has been sent or the client has left; undefined when nobody wants to know. */
  onClosed: (() => void) | undefined
  /** What the rate limit that was asked last said. */
  limit: Verdict | undefined
  /** To be sent with the answer, whatever it becomes. Names in lower case. */
  readonly answerHeaders: Record<string, string | string[]> = {}

  #traceId: string | undefined

  constructor(arrival: Arrival) {
    this.id = arrival.id
    this.at = arrival.at
    this.method = arrival.method
    this.url = arrival.url
    this.headers = arrival.headers
    this.address = arrival.address
    this.steps = new Steps(arrival.elapsedMs, arrival.id)
  }

  /** Whether a person asked for a page, rather than a program for an operation. */
  get isPage(): boolean {
    return !isApiPath(this.url)
  }

  /** Of the distributed trace that its header `traceparent` says it belongs to; empty for none. */
  get traceId(): string {
    this.#traceId ??= traceIdOf(this.headers['traceparent'])
    return this.#traceId
  }

  /** The path without its query. */
  get path(): string {
    const end = this.url.indexOf('?')
    return end < 0 ? this.url : this.url.slice(0, end)
  }
}
