import { assert } from '../../kernel/assert.ts'
import type { Clock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { dateOf, dayNumberOf, timestampOf } from '../../kernel/exchange-time.ts'
import { PRICE_ONE, price, type Quantity, quantity } from '../../kernel/fixed.ts'
import { lastSecondOf, previousSession, type Session, sessionOpenedBy, type TradingCalendar } from '../calendar.ts'
import { type ContractEnd, contractEnd } from '../contract-end.ts'
import { type Exchange, type Instrument, isOption } from '../instrument.ts'
import {
  type Candle,
  type Depth,
  INTERVALS,
  type Interval,
  type MarketDataSource,
  type Quote,
  type QuoteStream,
} from '../market-data.ts'
import { Activity, type DayFacts } from './activity.ts'
import { BookMaker } from './book.ts'
import { buildCandles, type CandleSource } from './candles.ts'
import type { DayPath } from './day-path.ts'
import { Feed } from './feed.ts'
import { yearsUntil } from './forward.ts'
import { createPricer, type Pricer, priceOfTicks, type TickBar } from './pricer.ts'
import { SpotMarket } from './spot-market.ts'
import { simulatedUnderlying, type Underlying } from './underlyings.ts'

export interface SimulatorOptions {
  /** Any integer; the same seed gives the same market. */
  readonly seed: number
  readonly clock: Clock
  readonly calendar: TradingCalendar
}

/** The simulated market knows no prices before this day. */
export const HISTORY_STARTS_ON = dayNumberOf('2000-01-01')

/** A contract has prices for so many days up to its expiry; none is listed for longer. */
export const CONTRACT_DAYS_MAX = 400

/** One instrument with all that its prices are made of. */
interface Line {
  readonly instrument: Instrument
  readonly underlying: Underlying
  readonly end: ContractEnd | undefined
  readonly pricer: Pricer
  readonly activity: Activity
  readonly book: BookMaker
  facts: DayFacts | undefined
  previousClose: { readonly day: number; readonly ticks: number } | undefined
  /** What was asked last. Many ask for the same second. */
  shown: Shown | undefined
}

/** What a line shows for one second. */
interface Shown {
  readonly moment: Moment
  readonly quote: Quote
  depth: Depth | undefined
}

/** A second of a session, and the same second on the clock of the underlying's session. */
interface Moment {
  readonly session: Session
  readonly day: number
  readonly path: DayPath
  readonly second: number
  readonly seconds: number
  /** Second of the underlying's session at which this session opens. */
  readonly offset: number
}

/**
 * A market that is a pure function of seed, instrument and time. Nothing is recorded: quotes, books and candles of any
 * moment are computed when they are asked for, and agree with each other to the tick.
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
  #lines = new WeakMap<Instrument, Line>()
  readonly #opened = new Map<Exchange, { readonly from: number; readonly until: number; readonly session: Session }>()

  constructor(options: SimulatorOptions) {
    assert(Number.isSafeInteger(options.seed), 'seed must be an integer')
    this.#seed = options.seed | 0
    this.#clock = options.clock
    this.#calendar = options.calendar
    this.#spots = new SpotMarket(this.#seed, options.calendar)
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
    const { moment, quote } = shown
    shown.depth ??= {
      ...quote,
      ...line.book.book(line.pricer.ticksAt(moment.path, moment.second + moment.offset), bookSecond(moment)),
    }
    return shown.depth
  }

  /** Whatever was made of sessions that may be others now. */
  #forget(): void {
    this.#lines = new WeakMap()
    this.#opened.clear()
    this.#spots.forget()
  }

  #shownAt(line: Line, at: number): Shown {
    const { shown } = line
    if (shown !== undefined && at >= shown.quote.at && at < shown.quote.at + 1000 && at <= this.#clock.now())
      return shown
    const moment = this.#momentAt(line, at)
    line.shown = { moment, quote: this.#quote(line, moment), depth: undefined }
    return line.shown
  }

  candlesNow(instrument: Instrument, interval: Interval, fromAt: number, toAt: number): Candle[] {
    return buildCandles(this.#candleSource(this.#lineOf(instrument)), interval, fromAt, toAt)
  }

  #quote(line: Line, moment: Moment): Quote {
    const { instrument, pricer } = line
    const { path, second, seconds, offset } = moment
    const bar: TickBar = [0, 0, 0, 0]
    pricer.barOf(path, offset, offset + second + 1, bar)
    const { bidTicks, askTicks } = line.book.touch(bar[3], bookSecond(moment))
    const facts = this.#factsOf(line, moment.day, path)
    const { tickSize } = instrument
    return {
      at: moment.session.opensAt + second * 1000,
      ltp: priceOfTicks(bar[3], tickSize),
      bid: line.book.priceOf(bidTicks),
      ask: line.book.priceOf(askTicks),
      open: priceOfTicks(bar[0], tickSize),
      high: priceOfTicks(bar[1], tickSize),
      low: priceOfTicks(bar[2], tickSize),
      prevClose: priceOfTicks(this.#previousClose(line, moment.day), tickSize),
      volume: line.activity.volumeUntil(facts, second + 1, seconds),
      openInterest: line.activity.openInterestAt(facts, second, seconds),
    }
  }

  #lineOf(instrument: Instrument): Line {
    const known = this.#lines.get(instrument)
    if (known !== undefined) return known
    const underlying = simulatedUnderlying(instrument)
    if (underlying === undefined) {
      throw new Refusal(
        'quote_unavailable',
        `The simulated market has no prices for ${instrument.symbol} on ${instrument.exchange}; its instruments are those of the simulated universe`,
      )
    }
    const end = contractEnd(instrument, this.#calendar)
    const line: Line = {
      instrument,
      underlying,
      end,
      pricer: createPricer(instrument, underlying, end),
      activity: new Activity(instrument, underlying, this.#seed),
      book: new BookMaker(instrument, underlying, this.#seed),
      facts: undefined,
      previousClose: undefined,
      shown: undefined,
    }
    this.#lines.set(instrument, line)
    return line
  }

  #momentAt(line: Line, at: number): Moment {
    const { instrument, end } = line
    const name = `${instrument.symbol} on ${instrument.exchange}`
    if (at > this.#clock.now()) {
      throw new Refusal('quote_unavailable', `No quote of ${name} at ${timestampOf(at)}: that is in the future`)
    }
    if (end !== undefined && at >= end.expiresAt) {
      throw new Refusal(
        'quote_unavailable',
        `${name} expired at ${timestampOf(end.expiresAt)}; it has no quote any more`,
      )
    }
    const session = this.#sessionOpenedBy(instrument.exchange, at)
    const day = dayNumberOf(session.date)
    const firstDay = firstDayOf(line)
    if (day < firstDay) {
      throw new Refusal(
        'quote_unavailable',
        `No quote of ${name} at ${timestampOf(at)}: its prices begin on ${dateOf(firstDay)}`,
      )
    }
    return this.#momentIn(
      line,
      session,
      day,
      Math.floor((Math.min(at, lastSecondOf(session)) - session.opensAt) / 1000),
    )
  }

  #momentIn(line: Line, session: Session, day: number, second: number): Moment {
    const path = this.#spots.pathOn(line.underlying, day)
    return {
      session,
      day,
      path,
      second,
      seconds: (session.closesAt - session.opensAt) / 1000,
      offset: (session.opensAt - path.opensAt) / 1000,
    }
  }

  /** Quotes ask for the same session over and over, so the last answer of each exchange is kept. */
  #sessionOpenedBy(exchange: Exchange, at: number): Session {
    const known = this.#opened.get(exchange)
    if (known !== undefined && known.from <= at && at < known.until) return known.session
    const session = sessionOpenedBy(this.#calendar, exchange, at)
    const until = this.#calendar.nextSession(exchange, at).opensAt
    this.#opened.set(exchange, { from: session.opensAt, until, session })
    return session
  }

  #previousClose(line: Line, day: number): number {
    if (line.previousClose?.day === day) return line.previousClose.ticks
    const session = previousSession(this.#calendar, line.instrument.exchange, day)
    const seconds = (session.closesAt - session.opensAt) / 1000
    const { path, second, offset } = this.#momentIn(line, session, dayNumberOf(session.date), seconds - 1)
    const ticks = line.pricer.ticksAt(path, second + offset)
    line.previousClose = { day, ticks }
    return ticks
  }

  #factsOf(line: Line, day: number, path: DayPath): DayFacts {
    if (line.facts?.day === day) return line.facts
    const { instrument, underlying, end } = line
    const { open } = path
    const years = end === undefined ? 0 : yearsUntil(path.opensAt, end.settlesAt)
    const deviation = underlying.dailyVolatility * 16 * Math.sqrt(Math.max(years, 1 / 365))
    line.facts = {
      day,
      daysLeft: end === undefined ? Number.NaN : end.day - day,
      open,
      moneyness: isOption(instrument) ? Math.log(instrument.strike / PRICE_ONE / open) / deviation : 0,
    }
    return line.facts
  }

  #candleSource(line: Line): CandleSource {
    const { instrument, end } = line
    const bar: TickBar = [0, 0, 0, 0]
    const { tickSize, exchange } = instrument
    return {
      name: `${instrument.symbol} on ${exchange}`,
      firstDay: firstDayOf(line),
      lastDay: end?.day ?? Number.POSITIVE_INFINITY,
      now: this.#clock.now(),
      sessionOn: (day) => this.#calendar.sessionOn(exchange, day),
      candle: (session, day, from, to, startAt) => {
        const { path, seconds, offset } = this.#momentIn(line, session, day, from)
        line.pricer.barOf(path, offset + from, offset + to, bar)
        const facts = this.#factsOf(line, day, path)
        const before: Quantity = line.activity.volumeUntil(facts, from, seconds)
        return {
          startAt,
          open: price(bar[0] * tickSize),
          high: price(bar[1] * tickSize),
          low: price(bar[2] * tickSize),
          close: price(bar[3] * tickSize),
          volume: quantity(line.activity.volumeUntil(facts, to, seconds) - before),
          openInterest: line.activity.openInterestAt(facts, to - 1, seconds),
        }
      },
    }
  }
}

const firstDayOf = ({ end }: Line): number =>
  end === undefined ? HISTORY_STARTS_ON : Math.max(HISTORY_STARTS_ON, end.day - CONTRACT_DAYS_MAX)

/** Books differ from second to second, also between days. */
const bookSecond = ({ session, second }: Moment): number => session.opensAt / 1000 + second

export const createSimulator = (options: SimulatorOptions): SimulatedMarket => new SimulatedMarket(options)
