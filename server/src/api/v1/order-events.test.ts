import { mkdtempSync, rmSync } from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { VenueEvent } from '../../brokers/venue-event.ts'
import type { Identity } from '../../identity/identity.ts'
import type { KeyStore } from '../../identity/key-store.ts'
import { ManualClock } from '../../kernel/clock.ts'
import { type Databases, openDatabases } from '../../storage/open.ts'
import { STALL_MS } from '../../trading/order-event-reader.ts'
import { OrderEvents } from '../../trading/order-events.ts'
import { cookieOf, READ_KEY, testServer } from '../test-api.ts'
import { HEARTBEAT_MS } from './event-frames.ts'
import { ordereventsstream } from './order-events.ts'

let folder: string
let databases: Databases
let events: OrderEvents
let api: FastifyInstance
let isSignedIn = true
const clock = new ManualClock('2026-11-25T11:00:00+05:30')

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-stream-'))
  databases = await openDatabases(folder, clock)
  const onError = (error: unknown) => {
    throw error
  }
  events = new OrderEvents({ record: databases.record, clock, retentionMs: 1_000_000, onError })
  await events.begin('default', 0)
  const keys = { callerOf: () => ({}) } as unknown as KeyStore
  const identity = { sessions: { find: () => (isSignedIn ? {} : undefined) } } as unknown as Identity
  api = testServer([ordereventsstream], { orderEvents: events, keys, identity })
  await api.listen({ port: 0, host: '127.0.0.1' })
})
afterAll(async () => {
  events.endReaders()
  await api.close()
  await events.close()
  await databases.close()
  rmSync(folder, { recursive: true })
})

const connect = (
  query: string,
  headers: Record<string, string> = { 'x-api-key': READ_KEY },
): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const { port } = api.server.address() as AddressInfo
    const url = `http://127.0.0.1:${port}/api/v1/orderevents/stream${query}`
    get(url, { headers, agent: false }, resolve).on('error', reject)
  })

const LONG = 'x'.repeat(100_000)
const long = (): readonly VenueEvent[] => [{ type: 'session', date: LONG }]

async function until(what: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1_000 && !what(); turn += 1) await new Promise((resolve) => setTimeout(resolve, 5))
  expect(what()).toBe(true)
}

it('cuts off who takes nothing, with a last event that says so; what it didn’t get is there when it comes again', async () => {
  const response = await connect('')
  let text = ''
  response.setEncoding('utf8')
  response.on('data', (more: string) => {
    text += more
  })
  response.pause()
  const last = 400 // 40 MB: more than the sockets of both sides hold
  for (let seq = 1; seq <= last; seq += 1) {
    events.keep('default', seq, clock.now(), long())
    if (seq % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  expect(events.readerCount).toBe(1)
  await new Promise((resolve) => setTimeout(resolve, 50))
  clock.advance(STALL_MS)
  await until(() => events.readerCount === 0)
  response.resume()
  await until(() => response.closed)
  expect(text.slice(text.lastIndexOf('event: end'))).toMatch(/"code":"too_slow"/)
  const ids = [...text.matchAll(/^id: (\d+)\.0$/gm)].map(([, seq]) => Number(seq))
  expect(ids.length).toBeLessThan(last)

  const again = await connect(`?after=${ids.at(-1)}.0&follow=false`)
  let rest = '' // as a whole: a line may come in two parts
  for await (const more of again.setEncoding('utf8')) rest += more
  for (const [, seq] of rest.matchAll(/^id: (\d+)\.0$/gm)) ids.push(Number(seq))
  expect(ids).toEqual(Array.from({ length: last }, (_, index) => index + 1))
})

it('many readers get the same events', async () => {
  const from = 400
  const connections = await Promise.all(Array.from({ length: 200 }, () => connect('')))
  const texts = connections.map(() => '')
  for (const [index, connection] of connections.entries())
    connection.setEncoding('utf8').on('data', (more: string) => {
      texts[index] += more
    })
  await until(() => events.readerCount === connections.length)
  for (let seq = from + 1; seq <= from + 3; seq += 1) events.keep('default', seq, clock.now(), [{ type: 'reset' }])
  await until(() => texts.every((text) => text.split('id: ').length === 4))
  expect(new Set(texts).size).toBe(1)
  for (const connection of connections) connection.destroy()
  await until(() => events.readerCount === 0)
})

it('ends when the person signs out', async () => {
  const response = await connect('', { cookie: cookieOf('viewer') })
  let text = ''
  response.setEncoding('utf8').on('data', (more: string) => {
    text += more
  })
  await until(() => text !== '')
  isSignedIn = false
  await new Promise((resolve) => setTimeout(resolve, 50))
  clock.advance(HEARTBEAT_MS)
  await until(() => response.closed)
  expect(text).toMatch(/event: end\ndata: \{"code":"access_ended"/)
})
