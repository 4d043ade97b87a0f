import { statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Clock } from '../kernel/clock.ts'
import { above, below, type Check, type Reading } from './health.ts'
import { Pulse } from './pulse.ts'

const MIB = 1_048_576
const STATEMENTS_WAITING_WARN = 10_000
const JOURNAL_LAG_WARN_MS = 1_000
/** How often the event loop's clock ticks to find out how late it is. */
const LOOP_TICK_MS = 20
const DATABASES = ['money', 'record', 'telemetry'] as const

export interface CheckSettings {
  readonly healthIntervalSeconds: number
  readonly healthMemoryWarnMib: number
  readonly healthLoopDelayWarnMs: number
  readonly healthDiskFreeWarnMib: number
  readonly dataDir: string
}

/** A file's writer, as far as its health goes. */
export interface WriterHealth {
  readonly broken: string | undefined
  readonly pendingStatements: number
  /** Answers behind everything that waits to be written. */
  readonly query: (sql: string) => Promise<unknown>
}

export interface CheckSources {
  readonly money: () => WriterHealth
  readonly record: () => WriterHealth
  readonly telemetry: () => WriterHealth
  /** Accounts that have stopped, by id. */
  readonly stoppedAccounts: () => readonly string[]
  /** Asks for a price. Resolves with why there is none; undefined when there is one. */
  readonly askMarketData: () => Promise<string | undefined>
  /** Rows that logs lost since the start. */
  readonly dropped: () => number
  /** Lines that the process's own log lost since the start. */
  readonly linesLost: () => number
}

export interface Checks {
  readonly checks: readonly Check[]
  readonly close: () => void
}

/** What an instance looks at. Sizes are asked of the file system, never by opening a database file. */
export function standardChecks(settings: CheckSettings, sources: CheckSources, clock: Clock): Checks {
  const delay = monitorEventLoopDelay({ resolution: LOOP_TICK_MS })
  delay.enable()
  const pulse = (ask: () => Promise<string | undefined>) =>
    new Pulse({ clock, intervalMs: settings.healthIntervalSeconds * 1000, ask })
  const writerPulse = (health: () => WriterHealth) => pulse(async () => void (await health().query('select 1')))
  const pulses = {
    money: writerPulse(sources.money),
    record: writerPulse(sources.record),
    telemetry: writerPulse(sources.telemetry),
    marketData: pulse(sources.askMarketData),
  }
  const checks: Check[] = [
    { name: 'journal', isReadiness: true, read: () => writerReading(sources.money(), pulses.money) },
    {
      name: 'journal_lag',
      isReadiness: false,
      read: () => above(Math.round(pulses.money.lagMs), JOURNAL_LAG_WARN_MS, 'ms', 'Orders wait so long for the disk.'),
    },
    { name: 'records', isReadiness: true, read: () => writerReading(sources.record(), pulses.record) },
    { name: 'telemetry', isReadiness: false, read: () => writerReading(sources.telemetry(), pulses.telemetry) },
    {
      name: 'accounts',
      isReadiness: false, // the others go on
      read: () => {
        const stopped = sources.stoppedAccounts()
        return {
          state: stopped.length === 0 ? 'pass' : 'fail',
          value: stopped.length,
          unit: 'stopped',
          message: stopped.length === 0 ? '' : `Stopped: ${stopped.join(', ')}. Restart Sauda to recover them.`,
        }
      },
    },
    {
      name: 'market_data',
      isReadiness: true,
      read: () => {
        const { problem, lagMs } = pulses.marketData
        return {
          state: problem === undefined ? 'pass' : 'fail',
          value: Math.round(lagMs),
          unit: 'ms',
          message: problem === undefined ? '' : `There are no prices: ${problem}`,
        }
      },
    },
    {
      name: 'memory',
      isReadiness: false,
      read: () =>
        above(
          Math.round(process.memoryUsage.rss() / MIB),
          settings.healthMemoryWarnMib,
          'MiB',
          'Look at what grows, or raise HEALTH_MEMORY_WARN_MIB.',
        ),
    },
    {
      name: 'event_loop_delay',
      isReadiness: false,
      read: () => {
        const ms = Math.max(0, Math.round(delay.max / 1e6) - LOOP_TICK_MS)
        return above(ms, settings.healthLoopDelayWarnMs, 'ms', 'The machine is too slow for what is asked of it.')
      },
      renew: () => delay.reset(),
    },
    {
      name: 'disk_free',
      isReadiness: false,
      read: () => {
        const { bavail, bsize } = statfsSync(settings.dataDir)
        const mib = Math.floor((bavail * bsize) / MIB)
        return below(mib, settings.healthDiskFreeWarnMib, 'MiB', 'Make room on the disk of the data folder.')
      },
    },
    ...DATABASES.map((name) => ({
      name: `${name}_size`,
      isReadiness: false,
      read: (): Reading => ({ state: 'pass', value: fileMib(settings.dataDir, name), unit: 'MiB', message: '' }),
    })),
    lossCheck('log_rows_lost', 'rows', sources.dropped, 'Requests came faster than the disk takes their log.'),
    lossCheck('log_lines_lost', 'lines', sources.linesLost, 'Whoever reads the log of the process is too slow.'),
  ]
  const close = (): void => {
    delay.disable()
    for (const each of Object.values(pulses)) each.close()
  }
  return { checks, close }
}

function writerReading({ broken, pendingStatements }: WriterHealth, { problem }: Pulse): Reading {
  const wrong = broken ?? problem
  if (wrong !== undefined)
    return { state: 'fail', value: pendingStatements, unit: 'waiting', message: `It can't be written: ${wrong}.` }
  return above(pendingStatements, STATEMENTS_WAITING_WARN, 'waiting', 'The disk is too slow for what is written.')
}

/** Of what was lost since the last regular look: it is told once. */
function lossCheck(name: string, unit: string, lost: () => number, why: string): Check {
  let before = 0
  return {
    name,
    isReadiness: false,
    read: () => {
      const value = lost() - before
      return { state: value === 0 ? 'pass' : 'warn', value, unit, message: value === 0 ? '' : why }
    },
    renew: () => {
      before = lost()
    },
  }
}

/** Of a database and of what waits beside it to be taken in. */
function fileMib(dataDir: string, name: string): number {
  const bytes = [`${name}.db`, `${name}.db-wal`]
    .map((file) => statSync(join(dataDir, file), { throwIfNoEntry: false })?.size ?? 0)
    .reduce((sum, size) => sum + size, 0)
  return Math.round((bytes / MIB) * 10) / 10
}
