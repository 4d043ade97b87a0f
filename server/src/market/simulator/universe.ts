import { dayNumberOf, type ExchangeDate } from '../../kernel/exchange-time.ts'
import type { Instrument } from '../instrument.ts'
import {
  COINS,
  COMMODITIES,
  COMMODITY_INDEX_FUTURE,
  CURRENCIES,
  CURRENCY_CONTRACTS,
  INDEX_CONTRACTS,
} from './data/contracts.ts'
import {
  coinListings,
  commodityExpiriesFrom,
  commodityOptionExpiry,
  currencyMonthlies,
  currencyWeeklies,
  type Listing,
  monthlyListings,
  quarterlyListings,
  weeklyListings,
} from './expiries.ts'
import { cash, contract, futureOf, type Terms } from './instrument-row.ts'
import { Levels } from './levels.ts'
import type { Scenario } from './scenario.ts'
import { mergeStrikes, stockStrikeStep, strikesAround } from './strikes.ts'
import { INDEX_LIST, STOCKS, underlyingByKey } from './underlyings.ts'

export interface UniverseOptions {
  /** Exchange date for which contracts are listed. Those that expire on it are listed still. */
  readonly date: ExchangeDate
  /** Seed of the simulated market: strikes are listed around its prices. */
  readonly seed: number
  /** Scenario of the simulated market; `ordinary` unless said. */
  readonly scenario?: Scenario
}

/** Strikes of stock options reach this share of the price to each side, and at least this many steps. */
const STOCK_REACH = 0.18
const STOCK_STEPS_MIN = 10
const COIN_REACH = 0.2
const QUARTER_REACH = 0.2

/**
 * The instruments of the simulated exchanges on a date. The same instrument has the same id, symbol and terms on every
 * date, and a strike once listed stays until its contract expires.
 */
export function* createUniverse(options: UniverseOptions): Generator<Instrument> {
  const day = dayNumberOf(options.date)
  const { seed, scenario = 'ordinary' } = options
  // Strikes are those of indices, shares with contracts, commodities, currencies and coins: none has a price band.
  const levels = new Levels({ seed, scenario, trades: () => true })
  yield* stocks()
  yield* indices()
  yield* indexContracts(levels, day)
  yield* stockContracts(levels, day)
  yield* commodities(levels, day)
  yield* currencies(levels, day)
  yield* coins(levels, day)
}

/** Tick of a share by the exchange's price bands. */
export function equityTick(price: number): number {
  if (price < 250) return 0.01
  if (price <= 1000) return 0.05
  if (price <= 5000) return 0.1
  if (price <= 10_000) return 0.5
  return price <= 20_000 ? 1 : 5
}

function* stocks(): Generator<Instrument> {
  for (const exchange of ['NSE', 'BSE'] as const) {
    for (const stock of STOCKS) {
      yield cash(stock.symbol, exchange, 'EQ', stock.company.toUpperCase(), { lot: 1, tick: equityTick(stock.price) })
    }
  }
}

function* indices(): Generator<Instrument> {
  for (const index of INDEX_LIST) {
    yield cash(index.symbol, index.exchange, 'INDEX', index.symbol, { lot: 1, tick: index.level < 1000 ? 0.01 : 0.05 })
  }
}

/** Levels of each day since the contract was listed, so that strikes only ever get more. */
function levelsSince(levels: Levels, key: string, listedOn: number, day: number): number[] {
  const underlying = underlyingByKey(key)
  if (underlying === undefined) throw new Error(`${key} is in no table`)
  const result: number[] = []
  for (let d = Math.min(listedOn, day) - 1; d <= day; d += 1) result.push(levels.closeOn(underlying, d))
  return result
}

interface StrikeRules {
  readonly step: number
  readonly reach: number
  readonly stepsMin: number
}

/** Strikes of each expiry, from all the rules under which it is listed. */
function chains(
  levels: Levels,
  key: string,
  day: number,
  rules: readonly (readonly [Listing[], StrikeRules])[],
): Map<number, number[]> {
  const byExpiry = new Map<number, number[]>()
  for (const [listings, { step, reach, stepsMin }] of rules) {
    for (const { expiryDay, listedOn } of listings) {
      const strikes = strikesAround(levelsSince(levels, key, listedOn, day), step, reach, stepsMin)
      byExpiry.set(expiryDay, mergeStrikes(byExpiry.get(expiryDay), strikes))
    }
  }
  return new Map([...byExpiry].sort((a, b) => a[0] - b[0]))
}

function* options(root: string, terms: Terms, byExpiry: Map<number, number[]>): Generator<Instrument> {
  for (const [expiryDay, strikes] of byExpiry) {
    const make = contract(root, expiryDay, terms)
    for (const strike of strikes) {
      yield make(strike, 'CE')
      yield make(strike, 'PE')
    }
  }
}

function* indexContracts(levels: Levels, day: number): Generator<Instrument> {
  for (const [root, rules] of Object.entries(INDEX_CONTRACTS)) {
    const { exchange, lot, freeze, strikeStep, reach } = rules
    const series = { exchange, root }
    const monthlies = monthlyListings(series, day)
    for (const { expiryDay } of monthlies) yield futureOf(root, expiryDay, { exchange, lot, freeze, tick: 0.1 })
    const near = { step: strikeStep, reach, stepsMin: 10 }
    const byExpiry = chains(levels, `INDEX:${root}`, day, [
      [weeklyListings(series, day, rules.weeklies), near],
      [monthlies, near],
      [quarterlyListings(series, day, rules.quarters), { step: strikeStep * 2, reach: QUARTER_REACH, stepsMin: 10 }],
    ])
    yield* options(root, { exchange, lot, freeze, tick: 0.05 }, byExpiry)
  }
}

function* stockContracts(levels: Levels, day: number): Generator<Instrument> {
  const monthlies = monthlyListings({ exchange: 'NFO', root: '' }, day)
  for (const { symbol, price, lot, freeze } of STOCKS) {
    if (lot === 0) continue
    const terms = { exchange: 'NFO', lot, freeze, tick: 0.05 } as const
    for (const { expiryDay } of monthlies) yield futureOf(symbol, expiryDay, { ...terms, tick: equityTick(price) })
    const rules = { step: stockStrikeStep(price), reach: STOCK_REACH, stepsMin: STOCK_STEPS_MIN }
    yield* options(symbol, terms, chains(levels, `EQ:${symbol}`, day, [[monthlies, rules]]))
  }
}

function* commodities(levels: Levels, day: number): Generator<Instrument> {
  for (const rules of COMMODITIES) {
    const { exchange, root, lot, tick } = rules
    const terms = { exchange, lot, freeze: 0, tick } as const
    const futures = commodityExpiriesFrom(rules, day, rules.contracts)
    for (const expiryDay of futures) yield futureOf(root, expiryDay, terms)
    const { options: optionRules } = rules
    if (optionRules === undefined) continue
    const listings = futures
      .map((future) => commodityOptionExpiry(exchange, future, optionRules.daysBefore))
      .filter((expiryDay) => expiryDay >= day)
      .map((expiryDay) => ({ expiryDay, listedOn: expiryDay - OPTION_LISTING_DAYS }))
    const strikes = { step: optionRules.strikeStep, reach: optionRules.reach, stepsMin: 10 }
    const byExpiry = chains(levels, `${exchange}:${root}`, day, [[listings, strikes]])
    yield* options(root, { ...terms, tick: Math.min(tick, 0.5) }, byExpiry)
  }
  const { root, lot, tick, expiryDay, contracts } = COMMODITY_INDEX_FUTURE
  for (const expiry of commodityExpiriesFrom({ exchange: 'MCX', expiryDay, months: [] }, day, contracts)) {
    yield futureOf(root, expiry, { exchange: 'MCX', lot, freeze: 0, tick })
  }
}

/** Days for which options on commodity futures are listed at most. */
const OPTION_LISTING_DAYS = 200

function* currencies(levels: Levels, day: number): Generator<Instrument> {
  const { lot, tick, futures, weeklies, monthlies, reach } = CURRENCY_CONTRACTS
  for (const { root, strikeStep, exchanges } of CURRENCIES) {
    for (const exchange of exchanges) {
      const terms = { exchange, lot, freeze: 0, tick } as const
      for (const { expiryDay } of currencyMonthlies(day, futures)) yield futureOf(root, expiryDay, terms)
      if (exchange !== 'CDS') continue
      const strikes = { step: strikeStep, reach, stepsMin: 8 }
      const rules: [Listing[], StrikeRules][] = [[currencyMonthlies(day, monthlies), strikes]]
      if (root === 'USDINR') rules.push([currencyWeeklies(day, weeklies), strikes])
      yield* options(root, terms, chains(levels, `CUR:${root}`, day, rules))
    }
  }
}

function* coins(levels: Levels, day: number): Generator<Instrument> {
  for (const { root, tick, spotLot, multiplier, strikeStep } of COINS) {
    yield cash(`${root}INR`, 'CRYPTO', 'SPOT', root, { lot: spotLot, tick: Math.max(tick, 0.0001) })
    yield cash(`${root}USDT`, 'CRYPTO', 'SPOT', root, { lot: spotLot, tick })
    yield cash(`${root}USDFUT`, 'CRYPTO', 'PERPFUT', root, { lot: 1, tick, multiplier })
    if (strikeStep === undefined) continue
    const terms = { exchange: 'CRYPTO', lot: 1, freeze: 0, tick, multiplier } as const
    const listings = coinListings(day)
    for (const { expiryDay } of listings) yield futureOf(root, expiryDay, terms)
    const rules = { step: strikeStep, reach: COIN_REACH, stepsMin: 10 }
    yield* options(root, terms, chains(levels, `COIN:${root}`, day, [[listings, rules]]))
  }
}
