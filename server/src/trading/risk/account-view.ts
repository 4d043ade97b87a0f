import type { BooksReport, OrderReport, TradeReport, Venue } from '../../brokers/venue.ts'
import type { VenueEvent } from '../../brokers/venue-event.ts'
import type { Clock } from '../../kernel/clock.ts'
import { dayNumberAt } from '../../kernel/exchange-time.ts'
import { MULTIPLIER_ONE, type Multiplier, type Price, tradeValue, ZERO_PRICE } from '../../kernel/fixed.ts'
import type { Exchange, Instrument } from '../../market/instrument.ts'
import type { MarketData } from '../../market/market-data.ts'
import { CLOSE_STRATEGY } from '../plans/closing.ts'
import { lastPrices } from '../valuation.ts'
import { DENIAL_PREFIX } from './check.ts'
import { type EntryOf, instrumentKeyOf, RunningBook } from './running-book.ts'

/** Prices that positions are valued at, and the day's loss, may be so old. */
export const LOOK_AGE_MS_MAX = 500
/** Closings, whose trades belong to the strategies that held what they closed: whose, the books know. */
const SHARED_OUT: ReadonlySet<string> = new Set([CLOSE_STRATEGY, 'EXPIRY_SETTLEMENT'])
/** Orders that ended of which that is remembered: an answer about one comes soon after. */
const ENDED_MAX = 10_000

export interface AccountViewOptions {
  readonly venue: () => Venue
  readonly marketData: MarketData
  readonly find: (symbol: string, exchange: Exchange) => Instrument | undefined
  /** Whether anything is limited by what that strategy has. */
  readonly watches: (strategy: string) => boolean
  readonly clock: Clock
}

/** An order that works, or is on its way to do so: what it may still buy or sell. */
export interface Working {
  readonly of: EntryOf
  readonly action: OrderReport['action']
  readonly strategy: string
  readonly price: Price
  quantity: number
}

/** An account, or a strategy of it: its totals, and today's loss in paise as of the last look. */
export interface Measured {
  readonly book: RunningBook
  loss: number
}

/**
 * What limits are measured on in one account. It is read once from the venue and kept from there on with what the venue
 * tells and with what is on its way, so that judging an order asks for no book.
 */
export class AccountView {
  readonly #options: AccountViewOptions
  #account: Measured = measured()
  #strategies = new Map<string, Measured>()
  #orders = new Map<string, Working>()
  readonly #onTheirWay = new Set<Working>()
  readonly #changes = new Set<Working>()
  /** Of orders whose venue has answered and hasn't told of them yet. */
  readonly #awaited = new Map<string, Working>()
  readonly #ended = new Set<string>()
  /** Orders and trades that the books had when they were read: what is told of them until all of it was told is old. */
  #read: Set<string> | undefined
  #isReady = false
  #reading: Promise<void> | undefined
  #readingAgain = false
  #told: VenueEvent[] | undefined
  #lookedAt = Number.NEGATIVE_INFINITY
  #looking: Promise<void> | undefined
  #day: number

  constructor(options: AccountViewOptions) {
    this.#options = options
    this.#day = dayNumberAt(options.clock.now())
  }

  get isReady(): boolean {
    return this.#isReady
  }

  /** Whether prices and losses are new enough. */
  get isFresh(): boolean {
    return this.#options.clock.elapsedMs() - this.#lookedAt <= LOOK_AGE_MS_MAX
  }

  get account(): Measured {
    this.#newDay()
    return this.#account
  }

  strategy(name: string): Measured {
    this.#newDay()
    let found = this.#strategies.get(name)
    if (found === undefined) {
      found = measured()
      this.#strategies.set(name, found)
    }
    return found
  }

  /** It has to be read again before it is believed. */
  doubt(): void {
    this.#isReady = false
    this.#readingAgain = this.#reading !== undefined
  }

  /** Reads the account unless it is known. Throws what the venue throws. */
  async prepare(): Promise<void> {
    while (!this.#isReady) {
      this.#reading ??= this.#readBooks().finally(() => {
        this.#reading = undefined
      })
      await this.#reading
    }
  }

  async #readBooks(): Promise<void> {
    this.#readingAgain = false
    this.#told = []
    try {
      const venue = this.#options.venue()
      const [books, orders, trades] = await Promise.all([venue.books(), venue.orders(), venue.trades()])
      this.#begin(books, orders, trades)
      const told = this.#told
      this.#told = undefined
      this.#isReady = !this.#readingAgain
      for (const event of told) this.#apply(event)
      const read = this.#read
      await venue.funds() // what was decided before is told by then
      if (this.#read === read) this.#read = undefined
    } finally {
      this.#told = undefined
    }
  }

  #begin(books: BooksReport, orders: readonly OrderReport[], trades: readonly TradeReport[]): void {
    this.#account = measured()
    this.#strategies = new Map()
    this.#orders = new Map()
    this.#read = new Set(trades.map(({ id }) => id))
    this.#lookedAt = Number.NEGATIVE_INFINITY
    const { book } = this.#account
    for (const row of books.positions) book.setPosition(row, row.quantity, row.averagePrice)
    for (const row of books.holdings) {
      const { exchange, symbol, instrument, quantity, averagePrice } = row
      book.setHeld({ exchange, symbol, product: 'CNC', multiplier: instrument.multiplier }, quantity, averagePrice)
    }
    for (const row of books.strategyPositions) {
      if (this.#options.watches(row.strategy))
        this.strategy(row.strategy).book.setPosition(row, row.quantity, row.averagePrice)
    }
    for (const order of orders) {
      this.#read.add(order.id)
      this.#countToday(order)
      if (isWorking(order)) this.#add(order.id, this.#workingOf(order))
      else this.#rememberEnd(order.id)
      const awaited = this.#awaited.get(order.id)
      if (awaited === undefined) continue
      this.#awaited.delete(order.id)
      this.#onTheirWay.delete(awaited)
    }
    for (const working of this.#onTheirWay) {
      this.#work(working, working.quantity, 1)
      this.#count(working.strategy, 1)
    }
    for (const working of this.#changes) this.#work(working, working.quantity, 0)
  }

  /** What the venue tells of the account, in order. */
  told(events: readonly VenueEvent[]): void {
    if (this.#told !== undefined) this.#told.push(...events)
    else if (this.#isReady) for (const event of events) this.#apply(event)
  }

  #apply(event: VenueEvent): void {
    switch (event.type) {
      case 'order':
        this.#applyOrder(event.order)
        break
      case 'trade':
        this.#applyTrade(event.trade)
        break
      case 'position':
        this.#account.book.setPosition(event.position, event.position.quantity, event.position.averagePrice)
        break
      case 'holding': {
        const { exchange, symbol, quantity, averagePrice } = event.holding
        const of = {
          exchange,
          symbol,
          product: 'CNC' as const,
          multiplier: this.#multiplierOf(symbol, exchange),
        }
        this.#account.book.setHeld(of, quantity, averagePrice)
        break
      }
      case 'session':
      case 'reset':
        this.doubt()
        break
      case 'funds':
      case 'gtt':
    }
  }

  #applyOrder(order: OrderReport): void {
    const known = this.#orders.get(order.id)
    if (known === undefined) {
      if (this.#ended.has(order.id)) return
      const awaited = this.#awaited.get(order.id)
      if (awaited !== undefined) this.#arrived(order.id, awaited)
      if (this.#read?.has(order.id) !== true) this.#countToday(order)
      if (isWorking(order)) this.#add(order.id, this.#workingOf(order))
      else this.#rememberEnd(order.id)
      return
    }
    const open = isWorking(order) ? order.quantity - order.filledQuantity : 0
    this.#work(known, open - known.quantity, isWorking(order) ? 0 : -1)
    known.quantity = open
    if (isWorking(order)) return
    this.#orders.delete(order.id)
    this.#rememberEnd(order.id)
  }

  #applyTrade(trade: TradeReport): void {
    if (this.#read?.has(trade.id) === true) return
    if (SHARED_OUT.has(trade.strategy) && this.#strategies.size > 0) this.doubt()
    if (!this.#options.watches(trade.strategy)) return
    const { exchange, symbol, product, action, quantity, price } = trade
    const of = { exchange, symbol, product, multiplier: this.#multiplierOf(symbol, exchange) }
    this.strategy(trade.strategy).book.addToPosition(of, action === 'BUY' ? quantity : -quantity, price)
  }

  /** Counts an order that is on its way, as if it worked already. */
  begin(
    order: Pick<OrderReport, 'action' | 'product' | 'quantity' | 'price' | 'triggerPrice' | 'strategy'>,
    instrument: Instrument,
  ): Working {
    const { exchange, symbol, multiplier } = instrument
    const { action, product, strategy, quantity } = order
    const price = order.price > 0 ? order.price : order.triggerPrice
    const working: Working = { of: { exchange, symbol, product, multiplier }, action, strategy, price, quantity }
    this.#newDay()
    this.#onTheirWay.add(working)
    this.#work(working, quantity, 1)
    this.#count(strategy, 1)
    return working
  }

  /** Counts what a change would add to an order until it is settled. */
  beginChange(order: OrderReport, added: number): Working {
    const working = { ...this.#workingOf(order), quantity: added }
    this.#changes.add(working)
    this.#work(working, added, 0)
    return working
  }

  settleChange(working: Working): void {
    if (this.#changes.delete(working)) this.#work(working, -working.quantity, 0)
  }

  /** Its venue has answered, or it won't be sent. */
  settle(working: Working, orderId: string | undefined): void {
    if (!this.#onTheirWay.has(working)) return
    if (orderId === undefined || this.#orders.has(orderId) || this.#ended.has(orderId)) this.#arrived(orderId, working)
    else this.#awaited.set(orderId, working)
  }

  #arrived(orderId: string | undefined, working: Working): void {
    if (orderId !== undefined) this.#awaited.delete(orderId)
    this.#onTheirWay.delete(working)
    this.#work(working, -working.quantity, -1)
    this.#count(working.strategy, -1)
  }

  #workingOf(order: OrderReport): Working {
    const { exchange, symbol, product, action, strategy } = order
    const multiplier = this.#multiplierOf(symbol, exchange)
    const price = order.price > 0 ? order.price : order.triggerPrice
    const quantity = order.quantity - order.filledQuantity
    return { of: { exchange, symbol, product, multiplier }, action, strategy, price, quantity }
  }

  #multiplierOf(symbol: string, exchange: Exchange): Multiplier {
    return this.#options.find(symbol, exchange)?.multiplier ?? MULTIPLIER_ONE
  }

  #add(id: string, working: Working): void {
    this.#orders.set(id, working)
    this.#work(working, working.quantity, 1)
  }

  #work({ of, action, strategy, price }: Working, quantity: number, orders: 1 | 0 | -1): void {
    this.#account.book.work(of, action, quantity, orders, price)
    if (this.#options.watches(strategy)) this.strategy(strategy).book.work(of, action, quantity, orders, price)
  }

  /** One that a limit denied was never sent. */
  #countToday(order: OrderReport): void {
    if (dayNumberAt(order.placedAt) !== this.#day || order.reason.startsWith(DENIAL_PREFIX)) return
    this.#count(order.strategy, 1)
  }

  #count(strategy: string, orders: 1 | -1): void {
    const { book } = this.#account
    book.ordersToday = Math.max(0, book.ordersToday + orders)
    if (!this.#options.watches(strategy)) return
    const own = this.strategy(strategy).book
    own.ordersToday = Math.max(0, own.ordersToday + orders)
  }

  #newDay(): void {
    const day = dayNumberAt(this.#options.clock.now())
    if (day === this.#day) return
    this.#day = day
    this.#account.book.ordersToday = 0
    for (const { book } of this.#strategies.values()) book.ordersToday = 0
  }

  #rememberEnd(orderId: string): void {
    this.#ended.add(orderId)
    if (this.#ended.size <= ENDED_MAX) return
    const [oldest] = this.#ended
    if (oldest !== undefined) this.#ended.delete(oldest)
  }

  /** Values all that is held at prices of now, and finds out today's loss. Throws what the venue throws. */
  async look(): Promise<void> {
    this.#looking ??= this.#lookNow().finally(() => {
      this.#looking = undefined
    })
    await this.#looking
  }

  async #lookNow(): Promise<void> {
    const { venue, marketData, find, clock } = this.#options
    const at = clock.elapsedMs()
    const books = await venue().books()
    const instruments = new Map<string, Instrument>()
    for (const { instrument } of [...books.positions, ...books.holdings, ...books.strategyPositions])
      instruments.set(instrumentKeyOf(instrument), instrument)
    for (const { of } of [...this.#orders.values(), ...this.#onTheirWay]) {
      const key = instrumentKeyOf(of)
      const instrument = instruments.has(key) ? undefined : find(of.symbol, of.exchange)
      if (instrument !== undefined) instruments.set(key, instrument)
    }
    const prices = await lastPrices(
      [...instruments.values()].map((instrument) => ({ instrument })),
      marketData,
    )
    const byKey = new Map([...instruments.keys()].map((key, index) => [key, prices[index]]))
    const priceOf = (key: string): Price | undefined => byKey.get(key)
    this.#account.book.reprice(priceOf)
    this.#account.loss = -(books.funds.realisedToday + sumOf(books.positions.map((row) => openProfit(row, priceOf))))
    for (const [name, own] of this.#strategies) {
      own.book.reprice(priceOf)
      const rows = books.strategyPositions.filter(({ strategy }) => strategy === name)
      const realised = books.strategies.find(({ strategy }) => strategy === name)?.realisedToday ?? 0
      own.loss = -(realised + sumOf(rows.map((row) => openProfit(row, priceOf))))
    }
    this.#lookedAt = at
  }
}

const measured = (): Measured => ({ book: new RunningBook(), loss: 0 })

const isWorking = ({ status }: OrderReport): boolean => status === 'open' || status === 'trigger pending'

const sumOf = (amounts: readonly number[]): number => amounts.reduce((sum, amount) => sum + amount, 0)

/** In paise; 0 where there is no price. */
function openProfit(
  row: BooksReport['positions'][number] | BooksReport['strategyPositions'][number],
  priceOf: (key: string) => Price | undefined,
): number {
  const price = priceOf(instrumentKeyOf(row)) ?? ZERO_PRICE
  if (row.quantity === 0 || price === 0) return 0
  return tradeValue(price, row.quantity, row.multiplier, 'down') - row.cost
}
