import { type IncomingHttpHeaders, type IncomingMessage, METHODS } from 'node:http'
import { Readable } from 'node:stream'
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify'
import { assert } from '../kernel/assert.ts'
import { Refusal } from '../kernel/errors.ts'
import { answerBrokenRequest, takeConnect } from './connection.ts'
import { requireJson, requirePlain } from './content-type.ts'
import { NotModified, Streamed } from './download.ts'
import { type EndpointOptions, endpointOf, fieldsOf } from './endpoint.ts'
import { type ShowError, sendError } from './errors.ts'
import { addFastLane } from './fast-lane.ts'
import { shown } from './field-type.ts'
import { parseJson } from './json-body.ts'
import { JsonText } from './json-text.ts'
import { type CorsSettings, mountCors } from './middleware/cors.ts'
import { type AnyOperation, pathsOf } from './operation.ts'
import { neverReached, refuseOtherMethods } from './other-methods.ts'
import { serialisationSchema, withWarnings } from './output-schema.ts'
import { finish, type Pipeline, refusalBeforeBody } from './pipeline.ts'
import { headProblem, settleTarget } from './request-head.ts'
import { requestLog } from './request-log.ts'
import { isApiPath, type Visit } from './visit.ts'
import { WholeRequest, WholeResponse } from './whole-messages.ts'

export const BODY_BYTES_MAX = 256 * 1024
/** A field in the path that is longer is no field; all limits of text are below it. */
const PATH_FIELD_LENGTH_MAX = 1_000
const HEADERS_TIMEOUT_MS = 10_000
/** How often requests are looked for that exceed these times; by default Node looks twice a minute. */
const TIMEOUT_CHECK_MS = 5_000
const REQUEST_TIMEOUT_MS = 30_000
/**
 * A connection on which nothing comes and nothing goes for so long is closed, within a request and between two: longer than
 * the idle time-outs of common proxies, so that they never meet one we just closed. One time for both, or node:http would
 * set a timer anew twice for each request.
 */
const SILENCE_TIMEOUT_MS = 120_000
/** What clients are told: less, so that none sends a request just then. */
const KEEP_ALIVE_SECONDS = 110

/** How often connections that became idle are closed during a shutdown. */
const IDLE_SWEEP_MS = 100

export const API_PREFIX = '/api/v1'

export interface HttpOptions {
  readonly pipeline: Pipeline
  readonly logger?: FastifyBaseLogger
  readonly bodyBytesMax?: number
  /** Pages elsewhere that may use what is under `/api/`; none when absent. */
  readonly cors?: CorsSettings
  /** The page for a person whose request outside `/api/` failed. */
  readonly showError?: ShowError
}

/** What a route says itself counts more: the documentation has another policy, its files may be kept. */
function setMissing(reply: FastifyReply, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) if (!reply.hasHeader(name)) reply.header(name, value)
}

/** Fastify asks for a request's id before any hook runs; the visit that is made then is found again by this. */
const visits = new WeakMap<IncomingMessage, Visit>()

function arrive(pipeline: Pipeline, request: IncomingMessage): Visit {
  const visit = pipeline.arrive(request)
  visits.set(request, visit)
  return visit
}

const showErrorText: ShowError = (reply, status, message, requestId) => {
  reply.type('text/plain; charset=utf-8').send(`${status} ${message} (${requestId})\n`)
}

/** The HTTP server, not listening, without routes. It answers errors in wire format and knows when it is closing. */
export function createHttp(options: HttpOptions): FastifyInstance {
  const { pipeline, bodyBytesMax: bodyLimit = BODY_BYTES_MAX } = options
  const app = Fastify({
    ...(options.logger === undefined ? {} : { loggerInstance: options.logger }),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: PATH_FIELD_LENGTH_MAX },
    bodyLimit,
    logController: new LogController({ disableRequestLogging: true }),
    requestIdHeader: false,
    genReqId: (request) => arrive(pipeline, request as IncomingMessage).id,
    childLoggerFactory: (logger, _bindings, _options, request) => {
      const visit = visits.get(request as IncomingMessage)
      return visit === undefined ? logger : requestLog(logger, visit)
    },
    return503OnClosing: false,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: SILENCE_TIMEOUT_MS,
    keepAliveTimeout: 0,
    http: {
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
      joinDuplicateHeaders: true, // or the second of two keys, or of two hosts, would not be seen
      requireHostHeader: false, // what node:http answers has neither id nor envelope
      IncomingMessage: WholeRequest,
      ServerResponse: WholeResponse,
    },
    // Of an address that can't be read; none of the hooks below sees it
    frameworkErrors: (error, request, reply) => {
      const visit = meet(request, reply)
      const answered = refusalOf(request) ?? error
      complete(visit, request, reply)
      sendError(answered, request, reply)
    },
    clientErrorHandler: (error, socket) => answerBrokenRequest(error, socket, pipeline),
  })
  app.decorate('showError', options.showError ?? showErrorText)
  for (const method of METHODS) if (!app.supportedMethods.includes(method)) app.addHttpMethod(method)
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response)) // may be ignored
  app.server.on('checkContinue', (request, response) => {
    if (!(Number(request.headers['content-length']) > bodyLimit)) response.writeContinue() // or it is refused unsent
    app.server.emit('request', request, response)
  })
  app.server.prependListener('request', settleTarget) // before the router; the fast lane takes nothing but paths
  takeConnect(app.server)
  let closing = false
  const meet = (request: FastifyRequest, reply: FastifyReply): Visit => {
    const visit = visits.get(request.raw)
    assert(visit !== undefined, 'a request came in without arriving')
    request.visit = visit
    // Not the hook onResponse, which is never called when the client leaves before the answer
    reply.raw.once('close', () => finish(pipeline, visit, reply.raw))
    if (closing) reply.header('connection', 'close')
    return visit
  }
  const refusalOf = ({ raw, visit }: FastifyRequest): Refusal | undefined => {
    assert(visit !== undefined, 'a request came in without arriving')
    return closing ? SHUTTING_DOWN : (refusalBeforeBody(pipeline, visit) ?? headProblem(raw))
  }
  const complete = (visit: Visit, request: FastifyRequest, reply: FastifyReply): void => {
    reply.header('x-request-id', request.id)
    const isLast = reply.getHeader('connection') === 'close' || !reply.raw.shouldKeepAlive
    if (!isLast) reply.header('keep-alive', `timeout=${KEEP_ALIVE_SECONDS}`)
    if (isApiPath(request.url)) setMissing(reply, pipeline.apiHeaders)
    visit.steps.lap('serialise')
    for (const step of pipeline.beforeAnswer) step(visit)
    reply.headers(visit.answerHeaders)
  }
  app.addHook('preClose', (done) => {
    closing = true
    if (app.server.listening) {
      // A connection whose last request was under way when the shutdown began would stay open until its time-out.
      const sweep = setInterval(() => app.server.closeIdleConnections(), IDLE_SWEEP_MS)
      app.server.once('close', () => clearInterval(sweep))
    }
    done()
  })
  app.addHook('onRequest', (request, reply, done) => {
    meet(request, reply)
    done()
  })
  if (options.cors !== undefined) mountCors(app, options.cors)
  app.after(() => {
    // After the hook of CORS, so that a page elsewhere can read why it was refused
    app.addHook('onRequest', (request, _reply, done) => done(refusalOf(request)))
  })
  app.addHook('onSend', (request, reply, _payload, done) => {
    assert(request.visit !== undefined, 'an answer is sent to a request that has arrived')
    complete(request.visit, request, reply)
    done()
  })
  app.setErrorHandler((error, request, reply) => sendError(error, request, reply))
  app.setNotFoundHandler((request, reply) => sendError(notFound(request), request, reply))
  return app
}

const SHUTTING_DOWN = new Refusal(
  'shutting_down',
  'The server is shutting down. Send the request again in a few seconds.',
)

function notFound(request: FastifyRequest): Refusal {
  const path = request.url.split('?', 1)[0] ?? ''
  return new Refusal('not_found', `There is nothing at ${shown(path)}.${isApiPath(path) ? HELP : ''}`)
}

const HELP = ` All operations are listed at ${API_PREFIX}/.`

/** Adds one route for each operation, and the answers for wrong methods and unknown paths under `/api/`. */
export function mountOperations(
  app: FastifyInstance,
  operations: readonly AnyOperation[],
  options: EndpointOptions,
): void {
  let closing = false
  app.addHook('preClose', (done) => {
    closing = true
    done()
  })
  addFastLane(app.server, operations, {
    ...options,
    prefix: API_PREFIX,
    bodyBytesMax: app.initialConfig.bodyLimit ?? BODY_BYTES_MAX,
    keepAliveSeconds: KEEP_ALIVE_SECONDS,
    isClosing: () => closing,
    onError: (error, visit) => requestLog(app.log, visit).error({ err: error }, 'request failed'),
  })
  app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body: Buffer, parsed) => {
      parsed(null, readBody(request.headers, body))
    })
    // The router also finds an operation by an address like /%61pi/v1/…; whatever tells the API from pages does not.
    scope.addHook('onRequest', (request, _reply, done) => done(isApiPath(request.url) ? undefined : notFound(request)))
    const methods = new Map<string, string[]>()
    for (const operation of operations) {
      for (const name of pathsOf(operation)) {
        const path = `${API_PREFIX}/${name}`
        methods.set(path, [...(methods.get(path) ?? []), operation.method])
        mount(scope, path, operation, options)
      }
    }
    for (const [path, taken] of methods) mountOtherMethods(scope, path, taken)
    scope.all('/api/*', { onRequest: (request, _reply, next) => next(notFound(request)) }, neverReached)
    done()
  })
}

/** The body as JSON; a Refusal when it isn't, so that the connection stays usable, which a thrown error would end. */
function readBody(headers: IncomingHttpHeaders, body: Buffer): unknown {
  try {
    requireJson(headers['content-type'])
    requirePlain(headers['content-encoding'])
    return parseJson(body)
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}

/** What a path's operations don't take is answered 405; a browser may ask beforehand. */
function mountOtherMethods(scope: FastifyInstance, path: string, taken: readonly string[]): void {
  const allowed = [...taken, ...(taken.includes('GET') ? ['HEAD'] : []), 'OPTIONS']
  scope.options(path, (_request, reply) => {
    reply.code(204).header('allow', allowed.join(', ')).send()
  })
  refuseOtherMethods(scope, path, allowed)
}

function mount(scope: FastifyInstance, path: string, operation: AnyOperation, options: EndpointOptions): void {
  const endpoint = endpointOf(operation, options)
  const { method, output } = operation
  const isDownload = 'contentMediaType' in output
  scope.route({
    method,
    url: path,
    schema: isDownload ? {} : { response: { 200: serialisationSchema(withWarnings({ ...output })) } },
    errorHandler: (error, request, reply) => {
      const inText = operation.failsInText?.(request.query as Record<string, unknown>) === true
      sendError(error, request, reply, operation.refusalStatus, inText)
    },
    handler: async (request, reply) => {
      const { visit } = request
      assert(visit !== undefined, 'a request reached its operation without arriving')
      const answer = await endpoint(method === 'GET' ? queryOf(request) : bodyOf(request), visit)
      if (answer instanceof JsonText) return reply.type('application/json; charset=utf-8').send(answer.text)
      if (!(answer instanceof Streamed)) return answer
      reply.code(answer instanceof NotModified ? 304 : 200).headers(answer.headers)
      if (request.method === 'HEAD') {
        await answer.chunks[Symbol.asyncIterator]().return?.() // nobody would take them
        return reply.send(Readable.from([])) // without any, its length would be told as 0
      }
      return answer instanceof NotModified ? reply.send() : reply.send(Readable.from(answer.chunks))
    },
  })
}

function bodyOf(request: FastifyRequest): object {
  const { body } = request
  if (body instanceof Refusal) throw body
  return fieldsOf(body === undefined ? parseJson(Buffer.alloc(0)) : body)
}

function queryOf(request: FastifyRequest): object {
  return { ...(request.query as object), ...(request.params as object) }
}
