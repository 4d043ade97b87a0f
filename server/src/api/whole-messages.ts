import { IncomingMessage, ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { assert } from '../kernel/assert.ts'
import type { Visit } from './visit.ts'

/**
 * node:http's own messages, which can also be taken and sent whole. A body of known length, and an answer that is one text,
 * need nothing that streams can do, and a small request takes half the time without. All that reads and judges what comes
 * from outside stays node:http's.
 */
export class WholeRequest extends IncomingMessage {
  /** Bytes of the body that have come, without what frames its chunks. */
  bodyBytes = 0
  /** What became of it so far, since it has arrived. */
  visit: Visit | undefined
  #take: ((body: Buffer) => void) | undefined
  #body: Buffer = NOTHING

  /** Has the body handed over when it is complete, instead of streamed. To be called before any of it has come. */
  takeBody(take: (body: Buffer) => void): void {
    assert(this.readableLength === 0 && !this.complete, 'a body is taken before it comes')
    this.#take = take
  }

  override push(chunk: Buffer | null, encoding?: BufferEncoding): boolean {
    if (chunk !== null) this.bodyBytes += chunk.length
    if (this.#take === undefined) return super.push(chunk, encoding)
    if (chunk === null) this.#take(this.#body)
    else this.#body = this.#body.length === 0 ? chunk : Buffer.concat([this.#body, chunk])
    return true
  }
}

const NOTHING = Buffer.alloc(0)

/** Headers that many answers have. */
export class CommonHeaders {
  /** Names and values in turn. */
  readonly pairs: readonly string[]
  readonly lines: string

  constructor(pairs: readonly string[]) {
    this.pairs = pairs
    this.lines = linesOf(pairs)
  }
}

export interface WholeAnswer {
  readonly status: number
  readonly common: CommonHeaders
  /** Names and values in turn, the body's length among them. */
  readonly headers: readonly string[]
  readonly body: string
  readonly bodyBytes: number
}

export class WholeResponse<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
  /** What the connection had sent when this answer's turn came. */
  #bytesBefore = 0
  #bytes = 0

  /** Bytes of the answer that were sent, its head included, and nothing of its neighbours on the connection. */
  get bytesSent(): number {
    return this.socket === null ? this.#bytes : this.socket.bytesWritten - this.#bytesBefore
  }

  override assignSocket(socket: Socket): void {
    this.#bytesBefore = socket.bytesWritten
    super.assignSocket(socket)
  }

  /** Comes with the last byte, before the next answer's turn. */
  override detachSocket(socket: Socket): void {
    if (this.#bytes === 0) this.#bytes = socket.bytesWritten - this.#bytesBefore
    super.detachSocket(socket)
  }

  /**
   * Sends an answer. `lasting` are the headers of a connection that stays, as lines; where it doesn't, or others' answers must
   * leave before this one, node:http sends it in its own way. Throws on a value that no header can have.
   */
  answer({ status, common, headers, body, bodyBytes }: WholeAnswer, lasting: string): void {
    const { socket } = this
    if (socket === null || socket.destroyed || !this.shouldKeepAlive) {
      this.writeHead(status, [...common.pairs, ...headers]).end(body)
      return
    }
    const lines = common.lines + linesOf(headers)
    this.statusCode = status
    this.finished = true
    const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n${lines}${lasting}\r\n`
    this.#bytes = head.length + bodyBytes
    socket.write(head + body)
    if (socket.writableLength === 0) this.emit('finish')
    else
      socket.write('', (error) => {
        if (error == null) this.emit('finish') // of a broken connection node:http tells
      })
  }
}

/** Anything but visible ASCII, blanks and tabs. */
const UNFIT = /[^\t\x20-\x7e]/

function linesOf(pairs: readonly string[]): string {
  let lines = ''
  for (let at = 0; at < pairs.length; at += 2) {
    const value = pairs[at + 1] ?? ''
    assert(!UNFIT.test(value), () => `a value of the header ${pairs[at]} has characters that it can't have`)
    lines += `${pairs[at]}: ${value}\r\n`
  }
  return lines
}

/** Header lines of an answer after which the connection stays, made once a second. */
export class LastingHead {
  readonly #keepAlive: string
  #second = Number.NaN
  #text = ''

  constructor(keepAliveSeconds: number) {
    this.#keepAlive = `Connection: keep-alive\r\nKeep-Alive: timeout=${keepAliveSeconds}\r\n`
  }

  at(now: number): string {
    const second = Math.floor(now / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#text = `Date: ${new Date(now).toUTCString()}\r\n${this.#keepAlive}`
    }
    return this.#text
  }
}
