import type { Money } from '../kernel/fixed.ts'
import type { NewOrder } from './venue.ts'

/** What a venue would block for orders, given what the account holds and has working. In paise. */
export interface MarginReport {
  /** Blocked more than now when all of them are placed, in order; negative when they free more than they need. */
  readonly blocked: Money
  /** The part of it that doesn't come from scenarios; between 0 and `blocked`, 0 when that is negative. */
  readonly exposure: Money
  /** What each would block if it were placed alone. */
  readonly alone: readonly Money[]
  /** Blocked now. */
  readonly reserved: Money
  readonly available: Money
}

/** Venues that can tell beforehand what orders would block offer this beside their orders. */
export interface MarginVenue {
  /** Nothing is placed. Throws Refusal: order_rejected for an order that isn't one, quote_unavailable. */
  preview(orders: readonly NewOrder[]): Promise<MarginReport>
}
