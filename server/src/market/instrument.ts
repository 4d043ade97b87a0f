import type { ExchangeDate } from '../kernel/exchange-time.ts'
import type { Multiplier, Price, Quantity } from '../kernel/fixed.ts'

/** Exchange codes in the order in which messages list them. */
export const EXCHANGES = [
  'NSE',
  'NFO',
  'CDS',
  'BSE',
  'BFO',
  'BCD',
  'MCX',
  'NCDEX',
  'NCO',
  'NSE_INDEX',
  'BSE_INDEX',
  'MCX_INDEX',
  'GLOBAL_INDEX',
  'CRYPTO',
] as const
export type Exchange = (typeof EXCHANGES)[number]

export const INDEX_EXCHANGES: ReadonlySet<Exchange> = new Set(['NSE_INDEX', 'BSE_INDEX', 'MCX_INDEX', 'GLOBAL_INDEX'])
/** Exchanges whose contracts carry MIS and NRML, never CNC. */
export const DERIVATIVE_EXCHANGES: ReadonlySet<Exchange> = new Set([
  'NFO',
  'BFO',
  'CDS',
  'BCD',
  'MCX',
  'NCDEX',
  'NCO',
  'CRYPTO',
])

export const INSTRUMENT_KINDS = ['EQ', 'INDEX', 'FUT', 'CE', 'PE', 'PERPFUT', 'SPOT'] as const
export type InstrumentKind = (typeof INSTRUMENT_KINDS)[number]

export interface Instrument {
  /** Permanent number of the instrument, unique over all exchanges. */
  readonly id: number
  readonly symbol: string
  readonly exchange: Exchange
  readonly kind: InstrumentKind
  /** Company or index name; for derivatives the underlying's root, as in the symbol. */
  readonly name: string
  /** Last trading day of a contract; undefined for what doesn't expire. */
  readonly expiry: ExchangeDate | undefined
  /** 0 unless an option. */
  readonly strike: Price
  /** Smallest order and step of quantity. 1 for equity. */
  readonly lotSize: Quantity
  readonly tickSize: Price
  /** Largest quantity of one order; 0 when the exchange sets none. */
  readonly freezeQuantity: Quantity
  readonly multiplier: Multiplier
  /** The data source's own names of it. */
  readonly token: string
  readonly sourceSymbol: string
  readonly sourceExchange: string
}

export const isOption = (instrument: Pick<Instrument, 'kind'>): boolean =>
  instrument.kind === 'CE' || instrument.kind === 'PE'
