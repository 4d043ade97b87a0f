import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../kernel/clock.ts'
import { type Databases, openDatabases } from '../storage/open.ts'
import { Mortal } from '../storage/test-mortal.ts'
import { type ChainCheck, hashOf, verifyChain } from './audit-chain.ts'
import { readHead } from './audit-head.ts'
import { type AuditEvent, AuditLog } from './audit-log.ts'

const PROCESS = fileURLToPath(new URL('./audit-crash-process.ts', import.meta.url))

let folder: string
let databases: Databases
let clock: ManualClock
const problems: unknown[] = []
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-audit-head-'))
  clock = new ManualClock(1_790_000_000_000)
  databases = await openDatabases(folder, clock)
  problems.length = 0
})
afterEach(async () => {
  await databases.close()
  rmSync(folder, { recursive: true, force: true })
})

const open = (record = databases.record) =>
  AuditLog.open(record, clock, folder, (error, rows) => problems.push(error, ...rows))
const event = (action: string): AuditEvent => ({
  actor: 'asha',
  action,
  target: 'key_a',
  address: '127.0.0.1',
  requestId: 'req-1',
  detail: { name: 'bot' },
})
const execute = (sql: string) => databases.record.writer.write([{ sql, parameters: [] }])
const rowsThere = () => databases.record.kysely.selectFrom('audit').selectAll().orderBy('seq').execute()

/** What the doctor sees. */
async function examined(): Promise<ChainCheck> {
  const head = readHead(folder)
  if (typeof head === 'string') throw new Error(`audit.head is ${head}`)
  return await verifyChain(databases.record.kysely, head)
}

const ROWS = 20

describe('the audit log of which rows were taken off the end', () => {
  /** Twenty rows, and the head that the file holds after so many of them. */
  async function written(headAfter: number): Promise<void> {
    const log = await open()
    for (let index = 0; index < headAfter; index += 1) log.record(event('key.created'))
    await log.close()
    const head = readHead(folder)
    const more = await open()
    for (let index = headAfter; index < ROWS; index += 1) more.record(event('key.created'))
    await more.close()
    expect([head, readHead(folder)]).toMatchObject([{ seq: headAfter }, { seq: ROWS }])
    // As when the process was killed before the file followed
    if (typeof head === 'object') writeFileSync(join(folder, 'audit.head'), `${head.seq} ${head.hash}\n`)
  }

  it('tells so while it is open', async () => {
    const log = await open()
    for (let index = 0; index < ROWS; index += 1) log.record(event('key.created'))
    await log.verify()
    await execute('DELETE FROM audit WHERE seq > 15')
    expect(await log.verify()).toMatchObject({ rows: 15, brokenAt: 16, isShort: true })
    await log.close()
  })

  it('tells so when it is opened, and goes on telling, whatever is added', async () => {
    await written(ROWS)
    await execute('DELETE FROM audit WHERE seq > 15')
    for (const row of [16, 17]) {
      const log = await open()
      expect(log.brokenAt).toBe(row)
      log.record(event('key.revoked'))
      expect(await log.verify()).toMatchObject({ brokenAt: row + 1, isShort: true })
      await log.close()
      expect(readHead(folder)).toMatchObject({ seq: ROWS })
    }
    const last = await open()
    for (let seq = 18; seq <= ROWS; seq += 1) last.record(event('key.revoked'))
    expect(await last.verify()).toMatchObject({ rows: ROWS - 1, brokenAt: ROWS, isShort: false })
    await last.close()
  })

  it.each([0, 7, ROWS])('is sound with a head that is behind at %i', async (headAfter) => {
    await written(headAfter)
    const log = await open()
    expect(log.brokenAt).toBeUndefined()
    expect(await log.verify()).toMatchObject({ rows: ROWS, brokenAt: undefined, isShort: false })
    await log.close()
    expect(readHead(folder)).toMatchObject({ seq: ROWS })
  })

  it('says in itself that its head was missing', async () => {
    await written(ROWS)
    rmSync(join(folder, 'audit.head'))
    const log = await open()
    expect((await log.list({}, 1)).rows).toMatchObject([{ action: 'audit.head_made', target: String(ROWS) }])
    await log.close()
    expect(readHead(folder)).toMatchObject({ seq: ROWS + 1 })
  })
})

describe('an audit log that is killed as it writes', () => {
  const [SETTLED, ANNOUNCED] = [3, 2]
  const ALL = SETTLED + ANNOUNCED

  /** Three rows, then two, within whose writing the process is killed: before or after they are committed. */
  async function killed(isCommitted: boolean): Promise<void> {
    const mortal = new Mortal(databases)
    const log = await open(mortal.databases.record)
    for (let index = 0; index < SETTLED; index += 1) log.record(event('key.created'))
    await log.list({}, 1)
    mortal.arm({ writesBefore: 0, isLastKept: isCommitted })
    for (let index = 0; index < ANNOUNCED; index += 1) log.record(event('key.revoked'))
    void log.list({}, 1)
    await mortal.died
    await databases.record.writer.query('SELECT 1')
    expect(await rowsThere()).toHaveLength(isCommitted ? ALL : SETTLED)
    expect(readHead(folder)).toMatchObject({ seq: SETTLED, ahead: [{ seq: 4 }, { seq: 5 }] })
  }

  it.each([
    ['before', false],
    ['after', true],
  ])('%s the commit is sound, and has all its rows once it is opened', async (_when, isCommitted) => {
    await killed(isCommitted)
    writeFileSync(join(folder, 'audit.head.new'), '4 ab') // killed within a step that replaces the file
    expect(await examined()).toMatchObject({ rows: isCommitted ? ALL : SETTLED, brokenAt: undefined, isShort: false })
    const log = await open()
    expect(log.brokenAt).toBeUndefined()
    const { rows } = await log.list({}, ROWS)
    expect(rows.map(({ action }) => action)).toEqual([
      ...(isCommitted ? [] : ['audit.rows_restored']),
      ...Array(ANNOUNCED).fill('key.revoked'),
      ...Array(SETTLED).fill('key.created'),
    ])
    if (!isCommitted) expect(rows[0]).toMatchObject({ actor: 'sauda', target: '4-5' })
    expect(await log.verify()).toMatchObject({ rows: rows.length, brokenAt: undefined })
    await log.close()
    expect(readHead(folder)).toMatchObject({ seq: rows.length, ahead: [] })
    expect(problems).toEqual([])
  })

  it('is sound when it is killed again as it restores its rows', async () => {
    await killed(false)
    for (const isLastKept of [false, true]) {
      const mortal = new Mortal(databases, { writesBefore: 0, isLastKept })
      void open(mortal.databases.record)
      await mortal.died
      expect(await examined()).toMatchObject({ rows: isLastKept ? ALL : SETTLED, brokenAt: undefined })
    }
    const log = await open()
    expect(await log.verify()).toMatchObject({ rows: ALL, brokenAt: undefined })
    await log.close()
    expect(readHead(folder)).toMatchObject({ seq: ALL, ahead: [] })
  })

  it.each([0, 1, 2, 3, 4])('has or misses every row when it is cut to %i', async (left) => {
    await killed(true)
    const written = await rowsThere()
    await execute(`DELETE FROM audit WHERE seq > ${left}`)
    const log = await open()
    if (left < SETTLED) {
      expect(log.brokenAt).toBe(left + 1)
      expect(await examined()).toMatchObject({ rows: left, brokenAt: left + 1, isShort: true })
    } else {
      expect((await rowsThere()).slice(0, ALL)).toEqual(written)
      const { rows } = await log.list({ action: 'audit.rows_restored' }, ROWS)
      expect(rows).toMatchObject([{ target: `${left + 1}-${ALL}` }])
      expect(await log.verify()).toMatchObject({ rows: ALL + 1, brokenAt: undefined })
    }
    await log.close()
  })

  it('shows other rows in the place of those that were about to be written', async () => {
    await killed(true)
    const [before, forged] = (await rowsThere()).slice(SETTLED - 1)
    assert(before !== undefined && forged !== undefined)
    await execute('DELETE FROM audit WHERE seq > 4')
    const hash = hashOf(before.hash, { ...forged, actor: 'eve' })
    await execute(`UPDATE audit SET actor = 'eve', hash = '${hash}' WHERE seq = 4`)
    for (let start = 0; start < 2; start += 1) {
      expect(await examined()).toMatchObject({ rows: 3, brokenAt: 4, isShort: false })
      const log = await open()
      expect(log.brokenAt).toBe(4)
      log.record(event('key.created'))
      expect(await log.verify()).toMatchObject({ brokenAt: 4 })
      await log.close()
    }
    expect(readHead(folder)).toMatchObject({ seq: SETTLED, ahead: [{ seq: 4 }, { seq: 5 }] })
  })

  it('takes a row out of the middle of them for a fault', async () => {
    await killed(true)
    await execute('DELETE FROM audit WHERE seq = 4')
    expect(await examined()).toMatchObject({ rows: 3, brokenAt: 4 })
    const log = await open()
    expect(log.brokenAt).toBe(4)
    await log.close()
    expect(await rowsThere()).toHaveLength(ALL - 1)
  })

  it('keeps rows that were refused for the next start', async () => {
    const log = await open()
    log.record(event('key.created'))
    await log.list({}, 1)
    await execute("CREATE TRIGGER refuse BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END")
    log.record(event('key.revoked'))
    await log.close()
    expect(problems).toMatchObject([{ name: 'StatementFailed' }, { action: 'key.revoked' }])
    expect(await examined()).toMatchObject({ rows: 1, brokenAt: undefined })
    await execute('DROP TRIGGER refuse')
    const next = await open()
    const { rows } = await next.list({}, ROWS)
    expect(rows.map(({ action }) => action)).toEqual(['audit.rows_restored', 'key.revoked', 'key.created'])
    await next.close()
  })

  it('writes its rows also while the file of its head can not be written', async () => {
    const log = await open()
    rmSync(join(folder, 'audit.head'))
    mkdirSync(join(folder, 'audit.head', 'in-its-way'), { recursive: true })
    log.record(event('key.created'))
    expect(await log.verify()).toMatchObject({ rows: 1, brokenAt: undefined })
    expect(problems).toMatchObject([{ code: 'EISDIR' }, { code: 'EISDIR' }])
    rmSync(join(folder, 'audit.head'), { recursive: true })
    await log.close()
    expect(readHead(folder)).toMatchObject({ seq: 1, ahead: [] })
  })

  it('takes a head file with any character changed for unreadable', async () => {
    await killed(false)
    const path = join(folder, 'audit.head')
    const text = readFileSync(path, 'utf8')
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom('', '0', '"', 'e', '\n', ','), (position, character) => {
        const changed = text.slice(0, position) + character + text.slice(position + 1)
        fc.pre(changed !== text)
        writeFileSync(path, changed)
        expect(readHead(folder)).toBe('unreadable')
      }),
    )
  })

  it('by the system at any moment has or misses every row that it told of', async () => {
    for (let round = 0; round < 6; round += 1) {
      await databases.close()
      const told = await toldBeforeKill(2 + round * 4, round % 4)
      databases = await openDatabases(folder, clock)
      const head = readHead(folder)
      if (typeof head === 'string') throw new Error(`audit.head is ${head}`)
      const there = await rowsThere()
      const known = head.seq + head.ahead.length
      // No false alarm; what was told of is there, and nothing is there that the file doesn't know of
      expect(await examined()).toMatchObject({ rows: there.length, brokenAt: undefined })
      expect(there.length).toBeGreaterThanOrEqual(told)
      expect(known).toBeGreaterThanOrEqual(there.length)
      const cutTo = there.length - 1 - (round % 3)
      await execute(`DELETE FROM audit WHERE seq > ${cutTo}`)
      const { isShort } = await examined()
      expect(isShort).toBe(cutTo < head.seq)
      if (isShort) for (const row of there.slice(cutTo)) await databases.record.writer.write([insertOf(row)])
      const log = await open()
      expect((await rowsThere()).slice(0, there.length)).toEqual(there)
      expect(await log.verify()).toMatchObject({ brokenAt: undefined })
      await log.close()
    }
  })

  const insertOf = (row: Awaited<ReturnType<typeof rowsThere>>[number]) =>
    databases.record.compile(databases.record.kysely.insertInto('audit').values(row))

  /** The greatest number that the process printed, which is killed some milliseconds after so many lines. */
  async function toldBeforeKill(lines: number, delayMs: number): Promise<number> {
    const child = spawn(process.execPath, [PROCESS, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
    let [count, told] = [0, 0]
    for await (const line of createInterface(child.stdout)) {
      told = Number(line)
      count += 1
      if (count === lines) setTimeout(() => child.kill('SIGKILL'), delayMs)
    }
    expect(count).toBeGreaterThanOrEqual(lines)
    return told
  }
})
