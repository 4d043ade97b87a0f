import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../kernel/clock.ts'
import { type Databases, openDatabases } from '../storage/open.ts'
import { type LogFilter, LogTable } from './log-table.ts'

const START = 1_790_000_000_000
const SECOND_MS = 1_000

interface Row {
  readonly id: number
  readonly at: number
  readonly request_id: string
}

let folder: string
let databases: Databases
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-log-table-'))
  databases = await openDatabases(folder, new ManualClock(START))
  const create = 'CREATE TABLE log (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, request_id TEXT NOT NULL) STRICT'
  await databases.telemetry.writer.write([{ sql: create, parameters: [] }])
})
afterEach(async () => {
  await databases.close()
  rmSync(folder, { recursive: true, force: true })
})

const SCANNED_MAX = 20_000
const log = () =>
  new LogTable<Row>(databases.telemetry, {
    name: 'log',
    id: 'id',
    scannedMax: SCANNED_MAX,
    pageRows: 700,
    selective: [],
  })
const orders = () =>
  new LogTable<Row>(databases.record, {
    name: 'order_log',
    id: 'id',
    scannedMax: SCANNED_MAX,
    pageRows: 100,
    selective: ['order_id', 'request_id'],
  })

/** Rows of one second after another; the request ids are the numbers from 1. */
const fillLog = (count: number) =>
  databases.telemetry.writer.write([
    {
      sql: `INSERT INTO log (at, request_id)
        WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?)
        SELECT ? + n * 1000, n FROM n`,
      parameters: [count, START],
    },
  ])
const fillOrders = (count: number) =>
  databases.record.writer.write([
    {
      sql: `INSERT INTO order_log (at, account, mode, operation, strategy, symbol, exchange, order_id, request_id, key_id, status, code, request, answer)
        WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?)
        SELECT ? + n * 1000, iif(n % 2, 'one', 'two'), 'analyze', 'placeorder', '', 'SBIN', 'NSE', 'o' || n, 'r' || n, '', 200, '', '{}', '{}' FROM n`,
      parameters: [count, START],
    },
  ])

const filter = (more: Partial<LogFilter> = {}): LogFilter => ({ equal: {}, from: undefined, until: undefined, ...more })

async function everyPage(table: LogTable<Row>, wanted: LogFilter, limit: number) {
  const rows: Row[] = []
  let pages = 0
  let below: number | undefined
  do {
    const page = await table.page(wanted, limit, below)
    rows.push(...page.rows)
    below = page.below
    pages += 1
  } while (below !== undefined && pages < 1_000)
  return { rows, pages }
}

const count = async () => {
  const { rows } = await sql<{ count: number }>`SELECT count(*) AS count FROM log`.execute(databases.telemetry.kysely)
  return rows[0]?.count
}

/** How often something that waits for its turn got it. */
function countTurns(): () => number {
  let turns = 0
  const next = (): void => {
    turns += 1
    setImmediate(next).unref()
  }
  setImmediate(next).unref()
  return () => turns
}

describe('a log table', () => {
  it('looks at a bounded number of rows for each page, and finds a rare one all the same', async () => {
    await fillLog(90_000)
    const first = await log().page(filter({ equal: { request_id: '7' } }), 10)
    expect(first).toEqual({ rows: [], below: 90_001 - SCANNED_MAX })
    const { rows, pages } = await everyPage(log(), filter({ equal: { request_id: '7' } }), 10)
    expect([rows.map(({ id }) => id), pages]).toEqual([[7], 5])
  })

  it('goes straight to a span of time, and stops when it is past', async () => {
    await fillLog(90_000)
    const from = START + 30_000 * SECOND_MS
    const wanted = filter({ from, until: from + 3 * SECOND_MS })
    const page = await log().page(wanted, 10)
    expect(page).toMatchObject({ rows: [{ id: 30_002 }, { id: 30_001 }, { id: 30_000 }], below: undefined })
    expect(await log().page(filter({ from: START + 100_000 * SECOND_MS }), 10)).toEqual({
      rows: [],
      below: undefined,
    })
    expect(await log().page(filter({ until: START }), 10)).toMatchObject({ rows: [], below: undefined })
  })

  it('finds rows of a span whose requests took long, or whose clock was set back', async () => {
    await fillLog(3_000)
    const late = START + 2_800 * SECOND_MS
    await databases.telemetry.writer.write([
      { sql: 'UPDATE log SET at = ? WHERE id IN (2400, 3000)', parameters: [late] },
    ])
    const { rows } = await log().page(filter({ from: late, until: late + 1 }), 10)
    expect(rows.map(({ id }) => id)).toEqual([3_000, 2_800, 2_400])
  })

  it('misses none for one that took long and stands among later ones, also where a search begins', async () => {
    const count = 2_048
    await fillLog(count)
    const long = count / 2 + 1 // a stream that began before the first row
    const update = { sql: 'UPDATE log SET at = ? WHERE id = ?', parameters: [START, long] }
    await databases.telemetry.writer.write([update])
    for (const from of [1, 601, 602, 800, long - 1]) {
      const { rows } = await log().page(filter({ from: START + from * SECOND_MS }), count)
      expect([from, rows.length]).toEqual([from, count - from])
    }
  })

  it('pages without gaps or repeats, whatever the size of a page', async () => {
    await fillLog(2_345)
    for (const limit of [1_000, 999, 77]) {
      const { rows } = await everyPage(log(), filter(), limit)
      expect(rows.map(({ id }) => id)).toEqual(Array.from({ length: 2_345 }, (_, index) => 2_345 - index))
    }
  })

  it('gives everything as it was at the beginning while rows come and go', async () => {
    await fillLog(3_000)
    const ids: number[] = []
    for await (const rows of log().pages(filter())) {
      if (ids.length === 0) {
        await fillLog(50)
        await log().retain(0, 2_050) // the oldest 1,000 of the first 3,000 go
      }
      ids.push(...rows.map(({ id }) => id))
    }
    expect(ids).toEqual(Array.from({ length: 2_000 }, (_, index) => 3_000 - index))
  })

  it('lets others have their turn while it looks, and between pages', async () => {
    await fillLog(SCANNED_MAX)
    const turns = countTurns()
    await log().page(filter({ equal: { request_id: 'none' } }), 10)
    expect(turns()).toBeGreaterThanOrEqual(3)
    let pages = 0
    const before = turns()
    for await (const rows of log().pages(filter({ from: START + 17_000 * SECOND_MS }))) pages += rows.length > 0 ? 1 : 0
    expect(pages).toBe(5)
    expect(turns() - before).toBeGreaterThanOrEqual(pages)
  })

  it('deletes far more than one commit takes, and only what is too much or too old', async () => {
    await fillLog(60_000)
    await log().retain(0, 10_000)
    expect(await count()).toBe(10_000)
    await log().retain(START + 58_000 * SECOND_MS, 10_000)
    expect(await count()).toBe(2_001)
    await log().retain(START + 58_000 * SECOND_MS, 10_000)
    expect(await count()).toBe(2_001)
  })

  it('goes straight to a value that few rows have, in a page, by an index', async () => {
    await fillOrders(50_000)
    const page = await orders().page(filter({ equal: { account: 'one', order_id: 'o7' } }), 10)
    expect(page).toMatchObject({ rows: [{ id: 7 }], below: undefined })
    expect(await orders().page(filter({ equal: { account: 'two', order_id: 'o7' } }), 10)).toEqual({
      rows: [],
      below: undefined,
    })
  })

  it('is empty before anything is in it', async () => {
    expect(await log().page(filter(), 10)).toEqual({ rows: [], below: undefined })
    await log().retain(START, 1)
    expect(await count()).toBe(0)
  })
})
