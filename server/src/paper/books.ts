import type { Action } from '../brokers/venue.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Instrument } from '../market/instrument.ts'
import type { Depth, MarketData } from '../market/market-data.ts'
import type { Book } from './command.ts'

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

/** The book now, or undefined when the source has none that is fresh. */
export async function freshBook(
  marketData: MarketData,
  instrument: Instrument,
  now: number,
): Promise<Book | undefined> {
  const depth = await knownDepth(marketData.depth(instrument))
  return depth === undefined || depth.ltp <= 0 || now - depth.at > QUOTE_AGE_MAX_MS ? undefined : bookOf(depth)
}

/** The book as it stood at a past instant; undefined when the source doesn't know it. */
export async function pastBook(marketData: MarketData, instrument: Instrument, at: number): Promise<Book | undefined> {
  const depth = await knownDepth(marketData.depth(instrument, at))
  return depth === undefined || depth.ltp <= 0 ? undefined : bookOf(depth)
}

async function knownDepth(pending: Promise<Depth>): Promise<Depth | undefined> {
  try {
    return await pending
  } catch (error) {
    if (error instanceof Refusal && error.code === 'quote_unavailable') return undefined
    throw error
  }
}
