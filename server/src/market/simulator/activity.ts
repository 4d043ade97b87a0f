import { QUANTITY_ONE, type Quantity, quantity, ZERO_QUANTITY } from '../../kernel/fixed.ts'
import { type Instrument, isOption } from '../instrument.ts'
import { hash, hash2, normal, unit } from './noise.ts'
import type { Underlying } from './underlyings.ts'
import { volumeShare } from './volume.ts'

/** What a day's trading looks like before it begins. */
export interface DayFacts {
  readonly day: number
  /** Days until the contract expires; NaN for what doesn't. */
  readonly daysLeft: number
  /** Price of the underlying when the day opens, in the instrument's currency. */
  readonly open: number
  /** Strike ÷ open of the underlying in deviations until expiry; 0 unless an option. */
  readonly moneyness: number
}

/** Lots of the nearest contract of a busy future in a day. */
const FUTURE_LOTS = 18_000
const INDEX_FUTURE_LOTS = 70_000
const OPTION_LOTS = 9_000
const INDEX_OPTION_LOTS = 900_000
const COIN_CONTRACTS = 400_000
const BSE_SHARE = 0.07
/** Units of a usual day at most, so that the volume of a year stays within the range of a quantity. */
const CASH_UNITS_MAX = 20_000_000
const CONTRACT_UNITS_MAX = 100_000_000

/** Traded volume and open interest of one instrument, in whole lots, as pure functions of the day and the second. */
export class Activity {
  readonly #instrument: Instrument
  readonly #underlying: Underlying
  readonly #seed: number
  #day = Number.NaN
  #lots = 0
  #interestFrom = 0
  #interestTo = 0

  constructor(instrument: Instrument, underlying: Underlying, seed: number) {
    this.#instrument = instrument
    this.#underlying = underlying
    this.#seed = hash2(seed, instrument.id % 4_294_967_291, 0xac71)
  }

  /** Volume of the first `second` seconds of the instrument's session of `seconds`. */
  volumeUntil(facts: DayFacts, second: number, seconds: number): Quantity {
    this.#enter(facts)
    if (this.#lots === 0) return ZERO_QUANTITY
    const lots = Math.floor(this.#lots * volumeShare(hash(this.#seed, facts.day), second, seconds))
    return quantity(lots * this.#instrument.lotSize)
  }

  /** Open interest at the end of that second. */
  openInterestAt(facts: DayFacts, second: number, seconds: number): Quantity {
    this.#enter(facts)
    if (this.#interestTo === 0) return ZERO_QUANTITY
    const minute = Math.floor(second / 60)
    const ripple = 1 + 0.004 * (unit(hash2(this.#seed, facts.day, minute + 7)) - 0.5)
    const share = (minute * 60) / seconds
    const lots = (this.#interestFrom + (this.#interestTo - this.#interestFrom) * share) * ripple
    return quantity(Math.max(0, Math.round(lots)) * this.#instrument.lotSize)
  }

  #enter(facts: DayFacts): void {
    if (facts.day === this.#day) return
    const unitsMax = this.#underlying.turnover > 0 && Number.isNaN(facts.daysLeft) ? CASH_UNITS_MAX : CONTRACT_UNITS_MAX
    const usual = Math.min(this.#usualLots(facts), (unitsMax * QUANTITY_ONE) / this.#instrument.lotSize)
    this.#lots = Math.floor(usual * Math.exp(0.35 * normal(hash2(this.#seed, 1, facts.day))))
    const { kind } = this.#instrument
    const holds = kind === 'FUT' || kind === 'PERPFUT' || isOption(this.#instrument)
    this.#interestFrom = holds ? this.#interest(usual, facts.day - 1) : 0
    this.#interestTo = holds ? this.#interest(usual, facts.day) : 0
    this.#day = facts.day
  }

  #interest(usualLots: number, day: number): number {
    return usualLots * 1.4 * (1 + 0.12 * normal(hash2(this.#seed, 2, day)))
  }

  #usualLots({ daysLeft, open, moneyness }: DayFacts): number {
    const { kind, exchange, lotSize } = this.#instrument
    const isIndex = this.#underlying.turnover === 0
    const wishes = 0.7 + 0.6 * unit(hash(this.#seed, 3))
    switch (kind) {
      case 'INDEX':
        return 0
      case 'EQ':
      case 'SPOT': {
        const units = this.#underlying.turnover / Math.max(this.#underlying.price, 1e-9)
        return (units * QUANTITY_ONE * (exchange === 'BSE' ? BSE_SHARE : 1)) / lotSize
      }
      case 'PERPFUT':
        return COIN_CONTRACTS * wishes
      case 'FUT':
        return (isIndex ? INDEX_FUTURE_LOTS : FUTURE_LOTS) * wishes * contractShare(daysLeft)
      default: {
        const near = Math.exp(-0.5 * moneyness * moneyness)
        const lots = isIndex ? INDEX_OPTION_LOTS * weekShare(daysLeft) : OPTION_LOTS * contractShare(daysLeft)
        return open > 0 ? lots * wishes * near : 0
      }
    }
  }
}

/** Trading crowds into the nearest month. */
const contractShare = (daysLeft: number): number => (daysLeft <= 31 ? 1 : daysLeft <= 62 ? 0.1 : 0.012)
const weekShare = (daysLeft: number): number =>
  daysLeft <= 7 ? 1 : daysLeft <= 31 ? 0.12 : daysLeft <= 62 ? 0.02 : 0.003
