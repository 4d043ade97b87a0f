import type { LastingCause, OrderReport } from '../brokers/venue.ts'
import { assert } from '../kernel/assert.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Instrument } from '../market/instrument.ts'
import type { Closing } from './risk/gate.ts'
import type { OrderRequest } from './trading.ts'

/** Most orders that one request may lead to. */
export const PLAN_LEGS_MAX = 500

/** One order of a plan, before anything judged it. */
export interface Leg {
  /** Its place in the request, from 0: answers list legs by it. Unique within the plan. */
  readonly position: number
  readonly order: OrderRequest
  /** Positions of legs that must be accepted before this one may be sent, e.g. the purchase that hedges this sale. */
  readonly needs?: readonly number[]
  /** The order's, where the plan was made with it: it may be one that isn't listed any more. Found by its name when absent. */
  readonly instrument?: Instrument
}

/**
 * What a request comes to: orders in the order in which they are sent. Every operation makes one of these; nothing that
 * follows knows which operation it was. Plain data, whatever an operation adds: that of a named request is kept as JSON.
 */
export interface Plan {
  readonly legs: readonly Leg[]
  /** After a refused leg: go on; stop where the cause would repeat (funds, a halt, the instrument); or send nothing more. */
  readonly onRefusal: 'continue' | 'stop-if-it-repeats' | 'stop'
  /** Name of the request's list that the legs come from, for errors; `orders` when absent. */
  readonly listName?: string
  /** Margin is judged on what all legs lead to, not leg by leg. */
  readonly marginTogether: boolean
  /** How limits judge its orders, when they do nothing but close what is held. One that can't be an order is then refused alone. */
  readonly closing?: Closing
}

/** What became of one leg. */
export type LegOutcome =
  | { readonly kind: 'placed'; readonly leg: Leg; readonly report: OrderReport }
  /** By a limit or by the venue; `orderId` when it stands in the book as rejected, `cause` when the next would, too. */
  | {
      readonly kind: 'refused'
      readonly leg: Leg
      readonly refusal: Refusal
      readonly orderId: string | undefined
      readonly cause?: LastingCause | undefined
    }
  | { readonly kind: 'not-sent'; readonly leg: Leg; readonly reason: string }

/** The order of a plan that is one. Throws why there is none. */
export function placedReport(outcome: LegOutcome | undefined): OrderReport {
  assert(outcome !== undefined, 'a plan of one order has one outcome')
  if (outcome.kind === 'placed') return outcome.report
  throw outcome.kind === 'refused' ? outcome.refusal : new Refusal('order_rejected', outcome.reason)
}
