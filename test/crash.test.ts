import { expect, test } from 'vitest'
import { type Client, createClient } from '../client/src/index.ts'
import { dayNumberAt } from '../server/src/kernel/exchange-time.ts'
import { notingClient, sendAgain, Tally } from './crash-again.ts'
import { checkAll } from './crash-check.ts'
import { Ledger, ORDERING } from './crash-ledger.ts'
import { burst, load, openDesk } from './crash-load.ts'
import { seededRandom, seedFrom } from './random.ts'
import { ServerProcess, sleep } from './server-process.ts'

const CONNECTIONS = 6
const LOAD_MS_MIN = 100
const LOAD_MS_MAX = 600
const BURST_REQUESTS = 110
/** Every so many rounds the server is also killed while it starts and recovers. */
const START_KILL_EVERY = 5
const START_KILL_MS_MAX = 2_000
/** Every so many rounds all working orders are cancelled, so that the account isn't full in the end. */
const CLEAR_EVERY = 5
const ROUND_MS_MAX = 30_000
/** Fewer may by chance miss an operation. */
const ALL_OPERATIONS_ROUNDS_MIN = 20

const { CI = '', CRASH_ROUNDS = '' } = process.env
const rounds = Number(CRASH_ROUNDS || (CI === '' ? 5 : 50))

test(
  `after kill -9 under load everything acknowledged is there, once, ${rounds} times over`,
  async () => {
    const seed = seedFrom('CRASH_SEED')
    console.log(`CRASH_SEED=${seed} CRASH_ROUNDS=${rounds}`)
    const random = seededRandom(seed)
    const server = await ServerProcess.start()
    const ledger = new Ledger()
    const tally = new Tally()
    const startedAt = performance.now()
    const recoveryMs: number[] = []
    let orders = 0
    try {
      for (let round = 1; round <= rounds; round += 1) {
        const day = dayNumberAt(Date.now())
        await loadAndKill(server, ledger, round, random.below(2 ** 32))
        if (round % START_KILL_EVERY === 0) {
          const afterMs = random.below(START_KILL_MS_MAX)
          await server.startAndSignal('SIGKILL', () => sleep(afterMs))
        }
        const restartedAt = performance.now()
        expect(await server.start()).not.toContain('sk_')
        recoveryMs.push(performance.now() - restartedAt)
        const client = clientOf(server)
        await sendAgain(server, ledger, random, tally, day)
        orders = await checkAll(client, ledger)
        if (round % CLEAR_EVERY === 0) await clear(client, ledger)
      }
      await server.stop()
      await server.start()
      await checkAll(clientOf(server), ledger)
      await server.stop()
    } catch (error) {
      throw new Error(`With CRASH_SEED=${seed}. The server wrote:\n${server.output.slice(-4_000)}`, { cause: error })
    } finally {
      await server.remove()
    }
    // Otherwise nothing was tried.
    expect(ledger.promised.size).toBeGreaterThan(rounds * 5)
    const operations = new Set([...ledger.named.values()].map(({ operation }) => operation))
    if (rounds >= ALL_OPERATIONS_ROUNDS_MIN) expect([...operations].sort()).toEqual([...ORDERING].sort())
    console.log(
      `${rounds} rounds in ${Math.round((performance.now() - startedAt) / 1000)} s: ${ledger.requests} requests, ` +
        `${ledger.promised.size} orders acknowledged, ${orders} in the book; starts took ${Math.round(Math.min(...recoveryMs))} to ${Math.round(Math.max(...recoveryMs))} ms\n${tally.text}`,
    )
  },
  rounds * ROUND_MS_MAX,
)

const clientOf = (server: ServerProcess): Client => createClient({ host: server.address, apiKey: server.key })

async function loadAndKill(server: ServerProcess, ledger: Ledger, round: number, seed: number): Promise<void> {
  let stopped = false
  const random = seededRandom(seed)
  const desk = await openDesk(notingClient(server, ledger), ledger)
  const connections = Promise.allSettled(
    Array.from({ length: CONNECTIONS }, (_, index) =>
      load(desk, seededRandom(random.below(2 ** 32)), `r${round}-c${index}`, () => stopped),
    ),
  )
  await sleep(LOAD_MS_MIN + random.below(LOAD_MS_MAX - LOAD_MS_MIN))
  // Half of the rounds end in a burst, at one of its acknowledgements: what was acknowledged too early would be queued.
  let bursting: Promise<void> = Promise.resolve()
  if (round % 2 === 1) {
    const reached = nthAcknowledgement(ledger, random.below(BURST_REQUESTS))
    bursting = burst(desk, random, `r${round}-burst`, BURST_REQUESTS)
    await Promise.race([reached, bursting])
  }
  await server.kill()
  stopped = true
  await bursting
  for (const outcome of await connections) if (outcome.status === 'rejected') throw outcome.reason
}

/** Resolves with the acknowledgement that follows so many others. */
function nthAcknowledgement(ledger: Ledger, others: number): Promise<void> {
  return new Promise((reached) => {
    let seen = 0
    ledger.onAcknowledged = () => {
      seen += 1
      if (seen > others) reached()
    }
  })
}

async function clear(client: Client, ledger: Ledger): Promise<void> {
  const { canceled_orders, failed_cancellations } = await client.cancelallorder({ strategy: 'x' })
  expect(failed_cancellations).toEqual([])
  for (const id of canceled_orders) {
    const promised = ledger.promised.get(id)
    if (promised !== undefined) promised.finished = 'cancelled'
  }
}
