import type { Clock } from '../../kernel/clock.ts'
import { withDeadline } from '../../kernel/deadline.ts'
import { Refusal, type RefusalCode } from '../../kernel/errors.ts'
import { dayStartAt } from '../../kernel/exchange-time.ts'
import type { TradingCalendar } from '../calendar.ts'
import { candleProblem } from '../candles/candle-check.ts'
import { isRunning } from '../candles/derived.ts'
import type { Exchange, Instrument } from '../instrument.ts'
import type { Candle, MarketDataSource } from '../market-data.ts'
import { sourceSlow } from '../quotes/source-failure.ts'
import type { Stored } from './candle-files.ts'
import type { Series } from './candle-store.ts'
import { CoverageCount, type CoverageRange } from './coverage.ts'
import type { DownloadJob, JobPart } from './download-job.ts'
import { type Days, requestsOf, stepFrom } from './download-steps.ts'
import { type Pace, pause } from './pace.ts'

/** Where candles are downloaded from. */
export type DownloadSource = Pick<MarketDataSource, 'name' | 'intervals' | 'candles' | 'candleDays'>

/** Where they are kept. */
export interface DownloadStore {
  put(series: Series, candles: readonly Candle[]): Promise<Stored>
  starts(series: Series, fromAt: number, toAt: number): Promise<Float64Array>
}

export interface PartTools {
  readonly source: DownloadSource
  readonly store: DownloadStore
  readonly find: (symbol: string, exchange: Exchange) => Instrument | undefined
  readonly calendar: TradingCalendar
  readonly clock: Clock
  readonly pace: Pace
  /** Brings to disk how the part stands. */
  readonly note: (part: JobPart) => Promise<void>
  readonly onError: (error: unknown) => void
}

/** Tries of one request, the first one included. */
export const TRIES_MAX = 5
/** Pause before the second try; each further one is twice as long. */
export const RETRY_AFTER_MS = 1_000

/** A source has so long for one request. */
export const REQUEST_DEADLINE_MS = 60_000

/** Refusals that another try may not meet. */
const PASSING: ReadonlySet<RefusalCode> = new Set([
  'source_slow',
  'source_down',
  'overloaded',
  'rate_limited',
  'quote_unavailable',
])

/**
 * Does what a download does for one symbol, from where it stands to its end or until the signal is aborted. Every step is
 * asked for, written to the disk and only then noted, so after a crash at most the last one is done again, which changes
 * nothing. Never throws: what went wrong is the part's problem.
 */
export async function runPart(job: DownloadJob, part: JobPart, signal: AbortSignal, tools: PartTools): Promise<void> {
  const instrument = tools.find(part.symbol, part.exchange)
  try {
    if (instrument === undefined)
      throw new Refusal('symbol_not_found', `${part.symbol} isn't listed on ${part.exchange} any more.`)
    part.state = 'running'
    while (part.nextDay <= job.toDay && !signal.aborted) {
      const step = stepFrom(job.interval, part.nextDay, job.toDay)
      if (await runStep(job, part, instrument, step, signal, tools)) {
        part.nextDay = step.last + 1
        if (part.nextDay <= job.toDay) await tools.note(part)
      }
    }
    part.state = part.nextDay > job.toDay ? 'done' : 'waiting'
  } catch (error) {
    part.state = 'failed'
    part.problem = problemOf(error)
    if (!(error instanceof Refusal)) tools.onError(error)
  }
  await tools.note(part)
}

/** Undefined when the signal comes first: whoever stops a job needn't wait for a source that doesn't answer. */
async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const stop = (): void => resolve(undefined)
  signal.addEventListener('abort', stop)
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

const problemOf = (error: unknown): string =>
  error instanceof Refusal ? error.message : 'Something of Sauda failed; its log says what.'

const rangeOf = ({ first, last }: Days): CoverageRange => ({ fromAt: dayStartAt(first), toAt: dayStartAt(last + 1) })

/** False when the signal came before its end: then nothing of it counts. */
async function runStep(
  job: DownloadJob,
  part: JobPart,
  instrument: Instrument,
  step: Days,
  signal: AbortSignal,
  tools: PartTools,
): Promise<boolean> {
  const { source, store, calendar, clock } = tools
  const { symbol, exchange } = part
  const series = { symbol, exchange, interval: job.interval }
  const whole = rangeOf(step)
  const before = job.onlyMissing ? await store.starts(series, whole.fromAt, whole.toAt) : undefined
  const found: Candle[] = []
  let missing = 0
  for (const days of requestsOf(step, job.interval, source.candleDays?.(job.interval))) {
    const range = rangeOf(days)
    const now = clock.now()
    if (countOf(series, calendar, now, range, before ?? new Float64Array()).missing === 0) continue
    const candles = await ask(part, instrument, series, range, signal, tools)
    if (candles === undefined) return false
    missing += countOf(
      series,
      calendar,
      now,
      range,
      Float64Array.from(candles, ({ startAt }) => startAt),
    ).missing
    found.push(...candles)
  }
  if (signal.aborted) return false
  const { added, changed } = await store.put(series, found)
  part.received += found.length
  part.stored += added + changed
  part.missing += missing
  return true
}

function countOf(series: Series, calendar: TradingCalendar, now: number, range: CoverageRange, starts: Float64Array) {
  const count = new CoverageCount(series, calendar, now)
  count.add(
    starts.filter((at) => at >= range.fromAt && at < range.toAt),
    range,
  )
  return count.take()
}

/** Candles of a range that are over; undefined when the signal came first. Tries again what may pass. */
async function ask(
  part: JobPart,
  instrument: Instrument,
  { interval, exchange }: Series,
  { fromAt, toAt }: CoverageRange,
  signal: AbortSignal,
  { source, calendar, clock, pace, onError }: PartTools,
): Promise<Candle[] | undefined> {
  for (let tries = 1; ; tries += 1) {
    await pace.next(signal)
    if (signal.aborted) return undefined
    part.requests += 1
    try {
      const candles = await withDeadline(
        clock,
        REQUEST_DEADLINE_MS,
        (late) => {
          const request = source.candles(instrument, interval, fromAt, toAt, AbortSignal.any([signal, late]))
          return unlessAborted(signal, request)
        },
        () => sourceSlow(source.name, REQUEST_DEADLINE_MS),
      )
      if (candles === undefined) return undefined
      const problem = candleProblem(candles, fromAt, toAt)
      if (problem !== undefined) throw new Refusal('source_down', `The source gave ${problem}.`)
      const place = { calendar, exchange }
      const now = clock.now()
      let count = candles.length
      for (
        let last = candles[count - 1];
        last !== undefined && isRunning(last, interval, place, now);
        last = candles[count - 1]
      )
        count -= 1
      return candles.slice(0, count)
    } catch (error) {
      const isPassing = !(error instanceof Refusal) || PASSING.has(error.code)
      if (!isPassing || tries >= TRIES_MAX) {
        if (error instanceof Refusal) throw error
        onError(error)
        throw new Refusal(
          'source_down',
          `The market data source ${source.name} failed ${tries} times; the log says why.`,
        )
      }
    }
    await pause(clock, RETRY_AFTER_MS * 2 ** (tries - 1), signal)
  }
}
