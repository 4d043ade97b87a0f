import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CHART_BYTES_MAX, CHART_KEYS_MAX, ChartStore } from '../../identity/chart-store.ts'
import { ManualClock } from '../../kernel/clock.ts'
import { type Databases, openDatabases } from '../../storage/open.ts'
import { ADMIN_KEY, call, cookieOf, READ_KEY, testApi } from '../test-api.ts'
import { chart, chartdelete, chartset } from './chart.ts'

let app: FastifyInstance
let databases: Databases
let charts: ChartStore
let folder: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-chart-'))
  const clock = new ManualClock(0)
  databases = await openDatabases(folder, clock)
  charts = new ChartStore({ record: databases.record, clock })
  app = await testApi([chart, chartset, chartdelete], { charts }, { bodyBytesMax: 4 * 1024 * 1024 })
})
afterAll(async () => {
  await app.close()
  await databases.close()
  rmSync(folder, { recursive: true })
})

const set = (preferences: object | string, path = 'chart') =>
  app.inject({
    method: 'POST',
    url: `/api/v1/${path}`,
    headers: { 'content-type': 'application/json', 'x-api-key': READ_KEY },
    payload: preferences,
  })

async function read(headers: Record<string, string> = { 'x-api-key': READ_KEY }): Promise<Record<string, unknown>> {
  const answer = await app.inject({ method: 'GET', url: '/api/v1/chart', headers })
  expect(answer.statusCode).toBe(200)
  return (answer.json() as { data: Record<string, unknown> }).data
}

const clear = async () => {
  const keys = Object.keys(await read())
  if (keys.length > 0) await charts.delete(undefined, keys)
}

describe('chart preferences', () => {
  it('are answered as the official server answers them', async () => {
    const posted = await call(app, 'chart', { tv_theme: 'dark', tv_chart_layout: '{"interval":"15m"}' }, READ_KEY)
    expect([posted.status, posted.text]).toEqual([
      200,
      '{"message":"Preferences updated successfully","status":"success"}',
    ])
    const { payload, headers } = await app.inject(`/api/v1/chart?apikey=${READ_KEY}`)
    expect(payload).toBe(
      '{"data":{"tv_chart_layout":"{\\"interval\\":\\"15m\\"}","tv_theme":"dark"},"status":"success"}',
    )
    expect(headers['content-type']).toBe('application/json; charset=utf-8')
  })

  it('can be any JSON value, and come back as they were set', async () => {
    await clear()
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1, maxLength: 50 }), fc.jsonValue(), async (key, value) => {
        const body = JSON.stringify({ [key]: value })
        fc.pre(key !== 'apikey' && key.isWellFormed())
        expect((await set(body)).statusCode).toBe(200)
        const { payload } = await app.inject({ url: '/api/v1/chart', headers: { 'x-api-key': READ_KEY } })
        const { data } = JSON.parse(payload) as { data: Record<string, unknown> }
        expect(JSON.stringify(Object.entries(data).find(([name]) => name === key)?.[1])).toBe(JSON.stringify(value))
        await charts.delete(undefined, [key])
      }),
      { numRuns: 60 },
    )
  })

  it.each(['__proto__', 'constructor', 'toString', 'others', '💹', 'a b'])('may be called %s', async (key) => {
    await clear()
    expect((await set(`{${JSON.stringify(key)}:{"deep":[1,null,true]}}`)).statusCode).toBe(200)
    const { payload } = await app.inject({ url: '/api/v1/chart', headers: { 'x-api-key': READ_KEY } })
    expect(payload).toBe(`{"data":{${JSON.stringify(key)}:{"deep":[1,null,true]}},"status":"success"}`)
  })

  it('stay as they are when others are set, and all are set or none', async () => {
    await clear()
    await set({ a: 1, b: { x: [] } })
    await set({ b: null, c: false }, 'chart/set')
    expect(await read()).toEqual({ a: 1, b: null, c: false })
    expect((await set({ a: 2, ['k'.repeat(51)]: 1 })).statusCode).toBe(400)
    expect(await read()).toEqual({ a: 1, b: null, c: false })
  })

  it('are deleted by key', async () => {
    await clear()
    await set({ a: 1, b: 2 })
    const { body } = await call(app, 'chart/delete', { keys: ['b', 'nope'] }, READ_KEY)
    expect(body).toEqual({ deleted: ['b'], message: 'Deleted 1 preferences', status: 'success' })
    expect(await read()).toEqual({ a: 1 })
    expect((await call(app, 'chart/delete', { keys: ['b'] }, READ_KEY)).body).toMatchObject({ deleted: [] })
  })

  it('are each user’s own, and the first user gets what a key without an owner has set', async () => {
    await clear()
    await set({ theme: 'dark' })
    expect(await read({ cookie: cookieOf('viewer') })).toEqual({})
    await charts.adopt('usr_viewer')
    expect(await read()).toEqual({})
    expect(await read({ cookie: cookieOf('viewer') })).toEqual({ theme: 'dark' })
    expect(await read({ cookie: cookieOf('trader') })).toEqual({})
  })
})

describe('a chart request that is wrong', () => {
  const SOME_KEY = `sk_${'k'.repeat(43)}`
  const many = Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`k${index}`, index]))
  it.each<[string, object, string]>([
    ['nothing', {}, 'No preferences provided to update. Send at least one field, such as {"tv_theme":"dark"}.'],
    ['too many keys', many, 'Too many preference keys (max 50). Got 51.'],
    [
      'a long key',
      { ['k'.repeat(51)]: 1 },
      `${'k'.repeat(51)}: Preference key too long: ${'k'.repeat(20)}... (max 50 chars)`,
    ],
    ['an empty key', { '': 1 }, 'A preference key must not be empty.'],
    [
      'a large value',
      { layout: 'x'.repeat(1024 * 1024) },
      'layout: Preference value too large for key: layout (max 1MB). Got 1048578 characters of JSON.',
    ],
    ['a key deep inside', { layout: { a: [`x${SOME_KEY}`] } }, 'layout: Must not contain an API key.'],
    ['a key as a name', { [SOME_KEY]: 1 }, '[scrubbed]: Must not contain an API key.'],
  ])('with %s is refused, and nothing is set', async (_what, preferences, message) => {
    await clear()
    const answer = await set(preferences)
    expect([answer.statusCode, answer.json()]).toMatchObject([400, { code: 'validation_failed', message }])
    expect(answer.payload).not.toContain(SOME_KEY)
    expect(await read()).toEqual({})
  })

  it.each([
    [{}, 'keys: Missing data for required field.'],
    [{ keys: [] }, 'keys: Must contain 1 to 50 items. Got 0.'],
    [{ keys: 'a' }, 'keys: Not a valid list. Got "a".'],
    [{ keys: [1] }, 'keys[0]: Not a valid string. Got 1.'],
    [{ keys: [''] }, 'keys[0]: Length must be between 1 and 50. Got "".'],
  ])('to delete %j is refused', async (input, message) => {
    const { status, body } = await call(app, 'chart/delete', input, READ_KEY)
    expect([status, body.message]).toEqual([400, message])
  })

  it('without a key is 401, with another method 405', async () => {
    expect((await app.inject('/api/v1/chart')).statusCode).toBe(401)
    const put = await app.inject({ method: 'PUT', url: '/api/v1/chart' })
    expect([put.statusCode, put.headers['allow']]).toEqual([405, 'GET, POST, HEAD, OPTIONS'])
  })
})

describe('what a user may keep', () => {
  it('is limited in keys and in bytes, whatever is asked at the same time', async () => {
    await clear()
    const batch = (from: number) => Array.from({ length: 50 }, (_, index) => ({ key: `k${from + index}`, value: '1' }))
    const asked = Array.from({ length: CHART_KEYS_MAX / 50 + 2 }, (_, index) => charts.set('full', batch(index * 50)))
    const results = await Promise.allSettled(asked)
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(2)
    expect(await charts.all('full')).toHaveLength(CHART_KEYS_MAX)
    await charts.set('full', [{ key: 'k0', value: '2' }]) // what is there may change
    const large = { key: 'k1', value: `"${'x'.repeat(CHART_BYTES_MAX)}"` }
    await expect(charts.set('full', [large])).rejects.toMatchObject({
      code: 'too_many_preferences',
      message: expect.stringMatching(
        /at most 500 preferences of 8388608 bytes together; with these .* 500 of 83\d+ bytes/,
      ),
    })
  })

  it('is still there after a restart', async () => {
    await set({ kept: { yes: true } })
    const again = new ChartStore({ record: databases.record, clock: new ManualClock(1) })
    expect(await again.all(undefined)).toContainEqual({ key: 'kept', value: '{"yes":true}' })
    expect((await call(app, 'chart', { admin: 1 }, ADMIN_KEY)).status).toBe(200)
  })
})
