import type { Clock } from '../kernel/clock.ts'
import { type FieldError, Refusal } from '../kernel/errors.ts'
import type { Intent } from '../trading/flow/intent.ts'
import { errorReply, inputRefusal, replyBody } from './errors.ts'
import { FieldProblem } from './field-type.ts'
import { JsonText } from './json-text.ts'
import { CLIENT_ORDER_ID } from './middleware/idempotency.ts'
import { objectDecoder } from './nested-fields.ts'
import type { AnyOperation } from './operation.ts'
import type { OperationOutcome, Pipeline } from './pipeline.ts'
import type { Services } from './services.ts'
import type { Visit } from './visit.ts'

export interface EndpointOptions {
  readonly services: Services
  readonly pipeline: Pipeline
  readonly clock: Pick<Clock, 'now'>
}

/**
 * What an operation does with a request, whatever brought it here: the pipeline's steps before the fields → fields →
 * rules between fields → its steps before the handler → handler. Gets the fields as a JSON object and returns the body of
 * the 200 answer, or throws what `errors.ts` answers.
 */
export type Endpoint = (source: object, visit: Visit) => unknown

export function endpointOf(operation: AnyOperation, options: EndpointOptions): Endpoint {
  const { services, clock, pipeline } = options
  const { beforeFields, onlyOnce, beforeHandler, afterHandler } = pipeline
  const check = operation.check?.bind(operation)
  const standing = standingFields(operation)
  const takesOthers = operation.others !== undefined
  const writesIntent = operation.writesIntent === true
  const decode = objectDecoder(operation.input, { ignored: operation.ignored ?? {}, check, takesOthers }, standing)
  const named = new Set([...Object.keys(operation.input), ...standing])

  const run = (source: object, visit: Visit): unknown => {
    const warnings: FieldError[] = []
    const input = decode(source, warnings)
    if (input instanceof FieldProblem) throw inputRefusal(input.errors, visit.apiKey)
    refuseKeyInFields(source, visit.apiKey)
    visit.steps.lap('validate')
    const answer = onlyOnce?.(visit, operation, source, () => act(input, source, visit)) ?? act(input, source, visit)
    return warnings.length === 0 ? answer : addWarnings(answer, warnings)
  }

  const act = (input: DecodedInput, source: object, visit: Visit): unknown => {
    for (const step of beforeHandler) {
      const instead = step(visit, operation, input, source)
      if (instead !== undefined) return instead
    }
    const { intent } = visit
    if (intent === undefined || intent.work !== undefined || writesIntent) return handle(input, source, visit)
    return handleBegun(intent, input, source, visit)
  }

  const handleBegun = async (intent: Intent, input: DecodedInput, source: object, visit: Visit): Promise<unknown> => {
    await intent.begin({})
    return await handle(input, source, visit)
  }

  const handle = (input: DecodedInput, source: object, visit: Visit): unknown => {
    const { caller } = visit
    const context = { caller, account: caller.account, visit, now: clock.now(), services }
    return operation.handle(input, takesOthers ? { ...context, others: othersOf(source, named) } : context)
  }

  const tellOutcome = (source: object, visit: Visit, outcome: OperationOutcome): void => {
    for (const step of afterHandler) step(visit, operation, source, outcome)
  }
  const failed = (source: object, visit: Visit, error: unknown): void => {
    const reply = errorReply(error, visit.id, operation.refusalStatus)
    tellOutcome(source, visit, { status: reply.status, code: reply.code, body: replyBody(reply, visit.id) })
  }

  return (source, visit) => {
    if (!visit.isPage) visit.route = operation.name
    for (const step of beforeFields) step(visit, operation, source)
    if (afterHandler.length === 0) return run(source, visit)
    try {
      const answer = run(source, visit)
      if (!(answer instanceof Promise)) {
        tellOutcome(source, visit, { status: 200, code: '', body: answer })
        return answer
      }
      return answer.then(
        (body: unknown) => {
          tellOutcome(source, visit, { status: 200, code: '', body })
          return body
        },
        (error: unknown) => {
          failed(source, visit, error)
          throw error
        },
      )
    } catch (error) {
      failed(source, visit, error)
      throw error
    }
  }
}

type DecodedInput = Parameters<AnyOperation['handle']>[0]

/** Fields that every such operation takes, and that aren't its own. */
const standingFields = (operation: AnyOperation): readonly string[] =>
  operation.access === 'trade' ? ['apikey', CLIENT_ORDER_ID] : ['apikey']

const othersOf = (source: object, named: ReadonlySet<string>): ReadonlyMap<string, unknown> =>
  new Map(Object.entries(source).filter(([name]) => !named.has(name)))

/** The fields of a parsed body. Throws not_an_object. */
export function fieldsOf(body: unknown): object {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body
  const kind = body === null ? 'null' : Array.isArray(body) ? 'a list' : `a ${typeof body}`
  throw new Refusal('not_an_object', `The request body must be a JSON object, but it is ${kind}.`)
}

/** The key in a tag or an id would be stored and shown again. */
function refuseKeyInFields(source: object, key: string): void {
  if (key === '') return
  let leaks: FieldError[] | undefined
  for (const field in source) {
    const value: unknown = source[field as keyof typeof source]
    if (typeof value !== 'string' || value.length < key.length || field === 'apikey' || !value.includes(key)) continue
    leaks ??= []
    leaks.push({ field, message: 'Must not contain the API key.' })
  }
  if (leaks !== undefined) throw inputRefusal(leaks, key)
}

async function addWarnings(answer: unknown, warnings: readonly FieldError[]): Promise<unknown> {
  const body = await answer
  if (body instanceof JsonText) return body.withWarnings(warnings)
  return typeof body === 'object' && body !== null ? { ...body, warnings } : body
}
