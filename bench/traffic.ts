import { systemClock } from '../server/src/kernel/clock.ts'
import { Steps } from '../server/src/kernel/steps.ts'
import { LatencyMonitor } from '../server/src/monitor/latency.ts'
import { RowsLost } from '../server/src/monitor/losses.ts'
import { RequestRows } from '../server/src/monitor/request-rows.ts'
import { TrafficLog } from '../server/src/monitor/traffic-log.ts'
import { openDatabases } from '../server/src/storage/open.ts'

const MIB = 1_048_576
/** Requests between two breaths, so that rows get to the disk as they do in a server. */
const BURST = 200

export interface TrafficFigures {
  /** Resident memory after each tenth of the requests. */
  readonly residentMib: readonly number[]
  readonly recordUs: number
  readonly latencyNsPerStep: number
  readonly dropped: number
}

/** What the traffic log and the latency monitor cost and hold, over many requests. */
export async function trafficFigures(folder: string, requests: number): Promise<TrafficFigures> {
  const databases = await openDatabases(folder, systemClock)
  const traffic = await TrafficLog.open({
    telemetry: databases.telemetry,
    clock: systemClock,
    requests: new RequestRows(systemClock),
    retention: { retentionMs: 86_400_000, rowsMax: 100_000 },
    onError: (error) => {
      if (!(error instanceof RowsLost)) throw error // they are counted
    },
  })
  const latency = new LatencyMonitor(systemClock)
  const steps = new Steps(() => performance.now())
  for (const step of ['read', 'authenticate', 'validate', 'serialise'] as const) steps[step] = 0.05
  const residentMib: number[] = []
  let [recordMs, latencyMs] = [0, 0]
  for (let index = 0; index < requests; index += BURST) {
    const at = systemClock.now()
    let startedAt = performance.now()
    for (let each = 0; each < BURST; each += 1) {
      traffic.record({
        at,
        requestId: 'req-0123456789012345678901',
        traceId: '',
        method: 'POST',
        route: 'quotes',
        path: '/api/v1/quotes',
        status: 200,
        code: '',
        bytesIn: 100,
        bytesOut: 700,
        durationMs: 0.3,
        address: '127.0.0.1',
        userId: '',
        keyId: 'key_abcdefghij',
        userAgent: 'bench',
        steps,
      })
    }
    recordMs += performance.now() - startedAt
    startedAt = performance.now()
    for (let each = 0; each < BURST; each += 1)
      latency.record({ operation: 'quotes', steps, totalMs: 0.3 + each / 1000, status: 200 })
    latencyMs += performance.now() - startedAt
    await new Promise((resolve) => setImmediate(resolve))
    while (traffic.waiting > 10_000) await new Promise((resolve) => setTimeout(resolve, 5))
    if ((index / BURST) % Math.max(1, Math.floor(requests / BURST / 10)) === 0)
      residentMib.push(Math.round(process.memoryUsage.rss() / MIB))
  }
  const { dropped } = traffic
  await traffic.close()
  await databases.close()
  return {
    residentMib,
    recordUs: (recordMs * 1000) / requests,
    latencyNsPerStep: (latencyMs * 1e6) / requests / 5,
    dropped,
  }
}
