import type { IncomingHttpHeaders } from 'node:http'
import fastifyCors, { type FastifyCorsOptions } from '@fastify/cors'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { isApiPath } from '../visit.ts'

export interface CorsSettings {
  /** Empty: no page elsewhere may use the API. */
  readonly corsAllowedOrigins: readonly string[]
  readonly corsAllowCredentials: 'off' | 'on'
  readonly corsMaxAgeSeconds: number
}

const ALLOWED_HEADERS = [
  'Authorization',
  'Content-Type',
  'Idempotency-Key',
  'If-None-Match',
  'Last-Event-ID',
  'Traceparent',
  'X-Account',
  'X-API-KEY',
  'X-Request-Id',
]
const EXPOSED_HEADERS = [
  'Content-Disposition',
  'ETag',
  'Idempotent-Replayed',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'Server-Timing',
  'X-Request-Id',
]

/**
 * Lets pages of the listed origins use what is under `/api/`. Nobody else gets a header of CORS, so that browsers keep
 * answers from them.
 */
export function mountCors(app: FastifyInstance, settings: CorsSettings): void {
  if (settings.corsAllowedOrigins.length === 0) return
  const origins = new Set(settings.corsAllowedOrigins)
  const common: FastifyCorsOptions = {
    methods: ['GET', 'HEAD', 'POST'],
    allowedHeaders: ALLOWED_HEADERS,
    exposedHeaders: EXPOSED_HEADERS,
    credentials: settings.corsAllowCredentials === 'on',
    maxAge: settings.corsMaxAgeSeconds,
  }
  app.register(fastifyCors, {
    delegator: (request: FastifyRequest, answer: (error: Error | null, options?: FastifyCorsOptions) => void) => {
      const { origin } = request.headers
      const isAllowed = origin !== undefined && origins.has(origin) && isApiPath(request.url)
      const isPreflight = request.headers['access-control-request-method'] !== undefined
      answer(null, isAllowed ? { ...common, origin, preflight: isPreflight } : { origin: false })
    },
  })
}

/** Where requests that bear a session's cookie may come from. */
export interface OwnOrigins {
  /** Where browsers find Sauda; empty when only the `Host` of a request tells. */
  readonly publicUrl: string
  /** Origins elsewhere that may use sessions. */
  readonly trusted: readonly string[]
}

export function ownOrigins(settings: CorsSettings & { readonly publicUrl: string }): OwnOrigins {
  const { publicUrl, corsAllowedOrigins, corsAllowCredentials } = settings
  return { publicUrl, trusted: corsAllowCredentials === 'on' ? corsAllowedOrigins : [] }
}

/**
 * Whether a browser says that a request comes from a page elsewhere, so that its cookies must not count. Following a link
 * from elsewhere to a page is no such request.
 */
export function isForeignOrigin(headers: IncomingHttpHeaders, own: OwnOrigins): boolean {
  const { origin } = headers
  if (origin !== undefined && own.trusted.includes(origin)) return false
  // Pages can't forge it; old browsers, and those that came over plain http, don't send it.
  switch (headers['sec-fetch-site']) {
    case 'same-origin':
    case 'none':
      return false
    case undefined:
      return origin !== undefined && !isOwn(origin, headers.host, own.publicUrl)
    default:
      return origin !== undefined || !isNavigation(headers)
  }
}

function isOwn(origin: string, host: string | undefined, publicUrl: string): boolean {
  if (publicUrl !== '' && origin === publicUrl) return true
  const [plain, secure] = [`http://${host}`, `https://${host}`]
  // Who came by the public address must be of it, scheme and all; a proxy that ends TLS hides the scheme of any other
  if (host === undefined || publicUrl === plain || publicUrl === secure) return false
  return origin === plain || (publicUrl === '' && origin === secure)
}

/** A browser sends no `Origin` with a navigation that only reads. */
const isNavigation = (headers: IncomingHttpHeaders): boolean =>
  headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document'
