import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ManualClock } from '../../../kernel/clock.ts'
import { RequestRows } from '../../../monitor/request-rows.ts'
import { finishedRequest } from '../../../monitor/test-finished-request.ts'
import { TrafficLog } from '../../../monitor/traffic-log.ts'
import { kyselyOver } from '../../dialect.ts'
import { migrate } from '../../migrate.ts'
import { openDatabases } from '../../open.ts'
import { openFile } from '../../sqlite.ts'
import { telemetryMigrations } from './index.ts'

const AT = Date.parse('2026-11-26T10:00:00+05:30')
/** Before rows were packed. */
const MIGRATIONS_BEFORE = 6
const ROWS = 1_000

test('rows of a traffic log from before are all there, and more come behind them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sauda-traffic-'))
  try {
    const before = openFile(join(folder, 'telemetry.db'), 'OFF', 'read-write')
    const kysely = kyselyOver(before)
    await migrate(kysely, telemetryMigrations.slice(0, MIGRATIONS_BEFORE), 'telemetry.db', AT)
    const insert = before.prepare(`INSERT INTO traffic
      (id, at, request_id, method, route, path, status, code, bytes_in, bytes_out, duration_us, address, user_id, key_id, user_agent, trace_id)
      VALUES (?, ?, ?, 'GET', 'funds', '/p', 404, 'not_found', 12, 34, 5678, '::1', 'usr_a', 'key_a', 'curl', ?)`)
    // Some were deleted between the others
    for (let row = 1; row <= ROWS; row += 1)
      insert.run(row + (row > 500 ? 70 : 0), AT + row, `req-${row}`, row === 700 ? 'trace' : '')
    await kysely.destroy()

    const clock = new ManualClock(AT + 10_000)
    const databases = await openDatabases(folder, clock)
    const requests = new RequestRows(clock)
    const traffic = await TrafficLog.open({
      telemetry: databases.telemetry,
      clock,
      requests,
      retention: { retentionMs: 1e9, rowsMax: 1e6 },
      onError: (error) => {
        throw error
      },
    })
    traffic.record(finishedRequest({ at: clock.now(), requestId: 'new' }))
    const { rows } = await traffic.list({}, 2_000)
    expect(rows.map(({ requestId }) => requestId)).toEqual([
      'new',
      ...Array.from({ length: ROWS }, (_, index) => `req-${ROWS - index}`),
    ])
    expect((await traffic.list({ traceId: 'trace' }, 10)).rows).toEqual([
      {
        id: 700,
        at: AT + 700,
        requestId: 'req-700',
        method: 'GET',
        route: 'funds',
        path: '/p',
        status: 404,
        code: 'not_found',
        bytesIn: 12,
        bytesOut: 34,
        durationMs: 5.678,
        address: '::1',
        userId: 'usr_a',
        keyId: 'key_a',
        userAgent: 'curl',
        traceId: 'trace',
      },
    ])
    await traffic.close()
    requests.close()
    await databases.close()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
