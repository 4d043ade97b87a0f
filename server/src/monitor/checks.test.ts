import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../kernel/clock.ts'
import { openDatabases } from '../storage/open.ts'
import { standardChecks, type WriterHealth } from './checks.ts'
import { Health } from './health.ts'
import { PULSE_STALLED_MS } from './pulse.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'sauda-checks-'))
  cleanUps.push(() => rmSync(made, { recursive: true }))
  return made
}

const well = (): WriterHealth => ({ broken: undefined, pendingStatements: 0, query: async () => [] })

interface Given {
  money?: () => WriterHealth
  record?: () => WriterHealth
  telemetry?: () => WriterHealth
  stoppedAccounts?: () => readonly string[]
  askMarketData?: () => Promise<string | undefined>
  dropped?: () => number
  linesLost?: () => number
  memoryMib?: number
  loopDelayMs?: number
  diskFreeMib?: number
  dataDir?: string
}

function start(given: Given = {}) {
  const clock = new ManualClock(1_790_000_000_000)
  const { checks, close } = standardChecks(
    {
      healthIntervalSeconds: 10,
      healthMemoryWarnMib: given.memoryMib ?? 100_000,
      healthLoopDelayWarnMs: given.loopDelayMs ?? 60_000,
      healthDiskFreeWarnMib: given.diskFreeMib ?? 1,
      dataDir: given.dataDir ?? folder(),
    },
    {
      money: given.money ?? well,
      record: given.record ?? well,
      telemetry: given.telemetry ?? well,
      stoppedAccounts: given.stoppedAccounts ?? (() => []),
      askMarketData: given.askMarketData ?? (async () => undefined),
      dropped: given.dropped ?? (() => 0),
      linesLost: given.linesLost ?? (() => 0),
    },
    clock,
  )
  cleanUps.push(close)
  const health = new Health({ clock, checks, intervalMs: 10_000, onAlert: () => undefined })
  const reading = (name: string) => {
    const found = health.read().find((each) => each.name === name)
    if (found === undefined) throw new Error(`no check is called ${name}`)
    return found
  }
  return { clock, health, reading }
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('the instance is ready', () => {
  it('when all is well, with every check passing', () => {
    const { health } = start()
    expect(health.read().filter(({ state }) => state !== 'pass')).toEqual([])
    expect(health.notReady()).toEqual([])
  })

  it('while only something is scarce, an account has stopped or the telemetry fails', () => {
    const broken = { ...well(), broken: 'disk full' }
    const { health, reading } = start({
      memoryMib: 1,
      diskFreeMib: 100_000_000,
      stoppedAccounts: () => ['acc_one'],
      telemetry: () => broken,
    })
    expect(reading('memory')).toMatchObject({ state: 'warn', unit: 'MiB' })
    expect(reading('disk_free')).toMatchObject({ state: 'warn', unit: 'MiB' })
    expect(reading('accounts')).toMatchObject({ state: 'fail', value: 1, message: expect.stringContaining('acc_one') })
    expect(reading('telemetry').state).toBe('fail')
    expect(health.notReady()).toEqual([])
  })

  it.each(['money', 'record'] as const)('not when nothing can be written to %s any more', (name) => {
    const { health } = start({ [name]: () => ({ ...well(), broken: 'disk full' }) })
    expect(health.notReady()).toEqual([expect.stringContaining('disk full')])
  })

  it('not when the disk hangs without saying so', async () => {
    const { clock, health, reading } = start({
      money: () => ({ ...well(), pendingStatements: 7, query: () => new Promise(() => undefined) }),
    })
    clock.advance(2_000)
    expect(reading('journal_lag')).toMatchObject({ state: 'warn', value: 2_000, unit: 'ms' })
    expect(health.notReady()).toEqual([])
    clock.advance(PULSE_STALLED_MS)
    await settled() // the others answer
    expect(reading('journal')).toMatchObject({ state: 'fail', value: 7 })
    expect(health.notReady()).toEqual(["journal: It can't be written: no answer for 12 s."])
  })

  it('not without prices, and again with them', async () => {
    let problem: string | undefined = 'the feed is closed.'
    const { clock, health } = start({ askMarketData: async () => problem })
    await settled()
    expect(health.notReady()).toEqual(['market_data: There are no prices: the feed is closed.'])
    problem = undefined
    clock.advance(10_000)
    await settled()
    expect(health.notReady()).toEqual([])
  })
})

it('a long queue is a warning', () => {
  const { health, reading } = start({ money: () => ({ ...well(), pendingStatements: 10_000 }) })
  expect(reading('journal')).toMatchObject({ state: 'warn', value: 10_000, unit: 'waiting' })
  expect(health.notReady()).toEqual([])
})

it.each([
  ['rows of logs', 'dropped', 'log_rows_lost'],
  ['lines of the log', 'linesLost', 'log_lines_lost'],
])('%s that are lost are told once, not for ever', (_what, source, check) => {
  let lost = 0
  const { clock, reading } = start({ [source]: () => lost })
  lost = 3
  expect(reading(check)).toMatchObject({ state: 'warn', value: 3 })
  clock.advance(10_000)
  expect(reading(check)).toMatchObject({ state: 'pass', value: 0 })
  lost = 4
  expect(reading(check)).toMatchObject({ state: 'warn', value: 1 })
})

it('a loop that was held up is seen until the next look, however often it is asked', async () => {
  const { clock, reading } = start({ loopDelayMs: 150 })
  await sleep(60)
  expect(reading('event_loop_delay').state).toBe('pass')
  const until = performance.now() + 300
  while (performance.now() < until);
  await sleep(60)
  const held = reading('event_loop_delay')
  expect(held).toMatchObject({ state: 'warn', unit: 'ms' })
  expect(held.value).toBeGreaterThanOrEqual(250)
  expect(reading('event_loop_delay').value).toBeGreaterThanOrEqual(250)
  clock.advance(10_000)
  expect(reading('event_loop_delay')).toMatchObject({ state: 'pass', value: 0 })
})

it('sizes of databases include what waits beside them, and absent files are empty', () => {
  const dataDir = folder()
  writeFileSync(join(dataDir, 'money.db'), Buffer.alloc(2 * 1_048_576))
  writeFileSync(join(dataDir, 'money.db-wal'), Buffer.alloc(524_288))
  const { reading } = start({ dataDir })
  expect(reading('money_size')).toMatchObject({ value: 2.5, unit: 'MiB' })
  expect(reading('record_size').value).toBe(0)
})

it('asks the real writers', async () => {
  const dataDir = folder()
  const databases = await openDatabases(dataDir)
  cleanUps.push(() => databases.close())
  const asked = start({
    dataDir,
    money: () => databases.money.writer,
    record: () => databases.record.writer,
    telemetry: () => databases.telemetry.writer,
  })
  await Promise.all(
    [databases.money, databases.record, databases.telemetry].map(({ writer }) => writer.query('select 2')),
  )
  asked.clock.advance(2 * PULSE_STALLED_MS)
  expect(asked.health.notReady()).toEqual([])
  expect(asked.reading('money_size').value).toBeGreaterThan(0)
})
