import type { GttReport } from '../brokers/gtt.ts'
import type { MarginReport } from '../brokers/margin.ts'
import type {
  Alongside,
  NewOrder,
  OrderChange,
  OrderReport,
  StandingReport,
  StoryReport,
  TradeReport,
  Venue,
} from '../brokers/venue.ts'
import type { BrokerageTerms } from '../charges/index.ts'
import { Refusal } from '../kernel/errors.ts'
import type { ExchangeDate } from '../kernel/exchange-time.ts'
import type { Quantity } from '../kernel/fixed.ts'
import type { Steps } from '../kernel/steps.ts'
import type { Exchange, Instrument } from '../market/instrument.ts'
import type { MarketData } from '../market/market-data.ts'
import { chargeOrders, type OrderCharges } from './charge-orders.ts'
import { answered, type Intent } from './flow/intent.ts'
import { type InstrumentLookup, namedInstrument } from './named-instrument.ts'
import { deniedBy, type RiskAsker, type RiskGate } from './risk/gate.ts'
import { type StrategyBook, strategyBookOf } from './strategy-book.ts'
import { lastPrices, type ValuedHolding, type ValuedPosition, valueHoldings, valuePositions } from './valuation.ts'

export interface OrderRequest extends Omit<NewOrder, 'instrument'> {
  readonly symbol: string
  readonly exchange: Exchange
}

export interface ModifyRequest extends OrderChange {
  readonly orderId: string
  readonly symbol: string
  readonly exchange: Exchange
  readonly action: NewOrder['action']
  readonly priceType: NewOrder['priceType']
  readonly product: NewOrder['product']
}

/** Whose request it is, and what it may be told by. */
export interface OrderAsker {
  readonly account: string
  readonly visit?: { readonly steps: Steps; readonly intent?: Intent | undefined } | undefined
}

export interface TradingOptions extends InstrumentLookup {
  readonly marketData: MarketData
  readonly venueOf: (account: string) => Venue | undefined
  readonly brokerage: BrokerageTerms
  readonly gate: RiskGate
}

/**
 * All that can be done with orders and what they lead to, whatever venue an account trades at.
 * Throws Refusal: symbol_not_found, order_rejected, order_not_found, order_not_open, order_unchangeable, venue_unavailable.
 */
export class Trading {
  readonly #options: TradingOptions

  constructor(options: TradingOptions) {
    this.#options = options
  }

  venue(account: string): Venue {
    const venue = this.#options.venueOf(account)
    if (venue === undefined) throw new Refusal('venue_unavailable', `Account ${account} has no venue to trade at`)
    return venue
  }

  /** Refuses an order that its venue would refuse whatever the market does; nothing is placed. Throws symbol_not_found, order_rejected. */
  checkOrder(account: string, request: OrderRequest): void {
    const { symbol, exchange, ...rest } = request
    const venue = this.venue(account)
    const refusal = venue.refusalOf({ instrument: this.#instrument(symbol, exchange), ...rest })
    if (refusal !== undefined) throw new Refusal('order_rejected', refusal, { extra: { mode: venue.mode } })
  }

  /** Throws symbol_not_found. */
  checkSymbol({ symbol, exchange }: Pick<OrderRequest, 'symbol' | 'exchange'>): void {
    this.#instrument(symbol, exchange)
  }

  /** Of one symbol and product, at one moment. */
  standing(account: string, of: Pick<OrderRequest, 'symbol' | 'exchange' | 'product'>): Promise<StandingReport> {
    return this.venue(account).standing(of)
  }

  /**
   * What the account's venue would block for these orders together. Nothing is placed.
   * Throws Refusal: symbol_not_found, order_rejected, quote_unavailable, not_implemented.
   */
  async margin(account: string, requests: readonly OrderRequest[]): Promise<MarginReport> {
    const venue = this.venue(account)
    if (venue.margin === undefined)
      throw new Refusal('not_implemented', `Margin calculation not supported for broker: ${venue.name}`)
    const orders = requests.map(({ symbol, exchange, ...rest }) => ({
      instrument: this.#instrument(symbol, exchange),
      ...rest,
    }))
    return venue.margin.preview(orders)
  }

  /**
   * What orders would cost besides their prices on that date. Throws Refusal: symbol_not_found, quote_unavailable.
   */
  charges(requests: readonly OrderRequest[], date: ExchangeDate): Promise<OrderCharges> {
    const orders = requests.map(({ symbol, exchange, ...rest }) => ({
      instrument: this.#instrument(symbol, exchange),
      ...rest,
    }))
    return chargeOrders(orders, this.#options.marketData, this.#options.brokerage, date)
  }

  #instrument(symbol: string, exchange: Exchange): Instrument {
    return namedInstrument(this.#options, symbol, exchange)
  }

  /**
   * Changes quantity, price and trigger of a working order, if the limits allow it. What the order is can't change, and a
   * try is refused by name.
   */
  async modifyOrder<Answer>(
    { account, keyId, visit }: RiskAsker & OrderAsker,
    request: ModifyRequest,
    answer: (report: OrderReport) => Answer,
  ): Promise<Answer> {
    const venue = this.venue(account)
    const order = await venue.order(request.orderId)
    const fixed = [
      ['symbol', order.symbol, request.symbol],
      ['exchange', order.exchange, request.exchange],
      ['action', order.action, request.action],
      ['product', order.product, request.product],
      ['pricetype', order.priceType, request.priceType],
    ] as const
    for (const [name, is, wanted] of fixed) {
      if (is !== wanted) {
        throw new Refusal(
          'order_unchangeable',
          `${name} of order ${order.id} is ${is} and can't be changed to ${wanted}. Cancel the order and place a new one.`,
        )
      }
    }
    const { quantity, disclosedQuantity, price, triggerPrice } = request
    const instrument = this.#options.find(order.symbol, order.exchange)
    const modify = (alongside: Alongside<OrderReport> | undefined): Promise<OrderReport> =>
      venue.modify(order.id, { quantity, disclosedQuantity, price, triggerPrice }, visit?.steps, alongside)
    // Of what is no longer listed nothing works any more: its venue says so
    if (instrument === undefined) return answered(venue, visit?.intent, {}, modify, answer)
    const { gate } = this.#options
    const change = { account, keyId, existing: order, change: request, instrument }
    const pending = gate.judgeChange(change)
    const denial = pending instanceof Promise ? await pending : pending
    if (denial !== undefined) throw deniedBy(denial, venue)
    try {
      return await answered(venue, visit?.intent, {}, modify, answer)
    } finally {
      gate.settleChange(change)
    }
  }

  async cancelOrder<Answer>(
    { account, visit }: OrderAsker,
    orderId: string,
    answer: (report: OrderReport) => Answer,
  ): Promise<Answer> {
    const venue = this.venue(account)
    const cancel = (alongside: Alongside<OrderReport> | undefined): Promise<OrderReport> =>
      visit?.intent?.isResumed === true
        ? cancelUnlessDone(venue, orderId)
        : venue.cancel(orderId, visit?.steps, alongside)
    return await answered(venue, visit?.intent, {}, cancel, answer)
  }

  /**
   * Cancels every working order, stops included. One that finishes meanwhile is reported as failed. Sent again after a
   * crash it is about the same orders.
   */
  async cancelAllOrders({
    account,
    visit,
  }: OrderAsker): Promise<{ cancelled: string[]; failed: { orderId: string; message: string }[] }> {
    const venue = this.venue(account)
    const intent = visit?.intent
    const ids = intent?.work?.cancels ?? (await venue.orders()).filter(isWorking).map(({ id }) => id)
    if (intent !== undefined && intent.work === undefined && ids.length > 0) await intent.begin({ cancels: ids })
    const cancel = (id: string): Promise<OrderReport> =>
      intent?.isResumed === true ? cancelUnlessDone(venue, id) : venue.cancel(id)
    const cancelled: string[] = []
    const failed: { orderId: string; message: string }[] = []
    const outcomes = await Promise.allSettled(ids.map(cancel))
    for (const [index, outcome] of outcomes.entries()) {
      const orderId = ids[index] ?? ''
      if (outcome.status === 'fulfilled') cancelled.push(orderId)
      else if (outcome.reason instanceof Refusal) failed.push({ orderId, message: outcome.reason.message })
      else throw outcome.reason
    }
    return { cancelled, failed }
  }

  order(account: string, orderId: string): Promise<OrderReport> {
    return this.venue(account).order(orderId)
  }

  /** Orders of any session that carry a tag. Throws when the venue can't tell. */
  async ordersByTag(account: string, tag: string): Promise<readonly OrderReport[]> {
    return this.venue(account).ordersByTag(tag)
  }

  /** The whole story of an order, by its id or by its root. Throws order_not_found. */
  async story(account: string, id: string): Promise<StoryReport & { readonly gtt: GttReport | undefined }> {
    const venue = this.venue(account)
    const story = await venue.story(id)
    const gtt = await knownGtt(venue, story.root)
    if (story.orders.length === 0 && gtt === undefined)
      throw new Refusal(
        'order_not_found',
        `Nothing is known of ${id}. Send the id of an order or of a trigger, or a root.`,
      )
    return { ...story, gtt }
  }

  /** Newest first. */
  async orders(account: string): Promise<OrderReport[]> {
    return [...(await this.venue(account).orders())].reverse()
  }

  /** Newest first. */
  async trades(account: string): Promise<TradeReport[]> {
    return [...(await this.venue(account).trades())].reverse()
  }

  async positions(account: string): Promise<ValuedPosition[]> {
    return valuePositions(await this.venue(account).positions(), this.#options.marketData)
  }

  /** What each strategy of the account has, and has won or lost. */
  async strategyBook(account: string): Promise<StrategyBook> {
    const books = await this.venue(account).books()
    const instruments = [
      ...new Map(
        [...books.strategyPositions, ...books.positions, ...books.holdings].map(({ instrument }) => [
          `${instrument.exchange}:${instrument.symbol}`,
          instrument,
        ]),
      ),
    ]
    const prices = await lastPrices(
      instruments.map(([, instrument]) => ({ instrument })),
      this.#options.marketData,
    )
    const byName = new Map(instruments.map(([name], index) => [name, prices[index]]))
    return strategyBookOf(books, ({ exchange, symbol }) => byName.get(`${exchange}:${symbol}`))
  }

  async holdings(account: string): Promise<ValuedHolding[]> {
    return valueHoldings(await this.venue(account).holdings(), this.#options.marketData)
  }

  /** Signed quantity of one position; 0 when there is none. */
  async openQuantity(
    account: string,
    symbol: string,
    exchange: Exchange,
    product: NewOrder['product'],
  ): Promise<Quantity> {
    const positions = await this.venue(account).positions()
    const match = positions.find(
      (position) => position.symbol === symbol && position.exchange === exchange && position.product === product,
    )
    return match?.quantity ?? (0 as Quantity)
  }
}

const isWorking = ({ status }: OrderReport): boolean => status === 'open' || status === 'trigger pending'

/** An earlier process may have cancelled it before it could answer. */
async function cancelUnlessDone(venue: Venue, orderId: string): Promise<OrderReport> {
  const known = await venue.order(orderId)
  return known.status === 'cancelled' ? known : await venue.cancel(orderId)
}

/** The trigger with that id; undefined when there is none. */
async function knownGtt(venue: Venue, id: string): Promise<GttReport | undefined> {
  try {
    return await venue.gtt?.find(id)
  } catch (error) {
    if (error instanceof Refusal && error.code === 'gtt_not_found') return undefined
    throw error
  }
}
