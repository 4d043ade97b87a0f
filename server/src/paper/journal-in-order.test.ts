import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ManualClock } from '../kernel/clock.ts'
import { moneyOf } from '../kernel/fixed.ts'
import { kyselyOver } from '../storage/dialect.ts'
import { migrate } from '../storage/migrate.ts'
import { moneyMigrations } from '../storage/migrations/money/index.ts'
import { openDatabases } from '../storage/open.ts'
import type { MoneyDatabase } from '../storage/schema.ts'
import { openFile } from '../storage/sqlite.ts'
import { Journal } from './journal.ts'
import { encodeState } from './snapshot.ts'
import { openAccount } from './state.ts'

const AT = Date.parse('2026-11-26T10:00:00+05:30')
/** Before the journal was kept in order. */
const MIGRATIONS_BEFORE = 8

const resetTo = (rupees: number): string => JSON.stringify({ capital: moneyOf(rupees) })

test('a journal from before it was kept in order is recovered, and goes on', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sauda-journal-'))
  try {
    const before = openFile(join(folder, 'money.db'), 'FULL', 'read-write')
    const kysely = kyselyOver<MoneyDatabase>(before)
    await migrate(kysely, moneyMigrations.slice(0, MIGRATIONS_BEFORE), 'money.db', AT)
    const journal = before.prepare('INSERT INTO journal (account, seq, at, kind, body) VALUES (?, ?, ?, ?, ?)')
    const snapshot = before.prepare('INSERT INTO snapshot (account, seq, at, body) VALUES (?, 0, ?, ?)')
    for (const account of ['second', 'default', 'third'])
      snapshot.run(account, AT, encodeState(openAccount(account, moneyOf(1_000), AT, '2026-11-26')))
    for (const seq of [2, 1, 3]) journal.run('second', seq, AT + seq, 'reset', resetTo(2_000 + seq))
    for (const seq of [1, 2]) journal.run('default', seq, AT + seq, 'reset', resetTo(1_000 + seq))
    await kysely.destroy()

    for (const laterResets of [0, 1]) {
      const databases = await openDatabases(folder, new ManualClock(AT))
      const after = new Journal(databases)
      const capitals: [string, number, number][] = []
      for (const account of ['default', 'second', 'third', 'fourth']) {
        const state = (await after.recover(account))?.state
        if (state !== undefined) capitals.push([account, state.seq, state.capital])
      }
      expect(capitals).toEqual([
        ['default', 2 + laterResets, moneyOf(laterResets === 1 ? 5_000 : 1_002)],
        ['second', 3, moneyOf(2_003)],
        ['third', 0, moneyOf(1_000)],
      ])
      const command = { kind: 'reset', at: AT + 10, capital: moneyOf(5_000) } as const
      await after.append('default', 3 + laterResets, command)
      await expect(after.append('default', 2, command)).rejects.toThrow('UNIQUE constraint failed: journal.id')
      expect(() => after.append('nobody', 1, command)).toThrow('nobody')
      await databases.close()
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})
