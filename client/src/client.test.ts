import { describe, expect, expectTypeOf, it } from 'vitest'
import { ApiError, type Client, createClient } from './index.ts'

interface Sent {
  readonly url: string
  readonly method: string | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

/** A client whose server gives this answer, and what it was sent. */
function clientOf(answer: Response | Error | 'never'): { client: Client; sent: Sent[] } {
  const sent: Sent[] = []
  const client = createClient({
    host: 'http://sauda.test/',
    apiKey: 'sk_test',
    timeoutMs: 30,
    fetch: (url, init) => {
      const headers = init?.headers as Record<string, string>
      sent.push({
        url: String(url),
        method: init?.method,
        headers,
        body: init?.body === undefined ? undefined : JSON.parse(String(init.body)),
      })
      if (answer instanceof Response) return Promise.resolve(answer)
      if (answer instanceof Error) return Promise.reject(answer)
      return new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error))
      })
    },
  })
  return { client, sent }
}

const json = (body: object, status = 200): Response =>
  Response.json(body, { status, headers: { 'x-request-id': 'req-1' } })

async function failureOf(promise: Promise<unknown>): Promise<ApiError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof ApiError)) throw new Error('expected an ApiError', { cause: error })
  return error
}

describe('the client', () => {
  it('sends an operation’s input with the key in a header', async () => {
    const { client, sent } = clientOf(json({ status: 'success', data: { ltp: 5 } }))
    const { data } = await client.quotes({ symbol: 'SBIN', exchange: 'NSE' })
    expect(data.ltp).toBe(5)
    expect(sent).toEqual([
      {
        url: 'http://sauda.test/api/v1/quotes',
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-api-key': 'sk_test' },
        body: { symbol: 'SBIN', exchange: 'NSE' },
      },
    ])
  })

  it('calls operations by path too, and paths of two parts by one name', async () => {
    const { client, sent } = clientOf(json({ status: 'success' }))
    await client.call('ping')
    expect(sent[0]?.url).toBe('http://sauda.test/api/v1/ping')
    const toggle = clientOf(json({ status: 'success' }))
    await toggle.client.analyzerToggle({ mode: true })
    expect(toggle.sent[0]?.url).toBe('http://sauda.test/api/v1/analyzer/toggle')
  })

  it('puts a field that the path names into the address', async () => {
    for (const name of ['call', 'tickerSymbol'] as const) {
      const { client, sent } = clientOf(json({ status: 'success', data: [] }))
      const input = { symbol: 'NSE:M&M', from: '2026-08-03', to: '2026-08-04' }
      await (name === 'call' ? client.call('ticker/:symbol', input) : client.tickerSymbol(input))
      expect(sent[0]?.url).toBe('http://sauda.test/api/v1/ticker/NSE%3AM%26M?from=2026-08-03&to=2026-08-04')
      expect(sent[0]?.method).toBe('GET')
    }
  })

  it('is not mistaken for a promise', async () => {
    const { client } = clientOf(json({ status: 'success' }))
    expect(await Promise.resolve(client)).toBe(client)
  })
})

describe('a failure', () => {
  it('that the server answers has its code, status, request id and field errors', async () => {
    const errors = [{ field: 'symbol', message: 'Missing data for required field.' }]
    const body = { status: 'error', code: 'validation_failed', message: 'symbol: Missing', errors, orderid: '1' }
    const error = await failureOf(clientOf(json(body, 400)).client.ping())
    expect(error).toMatchObject({
      code: 'validation_failed',
      status: 400,
      requestId: 'req-1',
      errors,
      message: 'symbol: Missing',
      body,
    })
  })

  it.each([
    ['a page of a proxy', new Response('<html>', { status: 502 }), 'unreadable_answer', 502],
    ['a list', Response.json([1]), 'unreadable_answer', 200],
    ['no connection', new TypeError('fetch failed'), 'connection_failed', undefined],
    ['no answer in time', 'never', 'timed_out', undefined],
  ] as const)('%s is told by its code', async (_what, answer, code, status) => {
    const error = await failureOf(clientOf(answer).client.ping())
    expect([error.code, error.status]).toEqual([code, status])
    expect(error.message).not.toContain('sk_test')
  })

  it('of a caller that gave up is the caller’s own reason', async () => {
    const { client } = clientOf('never')
    const reason = new Error('no longer wanted')
    const controller = new AbortController()
    const answer = client.ping({}, { signal: controller.signal, timeoutMs: 1000 })
    controller.abort(reason)
    await expect(answer).rejects.toBe(reason)
  })
})

describe('types', () => {
  it('of answers are those of the server', () => {
    expectTypeOf<Awaited<ReturnType<Client['quotes']>>['data']['ltp']>().toEqualTypeOf<number>()
    expectTypeOf<Awaited<ReturnType<Client['multiquotes']>>['results'][number]['error']>().toEqualTypeOf<
      string | undefined
    >()
    expectTypeOf<Parameters<Client['depth']>[0]['symbol']>().toEqualTypeOf<string>()
  })
})
