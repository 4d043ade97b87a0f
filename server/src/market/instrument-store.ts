import { assert } from '../kernel/assert.ts'
import { dateOf, dayNumberOf, type ExchangeDate } from '../kernel/exchange-time.ts'
import type { Multiplier, Price, Quantity } from '../kernel/fixed.ts'
import { nearestNames } from '../kernel/nearest.ts'
import { EXCHANGES, type Exchange, INSTRUMENT_KINDS, type Instrument, type InstrumentKind } from './instrument.ts'
import {
  type BuiltColumns,
  ColumnsBuilder,
  exchangeNumber,
  type InstrumentColumns,
  idTableOf,
  NO_EXPIRY,
} from './instruments/columns.ts'
import type { IdTable } from './instruments/id-table.ts'
import type { SameRow } from './instruments/symbol-table.ts'
import { type OptionChain, OptionChainIndex, type OptionType } from './option-chain-index.ts'

/** Texts of a row that a search looks through. */
export interface SearchTexts {
  readonly symbol: string
  readonly name: string
  readonly sourceSymbol: string
  readonly token: string
}

/** Asserts that the source lists no (symbol, exchange) and no id twice. */
function build(instruments: Iterable<Instrument>): BuiltColumns {
  const builder = new ColumnsBuilder()
  for (const instrument of instruments) {
    const repeated = builder.add(instrument)
    if (repeated === undefined) continue
    const { symbol, exchange, id } = instrument
    if (repeated === 'symbol') assert(false, `${symbol} on ${exchange} is listed twice`)
    assert(false, `two instruments have the id ${id}`)
  }
  return builder.seal()
}

/**
 * All instruments known at one moment, unchangeable. Rows are columns of numbers and bytes; an Instrument becomes an
 * object when it is first asked for and stays the same object from then on, so it may be the key of a map.
 */
export class InstrumentStore {
  readonly columns: InstrumentColumns
  readonly #bySymbol: BuiltColumns['bySymbol']
  /** Made when first needed. */
  #byId: IdTable | undefined
  readonly #isSame: SameRow
  readonly #rowsByExchange: readonly Uint32Array[]
  readonly #shared: readonly string[]
  readonly #objects: (Instrument | undefined)[]
  readonly #futures = new Map<Exchange, Map<string, Instrument[]>>()
  readonly #optionChains = new Map<Exchange, OptionChainIndex>()
  readonly #sortedRows = new Map<Exchange, Uint32Array>()

  /** From rows, or from columns. Asserts that no (symbol, exchange) and no id is there twice: the source is corrupt then. */
  constructor(source: Iterable<Instrument> | BuiltColumns) {
    const { columns, bySymbol } = 'columns' in source ? source : build(source)
    const { exchanges, symbols, shared } = columns
    this.columns = columns
    this.#bySymbol = bySymbol
    this.#rowsByExchange = rowsByExchange(exchanges)
    this.#shared = Array.from({ length: shared.size }, (_, number) => shared.at(number))
    const objects: (Instrument | undefined)[] = new Array(columns.size)
    this.#objects = objects
    this.#isSame = (row, symbol, exchange) => {
      if (exchanges[row] !== exchange) return false
      const known = objects[row] // strings are compared faster than bytes
      return known === undefined ? symbols.is(row, symbol) : known.symbol === symbol
    }
  }

  get size(): number {
    return this.columns.size
  }

  /** Exact and case-sensitive. */
  find(symbol: string, exchange: Exchange): Instrument | undefined {
    const row = this.rowOf(symbol, exchange)
    return row < 0 ? undefined : this.at(row)
  }

  /** The row of that symbol, or -1. */
  rowOf(symbol: string, exchange: Exchange): number {
    return this.#bySymbol.rowOf(symbol, exchangeNumber(exchange), this.#isSame)
  }

  byId(id: number): Instrument | undefined {
    this.#byId ??= idTableOf(this.columns)
    const row = this.#byId.rowOf(id, this.columns.ids)
    return row < 0 ? undefined : this.at(row)
  }

  /** Instruments of that exchange in the order of the source. */
  *byExchange(exchange: Exchange): IterableIterator<Instrument> {
    for (const row of this.rowsOf(exchange)) yield this.at(row)
  }

  countOf(exchange: Exchange): number {
    return this.rowsOf(exchange).length
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

  /** Rows of that exchange in the order of the source. */
  rowsOf(exchange: Exchange): Uint32Array {
    return this.#rowsByExchange[exchangeNumber(exchange)] ?? NO_ROWS
  }

  /** Futures of that underlying's root on that exchange, ascending by expiry. */
  futures(name: string, exchange: Exchange): readonly Instrument[] {
    let byName = this.#futures.get(exchange)
    if (byName === undefined) {
      byName = new Map()
      for (const row of this.rowsOf(exchange)) {
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
    const sorted = this.#sortedRowsOf(exchange)
    const symbols = { length: sorted.length, at: (place: number) => this.symbolAt(sorted[place] ?? 0) }
    return nearestNames(symbol.trim().toUpperCase(), symbols, count)
  }

  searchTexts(row: number): SearchTexts {
    return {
      symbol: this.symbolAt(row),
      name: this.nameAt(row),
      sourceSymbol: this.columns.sourceSymbols.at(row),
      token: this.columns.tokens.at(row),
    }
  }

  symbolAt(row: number): string {
    return this.columns.symbols.at(row)
  }

  /** Place of the row's exchange in EXCHANGES. */
  exchangeNumberAt(row: number): number {
    return this.columns.exchanges[row] ?? -1
  }

  kindAt(row: number): InstrumentKind | undefined {
    return INSTRUMENT_KINDS[this.columns.kinds[row] ?? -1]
  }

  strikeAt(row: number): Price {
    return (this.columns.strikes[row] ?? 0) as Price
  }

  nameAt(row: number): string {
    return this.sharedText(this.columns.names[row] ?? 0)
  }

  /** One of the texts that many rows have in common: the columns hold its number. */
  sharedText(number: number): string {
    const text = this.#shared[number]
    if (text === undefined) assert(false, `text ${number} is not one of ${this.#shared.length}`)
    return text
  }

  /** Days since 1970-01-01, or NO_EXPIRY. */
  expiryDayAt(row: number): number {
    return this.columns.expiryDays[row] ?? NO_EXPIRY
  }

  optionTypeAt(row: number): OptionType | undefined {
    const kind = this.kindAt(row)
    return kind === 'CE' || kind === 'PE' ? kind : undefined
  }

  #chainsOf(exchange: Exchange): OptionChainIndex {
    let chains = this.#optionChains.get(exchange)
    if (chains === undefined) {
      chains = new OptionChainIndex(this.rowsOf(exchange), this)
      this.#optionChains.set(exchange, chains)
    }
    return chains
  }

  /** Rows of that exchange in the order of their symbols. */
  #sortedRowsOf(exchange: Exchange): Uint32Array {
    let sorted = this.#sortedRows.get(exchange)
    if (sorted === undefined) {
      const symbols = Array.from(this.rowsOf(exchange), (row) => ({ row, symbol: this.symbolAt(row) }))
      symbols.sort((a, b) => (a.symbol < b.symbol ? -1 : 1))
      sorted = Uint32Array.from(symbols, ({ row }) => row)
      this.#sortedRows.set(exchange, sorted)
    }
    return sorted
  }

  #materialise(row: number): Instrument {
    const { columns } = this
    if (row < 0 || row >= columns.size) assert(false, `row ${row} is outside the store of ${columns.size}`)
    const expiryDay = this.expiryDayAt(row)
    const exchange = EXCHANGES[this.exchangeNumberAt(row)]
    const kind = this.kindAt(row)
    if (exchange === undefined || kind === undefined) assert(false, `row ${row} is damaged`)
    return Object.freeze({
      id: columns.ids[row] ?? 0,
      symbol: this.symbolAt(row),
      exchange,
      kind,
      name: this.nameAt(row),
      expiry: expiryDay === NO_EXPIRY ? undefined : dateOf(expiryDay),
      strike: this.strikeAt(row),
      lotSize: (columns.lotSizes[row] ?? 0) as Quantity,
      tickSize: (columns.tickSizes[row] ?? 0) as Price,
      freezeQuantity: (columns.freezeQuantities[row] ?? 0) as Quantity,
      multiplier: (columns.multipliers[row] ?? 0) as Multiplier,
      token: columns.tokens.at(row),
      sourceSymbol: columns.sourceSymbols.at(row),
      sourceExchange: this.sharedText(columns.sourceExchanges[row] ?? 0),
    })
  }
}

const NO_ROWS = new Uint32Array(0)

function rowsByExchange(exchanges: Uint8Array): readonly Uint32Array[] {
  const counts = new Uint32Array(EXCHANGES.length)
  for (const exchange of exchanges) counts[exchange] = (counts[exchange] ?? 0) + 1
  const rows = Array.from(counts, (count) => new Uint32Array(count))
  const ends = new Uint32Array(EXCHANGES.length)
  for (let row = 0; row < exchanges.length; row += 1) {
    const exchange = exchanges[row] ?? 0
    const end = ends[exchange] ?? 0
    const list = rows[exchange]
    if (list !== undefined) list[end] = row
    ends[exchange] = end + 1
  }
  return rows
}
