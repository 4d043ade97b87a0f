import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { turn } from '../kernel/turn.ts'
import { CommonHeaders, LastingHead, WholeRequest, WholeResponse } from './whole-messages.ts'

/** What the server does with a request, whose body has come. */
type Act = (body: string, response: WholeResponse, request: WholeRequest) => void

const common = new CommonHeaders(['x-common', 'yes'])
const lasting = new LastingHead(72).at(Date.UTC(2026, 10, 26, 12, 0, 1))
const text = (response: WholeResponse, body: string, ...more: string[]): void =>
  response.answer(
    {
      status: 200,
      common,
      headers: ['content-length', String(Buffer.byteLength(body)), ...more],
      body,
      bodyBytes: Buffer.byteLength(body),
    },
    lasting,
  )

/** For a machine that is busy otherwise. */
const SOON = { timeout: 10_000 }

let act: Act
let server: Server
let closed: string[]
const sockets: Socket[] = []
beforeEach(async () => {
  closed = []
  server = createServer(
    { IncomingMessage: WholeRequest, ServerResponse: WholeResponse, keepAliveTimeout: 72_000 },
    (request, response) => {
      response.once('close', () => closed.push(`${response.statusCode} ${response.writableEnded}`))
      if (request.url === '/stream') {
        request.resume().once('end', () => response.end('streamed'))
        return
      }
      request.takeBody((body) => act(body.toString(), response, request))
    },
  )
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
})
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  server.closeAllConnections()
  await new Promise((done) => server.close(done))
})

async function client(): Promise<Socket> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  sockets.push(socket)
  await new Promise<void>((done) => socket.once('connect', done))
  return socket
}

const post = (body: string, head = 'POST /whole HTTP/1.1\r\nHost: x\r\n'): string =>
  `${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`

/** All that comes until the connection is closed. */
async function until(socket: Socket): Promise<string> {
  let received = ''
  for await (const chunk of socket.setEncoding('utf8')) received += String(chunk)
  return received
}

describe('a message that is taken whole', () => {
  it('is answered on a connection that stays, as node:http would', async () => {
    act = (body, response) => text(response, `₹ ${body}`, 'x-one', '1')
    const socket = await client()
    const answers = until(socket)
    socket.write(post('first'))
    await expect.poll(() => closed, SOON).toEqual(['200 true'])
    socket.end(post('', 'POST /whole HTTP/1.1\r\nHost: x\r\nConnection: close\r\n'))
    const [first = '', second = ''] = (await answers).split(/(?=HTTP\/1\.1 )/)
    expect(first).toBe(
      'HTTP/1.1 200 OK\r\nx-common: yes\r\ncontent-length: 9\r\nx-one: 1\r\nDate: Thu, 26 Nov 2026 12:00:01 GMT\r\nConnection: keep-alive\r\nKeep-Alive: timeout=72\r\n\r\n₹ first',
    )
    expect(second).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\nConnection: close\r\n.*₹ $/s)
    expect(closed).toEqual(['200 true', '200 true'])
  })

  it('has the bytes that were sent, however they were cut into packets', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme', maxLength: 300 }),
        fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 4 }),
        async (body, cuts) => {
          const seen = Promise.withResolvers<string>()
          act = (taken, response) => {
            seen.resolve(taken)
            text(response, '')
          }
          const bytes = Buffer.from(post(body))
          const socket = await client()
          let from = 0
          for (const to of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
            if (to > from) await new Promise((done) => socket.write(bytes.subarray(from, to), done))
            from = Math.max(from, to)
          }
          expect(await seen.promise).toBe(body)
          socket.destroy()
        },
      ),
      { numRuns: 30 },
    )
  })

  it('waits its turn among requests sent at once, and among streamed ones', async () => {
    const held: (() => void)[] = []
    act = (body, response) => {
      if (body === 'slow') held.push(() => text(response, body))
      else text(response, body)
    }
    const socket = await client()
    const answers = until(socket)
    socket.write(
      [
        post('a'),
        post('x', 'POST /stream HTTP/1.1\r\nHost: x\r\n'),
        post('slow'),
        post('b'),
        post('y', 'POST /stream HTTP/1.1\r\nHost: x\r\n'),
        post('c'),
      ].join(''),
    )
    await expect.poll(() => held.length, SOON).toBe(1)
    await turn()
    held[0]?.()
    socket.end(post('last', 'POST /whole HTTP/1.0\r\n'))
    const bodies = (await answers).split(/HTTP\/1\.1 200 OK\r\n.*?\r\n\r\n/s).slice(1)
    expect(bodies.map((body) => body.replaceAll(/\r\n|^8$/gm, ''))).toEqual([
      'a',
      'streamed',
      'slow',
      'b',
      'streamed',
      'c',
      'last',
    ])
  })

  it('is finished when its last byte has left, not before its reader takes it', async () => {
    const large = 'x'.repeat(20_000_000)
    act = (_, response) => text(response, large)
    const socket = await client()
    socket.pause()
    socket.write(post(''))
    for (let turns = 0; turns < 50; turns += 1) await turn()
    expect(closed).toEqual([])
    let length = 0
    socket.on('data', (chunk) => {
      length += chunk.length
    })
    socket.resume()
    await expect.poll(() => length > large.length, SOON).toBe(true)
    await expect.poll(() => closed, SOON).toEqual(['200 true'])
  })

  it('whose sender has left is closed once, answered or not', async () => {
    const responses: WholeResponse[] = []
    act = (_, response) => responses.push(response)
    for (const answersLater of [true, false]) {
      const socket = await client()
      socket.write(post('x'))
      await expect.poll(() => responses.length, SOON).toBe(1)
      socket.resetAndDestroy()
      await expect.poll(() => closed.length, SOON).toBe(1)
      if (answersLater) for (const response of responses) text(response, 'too late')
      await turn()
      expect(closed.splice(0)).toHaveLength(1)
      responses.length = 0
    }
  })

  it('sends no header that would begin another', async () => {
    const failed = Promise.withResolvers<unknown>()
    act = (_, response) => {
      try {
        text(response, '', 'x-name', 'value\r\nset-cookie: stolen=1')
      } catch (error) {
        failed.resolve(error)
        response.destroy()
      }
    }
    const socket = await client()
    socket.on('error', () => {}) // the server breaks the connection off
    socket.write(post(''))
    expect(String(await failed.promise)).toContain('x-name')
  })

  it('leaves connections idle, so that a shutdown can close them', async () => {
    act = (_, response) => text(response, 'x')
    const socket = await client()
    socket.on('error', () => {})
    const left = new Promise<void>((done) => socket.once('close', () => done()))
    socket.write(post('x'))
    await expect.poll(() => closed.length, SOON).toBe(1)
    server.closeIdleConnections()
    await left
  })
})
