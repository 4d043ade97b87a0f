import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

const BODY = JSON.stringify({ symbol: 'SBIN', exchange: 'NSE', filler: 'x'.repeat(700) })

/** Rows per second of bare SQLite with an fsync for each group of `groupSize` rows, for about `seconds`. */
export function groupedCommits(
  folder: string,
  groupSize: number,
  seconds: number,
): { perSecond: number; commitMs: number } {
  const database = new DatabaseSync(join(folder, `bare-${groupSize}.db`))
  database.exec(
    'PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE row (id INTEGER PRIMARY KEY, body TEXT)',
  )
  const insert = database.prepare('INSERT INTO row (body) VALUES (?)')
  const startedAt = performance.now()
  let rows = 0
  let commits = 0
  while (performance.now() - startedAt < seconds * 1000) {
    database.exec('BEGIN')
    for (let index = 0; index < groupSize; index += 1) insert.run(BODY)
    database.exec('COMMIT')
    rows += groupSize
    commits += 1
  }
  const elapsedMs = performance.now() - startedAt
  database.close()
  return { perSecond: (rows * 1000) / elapsedMs, commitMs: elapsedMs / commits }
}
