import type { Action, Product } from '../../brokers/venue.ts'
import type { Multiplier, Price } from '../../kernel/fixed.ts'
import type { Exchange } from '../../market/instrument.ts'
import { ByInstrument, type Named } from './by-instrument.ts'
import type { Holding } from './check.ts'
import { AMOUNT_MAX } from './limits.ts'
import { worth } from './worth.ts'

/** What an entry is of. */
export interface EntryOf {
  readonly exchange: Exchange
  readonly symbol: string
  readonly product: Product
  readonly multiplier: Multiplier
}

/** One instrument and product: what is held, what working orders may add, and what that comes to. */
class Entry implements EntryOf, Holding {
  readonly exchange: Exchange
  readonly symbol: string
  readonly product: Product
  readonly multiplier: Multiplier
  /** Position, and shares held, apart: each is told by itself. */
  position = 0
  held = 0
  buying = 0
  selling = 0
  /** Of the last look at the market; before the first, the greatest that it was ordered or had at. */
  price: Price
  isSeen = false
  gross = 0
  high = 0
  low = 0

  constructor({ exchange, symbol, product, multiplier }: EntryOf, price: Price) {
    this.exchange = exchange
    this.symbol = symbol
    this.product = product
    this.multiplier = multiplier
    this.price = price
  }

  get quantity(): number {
    return this.position + this.held
  }

  get isEmpty(): boolean {
    return this.position === 0 && this.held === 0 && this.buying === 0 && this.selling === 0
  }
}

type Entries = { [P in Product]?: Entry }

const NOTHING: Holding = { quantity: 0, buying: 0, selling: 0 }

/** Positions and working orders of an account or a strategy as totals, kept with each change of them. */
export class RunningBook {
  openOrders = 0
  /** Orders that were sent, whatever became of them. */
  ordersToday = 0
  grossExposure = 0
  netHigh = 0
  netLow = 0
  readonly #entries = new ByInstrument<Entries>()

  /** An order that begins to work, with so much open, or one that doesn't any more: then with negative figures. */
  work(of: EntryOf, action: Action, quantity: number, orders: 1 | 0 | -1, price: Price): void {
    this.openOrders += orders
    const entry = this.#entry(of, price)
    if (action === 'BUY') entry.buying += quantity
    else entry.selling += quantity
    this.#total(entry)
  }

  countToday(orders: 1 | -1): void {
    this.ordersToday = Math.max(0, this.ordersToday + orders)
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

  /** As it is now, and as it becomes: to be read at once. */
  position(of: Named, product: Product): Holding {
    return this.#entries.get(of)?.[product] ?? NOTHING
  }

  /** Of every product together. */
  instrument(of: Named): Holding {
    const entries = this.#entries.get(of)
    if (entries === undefined) return NOTHING
    const { MIS = NOTHING, NRML = NOTHING, CNC = NOTHING } = entries
    return {
      quantity: MIS.quantity + NRML.quantity + CNC.quantity,
      buying: MIS.buying + NRML.buying + CNC.buying,
      selling: MIS.selling + NRML.selling + CNC.selling,
    }
  }

  /** What something is held or works of. */
  instruments(): Named[] {
    return Array.from(this.#entries, ([named]) => named)
  }

  /** Values everything at these prices, and adds it up anew. Instruments without a price keep the one they have. */
  reprice(priceOf: (of: Named) => Price | undefined): void {
    this.grossExposure = 0
    this.netHigh = 0
    this.netLow = 0
    for (const [named, entries] of this.#entries) {
      const all = Object.values(entries)
      if (all.every(({ isEmpty }) => isEmpty)) this.#entries.delete(named)
      else {
        const price = priceOf(named)
        for (const entry of all) this.#reprice(entry, price)
      }
    }
  }

  #reprice(entry: Entry, seen: Price | undefined): void {
    entry.gross = 0
    entry.high = 0
    entry.low = 0
    if (seen !== undefined) {
      entry.price = seen
      entry.isSeen = true
    }
    this.#total(entry)
  }

  #entry(of: EntryOf, price: Price): Entry {
    let entries = this.#entries.get(of)
    if (entries === undefined) {
      entries = {}
      this.#entries.set(of, entries)
    }
    const { product } = of
    entries[product] ??= new Entry(of, price)
    const entry = entries[product]
    if (!entry.isSeen && price > entry.price) entry.price = price
    return entry
  }

  #total(entry: Entry): void {
    const high = paiseOf(entry.quantity + entry.buying, entry)
    const low = paiseOf(entry.quantity - entry.selling, entry)
    const gross = Math.max(Math.abs(high), Math.abs(low))
    this.grossExposure += gross - entry.gross
    this.netHigh += high - entry.high
    this.netLow += low - entry.low
    entry.gross = gross
    entry.high = high
    entry.low = low
  }
}

/** In paise, with the sign of the quantity. */
const paiseOf = (quantity: number, { price, multiplier }: Entry): number =>
  Math.sign(quantity) * Math.min(worth(price, Math.abs(quantity), multiplier), AMOUNT_MAX)
