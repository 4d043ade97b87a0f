import Type from 'typebox'
import { describe, expect, test } from 'vitest'
import { mountDocs } from '../docs/index.ts'
import { defineOperation } from '../operation.ts'
import { READ_KEY, testServer } from '../test-api.ts'
import { securityHeaders } from './security-headers.ts'

const KINDS = ['api', 'page', 'docs', 'asset'] as const

/** Sources of each directive of a policy. */
function directives(policy: string | undefined): Record<string, string> {
  const parts = (policy ?? '').split('; ').map((part): [string, string] => {
    const [name = '', ...sources] = part.split(' ')
    return [name, sources.join(' ')]
  })
  return Object.fromEntries(parts)
}

describe.each(KINDS)('headers of %s', (kind) => {
  test('let nobody guess types, read across origins or use devices', () => {
    const headers = securityHeaders({ publicUrl: '' })[kind]
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
      'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), screen-wake-lock=(), usb=()',
    })
  })

  test.each([
    ['', undefined],
    ['http://trade.example.com', undefined],
    ['https://trade.example.com', 'max-age=31536000'],
  ])('ask for https when PUBLIC_URL is "%s": %s', (publicUrl, expected) => {
    expect(securityHeaders({ publicUrl })[kind]['strict-transport-security']).toBe(expected)
  })

  test('are the same object for every answer, which nobody can change', () => {
    expect(Object.isFrozen(securityHeaders({ publicUrl: '' })[kind])).toBe(true)
  })
})

describe.each(['page', 'docs'] as const)('the policy of %s', (kind) => {
  test('lets in nothing that is not ours, no script or style in the page, and no frame around it', () => {
    expect(directives(securityHeaders({ publicUrl: '' })[kind]['content-security-policy'])).toEqual({
      'default-src': "'none'",
      'script-src': "'self'",
      'style-src': "'self'",
      'img-src': "'self' data:",
      'connect-src': "'self'",
      'form-action': "'self'",
      'base-uri': "'none'",
      'frame-ancestors': "'none'",
    })
  })

  test('keeps windows of other origins away under https, which alone has that', () => {
    const opener = (publicUrl: string) => securityHeaders({ publicUrl })[kind]['cross-origin-opener-policy']
    expect([opener('https://trade.example.com'), opener('')]).toEqual(['same-origin', undefined])
  })

  test('leaves the origin of our forms to be seen by ourselves', () => {
    expect(securityHeaders({ publicUrl: '' })[kind]['referrer-policy']).toBe('same-origin')
  })
})

test('pages and answers are not kept, and the documentation is asked for anew', () => {
  const headers = securityHeaders({ publicUrl: '' })
  expect(KINDS.map((kind) => headers[kind]['cache-control'])).toEqual(['no-store', 'no-store', 'no-cache', undefined])
})

describe('an answer under /api/', () => {
  const { api, docs } = securityHeaders({ publicUrl: 'https://trade.example.com' })
  const ping = defineOperation({
    name: 'ping',
    method: 'GET',
    tag: 'Utilities',
    summary: 'Ping',
    description: 'Pings.',
    access: 'read',
    rateClass: 'read',
    input: {},
    output: Type.Object({ status: Type.Literal('success') }),
    example: {},
    handle: () => ({ status: 'success' as const }),
  })

  test.each([
    ['GET', '/api/v1/ping', 200],
    ['HEAD', '/api/v1/ping', 200],
    ['OPTIONS', '/api/v1/ping', 204],
    ['POST', '/api/v1/ping', 405],
    ['GET', '/api/v1/nowhere', 404],
    ['HEAD', '/api/v1/nowhere', 404],
  ] as const)('has them: %s %s', async (method, url, status) => {
    const app = testServer([ping], {}, { pipeline: { apiHeaders: api } })
    const answer = await app.inject({ method, url, headers: { 'x-api-key': READ_KEY } })
    expect(answer.statusCode).toBe(status)
    expect(answer.headers).toMatchObject(api)
    expect(answer.headers['content-security-policy']).toBe("default-src 'none'; frame-ancestors 'none'")
    expect(answer.headers['referrer-policy']).toBe('no-referrer')
    await app.close()
  })

  test('that is the documentation has its own, and keeps its files', async () => {
    const app = testServer([ping], {}, { pipeline: { apiHeaders: api } })
    mountDocs(app, [ping], {
      version: '0.0.0',
      firstOrderId: () => '26010100000001',
      nextExpiry: () => '06JAN26',
      headers: docs,
    })
    const page = await app.inject({ url: '/api/v1/' })
    expect(page.headers).toMatchObject(docs)
    expect(page.payload).not.toMatch(/<style|style=|<script>|<script [^>]*>[^<]/)
    const [, script = ''] = /src="([^"]+bundle\.js)"/.exec(page.payload) ?? []
    expect((await app.inject({ url: script })).headers).toMatchObject({
      'cache-control': 'public, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
    })
    await app.close()
  })
})
