import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Health } from '../monitor/health.ts'
import type { Metrics } from '../monitor/metrics.ts'
import { READING, refuseOtherMethods } from './other-methods.ts'

export interface ProbeOptions {
  readonly health: Pick<Health, 'notReady'>
  readonly metrics: Pick<Metrics, 'text'>
  /** Empty: only this machine may read the metrics. */
  readonly metricsToken: string
}

const LOOPBACK = /^(?:(?:::ffff:)?127\.\d+\.\d+\.\d+|::1)$/
/** Who sends one of these passes on a request of somebody else, perhaps without being a trusted proxy. */
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'] as const

/** What machines ask to watch over this one: alive, ready, figures. Outside `/api/`, without a key. */
export function mountProbes(app: FastifyInstance, { health, metrics, metricsToken }: ProbeOptions): void {
  for (const path of ['/healthz', '/readyz', '/metrics']) refuseOtherMethods(app, path, READING)
  app.get('/healthz', (_request, reply) => {
    answer(reply, 200, { status: 'alive' })
  })
  app.get('/readyz', (_request, reply) => {
    const reasons = health.notReady()
    if (reasons.length === 0) answer(reply, 200, { status: 'ready' })
    else answer(reply, 503, { reasons, status: 'not ready' })
  })
  app.get('/metrics', async (request, reply) => {
    if (metricsToken === '' && !isFromHere(request)) {
      return refuse(request, reply, 403, {
        code: 'metrics_local',
        message: 'Metrics are read only from this machine, unless METRICS_TOKEN is set.',
      })
    }
    if (metricsToken !== '' && !isToken(bearerOf(request), metricsToken)) {
      return refuse(request, reply.header('www-authenticate', 'Bearer realm="Sauda metrics"'), 401, {
        code: 'metrics_token_wrong',
        message: 'Metrics are read with the bearer token of METRICS_TOKEN.',
      })
    }
    const { contentType, text } = await metrics.text()
    return reply.header('cache-control', 'no-store').type(contentType).send(text)
  })
}

/** Not through a proxy on this machine either: that would be anybody. */
function isFromHere({ visit, headers }: FastifyRequest): boolean {
  return LOOPBACK.test(visit?.address ?? '') && FORWARDED.every((name) => headers[name] === undefined)
}

const bearerOf = ({ headers }: FastifyRequest): string => /^bearer (.+)$/i.exec(headers.authorization ?? '')?.[1] ?? ''

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Takes a time that doesn't tell how near the token came. */
const isToken = (given: string, expected: string): boolean => timingSafeEqual(digest(given), digest(expected))

/** In the form that errors of the API have, whatever `Accept` says. */
function refuse(
  { id, visit }: FastifyRequest,
  reply: FastifyReply,
  status: number,
  { code, message }: { readonly code: string; readonly message: string },
): FastifyReply {
  if (visit !== undefined) visit.errorCode = code
  return answer(reply, status, { code, message, request_id: id, status: 'error' })
}

function answer(reply: FastifyReply, status: number, body: object): FastifyReply {
  return reply
    .code(status)
    .header('cache-control', 'no-store')
    .type('application/json; charset=utf-8')
    .send(JSON.stringify(body))
}
