import type { Action } from '../brokers/venue.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Instrument } from '../market/instrument.ts'
import type { Depth, MarketData, MarketDataSource } from '../market/market-data.ts'
import type { Book } from './command.ts'

/** Prices of a source; one that computes in this process is asked without a promise. */
export type PricesNow = MarketData & Pick<MarketDataSource, 'depthNow'>

/** Oldest data that an order may trade on. */
export const QUOTE_AGE_MAX_MS = 10_000

/** Made once: many orders see the same depth, and a depth never changes. */
const books = new WeakMap<Depth, Book>()
const sides = new WeakMap<Book, Readonly<Record<Action, Book>>>()

export function bookOf(depth: Depth): Book {
  let book = books.get(depth)
  if (book === undefined) {
    book = {
      at: depth.at,
      ltp: depth.ltp,
      bids: depth.bids.map((level) => [level.price, level.quantity] as const),
      asks: depth.asks.map((level) => [level.price, level.quantity] as const),
    }
    books.set(depth, book)
  }
  return book
}

/** The side that an order trades against: all that its command needs to carry. */
export function opposingSide(book: Book, action: Action): Book {
  let both = sides.get(book)
  if (both === undefined) {
    both = { BUY: { ...book, bids: [] }, SELL: { ...book, asks: [] } }
    sides.set(book, both)
  }
  return both[action]
}

/** The book now, or undefined when the source has none that is fresh; at once from a source that computes it at once. */
export function freshBook(
  marketData: PricesNow,
  instrument: Instrument,
  now: number,
): Book | undefined | Promise<Book | undefined> {
  if (marketData.depthNow === undefined) return bookLater(marketData, instrument, now)
  try {
    return freshOf(marketData.depthNow(instrument), now)
  } catch (error) {
    if (isUnknown(error)) return undefined
    throw error
  }
}

const bookLater = async (marketData: MarketData, instrument: Instrument, now: number): Promise<Book | undefined> =>
  freshOf(await knownDepth(marketData.depth(instrument)), now)

const freshOf = (depth: Depth | undefined, now: number): Book | undefined =>
  depth === undefined || depth.ltp <= 0 || now - depth.at > QUOTE_AGE_MAX_MS ? undefined : bookOf(depth)

/** The book as it stood at a past instant; undefined when the source doesn't know it. */
export async function pastBook(marketData: MarketData, instrument: Instrument, at: number): Promise<Book | undefined> {
  const depth = await knownDepth(marketData.depth(instrument, at))
  return depth === undefined || depth.ltp <= 0 ? undefined : bookOf(depth)
}

async function knownDepth(pending: Promise<Depth>): Promise<Depth | undefined> {
  try {
    return await pending
  } catch (error) {
    if (isUnknown(error)) return undefined
    throw error
  }
}

const isUnknown = (error: unknown): boolean => error instanceof Refusal && error.code === 'quote_unavailable'
