import { assert } from '../kernel/assert.ts'
import { dateOf, dayNumberOf, type ExchangeDate } from '../kernel/exchange-time.ts'
import type { Multiplier, Price, Quantity } from '../kernel/fixed.ts'
import { nearestNames } from '../kernel/nearest.ts'
import { EXCHANGES, type Exchange, INSTRUMENT_KINDS, type Instrument, type InstrumentKind } from './instrument.ts'
import { type OptionChain, OptionChainIndex, type OptionType } from './option-chain-index.ts'
import { SymbolTable } from './symbol-table.ts'

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
    if (text === undefined) assert(false, `string ${number} is not in the table`)
    return text
  }

  seal(): void {
    this.#numbers.clear()
  }
}

/** Index of `value` in ascending numbers, or where it would stand. */
function place(sorted: Float64Array, value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? 0) < value) low = middle + 1
    else high = middle
  }
  return low
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
function numberOf(exchange: Exchange): number {
  const number = EXCHANGE_NUMBER.get(exchange)
  if (number === undefined) assert(false, `${exchange} is not an exchange`)
  return number
}

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
  readonly #table = new SymbolTable(this.#symbols, (row) => this.exchangeNumberAt(row))
  readonly #rowsByExchange: readonly number[][] = EXCHANGES.map(() => [])
  readonly #sortedIds: Float64Array
  readonly #rowsBySortedId: Uint32Array
  readonly #objects: (Instrument | undefined)[]
  readonly #futures = new Map<Exchange, Map<string, Instrument[]>>()
  readonly #optionChains = new Map<Exchange, OptionChainIndex>()
  readonly #sortedSymbols = new Map<Exchange, readonly string[]>()
  #lastExpiryDate = ''
  #lastExpiryDay = NO_EXPIRY

  /** Refuses by assertion a second row of the same (symbol, exchange) or the same id: the source is corrupt then. */
  constructor(instruments: Iterable<Instrument>) {
    for (const instrument of instruments) this.#add(instrument)
    this.#texts.seal()
    this.#objects = new Array(this.size)
    this.#sortedIds = this.#sortIds()
    this.#rowsBySortedId = this.#sortRows()
  }

  get size(): number {
    return this.#symbols.length
  }

  /** Exact and case-sensitive. */
  find(symbol: string, exchange: Exchange): Instrument | undefined {
    const row = this.#table.rowOf(symbol, numberOf(exchange))
    return row < 0 ? undefined : this.at(row)
  }

  byId(id: number): Instrument | undefined {
    const position = place(this.#sortedIds, id)
    const row = this.#sortedIds[position] === id ? this.#rowsBySortedId[position] : undefined
    return row === undefined ? undefined : this.at(row)
  }

  /** Instruments of that exchange in the order of the source. */
  *byExchange(exchange: Exchange): IterableIterator<Instrument> {
    for (const row of this.#rowsOf(exchange)) yield this.at(row)
  }

  countOf(exchange: Exchange): number {
    return this.#rowsOf(exchange).length
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

  /** Futures of that underlying's root on that exchange, ascending by expiry. */
  futures(name: string, exchange: Exchange): readonly Instrument[] {
    let byName = this.#futures.get(exchange)
    if (byName === undefined) {
      byName = new Map()
      for (const row of this.#rowsOf(exchange)) {
        if (this.kindAt(row) !== 'FUT') continue
        const future = this.at(row)
        const list = byName.get(future.name)
        if (list === undefined) byName.set(future.name, [future])
        else list.push(future)
      }
      for (const list of byName.values()) list.sort((a, b) => ((a.expiry ?? '') < (b.expiry ?? '') ? -1 : 1))
      this.#futures.set(exchange, byName)
    }
    return byName.get(name) ?? []
  }

  /** Days on which options of that underlying's root expire on that exchange, ascending. */
  optionExpiries(name: string, exchange: Exchange): readonly ExchangeDate[] {
    return this.#chainsOf(exchange).expiries(name)
  }

  /** The options of that underlying's root that expire on that day; undefined when none are listed. */
  optionChain(name: string, exchange: Exchange, expiry: ExchangeDate): OptionChain | undefined {
    return this.#chainsOf(exchange).chain(name, dayNumberOf(expiry))
  }

  /** At most `count` roots with options on that exchange that look most like `name`, best first, for error messages. */
  nearestOptionRoots(name: string, exchange: Exchange, count: number): string[] {
    return nearestNames(name, [...this.#chainsOf(exchange).names()].sort(), count)
  }

  /** At most `count` existing symbols of the exchange that look most like `symbol`, best first, for error messages. */
  nearest(symbol: string, exchange: Exchange, count: number): string[] {
    let sorted = this.#sortedSymbols.get(exchange)
    if (sorted === undefined) {
      sorted = this.#rowsOf(exchange)
        .map((row) => this.symbolAt(row))
        .sort()
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

  /** Place of the row's exchange in EXCHANGES. */
  exchangeNumberAt(row: number): number {
    return this.#pages[Math.floor(row / PAGE_ROWS)]?.exchanges[row % PAGE_ROWS] ?? -1
  }

  kindAt(row: number): InstrumentKind | undefined {
    return INSTRUMENT_KINDS[this.#pages[Math.floor(row / PAGE_ROWS)]?.kinds[row % PAGE_ROWS] ?? -1]
  }

  strikeAt(row: number): Price {
    const [page, slot] = this.#locate(row)
    return (page.strikes[slot] ?? 0) as Price
  }

  nameAt(row: number): string {
    const [page, slot] = this.#locate(row)
    return this.#texts.at(page.names[slot] ?? 0)
  }

  expiryDayAt(row: number): number {
    const [page, slot] = this.#locate(row)
    return page.expiryDays[slot] ?? NO_EXPIRY
  }

  optionTypeAt(row: number): OptionType | undefined {
    const kind = this.kindAt(row)
    return kind === 'CE' || kind === 'PE' ? kind : undefined
  }

  #chainsOf(exchange: Exchange): OptionChainIndex {
    let chains = this.#optionChains.get(exchange)
    if (chains === undefined) {
      chains = new OptionChainIndex(this.#rowsOf(exchange), this)
      this.#optionChains.set(exchange, chains)
    }
    return chains
  }

  #rowsOf(exchange: Exchange): readonly number[] {
    return this.#rowsByExchange[numberOf(exchange)] ?? []
  }

  #locate(row: number): readonly [Page, number] {
    const page = this.#pages[Math.floor(row / PAGE_ROWS)]
    if (page === undefined || row < 0 || row >= this.size)
      assert(false, `row ${row} is outside the store of ${this.size}`)
    return [page, row % PAGE_ROWS]
  }

  #add(instrument: Instrument): void {
    const row = this.#symbols.length
    const { symbol, exchange, id } = instrument
    // Messages are built for failures alone: this runs for every row of a start.
    if (row >= INSTRUMENTS_MAX) assert(false, `more than ${INSTRUMENTS_MAX} instruments`)
    if (!Number.isSafeInteger(id)) assert(false, `id ${id} of ${symbol} on ${exchange} is no exact integer`)
    this.#symbols.push(symbol)
    this.#tokens.push(instrument.token)
    this.#sourceSymbols.push(instrument.sourceSymbol)

    const slot = row % PAGE_ROWS
    if (slot === 0) this.#pages.push(new Page())
    const page = this.#pages[this.#pages.length - 1]
    assert(page !== undefined, 'a page was just added')
    page.ids[slot] = id
    const exchangeNumber = numberOf(exchange)
    page.exchanges[slot] = exchangeNumber
    this.#rowsByExchange[exchangeNumber]?.push(row)
    if (!this.#table.add(row)) assert(false, `${symbol} on ${exchange} is listed twice`)
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

  #idAt(row: number): number {
    return this.#pages[Math.floor(row / PAGE_ROWS)]?.ids[row % PAGE_ROWS] ?? -1
  }

  #sortIds(): Float64Array {
    const sorted = new Float64Array(this.size)
    for (let row = 0; row < this.size; row += 1) sorted[row] = this.#idAt(row)
    sorted.sort()
    for (let i = 1; i < sorted.length; i += 1) {
      if (sorted[i] === sorted[i - 1]) assert(false, `two instruments have the id ${sorted[i]}`)
    }
    return sorted
  }

  #sortRows(): Uint32Array {
    const rows = new Uint32Array(this.size)
    for (let row = 0; row < this.size; row += 1) rows[place(this.#sortedIds, this.#idAt(row))] = row
    return rows
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
    if (exchange === undefined || kind === undefined) assert(false, `row ${row} is damaged`)
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
