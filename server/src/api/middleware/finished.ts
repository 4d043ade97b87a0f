import type { FinishedRequest } from '../../monitor/finished-request.ts'
import type { Outcome } from '../pipeline.ts'
import type { Visit } from '../visit.ts'

/** What is kept of a request: nothing that could let somebody in. */
export function finishedOf(visit: Visit, { status, bytesIn, bytesOut }: Outcome): FinishedRequest {
  const { caller, headers } = visit
  return {
    at: visit.at,
    requestId: visit.id,
    traceId: visit.traceId,
    method: visit.method,
    route: visit.route,
    path: visit.path,
    status,
    code: visit.errorCode,
    bytesIn,
    bytesOut,
    durationMs: visit.steps.totalMs(),
    address: visit.address,
    userId: caller.userId ?? '',
    keyId: caller.keyId ?? '',
    userAgent: headers['user-agent'] ?? '',
    steps: visit.steps,
  }
}
