import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Health } from '../monitor/health.ts'
import { isToken, type Metrics } from '../monitor/metrics.ts'

export interface ProbeOptions {
  readonly health: Health
  readonly metrics: Metrics
  /** Empty: only this machine may read the metrics. */
  readonly metricsToken: string
}

const LOOPBACK = /^(?:127\.\d+\.\d+\.\d+|::1)$/

/** What machines ask to watch over this one: alive, ready, figures. Outside `/api/`, without a key. */
export function mountProbes(app: FastifyInstance, { health, metrics, metricsToken }: ProbeOptions): void {
  app.get('/healthz', (_request, reply) => {
    answer(reply, 200, { status: 'alive' })
  })
  app.get('/readyz', (_request, reply) => {
    const reasons = health.notReady()
    if (reasons.length === 0) answer(reply, 200, { status: 'ready' })
    else answer(reply, 503, { reasons, status: 'not ready' })
  })
  app.get('/metrics', async (request, reply) => {
    const given = request.headers.authorization?.replace(/^bearer /i, '') ?? ''
    const isAllowed = metricsToken === '' ? LOOPBACK.test(request.visit?.address ?? '') : isToken(given, metricsToken)
    if (!isAllowed) {
      const how =
        metricsToken === ''
          ? 'only from this machine, unless METRICS_TOKEN is set'
          : 'with the bearer token of METRICS_TOKEN'
      return answer(reply, metricsToken === '' ? 403 : 401, { message: `Metrics are read ${how}.`, status: 'error' })
    }
    const { contentType, text } = await metrics.text()
    return reply.header('cache-control', 'no-store').type(contentType).send(text)
  })
}

function answer(reply: FastifyReply, status: number, body: object): FastifyReply {
  return reply
    .code(status)
    .header('cache-control', 'no-store')
    .type('application/json; charset=utf-8')
    .send(JSON.stringify(body))
}
