import { Refusal } from '../../kernel/errors.ts'
import { dayNumberOf } from '../../kernel/exchange-time.ts'
import { PRICE_ONE } from '../../kernel/fixed.ts'
import type { TradingCalendar } from '../calendar.ts'
import { type ContractEnd, contractEnd } from '../contract-end.ts'
import { type Instrument, isOption } from '../instrument.ts'
import type { Depth, Quote } from '../market-data.ts'
import { Activity, type DayFacts } from './activity.ts'
import { BookMaker, type BookTerms } from './book.ts'
import { fixedLimits } from './circuit.ts'
import type { DayPath } from './day-path.ts'
import { yearsUntil } from './forward.ts'
import type { Levels } from './levels.ts'
import { createPricer, type Pricer } from './pricer.ts'
import { type Scenario, TEMPERS } from './scenario.ts'
import { simulatedUnderlying, type Underlying } from './underlyings.ts'

/** The simulated market knows no prices before this day. */
export const HISTORY_STARTS_ON = dayNumberOf('2000-01-01')

/** A contract has prices for so many days up to its expiry; none is listed for longer. */
export const CONTRACT_DAYS_MAX = 400

/** Spreads are wider the farther a strike is from the price, up to so many times. */
const WING_WIDTH = 0.35
const WIDTH_MAX = 8
/** Spread of futures that are not the nearest. */
const FAR_WIDTH = 2.5
const NEAR_DAYS = 31

export interface LineOptions {
  readonly seed: number
  readonly scenario: Scenario
  readonly calendar: TradingCalendar
  readonly levels: Levels
}

/** What a line shows for one second. */
export interface Shown {
  /** The second that was asked for. */
  readonly fromAt: number
  readonly moment: Moment
  readonly quote: Quote
  depth: Depth | undefined
}

/** A day of an instrument, in seconds with trading. */
export interface SessionPath {
  readonly path: DayPath
  readonly day: number
  /** Second on the clock of the underlying's session at which this session opens. */
  readonly opening: number
  /** Seconds of the session. */
  readonly seconds: number
  /** Seconds of the underlying's session before this session opens. */
  readonly offset: number
}

/** A second with trading of an instrument's session. */
export interface Moment {
  readonly sessionPath: SessionPath
  readonly second: number
  /** Instant at which it began. */
  readonly at: number
}

/** What holds for one instrument during one day. */
export interface LineDay {
  readonly facts: DayFacts
  readonly bookTerms: BookTerms
}

/** One instrument with all that its prices are made of. */
export class Line {
  readonly instrument: Instrument
  readonly underlying: Underlying
  readonly end: ContractEnd | undefined
  readonly pricer: Pricer
  readonly activity: Activity
  readonly book: BookMaker
  readonly firstDay: number
  previousClose: { readonly day: number; readonly ticks: number } | undefined
  /** The day that was asked for last. */
  today: SessionPath | undefined
  /** What was asked last. Many ask for the same second. */
  shown: Shown | undefined
  readonly #options: LineOptions
  #day: LineDay | undefined

  /** Refuses with `quote_unavailable` an instrument that isn't of the simulated universe. */
  constructor(instrument: Instrument, options: LineOptions) {
    const underlying = simulatedUnderlying(instrument)
    if (underlying === undefined) {
      throw new Refusal(
        'quote_unavailable',
        `The simulated market has no prices for ${instrument.symbol} on ${instrument.exchange}; its instruments are those of the simulated universe`,
      )
    }
    const { seed, scenario, calendar, levels } = options
    const end = contractEnd(instrument, calendar)
    this.instrument = instrument
    this.underlying = underlying
    this.end = end
    this.pricer = createPricer({
      instrument,
      underlying,
      end,
      actions: levels.actions,
      implied: TEMPERS[scenario].implied,
    })
    this.activity = new Activity(instrument, underlying, seed)
    this.book = new BookMaker(instrument, underlying, seed)
    this.firstDay = end === undefined ? HISTORY_STARTS_ON : Math.max(HISTORY_STARTS_ON, end.day - CONTRACT_DAYS_MAX)
    this.#options = options
  }

  get name(): string {
    return `${this.instrument.symbol} on ${this.instrument.exchange}`
  }

  dayOf(path: DayPath): LineDay {
    if (this.#day?.facts.day !== path.day) this.#day = this.#makeDay(path)
    return this.#day
  }

  #makeDay(path: DayPath): LineDay {
    const { instrument, underlying, end, pricer } = this
    const { scenario, levels } = this.#options
    const { day, dayBefore, open } = path
    const temper = TEMPERS[scenario]
    const daysLeftOn = (of: number): number => (end === undefined ? Number.NaN : end.day - of)
    const years = end === undefined ? 0 : yearsUntil(path.hours.opensAt, end.settlesAt)
    const deviation = underlying.dailyVolatility * 16 * Math.sqrt(Math.max(years, 1 / 365))
    const moneyness = isOption(instrument) ? Math.log(instrument.strike / PRICE_ONE / open) / deviation : 0
    const interestOn = (of: number) => ({
      day: of,
      daysLeft: daysLeftOn(of),
      level: end === undefined ? 0 : levels.closeOn(underlying, of - 1),
    })
    const wing = Math.min(WIDTH_MAX, 1 + WING_WIDTH * moneyness * moneyness)
    const width = instrument.kind === 'FUT' && daysLeftOn(day) > NEAR_DAYS ? FAR_WIDTH : wing
    return {
      facts: {
        day,
        daysLeft: daysLeftOn(day),
        open,
        moneyness,
        interestFrom: interestOn(dayBefore),
        interestTo: interestOn(day),
        liveliness: temper.volume * path.unrest,
      },
      bookTerms: { width: width * temper.spread, limits: fixedLimits(underlying, pricer.baseTicks(path)) },
    }
  }
}
