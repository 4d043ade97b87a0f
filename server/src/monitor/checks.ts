import { statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { above, below, type Check, type Reading } from './health.ts'

const MIB = 1_048_576
const STATEMENTS_WAITING_WARN = 10_000

export interface CheckSettings {
  readonly healthMemoryWarnMib: number
  readonly healthLoopDelayWarnMs: number
  readonly healthDiskFreeWarnMib: number
  readonly dataDir: string
}

/** A file's writer, as far as its health goes. */
export interface WriterHealth {
  readonly broken: string | undefined
  readonly pendingStatements: number
}

export interface CheckSources {
  readonly money: () => WriterHealth
  readonly record: () => WriterHealth
  readonly telemetry: () => WriterHealth
  /** Accounts that have stopped, by id. */
  readonly stoppedAccounts: () => readonly string[]
  /** Why there are no prices; undefined when there are. */
  readonly marketDataProblem: () => string | undefined
  /** Rows that logs lost since the start. */
  readonly dropped: () => number
}

export interface Checks {
  readonly checks: readonly Check[]
  readonly close: () => void
}

/** What an instance looks at. Sizes are asked of the file system, never by opening a database file. */
export function standardChecks(settings: CheckSettings, sources: CheckSources): Checks {
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  const writer = (name: string, isReadiness: boolean, health: () => WriterHealth): Check => ({
    name,
    isReadiness,
    read: () => writerReading(health()),
  })
  const checks: Check[] = [
    writer('journal', true, sources.money),
    writer('records', true, sources.record),
    writer('telemetry', false, sources.telemetry),
    {
      name: 'accounts',
      isReadiness: true,
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
        const problem = sources.marketDataProblem()
        return { state: problem === undefined ? 'pass' : 'fail', value: 0, unit: '', message: problem ?? '' }
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
        const ms = Number.isFinite(delay.max) ? Math.round(delay.max / 1e6) : 0
        delay.reset()
        return above(ms, settings.healthLoopDelayWarnMs, 'ms', 'The machine is too slow for what is asked of it.')
      },
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
    {
      name: 'databases',
      isReadiness: false,
      read: () => ({ state: 'pass', value: databaseMib(settings.dataDir), unit: 'MiB', message: '' }),
    },
    {
      name: 'log_rows_lost',
      isReadiness: false,
      read: () => above(sources.dropped(), 1, 'rows', 'Requests came faster than the disk takes their log.'),
    },
  ]
  return { checks, close: () => delay.disable() }
}

function writerReading({ broken, pendingStatements }: WriterHealth): Reading {
  if (broken !== undefined)
    return { state: 'fail', value: pendingStatements, unit: 'waiting', message: `It can't be written: ${broken}.` }
  return above(pendingStatements, STATEMENTS_WAITING_WARN, 'waiting', 'The disk is too slow for what is written.')
}

function databaseMib(dataDir: string): number {
  const bytes = ['money', 'record', 'telemetry']
    .flatMap((name) => [`${name}.db`, `${name}.db-wal`])
    .map((name) => statSync(join(dataDir, name), { throwIfNoEntry: false })?.size ?? 0)
    .reduce((sum, size) => sum + size, 0)
  return Math.round(bytes / MIB)
}
