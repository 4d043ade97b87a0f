import { request as startRequest } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { AnswerBody } from './api.ts'

/** Requests with headers and bytes that no well-behaved client would send. */

export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  /** Empty when the answer isn't a JSON object. */
  readonly body: AnswerBody & Readonly<Record<string, unknown>>
}

export interface RawRequest {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  /** Sent as JSON, with that content type unless `headers` has another. */
  readonly json?: unknown
  /** Sent as it is. */
  readonly text?: string
}

const RAW_MS_MAX = 60_000

/** Unlike `fetch`, adds no header of its own but Host, Connection and Content-Length, and sends any that it is given. */
export function send(port: number, path: string, sent: RawRequest = {}): Promise<RawAnswer> {
  const { json, text = json === undefined ? '' : JSON.stringify(json) } = sent
  const { method = text === '' ? 'GET' : 'POST' } = sent
  const type = json === undefined ? {} : { 'content-type': 'application/json' }
  const length = text === '' ? {} : { 'content-length': Buffer.byteLength(text) }
  return new Promise((done, failed) => {
    const headers = { ...type, ...length, ...sent.headers } as Record<string, string>
    const request = startRequest({ host: '127.0.0.1', port, path, method, headers, timeout: RAW_MS_MAX }, (answer) => {
      let received = ''
      answer.setEncoding('utf8')
      answer.on('data', (part: string) => {
        received += part
      })
      answer.once('error', failed)
      answer.once('end', () => {
        const { statusCode: status = 0 } = answer
        done({ status, headers: answer.headers, text: received, body: objectOf(received) })
      })
    })
    request.once('error', failed)
    request.once('timeout', () => request.destroy(new Error(`No answer within ${RAW_MS_MAX} ms.`)))
    request.end(text)
  })
}

function objectOf(text: string): RawAnswer['body'] {
  return text.startsWith('{') ? (JSON.parse(text) as RawAnswer['body']) : {}
}

/** Sends bytes as they are and answers all that comes back until the server closes. `then` may send more. */
export function raw(port: number, text: string | Uint8Array, then = (_socket: Socket): void => {}): Promise<string> {
  return new Promise((done, failed) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(text)
      then(socket)
    })
    socket.setEncoding('utf8')
    const overdue = setTimeout(() => {
      socket.destroy(new Error(`The server kept the connection open for ${RAW_MS_MAX} ms. It had answered: ${answer}`))
    }, RAW_MS_MAX)
    socket.on('data', (part: string) => {
      answer += part
    })
    socket.once('close', () => clearTimeout(overdue))
    // Bytes that the server had no need to read may reset the connection after the answer.
    socket.once('error', (error) => (answer === '' ? failed(error) : done(answer)))
    socket.once('close', () => done(answer))
  })
}
