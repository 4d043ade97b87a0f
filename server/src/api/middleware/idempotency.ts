import { Refusal } from '../../kernel/errors.ts'
import type { AnyOperation } from '../operation.ts'
import type { Visit } from '../visit.ts'

/** Ignoring the header would let a repeated order trade twice under a promise that it can't. */
export function refuseIdempotencyKey(visit: Visit, operation: AnyOperation): void {
  if (operation.access !== 'trade' || visit.headers['idempotency-key'] === undefined) return
  throw new Refusal(
    'not_implemented',
    'Idempotency-Key is not supported yet, and ignoring it could trade twice: send the request without it.',
  )
}
