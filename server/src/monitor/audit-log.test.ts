import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../kernel/clock.ts'
import { type Databases, openDatabases } from '../storage/open.ts'
import { FIRST_HASH, hashOf, verifyChain } from './audit-chain.ts'
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

const open = () => AuditLog.open(databases.record, clock, folder, (_error, rows) => lost.push(...rows))
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

const ROWS = 20

/** The value with one of its characters replaced; numbers stay numbers. */
function changed(value: string | number, position: number, character: string): string | number {
  const text = String(value)
  const at = text.length === 0 ? 0 : position % text.length
  const wrong = text.slice(0, at) + character + text.slice(at + 1)
  if (typeof value === 'string') return wrong
  return /^\d+$/.test(wrong) ? Number(wrong) : value
}

describe('the audit log', () => {
  it('keeps what was done, in order, over restarts, and its chain holds', async () => {
    const first = await open()
    first.record(event('key.created'))
    clock.advance(5)
    first.record(event('login.failed', { actor: 'eve' }))
    await first.close()
    const second = await open()
    second.record(event('key.revoked'))
    const { rows } = await second.list({}, 10)
    expect(rows.map(({ seq, action, at }) => [seq, action, at - 1_790_000_000_000])).toEqual([
      [3, 'key.revoked', 5],
      [2, 'login.failed', 5],
      [1, 'key.created', 0],
    ])
    expect(rows[2]?.detail).toEqual({ name: 'bot' })
    expect(await second.verify()).toMatchObject({ rows: 3, brokenAt: undefined })
    expect((await second.list({ action: 'key' }, 10)).rows.map(({ seq }) => seq)).toEqual([3, 1])
    expect((await second.list({ actor: 'eve' }, 10)).rows.map(({ seq }) => seq)).toEqual([2])
    expect((await second.list({}, 1, 3)).rows.map(({ seq }) => seq)).toEqual([2])
    await second.close()
  })

  it('shows that any character of any row was changed', async () => {
    const log = await open()
    for (let index = 0; index < ROWS; index += 1) log.record(event('key.created', { target: `key_${index}` }))
    const { head } = await log.verify()
    const rows = await databases.record.kysely.selectFrom('audit').selectAll().execute()
    const columns = ['seq', 'at', 'actor', 'action', 'target', 'address', 'request_id', 'detail', 'hash'] as const
    const changes = fc.record({
      seq: fc.integer({ min: 1, max: ROWS }),
      column: fc.constantFrom(...columns),
      position: fc.nat(),
      character: fc.constantFrom(...'0123456789abcdefxyz "\\{}'),
    })
    const verified = async () => ({ ...(await log.verify()), head })
    await fc.assert(
      fc.asyncProperty(changes, async ({ seq, column, position, character }) => {
        const row = rows[seq - 1]
        const before = row?.[column] ?? ''
        const wrong = changed(before, position, character)
        fc.pre(wrong !== before && (column !== 'seq' || Number(wrong) > ROWS))
        await execute(`UPDATE audit SET ${column} = ? WHERE seq = ?`, [wrong, seq])
        const found = await verified()
        await execute(`UPDATE audit SET ${column} = ? WHERE seq = ?`, [before, column === 'seq' ? wrong : seq])
        expect(found).toEqual({ rows: seq - 1, brokenAt: seq, head, isShort: false })
      }),
      { numRuns: 80, examples: [[{ seq: ROWS, column: 'seq', position: 0, character: '3' }]] },
    )
    expect(await verified()).toEqual({ rows: ROWS, brokenAt: undefined, head, isShort: false })
    await log.close()
  })

  it.each([
    ['taken out of the middle', 'DELETE FROM audit WHERE seq = 7', { rows: 6, brokenAt: 7 }],
    ['taken off the beginning', 'DELETE FROM audit WHERE seq <= 3', { rows: 0, brokenAt: 1 }],
    ['swapped', 'UPDATE audit SET seq = CASE seq WHEN 5 THEN -6 WHEN 6 THEN -5 END WHERE seq IN (5, 6)', undefined],
    [
      'added by hand',
      'INSERT INTO audit SELECT 21, at, actor, action, target, address, request_id, detail, hash FROM audit WHERE seq = 20',
      { rows: 20, brokenAt: 21 },
    ],
  ])('shows that a row was %s', async (_what, change, found) => {
    const log = await open()
    for (let index = 0; index < ROWS; index += 1) log.record(event('key.created', { target: `key_${index}` }))
    await log.verify()
    await execute(change)
    if (found === undefined) await execute('UPDATE audit SET seq = -seq WHERE seq < 0')
    expect(await log.verify()).toMatchObject(found ?? { rows: 4, brokenAt: 5 })
    await log.close()
  })

  it('shows that rows were taken off the beginning, and the rest sealed anew', async () => {
    const row = { seq: 5, at: 1, actor: 'eve', action: 'a', target: '', address: '', request_id: '', detail: '{}' }
    const { kysely, writer, compile } = databases.record
    await writer.write([compile(kysely.insertInto('audit').values({ ...row, hash: hashOf(FIRST_HASH, row) }))])
    expect(await verifyChain(kysely)).toMatchObject({ rows: 0, brokenAt: 1 })
  })

  it('looks at its newest rows when it is opened, and goes on after them', async () => {
    const first = await open()
    for (let index = 0; index < ROWS; index += 1) first.record(event('key.created'))
    await first.close()
    const sound = await open()
    expect(sound.brokenAt).toBeUndefined()
    await sound.close()
    await execute("UPDATE audit SET actor = 'eve' WHERE seq = 12")
    const second = await open()
    expect(second.brokenAt).toBe(12)
    second.record(event('key.revoked'))
    expect((await second.list({}, 1)).rows).toMatchObject([{ seq: ROWS + 1, action: 'key.revoked' }])
    expect(await second.verify()).toMatchObject({ brokenAt: 12 })
    await second.close()
  })

  it('can be read whatever somebody left in a row', async () => {
    const log = await open()
    log.record(event('key.created'))
    await log.verify()
    await execute("UPDATE audit SET detail = '{no json'")
    expect((await log.list({}, 1)).rows).toMatchObject([{ detail: '{no json' }])
    await log.close()
  })

  it('is on disk within a second', async () => {
    const log = await open()
    log.record(event('key.created'))
    clock.advance(1_000)
    const count = async () => (await databases.record.kysely.selectFrom('audit').select('seq').execute()).length
    await expect.poll(count).toBe(1)
    await log.close()
  })

  it('has nothing secret', async () => {
    const log = await open()
    const key = `sk_${'k'.repeat(43)}`
    const detail = { apikey: 'x', note: `key ${key}` }
    log.record(event('login.failed', { actor: key, target: key, requestId: key, detail }))
    expect(JSON.stringify((await log.list({}, 1)).rows)).not.toContain('kkkk')
    expect((await log.list({}, 1)).rows[0]?.detail).toEqual({ apikey: '[scrubbed]', note: 'key [scrubbed]' })
    await log.close()
  })

  it('leaves no gap in the chain when rows are refused, and hands them over', async () => {
    const log = await open()
    log.record(event('key.created'))
    await log.verify()
    await execute("CREATE TRIGGER refuse BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END")
    log.record(event('key.revoked', { target: 'key_lost' }))
    await log.verify()
    await execute('DROP TRIGGER refuse')
    log.record(event('key.rotated'))
    expect(await log.verify()).toMatchObject({ rows: 2, brokenAt: undefined })
    expect(lost.map(({ target }) => target)).toEqual(['key_lost'])
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
