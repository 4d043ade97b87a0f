import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Kysely, sql } from 'kysely'
import { StartRefused } from '../kernel/start-refused.ts'
import { verifyChain } from '../monitor/audit-chain.ts'
import { readHead } from '../monitor/audit-head.ts'
import { kyselyOver } from '../storage/dialect.ts'
import { type Migration, pendingMigrations } from '../storage/migrate.ts'
import { moneyMigrations } from '../storage/migrations/money/index.ts'
import { recordMigrations } from '../storage/migrations/record/index.ts'
import { telemetryMigrations } from '../storage/migrations/telemetry/index.ts'
import type { RecordDatabase } from '../storage/schema.ts'
import { BUSY_TIMEOUT_MS } from '../storage/sqlite.ts'
import { type Finding, fine, wrong } from './finding.ts'

interface Examined {
  readonly file: string
  readonly migrations: readonly Migration[]
  /** What to do when it is damaged. */
  readonly repair: string
}

const RESTORE = 'Stop Sauda and restore the data folder from a backup.'

const DATABASES: readonly Examined[] = [
  { file: 'money.db', migrations: moneyMigrations, repair: RESTORE },
  { file: 'record.db', migrations: recordMigrations, repair: RESTORE },
  {
    file: 'telemetry.db',
    migrations: telemetryMigrations,
    repair: 'Stop Sauda and delete telemetry.db with its -wal and -shm: only the history of requests is lost.',
  },
]

/**
 * Looks at each database of a data folder without changing it, also while a server writes to it. Never called by the
 * server itself: closing a file there would drop the locks of its own connections.
 */
export async function examineDatabases(dataDir: string): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const database of DATABASES) findings.push(...(await examine(dataDir, database)))
  return findings
}

async function examine(dataDir: string, { file, migrations, repair }: Examined): Promise<readonly Finding[]> {
  const path = join(dataDir, file)
  if (!existsSync(path)) return [missing(dataDir, file)]
  let kysely: Kysely<unknown> | undefined
  try {
    kysely = kyselyOver<unknown>(new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS }))
    const damage = await damageOf(kysely)
    if (damage !== undefined) return [wrong(file, `The file is damaged: ${damage}.`, repair)]
    const pending = await pendingMigrations(kysely, migrations, path)
    const schema =
      pending === 0
        ? `schema ${migrations.length}, the newest`
        : `${pending} changes of the schema wait for the next start`
    const findings = [fine(file, `The file is sound, ${schema}.`)]
    if (file === 'record.db' && pending === 0)
      findings.push(await examineChain(kysely as Kysely<RecordDatabase>, dataDir))
    return findings
  } catch (error) {
    if (error instanceof StartRefused) return [wrong(file, error.message, '')]
    return [wrong(file, `It can't be read: ${error instanceof Error ? error.message : String(error)}.`, repair)]
  } finally {
    await kysely?.destroy()
  }
}

function missing(dataDir: string, file: string): Finding {
  const isFresh = !existsSync(join(dataDir, 'money.db')) && !existsSync(join(dataDir, 'secret.key'))
  if (isFresh || file === 'telemetry.db') return fine(file, "Isn't there yet; the next start makes it.")
  return wrong(file, 'The file is missing, though the instance is not new.', RESTORE)
}

/** The first that SQLite complains of. */
async function damageOf(kysely: Kysely<unknown>): Promise<string | undefined> {
  const { rows } = await sql<{ quick_check: string }>`PRAGMA quick_check(1)`.execute(kysely)
  const found = rows[0]?.quick_check
  return found === 'ok' ? undefined : (found ?? 'SQLite gave no answer')
}

async function examineChain(record: Kysely<RecordDatabase>, dataDir: string): Promise<Finding> {
  const kept = readHead(dataDir) // before the rows, which a server may add to meanwhile
  const head = typeof kept === 'string' ? undefined : kept
  const { rows, brokenAt, isShort, head: last } = await verifyChain(record, head)
  if (isShort)
    return wrong(
      'audit log',
      `Rows were taken off its end: it has ${rows}, all as they were written, and had ${head?.seq}.`,
      `${TAMPERED} Once that is clear, delete audit.head: the next start takes the log as it is.`,
    )
  if (brokenAt !== undefined)
    return wrong(
      'audit log',
      `Row ${brokenAt} was changed or taken out after it was written; the ${rows} rows before it are as they were.`,
      TAMPERED,
    )
  if (rows > 0 && head === undefined)
    return wrong(
      'audit log',
      `All ${rows} rows are as they were written, but audit.head is ${kept}: whether rows were taken off the end can't be told.`,
      'Compare record.db with a backup. Then delete audit.head, if it is there; the next start makes a new one.',
    )
  const announced = head?.ahead.filter(({ seq }) => seq > rows).length ?? 0
  if (announced > 0)
    return fine(
      'audit log',
      `All ${rows} rows are as they were written; those in audit.head after them (${announced}) are being written by a server, or will be by the next start.`,
    )
  return fine('audit log', `All ${rows} rows are as they were written; the last is ${last}.`)
}

const TAMPERED =
  'Somebody or something other than Sauda wrote to record.db: compare it with a backup, and find out who had access.'
