import type { Instrument } from '../instrument.ts'
import { CASH_STOCKS } from './data/cash-stocks.ts'
import { COINS, COMMODITIES, CURRENCIES } from './data/contracts.ts'
import { FO_STOCKS } from './data/fo-stocks.ts'
import { INDICES } from './data/indices.ts'
import { INDEX_MEMBERS, SECTOR_OF } from './index-members.ts'
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
  /** Its sector, if it has one, and the correlation of daily changes with what moves the sector alone. */
  readonly sector: string | undefined
  readonly sectorCorrelation: number
  /** Change of its price when an event changes the family's market by 1. */
  readonly beta: number
  /** Annual cost of carry, as the exponent of futures prices. */
  readonly carry: number
  /** Usual value traded in a day, in the quote currency; 0 for indices. */
  readonly turnover: number
  /** Farthest that a day's price may be from the base price, as a share of it; 0 where no fixed band applies. */
  readonly band: number
  /** What a share pays in a year as a share of its price; 0 for none. */
  readonly dividendYield: number
  /** Shares that an index is the value of; undefined where its level is a price of its own. */
  readonly constituents: readonly Constituent[] | undefined
}

export interface Constituent {
  readonly stock: Underlying
  /** Count of shares in one index: the level is the sum of count × price. */
  readonly shares: number
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

/** What an underlying has unless it says otherwise. */
const PLAIN = {
  sector: undefined,
  sectorCorrelation: 0,
  beta: 1,
  band: 0,
  dividendYield: 0,
  constituents: undefined,
} as const

/** Deviation of a day's change of the market that all securities share. */
const MARKET_VOLATILITY = 0.0088
const SECTOR_CORRELATION = 0.45
const BANDS = [0.05, 0.1, 0.2] as const

/** A stock's traits that no table holds, drawn from its name: they are the same in every simulated market. */
function stockUnderlying(stock: Stock): Underlying {
  const hasContracts = stock.lot > 0
  const draw = (what: string) => unit(hashText(TRAITS_SEED, `${what}:${stock.symbol}`))
  const crores = hasContracts ? 60 * 25 ** draw('turnover') : 1.5 * 20 ** draw('turnover')
  const dailyVolatility = (hasContracts ? 0.013 : 0.016) + 0.011 * draw('volatility')
  const correlation = 0.3 + 0.45 * draw('correlation')
  const sector = SECTOR_OF.get(stock.symbol)
  return {
    ...PLAIN,
    key: `EQ:${stock.symbol}`,
    family: 'securities',
    price: stock.price,
    dailyVolatility,
    correlation,
    sector,
    sectorCorrelation: sector === undefined ? 0 : SECTOR_CORRELATION,
    beta: (correlation * dailyVolatility) / MARKET_VOLATILITY,
    carry: EQUITY_CARRY,
    turnover: crores * CRORE,
    // The exchanges set a fixed band for shares without contracts, wider for those that are traded more.
    band: hasContracts ? 0 : (BANDS[Math.min(2, Math.floor(3 * draw('turnover')))] ?? 0.2),
    dividendYield: hasContracts && draw('dividend') > 0.2 ? 0.003 + 0.015 * draw('yield') : 0,
  }
}

const STOCK_UNDERLYINGS: ReadonlyMap<string, Underlying> = new Map(
  STOCKS.map((stock) => [stock.symbol, stockUnderlying(stock)]),
)

function indexUnderlying([exchange, symbol = '', level, volatility, correlation]: string[]): Underlying {
  const base: Underlying = {
    ...PLAIN,
    key: `INDEX:${symbol}`,
    family: exchange === 'MCX_INDEX' ? 'commodity' : 'securities',
    price: Number(level),
    dailyVolatility: Number(volatility) / 100,
    correlation: Number(correlation),
    beta: (Number(correlation) * Number(volatility)) / 100 / MARKET_VOLATILITY,
    carry: 0.055,
    turnover: 0,
  }
  const members = INDEX_MEMBERS.get(symbol)
  if (members === undefined) return base
  return composed(
    base,
    members.map(({ symbol: member, share }) => {
      const stock = STOCK_UNDERLYINGS.get(member)
      if (stock === undefined) throw new Error(`${member} of ${symbol} is in no table of stocks`)
      return { stock, shares: (share * base.price) / stock.price }
    }),
  )
}

/** The index made of `constituents`: what moves it follows from what moves them. */
function composed(base: Underlying, constituents: readonly Constituent[]): Underlying {
  let market = 0
  let own = 0
  let beta = 0
  const sectors = new Map<string, number>()
  for (const { stock, shares } of constituents) {
    const share = (shares * stock.price) / base.price
    const { dailyVolatility, correlation, sector, sectorCorrelation } = stock
    market += share * dailyVolatility * correlation
    beta += share * stock.beta
    own += (share * dailyVolatility) ** 2 * (1 - correlation ** 2 - sectorCorrelation ** 2)
    if (sector === undefined) continue
    sectors.set(sector, (sectors.get(sector) ?? 0) + share * dailyVolatility * sectorCorrelation)
  }
  let variance = market ** 2 + own
  for (const part of sectors.values()) variance += part ** 2
  const dailyVolatility = Math.sqrt(variance)
  return { ...base, dailyVolatility, correlation: market / dailyVolatility, beta, constituents }
}

const UNDERLYINGS: readonly Underlying[] = [
  ...STOCK_UNDERLYINGS.values(),
  ...INDEX_ROWS.map(indexUnderlying),
  ...COMMODITIES.map(
    (row): Underlying => ({
      ...PLAIN,
      key: `${row.exchange}:${row.root}`,
      family: row.exchange === 'NCDEX' ? 'agri' : 'commodity',
      price: row.price,
      dailyVolatility: row.dailyVolatility,
      correlation: 0.5,
      beta: 0.6,
      carry: 0.06,
      turnover: 400 * CRORE,
    }),
  ),
  ...CURRENCIES.map(
    (row): Underlying => ({
      ...PLAIN,
      key: `CUR:${row.root}`,
      family: 'currency',
      price: row.price,
      dailyVolatility: row.dailyVolatility,
      correlation: 0.6,
      beta: 0.15,
      carry: 0.021,
      turnover: 3000 * CRORE,
    }),
  ),
  ...COINS.map(
    (row): Underlying => ({
      ...PLAIN,
      key: `COIN:${row.root}`,
      family: 'crypto',
      price: row.price,
      dailyVolatility: row.dailyVolatility,
      correlation: 0.75,
      beta: 1.5,
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
