/**
 * Run by tests as a process of its own: adds to the audit log, one to four rows at a time, until it is killed, and prints the
 * number of the last one once it is written. Argument: the data folder.
 */
import { argv, stdout } from 'node:process'
import { systemClock } from '../kernel/clock.ts'
import { openDatabases } from '../storage/open.ts'
import { AuditLog } from './audit-log.ts'

const [, , dataDir = ''] = argv
const { record } = await openDatabases(dataDir)
const log = await AuditLog.open(record, systemClock, dataDir, (error) => {
  throw error
})
const event = { actor: 'asha', action: 'key.created', target: 'key_a', address: '', requestId: '', detail: {} }
for (let round = 0; ; round += 1) {
  for (let row = 0; row <= round % 4; row += 1) log.record(event)
  const { rows } = await log.list({}, 1)
  stdout.write(`${rows[0]?.seq}\n`)
}
