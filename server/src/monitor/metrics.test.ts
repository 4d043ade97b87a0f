import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Steps } from '../kernel/steps.ts'
import type { FinishedRequest } from './finished-request.ts'
import { Metrics } from './metrics.ts'
import { BUCKET_SECONDS, CODES_MAX, RequestCounts, ROUTES_MAX } from './request-counts.ts'

const request = (more: Partial<FinishedRequest> = {}): FinishedRequest => ({
  at: 0,
  requestId: 'req-secretid',
  traceId: '',
  method: 'POST',
  route: 'quotes',
  path: '/api/v1/quotes',
  status: 200,
  code: '',
  bytesIn: 0,
  bytesOut: 0,
  durationMs: 1,
  address: '192.0.2.77',
  userId: 'usr_secretuser',
  keyId: 'key_secretkey',
  userAgent: 'secret agent',
  steps: new Steps(() => 0),
  ...more,
})

function metricsOf() {
  let waiting = 3
  let lost = 0
  const metrics = new Metrics({
    orderOperations: ['placeorder'],
    gauges: { rows_waiting: { help: 'Rows that wait.', read: () => waiting } },
    counters: { rows_lost: { help: 'Rows that were lost.', read: () => lost } },
  })
  const samples = async () => (await metrics.text()).text.split('\n').filter((line) => line.startsWith('sauda_'))
  const set = (figures: { waiting: number; lost: number }) => {
    waiting = figures.waiting
    lost = figures.lost
  }
  return { metrics, samples, set }
}

describe('metrics', () => {
  it('count requests by method, route and class of status, however often they are read', async () => {
    const { metrics, samples } = metricsOf()
    metrics.record(request())
    metrics.record(request({ status: 204 }))
    metrics.record(request({ status: 429, code: 'rate_limited' }))
    metrics.record(request({ method: 'GET', route: '/login' }))
    for (let times = 0; times < 2; times += 1) {
      expect(await samples()).toEqual(
        expect.arrayContaining([
          'sauda_http_requests_total{route="quotes",method="POST",status="2xx"} 2',
          'sauda_http_requests_total{route="quotes",method="POST",status="4xx"} 1',
          'sauda_http_requests_total{route="/login",method="GET",status="2xx"} 1',
          'sauda_refusals_total{code="rate_limited"} 1',
        ]),
      )
    }
  })

  it('tell how orders ended', async () => {
    const { metrics, samples } = metricsOf()
    metrics.record(request({ route: 'placeorder' }))
    metrics.record(request({ route: 'placeorder', status: 400, code: 'order_rejected' }))
    metrics.record(request({ route: 'placeorder', status: 499 }))
    metrics.record(request({ route: 'quotes', status: 400, code: 'validation_failed' }))
    expect((await samples()).filter((line) => line.startsWith('sauda_order_'))).toEqual([
      'sauda_order_requests_total{operation="placeorder",outcome="success"} 1',
      'sauda_order_requests_total{operation="placeorder",outcome="order_rejected"} 1',
      'sauda_order_requests_total{operation="placeorder",outcome="unanswered"} 1',
    ])
    expect((await samples()).filter((line) => line.includes('status='))).toEqual([
      'sauda_http_requests_total{route="placeorder",method="POST",status="2xx"} 1',
      'sauda_http_requests_total{route="placeorder",method="POST",status="4xx"} 1',
      'sauda_http_requests_total{route="placeorder",method="POST",status="unanswered"} 1',
      'sauda_http_requests_total{route="quotes",method="POST",status="4xx"} 1',
    ])
    expect(await samples()).toContain('sauda_http_request_duration_seconds_count{route="placeorder"} 2')
  })

  it('put durations in a histogram of Prometheus', async () => {
    const { metrics, samples } = metricsOf()
    for (const durationMs of [0.5, 0.6, 3, 20_000]) metrics.record(request({ durationMs }))
    const lines = (await samples()).filter((line) => line.startsWith('sauda_http_request_duration_seconds'))
    expect(lines).toEqual([
      ...BUCKET_SECONDS.map((bound) => {
        const below = bound < 0.001 ? 1 : bound < 0.005 ? 2 : 3
        return `sauda_http_request_duration_seconds_bucket{route="quotes",le="${bound}"} ${below}`
      }),
      'sauda_http_request_duration_seconds_bucket{route="quotes",le="+Inf"} 4',
      'sauda_http_request_duration_seconds_sum{route="quotes"} 20.0041',
      'sauda_http_request_duration_seconds_count{route="quotes"} 4',
    ])
    expect((await metrics.text()).text).toContain('# TYPE sauda_http_request_duration_seconds histogram')
  })

  it('read figures when they are asked for', async () => {
    const { metrics, samples, set } = metricsOf()
    expect(await samples()).toEqual(expect.arrayContaining(['sauda_rows_waiting 3', 'sauda_rows_lost_total 0']))
    set({ waiting: 1, lost: 5 })
    expect(await samples()).toEqual(expect.arrayContaining(['sauda_rows_waiting 1', 'sauda_rows_lost_total 5']))
    const { text, contentType } = await metrics.text()
    expect(text).toContain('# TYPE sauda_rows_lost_total counter')
    expect(text).toContain('# TYPE sauda_rows_waiting gauge')
    expect(text).toContain('nodejs_eventloop_lag_seconds')
    expect(contentType).toContain('text/plain')
  })

  it('tell of nobody in particular', async () => {
    const { metrics } = metricsOf()
    metrics.record(request({ route: 'placeorder', path: '/secretpath' }))
    const { text } = await metrics.text()
    for (const secret of ['secret', '192.0.2.77']) expect(text).not.toContain(secret)
  })
})

describe('counts of requests', () => {
  it('are bounded, and lose nothing', () => {
    const counts = new RequestCounts([])
    const total = ROUTES_MAX + 50
    for (let index = 0; index < total; index += 1) {
      counts.record(request({ route: `route-${index}`, code: `code-${index}`, method: `METHOD${index % 300}` }))
      counts.record(request({ route: '', method: `METHOD${index}` }))
    }
    const requests = [...counts.requests()]
    expect(new Set(requests.map(([{ route }]) => route)).size).toBe(ROUTES_MAX)
    expect([...new Set(requests.map(([{ method }]) => method))]).toEqual(['other'])
    expect(requests.reduce((sum, [, times]) => sum + times, 0)).toBe(2 * total)
    const refusals = [...counts.refusals()]
    expect(refusals).toHaveLength(CODES_MAX + 1)
    expect(refusals.at(-1)).toEqual([{ code: 'other' }, total - CODES_MAX])
  })

  it('of durations agree with the durations', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 30_000, noNaN: true })), (durations) => {
        const counts = new RequestCounts([])
        for (const durationMs of durations) counts.record(request({ durationMs }))
        const [found] = [...counts.durations()]
        expect(found?.count ?? 0).toBe(durations.length)
        for (const [index, bound] of BUCKET_SECONDS.entries())
          expect(found?.buckets[index] ?? 0).toBe(durations.filter((ms) => ms / 1000 <= bound).length)
        expect(found?.seconds ?? 0).toBeCloseTo(durations.reduce((sum, ms) => sum + ms, 0) / 1000, 6)
      }),
    )
  })
})
