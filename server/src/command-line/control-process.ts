/**
 * Run by tests as a process of its own, in place of a server: holds the lock of a data folder, listens for commands on
 * its keys, and answers each key that it reads with the key's id or "unknown". Argument: the data folder.
 */
import { argv, exit, stdin, stdout } from 'node:process'
import { createInterface } from 'node:readline'
import { KeyStore } from '../identity/key-store.ts'
import { systemClock } from '../kernel/clock.ts'
import { StartRefused } from '../kernel/start-refused.ts'
import { openDatabases } from '../storage/open.ts'
import { startControl } from './control.ts'
import { acquireInstanceLock } from './instance-lock.ts'
import { keyCommands } from './key-commands.ts'

const dataDir = argv[2] ?? ''
try {
  acquireInstanceLock(dataDir)
} catch (error) {
  if (!(error instanceof StartRefused)) throw error
  stdout.write(`${error.message}\n`)
  exit(1)
}
const { money } = await openDatabases(dataDir)
const fail = (error: unknown): never => {
  throw error
}
const keys = await KeyStore.open({
  money,
  dataDir,
  clock: systemClock,
  audit: () => undefined,
  ownerOf: () => undefined,
  onError: fail,
})
await startControl(dataDir, keyCommands(keys), (error) => {
  throw error
})
stdout.write('ready\n')
for await (const line of createInterface(stdin)) {
  const identity = keys.check(line, systemClock.now())
  stdout.write(`${typeof identity === 'string' ? identity : identity.keyId}\n`)
}
exit(0)
