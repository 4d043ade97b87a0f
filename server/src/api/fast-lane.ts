import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import fastJsonStringify from 'fast-json-stringify'
import { type Endpoint, type EndpointOptions, endpointOf, fieldsOf } from './endpoint.ts'
import { errorAnswer } from './errors.ts'
import { parseJson } from './json-body.ts'
import type { AnyOperation } from './operation.ts'
import { serialisationSchema, withWarnings } from './output-schema.ts'
import { requestIdFrom } from './request-id.ts'
import type { Services } from './services.ts'

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
}

export interface FastLaneOptions extends EndpointOptions {
  readonly prefix: string
  readonly bodyBytesMax: number
  readonly isClosing: () => boolean
  /** Told what is no client's doing. */
  readonly onError: (error: unknown, requestId: string) => void
}

/** Puts the fast lane in front of a server's own request listeners. */
export function addFastLane(
  server: Server,
  operations: readonly AnyOperation[],
  services: Services,
  options: FastLaneOptions,
): void {
  const lanes = new Map<string, Lane>()
  for (const operation of operations) {
    if (operation.method !== 'POST') continue
    const serialise = fastJsonStringify(serialisationSchema(withWarnings({ ...operation.output })))
    lanes.set(`${options.prefix}/${operation.name}`, {
      operation,
      serialise,
      endpoint: endpointOf(operation, services, options),
    })
  }
  const others = server.listeners('request') as RequestListener[]
  server.removeAllListeners('request')
  server.on('request', (request, response) => {
    const lane = laneOf(lanes, request, options)
    if (lane !== undefined) take(lane, request, response, options)
    else for (const listener of others) listener(request, response)
  })
}

function laneOf(
  lanes: ReadonlyMap<string, Lane>,
  request: IncomingMessage,
  options: FastLaneOptions,
): Lane | undefined {
  if (request.method !== 'POST' || request.headers['content-type'] !== 'application/json' || options.isClosing())
    return undefined
  const bodyBytes = Number(request.headers['content-length'])
  // Not comparing the other way round: an absent length is NaN.
  if (!(bodyBytes > 0 && bodyBytes <= options.bodyBytesMax)) return undefined
  return lanes.get(request.url ?? '')
}

function take(lane: Lane, request: IncomingMessage, response: ServerResponse, options: FastLaneOptions): void {
  let body: Buffer | undefined
  request.on('data', (chunk: Buffer) => {
    body = body === undefined ? chunk : Buffer.concat([body, chunk])
  })
  request.on('end', () => {
    answer(lane, body ?? Buffer.alloc(0), request, response, options).catch((error: unknown) => {
      options.onError(error, '')
      response.destroy()
    })
  })
}

async function answer(
  lane: Lane,
  body: Buffer,
  request: IncomingMessage,
  response: ServerResponse,
  options: FastLaneOptions,
): Promise<void> {
  const { headers } = request
  const requestId = requestIdFrom(headers)
  try {
    const result = await lane.endpoint(fieldsOf(parseJson(body)), headers, requestId)
    send(response, 200, lane.serialise(result), { 'x-request-id': requestId })
  } catch (error) {
    const {
      status,
      headers: more,
      text,
      isOurs,
    } = errorAnswer(error, requestId, lane.operation.refusalStatus, options.bodyBytesMax)
    if (isOurs) options.onError(error, requestId)
    send(response, status, text, more)
  }
}

function send(response: ServerResponse, status: number, text: string, headers: Readonly<Record<string, string>>): void {
  response.writeHead(status, {
    ...headers,
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  })
  response.end(text)
}
