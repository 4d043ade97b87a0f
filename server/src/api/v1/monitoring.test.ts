import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../kernel/clock.ts'
import { Steps } from '../../kernel/steps.ts'
import { Health, type HealthState } from '../../monitor/health.ts'
import { LatencyMonitor, type OrderTimes } from '../../monitor/latency.ts'
import { ADMIN_KEY, READ_KEY, TRADE_KEY, testApi } from '../test-api.ts'
import { health } from './health.ts'
import { latency, latencyorders } from './latency.ts'

const START = 1_790_000_000_000

async function start() {
  const clock = new ManualClock(START)
  let state: HealthState = 'pass'
  const rooms = {
    latency: new LatencyMonitor(clock),
    health: new Health({
      clock,
      checks: [
        {
          name: 'journal',
          isReadiness: true,
          read: () => ({ state, value: 4, unit: 'waiting', message: state === 'pass' ? '' : 'Disk full.' }),
        },
      ],
      intervalMs: 10_000,
      onAlert: () => undefined,
    }),
  }
  const app = await testApi([latency, latencyorders, health], rooms)
  const ask = async (path: string, key = ADMIN_KEY) => {
    const answer = await app.inject({ method: 'GET', url: `/api/v1/${path}`, headers: { 'x-api-key': key } })
    return { status: answer.statusCode, ...answer.json() }
  }
  const set = (next: HealthState) => {
    state = next
  }
  return { clock, ask, set, ...rooms }
}

it.each(['latency', 'health'])('%s is for admins', async (path) => {
  const { ask } = await start()
  expect((await ask(path)).status).toBe('success')
  for (const key of [READ_KEY, TRADE_KEY]) expect((await ask(path, key)).code).toBe('scope_missing')
})

describe('latency', () => {
  it('tells percentiles of each step within a window', async () => {
    const { ask, clock, latency: monitor } = await start()
    const steps = Object.assign(new Steps(() => 0), { validate: 0.1 })
    monitor.record({ operation: 'quotes', steps, totalMs: 2, status: 200 })
    monitor.record({ operation: 'depth', steps, totalMs: 4, status: 200 })
    const { data } = await ask('latency?operation=quotes&window=1m')
    expect(data).toEqual([
      expect.objectContaining({ operation: 'quotes', step: 'validate', count: 1, mean_ms: 0.1, max_ms: 0.1 }),
      {
        operation: 'quotes',
        step: 'total',
        count: 1,
        mean_ms: 2,
        p50_ms: 2,
        p90_ms: 2,
        p99_ms: 2,
        p999_ms: 2,
        max_ms: 2,
      },
    ])
    expect((await ask('latency')).data).toHaveLength(4)
    clock.advance(10 * 60_000)
    expect((await ask('latency')).data).toHaveLength(0)
    expect((await ask('latency?window=60m')).data).toHaveLength(4)
    expect((await ask('latency?window=2m')).code).toBe('validation_failed')
  })
})

describe('latency/orders', () => {
  const order = (more: Partial<OrderTimes> = {}) => ({
    at: START,
    requestId: 'req-1',
    orderId: '26112500000001',
    operation: 'placeorder',
    account: 'default',
    symbol: 'SBIN',
    status: 200,
    totalMs: 2.00049,
    venueMs: 0.5,
    journalMs: 1,
    ...more,
  })

  it("shows the account's own orders, the venue's share and ours apart", async () => {
    const { ask, latency: monitor } = await start()
    monitor.recordOrder(order())
    monitor.recordOrder(order({ account: 'acc_other' }))
    expect(await ask('latency/orders', READ_KEY)).toEqual({
      status: 'success',
      data: [
        {
          account: 'default',
          at: START,
          journal_ms: 1,
          operation: 'placeorder',
          orderid: '26112500000001',
          ours_ms: 0.5,
          request_id: 'req-1',
          status: 200,
          symbol: 'SBIN',
          total_ms: 2,
          venue_ms: 0.5,
        },
      ],
      next_cursor: null,
    })
  })

  it("shows everybody's to an admin who asks for all, and to nobody else", async () => {
    const { ask, latency: monitor } = await start()
    monitor.recordOrder(order())
    monitor.recordOrder(order({ account: 'acc_other' }))
    expect((await ask('latency/orders?all=true')).data).toHaveLength(2)
    expect((await ask('latency/orders')).data).toHaveLength(1)
    for (const key of [READ_KEY, TRADE_KEY]) expect((await ask('latency/orders?all=true', key)).data).toHaveLength(1)
  })

  it('goes through all of them a page at a time, newest first, each once', async () => {
    const { ask, latency: monitor } = await start()
    for (let index = 0; index < 25; index += 1)
      monitor.recordOrder(order({ orderId: String(index), symbol: index % 2 === 0 ? 'SBIN' : 'TCS' }))
    const seen: string[] = []
    let cursor = ''
    do {
      const page = await ask(`latency/orders?symbol=SBIN&limit=5&cursor=${cursor}`)
      for (const { orderid } of page.data) seen.push(orderid)
      cursor = page.next_cursor ?? ''
    } while (cursor !== '')
    expect(seen).toEqual(Array.from({ length: 13 }, (_, index) => String(24 - 2 * index)))
    expect((await ask('latency/orders?orderid=7')).data).toMatchObject([{ orderid: '7' }])
    expect((await ask('latency/orders?operation=modifyorder')).data).toEqual([])
    expect((await ask('latency/orders?request_id=req-1&limit=3')).data).toHaveLength(3)
  })
})

describe('health', () => {
  it('tells every check, alerts and earlier looks', async () => {
    const { ask, clock, set } = await start()
    clock.advance(10_000)
    set('fail')
    clock.advance(10_000)
    expect((await ask('health?samples=5')).data).toEqual({
      alerts: [
        { id: 1, message: 'Disk full.', name: 'journal', opened_at: START + 20_000, resolved_at: null, state: 'fail' },
      ],
      checks: [{ message: 'Disk full.', name: 'journal', state: 'fail', unit: 'waiting', value: 4 }],
      ready: false,
      samples: [
        { at: START + 20_000, readings: { journal: 4 }, state: 'fail' },
        { at: START + 10_000, readings: { journal: 4 }, state: 'pass' },
      ],
      state: 'fail',
    })
    set('pass')
    clock.advance(30_000)
    const { data } = await ask('health?alerts=1')
    expect(data).toMatchObject({ alerts: [{ resolved_at: START + 50_000 }], ready: true, samples: [], state: 'pass' })
    expect((await ask('health?alerts=0')).data.alerts).toEqual([])
  })
})
