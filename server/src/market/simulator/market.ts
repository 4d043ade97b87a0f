import { assert } from '../../kernel/assert.ts'
import type { Clock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { dateOf, dayNumberAt, dayNumberOf, timestampOf } from '../../kernel/exchange-time.ts'
import { type Price, quantity } from '../../kernel/fixed.ts'
import { lastSecondOf, previousSession, type Session, sessionOpenedBy, type TradingCalendar } from '../calendar.ts'
import { intervalSeconds } from '../candles/buckets.ts'
import type { Exchange, Instrument } from '../instrument.ts'
import {
  type Candle,
  type Depth,
  INTERVALS,
  type Interval,
  type MarketDataSource,
  type Quote,
  type QuoteStream,
} from '../market-data.ts'
import { buildCandles, type CandleSource } from './candles.ts'
import { dynamicLimits } from './circuit.ts'
import type { CorporateAction } from './corporate-actions.ts'
import { outageAt } from './events.ts'
import { Feed } from './feed.ts'
import { Line, type Moment, type SessionPath, type Shown } from './line.ts'
import { priceOfTicks, type TickBar } from './pricer.ts'
import type { Scenario } from './scenario.ts'
import { SpotMarket } from './spot-market.ts'

/** Candles, and days that they are of, that are computed in one go; some tens of milliseconds. */
const CANDLES_AT_ONCE = 4_000
const DAYS_AT_ONCE = 20

export interface SimulatorOptions {
  /** Any integer; the same seed gives the same market. */
  readonly seed: number
  /** What kind of days the market has; `ordinary` unless said. */
  readonly scenario?: Scenario
  readonly clock: Clock
  readonly calendar: TradingCalendar
}

/** Lowest and highest price at which a day's orders may be; both inclusive. */
export interface PriceLimits {
  readonly lower: Price
  readonly upper: Price
}

/** The session that was running or over last, in a stretch of time. */
interface Opened {
  readonly from: number
  readonly until: number
  readonly session: Session
  readonly day: number
}

/**
 * A market that is a pure function of seed, scenario, instrument and time. Nothing is recorded: quotes, books and
 * candles of any moment are computed when they are asked for, and agree with each other to the tick.
 */
export class SimulatedMarket implements MarketDataSource {
  readonly name = 'simulator'
  readonly quotesMax = Number.POSITIVE_INFINITY
  readonly intervals: readonly Interval[] = INTERVALS
  readonly #seed: number
  readonly #clock: Clock
  readonly #calendar: TradingCalendar
  readonly #spots: SpotMarket
  readonly #feed: Feed
  readonly #scenario: Scenario
  #lines = new WeakMap<Instrument, Line>()
  readonly #opened = new Map<Exchange, Opened>()

  constructor(options: SimulatorOptions) {
    assert(Number.isSafeInteger(options.seed), 'seed must be an integer')
    this.#seed = options.seed | 0
    this.#clock = options.clock
    this.#calendar = options.calendar
    this.#scenario = options.scenario ?? 'ordinary'
    this.#spots = new SpotMarket({ seed: this.#seed, scenario: this.#scenario, calendar: options.calendar })
    options.calendar.onChange(() => this.#forget())
    this.#feed = new Feed(options.clock, (instrument) => this.quoteNow(instrument))
  }

  async quotes(instruments: readonly Instrument[], at?: number): Promise<(Quote | Error)[]> {
    return instruments.map((instrument) => {
      try {
        return this.quoteNow(instrument, at)
      } catch (error) {
        if (error instanceof Refusal) return error
        throw error
      }
    })
  }

  async depth(instrument: Instrument, at?: number): Promise<Depth> {
    return this.depthNow(instrument, at)
  }

  /** So many that others needn't wait for long while they are computed. */
  candleDays(interval: Interval): number {
    const seconds = intervalSeconds(interval)
    if (seconds === undefined) return DAYS_AT_ONCE
    return Math.min(DAYS_AT_ONCE, Math.max(1, Math.floor((seconds * CANDLES_AT_ONCE) / 22_500)))
  }

  async candles(instrument: Instrument, interval: Interval, fromAt: number, toAt: number): Promise<Candle[]> {
    return this.candlesNow(instrument, interval, fromAt, toAt)
  }

  subscribe(instruments: readonly Instrument[], wake: () => void): QuoteStream {
    return this.#feed.subscribe(instruments, wake)
  }

  /** The quote at that instant, or now. Refuses the future, expired contracts and instruments of other markets. */
  quoteNow(instrument: Instrument, at: number = this.#clock.now()): Quote {
    return this.#shownAt(this.#lineOf(instrument), at).quote
  }

  depthNow(instrument: Instrument, at: number = this.#clock.now()): Depth {
    const line = this.#lineOf(instrument)
    const shown = this.#shownAt(line, at)
    if (shown.depth === undefined) {
      const { sessionPath, second, at: shownAt } = shown.moment
      const { path, offset } = sessionPath
      const ticks = line.pricer.ticksAt(path, offset + second)
      shown.depth = { ...shown.quote, ...line.book.book(ticks, shownAt / 1000, line.dayOf(path).bookTerms) }
    }
    return shown.depth
  }

  /** What a company does to its shares with an ex-day in the days of [fromAt, toAt], ascending; nothing of others. */
  corporateActions(instrument: Instrument, fromAt: number, toAt: number): CorporateAction[] {
    const { underlying } = this.#lineOf(instrument)
    if (instrument.kind !== 'EQ') return []
    return this.#spots.levels.actions.between(underlying, dayNumberAt(fromAt), dayNumberAt(toAt))
  }

  /**
   * Lowest and highest price of a share on the day of that instant, or of today: fixed for shares without contracts; for
   * others it widens whenever the price comes near it. Undefined for what has no limits.
   */
  circuitLimits(instrument: Instrument, at: number = this.#clock.now()): PriceLimits | undefined {
    if (instrument.kind !== 'EQ') return undefined
    const line = this.#lineOf(instrument)
    const { moment, quote } = this.#shownAt(line, at)
    const { path } = moment.sessionPath
    const { tickSize } = instrument
    const limits =
      line.dayOf(path).bookTerms.limits ??
      dynamicLimits(line.pricer.baseTicks(path), quote.low / tickSize, quote.high / tickSize)
    return { lower: priceOfTicks(limits.lower, tickSize), upper: priceOfTicks(limits.upper, tickSize) }
  }

  /** Whatever was made of sessions that may be others now. */
  #forget(): void {
    this.#lines = new WeakMap()
    this.#opened.clear()
    this.#spots.forget()
  }

  #shownAt(line: Line, at: number): Shown {
    const { shown } = line
    if (shown !== undefined && at >= shown.fromAt && at < shown.fromAt + 1000 && at <= this.#clock.now()) return shown
    const moment = this.#momentAt(line, at)
    const made: Shown = {
      fromAt: Math.floor(at / 1000) * 1000,
      moment,
      quote: this.#quote(line, moment),
      depth: undefined,
    }
    line.shown = made
    return made
  }

  candlesNow(instrument: Instrument, interval: Interval, fromAt: number, toAt: number): Candle[] {
    return buildCandles(this.#candleSource(this.#lineOf(instrument)), interval, fromAt, toAt)
  }

  #quote(line: Line, moment: Moment): Quote {
    const { instrument, pricer, book, activity } = line
    const { second, at } = moment
    const { path, day, seconds, offset } = moment.sessionPath
    const bar: TickBar = [0, 0, 0, 0]
    pricer.barOf(path, offset, offset + second + 1, bar)
    const { facts, bookTerms } = line.dayOf(path)
    const { bidTicks, askTicks } = book.touch(bar[3], at / 1000, bookTerms)
    const { tickSize } = instrument
    return {
      at,
      ltp: priceOfTicks(bar[3], tickSize),
      bid: book.priceOf(bidTicks),
      ask: book.priceOf(askTicks),
      open: priceOfTicks(bar[0], tickSize),
      high: priceOfTicks(bar[1], tickSize),
      low: priceOfTicks(bar[2], tickSize),
      prevClose: priceOfTicks(this.#previousClose(line, day), tickSize),
      volume: activity.volumeUntil(facts, second + 1, seconds),
      openInterest: activity.openInterestAt(facts, second, seconds),
      bidQuantity: book.touchQuantity(bidTicks, at / 1000, 0),
      askQuantity: book.touchQuantity(askTicks, at / 1000, 1),
    }
  }

  #lineOf(instrument: Instrument): Line {
    const known = this.#lines.get(instrument)
    if (known !== undefined) return known
    const line = new Line(instrument, {
      seed: this.#seed,
      scenario: this.#scenario,
      calendar: this.#calendar,
      levels: this.#spots.levels,
    })
    this.#lines.set(instrument, line)
    return line
  }

  #momentAt(line: Line, at: number): Moment {
    const { instrument, end, name, firstDay } = line
    if (at > this.#clock.now()) {
      throw new Refusal('quote_unavailable', `No quote of ${name} at ${timestampOf(at)}: that is in the future`)
    }
    if (end !== undefined && at >= end.expiresAt) {
      throw new Refusal(
        'quote_unavailable',
        `${name} expired at ${timestampOf(end.expiresAt)}; it has no quote any more`,
      )
    }
    const seenAt = this.#seenAt(name, at)
    const { session, day } = this.#sessionOpenedBy(instrument.exchange, seenAt)
    if (day < firstDay) {
      throw new Refusal(
        'quote_unavailable',
        `No quote of ${name} at ${timestampOf(at)}: its prices begin on ${dateOf(firstDay)}`,
      )
    }
    const sessionPath = this.#pathIn(line, session, day)
    return momentOf(
      sessionPath,
      session,
      Math.floor((Math.min(seenAt, lastSecondOf(session)) - session.opensAt) / 1000),
    )
  }

  /** Instant whose prices are seen at `at`: an earlier one while the feed is lost. */
  #seenAt(name: string, at: number): number {
    const outage = this.#scenario === 'feed-loss' ? outageAt(this.#seed, at) : undefined
    if (outage === undefined) return at
    if (at >= outage.refusedFromAt) {
      throw new Refusal(
        'quote_unavailable',
        `No quote of ${name} at ${timestampOf(at)}: the feed was lost at ${timestampOf(outage.fromAt)} and is back at ${timestampOf(outage.untilAt)}`,
      )
    }
    return outage.fromAt - 1
  }

  #pathIn(line: Line, session: Session, day: number): SessionPath {
    const path = this.#spots.pathOn(line.underlying, day)
    const { hours } = path
    const opening = (session.opensAt - hours.opensAt) / 1000
    const offset = hours.tradedBefore(opening)
    const seconds = hours.tradedBefore((session.closesAt - hours.opensAt) / 1000) - offset
    return { path, day, opening, offset, seconds }
  }

  /** Quotes ask for the same session over and over, so the last answer of each exchange is kept. */
  #sessionOpenedBy(exchange: Exchange, at: number): Opened {
    const known = this.#opened.get(exchange)
    if (known !== undefined && known.from <= at && at < known.until) return known
    const session = sessionOpenedBy(this.#calendar, exchange, at)
    const until = this.#calendar.nextSession(exchange, at).opensAt
    const opened: Opened = { from: session.opensAt, until, session, day: dayNumberOf(session.date) }
    this.#opened.set(exchange, opened)
    return opened
  }

  #previousClose(line: Line, day: number): number {
    if (line.previousClose?.day === day) return line.previousClose.ticks
    const session = previousSession(this.#calendar, line.instrument.exchange, day)
    const before = dayNumberOf(session.date)
    const { path, offset, seconds } = this.#pathIn(line, session, before)
    let ticks = line.pricer.ticksAt(path, offset + seconds - 1)
    // Exchanges restate yesterday's close for what changes the number of shares, not for dividends.
    const { underlying } = line
    if (underlying.band > 0) {
      ticks = Math.max(1, Math.round(ticks * this.#spots.levels.actions.factorBetween(underlying, before, day)))
    }
    line.previousClose = { day, ticks }
    return ticks
  }

  #candleSource(line: Line): CandleSource {
    const { instrument, end, firstDay, name, pricer, activity } = line
    const bar: TickBar = [0, 0, 0, 0]
    const { tickSize, exchange } = instrument
    // There is nothing of a contract after its end
    const now = Math.min(this.#clock.now(), (end?.expiresAt ?? Number.POSITIVE_INFINITY) - 1)
    const outage = this.#scenario === 'feed-loss' ? outageAt(this.#seed, now) : undefined
    let known: SessionPath | undefined
    return {
      name,
      firstDay,
      lastDay: end?.day ?? Number.POSITIVE_INFINITY,
      now: outage === undefined ? now : outage.fromAt - 1,
      sessionOn: (day) => this.#calendar.sessionOn(exchange, day),
      candle: (session, day, fromSecond, toSecond, startAt) => {
        if (known?.day !== day) known = this.#pathIn(line, session, day)
        const { path, opening, offset, seconds } = known
        const from = path.hours.tradedBefore(opening + fromSecond)
        const to = path.hours.tradedBefore(opening + toSecond)
        if (from === to) return undefined
        pricer.barOf(path, from, to, bar)
        const { facts } = line.dayOf(path)
        const before = activity.volumeUntil(facts, from - offset, seconds)
        return {
          startAt,
          open: priceOfTicks(bar[0], tickSize),
          high: priceOfTicks(bar[1], tickSize),
          low: priceOfTicks(bar[2], tickSize),
          close: priceOfTicks(bar[3], tickSize),
          volume: quantity(activity.volumeUntil(facts, to - offset, seconds) - before),
          openInterest: activity.openInterestAt(facts, to - offset - 1, seconds),
        }
      },
    }
  }
}

/** The last second with trading of a session's first `clockSecond` + 1. */
function momentOf(sessionPath: SessionPath, { opensAt }: Session, clockSecond: number): Moment {
  const { path, opening, offset } = sessionPath
  const second = Math.max(0, path.hours.tradedBefore(opening + clockSecond + 1) - offset - 1)
  const at = path.hours.halt === undefined ? opensAt + second * 1000 : path.hours.instantOf(offset + second)
  return { sessionPath, second, at }
}

export const createSimulator = (options: SimulatorOptions): SimulatedMarket => new SimulatedMarket(options)
