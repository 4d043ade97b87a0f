import type { Action, Product } from '../../brokers/venue.ts'
import type { Multiplier, Price } from '../../kernel/fixed.ts'
import type { Instrument } from '../../market/instrument.ts'
import type { Holding } from './check.ts'
import { AMOUNT_MAX } from './limits.ts'
import { worth } from './worth.ts'

/** One instrument and product: what is held, what working orders may add, and what that comes to. */
interface Entry {
  readonly instrument: string
  readonly multiplier: Multiplier
  /** Position, and shares held, apart: each is told by itself. */
  position: number
  held: number
  buying: number
  selling: number
  /** Of the last look at the market; before the first, the greatest that it was ordered or had at. */
  price: Price
  isSeen: boolean
  gross: number
  high: number
  low: number
}

const PRODUCTS_OF: readonly Product[] = ['MIS', 'NRML', 'CNC']
const NOTHING: Holding = { quantity: 0, buying: 0, selling: 0 }

export const instrumentKeyOf = ({ exchange, symbol }: Pick<Instrument, 'exchange' | 'symbol'>): string =>
  `${exchange}:${symbol}`

/** What an entry is of. */
export interface EntryOf {
  readonly exchange: Instrument['exchange']
  readonly symbol: string
  readonly product: Product
  readonly multiplier: Multiplier
}

/** Positions and working orders of an account or a strategy as totals, kept with each change of them. */
export class RunningBook {
  openOrders = 0
  /** Orders that were sent, whatever became of them. */
  ordersToday = 0
  grossExposure = 0
  netHigh = 0
  netLow = 0
  readonly #entries = new Map<string, Entry>()

  /** An order that begins to work, with so much open, or one that doesn't any more: then with negative figures. */
  work(of: EntryOf, action: Action, quantity: number, orders: 1 | 0 | -1, price: Price): void {
    this.openOrders += orders
    const entry = this.#entry(of, price)
    if (action === 'BUY') entry.buying += quantity
    else entry.selling += quantity
    this.#total(entry)
  }

  setPosition(of: EntryOf, quantity: number, price: Price): void {
    const entry = this.#entry(of, price)
    entry.position = quantity
    this.#total(entry)
  }

  addToPosition(of: EntryOf, quantity: number, price: Price): void {
    const entry = this.#entry(of, price)
    entry.position += quantity
    this.#total(entry)
  }

  setHeld(of: EntryOf, quantity: number, price: Price): void {
    const entry = this.#entry(of, price)
    entry.held = quantity
    this.#total(entry)
  }

  position(instrumentKey: string, product: Product): Holding {
    const entry = this.#entries.get(`${instrumentKey}:${product}`)
    if (entry === undefined) return NOTHING
    return { quantity: entry.position + entry.held, buying: entry.buying, selling: entry.selling }
  }

  /** Of every product together. */
  instrument(instrumentKey: string): Holding {
    let quantity = 0
    let buying = 0
    let selling = 0
    for (const product of PRODUCTS_OF) {
      const entry = this.#entries.get(`${instrumentKey}:${product}`)
      if (entry === undefined) continue
      quantity += entry.position + entry.held
      buying += entry.buying
      selling += entry.selling
    }
    return { quantity, buying, selling }
  }

  /** Values everything at these prices, and adds it up anew. Instruments without a price keep the one they have. */
  reprice(priceOf: (instrumentKey: string) => Price | undefined): void {
    this.grossExposure = 0
    this.netHigh = 0
    this.netLow = 0
    for (const [key, entry] of this.#entries) {
      const { position, held, buying, selling } = entry
      if (position + held === 0 && buying === 0 && selling === 0) {
        this.#entries.delete(key)
        continue
      }
      entry.gross = 0
      entry.high = 0
      entry.low = 0
      const seen = priceOf(entry.instrument)
      if (seen !== undefined) {
        entry.price = seen
        entry.isSeen = true
      }
      this.#total(entry)
    }
  }

  #entry(of: EntryOf, price: Price): Entry {
    const instrument = instrumentKeyOf(of)
    const key = `${instrument}:${of.product}`
    let entry = this.#entries.get(key)
    if (entry === undefined) {
      const { multiplier } = of
      entry = {
        instrument,
        multiplier,
        position: 0,
        held: 0,
        buying: 0,
        selling: 0,
        price,
        isSeen: false,
        gross: 0,
        high: 0,
        low: 0,
      }
      this.#entries.set(key, entry)
    }
    if (!entry.isSeen && price > entry.price) entry.price = price
    return entry
  }

  #total(entry: Entry): void {
    const { price, multiplier } = entry
    const value = (quantity: number): number =>
      Math.sign(quantity) * Math.min(worth(price, Math.abs(quantity), multiplier), AMOUNT_MAX)
    const high = value(entry.position + entry.held + entry.buying)
    const low = value(entry.position + entry.held - entry.selling)
    const gross = Math.max(Math.abs(high), Math.abs(low))
    this.grossExposure += gross - entry.gross
    this.netHigh += high - entry.high
    this.netLow += low - entry.low
    entry.gross = gross
    entry.high = high
    entry.low = low
  }
}
