import { ANCHOR_DAY } from './anchor.ts'
import { hash, hashText, unit } from './noise.ts'
import type { Underlying } from './underlyings.ts'

/** What a company did to its shares, and by how much their price changes overnight before the ex-day. */
export interface CorporateAction {
  readonly kind: 'dividend' | 'bonus' | 'split'
  /** First calendar day on which a buyer has no claim any more; trading shows it from the first session on. */
  readonly exDay: number
  /** Price after ÷ price before: 0.985 for a dividend of 1.5 %, 0.5 for a bonus of 1:1 or a split in two. */
  readonly factor: number
}

const DIVIDEND_DAYS = 365
/** Dividends go ex from the end of April to September, give or take. */
const DIVIDEND_SEASON = { from: 120, days: 150, jitter: 14 } as const
const SPLIT_DAYS = 3650
const SPLIT_SHARE = 0.7
/** Shares cheaper than this are not split. */
const SPLIT_PRICE_MIN = 100
const SPLITS = [
  { kind: 'bonus', factor: 1 / 2 },
  { kind: 'bonus', factor: 2 / 3 },
  { kind: 'split', factor: 1 / 2 },
  { kind: 'split', factor: 1 / 5 },
] as const

/**
 * Corporate actions of every share, as a pure function of the seed. Shares with contracts pay a dividend a year, and are
 * never split, because their contracts would have to be adjusted; all others may have issued a bonus or been split once in
 * ten years before 2026. Prices are as traded: nothing before an ex-day is adjusted.
 */
export class CorporateActions {
  readonly #seed: number

  constructor(seed: number) {
    this.#seed = hash(seed, 0xc0a7)
  }

  /** Actions whose ex-day is in [fromDay, toDay], ascending. */
  between(underlying: Underlying, fromDay: number, toDay: number): CorporateAction[] {
    const found: CorporateAction[] = []
    if (underlying.dividendYield > 0) {
      for (let year = periodOf(fromDay, DIVIDEND_DAYS); year <= periodOf(toDay, DIVIDEND_DAYS); year += 1) {
        const exDay = this.#dividendDay(underlying, year)
        if (exDay >= fromDay && exDay <= toDay) {
          found.push({ kind: 'dividend', exDay, factor: 1 - underlying.dividendYield })
        }
      }
    }
    if (isSplittable(underlying)) {
      for (let decade = periodOf(fromDay, SPLIT_DAYS); decade <= periodOf(toDay, SPLIT_DAYS); decade += 1) {
        const split = this.#split(underlying, decade)
        if (split !== undefined && split.exDay >= fromDay && split.exDay <= toDay) found.push(split)
      }
    }
    return found.sort((a, b) => a.exDay - b.exDay)
  }

  /** Factor by which actions of the days (fromDay, toDay] change the price. */
  factorBetween(underlying: Underlying, fromDay: number, toDay: number): number {
    let factor = 1
    if (underlying.dividendYield > 0) {
      const count = this.#dividendsUntil(underlying, toDay) - this.#dividendsUntil(underlying, fromDay)
      if (count !== 0) factor = (1 - underlying.dividendYield) ** count
    }
    return isSplittable(underlying)
      ? (factor * this.#splitsUntil(underlying, toDay)) / this.#splitsUntil(underlying, fromDay)
      : factor
  }

  /**
   * Price on that day ÷ price without any action, 1 on the anchor day. Between its ex-days a share gains what its next
   * dividend will take, so that dividends don't make prices drift.
   */
  adjustmentOn(underlying: Underlying, day: number): number {
    const { dividendYield } = underlying
    let factor = 1
    if (dividendYield > 0) {
      const gained = (day - ANCHOR_DAY) / DIVIDEND_DAYS
      factor = (1 - dividendYield) ** (this.#dividendsUntil(underlying, day) - gained)
    }
    return isSplittable(underlying) ? factor * this.#splitsUntil(underlying, day) : factor
  }

  /** Dividends since the anchor day, negative before it. */
  #dividendsUntil(underlying: Underlying, day: number): number {
    const year = periodOf(day, DIVIDEND_DAYS)
    return this.#dividendDay(underlying, year) <= day ? year + 1 : year
  }

  #dividendDay(underlying: Underlying, year: number): number {
    const seed = hashText(this.#seed, underlying.key)
    const usual = DIVIDEND_SEASON.from + Math.floor(unit(seed) * DIVIDEND_SEASON.days)
    return ANCHOR_DAY + 1 + year * DIVIDEND_DAYS + usual + (hash(seed, year) % DIVIDEND_SEASON.jitter)
  }

  #splitsUntil(underlying: Underlying, day: number): number {
    const last = periodOf(day, SPLIT_DAYS)
    let factor = 1
    for (let decade = last; decade < 0; decade += 1) {
      const split = this.#split(underlying, decade)
      if (split !== undefined && split.exDay > day) factor /= split.factor
    }
    return factor
  }

  /** None after the anchor day: who holds a share on paper then would see it lose half of its worth, and get nothing. */
  #split(underlying: Underlying, decade: number): CorporateAction | undefined {
    if (decade >= 0) return undefined
    const drawn = hash(hashText(this.#seed, underlying.key), decade + 0x5917)
    if (unit(drawn) >= SPLIT_SHARE) return undefined
    const { kind, factor } = SPLITS[hash(drawn, 1) % SPLITS.length] ?? SPLITS[0]
    return { kind, factor, exDay: ANCHOR_DAY + 1 + decade * SPLIT_DAYS + (hash(drawn, 2) % SPLIT_DAYS) }
  }
}

const isSplittable = ({ band, price }: Underlying): boolean => band > 0 && price >= SPLIT_PRICE_MIN

/** Number of the period that the day lies in; period 0 begins on the day after the anchor day. */
const periodOf = (day: number, length: number): number => Math.floor((day - ANCHOR_DAY - 1) / length)
