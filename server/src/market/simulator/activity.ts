import { PRICE_ONE, QUANTITY_ONE, type Quantity, quantity, ZERO_QUANTITY } from '../../kernel/fixed.ts'
import { type Instrument, isOption } from '../instrument.ts'
import { hash2, normal, unit } from './noise.ts'
import { yearlyVolatility } from './smile.ts'
import type { Underlying } from './underlyings.ts'
import { VolumeCurve } from './volume.ts'

/** What a day's trading looks like before it begins. */
export interface DayFacts {
  readonly day: number
  /** Days until the contract expires; NaN for what doesn't. */
  readonly daysLeft: number
  /** Price of the underlying when the day opens, in the instrument's currency. */
  readonly open: number
  /** Strike ÷ open of the underlying in deviations until expiry; 0 unless an option. */
  readonly moneyness: number
  /** What open interest at the end of the day before, and of this day, depends on. */
  readonly interestFrom: InterestFacts
  readonly interestTo: InterestFacts
  /** How much livelier than usual the day is. */
  readonly liveliness: number
}

export interface InterestFacts {
  readonly day: number
  readonly daysLeft: number
  /** Price of the underlying at the close before that day. */
  readonly level: number
}

/** Lots of the nearest contract of a busy future in a day. */
const FUTURE_LOTS = 18_000
const INDEX_FUTURE_LOTS = 70_000
const OPTION_LOTS = 9_000
const INDEX_OPTION_LOTS = 900_000
const COIN_CONTRACTS = 400_000
/** Open interest on the last day, in lots traded on a usual day of a contract's last week. */
const INTEREST_RATIO = 1.4
/** Days before expiry in which open interest grows to that from half of it. */
const INTEREST_DAYS = 6
/** Open interest is spread over the strikes as wide as if so many days were left at least. */
const INTEREST_SPREAD_DAYS = 12
const BSE_SHARE = 0.07
/** Units of a usual day at most, so that the volume of a year stays within the range of a quantity. */
const CASH_UNITS_MAX = 20_000_000
const CONTRACT_UNITS_MAX = 100_000_000

/** Traded volume and open interest of one instrument, in whole lots, as pure functions of the day and the second. */
export class Activity {
  readonly #instrument: Instrument
  readonly #underlying: Underlying
  readonly #seed: number
  readonly #attraction: number
  #day = Number.NaN
  #curve = new VolumeCurve(0, 60)
  #lots = 0
  #interestFrom = 0
  #interestTo = 0

  constructor(instrument: Instrument, underlying: Underlying, seed: number) {
    this.#instrument = instrument
    this.#underlying = underlying
    this.#seed = hash2(seed, instrument.id % 4_294_967_291, 0xac71)
    this.#attraction = isOption(instrument) ? roundness(instrument.strike / PRICE_ONE, underlying.price) : 1
  }

  /** Volume of the first `second` seconds of the instrument's session of `seconds`. */
  volumeUntil(facts: DayFacts, second: number, seconds: number): Quantity {
    this.#enter(facts)
    if (this.#lots === 0) return ZERO_QUANTITY
    if (this.#curve.seconds !== seconds) this.#curve = new VolumeCurve(hash2(this.#seed, 4, facts.day), seconds)
    return quantity(Math.floor(this.#lots * this.#curve.shareUntil(second)) * this.#instrument.lotSize)
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
    const lotsMax = (unitsMax * QUANTITY_ONE) / this.#instrument.lotSize
    const drawn = Math.exp(0.35 * normal(hash2(this.#seed, 1, facts.day)))
    this.#lots = Math.floor(Math.min(this.#usualLots(facts) * facts.liveliness, lotsMax) * drawn)
    this.#interestFrom = Math.min(this.#interest(facts.interestFrom), lotsMax)
    this.#interestTo = Math.min(this.#interest(facts.interestTo), lotsMax)
    this.#curve = new VolumeCurve(hash2(this.#seed, 4, facts.day), this.#curve.seconds)
    this.#day = facts.day
  }

  /** Lots that are open at the end of a day: at round strikes and near the price, more of them from day to day. */
  #interest({ day, daysLeft, level }: InterestFacts): number {
    const noise = 1 + 0.05 * normal(hash2(this.#seed, 2, day))
    const busy = this.#wishes() * INTEREST_RATIO * noise
    const isIndex = this.#underlying.turnover === 0
    switch (this.#instrument.kind) {
      case 'PERPFUT':
        return COIN_CONTRACTS * busy
      case 'FUT':
        return (isIndex ? INDEX_FUTURE_LOTS : FUTURE_LOTS) * busy * contractShare(daysLeft)
      case 'CE':
      case 'PE': {
        const years = Math.max(daysLeft, INTEREST_SPREAD_DAYS) / 365
        const width = yearlyVolatility(this.#underlying) * Math.sqrt(years)
        const distance = Math.log(this.#instrument.strike / PRICE_ONE / level) / width
        const grown = 1 / (1 + Math.max(0, daysLeft) / INTEREST_DAYS)
        const lots = isIndex ? INDEX_OPTION_LOTS * INTEREST_OF_INDEX : OPTION_LOTS
        return lots * busy * this.#attraction * grown * Math.exp(-0.5 * distance * distance)
      }
      default:
        return 0
    }
  }

  #wishes(): number {
    return 0.7 + 0.6 * unit(hash2(this.#seed, 3, 0))
  }

  #usualLots({ daysLeft, open, moneyness }: DayFacts): number {
    const { kind, exchange, lotSize } = this.#instrument
    const isIndex = this.#underlying.turnover === 0
    const wishes = this.#wishes()
    switch (kind) {
      case 'INDEX':
        return 0
      case 'EQ':
      case 'SPOT': {
        const units = this.#underlying.turnover / Math.max(open, 1e-9)
        return (units * QUANTITY_ONE * (exchange === 'BSE' ? BSE_SHARE : 1)) / lotSize
      }
      case 'PERPFUT':
        return COIN_CONTRACTS * wishes
      case 'FUT':
        return (isIndex ? INDEX_FUTURE_LOTS : FUTURE_LOTS) * wishes * contractShare(daysLeft)
      default: {
        const near = Math.exp(-0.5 * moneyness * moneyness)
        const lots = isIndex ? INDEX_OPTION_LOTS * weekShare(daysLeft) : OPTION_LOTS * contractShare(daysLeft)
        return open > 0 ? lots * wishes * near * Math.sqrt(this.#attraction) : 0
      }
    }
  }
}

/** Index options are traded many times over before the day ends: open interest is small beside their volume. */
const INTEREST_OF_INDEX = 0.35

/** How much rather than others a strike is traded: thousands of an index, hundreds of a share, and so on. */
export function roundness(strike: number, price: number): number {
  const unitOfPrice = 10 ** Math.floor(Math.log10(price * 0.11))
  const isMultiple = (of: number): boolean => Math.abs(strike / of - Math.round(strike / of)) < 1e-9
  if (isMultiple(unitOfPrice)) return 2.6
  if (isMultiple(unitOfPrice / 2)) return 1.9
  return isMultiple(unitOfPrice / 10) ? 1 : 0.6
}

/** Trading crowds into the nearest month. */
const contractShare = (daysLeft: number): number => (daysLeft <= 31 ? 1 : daysLeft <= 62 ? 0.1 : 0.012)
const weekShare = (daysLeft: number): number =>
  daysLeft <= 7 ? 1 : daysLeft <= 31 ? 0.12 : daysLeft <= 62 ? 0.02 : 0.003
