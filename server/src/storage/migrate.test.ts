import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Kysely, sql } from 'kysely'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { StartRefused } from '../kernel/start-refused.ts'
import { kyselyOver } from './dialect.ts'
import { type Migration, migrate } from './migrate.ts'
import { openFile } from './sqlite.ts'

let dataDir: string
let kysely: Kysely<unknown>
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'sauda-migrate-'))
  kysely = kyselyOver(openFile(join(dataDir, 'test.db'), 'NORMAL', 'read-write'))
})
afterEach(async () => {
  await kysely.destroy()
  rmSync(dataDir, { recursive: true, force: true })
})

const step = (number: number, name: string, statement: string): Migration => ({
  number,
  name,
  async up(database) {
    await sql.raw(statement).execute(database)
  },
})
const first = step(1, 'first', 'CREATE TABLE one (id INTEGER)')
const second = step(2, 'second', 'CREATE TABLE two (id INTEGER)')
const failing = step(3, 'third', 'CREATE TABLE two (id INTEGER)')

const run = (migrations: readonly Migration[]) => migrate(kysely, migrations, 'test.db', 1_000)

async function tables(): Promise<readonly string[]> {
  const { rows } = await sql<{
    name: string
  }>`SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`.execute(kysely)
  return rows.map(({ name }) => name)
}

test('each migration runs once, and its number is kept', async () => {
  expect(await run([first])).toBe(1)
  expect(await run([first, second])).toBe(1)
  expect(await run([first, second])).toBe(0)
  expect(await tables()).toEqual(['migration', 'one', 'two'])
  const { rows } = await sql`SELECT * FROM migration ORDER BY number`.execute(kysely)
  expect(rows).toMatchObject([
    { number: 1, name: 'first', applied_at: 1_000 },
    { number: 2, name: 'second', applied_at: 1_000 },
  ])
})

test('a failing migration leaves the file as it was, also what ran before it in the same start', async () => {
  await run([first])
  await expect(run([first, second, failing])).rejects.toThrow(
    'test.db: migration 3 (third) failed; the file is unchanged',
  )
  expect(await tables()).toEqual(['migration', 'one'])
  expect(await run([first, second])).toBe(1)
})

test('a failing first migration leaves an empty file', async () => {
  await expect(run([step(1, 'wrong', 'CREATE TABLE')])).rejects.toThrow('migration 1 (wrong) failed')
  expect(await tables()).toEqual([])
})

test('a file of a newer version is refused', async () => {
  await run([first, second])
  const refused = await run([first]).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(StartRefused)
  expect(refused).toHaveProperty(
    'message',
    'test.db was written by a newer version of Sauda: it has schema 2, this version knows schemas up to 1. ' +
      'Start the newer version, or restore the data folder from a backup made before the upgrade.',
  )
})

test('a file of another line of development is refused', async () => {
  await run([first, second])
  await expect(run([first, step(2, 'other', 'CREATE TABLE x (id INTEGER)')])).rejects.toThrow(
    'test.db has migration 2 "second" where this version of Sauda has "other"',
  )
})
