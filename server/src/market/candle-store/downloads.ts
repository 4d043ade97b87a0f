import type { Clock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { dayNumberAt } from '../../kernel/exchange-time.ts'
import type { Rate } from '../../kernel/rates.ts'
import { InTurn } from '../../kernel/turns.ts'
import type { Database } from '../../storage/open.ts'
import type { RecordDatabase } from '../../storage/schema.ts'
import type { TradingCalendar } from '../calendar.ts'
import { intervalSeconds } from '../candles/buckets.ts'
import { INTRADAY_DAYS_MAX, PERIOD_DAYS_MAX } from '../candles/candle-history.ts'
import type { Exchange, Instrument } from '../instrument.ts'
import type { Interval } from '../market-data.ts'
import type { SeriesOwner } from './candle-store.ts'
import { type DownloadJob, endOf, isOver } from './download-job.ts'
import { type DownloadSource, type DownloadStore, runPart } from './download-part.ts'
import { DownloadTable } from './download-table.ts'
import { Pace } from './pace.ts'

/** Symbols of one job. */
export const JOB_SYMBOLS_MAX = 500
/** Jobs that aren't over. */
export const JOBS_MAX = 20
/** Jobs that are kept, those that are over included; the oldest of these make room. */
export const JOBS_KEPT_MAX = 100
/** Symbols that are downloaded at once. */
export const PARTS_AT_ONCE = 4
/** Days of candles of seconds in one job. */
export const SECONDS_DAYS_MAX = 366

export interface DownloadsOptions {
  readonly record: Database<RecordDatabase>
  readonly source: DownloadSource
  readonly store: DownloadStore
  readonly find: (symbol: string, exchange: Exchange) => Instrument | undefined
  readonly calendar: TradingCalendar
  readonly clock: Clock
  /** What the source allows. */
  readonly rates: readonly Rate[]
  readonly audit: (entry: {
    readonly actor: string
    readonly action: string
    readonly target: string
    readonly address: string
    readonly requestId: string
    readonly detail: Readonly<Record<string, unknown>>
  }) => void
  readonly onError: (error: unknown) => void
}

export interface DownloadWanted {
  /** Listed instruments, each once. */
  readonly symbols: readonly SeriesOwner[]
  readonly interval: Interval
  /** Both included; what is to come isn't asked for. */
  readonly fromDay: number
  readonly toDay: number
  readonly onlyMissing: boolean
}

/** Who starts, stops and continues downloads. */
export interface DownloadActor {
  readonly name: string
  readonly address: string
  readonly requestId: string
}

interface Run {
  readonly job: DownloadJob
  readonly stop: AbortController
  readonly ended: Promise<void>
}

/**
 * Downloads of candles: one job at a time, oldest first, a few symbols of it at once. All jobs are in memory, and on the
 * disk before anybody is told; after a restart they go on where they were.
 */
export class CandleDownloads {
  readonly #options: DownloadsOptions
  readonly #table: DownloadTable
  readonly #pace: Pace
  readonly #jobs: Map<number, DownloadJob>
  readonly #turn = new InTurn()
  #run: Run | undefined
  #isStarted = false

  private constructor(options: DownloadsOptions, table: DownloadTable, jobs: readonly DownloadJob[]) {
    this.#options = options
    this.#table = table
    this.#pace = new Pace(options.rates, options.clock)
    this.#jobs = new Map(jobs.map((job) => [job.id, job]))
    for (const job of jobs) setBack(job)
  }

  static async open(options: DownloadsOptions): Promise<CandleDownloads> {
    const table = new DownloadTable(options.record)
    return new CandleDownloads(options, table, await table.all())
  }

  /** Lets jobs run. */
  start(): void {
    this.#isStarted = true
    this.#next()
  }

  /** Stops the running job where it is; it goes on after the next start. */
  async close(): Promise<void> {
    this.#isStarted = false
    this.#run?.stop.abort()
    await this.#turn.run(async () => this.#run?.ended)
  }

  /** All jobs, newest first. */
  list(): readonly DownloadJob[] {
    return [...this.#jobs.values()].sort((a, b) => b.id - a.id)
  }

  /** Throws job_not_found. */
  find(id: number): DownloadJob {
    const job = this.#jobs.get(id)
    if (job !== undefined) return job
    throw new Refusal('job_not_found', `There is no job ${id}. history/jobs lists those that there are.`)
  }

  /** Throws too_many_jobs, range_too_long, and validation_failed for what the source hasn't. */
  create(wanted: DownloadWanted, by: DownloadActor): Promise<DownloadJob> {
    return this.#turn.run(async () => {
      const { clock } = this.#options
      const toDay = Math.min(wanted.toDay, dayNumberAt(clock.now()))
      this.#check(wanted, toDay)
      const job: DownloadJob = {
        id: Math.max(0, ...this.#jobs.keys()) + 1,
        interval: wanted.interval,
        fromDay: wanted.fromDay,
        toDay,
        onlyMissing: wanted.onlyMissing,
        createdAt: clock.now(),
        createdBy: by.name,
        parts: wanted.symbols.map(({ symbol, exchange }, position) => ({
          ...{ position, symbol, exchange, state: 'waiting', nextDay: wanted.fromDay },
          ...{ requests: 0, received: 0, stored: 0, missing: 0, problem: '' },
        })),
        state: 'waiting',
        startedAt: undefined,
        endedAt: undefined,
      }
      const forgotten = this.#forgettable()
      await this.#table.add(job, forgotten)
      for (const id of forgotten) this.#jobs.delete(id)
      this.#jobs.set(job.id, job)
      this.#tell('candles.download_started', job, by)
      this.#next()
      return job
    })
  }

  /** Stops a job where it is; one that is over stays as it is. Throws job_not_found. */
  pause(id: number, by: DownloadActor): Promise<DownloadJob> {
    return this.#change(id, by, 'candles.download_paused', async (job) => {
      if (job.state !== 'waiting' && job.state !== 'running') return false
      await this.#halt(job)
      if (isOver(job.state)) return false // it came to its end meanwhile
      job.state = 'paused'
      return true
    })
  }

  /** Lets a paused job go on, and one that is over try again what failed. Throws job_not_found, job_over. */
  resume(id: number, by: DownloadActor): Promise<DownloadJob> {
    return this.#change(id, by, 'candles.download_resumed', async (job) => {
      if (job.state === 'cancelled')
        throw new Refusal(
          'job_over',
          `Job ${id} was cancelled. Start another one; with only_missing it goes on where this one ended.`,
        )
      const failed = job.parts.filter(({ state }) => state === 'failed')
      if (job.state !== 'paused' && (failed.length === 0 || !isOver(job.state))) return false
      for (const part of failed) {
        part.state = 'waiting'
        part.problem = ''
      }
      job.state = 'waiting'
      job.endedAt = undefined
      return true
    })
  }

  /** Ends a job; what it has stored stays. One that is over stays as it is. Throws job_not_found. */
  cancel(id: number, by: DownloadActor): Promise<DownloadJob> {
    return this.#change(id, by, 'candles.download_cancelled', async (job) => {
      if (isOver(job.state)) return false
      await this.#halt(job)
      if (isOver(job.state)) return false
      job.state = 'cancelled'
      job.endedAt = this.#options.clock.now()
      return true
    })
  }

  #check({ interval, fromDay, toDay: wantedTo }: DownloadWanted, toDay: number): void {
    const { source } = this.#options
    if (!source.intervals.includes(interval))
      throw refusedField(
        'interval',
        `The market data source has no ${interval} candles. Use one of: ${source.intervals.join(', ')}.`,
      )
    if (fromDay > toDay) throw refusedField('start_date', 'Must not be in the future: there are no candles yet.')
    const seconds = intervalSeconds(interval)
    const most = seconds === undefined ? PERIOD_DAYS_MAX : seconds < 60 ? SECONDS_DAYS_MAX : INTRADAY_DAYS_MAX
    const days = wantedTo - fromDay + 1
    if (days > most)
      throw new Refusal(
        'range_too_long',
        `The range has ${days} days; a job for ${interval} candles has ${most} at most.`,
      )
    const open = [...this.#jobs.values()].filter(({ state }) => !isOver(state)).length
    if (open >= JOBS_MAX)
      throw new Refusal(
        'too_many_jobs',
        `${open} jobs wait or run already, as many as may. Cancel one, or let one come to its end.`,
      )
  }

  /** Jobs that make room for a new one. */
  #forgettable(): number[] {
    const over = [...this.#jobs.values()].filter(({ state }) => isOver(state)).map(({ id }) => id)
    return over.sort((a, b) => a - b).slice(0, Math.max(0, this.#jobs.size + 1 - JOBS_KEPT_MAX))
  }

  #change(
    id: number,
    by: DownloadActor,
    action: string,
    change: (job: DownloadJob) => Promise<boolean>,
  ): Promise<DownloadJob> {
    return this.#turn.run(async () => {
      const job = this.find(id)
      try {
        if (await change(job)) {
          await this.#table.update(job, job.parts)
          this.#tell(action, job, by)
        }
      } finally {
        this.#next()
      }
      return job
    })
  }

  /** Waits until nothing of the job is under way. */
  async #halt(job: DownloadJob): Promise<void> {
    if (this.#run?.job !== job) return
    this.#run.stop.abort()
    await this.#run.ended
  }

  #next(): void {
    if (!this.#isStarted || this.#run !== undefined) return
    const job = [...this.#jobs.values()].sort((a, b) => a.id - b.id).find(({ state }) => state === 'waiting')
    if (job === undefined) return
    const stop = new AbortController()
    const ended = this.#runJob(job, stop.signal)
      .catch(this.#options.onError)
      .then(() => {
        this.#run = undefined
        if (!stop.signal.aborted) this.#next() // else whoever stopped it does
      })
    this.#run = { job, stop, ended }
  }

  async #runJob(job: DownloadJob, signal: AbortSignal): Promise<void> {
    const { clock, onError, ...rest } = this.#options
    job.state = 'running'
    job.startedAt ??= clock.now()
    try {
      await this.#table.update(job, [])
      const tools = {
        ...rest,
        clock,
        onError,
        pace: this.#pace,
        note: (part: DownloadJob['parts'][number]) => this.#table.update(job, [part]),
      }
      const waiting = job.parts.filter(({ state }) => state === 'waiting').values()
      const lane = async (): Promise<void> => {
        for (const part of waiting) {
          if (signal.aborted) return
          await runPart(job, part, signal, tools)
        }
      }
      const ends = await Promise.allSettled(Array.from({ length: PARTS_AT_ONCE }, lane))
      const failed = ends.find((end) => end.status === 'rejected')
      if (failed !== undefined) throw failed.reason
    } finally {
      const isDone = job.parts.every(({ state }) => state === 'done' || state === 'failed')
      if (isDone) job.endedAt = clock.now()
      job.state = isDone ? endOf(job.parts) : 'waiting'
      if (isDone) await this.#table.update(job, [])
      else if (!signal.aborted) this.#isStarted = false // its state can't be written: no job can go on
    }
  }

  #tell(action: string, job: DownloadJob, by: DownloadActor): void {
    const { id, interval, parts } = job
    this.#options.audit({
      actor: by.name,
      address: by.address,
      requestId: by.requestId,
      action,
      target: String(id),
      detail: { interval, symbols: parts.length },
    })
  }
}

/** What was under way when the process ended waits again. */
function setBack(job: DownloadJob): void {
  if (job.state === 'running') job.state = 'waiting'
  for (const part of job.parts) if (part.state === 'running') part.state = 'waiting'
}

const refusedField = (field: string, message: string): Refusal =>
  new Refusal('validation_failed', `${field}: ${message}`, { errors: [{ field, message }] })
