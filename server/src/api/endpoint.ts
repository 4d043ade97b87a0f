import type { IncomingHttpHeaders } from 'node:http'
import type { Clock } from '../kernel/clock.ts'
import { type FieldError, Refusal } from '../kernel/errors.ts'
import { inputRefusal } from './errors.ts'
import { FieldProblem } from './field-type.ts'
import { identify, type KeyCheck, keyOf, requireScope } from './middleware/authenticate.ts'
import { objectDecoder } from './nested-fields.ts'
import type { AnyOperation } from './operation.ts'
import type { Services } from './services.ts'

export interface EndpointOptions {
  readonly keys: KeyCheck
  readonly clock: Pick<Clock, 'now'>
}

/**
 * What an operation does with a request, whatever brought it here: key → scope → fields → rules between fields →
 * handler. Gets the fields as a JSON object and returns the body of the 200 answer, or throws what `errors.ts` answers.
 */
export type Endpoint = (source: object, headers: IncomingHttpHeaders, requestId: string) => unknown

export function endpointOf(operation: AnyOperation, services: Services, options: EndpointOptions): Endpoint {
  const { keys, clock } = options
  const { scope: needed } = operation
  const check = operation.check?.bind(operation)
  const decode = objectDecoder(operation.input, { ignored: operation.ignored ?? {}, check }, ['apikey'])
  return (source, headers, requestId) => {
    const key = keyOf(source, headers)
    const identity = identify(keys, key)
    requireScope(identity, needed)
    if (needed === 'trade') refuseIdempotencyKey(headers)
    const warnings: FieldError[] = []
    const input = decode(source, warnings)
    if (input instanceof FieldProblem) throw inputRefusal(input.errors, key)
    refuseKeyInFields(source, key)
    const { account, keyId } = identity
    const answer = operation.handle(input, { account, keyId, requestId, now: clock.now(), services })
    return warnings.length === 0 ? answer : addWarnings(answer, warnings)
  }
}

/** The fields of a parsed body. Throws not_an_object. */
export function fieldsOf(body: unknown): object {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body
  const kind = body === null ? 'null' : Array.isArray(body) ? 'a list' : `a ${typeof body}`
  throw new Refusal('not_an_object', `The request body must be a JSON object, but it is ${kind}.`)
}

/** The key in a tag or an id would be stored and shown again. */
function refuseKeyInFields(source: object, key: string): void {
  let leaks: FieldError[] | undefined
  for (const [field, value] of Object.entries(source)) {
    if (typeof value !== 'string' || value.length < key.length || field === 'apikey' || !value.includes(key)) continue
    leaks ??= []
    leaks.push({ field, message: 'Must not contain the API key.' })
  }
  if (leaks !== undefined) throw inputRefusal(leaks, key)
}

/** Ignoring the header would let a repeated order trade twice under a promise that it can't. */
function refuseIdempotencyKey(headers: IncomingHttpHeaders): void {
  if (headers['idempotency-key'] === undefined) return
  throw new Refusal(
    'not_implemented',
    'Idempotency-Key is not supported yet, and ignoring it could trade twice: send the request without it.',
  )
}

async function addWarnings(answer: unknown, warnings: readonly FieldError[]): Promise<unknown> {
  const body = await answer
  return typeof body === 'object' && body !== null ? { ...body, warnings } : body
}
