import Type, { type Static } from 'typebox'
import { dateOf } from '../../kernel/exchange-time.ts'
import { type Price, type Quantity, toNumber } from '../../kernel/fixed.ts'
import { EXCHANGES, INSTRUMENT_KINDS, type Instrument } from '../../market/instrument.ts'
import type { InstrumentStore } from '../../market/instrument-store.ts'
import { NO_EXPIRY } from '../../market/instruments/columns.ts'
import { expiryLabel } from '../../market/symbol.ts'
import { csvLine } from '../../monitor/csv.ts'

/** A row of `instruments`, whose keys are those of a data frame's columns. */
export const ListedRow = Type.Object({
  brexchange: Type.String({ description: "The data source's own name of the exchange." }),
  brsymbol: Type.String({ description: "The data source's own name of the instrument." }),
  exchange: Type.String(),
  expiry: Type.String({ description: '`DD-MMM-YY`; empty for what does not expire.' }),
  instrumenttype: Type.String(),
  lotsize: Type.Number(),
  name: Type.String({ description: "Name of a company or index; of a contract, its underlying's root." }),
  strike: Type.Number({ description: '0 unless an option.' }),
  symbol: Type.String(),
  tick_size: Type.Number({ description: 'In the currency of the price.' }),
  token: Type.String(),
})

/** A row of `search`. */
export const FoundRow = Type.Object({
  ...ListedRow.properties,
  freeze_qty: Type.Number({ description: 'Largest quantity of one order; 1 when the exchange sets none.' }),
})

export function foundRow(instrument: Instrument): Static<typeof FoundRow> {
  const { expiry, freezeQuantity } = instrument
  return {
    brexchange: instrument.sourceExchange,
    brsymbol: instrument.sourceSymbol,
    exchange: instrument.exchange,
    expiry: expiry === undefined ? '' : expiryLabel(expiry),
    freeze_qty: freezeQuantity === 0 ? 1 : toNumber.quantity(freezeQuantity),
    instrumenttype: instrument.kind,
    lotsize: toNumber.quantity(instrument.lotSize),
    name: instrument.name,
    strike: toNumber.price(instrument.strike),
    symbol: instrument.symbol,
    tick_size: toNumber.price(instrument.tickSize),
    token: instrument.token,
  }
}

export const CSV_HEADING = csvLine([
  'symbol',
  'brsymbol',
  'name',
  'exchange',
  'brexchange',
  'token',
  'expiry',
  'strike',
  'lotsize',
  'instrumenttype',
  'tick_size',
])

/**
 * Rows of a store as text, straight from its columns: made into objects, all instruments would take several times the
 * memory of the store.
 */
export class RowText {
  readonly #store: InstrumentStore
  readonly #quoted: string[] = []
  #expiryDay = NO_EXPIRY
  #expiry = ''

  constructor(store: InstrumentStore) {
    this.#store = store
  }

  /** The row as a ListedRow in JSON, keys in alphabetical order. */
  json(row: number): string {
    const { columns } = this.#store
    return (
      `{"brexchange":${this.#shared(columns.sourceExchanges[row] ?? 0)}` +
      `,"brsymbol":${JSON.stringify(columns.sourceSymbols.at(row))}` +
      `,"exchange":"${this.#exchange(row)}"` +
      `,"expiry":"${this.#expiryOf(row)}"` +
      `,"instrumenttype":"${this.#kind(row)}"` +
      `,"lotsize":${toNumber.quantity((columns.lotSizes[row] ?? 0) as Quantity)}` +
      `,"name":${this.#shared(columns.names[row] ?? 0)}` +
      `,"strike":${toNumber.price((columns.strikes[row] ?? 0) as Price)}` +
      `,"symbol":${JSON.stringify(columns.symbols.at(row))}` +
      `,"tick_size":${toNumber.price((columns.tickSizes[row] ?? 0) as Price)}` +
      `,"token":${JSON.stringify(columns.tokens.at(row))}}`
    )
  }

  /** The row as a line under CSV_HEADING. */
  csv(row: number): string {
    const { columns } = this.#store
    return csvLine([
      columns.symbols.at(row),
      columns.sourceSymbols.at(row),
      this.#store.nameAt(row),
      this.#exchange(row),
      this.#store.sharedText(columns.sourceExchanges[row] ?? 0),
      columns.tokens.at(row),
      this.#expiryOf(row),
      toNumber.price((columns.strikes[row] ?? 0) as Price),
      toNumber.quantity((columns.lotSizes[row] ?? 0) as Quantity),
      this.#kind(row),
      toNumber.price((columns.tickSizes[row] ?? 0) as Price),
    ])
  }

  #exchange = (row: number): string => EXCHANGES[this.#store.exchangeNumberAt(row)] ?? ''

  #kind = (row: number): string => INSTRUMENT_KINDS[this.#store.columns.kinds[row] ?? -1] ?? ''

  /** Rows of one expiry follow each other. */
  #expiryOf(row: number): string {
    const day = this.#store.expiryDayAt(row)
    if (day === NO_EXPIRY) return ''
    if (day !== this.#expiryDay) {
      this.#expiryDay = day
      this.#expiry = expiryLabel(dateOf(day))
    }
    return this.#expiry
  }

  #shared(number: number): string {
    const known = this.#quoted[number]
    if (known !== undefined) return known
    const made = JSON.stringify(this.#store.sharedText(number))
    this.#quoted[number] = made
    return made
  }
}
