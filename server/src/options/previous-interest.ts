import type { Clock } from '../kernel/clock.ts'
import { withDeadline } from '../kernel/deadline.ts'
import { Refusal } from '../kernel/errors.ts'
import { dayNumberOf } from '../kernel/exchange-time.ts'
import type { Quantity } from '../kernel/fixed.ts'
import { lastSecondOf, previousSession, sessionOpenedBy, type TradingCalendar } from '../market/calendar.ts'
import type { Exchange, Instrument } from '../market/instrument.ts'
import type { MarketData } from '../market/market-data.ts'

/** Nobody waits longer for figures of the day before. */
export const PREVIOUS_INTEREST_DEADLINE_MS = 2_000
/** A source that didn't tell them is asked again after this. */
export const PREVIOUS_INTEREST_RETRY_MS = 60_000

export interface PreviousInterestOptions {
  /** Asked for the past, which a cache of the present doesn't know. */
  readonly history: Pick<MarketData, 'quotes'>
  readonly calendar: TradingCalendar
  readonly clock: Clock
}

interface Known {
  /** Close of the session that it is of. */
  readonly closedAt: number
  /** Undefined when the source has none. */
  readonly openInterest: Quantity | undefined
}

/**
 * Open interest at the close of the session before the present one, or before the last one while the exchange is closed.
 * It stays the same all day, so each instrument is asked for once a day.
 */
export class PreviousInterest {
  readonly #options: PreviousInterestOptions
  readonly #known = new WeakMap<Instrument, Known>()
  #failedAtMs = Number.NEGATIVE_INFINITY

  constructor(options: PreviousInterestOptions) {
    this.#options = options
  }

  /**
   * Asks for those of one exchange that aren't known yet. What the source has no figure of, or doesn't tell in time,
   * stays unknown.
   */
  async load(exchange: Exchange, instruments: readonly Instrument[]): Promise<void> {
    const { clock, history } = this.#options
    const closedAt = this.#closedAt(exchange)
    const missing = instruments.filter((instrument) => this.#known.get(instrument)?.closedAt !== closedAt)
    if (missing.length === 0 || clock.elapsedMs() - this.#failedAtMs < PREVIOUS_INTEREST_RETRY_MS) return
    try {
      const quotes = await withDeadline(
        clock,
        PREVIOUS_INTEREST_DEADLINE_MS,
        () => history.quotes(missing, closedAt),
        late,
      )
      for (const [index, instrument] of missing.entries()) {
        const quote = quotes[index]
        if (quote instanceof Error && !(quote instanceof Refusal)) throw quote
        const openInterest = quote instanceof Refusal ? undefined : quote?.openInterest
        this.#known.set(instrument, { closedAt, openInterest })
      }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      this.#failedAtMs = clock.elapsedMs()
    }
  }

  /** Undefined when it isn't known. */
  of(instrument: Instrument): Quantity | undefined {
    return this.#known.get(instrument)?.openInterest
  }

  #closedAt(exchange: Exchange): number {
    const { calendar, clock } = this.#options
    const session = sessionOpenedBy(calendar, exchange, clock.now())
    return lastSecondOf(previousSession(calendar, exchange, dayNumberOf(session.date)))
  }
}

const late = (): Refusal => new Refusal('source_slow', 'The open interest of the day before was not told in time.')
