import type { BooksReport, OrderReport, TradeReport, Venue } from '../../brokers/venue.ts'
import type { VenueEvent } from '../../brokers/venue-event.ts'
import type { Clock } from '../../kernel/clock.ts'
import { dayNumberAt } from '../../kernel/exchange-time.ts'
import { MULTIPLIER_ONE, type Multiplier, type Price } from '../../kernel/fixed.ts'
import type { Exchange } from '../../market/instrument.ts'
import { CLOSE_STRATEGY } from '../plans/closing.ts'
import { DENIAL_PREFIX } from './check.ts'
import type { RiskChange } from './gate.ts'
import type { Asked } from './judged.ts'
import { look, type Measured, measured, type Prices } from './look.ts'
import type { EntryOf } from './running-book.ts'

/** Prices that positions are valued at, and the day's loss, may be so old. */
export const LOOK_AGE_MS_MAX = 500
/** Closings, whose trades belong to the strategies that held what they closed: whose, the books know. */
const SHARED_OUT: ReadonlySet<string> = new Set([CLOSE_STRATEGY, 'EXPIRY_SETTLEMENT'])
/** Orders that ended of which that is remembered: an answer about one comes soon after. */
const ENDED_MAX = 10_000

export interface AccountViewOptions extends Prices {
  readonly venue: () => Venue
  /** Strategies that something is set for: only theirs are measured. */
  readonly strategies: () => readonly string[]
  readonly clock: Clock
}

/** An order that works, or is on its way to do so: what it may still buy or sell. */
interface Working extends EntryOf {
  readonly action: OrderReport['action']
  readonly strategy: string
  readonly price: Price
  quantity: number
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
  readonly #onTheirWay = new Map<Asked, Working>()
  readonly #changes = new Map<RiskChange, Working>()
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
    return this.#account
  }

  /** Undefined of a strategy that nothing is set for. */
  strategy(name: string): Measured | undefined {
    return this.#strategies.get(name)
  }

  /** To be told before anything is judged: with the day the counts of it begin anew. */
  newDay(now: number): void {
    const day = dayNumberAt(now)
    if (day === this.#day) return
    this.#day = day
    this.#account.book.ordersToday = 0
    for (const { book } of this.#strategies.values()) book.ordersToday = 0
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
    this.newDay(this.#options.clock.now())
    this.#account = measured()
    this.#strategies = new Map(this.#options.strategies().map((name) => [name, measured()]))
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
      this.strategy(row.strategy)?.book.setPosition(row, row.quantity, row.averagePrice)
    }
    for (const order of orders) {
      this.#read.add(order.id)
      this.#countSent(order)
      if (isWorking(order)) this.#add(order.id, this.#workingOf(order))
      else this.#rememberEnd(order.id)
      this.#awaited.delete(order.id)
    }
    for (const working of [...this.#onTheirWay.values(), ...this.#awaited.values()]) this.#count(working, 1)
    for (const working of this.#changes.values()) this.#work(working, working.quantity, 0)
  }

  /** What the venue tells of the account, in order. */
  told(events: readonly VenueEvent[]): void {
    if (this.#told !== undefined) this.#told.push(...events)
    else if (this.#isReady) {
      this.newDay(this.#options.clock.now())
      for (const event of events) this.#apply(event)
    }
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
      if (awaited !== undefined) {
        this.#awaited.delete(order.id)
        this.#count(awaited, -1)
      }
      if (this.#read?.has(order.id) !== true) this.#countSent(order)
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
    const own = this.strategy(trade.strategy)
    if (own === undefined) return
    const { exchange, symbol, product, action, quantity, price } = trade
    const of = { exchange, symbol, product, multiplier: this.#multiplierOf(symbol, exchange) }
    own.book.addToPosition(of, action === 'BUY' ? quantity : -quantity, price)
  }

  /** Counts an order that is on its way, as if it worked already, until it is settled. */
  begin(asked: Asked): void {
    const working = workingOf(asked.instrument, asked.order, asked.order.quantity)
    this.#onTheirWay.set(asked, working)
    this.#count(working, 1)
  }

  /** Its venue has answered, or it won't be sent. */
  settle(asked: Asked, orderId: string | undefined): void {
    const working = this.#onTheirWay.get(asked)
    if (working === undefined) return
    this.#onTheirWay.delete(asked)
    if (orderId === undefined || this.#orders.has(orderId) || this.#ended.has(orderId)) this.#count(working, -1)
    else this.#awaited.set(orderId, working)
  }

  /** Counts what a change would add to an order until it is settled. */
  beginChange(change: RiskChange, added: number): void {
    const working = { ...this.#workingOf(change.existing), quantity: added }
    this.#changes.set(change, working)
    this.#work(working, added, 0)
  }

  settleChange(change: RiskChange): void {
    const working = this.#changes.get(change)
    if (working === undefined) return
    this.#changes.delete(change)
    this.#work(working, -working.quantity, 0)
  }

  #workingOf(order: OrderReport): Working {
    const { exchange, symbol, quantity, filledQuantity } = order
    const of = { exchange, symbol, multiplier: this.#multiplierOf(symbol, exchange) }
    return workingOf(of, order, quantity - filledQuantity)
  }

  #multiplierOf(symbol: string, exchange: Exchange): Multiplier {
    return this.#options.find(symbol, exchange)?.multiplier ?? MULTIPLIER_ONE
  }

  #add(id: string, working: Working): void {
    this.#orders.set(id, working)
    this.#work(working, working.quantity, 1)
  }

  /** Adds an order that is on its way, or takes it away again. */
  #count(working: Working, orders: 1 | -1): void {
    this.#work(working, orders * working.quantity, orders)
    this.#countToday(working.strategy, orders)
  }

  #work(working: Working, quantity: number, orders: 1 | 0 | -1): void {
    this.#account.book.work(working, working.action, quantity, orders, working.price)
    this.strategy(working.strategy)?.book.work(working, working.action, quantity, orders, working.price)
  }

  /** One that a limit denied was never sent. */
  #countSent(order: OrderReport): void {
    if (dayNumberAt(order.placedAt) === this.#day && !order.reason.startsWith(DENIAL_PREFIX))
      this.#countToday(order.strategy, 1)
  }

  #countToday(strategy: string, orders: 1 | -1): void {
    this.#account.book.countToday(orders)
    this.strategy(strategy)?.book.countToday(orders)
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
    const at = this.#options.clock.elapsedMs()
    const books = await this.#options.venue().books()
    const account = this.#account
    await look(books, account, this.#strategies, this.#options)
    if (this.#account === account) this.#lookedAt = at
  }
}

const isWorking = ({ status }: OrderReport): boolean => status === 'open' || status === 'trigger pending'

const workingOf = (
  { exchange, symbol, multiplier }: Omit<EntryOf, 'product'>,
  { product, action, strategy, price, triggerPrice }: Asked['order'] | OrderReport,
  quantity: number,
): Working => ({
  exchange,
  symbol,
  product,
  multiplier,
  action,
  strategy,
  price: price > 0 ? price : triggerPrice,
  quantity,
})
