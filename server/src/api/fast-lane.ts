import type { IncomingMessage, RequestListener, Server } from 'node:http'
import fastJsonStringify from 'fast-json-stringify'
import { Refusal } from '../kernel/errors.ts'
import { type Endpoint, type EndpointOptions, endpointOf, fieldsOf } from './endpoint.ts'
import { errorAnswer } from './errors.ts'
import { Gathering } from './gathering.ts'
import { parseJson } from './json-body.ts'
import { JsonText } from './json-text.ts'
import { type AnyOperation, pathsOf } from './operation.ts'
import { serialisationSchema, withWarnings } from './output-schema.ts'
import { finish, type Pipeline, refusalBeforeBody } from './pipeline.ts'
import { isHost } from './request-head.ts'
import type { Visit } from './visit.ts'
import { CommonHeaders, LastingHead, type WholeAnswer, WholeRequest, WholeResponse } from './whole-messages.ts'

/**
 * The way of a usual request past the framework. A POST of JSON with a known length to an operation's exact path needs
 * none of the framework's generality, which costs as much as the operation itself; it is answered here, by the same
 * endpoint, errors and serialiser. Every other request, and every one during a shutdown, goes the framework's way. A
 * test sends the same requests both ways and compares the answers.
 */
interface Lane {
  readonly endpoint: Endpoint
  readonly serialise: (body: unknown) => string
  readonly operation: AnyOperation
  readonly common: CommonHeaders
  readonly inbox: Gathering<Taken>
  readonly outbox: Gathering<Sent>
}

/** A request whose body has come, or that was refused before. */
interface Taken {
  readonly lane: Lane
  readonly body: Buffer | Refusal
  readonly visit: Visit
  readonly response: WholeResponse
}

interface Sent {
  readonly response: WholeResponse
  readonly answer: WholeAnswer
  readonly visit: Visit
}

export interface FastLaneOptions extends EndpointOptions {
  readonly prefix: string
  readonly bodyBytesMax: number
  /** For how long clients are told that they may keep a connection. */
  readonly keepAliveSeconds: number
  readonly isClosing: () => boolean
  /** Told what is no client's doing. */
  readonly onError: (error: unknown, visit: Visit) => void
}

/** Puts the fast lane in front of a server's own request listeners. The server must make whole messages. */
export function addFastLane(server: Server, operations: readonly AnyOperation[], options: FastLaneOptions): void {
  const lanes = new Map<string, Lane>()
  const { programHeaders } = options.pipeline
  const common = new CommonHeaders([...pairsOf(programHeaders), 'content-type', 'application/json; charset=utf-8'])
  const lasting = new LastingHead(options.keepAliveSeconds)
  const outbox = new Gathering<Sent>(({ response, answer, visit }) => {
    try {
      response.answer(answer, lasting.at(options.clock.now()))
    } catch (error) {
      options.onError(error, visit)
      response.destroy()
    }
  })
  const inbox = new Gathering<Taken>(
    (taken) => answer(taken, options),
    () => outbox.flush(),
  )
  for (const operation of operations) {
    if (operation.method !== 'POST') continue
    // Made when first needed: those of all operations would take a tenth of a start
    let made: ((body: unknown) => string) | undefined
    const serialise = (body: unknown): string => {
      made ??= fastJsonStringify(serialisationSchema(withWarnings({ ...operation.output })))
      return made(body)
    }
    const lane: Lane = {
      operation,
      serialise,
      common,
      endpoint: endpointOf(operation, options),
      inbox,
      outbox,
    }
    for (const path of pathsOf(operation)) lanes.set(`${options.prefix}/${path}`, lane)
  }
  const others = server.listeners('request') as RequestListener[]
  server.removeAllListeners('request')
  server.on('request', (request, response) => {
    const lane = laneOf(lanes, request, options)
    if (lane !== undefined && request instanceof WholeRequest && response instanceof WholeResponse)
      take(lane, request, response, options)
    else for (const listener of others) listener(request, response)
  })
}

function laneOf(
  lanes: ReadonlyMap<string, Lane>,
  request: IncomingMessage,
  options: FastLaneOptions,
): Lane | undefined {
  const { headers } = request
  if (request.method !== 'POST' || headers['content-type'] !== 'application/json') return undefined
  if (headers.origin !== undefined || headers['content-encoding'] !== undefined || options.isClosing()) return undefined
  if (headers.host === undefined || !isHost(headers.host)) return undefined
  const bodyBytes = Number(headers['content-length'])
  // Not comparing the other way round: an absent length is NaN.
  if (!(bodyBytes > 0 && bodyBytes <= options.bodyBytesMax)) return undefined
  return lanes.get(request.url ?? '')
}

function take(lane: Lane, request: WholeRequest, response: WholeResponse, options: FastLaneOptions): void {
  const visit = options.pipeline.arrive(request)
  response.on('close', () => finish(options.pipeline, visit, response)) // once; `once` would cost more
  const refusal = refusalBeforeBody(options.pipeline, visit)
  request.takeBody((body) => lane.inbox.add({ lane, body: refusal ?? body, visit, response }))
}

/** Without a promise of its own: there is one already where the operation has to wait. */
function answer({ lane, body, visit, response }: Taken, options: FastLaneOptions): void {
  const succeed = (result: unknown): void => {
    try {
      const text = result instanceof JsonText ? result.text : lane.serialise(result)
      visit.steps.lap('serialise')
      send(lane, response, 200, text, ['x-request-id', visit.id], visit, options.pipeline)
    } catch (error) {
      fail(error)
    }
  }
  const fail = (error: unknown): void => {
    try {
      answerError(lane, error, visit, response, options)
    } catch (worse) {
      options.onError(worse, visit)
      response.destroy()
    }
  }
  let result: unknown
  try {
    if (body instanceof Refusal) throw body
    result = lane.endpoint(fieldsOf(parseJson(body)), visit)
  } catch (error) {
    fail(error)
    return
  }
  if (result instanceof Promise) result.then(succeed, fail)
  else succeed(result)
}

function answerError(
  lane: Lane,
  error: unknown,
  visit: Visit,
  response: WholeResponse,
  options: FastLaneOptions,
): void {
  const { status, headers, text, code, isOurs } = errorAnswer(
    error,
    visit.id,
    lane.operation.refusalStatus,
    options.bodyBytesMax,
  )
  if (isOurs) options.onError(error, visit)
  visit.errorCode = code
  send(lane, response, status, text, pairsOf(headers), visit, options.pipeline)
}

function send(
  { common, outbox }: Lane,
  response: WholeResponse,
  status: number,
  text: string,
  headers: string[],
  visit: Visit,
  pipeline: Pipeline,
): void {
  for (const step of pipeline.beforeAnswer) step(visit)
  const { answerHeaders } = visit
  for (const name in answerHeaders) {
    const value = answerHeaders[name]
    if (typeof value === 'string') headers.push(name, value)
    else for (const one of value ?? []) headers.push(name, one)
  }
  const bodyBytes = Buffer.byteLength(text)
  headers.push('content-length', String(bodyBytes))
  outbox.add({ response, answer: { status, common, headers, body: text, bodyBytes }, visit })
}

const pairsOf = (headers: Readonly<Record<string, string>>): string[] => Object.entries(headers).flat()
