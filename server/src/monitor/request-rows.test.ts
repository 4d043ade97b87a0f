import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../kernel/clock.ts'
import { RowReader, TEXT } from '../storage/packed-rows.ts'
import type { FinishedRequest } from './finished-request.ts'
import { requestLines } from './request-lines.ts'
import { REQUEST_COLUMNS, REQUEST_PLACES, RequestRows, ROWS_MAX, TEXT_LENGTH_MAX } from './request-rows.ts'
import { finishedRequest } from './test-finished-request.ts'

const KEY = `sk_${'Ab3_-xYz'.repeat(6).slice(0, 43)}`

function open() {
  const clock = new ManualClock(0)
  const requests = new RequestRows(clock)
  const taken: Record<string, unknown>[] = []
  let lines = ''
  const stop = requests.follow((rows) => {
    const reader = new RowReader(rows)
    const cell = (column: number, row: number) =>
      REQUEST_COLUMNS[column] === TEXT ? reader.text(column, row) : reader.number(column, row)
    for (let row = 0; row < rows.count; row += 1)
      taken.push(Object.fromEntries(Object.entries(REQUEST_PLACES).map(([name, column]) => [name, cell(column, row)])))
    lines += requestLines(rows)
  })
  return { clock, requests, taken, stop, lines: () => lines.split('\n').slice(0, -1) }
}

/** The lines of some requests. */
function linesOf(...finished: readonly FinishedRequest[]): string[] {
  const { requests, lines } = open()
  for (const one of finished) requests.add(one)
  requests.close()
  return lines()
}

describe('finished requests', () => {
  it('are handed on in order, after a while or when there are many', () => {
    const { clock, requests, taken } = open()
    requests.add(finishedRequest({ requestId: 'req-a' }))
    requests.add(finishedRequest({ requestId: 'req-b' }))
    expect([taken, requests.waiting]).toEqual([[], 2])
    clock.advance(200)
    expect([taken.map((row) => row['request_id']), requests.waiting]).toEqual([['req-a', 'req-b'], 0])
    for (let index = 0; index <= ROWS_MAX; index += 1) requests.add(finishedRequest({ requestId: `req-${index}` }))
    expect([taken.length, requests.waiting]).toEqual([2 + ROWS_MAX, 1])
    requests.close()
    expect(taken.at(-1)).toMatchObject({ request_id: `req-${ROWS_MAX}` })
  })

  it('say all that the traffic log keeps', () => {
    const { requests, taken } = open()
    requests.add(finishedRequest({ traceId: 'f'.repeat(32), code: 'not_found', status: 404, durationMs: 1.23456 }))
    requests.close()
    expect(taken).toEqual([
      {
        at: 1_790_000_040_000,
        request_id: 'req-0123456789',
        method: 'POST',
        route: 'placeorder',
        path: '/api/v1/placeorder',
        status: 404,
        code: 'not_found',
        bytes_in: 210,
        bytes_out: 320,
        duration_us: 1_235,
        address: '127.0.0.1',
        user_id: 'usr_abcdefghij',
        key_id: 'key_abcdefghij',
        user_agent: 'curl/8',
        trace_id: 'f'.repeat(32),
      },
    ])
  })

  it('are told to nobody who has ceased to follow', () => {
    const { requests, taken, stop } = open()
    stop()
    requests.add(finishedRequest())
    requests.close()
    expect(taken).toEqual([])
  })

  it('lose a key wherever a client can put one, before anything is cut off', () => {
    const { requests, taken } = open()
    const across = `/${'x'.repeat(TEXT_LENGTH_MAX - 20)}${KEY}`
    requests.add(finishedRequest({ path: across, userAgent: `${KEY} ${KEY}`, requestId: KEY, method: KEY }))
    requests.close()
    expect(JSON.stringify(taken)).not.toContain(KEY.slice(0, 12))
    expect(taken[0]?.['path']).toMatch(/x\[scrubbed\]$/)
    expect(taken[0]?.['user_agent']).toBe('[scrubbed] [scrubbed]')
  })
})

describe('the line of a request', () => {
  it('is one line of JSON with all that is known', () => {
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
    const refused = finishedRequest({ status: 429, code: 'rate_limited', traceId })
    const [first, second, ...more] = linesOf(finishedRequest(), refused).map((line) => JSON.parse(line))
    const { steps: _, traceId: __, code: ___, at, ...told } = finishedRequest()
    expect(first).toEqual({
      ...told,
      durationMs: 1.235,
      level: 30,
      time: at,
      msg: 'request',
      pid: process.pid,
      hostname: expect.any(String),
    })
    expect(second).toMatchObject({ code: 'rate_limited', traceId, status: 429 })
    expect(more).toEqual([])
  })

  it('can not be broken or forged by what a client sends', () => {
    const unit = fc.constantFrom('a', '"', '\\', '\n', '\r', '\u2028', '\0', 'é', '\ud800', '{', '}')
    const sent = fc.string({ unit })
    fc.assert(
      fc.property(sent, sent, (path, userAgent) => {
        const lines = linesOf(finishedRequest({ path, userAgent }))
        expect(lines).toHaveLength(1)
        expect(JSON.parse(lines[0] ?? '')).toMatchObject({ path, userAgent, status: 200 })
      }),
    )
  })
})
