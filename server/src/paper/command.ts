import type { ChargeTerms } from '../charges/index.ts'
import type { ExchangeDate } from '../kernel/exchange-time.ts'
import type { Money, Price, Quantity } from '../kernel/fixed.ts'
import type { Exchange } from '../market/instrument.ts'
import type { GttCommand } from './gtt/commands.ts'
import type { Action, InstrumentFacts, MarginTerms, PriceType, Product } from './order.ts'
import type { RiskFacts } from './portfolio.ts'

/** The visible book that a command saw. Best level first; an empty side trades at `ltp` without limit of quantity. */
export interface Book {
  /** Instant of the data: quantity taken from one book isn't there for the next order that sees the same one. */
  readonly at: number
  readonly ltp: Price
  /** [price, quantity] pairs. */
  readonly bids: readonly (readonly [Price, Quantity])[]
  readonly asks: readonly (readonly [Price, Quantity])[]
}

/** Whether the exchange trades now, and until when intraday positions may be opened. */
export interface SessionFacts {
  readonly open: boolean
  /** Said to the user when it doesn't: e.g. `NSE is closed; it opens at 2026-11-26 09:15:00 IST`. */
  readonly closedReason: string
  /** From this instant on MIS orders may only reduce a position. */
  readonly squareOffAt: number
}

export interface PlaceCommand {
  readonly kind: 'place'
  readonly at: number
  readonly orderId: string
  readonly instrument: InstrumentFacts
  readonly action: Action
  readonly quantity: Quantity
  readonly priceType: PriceType
  readonly product: Product
  readonly price: Price
  readonly triggerPrice: Price
  readonly disclosedQuantity: Quantity
  readonly strategy: string
  /** Of the intent behind it; absent when it has none. */
  readonly tag?: string | undefined
  /** Of its story; absent when the order begins one. */
  readonly root?: string | undefined
  readonly leg?: number | undefined
  readonly origin?: string | undefined
  readonly algoId?: string | undefined
  /** Why it may not be sent; absent when it may. */
  readonly denied?: string | undefined
  readonly terms: MarginTerms
  /** By which its trades are charged; absent when they cost nothing. */
  readonly charges?: ChargeTerms | undefined
  /** Absent when the account has what it needs, or margins by leverage. */
  readonly risks?: RiskFacts | undefined
  readonly session: SessionFacts
  /** Absent when there is no fresh quote: the order then rests, and a MARKET order is refused. */
  readonly book: Book | undefined
}

/** Orders that are placed as one thing, margin judged on what all of them lead to. */
export interface PlaceTogetherCommand {
  readonly kind: 'place-together'
  readonly at: number
  readonly orders: readonly PlaceCommand[]
  /** After a refused one the rest is refused too. */
  readonly stopsAtRefusal: boolean
}

export interface ModifyCommand {
  readonly kind: 'modify'
  readonly at: number
  readonly orderId: string
  readonly quantity: Quantity
  readonly disclosedQuantity: Quantity
  /** 0 leaves the price, or the trigger, as it is. */
  readonly price: Price
  readonly triggerPrice: Price
  readonly session: SessionFacts
  readonly book: Book | undefined
}

export interface CancelCommand {
  readonly kind: 'cancel'
  readonly at: number
  readonly orderId: string
}

/** A quote that makes a working order trade or trigger. Other quotes never become commands. */
export interface QuoteCommand {
  readonly kind: 'quote'
  readonly at: number
  readonly symbol: string
  readonly exchange: Exchange
  readonly book: Book
}

/** The exchange closes all intraday business of some exchanges: working MIS orders are cancelled, MIS positions closed. */
export interface SquareOffCommand {
  readonly kind: 'square-off'
  readonly at: number
  readonly exchanges: readonly Exchange[]
  /** One closing order for each open MIS position. */
  readonly closes: readonly {
    readonly symbol: string
    readonly exchange: Exchange
    readonly orderId: string
    readonly book: Book
    readonly charges?: ChargeTerms | undefined
  }[]
  /** Price of what the account holds nothing of and its strategies hold against each other; absent when there is none. */
  readonly crossings?:
    | readonly { readonly symbol: string; readonly exchange: Exchange; readonly price: Price }[]
    | undefined
}

/** A contract expires: its working orders are cancelled, its positions settle in cash at the price. */
export interface ExpireCommand {
  readonly kind: 'expire'
  readonly at: number
  readonly symbol: string
  readonly exchange: Exchange
  readonly settlementPrice: Price
  /** Order ids for the settlement of each product's position. */
  readonly closes: readonly {
    readonly product: Product
    readonly orderId: string
    readonly charges?: ChargeTerms | undefined
  }[]
}

/** A new trading day: day orders lapse, bought shares become holdings, the day's books start empty. */
export interface OpenSessionCommand {
  readonly kind: 'open-session'
  readonly at: number
  readonly date: ExchangeDate
}

/** The account starts again with fresh capital: everything it had is gone. */
export interface ResetCommand {
  readonly kind: 'reset'
  readonly at: number
  readonly capital: Money
}

export type Command =
  | PlaceCommand
  | PlaceTogetherCommand
  | ModifyCommand
  | CancelCommand
  | QuoteCommand
  | SquareOffCommand
  | ExpireCommand
  | OpenSessionCommand
  | ResetCommand
  | GttCommand
