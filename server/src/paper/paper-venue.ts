import type { GttVenue } from '../brokers/gtt.ts'
import type { MarginVenue } from '../brokers/margin.ts'
import type {
  Action,
  Alongside,
  BooksReport,
  FundsReport,
  HoldingReport,
  NewOrder,
  OrderChange,
  OrderReport,
  PositionReport,
  StandingReport,
  StoryReport,
  TradeReport,
  Venue,
} from '../brokers/venue.ts'
import { assert } from '../kernel/assert.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { type Money, ZERO_PRICE, ZERO_QUANTITY } from '../kernel/fixed.ts'
import type { Steps } from '../kernel/steps.ts'
import type { Instrument } from '../market/instrument.ts'
import type { Statement } from '../storage/writer.ts'
import { freshBook, opposingSide, type PricesNow } from './books.ts'
import type { ChargeTable } from './charge-table.ts'
import type { Book, PlaceCommand, SessionFacts } from './command.ts'
import type { AccountEngine } from './engine.ts'
import type { Event } from './event.ts'
import type { TermsOf } from './margin-terms.ts'
import { factsOf, instrumentKey, instrumentOf, type MarginTerms, type Order, positionKey } from './order.ts'
import type { OrderIds } from './order-ids.ts'
import { orderOf, standingRefusal } from './place.ts'
import { ReportBook } from './report-book.ts'
import { booksReportOf, fundsReportOf, holdingReportOf, positionReportOf, reportOf, tradeReportOf } from './reports.ts'
import type { Scheduler } from './scheduler.ts'
import type { SessionOf } from './session-facts.ts'

export interface PaperVenueOptions {
  readonly gtt: GttVenue
  readonly margin: MarginVenue
  readonly engine: AccountEngine
  readonly scheduler: Scheduler
  readonly orderIds: OrderIds
  readonly marketData: PricesNow
  readonly termsOf: TermsOf
  /** Without one orders cost nothing. */
  readonly charges: ChargeTable | undefined
  readonly sessionOf: SessionOf
  readonly clock: Clock
}

/** One account of the paper exchange, as a venue: gathers what a command depends on, submits it, reports what came of it. */
export class PaperVenue implements Venue {
  readonly name = 'paper'
  readonly mode = 'analyze'
  readonly commitsAlongside = true
  readonly gtt: GttVenue
  readonly margin: MarginVenue
  readonly #options: PaperVenueOptions
  readonly #book: ReportBook

  constructor(options: PaperVenueOptions) {
    this.#options = options
    this.gtt = options.gtt
    this.#book = new ReportBook(options.engine.state)
    this.margin = options.margin
  }

  async place(order: NewOrder, steps?: Steps, alongside?: Alongside<OrderReport>): Promise<OrderReport> {
    const { engine, orderIds } = this.#options
    const terms = this.#options.termsOf(order.instrument, order.action, order.product)
    const known = terms instanceof Promise ? await terms : terms
    let market = this.#market(order.instrument, order.action)
    if (market instanceof Promise) market = await market
    while (!orderIds.has(1)) {
      await orderIds.prepare(1)
      market = await this.#market(order.instrument, order.action)
    }
    const orderId = orderIds.take(market.at)
    const command = placeCommand(order, orderId, known, this.#options.charges, market)
    const events = await engine.submit(command, steps, alongside && ofOrder(orderId, alongside))
    return reportOf(lastOrder(events, orderId))
  }

  async placeTogether(
    orders: readonly NewOrder[],
    stopsAtRefusal: boolean,
    steps?: Steps,
    alongside?: Alongside<readonly OrderReport[]>,
  ): Promise<readonly OrderReport[]> {
    const { engine, orderIds, scheduler, clock, termsOf, charges } = this.#options
    const terms = await Promise.all(
      orders.map(({ instrument, action, product }) => termsOf(instrument, action, product)),
    )
    for (;;) {
      await orderIds.prepare(orders.length)
      const markets = await Promise.all(orders.map(({ instrument, action }) => this.#market(instrument, action)))
      const at = clock.now()
      if (scheduler.isDue(at) || !orderIds.has(orders.length)) continue
      const commands = orders.map((order, index) => {
        const [known, market] = [terms[index], markets[index]]
        assert(known !== undefined && market !== undefined, 'each order has its terms and its market')
        return placeCommand(order, orderIds.take(at), known, charges, { ...market, at })
      })
      const reported = (events: readonly Event[]): OrderReport[] =>
        commands.map(({ orderId }) => reportOf(lastOrder(events, orderId)))
      const command = { kind: 'place-together', at, orders: commands, stopsAtRefusal } as const
      return reported(await engine.submit(command, steps, alongside && ((events) => alongside(reported(events)))))
    }
  }

  async modify(
    orderId: string,
    change: OrderChange,
    steps?: Steps,
    alongside?: Alongside<OrderReport>,
  ): Promise<OrderReport> {
    const { engine } = this.#options
    const existing = await this.#sessionOrder(orderId, 'modify')
    const { at, book, session } = await this.#market(instrumentOf(existing.instrument), existing.action)
    const command = { kind: 'modify', at, orderId, ...change, session, book } as const
    const events = await engine.submit(command, steps, alongside && ofOrder(orderId, alongside))
    return reportOf(lastOrder(events, orderId))
  }

  async cancel(orderId: string, steps?: Steps, alongside?: Alongside<OrderReport>): Promise<OrderReport> {
    const { engine, scheduler, clock } = this.#options
    await scheduler.catchUp()
    await this.#sessionOrder(orderId, 'cancel')
    const command = { kind: 'cancel', at: clock.now(), orderId } as const
    const events = await engine.submit(command, steps, alongside && ofOrder(orderId, alongside))
    return reportOf(lastOrder(events, orderId))
  }

  async orders(): Promise<readonly OrderReport[]> {
    await this.#settled()
    return this.#book.orders()
  }

  async story(id: string): Promise<StoryReport> {
    await this.#settled()
    const { engine } = this.#options
    const order = await engine.order(id)
    const root = order === undefined ? id : (order.root ?? order.id)
    const { orders, trades } = await engine.story(root)
    return {
      root,
      orders: orders.map((one) => {
        const { count, last } = one.steps ?? { count: 0, last: [] }
        return { order: reportOf(one), steps: last, stepsForgotten: count - last.length }
      }),
      trades: trades.map(tradeReportOf),
    }
  }

  async order(orderId: string): Promise<OrderReport> {
    await this.#settled()
    const order = await this.#options.engine.order(orderId)
    if (order === undefined) throw new Refusal('order_not_found', `Order ${orderId} not found`)
    return reportOf(order)
  }

  /** Doesn't bring the account up to date before: which orders there are is the same. */
  async ordersByTag(tag: string): Promise<readonly OrderReport[]> {
    const { engine } = this.#options
    await engine.durable()
    return (await engine.ordersByTag(tag)).map(reportOf)
  }

  refusalOf(order: NewOrder): string | undefined {
    const facts = { ...order, instrument: factsOf(order.instrument), terms: PAID_IN_FULL }
    return standingRefusal(
      orderOf({ kind: 'place', orderId: '', at: this.#options.clock.now(), ...facts, ...NO_MARKET }),
    )
  }

  async trades(): Promise<readonly TradeReport[]> {
    await this.#settled()
    return this.#book.trades()
  }

  async positions(): Promise<readonly PositionReport[]> {
    await this.#settled()
    return [...this.#options.engine.state.positions.values()].map(positionReportOf)
  }

  async standing(of: Pick<TradeReport, 'symbol' | 'exchange' | 'product'>): Promise<StandingReport> {
    await this.#settled()
    const { positions, working } = this.#options.engine.state
    const orders = working.get(instrumentKey(of)) ?? []
    return {
      quantity: positions.get(positionKey(of, of.product))?.quantity ?? ZERO_QUANTITY,
      working: orders.filter(({ product }) => product === of.product).map(reportOf),
    }
  }

  async holdings(): Promise<readonly HoldingReport[]> {
    await this.#settled()
    return [...this.#options.engine.state.holdings.values()].map(holdingReportOf)
  }

  async funds(): Promise<FundsReport> {
    await this.#settled()
    return fundsReportOf(this.#options.engine.state)
  }

  async books(): Promise<BooksReport> {
    await this.#settled()
    return booksReportOf(this.#options.engine.state)
  }

  async requestCount(): Promise<number> {
    await this.#settled()
    return this.#options.engine.state.requestCount
  }

  /** Starts the account again with that capital. */
  async reset(capital: Money): Promise<void> {
    const { engine, scheduler, clock } = this.#options
    await scheduler.catchUp()
    await engine.submit({ kind: 'reset', at: clock.now(), capital })
  }

  /** What is shown must be of the current day, and on disk. */
  async #settled(): Promise<void> {
    await this.#options.scheduler.catchUp()
    await this.#options.engine.durable()
  }

  /** An order of the current session; one of an earlier session is finished, and the refusal says how it ended. */
  async #sessionOrder(orderId: string, verb: 'modify' | 'cancel'): Promise<Readonly<Order>> {
    const { engine } = this.#options
    const order = await engine.order(orderId)
    if (order === undefined) throw new Refusal('order_not_found', `Order ${orderId} not found`)
    if (!engine.state.orders.has(orderId))
      throw new Refusal('order_not_open', `Cannot ${verb} order in ${order.status} status`)
    return order
  }

  /** The market at one instant, with nothing overdue: what a command sees and when. */
  #market(instrument: Instrument, action: Action): MarketAt | Promise<MarketAt> {
    const { scheduler, clock, marketData, sessionOf } = this.#options
    const at = clock.now()
    if (scheduler.isDue(at)) return this.#marketAfter(scheduler.catchUp(), instrument, action)
    const session = sessionOf(instrument, at)
    if (!session.open) return { at, book: undefined, session }
    const book = freshBook(marketData, instrument, at)
    if (book instanceof Promise) return this.#marketWith(book, instrument, action)
    return { at, book: book && opposingSide(book, action), session }
  }

  async #marketAfter(caughtUp: Promise<void>, instrument: Instrument, action: Action): Promise<MarketAt> {
    await caughtUp
    return this.#market(instrument, action)
  }

  async #marketWith(pending: Promise<Book | undefined>, instrument: Instrument, action: Action): Promise<MarketAt> {
    const { scheduler, clock, sessionOf } = this.#options
    const book = await pending
    const at = clock.now()
    if (scheduler.isDue(at)) return this.#market(instrument, action)
    const session = sessionOf(instrument, at)
    return { at, book: book && opposingSide(book, action), session }
  }
}

const PAID_IN_FULL: MarginTerms = { leverageHundredths: 100, notionalPrice: ZERO_PRICE }
const NO_MARKET = { session: { open: false, closedReason: '', squareOffAt: 0 }, book: undefined }

/** The market at one instant, as a command sees it. */
interface MarketAt {
  readonly at: number
  readonly book: Book | undefined
  readonly session: SessionFacts
}

/** Written out: it is a part of every order, and copying would cost more than the rest of it. */
function placeCommand(
  order: NewOrder,
  orderId: string,
  terms: MarginTerms,
  charges: ChargeTable | undefined,
  market: MarketAt,
): PlaceCommand {
  return {
    kind: 'place',
    at: market.at,
    orderId,
    instrument: factsOf(order.instrument),
    action: order.action,
    quantity: order.quantity,
    priceType: order.priceType,
    product: order.product,
    price: order.price,
    triggerPrice: order.triggerPrice,
    disclosedQuantity: order.disclosedQuantity,
    strategy: order.strategy,
    tag: order.tag,
    root: order.root,
    leg: order.leg,
    origin: order.origin,
    algoId: order.algoId,
    denied: order.denied,
    terms,
    charges: charges?.ofOrder(order.instrument, order.action, order.product, market.at),
    session: market.session,
    book: market.book,
  }
}

/** What belongs beside an order, of the events that tell of it. */
const ofOrder =
  (orderId: string, alongside: Alongside<OrderReport>) =>
  (events: readonly Event[]): Statement =>
    alongside(reportOf(lastOrder(events, orderId)))

/** The order as the command left it. */
function lastOrder(events: readonly Event[], orderId: string): Readonly<Order> {
  const event = events.findLast((candidate) => candidate.kind === 'order' && candidate.order.id === orderId)
  assert(event !== undefined && event.kind === 'order', () => `the command said nothing about order ${orderId}`)
  return event.order
}
