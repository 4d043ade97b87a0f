import { describe, expect, it } from 'vitest'
import { type Answer, call, READ_KEY } from '../test-api.ts'
import { asked, at, SBIN, seconds, serveCandles } from './test-candles.ts'

const server = serveCandles()

async function ticker(
  symbol: string,
  query: Record<string, string> = {},
  key = READ_KEY,
): Promise<Answer & { text: string }> {
  const all = new URLSearchParams({ apikey: key, interval: '5m', from: '2026-08-03', to: '2026-08-03', ...query })
  const answer = await server.app.inject({ method: 'GET', url: `/api/v1/ticker/${symbol}?${all}` })
  const isJson = String(answer.headers['content-type']).startsWith('application/json')
  return { status: answer.statusCode, headers: answer.headers, body: isJson ? answer.json() : {}, text: answer.payload }
}

describe('ticker', () => {
  it('gives the rows of history', async () => {
    const { text } = await call(server.app, 'history', { ...SBIN, end_date: '2026-08-03' })
    expect((await ticker('NSE:SBIN')).text).toBe(text)
    expect((await ticker('nse%20:%20sbin/')).text).toBe(text)
  })

  it('takes a symbol as addresses carry it, and days when no interval is named', async () => {
    const url = `/api/v1/ticker/NSE:M%26M?from=2026-8-3&to=2026-08-04`
    const answer = await server.app.inject({ method: 'GET', url, headers: { 'x-api-key': READ_KEY } })
    expect([answer.statusCode, answer.json<{ data: object[] }>().data]).toMatchObject([
      200,
      [{ timestamp: seconds('2026-08-03T00:00Z') }, { timestamp: seconds('2026-08-04T00:00Z') }],
    ])
  })

  it('gives lines of text, with the time of day for less than a day', async () => {
    const intraday = await ticker('NSE:SBIN', { format: 'TXT' })
    const figures = '1510.0,1532.0,1504.1,1528.45,6234100'
    expect(intraday.headers['content-type']).toBe('text/plain; charset=utf-8')
    expect(intraday.text).toBe(
      ['09:15:00', '09:20:00', '12:00:00'].map((time) => `NSE:SBIN,2026-08-03,${time},${figures}`).join('\n'),
    )
    for (const interval of ['D', 'W']) {
      const { text } = await ticker('NSE:SBIN', { format: 'txt', interval })
      expect(text).toMatch(/^NSE:SBIN,2026-08-03,1510\.0,1532\.0,1504\.1,1528\.45,\d+$/)
    }
    const none = await ticker('NSE:SBIN', { format: 'txt', from: '2026-08-01', to: '2026-08-02' })
    expect([none.status, none.text]).toEqual([200, ''])
  })

  it('gives the newest first when asked to', async () => {
    const { text } = await ticker('NSE:SBIN', { format: 'txt', sort: 'desc' })
    expect(text.split('\n').map((line) => line.slice(20, 25))).toEqual(['12:00', '09:20', '09:15'])
    const { body } = await ticker('NSE:SBIN', { sort: 'desc', to: '2026-08-05' })
    expect(body).toMatchObject({ running: seconds('2026-08-05T12:00+05:30') })
    expect((body.data as { timestamp: number }[])[0]?.timestamp).toBe(seconds('2026-08-05T12:00+05:30'))
  })

  it('says that adjusted has no effect', async () => {
    const { body } = await ticker('NSE:SBIN', { adjusted: 'true' })
    expect(body).toMatchObject({ warnings: [{ field: 'adjusted' }], status: 'success' })
  })

  it('keeps a long range, and refuses one that is too long', async () => {
    const { status } = await ticker('NSE:SBIN', { from: '2025-08-05' })
    expect([status, asked.at(-1)?.fromAt]).toEqual([200, at('2025-08-05T00:00+05:30')])
    const tooLong = await ticker('NSE:SBIN', { from: '2015-01-01' })
    expect([tooLong.status, tooLong.body.code]).toEqual([400, 'range_too_long'])
  })

  const SYMBOL_RULE = 'symbol: Must be an exchange and a symbol with a colon between them, such as NSE:RELIANCE.'
  it.each([
    ['SBIN', {}, SYMBOL_RULE],
    ['NSE:', {}, SYMBOL_RULE],
    ['NSE:A:B', {}, SYMBOL_RULE],
    ['NYSE:SBIN', {}, 'symbol: Must be one of: NSE,'],
    ['NSE:SBIN', { from: '' }, 'from: Not a valid date. Got "";'],
    ['NSE:SBIN', { from: '1754179200' }, 'from: Not a valid date.'],
    ['NSE:SBIN', { to: '2026-08-02' }, 'from: Must not be after to. Got 2026-08-03, and to is 2026-08-02.'],
    ['NSE:SBIN', { interval: '1d' }, 'did you mean D?'],
    ['NSE:SBIN', { format: 'csv' }, 'format: Must be one of: JSON, TXT, json, txt'],
    ['NSE:SBIN', { sort: 'up' }, 'sort: Must be one of: asc, desc. Got "up"'],
    ['NSE:SBIN', { source: 'db' }, 'source: Unknown field.'],
  ])('refuses %s with %j', async (symbol, query, message) => {
    const { status, body } = await ticker(symbol, query)
    expect([status, body.code]).toEqual([400, 'validation_failed'])
    expect(body.message).toContain(message)
  })

  it('without a date names the field as it is named here', async () => {
    const url = `/api/v1/ticker/NSE:SBIN?apikey=${READ_KEY}`
    const { errors } = (await server.app.inject({ method: 'GET', url })).json<{ errors: object[] }>()
    expect(errors).toMatchObject([{ field: 'from' }, { field: 'to' }])
  })

  it.each([
    ['NSE:SBIM', {}, READ_KEY, 400, /^Symbol 'SBIM' not found .* Did you mean SBIN or SBILIFE\?$/],
    ['SBIN', {}, READ_KEY, 400, /^symbol: Must be an exchange and a symbol/],
    ['NSE:GONE', {}, READ_KEY, 502, /^The source is not available\.$/],
    ['NSE:SBIN', {}, 'sk_wrong', 403, /^Invalid openalgo apikey$/],
    ['NSE:SBIN', { to: '' }, READ_KEY, 400, /^to: Not a valid date\./],
  ] as const)('%s with %j fails in text where text was asked for', async (symbol, query, key, status, message) => {
    const answer = await ticker(symbol, { ...query, format: 'txt' }, key)
    expect([answer.status, answer.headers['content-type']]).toEqual([status, 'text/plain; charset=utf-8'])
    expect(answer.text).toMatch(message)
    expect(answer.text).not.toContain(READ_KEY)
  })
})
