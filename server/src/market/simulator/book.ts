import {
  type Price,
  price,
  QUANTITY_ONE,
  type Quantity,
  quantity,
  ZERO_PRICE,
  ZERO_QUANTITY,
} from '../../kernel/fixed.ts'
import { type Instrument, isOption } from '../instrument.ts'
import { DEPTH_LEVELS, type DepthLevel } from '../market-data.ts'
import type { Limits } from './circuit.ts'
import { hash, hash2, unit } from './noise.ts'
import type { Underlying } from './underlyings.ts'

/** Best bid and ask in ticks; 0 when there is none. */
export interface Touch {
  readonly bidTicks: number
  readonly askTicks: number
}

export interface Book {
  readonly bids: readonly DepthLevel[]
  readonly asks: readonly DepthLevel[]
  readonly lastQuantity: Quantity
  readonly totalBuyQuantity: Quantity
  readonly totalSellQuantity: Quantity
}

/** What the book of a day depends on besides the price. */
export interface BookTerms {
  /** Factor of the usual spread. */
  readonly width: number
  readonly limits: Limits | undefined
}

const EMPTY: Book = {
  bids: [],
  asks: [],
  lastQuantity: ZERO_QUANTITY,
  totalBuyQuantity: ZERO_QUANTITY,
  totalSellQuantity: ZERO_QUANTITY,
}

/** Rupees that usually stand at one level of a share's book, as a part of a day's turnover. */
const LEVEL_SHARE_OF_TURNOVER = 1 / 4000
const LEVEL_VALUE_MIN = 40_000

/** The visible book of one instrument: a pure function of the second and the last price. */
export class BookMaker {
  readonly #instrument: Instrument
  readonly #seed: number
  readonly #spreadShare: number
  readonly #levelLots: number
  readonly #hasBook: boolean

  constructor(instrument: Instrument, underlying: Underlying, seed: number) {
    this.#instrument = instrument
    this.#seed = hash2(seed, instrument.id % 4_294_967_291, 0xb00c)
    this.#hasBook = instrument.kind !== 'INDEX'
    const isLiquid = underlying.turnover === 0 || underlying.turnover > 500_000_000
    this.#spreadShare = isOption(instrument) ? (isLiquid ? 0.002 : 0.006) : isLiquid ? 0.0002 : 0.0012
    this.#levelLots = usualLevelLots(instrument, underlying)
  }

  /** Best bid and ask around the last price. `width` scales the usual spread. */
  touch(ticks: number, second: number, { width, limits }: BookTerms): Touch {
    if (!this.#hasBook) return { bidTicks: 0, askTicks: 0 }
    const drawn = hash(this.#seed, second)
    const spread = Math.max(1, Math.round(ticks * this.#spreadShare * width * (0.5 + unit(drawn))))
    // The last trade was at the bid, at the ask, or between them.
    const below = Math.min(Math.round(unit(hash(drawn, 1)) * spread), ticks - 1)
    if (limits === undefined) return { bidTicks: ticks - below, askTicks: ticks - below + spread }
    // At a limit nobody takes the other side any more.
    if (ticks >= limits.upper) return { bidTicks: ticks, askTicks: 0 }
    if (ticks <= limits.lower) return { bidTicks: 0, askTicks: ticks }
    const bidTicks = Math.max(limits.lower, ticks - below)
    return { bidTicks, askTicks: Math.min(limits.upper, Math.max(ticks - below + spread, bidTicks + 1)) }
  }

  book(ticks: number, second: number, terms: BookTerms): Book {
    if (!this.#hasBook) return EMPTY
    const { bidTicks, askTicks } = this.touch(ticks, second, terms)
    const lowest = terms.limits?.lower ?? 1
    const highest = terms.limits?.upper ?? Number.POSITIVE_INFINITY
    const bids: DepthLevel[] = []
    const asks: DepthLevel[] = []
    let bid = 0
    let ask = 0
    for (let level = 0; level < DEPTH_LEVELS; level += 1) {
      if (askTicks > 0 && askTicks + level <= highest) {
        const askQuantity = this.#levelQuantity(second, level, 1)
        asks.push({ price: this.#price(askTicks + level), quantity: askQuantity })
        ask += askQuantity
      }
      if (bidTicks - level < lowest) continue
      const bidQuantity = this.#levelQuantity(second, level, 0)
      bids.push({ price: this.#price(bidTicks - level), quantity: bidQuantity })
      bid += bidQuantity
    }
    // At a limit the other side says that nobody offers there: without any row, only the last price would be known.
    if (asks.length === 0) asks.push({ price: this.#price(ticks), quantity: ZERO_QUANTITY })
    if (bids.length === 0) bids.push({ price: this.#price(ticks), quantity: ZERO_QUANTITY })
    const lots = 1 + Math.floor(this.#levelLots * 0.3 * unit(hash2(this.#seed, second, 98)) ** 2)
    return {
      bids,
      asks,
      lastQuantity: quantity(lots * this.#instrument.lotSize),
      totalBuyQuantity: quantity(bid * (20 + (hash2(this.#seed, second, 96) % 40))),
      totalSellQuantity: quantity(ask * (20 + (hash2(this.#seed, second, 97) % 40))),
    }
  }

  priceOf(ticks: number): Price {
    return ticks === 0 ? ZERO_PRICE : this.#price(ticks)
  }

  /** Quantity at the best bid (side 0) or offer (side 1). */
  touchQuantity(ticks: number, second: number, side: 0 | 1): Quantity {
    return ticks === 0 ? ZERO_QUANTITY : this.#levelQuantity(second, 0, side)
  }

  #price(ticks: number): Price {
    return price(ticks * this.#instrument.tickSize)
  }

  #levelQuantity(second: number, level: number, side: 0 | 1): Quantity {
    const drawn = unit(hash2(this.#seed, second, level * 2 + side))
    const lots = Math.max(1, Math.floor(this.#levelLots * (0.25 + 1.5 * drawn) * (1 + 0.3 * level)))
    return quantity(lots * this.#instrument.lotSize)
  }
}

function usualLevelLots(instrument: Instrument, underlying: Underlying): number {
  const { kind, lotSize } = instrument
  const lotUnits = lotSize / QUANTITY_ONE
  if (kind === 'EQ' || kind === 'SPOT') {
    const value = Math.max(LEVEL_VALUE_MIN, underlying.turnover * LEVEL_SHARE_OF_TURNOVER)
    return Math.max(3, value / underlying.price / lotUnits)
  }
  const isIndex = underlying.turnover === 0
  if (kind === 'PERPFUT') return 400
  if (kind === 'FUT') return isIndex ? 14 : 8
  return isIndex ? 30 : 8
}
