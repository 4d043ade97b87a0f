import type { CandleJobPartTable, CandleJobTable } from '../../storage/schema.ts'
import type { Exchange } from '../instrument.ts'
import type { Interval } from '../market-data.ts'
import type { SeriesOwner } from './candle-store.ts'

/**
 * `waiting` for its turn, `running`, `paused` by somebody, and at its end `completed`, `completed_with_failures` when
 * some symbols failed, `failed` when all did, or `cancelled`.
 */
export const JOB_STATES = [
  'waiting',
  'running',
  'paused',
  'completed',
  'completed_with_failures',
  'failed',
  'cancelled',
] as const
export type JobState = (typeof JOB_STATES)[number]

export const PART_STATES = ['waiting', 'running', 'done', 'failed'] as const
export type PartState = (typeof PART_STATES)[number]

/** What a download does for one symbol. */
export interface JobPart extends SeriesOwner {
  readonly position: number
  state: PartState
  /** All before this day (days since 1970-01-01 in the exchange's zone) is on the disk. */
  nextDay: number
  requests: number
  /** Candles that the source gave. */
  received: number
  /** Of those, how many weren't stored before, or were otherwise. */
  stored: number
  /** Candles that the calendar has and the source hadn't. */
  missing: number
  /** Why it failed. */
  problem: string
}

export interface DownloadJob {
  readonly id: number
  readonly interval: Interval
  /** Both included. */
  readonly fromDay: number
  readonly toDay: number
  /** Whether only candles that aren't stored are asked for. */
  readonly onlyMissing: boolean
  readonly createdAt: number
  readonly createdBy: string
  readonly parts: readonly JobPart[]
  state: JobState
  startedAt: number | undefined
  endedAt: number | undefined
}

export const isOver = (state: JobState): boolean => state !== 'waiting' && state !== 'running' && state !== 'paused'

/** Days done of all days of all symbols, from 0 to 1; a symbol that failed counts as far as it came. */
export function progressOf({ parts, fromDay, toDay }: DownloadJob): number {
  const days = toDay - fromDay + 1
  const done = parts.reduce((sum, part) => sum + Math.min(days, part.nextDay - fromDay), 0)
  return done / (days * parts.length)
}

/** How a job ends whose parts are all done or failed. */
export function endOf(parts: readonly JobPart[]): JobState {
  const failed = parts.filter(({ state }) => state === 'failed').length
  if (failed === 0) return 'completed'
  return failed === parts.length ? 'failed' : 'completed_with_failures'
}

export function jobOf(row: CandleJobTable, parts: readonly CandleJobPartTable[]): DownloadJob {
  return {
    id: row.id,
    interval: row.interval as Interval,
    fromDay: row.from_day,
    toDay: row.to_day,
    onlyMissing: row.only_missing === 1,
    createdAt: row.created_at,
    createdBy: row.created_by,
    parts: parts.map(partOf),
    state: row.state as JobState,
    startedAt: row.started_at ?? undefined,
    endedAt: row.ended_at ?? undefined,
  }
}

const partOf = (row: CandleJobPartTable): JobPart => ({
  position: row.position,
  symbol: row.symbol,
  exchange: row.exchange as Exchange,
  state: row.state as PartState,
  nextDay: row.next_day,
  requests: row.requests,
  received: row.received,
  stored: row.stored,
  missing: row.missing,
  problem: row.problem,
})
