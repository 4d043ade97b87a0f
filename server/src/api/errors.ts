import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { type FieldError, Refusal, type RefusalCode } from '../kernel/errors.ts'
import { scrubText } from '../kernel/scrub.ts'
import { isApiPath, type Visit } from './visit.ts'

/**
 * The one place where what went wrong becomes wire format: JSON under `/api/` and for who prefers it, a page for people
 * elsewhere.
 */

/** Codes of failures that no handler decides: the transport's, and bugs. */
export type WireCode = RefusalCode | 'request_timeout' | 'headers_too_large' | 'internal_error'

export const STATUS_OF: Readonly<Record<WireCode, number>> = {
  validation_failed: 400,
  malformed_json: 400,
  malformed_request: 400,
  not_an_object: 400,
  api_key_conflict: 400,
  api_key_in_query: 400,
  csrf_failed: 403,
  api_key_expired: 403,
  user_disabled: 403,
  address_not_allowed: 403,
  address_banned: 403,
  cross_origin: 403,
  session_missing: 401,
  already_set_up: 409,
  not_set_up: 409,
  login_failed: 401,
  login_locked: 429,
  reauthentication_required: 403,
  link_invalid: 403,
  totp_invalid: 400,
  totp_exists: 409,
  totp_missing: 409,
  last_admin: 409,
  key_exists: 409,
  account_not_found: 404,
  rate_limited: 429,
  semi_auto: 403,
  approval_decided: 409,
  role_missing: 403,
  session_required: 403,
  symbol_not_found: 400,
  expiry_missing: 400,
  option_not_found: 404,
  offset_out_of_range: 400,
  contract_expired: 400,
  price_above_maximum: 400,
  range_too_long: 400,
  order_rejected: 400,
  order_not_open: 400,
  order_unchangeable: 400,
  gtt_not_found: 404,
  gtt_unchangeable: 400,
  too_many_orders: 400,
  risk_unavailable: 503,
  risk_changed: 409,
  risk_halted: 403,
  risk_reduce_only: 403,
  risk_unprotected: 400,
  risk_address_unbound: 403,
  risk_order_value: 400,
  risk_order_quantity: 400,
  risk_open_orders: 400,
  risk_orders_per_second: 429,
  risk_segment_orders_per_second: 429,
  risk_orders_per_day: 400,
  risk_position_quantity: 400,
  risk_gross_exposure: 400,
  risk_net_exposure: 400,
  risk_daily_loss: 400,
  risk_price_distance_percent: 400,
  risk_market_protection_percent: 400,
  risk_quote_age_ms: 400,
  risk_exchanges: 400,
  risk_products: 400,
  risk_symbols: 400,
  risk_trading_windows: 400,
  events_gone: 410,
  too_many_readers: 429,
  api_key_missing: 401,
  api_key_invalid: 403,
  scope_missing: 403,
  not_found: 404,
  no_live_venue: 409,
  no_data: 404,
  calendar_unknown: 404,
  store_damaged: 500,
  store_unwritable: 503,
  job_not_found: 404,
  job_over: 409,
  too_many_jobs: 429,
  file_not_found: 404,
  file_unreadable: 400,
  order_not_found: 404,
  idempotency_key_reused: 422,
  request_running: 409,
  method_not_allowed: 405,
  request_timeout: 408,
  body_too_large: 413,
  unsupported_media_type: 415,
  headers_too_large: 431,
  internal_error: 500,
  not_implemented: 501,
  quote_unavailable: 503,
  source_slow: 504,
  source_down: 502,
  not_subscribed: 502,
  too_many_preferences: 400,
  venue_unavailable: 503,
  account_stopped: 503,
  overloaded: 503,
  shutting_down: 503,
}

/** Refusals that every operation may answer with, whatever it does. */
export const COMMON_CODES: readonly WireCode[] = [
  'validation_failed',
  'malformed_json',
  'not_an_object',
  'api_key_conflict',
  'api_key_missing',
  'api_key_invalid',
  'api_key_expired',
  'user_disabled',
  'address_not_allowed',
  'address_banned',
  'rate_limited',
  'scope_missing',
  'role_missing',
  'method_not_allowed',
  'body_too_large',
  'unsupported_media_type',
  'internal_error',
  'shutting_down',
]

declare module 'fastify' {
  interface FastifyRequest {
    /** Absent for what isn't even a request. */
    visit?: Visit
  }
  interface FastifyInstance {
    showError: ShowError
  }
}

export type StatusOverrides = { readonly [Code in RefusalCode]?: number }

export interface ErrorReply {
  readonly status: number
  readonly code: WireCode
  readonly message: string
  readonly errors: readonly FieldError[] | undefined
  readonly extra: Readonly<Record<string, unknown>>
}

const RETRY_AFTER_SECONDS: { readonly [Code in WireCode]?: number } = {
  overloaded: 1,
  source_slow: 2,
  source_down: 2,
  request_running: 1,
  shutting_down: 5,
}

/** What to answer for anything thrown. Only a Refusal's own words reach the client. */
export function errorReply(
  error: unknown,
  requestId: string,
  overrides: StatusOverrides = {},
  bodyBytesMax?: number,
): ErrorReply {
  if (error instanceof Refusal) {
    const { code, extra } = error
    // What a message repeats, such as a path or an origin, may hold a key that was meant for another place
    const message = scrubText(error.message)
    const errors = error.errors?.map((one) => ({ field: scrubText(one.field), message: scrubText(one.message) }))
    return { status: overrides[code] ?? STATUS_OF[code], code, message, errors, extra }
  }
  const [code, message] = transportFailure(error, bodyBytesMax) ?? [
    'internal_error',
    `Something went wrong inside the server. The log has the details under request id ${requestId}.`,
  ]
  return { status: STATUS_OF[code], code, message, errors: undefined, extra: {} }
}

/** Failures that node:http or Fastify find, before any of our code runs. */
function transportFailure(error: unknown, bodyBytesMax = 0): [WireCode, string] | undefined {
  if (!(error instanceof Error)) return undefined
  const { code, statusCode } = error as Partial<FastifyError>
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return ['body_too_large', `The request body is too large; at most ${bodyBytesMax} bytes are accepted.`]
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return ['unsupported_media_type', 'The Content-Type header is not a media type; send application/json.']
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return ['malformed_request', 'The request body is not as long as its Content-Length header says.']
    case 'FST_ERR_BAD_URL':
      return ['malformed_request', 'The path of the request is not a valid URL path.']
    case 'ECONNRESET':
      return ['malformed_request', 'The connection was closed before the request body was complete.']
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return ['request_timeout', 'The request took too long to arrive.']
    case 'HPE_HEADER_OVERFLOW':
      return ['headers_too_large', 'The headers of the request are too large.']
    default:
      if (code?.startsWith('HPE_') === true) return ['malformed_request', 'The request is not valid HTTP.']
  }
  const isClients = statusCode !== undefined && statusCode >= 400 && statusCode < 500
  if (code?.startsWith('FST_') !== true || !isClients) return undefined
  return statusCode === 404
    ? ['not_found', 'There is nothing at this path.']
    : ['malformed_request', 'The request is not valid HTTP for this server.']
}

/** JSON text of an error. */
export const errorBody = (reply: ErrorReply, requestId: string): string => JSON.stringify(replyBody(reply, requestId))

/** Body of an error, keys in alphabetical order. */
export function replyBody(reply: ErrorReply, requestId: string): Record<string, unknown> {
  const { code, message, errors, extra } = reply
  const told = errors === undefined ? {} : { errors }
  const body: Record<string, unknown> = { ...extra, ...told, code, message, request_id: requestId, status: 'error' }
  const sorted: Record<string, unknown> = {}
  for (const name of Object.keys(body).sort()) sorted[name] = body[name]
  return sorted
}

export interface ErrorAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** JSON. */
  readonly text: string
  readonly code: WireCode
  readonly message: string
  /** Not the client's doing: to be logged with the request id. */
  readonly isOurs: boolean
}

/** All of an answer to what went wrong, but how it is sent. */
export function errorAnswer(
  error: unknown,
  requestId: string,
  overrides?: StatusOverrides,
  bodyBytesMax?: number,
): ErrorAnswer {
  const reply = errorReply(error, requestId, overrides, bodyBytesMax)
  const { status, code, message } = reply
  const headers: Record<string, string> = { 'x-request-id': requestId }
  if (status === 401) headers['www-authenticate'] = 'Bearer realm="Sauda API"'
  const { retry_after: told } = reply.extra
  const retryAfterSeconds = typeof told === 'number' ? told : RETRY_AFTER_SECONDS[code]
  if (retryAfterSeconds !== undefined) headers['retry-after'] = String(retryAfterSeconds)
  return { status, headers, text: errorBody(reply, requestId), code, message, isOurs: code === 'internal_error' }
}

/** Shows a person what went wrong. */
export type ShowError = (reply: FastifyReply, status: number, message: string, requestId: string) => void

/** Of an answer to a program outside `/api/`, where neither the headers of the API nor those of a page are added. */
const OF_PROGRAM = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }

/** Answers a request with what went wrong; what isn't the client's doing is logged with the request id. */
export function sendError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  overrides?: StatusOverrides,
  inText = false,
): void {
  const { id, url, server, visit, routeOptions } = request
  const { status, headers, text, code, message, isOurs } = errorAnswer(error, id, overrides, routeOptions.bodyLimit)
  if (visit !== undefined) visit.errorCode = code
  if (isOurs) request.log.error({ err: error }, 'request failed')
  reply.code(status).headers(headers)
  if (inText) reply.type('text/plain; charset=utf-8').send(message)
  else if (isApiPath(url)) reply.type('application/json; charset=utf-8').send(text)
  else if (prefersJson(request.headers.accept))
    reply.headers(OF_PROGRAM).type('application/json; charset=utf-8').send(text)
  else server.showError(reply, status, message, id)
}

/** Whether a caller outside `/api/` is a program: its `Accept` names JSON, and HTML not at all or with less weight. */
export const prefersJson = (accept = ''): boolean =>
  weightOf('application/json', accept) > weightOf('text/html', accept)

/** Weight that an `Accept` header gives a media type it names; 0 when it doesn't. */
function weightOf(type: string, accept: string): number {
  for (const range of accept.split(',')) {
    const [name = '', ...parameters] = range.split(';')
    if (name.trim().toLowerCase() !== type) continue
    const weight = parameters.find((parameter) => parameter.trim().toLowerCase().startsWith('q='))
    const given = weight === undefined ? 1 : Number(weight.trim().slice(2))
    return given >= 0 && given <= 1 ? given : 0
  }
  return 0
}

/** Field errors that the message itself tells; all are in `errors`. */
const TOLD_ERRORS_MAX = 3

/**
 * The refusal of an input. Text that happens to be the request's own key is taken out, wherever in the input it stood.
 */
export function inputRefusal(found: readonly FieldError[], key: string): Refusal {
  const clean = (text: string): string => (key === '' ? text : text.replaceAll(key, '[apikey]'))
  const errors = found.map(({ field, message }) => ({ field: clean(field), message: clean(message) }))
  const told = errors
    .slice(0, TOLD_ERRORS_MAX)
    .map(({ field, message }) => (field === '' ? message : `${field}: ${message}`))
  const untold = errors.length - told.length
  const message = untold > 0 ? `${told.join(' ')} (and ${untold} more)` : told.join(' ')
  return new Refusal('validation_failed', message, { errors })
}
