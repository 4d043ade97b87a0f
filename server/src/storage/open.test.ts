import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ManualClock } from '../kernel/clock.ts'
import { type Databases, openDatabases } from './open.ts'

let parent: string
let dataDir: string
let databases: Databases
beforeEach(async () => {
  parent = mkdtempSync(join(tmpdir(), 'sauda-open-'))
  dataDir = join(parent, 'nested', 'data')
  databases = await openDatabases(dataDir, new ManualClock(1_700_000_000_000))
})
afterEach(async () => {
  await databases.close()
  rmSync(parent, { recursive: true, force: true })
})

async function reopen(): Promise<void> {
  await databases.close()
  databases = await openDatabases(dataDir, new ManualClock(1_800_000_000_000))
}

test('a fresh folder has one account, on paper, and keeps it as it was created', async () => {
  await reopen()
  const accounts = await databases.money.kysely.selectFrom('account').selectAll().execute()
  expect(accounts).toMatchObject([{ id: 'default', venue: 'paper', created_at: 1_700_000_000_000 }])
})

test('what a writer acknowledged can be read at once and after a restart', async () => {
  const { money, record } = databases
  await money.writer.write([money.compile(money.kysely.insertInto('setting').values({ name: 'theme', value: 'dark' }))])
  const order = {
    account: 'default',
    order_id: '1',
    session_date: '2026-01-05',
    placed_at: 5,
    body: '{}',
    tag: null,
    root: null,
  }
  await record.writer.write([record.compile(record.kysely.insertInto('paper_order').values(order))])
  for (const restarted of [false, true]) {
    if (restarted) await reopen()
    expect(await databases.money.kysely.selectFrom('setting').selectAll().execute()).toMatchObject([{ value: 'dark' }])
    expect(await databases.record.kysely.selectFrom('paper_order').selectAll().execute()).toMatchObject([order])
  }
})

test('a prepared query sees what was written after it was prepared, and takes exact values only', async () => {
  const { kysely, prepare, writer, compile } = databases.money
  const byName = prepare(kysely.selectFrom('setting').select('value').where('name', '=', ''))
  expect(byName('theme')).toEqual([])
  await writer.write([compile(kysely.insertInto('setting').values({ name: 'theme', value: 'dark' }))])
  expect(byName('theme').map(({ value }) => value)).toEqual(['dark'])
  expect(() => byName(2 ** 53)).toThrow(TypeError)
})

test('rows can be streamed', async () => {
  const { kysely, writer, compile } = databases.money
  const names = ['a', 'b', 'c']
  await writer.write(names.map((name) => compile(kysely.insertInto('setting').values({ name, value: '' }))))
  const read: string[] = []
  for await (const { name } of kysely.selectFrom('setting').select('name').orderBy('name').stream()) read.push(name)
  expect(read).toEqual(names)
})

test('the reading connection refuses to write', async () => {
  const writing = databases.money.kysely.insertInto('setting').values({ name: 'a', value: 'b' }).execute()
  await expect(writing).rejects.toThrow('attempt to write a readonly database')
})

test('money waits for the disk at every commit, records do not', async () => {
  const modes = [databases.money, databases.record].map(({ writer }) => writer.query('PRAGMA synchronous'))
  expect(await Promise.all(modes)).toEqual([[{ synchronous: 2 }], [{ synchronous: 1 }]])
  expect(await databases.money.writer.query('PRAGMA journal_mode')).toEqual([{ journal_mode: 'wal' }])
  expect(await databases.money.writer.query('PRAGMA foreign_keys')).toEqual([{ foreign_keys: 1 }])
})

test('a wrong value for a column fails rather than being converted', async () => {
  const { writer } = databases.money
  const parameters = ['default', 'x', 1, 'k', '{}']
  const writing = writer.write([
    { sql: 'INSERT INTO journal (account, seq, at, kind, body) VALUES (?, ?, ?, ?, ?)', parameters },
  ])
  await expect(writing).rejects.toThrow('cannot store TEXT value in INTEGER column journal.seq')
})

test('an integer that JavaScript cannot hold exactly fails to be read', async () => {
  await expect(sql`SELECT 9007199254740993 AS big`.execute(databases.money.kysely)).rejects.toThrow('too large')
})

test.skipIf(process.platform === 'win32')('folder and files can be read by their owner alone', async () => {
  await databases.money.writer.write([{ sql: "INSERT INTO setting VALUES ('a', 'b')", parameters: [] }])
  const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)
  expect(modeOf(dataDir)).toBe('700')
  const files = readdirSync(dataDir)
  expect(files).toEqual(expect.arrayContaining(['money.db', 'money.db-wal', 'record.db']))
  expect(files.map((name) => modeOf(join(dataDir, name)))).toEqual(files.map(() => '600'))
})

// Without the lock, the last other process to close a file deletes the log that we still write
test.skipIf(process.platform !== 'linux')('an open file stays locked against other processes', async () => {
  await Promise.all([databases.money.writer.query('SELECT 1'), databases.record.writer.query('SELECT 1')])
  const locked = readFileSync('/proc/locks', 'utf8')
  for (const name of ['money.db', 'record.db']) expect(locked).toContain(`:${statSync(join(dataDir, name)).ino} `)
})
