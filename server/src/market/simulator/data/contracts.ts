/** How the exchanges list contracts. Prices in the quote currency, ticks and strikes as decimal text's numbers. */

export interface IndexContractRules {
  readonly exchange: 'NFO' | 'BFO'
  readonly lot: number
  readonly freeze: number
  readonly strikeStep: number
  /** Strikes of weeklies and monthlies reach this share of the level to each side. */
  readonly reach: number
  readonly weeklies: number
  /** Quarters listed beyond the three monthlies, with strikes of double step. */
  readonly quarters: number
}

export const INDEX_CONTRACTS: Readonly<Record<string, IndexContractRules>> = {
  NIFTY: { exchange: 'NFO', lot: 65, freeze: 1800, strikeStep: 50, reach: 0.1, weeklies: 5, quarters: 4 },
  BANKNIFTY: { exchange: 'NFO', lot: 30, freeze: 600, strikeStep: 100, reach: 0.13, weeklies: 0, quarters: 3 },
  FINNIFTY: { exchange: 'NFO', lot: 60, freeze: 1200, strikeStep: 50, reach: 0.12, weeklies: 0, quarters: 0 },
  MIDCPNIFTY: { exchange: 'NFO', lot: 120, freeze: 2800, strikeStep: 25, reach: 0.12, weeklies: 0, quarters: 0 },
  NIFTYNXT50: { exchange: 'NFO', lot: 25, freeze: 600, strikeStep: 100, reach: 0.12, weeklies: 0, quarters: 0 },
  SENSEX: { exchange: 'BFO', lot: 20, freeze: 1000, strikeStep: 100, reach: 0.1, weeklies: 5, quarters: 2 },
  BANKEX: { exchange: 'BFO', lot: 30, freeze: 900, strikeStep: 100, reach: 0.12, weeklies: 0, quarters: 0 },
  SENSEX50: { exchange: 'BFO', lot: 75, freeze: 1875, strikeStep: 50, reach: 0.1, weeklies: 0, quarters: 0 },
}

export interface CommodityRules {
  readonly exchange: 'MCX' | 'NCO' | 'NCDEX'
  readonly root: string
  readonly price: number
  readonly dailyVolatility: number
  readonly lot: number
  readonly tick: number
  /** Day of the month on which the future expires; 31 means the last day. */
  readonly expiryDay: number
  /** Months (1 … 12) that have a contract; empty means all. */
  readonly months: readonly number[]
  /** Contracts listed at a time. */
  readonly contracts: number
  readonly options?: { readonly daysBefore: number; readonly strikeStep: number; readonly reach: number }
}

const EVEN = [2, 4, 6, 8, 10, 12]
const SILVER_MONTHS = [3, 5, 7, 9, 12]
const SILVER_MINI_MONTHS = [2, 4, 6, 8, 11]

type Row = readonly [
  root: string,
  price: number,
  volatilityPercent: number,
  lot: number,
  tick: number,
  expiryDay: number,
  months: readonly number[],
  contracts: number,
  options?: readonly [daysBefore: number, step: number, reach: number],
]

const rules = (exchange: CommodityRules['exchange'], rows: readonly Row[]): CommodityRules[] =>
  rows.map(([root, price, volatility, lot, tick, expiryDay, months, contracts, options]) => ({
    exchange,
    root,
    price,
    dailyVolatility: volatility / 100,
    lot,
    tick,
    expiryDay,
    months,
    contracts,
    ...(options === undefined
      ? {}
      : { options: { daysBefore: options[0], strikeStep: options[1], reach: options[2] } }),
  }))

export const COMMODITIES: readonly CommodityRules[] = [
  ...rules('MCX', [
    ['GOLD', 135000, 0.95, 100, 1, 5, EVEN, 3, [4, 500, 0.08]],
    ['GOLDM', 134500, 0.95, 10, 1, 5, [], 3, [4, 500, 0.08]],
    ['GOLDTEN', 134800, 0.95, 1, 1, 31, [], 3],
    ['GOLDGUINEA', 108000, 0.95, 1, 1, 31, [], 3],
    ['GOLDPETAL', 13500, 0.95, 1, 1, 31, [], 3],
    ['SILVER', 205000, 1.7, 30, 1, 5, SILVER_MONTHS, 3, [4, 1000, 0.12]],
    ['SILVERM', 206000, 1.7, 5, 1, 31, SILVER_MINI_MONTHS, 3, [4, 1000, 0.12]],
    ['SILVERMIC', 206000, 1.7, 1, 1, 31, SILVER_MINI_MONTHS, 3],
    ['SILVER100', 206500, 1.7, 1, 1, 31, [], 2],
    ['CRUDEOIL', 5250, 1.9, 100, 1, 19, [], 6, [2, 50, 0.3]],
    ['CRUDEOILM', 5250, 1.9, 10, 1, 19, [], 4, [2, 50, 0.3]],
    ['NATURALGAS', 372, 3.2, 1250, 0.1, 26, [], 4, [2, 5, 0.45]],
    ['NATGASMINI', 372, 3.2, 250, 0.1, 26, [], 4, [2, 5, 0.45]],
    ['COPPER', 1090, 1.1, 2500, 0.05, 31, [], 4, [8, 5, 0.12]],
    ['ZINC', 302, 1.1, 5000, 0.05, 31, [], 4, [8, 2.5, 0.15]],
    ['ZINCMINI', 302, 1.1, 1000, 0.05, 31, [], 3],
    ['ALUMINIUM', 282, 1.0, 5000, 0.05, 31, [], 4],
    ['ALUMINI', 282, 1.0, 1000, 0.05, 31, [], 3],
    ['LEAD', 182, 0.8, 5000, 0.05, 31, [], 4],
    ['LEADMINI', 182, 0.8, 1000, 0.05, 31, [], 3],
    ['NICKEL', 1320, 1.4, 250, 0.1, 31, [], 3],
    ['MENTHAOIL', 945, 1.3, 360, 0.1, 31, [], 3],
    ['COTTONCNDY', 25600, 0.8, 48, 10, 31, [], 3],
    ['CARDAMOM', 2650, 1.6, 100, 1, 15, [], 3],
    ['KAPAS', 1560, 0.9, 200, 0.5, 30, [2, 3, 4], 2],
  ]),
  ...rules('NCO', [
    ['ALUMINIUMFUTURES', 282, 1.0, 5000, 0.05, 31, [], 3],
    ['ALUMINIUMMINIFUTURES', 282, 1.0, 1000, 0.05, 31, [], 2],
    ['BRENTCRUDEOIL', 5600, 1.9, 100, 1, 28, [], 3],
    ['BRENTCRUDEOILMINI', 5600, 1.9, 10, 1, 28, [], 2],
    ['COPPER', 1090, 1.1, 2500, 0.05, 26, [], 3, [3, 5, 0.12]],
    ['CRUDEDEGUMSOYBEANOIL', 1180, 1.0, 1000, 0.1, 20, [], 2],
    ['ELECTRICITYFUTURES', 4350, 2.5, 50, 1, 31, [], 3],
    ['GOLD', 135000, 0.95, 100, 1, 5, EVEN, 2, [3, 500, 0.08]],
    ['GOLD10GM', 134800, 0.95, 1, 1, 31, [], 2],
    ['GOLD1GM', 13480, 0.95, 1, 1, 31, [], 2],
    ['GOLDGUINEA8GM', 107900, 0.95, 1, 1, 31, [], 2],
    ['GOLDMINI', 134600, 0.95, 10, 1, 5, [], 3],
    ['LEADFUTURES', 182, 0.8, 5000, 0.05, 31, [], 2],
    ['LEADMINIFUTURES', 182, 0.8, 1000, 0.05, 31, [], 2],
    ['NATURALGASHENRYHUB', 372, 3.2, 1250, 0.1, 26, [], 3],
    ['NATURALGASMINI', 372, 3.2, 250, 0.1, 26, [], 2],
    ['NICKELFUTURES', 1320, 1.4, 250, 0.1, 31, [], 2],
    ['PLATTSDATEDBRENTASSESS', 5650, 1.9, 100, 1, 31, [], 2],
    ['SILVER', 205000, 1.7, 30, 1, 5, SILVER_MONTHS, 2],
    ['SILVERMICRO', 206000, 1.7, 1, 1, 31, SILVER_MINI_MONTHS, 2],
    ['SILVERMINI', 206000, 1.7, 5, 1, 31, SILVER_MINI_MONTHS, 2],
    ['WTICRUDEOIL', 5250, 1.9, 100, 1, 18, [], 3, [2, 50, 0.25]],
    ['WTICRUDEOILMINI', 5250, 1.9, 10, 1, 18, [], 2],
    ['XAUGOLD', 134900, 0.95, 1, 1, 31, [], 2],
    ['ZINCFUTURES', 302, 1.1, 5000, 0.05, 31, [], 2],
    ['ZINCMINIFUTURES', 302, 1.1, 1000, 0.05, 31, [], 2],
  ]),
  ...rules('NCDEX', [
    ['GUARSEED10', 5150, 1.2, 50, 1, 20, [], 3],
    ['GUARGUM5', 9300, 1.4, 50, 1, 20, [], 3],
    ['JEERAUNJHA', 21000, 1.5, 30, 5, 20, [], 3],
    ['DHANIYA', 8900, 1.3, 50, 2, 20, [], 3],
    ['TMCFGRNZM', 14800, 1.6, 50, 2, 20, [], 3],
    ['CASTOR', 6600, 0.9, 50, 2, 20, [], 3],
    ['COCUDAKL', 3150, 1.1, 100, 1, 20, [], 3],
  ]),
]

/** The index with futures on the commodity exchange. */
export const COMMODITY_INDEX_FUTURE = { root: 'MCXBULLDEX', lot: 30, tick: 1, expiryDay: 26, contracts: 3 } as const

export interface CurrencyRules {
  readonly root: string
  readonly price: number
  readonly dailyVolatility: number
  readonly strikeStep: number
  readonly exchanges: readonly ('CDS' | 'BCD')[]
}

export const CURRENCIES: readonly CurrencyRules[] = [
  { root: 'USDINR', price: 89.6, dailyVolatility: 0.0022, strikeStep: 0.25, exchanges: ['CDS', 'BCD'] },
  { root: 'EURINR', price: 104.2, dailyVolatility: 0.0042, strikeStep: 0.25, exchanges: ['CDS', 'BCD'] },
  { root: 'GBPINR', price: 119.2, dailyVolatility: 0.0046, strikeStep: 0.25, exchanges: ['CDS', 'BCD'] },
  { root: 'JPYINR', price: 57.6, dailyVolatility: 0.005, strikeStep: 0.25, exchanges: ['CDS', 'BCD'] },
]

export const CURRENCY_CONTRACTS = {
  lot: 1000,
  tick: 0.0025,
  futures: 12,
  weeklies: 4,
  monthlies: 3,
  reach: 0.035,
} as const

export interface CoinRules {
  readonly root: string
  /** Dollars. */
  readonly price: number
  readonly dailyVolatility: number
  readonly tick: number
  readonly spotLot: string
  /** Coins per contract of the perpetual and of dated contracts. */
  readonly multiplier: string
  readonly strikeStep?: number
}

export const COINS: readonly CoinRules[] = [
  {
    root: 'BTC',
    price: 90500,
    dailyVolatility: 0.022,
    tick: 0.5,
    spotLot: '0.00001',
    multiplier: '0.001',
    strikeStep: 1000,
  },
  {
    root: 'ETH',
    price: 3020,
    dailyVolatility: 0.03,
    tick: 0.05,
    spotLot: '0.0001',
    multiplier: '0.01',
    strikeStep: 50,
  },
  { root: 'SOL', price: 138, dailyVolatility: 0.035, tick: 0.01, spotLot: '0.001', multiplier: '1' },
  { root: 'XRP', price: 2.18, dailyVolatility: 0.033, tick: 0.0001, spotLot: '0.1', multiplier: '1' },
  { root: 'BNB', price: 885, dailyVolatility: 0.024, tick: 0.1, spotLot: '0.001', multiplier: '0.1' },
  { root: 'DOGE', price: 0.149, dailyVolatility: 0.04, tick: 0.00001, spotLot: '1', multiplier: '100' },
  { root: 'ADA', price: 0.43, dailyVolatility: 0.038, tick: 0.0001, spotLot: '1', multiplier: '10' },
  { root: 'LTC', price: 84, dailyVolatility: 0.032, tick: 0.01, spotLot: '0.001', multiplier: '0.1' },
  { root: 'AVAX', price: 14.2, dailyVolatility: 0.042, tick: 0.001, spotLot: '0.01', multiplier: '1' },
  { root: 'LINK', price: 13.1, dailyVolatility: 0.04, tick: 0.001, spotLot: '0.01', multiplier: '1' },
]

/** Rupees per dollar at which the rupee pairs of coins stand to their dollar price. */
export const COIN_RUPEES_PER_DOLLAR = 91
