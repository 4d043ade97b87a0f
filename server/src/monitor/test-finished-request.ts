import { Steps } from '../kernel/steps.ts'
import type { FinishedRequest } from './finished-request.ts'

/** A request that went well, but for what is said of it. */
export const finishedRequest = (more: Partial<FinishedRequest> = {}): FinishedRequest => ({
  at: 1_790_000_040_000,
  requestId: 'req-0123456789',
  traceId: '',
  method: 'POST',
  route: 'placeorder',
  path: '/api/v1/placeorder',
  status: 200,
  code: '',
  bytesIn: 210,
  bytesOut: 320,
  durationMs: 1.23456,
  address: '127.0.0.1',
  userId: 'usr_abcdefghij',
  keyId: 'key_abcdefghij',
  userAgent: 'curl/8',
  steps: new Steps(() => 0),
  ...more,
})
