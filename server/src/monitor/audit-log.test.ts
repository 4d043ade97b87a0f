import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../kernel/clock.ts'
import { type Databases, openDatabases } from '../storage/open.ts'
import { type AuditEvent, AuditLog } from './audit-log.ts'

let folder: string
let databases: Databases
let clock: ManualClock
const lost: AuditEvent[] = []
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-audit-'))
  clock = new ManualClock(1_790_000_000_000)
  databases = await openDatabases(folder, clock)
  lost.length = 0
})
afterEach(async () => {
  await databases.close()
  rmSync(folder, { recursive: true, force: true })
})

const open = () => AuditLog.open(databases.record, clock, (_error, rows) => lost.push(...rows))
const event = (action: string, more: Partial<AuditEvent> = {}): AuditEvent => ({
  actor: 'asha',
  action,
  target: 'key_a',
  address: '127.0.0.1',
  requestId: 'req-1',
  detail: { name: 'bot' },
  ...more,
})
const execute = (sql: string, parameters: (string | number)[] = []) =>
  databases.record.writer.write([{ sql, parameters }])

describe('the audit log', () => {
  it('keeps what was done, in order, over restarts, and its chain holds', async () => {
    const first = await open()
    first.record(event('key.created'))
    clock.advance(5)
    first.record(event('login.failed', { actor: 'eve' }))
    await first.close()
    const second = await open()
    second.record(event('key.revoked'))
    const rows = await second.list({}, 10, undefined)
    expect(rows.map(({ seq, action, at }) => [seq, action, at - 1_790_000_000_000])).toEqual([
      [3, 'key.revoked', 5],
      [2, 'login.failed', 5],
      [1, 'key.created', 0],
    ])
    expect(rows[2]?.detail).toEqual({ name: 'bot' })
    expect(await second.verify()).toEqual({ rows: 3, brokenAt: undefined })
    expect((await second.list({ action: 'key' }, 10, undefined)).map(({ seq }) => seq)).toEqual([3, 1])
    expect((await second.list({ actor: 'eve' }, 10, undefined)).map(({ seq }) => seq)).toEqual([2])
    expect((await second.list({}, 1, 3)).map(({ seq }) => seq)).toEqual([2])
    await second.close()
  })

  it('shows that any cell of any row was changed, or that a row was taken out', async () => {
    const log = await open()
    for (let index = 0; index < 20; index += 1) log.record(event(`key.created`, { target: `key_${index}` }))
    await log.verify()
    const rows = await databases.record.kysely.selectFrom('audit').selectAll().execute()
    const column = fc.constantFrom(
      'at',
      'actor',
      'action',
      'target',
      'address',
      'request_id',
      'detail',
      'hash' as const,
    )
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 20 }), column, async (seq, name) => {
        const before = rows[seq - 1]?.[name as 'actor'] ?? ''
        const wrong = name === 'at' ? Number(before) + 1 : `${before} `
        await execute(`UPDATE audit SET ${name} = ? WHERE seq = ?`, [wrong, seq])
        expect(await log.verify()).toEqual({ rows: seq - 1, brokenAt: seq })
        await execute(`UPDATE audit SET ${name} = ? WHERE seq = ?`, [before, seq])
      }),
      { numRuns: 60 },
    )
    expect((await log.verify()).brokenAt).toBeUndefined()
    await execute('DELETE FROM audit WHERE seq = 7')
    expect(await log.verify()).toEqual({ rows: 6, brokenAt: 7 })
    await log.close()
  })

  it('hands over what it could not write', async () => {
    const log = await open()
    log.record(event('user.created'))
    await databases.record.writer.close()
    await log.close()
    expect(lost).toEqual([event('user.created')])
  })
})
