import type { ExchangeDate } from '../kernel/exchange-time.ts'
import type { Money, Multiplier, Price, Quantity } from '../kernel/fixed.ts'
import type { Steps } from '../kernel/steps.ts'
import type { Exchange, Instrument } from '../market/instrument.ts'
import type { Statement } from '../storage/writer.ts'
import type { GttVenue } from './gtt.ts'
import type { MarginVenue } from './margin.ts'

/**
 * Where orders go. The paper exchange and every live broker implement this port; nothing above it asks which one it is.
 */
export const ACTIONS = ['BUY', 'SELL'] as const
export const PRICE_TYPES = ['MARKET', 'LIMIT', 'SL', 'SL-M'] as const
export const PRODUCTS = ['MIS', 'NRML', 'CNC'] as const
export const ORDER_STATUSES = ['open', 'trigger pending', 'complete', 'cancelled', 'rejected'] as const
export type Action = (typeof ACTIONS)[number]
export type PriceType = (typeof PRICE_TYPES)[number]
export type Product = (typeof PRODUCTS)[number]
export type OrderStatus = (typeof ORDER_STATUSES)[number]
/** What an order was rejected for that the next one like it would meet, too, whatever its size and price. */
export type LastingCause = 'funds' | 'instrument' | 'session'

export interface NewOrder {
  readonly instrument: Instrument
  readonly action: Action
  readonly quantity: Quantity
  readonly priceType: PriceType
  readonly product: Product
  /** 0 when the price type has none; likewise the trigger. */
  readonly price: Price
  readonly triggerPrice: Price
  readonly disclosedQuantity: Quantity
  readonly strategy: string
  /** Names the intent that the order comes from, so that it is found again when its answer was lost. */
  readonly tag?: string | undefined
  /** Shared by all orders of one story (children of one request, firings of a trigger); its own id when absent. */
  readonly root?: string | undefined
  /** Its place among the orders of one request, from 0; absent when no request asked for it. */
  readonly leg?: number | undefined
  /** Name of the operation that decided about it; absent when its owner did. */
  readonly origin?: string | undefined
  /** Under which exchanges know the program that sends it; absent without one. */
  readonly algoId?: string | undefined
  /** Why it may not be sent. The venue then keeps it as a rejected order, so that it is seen, and does nothing else. */
  readonly denied?: string | undefined
}

export interface OrderChange {
  readonly quantity: Quantity
  readonly disclosedQuantity: Quantity
  /** 0 leaves the price, or the trigger, as it is. */
  readonly price: Price
  readonly triggerPrice: Price
}

export interface OrderReport {
  readonly id: string
  readonly symbol: string
  readonly exchange: Exchange
  readonly action: Action
  readonly quantity: Quantity
  readonly priceType: PriceType
  readonly product: Product
  readonly price: Price
  readonly triggerPrice: Price
  readonly status: OrderStatus
  readonly filledQuantity: Quantity
  readonly averagePrice: Price
  /** Why it was rejected, or cancelled by the venue; empty otherwise. */
  readonly reason: string
  /** Of a rejection; absent when the reason is the order's own. */
  readonly cause?: LastingCause | undefined
  readonly strategy: string
  readonly tag: string | undefined
  readonly root: string
  readonly leg: number | undefined
  readonly origin: string | undefined
  readonly algoId?: string | undefined
  readonly placedAt: number
  readonly updatedAt: number
}

/** How an order was before a change of it: by its owner, or because its trigger was reached. */
export interface OrderStep {
  readonly kind: 'modified' | 'triggered'
  readonly at: number
  readonly quantity: Quantity
  readonly disclosedQuantity: Quantity
  readonly price: Price
  readonly triggerPrice: Price
  readonly status: OrderStatus
}

/** All orders of one root, oldest first, with what became of each. */
export interface StoryReport {
  readonly root: string
  readonly orders: readonly {
    readonly order: OrderReport
    readonly steps: readonly OrderStep[]
    /** Older steps that aren't known any more. */
    readonly stepsForgotten: number
  }[]
  readonly trades: readonly TradeReport[]
}

export interface TradeReport {
  readonly id: string
  readonly orderId: string
  readonly symbol: string
  readonly exchange: Exchange
  readonly action: Action
  readonly product: Product
  readonly quantity: Quantity
  readonly price: Price
  readonly value: Money
  /** Brokerage, taxes and fees; absent when the venue doesn't tell them. */
  readonly charges?: Money | undefined
  readonly strategy: string
  readonly at: number
}

export interface PositionReport {
  readonly symbol: string
  readonly exchange: Exchange
  readonly product: Product
  readonly multiplier: Multiplier
  /** Signed; 0 when closed today. */
  readonly quantity: Quantity
  /** Positive when paid, negative when received. */
  readonly cost: Money
  readonly averagePrice: Price
  readonly realisedToday: Money
  /** The instrument as the venue knows it, for valuing contracts that are no longer listed. */
  readonly instrument: Instrument
}

export interface HoldingReport {
  readonly symbol: string
  readonly exchange: Exchange
  readonly quantity: Quantity
  readonly cost: Money
  readonly averagePrice: Price
  readonly settledOn: ExchangeDate
  readonly instrument: Instrument
}

export interface FundsReport {
  readonly available: Money
  /** Blocked by orders and positions. */
  readonly reserved: Money
  readonly realised: Money
  readonly realisedToday: Money
  readonly resetAt: number
  readonly resetCount: number
}

/** One strategy's part of an account. */
export interface StrategyReport {
  readonly strategy: string
  /** Since the last reset. */
  readonly realised: Money
  readonly realisedToday: Money
  readonly trades: number
  readonly tradesToday: number
}

/** One strategy's own position, as if it traded alone. Delivery: with its holdings. */
export interface StrategyPositionReport {
  readonly strategy: string
  readonly symbol: string
  readonly exchange: Exchange
  readonly product: Product
  readonly multiplier: Multiplier
  readonly quantity: Quantity
  readonly cost: Money
  readonly averagePrice: Price
  readonly realisedToday: Money
  /** Of its last fill; 0 when unknown. */
  readonly lastPrice: Price
  readonly instrument: Instrument
}

/** All books of one instant. */
export interface BooksReport {
  readonly funds: FundsReport
  readonly positions: readonly PositionReport[]
  readonly holdings: readonly HoldingReport[]
  readonly strategies: readonly StrategyReport[]
  readonly strategyPositions: readonly StrategyPositionReport[]
}

/** What an account holds of one symbol and product, and what works in it, at one moment. */
export interface StandingReport {
  /** Signed. */
  readonly quantity: Quantity
  /** Oldest first. */
  readonly working: readonly OrderReport[]
}

/**
 * What is to be on disk with the thing that it tells of, or not at all. Called at most once, when it is known what will be
 * reported; must not throw.
 */
export type Alongside<Report> = (report: Report) => Statement

/**
 * One account at one venue. Every answer is durable: what it tells can't be undone by a crash.
 * `modify` and `cancel` throw Refusal (order_not_found, order_not_open, order_unchangeable); all throw account_stopped
 * once the account can't go on.
 */
export interface Venue {
  readonly name: string
  readonly mode: 'analyze' | 'live'
  /** Whether what is asked to be on disk `alongside` is, in one commit. Others never call it. */
  readonly commitsAlongside?: boolean
  /** Absent when the venue keeps no triggers. */
  readonly gtt?: GttVenue
  /** Absent when the venue can't tell beforehand what orders would block. */
  readonly margin?: MarginVenue
  /** A refused order is a report with status `rejected` and its reason. */
  place(order: NewOrder, steps?: Steps, alongside?: Alongside<OrderReport>): Promise<OrderReport>
  /**
   * Places orders as one thing, in order, margin judged on what all of them lead to: after a crash all are there or none.
   * Where that isn't affordable all are rejected; `stopsAtRefusal` rejects what comes after a rejected one. The others belong
   * to the story of the first. Venues that can't do that don't have it.
   */
  placeTogether?(
    orders: readonly NewOrder[],
    stopsAtRefusal: boolean,
    steps?: Steps,
    alongside?: Alongside<readonly OrderReport[]>,
  ): Promise<readonly OrderReport[]>
  modify(orderId: string, change: OrderChange, steps?: Steps, alongside?: Alongside<OrderReport>): Promise<OrderReport>
  cancel(orderId: string, steps?: Steps, alongside?: Alongside<OrderReport>): Promise<OrderReport>
  /**
   * Why the venue would refuse an order now, whatever the market does and the account holds; undefined when it may take
   * it. Nothing is placed.
   */
  refusalOf(order: NewOrder): string | undefined
  /** All orders with that tag, of any session, rejected ones too. Throws when that can't be told. */
  ordersByTag(tag: string): Promise<readonly OrderReport[]>
  /** Orders of the session, oldest first. */
  orders(): Promise<readonly OrderReport[]>
  /** The story that an order belongs to, by its id or by the root. Without orders when there is none of that root. */
  story(id: string): Promise<StoryReport>
  /** An order of any session. Throws order_not_found. */
  order(orderId: string): Promise<OrderReport>
  trades(): Promise<readonly TradeReport[]>
  positions(): Promise<readonly PositionReport[]>
  standing(of: Pick<TradeReport, 'symbol' | 'exchange' | 'product'>): Promise<StandingReport>
  holdings(): Promise<readonly HoldingReport[]>
  funds(): Promise<FundsReport>
  /** Positions, holdings and funds as they were together at one instant, and which strategy has what of them. */
  books(): Promise<BooksReport>
  /** Requests to place, modify and cancel that the account ever had. */
  requestCount(): Promise<number>
}
