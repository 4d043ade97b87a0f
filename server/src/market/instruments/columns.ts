import { assert } from '../../kernel/assert.ts'
import { dayNumberOf } from '../../kernel/exchange-time.ts'
import { EXCHANGES, type Exchange, INSTRUMENT_KINDS, type Instrument, type InstrumentKind } from '../instrument.ts'
import { IdTable } from './id-table.ts'
import { type SameRow, SymbolTable } from './symbol-table.ts'
import { type Texts, TextsBuilder } from './texts.ts'

/** Most instruments of one snapshot. */
export const INSTRUMENTS_MAX = 1_000_000

/** Expiry day of what doesn't expire. */
export const NO_EXPIRY = -2_147_483_648

/** Numbers of all rows, one array for each fact. Units are those of Instrument. */
export interface NumberColumns {
  readonly ids: Float64Array
  readonly strikes: Float64Array
  readonly lotSizes: Float64Array
  readonly tickSizes: Float64Array
  readonly freezeQuantities: Float64Array
  readonly multipliers: Float64Array
  /** Days since 1970-01-01, or NO_EXPIRY. */
  readonly expiryDays: Int32Array
  /** Places in `shared`. */
  readonly names: Uint32Array
  readonly sourceExchanges: Uint32Array
  /** Places in EXCHANGES. */
  readonly exchanges: Uint8Array
  /** Places in INSTRUMENT_KINDS. */
  readonly kinds: Uint8Array
}

/** All instruments of one snapshot as columns. Unchangeable. */
export interface InstrumentColumns extends NumberColumns {
  readonly size: number
  readonly symbols: Texts
  readonly tokens: Texts
  readonly sourceSymbols: Texts
  /** Texts that many rows have in common, each once. */
  readonly shared: Texts
}

const EXCHANGE_NUMBER = new Map<Exchange, number>(EXCHANGES.map((exchange, number) => [exchange, number]))
/** Place of the exchange in EXCHANGES. */
export function exchangeNumber(exchange: Exchange): number {
  const number = EXCHANGE_NUMBER.get(exchange)
  if (number === undefined) assert(false, `${exchange} is not an exchange`)
  return number
}

const KIND_NUMBER = new Map<InstrumentKind, number>(INSTRUMENT_KINDS.map((kind, number) => [kind, number]))

/** Symbols are looked up by their bytes. */
function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) > 0x7f) return false
  return true
}

/** Rows that a builder has room for at first, unless it is told. */
const ROWS_AT_FIRST = 1 << 10

function emptyColumns(rows: number): NumberColumns {
  return {
    ids: new Float64Array(rows),
    strikes: new Float64Array(rows),
    lotSizes: new Float64Array(rows),
    tickSizes: new Float64Array(rows),
    freezeQuantities: new Float64Array(rows),
    multipliers: new Float64Array(rows),
    expiryDays: new Int32Array(rows),
    names: new Uint32Array(rows),
    sourceExchanges: new Uint32Array(rows),
    exchanges: new Uint8Array(rows),
    kinds: new Uint8Array(rows),
  }
}

/** The same numbers in arrays of `capacity`; those beyond are 0. */
function grown(columns: NumberColumns, capacity: number): NumberColumns {
  const copy = emptyColumns(capacity)
  for (const name of Object.keys(copy) as (keyof NumberColumns)[]) copy[name].set(columns[name])
  return copy
}

/** The first rows: memory that was never written to takes none. */
function first(columns: NumberColumns, size: number): NumberColumns {
  return {
    ids: columns.ids.subarray(0, size),
    strikes: columns.strikes.subarray(0, size),
    lotSizes: columns.lotSizes.subarray(0, size),
    tickSizes: columns.tickSizes.subarray(0, size),
    freezeQuantities: columns.freezeQuantities.subarray(0, size),
    multipliers: columns.multipliers.subarray(0, size),
    expiryDays: columns.expiryDays.subarray(0, size),
    names: columns.names.subarray(0, size),
    sourceExchanges: columns.sourceExchanges.subarray(0, size),
    exchanges: columns.exchanges.subarray(0, size),
    kinds: columns.kinds.subarray(0, size),
  }
}

/** Why a row was left out: another has its (symbol, exchange), or its id. */
export type Repeated = 'symbol' | 'id'

/** What was built, with the table that found no symbol twice. */
export interface BuiltColumns {
  readonly columns: InstrumentColumns
  readonly bySymbol: SymbolTable
}

/** Columns that are still being filled. */
export class ColumnsBuilder {
  #columns: NumberColumns
  #capacity: number
  #size = 0
  readonly #symbols: TextsBuilder
  readonly #tokens: TextsBuilder
  readonly #sourceSymbols: TextsBuilder
  readonly #shared = new TextsBuilder(ROWS_AT_FIRST)
  readonly #sharedNumbers = new Map<string, number>()
  readonly #bySymbol: SymbolTable
  readonly #byId: IdTable
  readonly #isSame: SameRow = (row, symbol, exchange) =>
    this.#columns.exchanges[row] === exchange && this.#symbols.is(row, symbol)
  #lastExpiry = ''
  #lastExpiryDay = NO_EXPIRY

  /** `rows` is about how many will be added: growing copies all that is there. */
  constructor(rows: number = ROWS_AT_FIRST) {
    this.#capacity = Math.max(rows, 1)
    this.#columns = emptyColumns(this.#capacity)
    this.#symbols = new TextsBuilder(this.#capacity)
    this.#tokens = new TextsBuilder(this.#capacity)
    this.#sourceSymbols = new TextsBuilder(this.#capacity)
    this.#bySymbol = new SymbolTable(rows)
    this.#byId = new IdTable(rows)
  }

  get size(): number {
    return this.#size
  }

  /** Adds a row, unless one like it is there. Asserts what no instrument can have. */
  add(instrument: Instrument): Repeated | undefined {
    const { symbol, exchange, id } = instrument
    const row = this.#size
    // Messages are built for failures alone: this runs for every row of a start.
    if (row >= INSTRUMENTS_MAX) assert(false, `more than ${INSTRUMENTS_MAX} instruments`)
    if (!Number.isSafeInteger(id)) assert(false, `id ${id} of ${symbol} on ${exchange} is no exact integer`)
    if (!isAscii(symbol)) assert(false, `${symbol} on ${exchange} has letters that no symbol has`)
    const number = exchangeNumber(exchange)
    if (!this.#bySymbol.add(row, symbol, number, this.#isSame)) return 'symbol'
    if (!this.#byId.add(row, id, this.#columns.ids)) {
      this.#bySymbol.removeLast(row)
      return 'id'
    }
    if (row === this.#capacity) this.#grow()
    const columns = this.#columns
    this.#symbols.add(symbol)
    this.#tokens.add(instrument.token)
    this.#sourceSymbols.add(instrument.sourceSymbol)
    columns.ids[row] = id
    columns.exchanges[row] = number
    columns.kinds[row] = KIND_NUMBER.get(instrument.kind) ?? 0
    columns.names[row] = this.#share(instrument.name)
    columns.sourceExchanges[row] = this.#share(instrument.sourceExchange)
    columns.expiryDays[row] = this.#expiryDay(instrument.expiry)
    columns.strikes[row] = instrument.strike
    columns.lotSizes[row] = instrument.lotSize
    columns.tickSizes[row] = instrument.tickSize
    columns.freezeQuantities[row] = instrument.freezeQuantity
    columns.multipliers[row] = instrument.multiplier
    this.#size += 1
    return undefined
  }

  seal(): BuiltColumns {
    const columns = {
      ...first(this.#columns, this.#size),
      size: this.#size,
      symbols: this.#symbols.seal(),
      tokens: this.#tokens.seal(),
      sourceSymbols: this.#sourceSymbols.seal(),
      shared: this.#shared.seal(),
    }
    return { columns, bySymbol: this.#bySymbol }
  }

  #grow(): void {
    this.#capacity *= 2
    this.#columns = grown(this.#columns, this.#capacity)
  }

  #share(text: string): number {
    const known = this.#sharedNumbers.get(text)
    if (known !== undefined) return known
    const number = this.#shared.size
    this.#shared.add(text)
    this.#sharedNumbers.set(text, number)
    return number
  }

  /** Rows of one expiry follow each other, so its date is read once. */
  #expiryDay(expiry: string | undefined): number {
    if (expiry === undefined) return NO_EXPIRY
    if (expiry !== this.#lastExpiry) {
      this.#lastExpiry = expiry
      this.#lastExpiryDay = dayNumberOf(expiry)
    }
    return this.#lastExpiryDay
  }
}

/** Finds rows of columns that were built before, such as those of a file, by symbol: none is there twice. */
export function symbolTableOf({ symbols, exchanges, size }: InstrumentColumns): SymbolTable {
  const table = new SymbolTable(size)
  for (let row = 0; row < size; row += 1)
    table.put(row, exchanges[row] ?? 0, symbols.bytes, symbols.startOf(row), symbols.endOf(row))
  return table
}

/** The same by permanent id. */
export function idTableOf({ ids, size }: InstrumentColumns): IdTable {
  const table = new IdTable(size)
  for (let row = 0; row < size; row += 1) {
    if (!table.add(row, ids[row] ?? 0, ids)) assert(false, `two instruments have the id ${ids[row]}`)
  }
  return table
}
