import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Download, download } from '../download.ts'
import { text } from '../field.ts'
import { type Access, type Context, defineOperation, type Method } from '../operation.ts'
import { ADMIN_KEY, cookieOf, ELSEWHERE_KEY, EXPIRED_KEY, testApi } from '../test-api.ts'

const contexts: Context[] = []
const guarded = <const Name extends string, const Verb extends Method>(name: Name, method: Verb, access: Access) =>
  defineOperation({
    name,
    method,
    tag: 'Utilities',
    summary: 'Guarded',
    description: 'Is guarded.',
    access,
    rateClass: 'read',
    input: { note: text({ max: 20, secret: true }).optional('') },
    output: Type.Object({ status: Type.Literal('success') }),
    example: {},
    handle(_input, context) {
      contexts.push(context)
      return { status: 'success' as const }
    },
  })

const csv = defineOperation({
  name: 'csv',
  method: 'GET',
  tag: 'Utilities',
  summary: 'Rows',
  description: 'Rows.',
  access: 'read',
  rateClass: 'read',
  input: {},
  output: download('text/csv'),
  example: {},
  handle: () => new Download('text/csv; charset=utf-8', 'rows.csv', rows()),
})

async function* rows(): AsyncGenerator<string> {
  yield 'a,b\n'
  await Promise.resolve()
  yield '1,2\n'
}

let app: FastifyInstance
beforeAll(async () => {
  app = await testApi([
    guarded('look', 'GET', 'read'),
    guarded('trade', 'POST', 'trade'),
    guarded('rule', 'POST', 'admin'),
    guarded('self', 'POST', 'session'),
    guarded('open', 'POST', 'public'),
    csv,
  ])
})
afterAll(() => app.close())

interface Sent {
  readonly method?: 'GET' | 'POST'
  readonly headers?: Record<string, string>
  readonly payload?: string
}

async function send(name: string, { method = 'POST', headers = {}, payload = '{}' }: Sent = {}) {
  const asked = contexts.length
  const type: Record<string, string> = method === 'GET' ? {} : { 'content-type': 'application/json' }
  const body = method === 'GET' ? {} : { payload }
  const answer = await app.inject({ method, url: `/api/v1/${name}`, headers: { ...type, ...headers }, ...body })
  const { code } = answer.statusCode === 200 ? { code: '' } : answer.json<{ code: string }>()
  return { status: answer.statusCode, code, ran: contexts.length > asked, answer }
}

const outcome = async (name: string, sent?: Sent) => {
  const { status, code, ran } = await send(name, sent)
  return [status, code, ran]
}

describe('a signed-in person', () => {
  it.each([
    ['viewer', [200, 403, 403, 200]],
    ['trader', [200, 200, 403, 200]],
    ['admin', [200, 200, 200, 200]],
  ] as const)('who is %s may do what the role may', async (role, expected) => {
    const headers = { cookie: `x=1; ${cookieOf(role)}` }
    const statuses = [
      await send('look', { method: 'GET', headers }),
      await send('trade', { headers }),
      await send('rule', { headers }),
      await send('self', { headers }),
    ]
    expect(statuses.map(({ status }) => status)).toEqual(expected)
    for (const { status, code, ran } of statuses) {
      expect([code, ran]).toEqual(status === 200 ? ['', true] : ['role_missing', false])
    }
    expect(contexts.at(-1)?.caller).toMatchObject({ kind: 'session', role, sessionId: `ses_${role}` })
  })

  it.each([
    ['another site', { origin: 'http://evil.example' }, 403, 'cross_origin'],
    ['our own pages', { origin: 'http://localhost' }, 200, ''],
    ['a program', {}, 200, ''],
  ])('is believed depending on who sends it: %s', async (_, headers, status, code) => {
    for (const name of ['trade', 'self', 'open']) {
      const sent = { headers: { cookie: cookieOf('admin'), ...headers } }
      expect(await outcome(name, sent)).toEqual([status, code, status === 200])
    }
    const read = { method: 'GET', headers: { cookie: cookieOf('admin'), ...headers } } as const
    expect(await outcome('look', read)).toEqual([status, code, status === 200])
  })

  it.each(['text/plain', 'application/x-www-form-urlencoded', ''])(
    'must say that the body is JSON: %j is refused',
    async (type) => {
      for (const name of ['self', 'open']) {
        const sent = { headers: { cookie: cookieOf('admin'), 'content-type': type } }
        expect(await outcome(name, sent)).toEqual([415, 'unsupported_media_type', false])
      }
    },
  )

  it('counts less than a key, which is sent on purpose', async () => {
    const headers = { cookie: cookieOf('viewer'), 'x-api-key': ADMIN_KEY, origin: 'http://evil.example' }
    expect(await outcome('rule', { headers })).toEqual([200, '', true])
    expect(contexts.at(-1)?.caller.kind).toBe('key')
  })
})

describe('nobody', () => {
  it('is told to sign in, or to send a key', async () => {
    for (const cookie of ['', 'sauda_session=', 'sauda_session=nobody', 'sauda_session="admin"', 'session=admin']) {
      expect(await outcome('self', { headers: { cookie } })).toEqual([401, 'session_missing', false])
      expect(await outcome('trade', { headers: { cookie } })).toEqual([401, 'api_key_missing', false])
      expect(await outcome('open', { headers: { cookie } })).toEqual([200, '', true])
    }
  })
})

describe('a key', () => {
  it.each([
    [EXPIRED_KEY, 'api_key_expired'],
    [ELSEWHERE_KEY, 'address_not_allowed'],
  ])('%s is refused with a code of its own', async (key, code) => {
    expect(await outcome('rule', { headers: { 'x-api-key': key } })).toEqual([403, code, false])
  })

  it('is no person', async () => {
    expect(await outcome('self', { headers: { 'x-api-key': ADMIN_KEY } })).toEqual([403, 'session_required', false])
  })

  it('may not be in the query of a GET that has no need of it', async () => {
    const sent = await send(`look?apikey=${ADMIN_KEY}`, { method: 'GET' })
    expect([sent.status, sent.code, sent.ran]).toEqual([400, 'api_key_in_query', false])
    expect(sent.answer.payload).not.toContain(ADMIN_KEY)
  })
})

describe('a secret field', () => {
  it('is not repeated when it is wrong', async () => {
    const payload = JSON.stringify({ note: 'a secret that is too long' })
    const { status, answer } = await send('self', { headers: { cookie: cookieOf('admin') }, payload })
    expect([status, answer.payload.includes('a secret')]).toEqual([400, false])
  })
})

describe('a download', () => {
  it('is sent as it is made, under a name', async () => {
    const { answer } = await send('csv', { method: 'GET', headers: { 'x-api-key': ADMIN_KEY } })
    expect([answer.statusCode, answer.payload]).toEqual([200, 'a,b\n1,2\n'])
    expect(answer.headers).toMatchObject({
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': 'attachment; filename="rows.csv"',
    })
  })

  it('that is refused answers in JSON', async () => {
    expect(await outcome('csv', { method: 'GET' })).toEqual([401, 'api_key_missing', false])
  })
})
