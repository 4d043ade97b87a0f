import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exampleOf } from './api/openapi.ts'
import type { AnyOperation } from './api/operation.ts'
import { operations } from './api/v1/index.ts'
import { type App, createApp, type Events } from './app.ts'
import { loadConfig } from './config.ts'
import { OWNER } from './identity/audit.ts'
import { ManualClock } from './kernel/clock.ts'

/** What somebody who has just installed Sauda does: press "Try it out" on one operation after the other. */

let app: App
let folder: string
let key = ''
const events: Events['paper'][] = []
const OPTIONS = { version: '', firstOrderId: '26112500000001', nextExpiry: '01DEC26' }

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-examples-'))
  const config = loadConfig(
    { DATA_DIR: folder, API_RATE_LIMIT: '1000 per second', ORDER_RATE_LIMIT: '1000 per second' },
    folder,
  )
  app = await createApp(config, new ManualClock('2026-11-25T11:00:00+05:30'), pino({ level: 'silent' }))
  key = (await app.keys.createFirstKey(OWNER))?.text ?? ''
  app.bus.subscribe('paper', {
    name: 'test',
    handle: (event) => {
      events.push(event)
    },
    onError: (error) => {
      throw error
    },
  })
})
afterAll(async () => {
  await app.close()
  rmSync(folder, { recursive: true })
})

const isForKeys = ({ access }: AnyOperation): boolean => access !== 'public' && access !== 'session'
/** Needs somebody to be banned, or made, first. */
const NEEDS_MORE = new Set(['bans/lift', 'users/create', 'users/update'])
const all: readonly AnyOperation[] = operations
/** In the order of the documents, but what an order is tried on comes before it is gone. */
const tried = all.filter((operation) => isForKeys(operation) && !NEEDS_MORE.has(operation.name))

describe('on a fresh instance', () => {
  it.each(
    ['placeorder', 'orderstatus', 'modifyorder', 'cancelorder']
      .flatMap((name) => tried.filter((operation) => operation.name === name))
      .concat(tried.filter(({ name }) => !['placeorder', 'orderstatus', 'modifyorder', 'cancelorder'].includes(name)))
      .map((operation) => [operation.name, operation] as const),
  )('the example of %s works as it stands', async (name, operation) => {
    const example = exampleOf(operation, OPTIONS)
    const headers = { 'x-api-key': key, 'x-request-id': `example-of-${name.replace(/\/:?/g, '-')}` }
    const inQuery = Object.entries(example).filter(([field]) => !name.includes(`:${field}`))
    const query = new URLSearchParams(inQuery.map(([field, value]) => [field, String(value)]))
    const path = name.replace(/:(\w+)/g, (_match, field: string) => encodeURIComponent(String(example[field])))
    const answer =
      operation.method === 'GET'
        ? await app.http.inject({ method: 'GET', url: `/api/v1/${path}?${query}`, headers })
        : await app.http.inject({ method: 'POST', url: `/api/v1/${name}`, headers, payload: example })
    expect([answer.statusCode, answer.payload.slice(0, 300)]).toEqual([200, expect.any(String)])
  })

  it('what an order causes names the request that it came with', () => {
    expect(events.map(({ requestId }) => requestId).slice(0, 3)).toEqual([
      'example-of-placeorder',
      'example-of-modifyorder',
      'example-of-cancelorder',
    ])
  })
})
