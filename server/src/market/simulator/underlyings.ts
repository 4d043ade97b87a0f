import type { Instrument } from '../instrument.ts'
import { CASH_STOCKS } from './data/cash-stocks.ts'
import { COINS, COMMODITIES, CURRENCIES } from './data/contracts.ts'
import { FO_STOCKS } from './data/fo-stocks.ts'
import { INDICES } from './data/indices.ts'
import { hashText, unit } from './noise.ts'

/** Things that trade at the same hours, and so share a session of the simulated price. */
export type Family = 'securities' | 'currency' | 'commodity' | 'agri' | 'crypto'

/** What a simulated price belongs to: a stock, an index, a commodity, a currency pair or a coin. */
export interface Underlying {
  readonly key: string
  readonly family: Family
  /** Price on the anchor day, in the quote currency. */
  readonly price: number
  /** Deviation of a day's change of the price's logarithm. */
  readonly dailyVolatility: number
  /** Correlation of daily changes with the family's market, -1 … 1. */
  readonly correlation: number
  /** Annual cost of carry, as the exponent of futures prices. */
  readonly carry: number
  /** Usual value traded in a day, in the quote currency; 0 for indices. */
  readonly turnover: number
}

export interface Stock {
  readonly symbol: string
  readonly company: string
  readonly price: number
  /** Of its contracts; 0 when it has none. */
  readonly lot: number
  readonly freeze: number
}

export interface Index {
  readonly symbol: string
  readonly exchange: 'NSE_INDEX' | 'BSE_INDEX' | 'MCX_INDEX' | 'GLOBAL_INDEX'
  readonly level: number
}

const rowsOf = (table: string): string[][] =>
  table
    .trim()
    .split('\n')
    .map((line) => line.split('|'))

export const STOCKS: readonly Stock[] = [...rowsOf(FO_STOCKS), ...rowsOf(CASH_STOCKS)].map(
  ([symbol = '', company = '', price, lot = '0', freeze = '0']) => ({
    symbol,
    company,
    price: Number(price),
    lot: Number(lot),
    freeze: Number(freeze),
  }),
)

const INDEX_ROWS = rowsOf(INDICES)

export const INDEX_LIST: readonly Index[] = INDEX_ROWS.map(([exchange, symbol = '', level]) => ({
  symbol,
  exchange: exchange as Index['exchange'],
  level: Number(level),
}))

const CRORE = 10_000_000
const EQUITY_CARRY = 0.062
const TRAITS_SEED = 0x7ea1

/** A stock's traits that no table holds, drawn from its name: they are the same in every simulated market. */
function stockUnderlying(stock: Stock): Underlying {
  const hasContracts = stock.lot > 0
  const draw = (what: string) => unit(hashText(TRAITS_SEED, `${what}:${stock.symbol}`))
  const crores = hasContracts ? 60 * 25 ** draw('turnover') : 1.5 * 20 ** draw('turnover')
  return {
    key: `EQ:${stock.symbol}`,
    family: 'securities',
    price: stock.price,
    dailyVolatility: (hasContracts ? 0.013 : 0.016) + 0.011 * draw('volatility'),
    correlation: 0.3 + 0.45 * draw('correlation'),
    carry: EQUITY_CARRY,
    turnover: crores * CRORE,
  }
}

function indexUnderlying([exchange, symbol = '', level, volatility, correlation]: string[]): Underlying {
  return {
    key: `INDEX:${symbol}`,
    family: exchange === 'MCX_INDEX' ? 'commodity' : 'securities',
    price: Number(level),
    dailyVolatility: Number(volatility) / 100,
    correlation: Number(correlation),
    carry: 0.055,
    turnover: 0,
  }
}

const UNDERLYINGS: readonly Underlying[] = [
  ...STOCKS.map(stockUnderlying),
  ...INDEX_ROWS.map(indexUnderlying),
  ...COMMODITIES.map(
    (row): Underlying => ({
      key: `${row.exchange}:${row.root}`,
      family: row.exchange === 'NCDEX' ? 'agri' : 'commodity',
      price: row.price,
      dailyVolatility: row.dailyVolatility,
      correlation: 0.5,
      carry: 0.06,
      turnover: 400 * CRORE,
    }),
  ),
  ...CURRENCIES.map(
    (row): Underlying => ({
      key: `CUR:${row.root}`,
      family: 'currency',
      price: row.price,
      dailyVolatility: row.dailyVolatility,
      correlation: 0.6,
      carry: 0.021,
      turnover: 3000 * CRORE,
    }),
  ),
  ...COINS.map(
    (row): Underlying => ({
      key: `COIN:${row.root}`,
      family: 'crypto',
      price: row.price,
      dailyVolatility: row.dailyVolatility,
      correlation: 0.75,
      carry: 0.07,
      turnover: row.price > 1000 ? 2e9 : 2e8,
    }),
  ),
]

const BY_KEY: ReadonlyMap<string, Underlying> = new Map(UNDERLYINGS.map((entry) => [entry.key, entry]))

export function underlyingByKey(key: string): Underlying | undefined {
  return BY_KEY.get(key)
}

/** Whose price the instrument's price follows; undefined for an instrument that the simulation doesn't know. */
export function simulatedUnderlying(instrument: Instrument): Underlying | undefined {
  switch (instrument.exchange) {
    case 'NSE':
    case 'BSE':
      return BY_KEY.get(`EQ:${instrument.symbol}`)
    case 'NSE_INDEX':
    case 'BSE_INDEX':
    case 'MCX_INDEX':
    case 'GLOBAL_INDEX':
      return BY_KEY.get(`INDEX:${instrument.symbol}`)
    case 'NFO':
    case 'BFO':
      return BY_KEY.get(`INDEX:${instrument.name}`) ?? BY_KEY.get(`EQ:${instrument.name}`)
    case 'MCX':
      return BY_KEY.get(`MCX:${instrument.name}`) ?? BY_KEY.get(`INDEX:${instrument.name}`)
    case 'NCO':
    case 'NCDEX':
      return BY_KEY.get(`${instrument.exchange}:${instrument.name}`)
    case 'CDS':
    case 'BCD':
      return BY_KEY.get(`CUR:${instrument.name}`)
    case 'CRYPTO':
      return BY_KEY.get(`COIN:${instrument.name}`)
  }
}
