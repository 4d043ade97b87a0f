/**
 * Run by tests as a process of its own: writes rows until it is killed or refused, and prints the number of each row
 * once it is acknowledged. Arguments: the data folder, how many callers write at once.
 */
import { argv, exit, stdout } from 'node:process'
import { Refusal } from '../kernel/errors.ts'
import { openDatabases } from './open.ts'

const [, , dataDir = '', callers = '1'] = argv
const { money } = await openDatabases(dataDir)
const sql = 'INSERT INTO journal (account, seq, at, kind, body) VALUES (?, ?, ?, ?, ?)'
const first =
  (await money.kysely.selectFrom('journal').select('seq').orderBy('seq', 'desc').executeTakeFirst())?.seq ?? 0
let seq = first

async function writeForever(): Promise<never> {
  for (;;) {
    seq += 1
    const mine = seq
    await money.writer.write([{ sql, parameters: ['default', mine, 0, 'test', 'x'.repeat(400)] }])
    // Not by writeSync, which fails when the reader is slow: the worker has made the pipe one that doesn't wait
    stdout.write(`${mine}\n`)
  }
}

try {
  await Promise.all(Array.from({ length: Number(callers) }, writeForever))
} catch (error) {
  if (!(error instanceof Refusal)) throw error
  const later = await money.writer.write([]).then(
    () => 'accepted',
    (refusal: unknown) => (refusal instanceof Refusal ? refusal.code : String(refusal)),
  )
  await money.close()
  stdout.write(`refused ${error.code}, later ${later}\n`, () => exit(0))
}
