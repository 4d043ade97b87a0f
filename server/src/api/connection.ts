import { IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { errorAnswer } from './errors.ts'
import type { Pipeline } from './pipeline.ts'
import { WholeRequest, WholeResponse } from './whole-messages.ts'

/** What a connection may bring that node:http takes for no request, or for its last one. */

/** What node:http knows of a connection, and tells nowhere else. */
interface Known {
  /** Whose turn it is. */
  readonly _httpMessage?: ServerResponse | null
  /** `incoming` is the request of which something came last. */
  readonly parser?: { readonly incoming?: IncomingMessage | null } | null
}

/** Acts when each request that came whole has its answer: whatever is written before would be taken for one of these. */
function inTurn(socket: Socket, act: () => void): void {
  const { _httpMessage: current } = socket as Known
  if (current?.req.complete === true) current.once('close', () => inTurn(socket, act))
  else act()
}

const broken = new WeakSet<Socket>()

/** Bytes that aren't HTTP, or that came too slowly: there is no request to answer, only a socket. */
export function answerBrokenRequest(error: Error & { code?: string }, socket: Socket, pipeline: Pipeline): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  if (broken.has(socket)) return // where the next request would begin, nobody knows
  broken.add(socket)
  inTurn(socket, () => endBroken(error, socket, pipeline))
}

function endBroken(error: Error, socket: Socket, pipeline: Pipeline): void {
  const { _httpMessage: current, parser } = socket as Known
  if (current ? current.headersSent : parser?.incoming?.complete === false) {
    socket.destroySoon() // it was answered before it broke, and nobody waits for a second answer
    return
  }
  const own = current?.req instanceof WholeRequest ? current.req.visit : undefined
  const visit = own ?? pipeline.arrive(new NoRequest(socket))
  const { status, headers, text, code } = errorAnswer(error, visit.id)
  visit.errorCode = code
  for (const step of pipeline.beforeAnswer) step(visit)
  const lines = Object.entries({
    ...pipeline.programHeaders,
    ...headers,
    ...visit.answerHeaders,
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(text)),
    date: new Date(visit.at).toUTCString(),
    connection: 'close',
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  const answer = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${text}`
  socket.end(answer)
  if (own !== undefined) return // it is told of when the connection is closed
  for (const step of pipeline.afterAnswer) step(visit, { status, bytesIn: 0, bytesOut: Buffer.byteLength(answer) })
}

/** What came instead of a request, for those who count and log. */
class NoRequest extends IncomingMessage {
  override method = ''
  override url = ''
}

/** Has a server take CONNECT as it takes any request, on a connection that ends with the answer. */
export function takeConnect(server: Server): void {
  server.on('connect', (request: IncomingMessage, stream: Duplex) => {
    const { socket } = request
    // What node:http listens to no more, though answers to requests before may still be on their way
    stream.on('error', () => socket.destroy())
    socket.on('timeout', () => socket.destroy())
    socket.on('drain', () => (socket as Known)._httpMessage?.emit('drain'))
    stream.resume()
    inTurn(socket, () => {
      const response = new WholeResponse(request)
      response.shouldKeepAlive = false
      response.once('finish', () => socket.destroySoon())
      response.assignSocket(socket)
      server.emit('request', request, response)
    })
  })
}
