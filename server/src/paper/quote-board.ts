import { Refusal } from '../kernel/errors.ts'
import { priceOf, quantityOf, ZERO_PRICE, ZERO_QUANTITY } from '../kernel/fixed.ts'
import type { Instrument } from '../market/instrument.ts'
import type { Candle, Depth, Interval, MarketData, Quote } from '../market/market-data.ts'
import { instrumentKey } from './order.ts'

/** A price source for tests, fed by hand. It remembers what it was told when, and answers for the past. */
export class QuoteBoard implements MarketData {
  readonly intervals: readonly Interval[] = []
  readonly #now: () => number
  readonly #told = new Map<string, { from: number; ltp: string; size: string }[]>()

  constructor(now: () => number) {
    this.#now = now
  }

  /** From now, or from `from`, on this is the price; a bid below and an ask above it by 0.05, `size` each. */
  set(symbol: string, ltp: string | number, from: number = this.#now(), size: string | number = 1_000_000): void {
    const list = this.#told.get(symbol) ?? []
    list.push({ from, ltp: String(ltp), size: String(size) })
    list.sort((a, b) => a.from - b.from)
    this.#told.set(symbol, list)
  }

  async depth(instrument: Instrument, at: number = this.#now()): Promise<Depth> {
    const entry = this.#told.get(instrumentKey(instrument).split(':')[1] ?? '')?.findLast((told) => told.from <= at)
    if (entry === undefined) throw new Refusal('quote_unavailable', `no price of ${instrument.symbol}`)
    const ltp = priceOf(entry.ltp)
    const bid = priceOf((Number(entry.ltp) - 0.05).toFixed(2))
    const ask = priceOf((Number(entry.ltp) + 0.05).toFixed(2))
    const quantity = quantityOf(entry.size)
    return {
      at,
      ltp,
      bid,
      ask,
      open: ltp,
      high: ltp,
      low: ltp,
      prevClose: ZERO_PRICE,
      volume: ZERO_QUANTITY,
      openInterest: ZERO_QUANTITY,
      bids: [{ price: bid, quantity }],
      asks: [{ price: ask, quantity }],
      lastQuantity: ZERO_QUANTITY,
      totalBuyQuantity: quantity,
      totalSellQuantity: quantity,
    }
  }

  quotes(instruments: readonly Instrument[], at?: number): Promise<(Quote | Error)[]> {
    return Promise.all(instruments.map((instrument) => this.depth(instrument, at).catch((error: Error) => error)))
  }

  async candles(): Promise<Candle[]> {
    throw new Refusal('no_data', 'the quote board keeps no candles')
  }
}
