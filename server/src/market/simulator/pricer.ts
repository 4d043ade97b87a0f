import { assert } from '../../kernel/assert.ts'
import { dayNumberOf } from '../../kernel/exchange-time.ts'
import { PRICE_ONE, type Price, price } from '../../kernel/fixed.ts'
import type { ContractEnd } from '../contract-end.ts'
import { type Instrument, isOption } from '../instrument.ts'
import { optionPrice } from '../pricing/index.ts'
import { fixedLimits } from './circuit.ts'
import type { CorporateActions } from './corporate-actions.ts'
import { COIN_RUPEES_PER_DOLLAR } from './data/contracts.ts'
import type { Bar, DayPath } from './day-path.ts'
import { forwardDay, yearsUntil } from './forward.ts'
import { BLOCK_SECONDS } from './minutes.ts'
import { hash2, unit } from './noise.ts'
import { varianceAt, varianceAtTheMoney } from './smile.ts'
import type { Underlying } from './underlyings.ts'

/** Open, high, low and close in ticks. */
export type TickBar = [open: number, high: number, low: number, close: number]

/**
 * Prices of one instrument as a monotone function of its underlying's price, in whole ticks, at least one. Because the
 * function is monotone, an instrument's bar is the function of the underlying's bar, and bars of all lengths agree.
 */
export interface Pricer {
  /** Price in ticks in that second of the underlying's session. */
  ticksAt(path: DayPath, second: number): number
  /** Writes the bar of the seconds [from, to) into `bar`. */
  barOf(path: DayPath, from: number, to: number, bar: TickBar): void
  /** Price in ticks that the day's changes are counted from. */
  baseTicks(path: DayPath): number
}

/** What prices depend on besides the instrument and its underlying. */
export interface PricingTerms {
  readonly instrument: Instrument
  readonly underlying: Underlying
  readonly end: ContractEnd | undefined
  readonly actions: CorporateActions
  /** Factor of the scenario for the volatility of options. */
  readonly implied: number
}

export function createPricer(terms: PricingTerms): Pricer {
  return isOption(terms.instrument) ? new OptionPricer(terms) : new LinearPricer(terms)
}

export const priceOfTicks = (ticks: number, tickSize: Price): Price => price(ticks * tickSize)

const toTicks = (value: number, ticksPerUnit: number): number => Math.max(1, Math.round(value * ticksPerUnit))

/**
 * A contract's last day may go on after its underlying has closed; its price is final then. Gives the last second of
 * the underlying's session that counts.
 */
function lastSecondCounted(path: DayPath, end: ContractEnd | undefined): number {
  if (end === undefined || path.day !== end.day) return path.seconds - 1
  return path.hours.tradedBefore((end.settlesAt - path.hours.opensAt) / 1000) - 1
}

/** Forward ÷ price of the underlying: the cost of carry less the dividends until then. */
function carryFactor({ underlying, actions }: PricingTerms, day: number, forwardOn: number): number {
  const days = Math.max(0, forwardOn - day)
  return Math.exp((underlying.carry * days) / 365) * actions.factorBetween(underlying, day, day + days)
}

/** Shares, indices, spot pairs, perpetuals and futures: the underlying's price times a factor that holds for the day. */
class LinearPricer implements Pricer {
  readonly #terms: PricingTerms
  readonly #ticksPerUnit: number
  readonly #forwardDay: number
  readonly #isLimited: boolean
  #day = Number.NaN
  #factor = 1
  #lower = 1
  #upper = Number.POSITIVE_INFINITY
  readonly #bar: Bar = [0, 0, 0, 0]

  constructor(terms: PricingTerms) {
    const { instrument, underlying } = terms
    this.#terms = terms
    this.#ticksPerUnit = PRICE_ONE / instrument.tickSize
    this.#forwardDay = instrument.expiry === undefined ? Number.NaN : forwardDay(instrument)
    this.#isLimited = underlying.band > 0
  }

  ticksAt(path: DayPath, second: number): number {
    this.#enter(path)
    return this.#ticksOf(path.priceAt(Math.min(second, lastSecondCounted(path, this.#terms.end))))
  }

  barOf(path: DayPath, from: number, to: number, bar: TickBar): void {
    const last = lastSecondCounted(path, this.#terms.end)
    const start = Math.min(from, last)
    path.barOf(start, Math.max(start + 1, Math.min(to, last + 1)), this.#bar)
    this.#enter(path)
    for (let i = 0; i < 4; i += 1) bar[i] = this.#ticksOf(this.#bar[i] ?? 0)
  }

  baseTicks(path: DayPath): number {
    this.#enter(path)
    return toTicks(path.base * this.#factor, this.#ticksPerUnit)
  }

  #ticksOf(spot: number): number {
    return Math.min(this.#upper, Math.max(this.#lower, toTicks(spot * this.#factor, this.#ticksPerUnit)))
  }

  #enter(path: DayPath): void {
    if (path.day === this.#day) return
    this.#factor = this.#factorOn(path.day)
    this.#day = path.day
    if (!this.#isLimited) return
    const limits = fixedLimits(this.#terms.underlying, toTicks(path.base * this.#factor, this.#ticksPerUnit))
    this.#lower = limits?.lower ?? 1
    this.#upper = limits?.upper ?? Number.POSITIVE_INFINITY
  }

  #factorOn(day: number): number {
    const { exchange, kind, symbol, id } = this.#terms.instrument
    switch (kind) {
      case 'FUT':
        return carryFactor(this.#terms, day, this.#forwardDay)
      case 'SPOT':
        return symbol.endsWith('INR') ? COIN_RUPEES_PER_DOLLAR : 1
      default:
        // The two exchanges never quote a share quite alike.
        return exchange === 'BSE' ? 1 + 0.0008 * (unit(hash2(1, id, day)) - 0.5) : 1
    }
  }
}

/**
 * Options by Black-76. Time and the strike's volatility stand still for a block of minutes, so that within a block the
 * price is a monotone function of the underlying's. Calls and puts of a strike share their volatility: parity holds.
 */
class OptionPricer implements Pricer {
  readonly #terms: PricingTerms
  readonly #sign: 1 | -1
  readonly #strike: number
  readonly #end: ContractEnd
  readonly #forwardDay: number
  readonly #ticksPerUnit: number
  readonly #bar: Bar = [0, 0, 0, 0]
  #day = Number.NaN
  #block = -1
  #factor = 1
  #deviation = 0
  /** Extremes of the underlying's last bar in this block, and their prices: they seldom change from second to second. */
  #topAt = Number.NaN
  #top = 0
  #bottomAt = Number.NaN
  #bottom = 0
  /** The day's extremes over its first blocks, kept because every quote asks for them. */
  #doneDay = Number.NaN
  #doneBlocks = 0
  #doneOpen = 0
  #doneHigh = 0
  #doneLow = 0

  constructor(terms: PricingTerms) {
    const { instrument, end } = terms
    assert(end !== undefined, 'every option expires')
    this.#terms = terms
    this.#sign = instrument.kind === 'CE' ? 1 : -1
    this.#strike = instrument.strike / PRICE_ONE
    this.#end = end
    this.#forwardDay = Math.max(forwardDay(instrument), dayNumberOf(instrument.expiry ?? ''))
    this.#ticksPerUnit = PRICE_ONE / instrument.tickSize
  }

  ticksAt(path: DayPath, second: number): number {
    const counted = Math.min(second, lastSecondCounted(path, this.#end))
    this.#enterBlock(path, Math.floor(counted / BLOCK_SECONDS))
    return this.#ticksOf(path.priceAt(counted))
  }

  barOf(path: DayPath, from: number, to: number, bar: TickBar): void {
    const last = lastSecondCounted(path, this.#end)
    const start = Math.min(from, last)
    const stop = Math.max(start + 1, Math.min(to, last + 1))
    const wholeBlocks = start === 0 ? Math.floor(stop / BLOCK_SECONDS) : 0
    let second = start
    let first = true
    if (wholeBlocks > 0) {
      this.#extendDone(path, wholeBlocks)
      bar[0] = this.#doneOpen
      bar[1] = this.#doneHigh
      bar[2] = this.#doneLow
      second = wholeBlocks * BLOCK_SECONDS
      first = false
      if (second === stop) bar[3] = this.ticksAt(path, stop - 1)
    }
    while (second < stop) {
      const block = Math.floor(second / BLOCK_SECONDS)
      const blockEnd = Math.min((block + 1) * BLOCK_SECONDS, stop)
      this.#mergeBlock(path, block, second, blockEnd, bar, first)
      first = false
      second = blockEnd
    }
  }

  /** Makes the kept extremes those of exactly the first `blocks` blocks; fewer than kept means a look into the past. */
  #extendDone(path: DayPath, blocks: number): void {
    if (this.#doneDay !== path.day || this.#doneBlocks > blocks) {
      this.#doneDay = path.day
      this.#doneBlocks = 0
    }
    const bar: TickBar = [this.#doneOpen, this.#doneHigh, this.#doneLow, 0]
    for (let block = this.#doneBlocks; block < blocks; block += 1) {
      this.#mergeBlock(path, block, block * BLOCK_SECONDS, (block + 1) * BLOCK_SECONDS, bar, block === 0)
    }
    this.#doneBlocks = blocks
    this.#doneOpen = bar[0]
    this.#doneHigh = bar[1]
    this.#doneLow = bar[2]
  }

  #mergeBlock(path: DayPath, block: number, from: number, to: number, bar: TickBar, first: boolean): void {
    path.barOf(from, to, this.#bar)
    this.#enterBlock(path, block)
    const [open, high, low, close] = this.#bar
    const topAt = this.#sign > 0 ? high : low
    const bottomAt = this.#sign > 0 ? low : high
    if (topAt !== this.#topAt) {
      this.#top = this.#ticksOf(topAt)
      this.#topAt = topAt
    }
    if (bottomAt !== this.#bottomAt) {
      this.#bottom = this.#ticksOf(bottomAt)
      this.#bottomAt = bottomAt
    }
    const top = this.#top
    const bottom = this.#bottom
    if (first) bar[0] = this.#ticksOf(open)
    bar[1] = first ? top : Math.max(bar[1], top)
    bar[2] = first ? bottom : Math.min(bar[2], bottom)
    bar[3] = this.#ticksOf(close)
  }

  #ticksOf(spot: number): number {
    return toTicks(optionPrice(spot * this.#factor, this.#strike, this.#deviation, this.#sign), this.#ticksPerUnit)
  }

  #enterBlock(path: DayPath, block: number): void {
    if (path.day === this.#day && block === this.#block) return
    const { underlying, implied } = this.#terms
    this.#factor = carryFactor(this.#terms, path.day, this.#forwardDay)
    // Time stands still until the block's end, so that the last block of a contract's life has none left.
    const blockEndAt = path.hours.instantOf((block + 1) * BLOCK_SECONDS - 1) + 1000
    const years = yearsUntil(blockEndAt, this.#end.settlesAt)
    const variance = varianceAtTheMoney(underlying, path.unrest, implied, years)
    const distance = Math.log(this.#strike / (path.blockOpen(block) * this.#factor))
    this.#topAt = Number.NaN
    this.#bottomAt = Number.NaN
    this.#deviation = Math.sqrt(varianceAt(underlying, variance, distance))
    this.#day = path.day
    this.#block = block
  }

  baseTicks(path: DayPath): number {
    this.#enterBlock(path, 0)
    return this.#ticksOf(path.base)
  }
}
