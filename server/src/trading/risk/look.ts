import type { BooksReport } from '../../brokers/venue.ts'
import { type Price, tradeValue } from '../../kernel/fixed.ts'
import type { Exchange, Instrument } from '../../market/instrument.ts'
import type { MarketData } from '../../market/market-data.ts'
import { lastPrices } from '../valuation.ts'
import { ByInstrument, type Named } from './by-instrument.ts'
import { RunningBook } from './running-book.ts'

/** An account, or a strategy of it: its totals, and today's loss in paise as of the last look. */
export interface Measured {
  readonly book: RunningBook
  loss: number
}

export const measured = (): Measured => ({ book: new RunningBook(), loss: 0 })

export interface Prices {
  readonly marketData: MarketData
  readonly find: (symbol: string, exchange: Exchange) => Instrument | undefined
}

/**
 * Values all that an account and its strategies have at prices of now, and finds out today's loss. What it costs grows
 * with the instruments, not with the orders.
 */
export async function look(
  books: BooksReport,
  account: Measured,
  strategies: ReadonlyMap<string, Measured>,
  { marketData, find }: Prices,
): Promise<void> {
  const { positions, holdings, strategyPositions } = books
  const found = new ByInstrument<Instrument>()
  for (const rows of [positions, holdings, strategyPositions])
    for (const { instrument } of rows) found.set(instrument, instrument)
  for (const named of account.book.instruments()) {
    const instrument = found.get(named) === undefined ? find(named.symbol, named.exchange) : undefined
    if (instrument !== undefined) found.set(named, instrument)
  }
  const wanted = Array.from(found, ([, instrument]) => ({ instrument }))
  const prices = new ByInstrument<Price | undefined>()
  for (const [index, price] of (await lastPrices(wanted, marketData)).entries()) {
    const one = wanted[index]
    if (one !== undefined) prices.set(one.instrument, price)
  }
  const priceOf = (named: Named): Price | undefined => prices.get(named)

  for (const { book } of [account, ...strategies.values()]) book.reprice(priceOf)
  account.loss = -books.funds.realisedToday
  for (const row of positions) account.loss -= openProfit(row, priceOf(row))
  for (const own of strategies.values()) own.loss = 0
  for (const { strategy, realisedToday } of books.strategies) lose(strategies.get(strategy), -realisedToday)
  for (const row of strategyPositions) lose(strategies.get(row.strategy), -openProfit(row, priceOf(row)))
}

function lose(own: Measured | undefined, amount: number): void {
  if (own !== undefined) own.loss += amount
}

/** In paise; 0 where there is no price. */
function openProfit(
  row: BooksReport['positions'][number] | BooksReport['strategyPositions'][number],
  price: Price | undefined,
): number {
  if (row.quantity === 0 || price === undefined || price === 0) return 0
  return tradeValue(price, row.quantity, row.multiplier, 'down') - row.cost
}
