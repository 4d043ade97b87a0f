import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { zstdDecompressSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Refusal } from '../kernel/errors.ts'
import { QUEUE_STATEMENTS_MAX, type Statement, StatementFailed, Writer } from './writer.ts'
import { PREPARED_STATEMENTS_MAX } from './writer-protocol.ts'

let dataDir: string
let file: string
let writer: Writer
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'sauda-writer-'))
  file = join(dataDir, 'test.db')
  const database = new DatabaseSync(file)
  database.exec('CREATE TABLE item (id INTEGER PRIMARY KEY, note TEXT) STRICT')
  database.close()
  writer = new Writer(file, 'FULL')
})
afterEach(async () => {
  await writer.close()
  rmSync(dataDir, { recursive: true, force: true })
})

const insert = (id: number | bigint, note: string | number | null = null): Statement => ({
  sql: 'INSERT INTO item (id, note) VALUES (?, ?)',
  parameters: [id, note],
})

async function outcomes(calls: readonly Promise<void>[]): Promise<readonly string[]> {
  return (await Promise.allSettled(calls)).map(({ status }) => status)
}

async function ids(): Promise<readonly unknown[]> {
  return (await writer.query('SELECT id FROM item ORDER BY rowid')).map(({ id }) => id)
}

test('a write is there for another connection once it is acknowledged', async () => {
  await writer.write([insert(1, 'one')])
  const other = new DatabaseSync(file)
  expect(
    other
      .prepare('SELECT note FROM item')
      .all()
      .map((row) => ({ ...row })),
  ).toEqual([{ note: 'one' }])
  other.close()
})

test('calls are run in the order in which they were made', async () => {
  await writer.write([insert(1, '0')])
  const append = (text: string): Statement => ({ sql: 'UPDATE item SET note = note || ?', parameters: [text] })
  await Promise.all(Array.from({ length: 200 }, (_, index) => writer.write([append(`,${index + 1}`)])))
  expect(await writer.query('SELECT note FROM item')).toEqual([
    { note: Array.from({ length: 201 }, (_, i) => i).join() },
  ])
})

test('rows are written in their order, between the statements around them, all of a call or none', async () => {
  const rows = [
    [2, 'two "₹" \ud800'],
    [3, null],
  ].map((row) => JSON.stringify(row))
  const inserts = { sql: insert(0).sql, rows }
  await writer.write([insert(1), inserts, insert(4)])
  expect(await writer.query('SELECT id, note, typeof(note) AS type FROM item')).toEqual([
    { id: 1, note: null, type: 'null' },
    { id: 2, note: 'two "₹" \ufffd', type: 'text' }, // as SQLite has every text: in UTF-8
    { id: 3, note: null, type: 'null' },
    { id: 4, note: null, type: 'null' },
  ])
  const again = { ...inserts, rows: [JSON.stringify([9, 'x']), ...rows] }
  expect(await outcomes([writer.write([again]), writer.write([insert(5)])])).toEqual(['rejected', 'fulfilled'])
  expect(await ids()).toEqual([1, 2, 3, 4, 5])
  const tooMany = { ...inserts, rows: Array<string>(QUEUE_STATEMENTS_MAX + 1).fill('[]') }
  await expect(writer.write([tooMany])).rejects.toThrow(Refusal)
})

test('texts and bytes are compressed by the thread that writes', async () => {
  const text = '₹ '.repeat(1_000)
  const sql = 'INSERT INTO item (id, note) VALUES (?, hex(zstd(?)))'
  await writer.write([
    { sql, parameters: [1, text] },
    { sql, parameters: [2, new TextEncoder().encode(text)] },
  ])
  const rows = await writer.query('SELECT note FROM item ORDER BY id')
  for (const { note } of rows) {
    const bytes = Buffer.from(String(note), 'hex')
    expect(bytes.length).toBeLessThan(50)
    expect(zstdDecompressSync(bytes).toString()).toBe(text)
  }
})

test('a failing call keeps nothing and takes no other call down', async () => {
  const settled = await outcomes([
    writer.write([insert(1)]),
    writer.write([insert(2), insert(1)]),
    writer.write([{ sql: 'INSERT INTO missing VALUES (1)', parameters: [] }]),
    writer.write([insert(3)]),
    writer.write([{ sql: 'INSERT INTO missing VALUES (1)', parameters: [] }]),
    writer.write([insert(2n ** 70n)]),
    writer.write([insert(4)]),
  ])
  expect(settled).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled', 'rejected', 'rejected', 'fulfilled'])
  expect(await ids()).toEqual([1, 3, 4])
})

test('a failure says what SQLite said and carries its code', async () => {
  await writer.write([insert(1)])
  const failure = await writer.write([insert(1)]).catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(StatementFailed)
  expect(failure).toMatchObject({ message: 'UNIQUE constraint failed: item.id', errcode: 1555 })
  expect(writer.broken).toBeUndefined()
})

test.each([Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])(
  'a number that would be changed, %d, is refused',
  async (value) => {
    await expect(writer.write([insert(1), insert(value)])).rejects.toThrow(`SQL parameter 1 is ${value}`)
    await writer.write([insert(2)])
    expect(await ids()).toEqual([2])
  },
)

test('a whole number in a text column has no decimal point', async () => {
  await writer.write([insert(1, 5)])
  expect(await writer.query('SELECT note FROM item')).toEqual([{ note: '5' }])
})

test('an integer that JavaScript cannot hold exactly fails to be read', async () => {
  await writer.write([insert(2n ** 53n + 1n)])
  await expect(ids()).rejects.toThrow('too large')
})

test('a query sees the writes made before it', async () => {
  const writing = writer.write([insert(1)])
  expect(await ids()).toEqual([1])
  await writing
})

test('more different statements than are kept prepared still run', async () => {
  const calls = Array.from({ length: PREPARED_STATEMENTS_MAX + 20 }, (_, index) =>
    writer.write([{ sql: `INSERT INTO item (id) VALUES (${index})`, parameters: [] }]),
  )
  await Promise.all(calls)
  await writer.write([insert(-1), { sql: 'INSERT INTO item (id) VALUES (-2)', parameters: [] }])
  expect((await ids()).length).toBe(PREPARED_STATEMENTS_MAX + 22)
})

test('more statements than the queue holds are refused at once, and it takes writes again later', async () => {
  const many = Array.from({ length: QUEUE_STATEMENTS_MAX }, (_, index) => insert(index))
  const accepted = writer.write(many)
  const refused = await writer.write([insert(-1)]).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(Refusal)
  expect(refused).toMatchObject({ code: 'overloaded' })
  await accepted
  expect(writer.pendingStatements).toBe(0)
  await writer.write([insert(-1)])
})

test('closing writes what was accepted and refuses what comes after', async () => {
  const calls = Array.from({ length: 50 }, (_, index) => writer.write([insert(index)]))
  const closed = writer.close()
  await expect(writer.write([insert(99)])).rejects.toMatchObject({ code: 'shutting_down' })
  await closed
  expect(new Set(await outcomes(calls))).toEqual(new Set(['fulfilled']))
  const database = new DatabaseSync(file)
  expect(database.prepare('SELECT count(*) AS count FROM item').get()).toMatchObject({ count: 50 })
  database.close()
})

test('a statement that ends the transaction by itself stops the writer', async () => {
  await expect(writer.write([{ sql: 'COMMIT', parameters: [] }])).rejects.toMatchObject({ code: 'account_stopped' })
  await expect(writer.write([insert(1)])).rejects.toMatchObject({ code: 'account_stopped' })
  expect(writer.broken).toBe('cannot commit - no transaction is active')
})

test('a file that is no database stops the writer', async () => {
  const broken = new Writer(dataDir, 'FULL')
  await expect(broken.write([insert(1)])).rejects.toMatchObject({ code: 'account_stopped' })
  await broken.close()
})

test('under load what is in the log gets into the file without a commit that waits for it', async () => {
  const empty = statSync(file).size
  const rows = 2_000
  for (let id = 1; id <= rows; id += 50)
    await writer.write(Array.from({ length: 50 }, (_, index) => insert(id + index, 'x'.repeat(300))))
  expect(statSync(`${file}-wal`).size).toBeLessThan(4_096 * 4_000) // no commit has copied anything
  await vi.waitFor(() => expect(statSync(file).size).toBeGreaterThan(empty), { timeout: 20_000, interval: 20 })
  await writer.close()
  expect(existsSync(`${file}-wal`)).toBe(false)
  const after = new DatabaseSync(file)
  expect(after.prepare('SELECT count(*) AS rows FROM item').get()).toEqual({ rows })
  after.close()
})
