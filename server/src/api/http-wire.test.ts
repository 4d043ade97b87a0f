import { type AddressInfo, connect, type Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import Type from 'typebox'
import { describe, expect, it } from 'vitest'
import { defineOperation } from './operation.ts'
import { READ_KEY, testApi, testServer } from './test-api.ts'

/** An operation that answers when its gate is opened. */
function slowOperation() {
  const gate = Promise.withResolvers<void>()
  const entered = Promise.withResolvers<void>()
  const slow = defineOperation({
    name: 'slow',
    method: 'POST',
    tag: 'Utilities',
    summary: 'Wait',
    description: 'Waits.',
    access: 'read',
    rateClass: 'read',
    input: {},
    output: Type.Object({ status: Type.Literal('success') }),
    example: {},
    async handle() {
      entered.resolve()
      await gate.promise
      return { status: 'success' as const }
    },
  })
  return { slow, entered, gate }
}

describe('on the wire', () => {
  const portOf = (server: { server: { address(): unknown } }): number => (server.server.address() as AddressInfo).port

  async function allFrom(socket: Socket): Promise<string> {
    let received = ''
    for await (const chunk of socket.setEncoding('utf8')) received += String(chunk)
    return received
  }

  it.each([
    ['bytes that are not HTTP', 'nonsense\r\n\r\n', /^HTTP\/1\.1 400 .*"code":"malformed_request"/s],
    [
      'headers that are too large',
      `GET / HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(20_000)}\r\n\r\n`,
      /^HTTP\/1\.1 431 .*"code":"headers_too_large"/s,
    ],
  ])('%s get an error in wire format', async (_what, bytes, expected) => {
    const server = testServer([])
    await server.listen({ port: 0, host: '127.0.0.1' })
    const socket = connect(portOf(server), '127.0.0.1')
    socket.write(bytes)
    expect(await allFrom(socket)).toMatch(expected)
    await server.close()
  })

  it('a request that comes during the shutdown is 503; one that came before is answered', async () => {
    const { slow, entered, gate } = slowOperation()
    const server = await testApi([slow])
    await server.listen({ port: 0, host: '127.0.0.1' })
    const request = `POST /api/v1/slow HTTP/1.1\r\nHost: x\r\nX-API-KEY: ${READ_KEY}\r\nContent-Length: 2\r\n\r\n{}`
    const socket = connect(portOf(server), '127.0.0.1')
    const received = allFrom(socket)
    socket.write(request)
    await entered.promise
    const closed = server.close()
    await setTimeout(20)
    socket.write(request)
    await setTimeout(20)
    gate.resolve()
    expect(await received).toMatch(/^HTTP\/1\.1 200 .*HTTP\/1\.1 503 .*"code":"shutting_down"/s)
    await closed
  })

  it.each([
    ['the fast lane', 'Content-Type: application/json\r\n'],
    ['the framework', ''],
  ])('a request whose client leaves before the answer is 499, by way of %s', async (_way, header) => {
    const { slow, entered, gate } = slowOperation()
    const outcomes: number[] = []
    const server = await testApi(
      [slow],
      {},
      { pipeline: { afterAnswer: [(_visit, { status }) => outcomes.push(status)] } },
    )
    await server.listen({ port: 0, host: '127.0.0.1' })
    const socket = connect(portOf(server), '127.0.0.1')
    socket.write(
      `POST /api/v1/slow HTTP/1.1\r\nHost: x\r\n${header}X-API-KEY: ${READ_KEY}\r\nContent-Length: 2\r\n\r\n{}`,
    )
    await entered.promise
    socket.destroy()
    await expect.poll(() => outcomes).toEqual([499])
    gate.resolve()
    await server.close()
    expect(outcomes).toEqual([499])
  })
})
