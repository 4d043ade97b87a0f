import { dayNumberOf } from '../../kernel/exchange-time.ts'
import { PRICE_ONE, type Price, price } from '../../kernel/fixed.ts'
import { optionPrice } from '../pricing/index.ts'
import type { ContractEnd } from '../contract-end.ts'
import { type Instrument, isOption } from '../instrument.ts'
import { COIN_RUPEES_PER_DOLLAR } from './data/contracts.ts'
import { type Bar, BLOCK_SECONDS, type DayPath } from './day-path.ts'
import { forwardDay, yearsUntil } from './forward.ts'
import { hash2, unit } from './noise.ts'
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
}

export function createPricer(instrument: Instrument, underlying: Underlying, end: ContractEnd | undefined): Pricer {
  return isOption(instrument)
    ? new OptionPricer(instrument, underlying, end as ContractEnd) // every option expires
    : new LinearPricer(instrument, underlying, end)
}

export const priceOfTicks = (ticks: number, tickSize: Price): Price => price(ticks * tickSize)

const toTicks = (value: number, ticksPerUnit: number): number => Math.max(1, Math.round(value * ticksPerUnit))

/**
 * A contract's last day may go on after its underlying has closed; its price is final then. Gives the last second of
 * the underlying's session that counts.
 */
function lastSecondCounted(path: DayPath, end: ContractEnd | undefined): number {
  return end === undefined || path.day !== end.day ? path.seconds - 1 : (end.settlesAt - path.opensAt) / 1000 - 1
}

/** Shares, indices, spot pairs, perpetuals and futures: the underlying's price times a factor that holds for the day. */
class LinearPricer implements Pricer {
  readonly #instrument: Instrument
  readonly #underlying: Underlying
  readonly #end: ContractEnd | undefined
  readonly #ticksPerUnit: number
  readonly #forwardDay: number
  #factorDay = Number.NaN
  #factor = 1
  readonly #bar: Bar = [0, 0, 0, 0]

  constructor(instrument: Instrument, underlying: Underlying, end: ContractEnd | undefined) {
    this.#instrument = instrument
    this.#underlying = underlying
    this.#end = end
    this.#ticksPerUnit = PRICE_ONE / instrument.tickSize
    this.#forwardDay = instrument.expiry === undefined ? Number.NaN : forwardDay(instrument)
  }

  ticksAt(path: DayPath, second: number): number {
    const counted = Math.min(second, lastSecondCounted(path, this.#end))
    return toTicks(path.priceAt(counted) * this.#factorOn(path.day), this.#ticksPerUnit)
  }

  barOf(path: DayPath, from: number, to: number, bar: TickBar): void {
    const last = lastSecondCounted(path, this.#end)
    const start = Math.min(from, last)
    path.barOf(start, Math.max(start + 1, Math.min(to, last + 1)), this.#bar)
    const factor = this.#factorOn(path.day)
    for (let i = 0; i < 4; i += 1) bar[i] = toTicks((this.#bar[i] ?? 0) * factor, this.#ticksPerUnit)
  }

  #factorOn(day: number): number {
    if (day !== this.#factorDay) {
      this.#factor = this.#computeFactor(day)
      this.#factorDay = day
    }
    return this.#factor
  }

  #computeFactor(day: number): number {
    const { exchange, kind, symbol, id } = this.#instrument
    switch (kind) {
      case 'FUT':
        return Math.exp((this.#underlying.carry * Math.max(0, this.#forwardDay - day)) / 365)
      case 'SPOT':
        return symbol.endsWith('INR') ? COIN_RUPEES_PER_DOLLAR : 1
      default:
        // The two exchanges never quote a share quite alike.
        return exchange === 'BSE' ? 1 + 0.0008 * (unit(hash2(1, id, day)) - 0.5) : 1
    }
  }
}

const SMILE_REACH = 4
/** Trading days of a year. */
const DAYS_OF_VOLATILITY = { exchange: 252, crypto: 365 } as const

/**
 * Options by Black-76. Time and the strike's volatility stand still for a block of minutes, so that within a block the
 * price is a monotone function of the underlying's. Calls and puts of a strike share their volatility: parity holds.
 */
class OptionPricer implements Pricer {
  readonly #sign: 1 | -1
  readonly #strike: number
  readonly #underlying: Underlying
  readonly #end: ContractEnd
  readonly #forwardDay: number
  readonly #ticksPerUnit: number
  readonly #bar: Bar = [0, 0, 0, 0]
  #day = Number.NaN
  #block = -1
  #factor = 1
  #deviation = 0
  /** The day's extremes over its first blocks, kept because every quote asks for them. */
  #doneDay = Number.NaN
  #doneBlocks = 0
  #doneOpen = 0
  #doneHigh = 0
  #doneLow = 0

  constructor(instrument: Instrument, underlying: Underlying, end: ContractEnd) {
    this.#sign = instrument.kind === 'CE' ? 1 : -1
    this.#strike = instrument.strike / PRICE_ONE
    this.#underlying = underlying
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
    const top = this.#ticksOf(this.#sign > 0 ? high : low)
    const bottom = this.#ticksOf(this.#sign > 0 ? low : high)
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
    const { carry, dailyVolatility, family, key } = this.#underlying
    this.#factor = Math.exp((carry * Math.max(0, this.#forwardDay - path.day)) / 365)
    const blockStart = block * BLOCK_SECONDS
    const blockEndAt = path.opensAt + (blockStart + BLOCK_SECONDS) * 1000
    const root = Math.sqrt(yearsUntil(blockEndAt, this.#end.settlesAt))
    const days = family === 'crypto' ? DAYS_OF_VOLATILITY.crypto : DAYS_OF_VOLATILITY.exchange
    const atTheMoney = dailyVolatility * Math.sqrt(days)
    const forward = path.blockOpen(block) * this.#factor
    const distance = Math.log(this.#strike / forward) / (atTheMoney * Math.max(root, 0.05))
    const x = Math.max(-SMILE_REACH, Math.min(SMILE_REACH, distance))
    const skew = key.startsWith('INDEX:') ? -0.07 : -0.02
    const volatility = atTheMoney * Math.max(0.4, 1 + skew * x + 0.03 * x * x)
    this.#deviation = volatility * root
    this.#day = path.day
    this.#block = block
  }
}
