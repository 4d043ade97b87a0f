import { afterEach, describe, expect, it } from 'vitest'
import { mountProbes } from './probes.ts'
import { testServer } from './test-api.ts'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

function start(given: { reasons?: readonly string[]; metricsToken?: string } = {}) {
  const app = testServer([])
  mountProbes(app, {
    health: { notReady: () => given.reasons ?? [] },
    metrics: { text: async () => ({ contentType: 'text/plain; version=0.0.4', text: 'up 1\n' }) },
    metricsToken: given.metricsToken ?? '',
  })
  closing.push(() => app.close())
  return (url: string, headers: Record<string, string> = {}, remoteAddress = '127.0.0.1') =>
    app.inject({ method: 'GET', url, headers, remoteAddress })
}

describe('probes', () => {
  it('say that the process is alive, also when it is not ready', async () => {
    const answer = await start({ reasons: ['journal: broken'] })('/healthz')
    expect([answer.statusCode, answer.json()]).toEqual([200, { status: 'alive' }])
    expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', 'x-request-id': expect.any(String) })
  })

  it('say whether the instance is ready, and why not', async () => {
    const ready = await start()('/readyz', {}, '192.0.2.1')
    expect([ready.statusCode, ready.json()]).toEqual([200, { status: 'ready' }])
    const answer = await start({ reasons: ['journal: broken'] })('/readyz', { accept: 'text/html' })
    expect([answer.statusCode, answer.json()]).toEqual([503, { reasons: ['journal: broken'], status: 'not ready' }])
    expect(answer.headers['content-type']).toContain('application/json')
  })
})

describe('metrics without a token', () => {
  it.each(['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1'])('are told this machine (%s)', async (address) => {
    const answer = await start()('/metrics', {}, address)
    expect([answer.statusCode, answer.payload]).toEqual([200, 'up 1\n'])
    expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4')
  })

  it.each(['192.0.2.1', '10.0.0.1', '2001:db8::1', '::ffff:192.0.2.1', '1270.0.0.1'])(
    'are not told %s',
    async (address) => {
      const answer = await start()('/metrics', { authorization: 'Bearer ' }, address)
      expect(answer.statusCode).toBe(403)
      expect(answer.json()).toEqual({
        code: 'metrics_local',
        message: expect.stringContaining('METRICS_TOKEN'),
        request_id: answer.headers['x-request-id'],
        status: 'error',
      })
    },
  )

  it.each(['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'])(
    'are not told whoever comes through a proxy on this machine (%s)',
    async (header) => {
      expect((await start()('/metrics', { [header]: '127.0.0.1' })).statusCode).toBe(403)
    },
  )
})

describe('metrics with a token', () => {
  const metricsToken = 'a-token-of-24-letters-xx'

  it.each(['Bearer', 'bearer'])('are told whoever has it, from anywhere (%s)', async (scheme) => {
    const get = start({ metricsToken })
    expect((await get('/metrics', { authorization: `${scheme} ${metricsToken}` }, '192.0.2.1')).statusCode).toBe(200)
  })

  it.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    metricsToken,
    `Basic ${metricsToken}`,
    `Bearer ${metricsToken}x`,
    `Bearer ${metricsToken.slice(1)}`,
    `Bearer ${metricsToken.toUpperCase()}`,
  ])('are not told others, not even this machine (%s)', async (authorization) => {
    const answer = await start({ metricsToken })('/metrics', authorization === undefined ? {} : { authorization })
    expect(answer.statusCode).toBe(401)
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="Sauda metrics"')
    expect(answer.json()).toMatchObject({ code: 'metrics_token_wrong', request_id: answer.headers['x-request-id'] })
    expect(answer.payload).not.toContain(metricsToken)
  })
})
