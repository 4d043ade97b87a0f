import { ApiError, type ErrorCode, type FieldError } from './error.ts'
import type { GetOperationName, InputOf, MethodName, OperationName, OutputOf } from './operations.ts'

/** Time for one request unless the caller says otherwise. */
export const TIMEOUT_MS = 30_000

export interface ClientOptions {
  /** Where the server is, such as `http://127.0.0.1:5000`. */
  readonly host: string
  readonly apiKey: string
  readonly timeoutMs?: number
  /** Replaces the platform's own `fetch`. */
  readonly fetch?: typeof globalThis.fetch
}

export interface CallOptions {
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  /** Names an order-writing request: sent again within a day, it does nothing and is answered as the first time. */
  readonly idempotencyKey?: string
}

// An operation whose fields are all optional may be called without an input.
type Arguments<Name extends OperationName> =
  Record<never, never> extends InputOf<Name>
    ? [input?: InputOf<Name>, options?: CallOptions]
    : [input: InputOf<Name>, options?: CallOptions]

export type Client = {
  /** Calls an operation by its path below `/api/v1/`. Throws ApiError, or the reason of an aborted signal. */
  call<Name extends OperationName>(name: Name, ...rest: Arguments<Name>): Promise<OutputOf<Name>>
} & {
  readonly [Name in OperationName as MethodName<Name>]: (...rest: Arguments<Name>) => Promise<OutputOf<Name>>
}

/** Operations that are read with GET. The compiler asks for a line here when the server gets one. */
const GET_OPERATIONS: { readonly [Name in GetOperationName]: true } = {
  accounts: true,
  approvals: true,
  audit: true,
  'audit/verify': true,
  'auth/sessions': true,
  'auth/status': true,
  bans: true,
  chart: true,
  health: true,
  'history/coverage': true,
  'history/jobs': true,
  instruments: true,
  'instruments/loads': true,
  keys: true,
  latency: true,
  'latency/orders': true,
  'logs/orders': true,
  'logs/orders/export': true,
  'market/overrides': true,
  'orderevents/stream': true,
  'ticker/:symbol': true,
  traffic: true,
  'traffic/export': true,
  'traffic/stats': true,
  users: true,
}

/** A client of one server with one key: `client.quotes({ symbol: 'SBIN', exchange: 'NSE' })`. */
export function createClient(options: ClientOptions): Client {
  const send = sender(options)
  const call = (name: string, input: object = {}, callOptions: CallOptions = {}): Promise<unknown> =>
    send(name, input, callOptions)
  const methods = new Map<string, unknown>([['call', call]])
  return new Proxy(
    {},
    {
      get(_target, property) {
        // `then` would make the client look like a promise to `await`.
        if (typeof property !== 'string' || property === 'then') return undefined
        let method = methods.get(property)
        if (method === undefined) {
          const name = operationName(property)
          method = (input?: object, callOptions?: CallOptions) => call(name, input, callOptions)
          methods.set(property, method)
        }
        return method
      },
    },
  ) as Client
}

/** Operations with a field in their path, by the path without the colon that marks it. */
const PATH_FIELDS = new Map(
  Object.keys(GET_OPERATIONS).flatMap((name) => (name.includes(':') ? [[name.replace(':', ''), name]] : [])),
)

/** The inverse of MethodName: operations are lower case, so a capital is where a `/` was. */
function operationName(method: string): string {
  const path = method.replace(/[A-Z]/g, (letter) => `/${letter.toLowerCase()}`)
  return PATH_FIELDS.get(path) ?? path
}

/** Address of a GET: a field that the path names goes there, all others into the query. */
function addressOf(name: string, input: object): string {
  const fields = new Map(Object.entries(input))
  const path = name.replace(/:(\w+)/g, (_match, field: string) => {
    const value = String(fields.get(field) ?? '')
    fields.delete(field)
    return encodeURIComponent(value)
  })
  return `${path}?${queryText(Object.fromEntries(fields))}`
}

function sender(options: ClientOptions) {
  const base = `${options.host.replace(/\/+$/, '')}/api/v1/`
  const request = options.fetch ?? globalThis.fetch
  return async (name: string, input: object, call: CallOptions): Promise<unknown> => {
    const timeoutMs = call.timeoutMs ?? options.timeoutMs ?? TIMEOUT_MS
    const timeout = AbortSignal.timeout(timeoutMs)
    const signal = call.signal === undefined ? timeout : AbortSignal.any([call.signal, timeout])
    const headers: Record<string, string> = { 'content-type': 'application/json', 'x-api-key': options.apiKey }
    if (call.idempotencyKey !== undefined) headers['idempotency-key'] = call.idempotencyKey
    try {
      const answer = Object.hasOwn(GET_OPERATIONS, name)
        ? await request(base + addressOf(name, input), { method: 'GET', headers, signal })
        : await request(base + name, { method: 'POST', headers, body: JSON.stringify(input), signal })
      return readAnswer(answer, await answer.text())
    } catch (error) {
      if (error instanceof ApiError) throw error
      if (timeout.aborted) {
        throw new ApiError('timed_out', `${name} got no answer within ${timeoutMs} ms.`, { cause: error })
      }
      if (call.signal?.aborted === true) throw error
      throw new ApiError('connection_failed', `${name} could not reach ${options.host}.`, { cause: error })
    }
  }
}

function queryText(input: object): string {
  const pairs = Object.entries(input).filter(([, value]) => value !== undefined && value !== null)
  return new URLSearchParams(pairs.map(([name, value]) => [name, String(value)])).toString()
}

function readAnswer(answer: Response, text: string): unknown {
  const { status } = answer
  const requestId = answer.headers.get('x-request-id') ?? undefined
  if (answer.ok && answer.headers.get('content-disposition')?.startsWith('attachment') === true) return text
  const body = objectFrom(text)
  if (body === undefined) {
    const message = `The answer (status ${status}) is not a JSON object; is a Sauda server at this address?`
    throw new ApiError('unreadable_answer', message, { status, requestId })
  }
  const { code, errors, message, status: outcome } = body
  if (answer.ok && outcome !== 'error') return body
  throw new ApiError(
    typeof code === 'string' ? (code as ErrorCode) : 'unreadable_answer',
    typeof message === 'string' ? message : `The request failed with status ${status}.`,
    { status, requestId, errors: Array.isArray(errors) ? (errors as readonly FieldError[]) : [], body },
  )
}

function objectFrom(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined // not JSON: the caller says so, with the status
  }
}
