import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { choice, quantity } from '../field.ts'
import { type Access, defineOperation } from '../operation.ts'
import { ADMIN_KEY, POWERLESS_KEY, READ_KEY, TRADE_KEY, testApi } from '../test-api.ts'

const guarded = <const Name extends string>(name: Name, access: Access) =>
  defineOperation({
    name,
    method: 'POST',
    tag: 'Utilities',
    summary: 'Guarded',
    description: 'Needs a key.',
    access,
    rateClass: 'read',
    input: { action: choice(['BUY', 'SELL']), quantity: quantity() },
    output: Type.Object({ status: Type.Literal('success') }),
    example: { action: 'BUY', quantity: 1 },
    handle: () => ({ status: 'success' as const }),
  })

const good = { action: 'BUY', quantity: 1 }

let app: FastifyInstance
beforeAll(async () => {
  app = await testApi([guarded('read', 'read'), guarded('trade', 'trade'), guarded('admin', 'admin')])
})
afterAll(() => app.close())

interface WireBody {
  readonly code?: string
  readonly message?: string
  readonly errors?: unknown
}

async function send(body: object, headers: Record<string, string> = {}, name = 'trade') {
  const answer = await app.inject({ method: 'POST', url: `/api/v1/${name}`, headers, payload: body })
  return {
    status: answer.statusCode,
    headers: answer.headers,
    json: answer.json<WireBody>(),
    text: answer.payload,
  }
}

const withKey = (body: object, key = TRADE_KEY) => ({ apikey: key, ...body })

describe('the key', () => {
  it.each([
    ['body', good, {}, TRADE_KEY],
    ['X-API-KEY', good, { 'x-api-key': TRADE_KEY }, undefined],
    ['bearer', good, { authorization: `Bearer ${TRADE_KEY}` }, undefined],
    ['bearer in lower case', good, { authorization: `bearer ${TRADE_KEY}` }, undefined],
    ['the same twice', good, { 'x-api-key': TRADE_KEY }, TRADE_KEY],
  ])('may be in the %s', async (_where, body, headers, key) => {
    const { status } = await send(key === undefined ? body : withKey(body, key), headers as Record<string, string>)
    expect(status).toBe(200)
  })

  it('missing is 401 and says how to send it', async () => {
    for (const body of [good, { ...good, apikey: '' }, { ...good, apikey: null }]) {
      const { status, json, headers } = await send(body)
      expect([status, json.code, headers['www-authenticate']]).toEqual([
        401,
        'api_key_missing',
        'Bearer realm="Sauda API"',
      ])
    }
  })

  it('unknown is 403 with the text that clients know', async () => {
    for (const key of ['sk_unknown', 'x'.repeat(5000), '__proto__']) {
      const { status, json } = await send(withKey(good, key))
      expect([status, json.code, json.message]).toEqual([403, 'api_key_invalid', 'Invalid openalgo apikey'])
    }
  })

  it('is checked before the fields', async () => {
    expect((await send({ apikey: 'sk_unknown', quantity: -1 })).status).toBe(403)
    expect((await send({ quantity: -1 })).status).toBe(401)
  })

  it('in two different forms is 400', async () => {
    const { status, json } = await send(withKey(good), { 'x-api-key': READ_KEY })
    expect([status, json.code]).toEqual([400, 'api_key_conflict'])
  })

  it('that is not text is 400', async () => {
    const { status, json } = await send({ ...good, apikey: 123456789 })
    expect([status, json.errors]).toEqual([400, [{ field: 'apikey', message: 'Not a valid string.' }]])
  })

  it.each([
    [POWERLESS_KEY, 'none', []],
    [READ_KEY, 'read', ['read']],
    [TRADE_KEY, 'trade', ['read', 'trade']],
    [ADMIN_KEY, 'admin', ['read', 'trade', 'admin']],
  ] as const)('%s opens what its scopes include', async (key, held, open) => {
    for (const name of ['read', 'trade', 'admin'] as const) {
      const { status, json } = await send(withKey(good, key), {}, name)
      if ((open as readonly string[]).includes(name)) expect(status).toBe(200)
      else {
        const message = `This API key lacks the scope ${name}; its scopes are: ${held}. Use a key that has ${name}.`
        expect([status, json]).toMatchObject([403, { code: 'scope_missing', message }])
      }
    }
  })

  it('is never repeated, wherever in the input it stood', async () => {
    const odd = { ...good, quantity: TRADE_KEY, action: `x${TRADE_KEY}`, [TRADE_KEY]: 1 }
    const { status, text: body } = await send(withKey(odd))
    expect(status).toBe(400)
    expect(body).not.toContain(TRADE_KEY)
    expect(body).toContain('[apikey]')
  })
})
