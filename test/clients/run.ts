import { Checks } from '../checks.ts'
import { ServerProcess } from '../server-process.ts'
import { checkNodeClient } from './node-client.ts'
import { checkNodeRoundTrips } from './node-round-trips.ts'
import { checkPythonClient, checkPythonMarketTrips, checkPythonRoundTrips, preparePython } from './python.ts'
import { checkTypedClient } from './typed-client.ts'

/** `npm run test:clients`: each client against a server of its own, on a fresh account. */

const CLIENTS = [
  ['python', checkPythonClient],
  ['python', checkPythonRoundTrips],
  ['python', checkPythonMarketTrips],
  ['node', checkNodeClient],
  ['node', checkNodeRoundTrips],
  ['typed', checkTypedClient],
] as const

await preparePython()
let passed = 0
let failed = 0
for (const [name, run] of CLIENTS) {
  const checks = new Checks(name)
  const server = await ServerProcess.start()
  try {
    await checks.check('the client gets through its checks', () => run(checks, server.address, server.key))
    await checks.check('the server logged neither a failure nor the key, and ends in order', async () => {
      await server.stop()
      if (server.output.includes('request failed')) throw new Error(server.output)
      if (server.output.split(server.key).length !== 2) throw new Error('The key is in the log.')
    })
  } finally {
    await server.remove()
  }
  passed += checks.passed
  failed += checks.failed
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
