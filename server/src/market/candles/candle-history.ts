import type { Clock } from '../../kernel/clock.ts'
import { withDeadline } from '../../kernel/deadline.ts'
import { Refusal } from '../../kernel/errors.ts'
import { dateOf, dayNumberAt, dayStartAt } from '../../kernel/exchange-time.ts'
import { turn } from '../../kernel/turn.ts'
import type { TradingCalendar } from '../calendar.ts'
import type { CandleStore, SeriesOwner } from '../candle-store/candle-store.ts'
import type { Instrument } from '../instrument.ts'
import { CANDLES_MAX, type Candle, INTERVALS, type Interval, type MarketDataSource } from '../market-data.ts'
import { sourceDown, sourceSlow } from '../quotes/source-failure.ts'
import { baseOf, bucketing, canAggregate, intervalSeconds, isPeriod, type Period, reachable } from './buckets.ts'
import { candleProblem } from './candle-check.ts'
import { baseRange, derived, isRunning, type Place, type Range } from './derived.ts'
import { gapsOf, mergedByStart, type Stored } from './gaps.ts'

/** Where candles come from: the source of market data, the local store, or the store with the source for what it lacks. */
export const CANDLE_ORIGINS = ['api', 'db', 'merged'] as const
export type CandleOrigin = (typeof CANDLE_ORIGINS)[number]

/** A source has so long for one request, however many calls it takes: less than what clients wait, 30 s and more. */
export const HISTORY_DEADLINE_MS = 25_000
/** Most days of one request: about 10 years of intraday candles, and 100 of days and longer. */
export const INTRADAY_DAYS_MAX = 3_660
export const PERIOD_DAYS_MAX = 36_600

const PERIOD_LENGTH_DAYS: Readonly<Record<Period, number>> = { D: 1, W: 7, M: 31, Q: 92, Y: 366 }

/** What candles are asked of. */
export type HistorySource = Pick<MarketDataSource, 'name' | 'intervals' | 'candles' | 'candleDays'>

export interface CandleHistoryOptions {
  readonly source: HistorySource
  /** Undefined where there is none. */
  readonly store: CandleStore | undefined
  readonly calendar: TradingCalendar
  readonly clock: Clock
  readonly deadlineMs?: number
}

export interface HistoryWanted extends SeriesOwner {
  /** Undefined for a contract that isn't listed any more, of which only stored candles can be had. */
  readonly instrument: Instrument | undefined
  readonly interval: Interval
  /** Exchange days, both included. */
  readonly firstDay: number
  readonly lastDay: number
  readonly origin: CandleOrigin
}

export interface History {
  /** Candles that begin on the days asked for, ascending. */
  readonly candles: readonly Candle[]
  /** Whether the last one isn't over yet: its figures go on changing. */
  readonly isLastRunning: boolean
}

/**
 * Candles of any length and range, wherever they come from. A candle is in the range that it begins in, so the candles of
 * two ranges that meet are those of the whole. Lengths that are offered nowhere are made of shorter ones.
 */
export class CandleHistory {
  readonly #source: HistorySource
  readonly #store: CandleStore | undefined
  readonly #calendar: TradingCalendar
  readonly #clock: Clock
  readonly #deadlineMs: number

  constructor({ source, store, calendar, clock, deadlineMs = HISTORY_DEADLINE_MS }: CandleHistoryOptions) {
    this.#source = source
    this.#store = store
    this.#calendar = calendar
    this.#clock = clock
    this.#deadlineMs = deadlineMs
  }

  /** Lengths that the source has or that can be made of what it has, shortest first. */
  get intervals(): readonly Interval[] {
    return reachable(this.#source.intervals)
  }

  /** Lengths that stored candles of one instrument give; empty when nothing of it is stored. */
  async storedIntervals({ symbol, exchange }: SeriesOwner): Promise<readonly Interval[]> {
    return reachable((await this.#store?.intervals({ symbol, exchange })) ?? [])
  }

  /**
   * Throws range_too_long; validation_failed for a length that the source can't give; no_data when nothing is stored of a
   * range that has sessions; source_slow, source_down and whatever else the source or the store refuses.
   */
  async candles(wanted: HistoryWanted): Promise<History> {
    const now = this.#clock.now()
    const { interval, firstDay, lastDay, exchange } = wanted
    const range = { fromAt: dayStartAt(firstDay), toAt: dayStartAt(Math.min(lastDay, dayNumberAt(now)) + 1) }
    const place = { calendar: this.#calendar, exchange }
    if (range.fromAt >= range.toAt) return { candles: [], isLastRunning: false }
    this.#requireShort(wanted, interval, range)
    const candles = await this.#of(wanted, range, place, now)
    const last = candles.at(-1)
    return { candles, isLastRunning: last !== undefined && isRunning(last, interval, place, now) }
  }

  async #of(wanted: HistoryWanted, range: Range, place: Place, now: number): Promise<Candle[]> {
    const { origin, instrument, interval } = wanted
    if (origin === 'api' && instrument !== undefined) return this.#fetched(instrument, interval, range, place)
    const stored = await this.#stored(wanted, range, place)
    if (origin === 'db' || instrument === undefined) {
      if (stored === undefined && this.#hasSession(range, place, now)) throw nothingStored(wanted)
      return stored === undefined ? [] : derived(stored.candles, stored.base, interval, range, place)
    }
    if (stored === undefined) return this.#fetched(instrument, interval, range, place)
    const kept = derived(stored.candles, stored.base, interval, range, place)
    const missing: Candle[][] = []
    for (const gap of gapsOf(stored, interval, range, place, now)) {
      missing.push(await this.#fetched(instrument, interval, gap, place))
    }
    return mergedByStart(kept, missing.flat())
  }

  /** Stored candles that the range can be made of: of the longest length that has any; undefined when none has. */
  async #stored(wanted: HistoryWanted, range: Range, place: Place): Promise<StoredCandles | undefined> {
    const { symbol, exchange, interval } = wanted
    const of = { symbol, exchange }
    const offered = (await this.#store?.intervals(of)) ?? []
    for (const base of INTERVALS.toReversed()) {
      if (!offered.includes(base) || !canAggregate(base, interval)) continue
      const needed = baseRange(base, interval, range, place)
      if (needed === undefined) continue
      const made = await this.#made(wanted, base, needed, range, place)
      if (made !== undefined && made.length > 0) return { base: interval, candles: made }
      const candles = made ?? (await this.#store?.candles(of, base, needed.fromAt, needed.toAt))
      if (candles !== undefined && candles.length > 0) return { base, candles }
    }
    return undefined
  }

  /** Candles that the store itself makes of shorter ones, where it can and nothing else is done with these. */
  async #made(
    { origin, instrument, symbol, exchange, interval }: HistoryWanted,
    base: Interval,
    needed: Range,
    range: Range,
    { calendar }: Place,
  ): Promise<Candle[] | undefined> {
    const store = this.#store
    const isRead = origin === 'db' || instrument === undefined
    if (!isRead || base === interval || store?.made === undefined) return undefined
    const startOf = bucketing(base, interval, calendar, exchange)
    const made = await store.made({ symbol, exchange }, base, needed.fromAt, needed.toAt, startOf)
    return made.filter(({ startAt }) => startAt >= range.fromAt && startAt < range.toAt)
  }

  async #fetched(instrument: Instrument, interval: Interval, range: Range, place: Place): Promise<Candle[]> {
    const base = this.#baseOf(interval)
    if (base === undefined) throw notOffered(interval, this.intervals)
    const needed = baseRange(base, interval, range, place)
    if (needed === undefined) return []
    if (base !== interval) this.#requireShort(instrument, base, needed)
    const candles = await withDeadline(
      this.#clock,
      this.#deadlineMs,
      (signal) => this.#inPieces(instrument, base, needed, signal),
      () => sourceSlow(this.#source.name, this.#deadlineMs),
    )
    return derived(candles, base, interval, range, place)
  }

  /** What to ask the source for. Of one that takes fewer days at once than a long candle has, days. */
  #baseOf(interval: Interval): Interval | undefined {
    const { intervals } = this.#source
    const base = baseOf(intervals, interval)
    if (base === undefined || !isPeriod(base) || !intervals.includes('D')) return base
    const days = this.#source.candleDays?.(base) ?? Number.POSITIVE_INFINITY
    return days < PERIOD_LENGTH_DAYS[base] ? 'D' : base
  }

  /** Asks for no longer ranges than the source takes, one after the other, and lets others have their turn between. */
  async #inPieces(instrument: Instrument, interval: Interval, range: Range, signal: AbortSignal): Promise<Candle[]> {
    const days = this.#source.candleDays?.(interval) ?? Number.POSITIVE_INFINITY
    const pieces: Candle[][] = []
    for (let { fromAt } = range; fromAt < range.toAt && !signal.aborted; ) {
      const toAt = Math.min(dayStartAt(dayNumberAt(fromAt) + days), range.toAt)
      const piece = await this.#source.candles(instrument, interval, fromAt, toAt, signal)
      const problem = candleProblem(piece, fromAt, toAt)
      if (problem !== undefined) throw sourceDown(this.#source.name, `it sent ${problem} for ${nameOf(instrument)}`)
      pieces.push(piece)
      fromAt = toAt
      if (fromAt < range.toAt) await turn()
    }
    return pieces.length === 1 ? (pieces[0] ?? []) : pieces.flat()
  }

  #hasSession({ fromAt, toAt }: Range, place: Place, now: number): boolean {
    for (let day = dayNumberAt(fromAt); day <= dayNumberAt(toAt - 1); day += 1) {
      const session = place.calendar.sessionOn(place.exchange, day)
      if (session !== undefined && session.opensAt <= now) return true
    }
    return false
  }

  /** Refuses a range that holds more candles than one answer may, before anybody makes them. */
  #requireShort(of: SeriesOwner, interval: Interval, { fromAt, toAt }: Range): void {
    const firstDay = dayNumberAt(fromAt)
    const lastDay = dayNumberAt(toAt - 1)
    const daysMax = isPeriod(interval) ? PERIOD_DAYS_MAX : INTRADAY_DAYS_MAX
    if (lastDay - firstDay >= daysMax) {
      throw new Refusal(
        'range_too_long',
        `A range may have at most ${daysMax} days for candles of ${interval}; from ${dateOf(firstDay)} it may end on ${dateOf(firstDay + daysMax - 1)} at the latest.`,
      )
    }
    const seconds = intervalSeconds(interval)
    if (seconds === undefined) return
    let count = 0
    for (let day = firstDay; day <= lastDay; day += 1) {
      const session = this.#calendar.sessionOn(of.exchange, day)
      if (session !== undefined) count += Math.ceil((session.closesAt - session.opensAt) / 1000 / seconds)
      if (count > CANDLES_MAX) throw tooMany(of, interval, firstDay, day)
    }
  }
}

interface StoredCandles extends Stored {
  readonly candles: Candle[]
}

const nameOf = ({ symbol, exchange }: SeriesOwner): string => `${symbol} on ${exchange}`

function tooMany(of: SeriesOwner, interval: Interval, firstDay: number, day: number): Refusal {
  const fits = day > firstDay ? `from ${dateOf(firstDay)}, end on ${dateOf(day - 1)} at the latest, or ` : ''
  return new Refusal(
    'range_too_long',
    `The range holds more than ${CANDLES_MAX} candles of ${interval} for ${nameOf(of)}; ${fits}ask for a longer interval.`,
  )
}

function notOffered(interval: Interval, offered: readonly Interval[]): Refusal {
  const message = `The market data source has no ${interval} candles. Use one of: ${offered.join(', ')}.`
  return new Refusal('validation_failed', `interval: ${message}`, { errors: [{ field: 'interval', message }] })
}

const nothingStored = ({ symbol, exchange, interval }: HistoryWanted): Refusal =>
  new Refusal(
    'no_data',
    `No data found for ${symbol}:${exchange} interval ${interval} in local database. Download it first with history/jobs; history/coverage shows what is stored.`,
  )
