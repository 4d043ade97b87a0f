import { assert } from '../kernel/assert.ts'
import { dateOf, dayNumberOf } from '../kernel/exchange-time.ts'
import type { Multiplier, Price, Quantity } from '../kernel/fixed.ts'
import { EXCHANGES, type Exchange, INSTRUMENT_KINDS, type Instrument, type InstrumentKind } from './instrument.ts'
import { nearestNames } from './nearest.ts'

/** Most instruments of one snapshot. */
export const INSTRUMENTS_MAX = 1_000_000

/** Each distinct text once; rows hold its number. */
class StringTable {
  readonly texts: string[] = []
  readonly #numbers = new Map<string, number>()

  add(text: string): number {
    const known = this.#numbers.get(text)
    if (known !== undefined) return known
    const number = this.texts.length
    this.texts.push(text)
    this.#numbers.set(text, number)
    return number
  }

  at(number: number): string {
    const text = this.texts[number]
    assert(text !== undefined, `string ${number} is not in the table`)
    return text
  }

  seal(): void {
    this.#numbers.clear()
  }
}

const NO_EXPIRY = -2_147_483_648
const PAGE_ROWS = 4096

/** A page of columns; pages grow the store without copying while it is built. */
class Page {
  readonly ids = new Float64Array(PAGE_ROWS)
  readonly exchanges = new Uint8Array(PAGE_ROWS)
  readonly kinds = new Uint8Array(PAGE_ROWS)
  readonly names = new Uint32Array(PAGE_ROWS)
  readonly sourceExchanges = new Uint32Array(PAGE_ROWS)
  readonly expiryDays = new Int32Array(PAGE_ROWS)
  readonly strikes = new Float64Array(PAGE_ROWS)
  readonly lotSizes = new Float64Array(PAGE_ROWS)
  readonly tickSizes = new Float64Array(PAGE_ROWS)
  readonly freezeQuantities = new Float64Array(PAGE_ROWS)
  readonly multipliers = new Float64Array(PAGE_ROWS)
}

const EXCHANGE_NUMBER = new Map<Exchange, number>(EXCHANGES.map((exchange, number) => [exchange, number]))
const KIND_NUMBER = new Map<InstrumentKind, number>(INSTRUMENT_KINDS.map((kind, number) => [kind, number]))

/** Texts of a row that a search looks through. */
export interface SearchTexts {
  readonly symbol: string
  readonly name: string
  readonly sourceSymbol: string
  readonly token: string
}

/**
 * All instruments known at one moment, unchangeable. Rows are columns of numbers; an Instrument becomes an object when
 * it is first asked for and stays the same object from then on, so it may be the key of a map.
 */
export class InstrumentStore {
  readonly #pages: Page[] = []
  readonly #symbols: string[] = []
  readonly #tokens: string[] = []
  readonly #sourceSymbols: string[] = []
  readonly #texts = new StringTable()
  readonly #rowsBySymbol: readonly Map<string, number>[] = EXCHANGES.map(() => new Map())
  readonly #rowById = new Map<number, number>()
  readonly #objects: (Instrument | undefined)[]
  readonly #sortedSymbols = new Map<Exchange, readonly string[]>()
  #lastExpiryDate = ''
  #lastExpiryDay = NO_EXPIRY

  /** Refuses by assertion a second row of the same (symbol, exchange) or the same id: the source is corrupt then. */
  constructor(instruments: Iterable<Instrument>) {
    for (const instrument of instruments) this.#add(instrument)
    this.#texts.seal()
    this.#objects = new Array(this.size)
  }

  get size(): number {
    return this.#symbols.length
  }

  /** Exact and case-sensitive. */
  find(symbol: string, exchange: Exchange): Instrument | undefined {
    const row = this.#rowsOf(exchange).get(symbol)
    return row === undefined ? undefined : this.at(row)
  }

  byId(id: number): Instrument | undefined {
    const row = this.#rowById.get(id)
    return row === undefined ? undefined : this.at(row)
  }

  /** Instruments of that exchange in the order of the source. */
  *byExchange(exchange: Exchange): IterableIterator<Instrument> {
    for (const row of this.#rowsOf(exchange).values()) yield this.at(row)
  }

  countOf(exchange: Exchange): number {
    return this.#rowsOf(exchange).size
  }

  *[Symbol.iterator](): IterableIterator<Instrument> {
    for (let row = 0; row < this.size; row += 1) yield this.at(row)
  }

  /** The instrument of a row, 0 … size - 1. */
  at(row: number): Instrument {
    const known = this.#objects[row]
    if (known !== undefined) return known
    const made = this.#materialise(row)
    this.#objects[row] = made
    return made
  }

  /** At most `count` existing symbols of the exchange that look most like `symbol`, best first, for error messages. */
  nearest(symbol: string, exchange: Exchange, count: number): string[] {
    let sorted = this.#sortedSymbols.get(exchange)
    if (sorted === undefined) {
      sorted = [...this.#rowsOf(exchange).keys()].sort()
      this.#sortedSymbols.set(exchange, sorted)
    }
    return nearestNames(symbol.trim().toUpperCase(), sorted, count)
  }

  searchTexts(row: number): SearchTexts {
    const [page, slot] = this.#locate(row)
    return {
      symbol: this.#symbols[row] ?? '',
      name: this.#texts.at(page.names[slot] ?? 0),
      sourceSymbol: this.#sourceSymbols[row] ?? '',
      token: this.#tokens[row] ?? '',
    }
  }

  symbolAt(row: number): string {
    return this.#symbols[row] ?? ''
  }

  exchangeNumberAt(row: number): number {
    const [page, slot] = this.#locate(row)
    return page.exchanges[slot] ?? 0
  }

  strikeAt(row: number): Price {
    const [page, slot] = this.#locate(row)
    return (page.strikes[slot] ?? 0) as Price
  }

  #rowsOf(exchange: Exchange): Map<string, number> {
    const rows = this.#rowsBySymbol[EXCHANGE_NUMBER.get(exchange) ?? -1]
    assert(rows !== undefined, `${exchange} is not an exchange`)
    return rows
  }

  #locate(row: number): readonly [Page, number] {
    const page = this.#pages[Math.floor(row / PAGE_ROWS)]
    assert(page !== undefined && row >= 0 && row < this.size, `row ${row} is outside the store of ${this.size}`)
    return [page, row % PAGE_ROWS]
  }

  #add(instrument: Instrument): void {
    const row = this.#symbols.length
    const { symbol, exchange, id } = instrument
    assert(row < INSTRUMENTS_MAX, `more than ${INSTRUMENTS_MAX} instruments`)
    const rows = this.#rowsOf(exchange)
    assert(!rows.has(symbol), `${symbol} on ${exchange} is listed twice`)
    assert(Number.isSafeInteger(id) && !this.#rowById.has(id), `id ${id} of ${symbol} on ${exchange} is taken`)
    rows.set(symbol, row)
    this.#rowById.set(id, row)
    this.#symbols.push(symbol)
    this.#tokens.push(instrument.token)
    this.#sourceSymbols.push(instrument.sourceSymbol)

    const slot = row % PAGE_ROWS
    if (slot === 0) this.#pages.push(new Page())
    const page = this.#pages[this.#pages.length - 1]
    assert(page !== undefined, 'a page was just added')
    page.ids[slot] = id
    page.exchanges[slot] = EXCHANGE_NUMBER.get(exchange) ?? 0
    page.kinds[slot] = KIND_NUMBER.get(instrument.kind) ?? 0
    page.names[slot] = this.#texts.add(instrument.name)
    page.sourceExchanges[slot] = this.#texts.add(instrument.sourceExchange)
    page.expiryDays[slot] = this.#expiryDay(instrument.expiry)
    page.strikes[slot] = instrument.strike
    page.lotSizes[slot] = instrument.lotSize
    page.tickSizes[slot] = instrument.tickSize
    page.freezeQuantities[slot] = instrument.freezeQuantity
    page.multipliers[slot] = instrument.multiplier
  }

  /** Rows of one expiry follow each other, so its date is read once. */
  #expiryDay(expiry: string | undefined): number {
    if (expiry === undefined) return NO_EXPIRY
    if (expiry !== this.#lastExpiryDate) {
      this.#lastExpiryDate = expiry
      this.#lastExpiryDay = dayNumberOf(expiry)
    }
    return this.#lastExpiryDay
  }

  #materialise(row: number): Instrument {
    const [page, slot] = this.#locate(row)
    const expiryDay = page.expiryDays[slot] ?? NO_EXPIRY
    const exchange = EXCHANGES[page.exchanges[slot] ?? -1]
    const kind = INSTRUMENT_KINDS[page.kinds[slot] ?? -1]
    assert(exchange !== undefined && kind !== undefined, `row ${row} is damaged`)
    return Object.freeze({
      id: page.ids[slot] ?? 0,
      symbol: this.#symbols[row] ?? '',
      exchange,
      kind,
      name: this.#texts.at(page.names[slot] ?? 0),
      expiry: expiryDay === NO_EXPIRY ? undefined : dateOf(expiryDay),
      strike: (page.strikes[slot] ?? 0) as Price,
      lotSize: (page.lotSizes[slot] ?? 0) as Quantity,
      tickSize: (page.tickSizes[slot] ?? 0) as Price,
      freezeQuantity: (page.freezeQuantities[slot] ?? 0) as Quantity,
      multiplier: (page.multipliers[slot] ?? 0) as Multiplier,
      token: this.#tokens[row] ?? '',
      sourceSymbol: this.#sourceSymbols[row] ?? '',
      sourceExchange: this.#texts.at(page.sourceExchanges[slot] ?? 0),
    })
  }
}
