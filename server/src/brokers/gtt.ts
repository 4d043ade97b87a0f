import type { Money, Price, Quantity } from '../kernel/fixed.ts'
import type { Steps } from '../kernel/steps.ts'
import type { Exchange, Instrument } from '../market/instrument.ts'
import type { Action, Alongside, Product } from './venue.ts'

/**
 * Good-till-triggered orders: they wait, over sessions, for a price and then place one order. Venues that keep them
 * offer this beside their orders.
 */
export const GTT_KINDS = ['single', 'two-leg'] as const
export const GTT_STATUSES = ['active', 'triggered', 'cancelled', 'expired', 'rejected'] as const
export const GTT_LEG_STATUSES = ['pending', 'triggered', 'cancelled'] as const
export type GttKind = (typeof GTT_KINDS)[number]
/** `triggered`: its order was taken. `rejected`: the trigger itself was refused, or the order that it placed. */
export type GttStatus = (typeof GTT_STATUSES)[number]
export type GttLegStatus = (typeof GTT_LEG_STATUSES)[number]
export type GttPriceType = 'LIMIT' | 'MARKET'
/** `below` fires when the last price is at or under the trigger, `above` when it is at or over it. */
export type GttDirection = 'below' | 'above'

export interface NewGttLeg {
  readonly direction: GttDirection
  readonly triggerPrice: Price
  /** Limit of the order that is placed; of no effect for MARKET. */
  readonly price: Price
}

export interface GttTerms {
  readonly quantity: Quantity
  readonly priceType: GttPriceType
  /** One, or two with the lower trigger (`below`) first: when one of them fires the other is cancelled. */
  readonly legs: readonly NewGttLeg[]
}

export interface NewGtt extends GttTerms {
  readonly instrument: Instrument
  readonly action: Action
  readonly product: Product
  readonly strategy: string
  /** Undefined lets the venue choose: a year from now. */
  readonly expiresAt: number | undefined
  /** Names the intent that it comes from, so that it is found again when its answer was lost. */
  readonly tag?: string | undefined
  /** Why it may not be placed. The venue then keeps it as rejected, so that it is seen, and does nothing else. */
  readonly denied?: string | undefined
}

export interface GttReport {
  readonly id: string
  readonly kind: GttKind
  readonly symbol: string
  readonly exchange: Exchange
  readonly action: Action
  readonly product: Product
  readonly quantity: Quantity
  readonly priceType: GttPriceType
  readonly legs: readonly (NewGttLeg & { readonly status: GttLegStatus })[]
  readonly status: GttStatus
  /** Why it was rejected, or ended by the venue; empty otherwise. */
  readonly reason: string
  /** Of the order that it placed; empty before. */
  readonly orderId: string
  readonly strategy: string
  readonly tag: string | undefined
  /** Last price when it was placed; 0 when there was none. */
  readonly lastPrice: Price
  readonly margin: Money
  readonly placedAt: number
  readonly updatedAt: number
  readonly expiresAt: number
}

/** Index of the leg that fires at that last price; undefined when none does. Never two: the lower is below the upper. */
export function legReached(legs: readonly NewGttLeg[], ltp: Price): number | undefined {
  const index = legs.findIndex(({ direction, triggerPrice }) =>
    direction === 'below' ? ltp <= triggerPrice : ltp >= triggerPrice,
  )
  return index < 0 ? undefined : index
}

/** Every answer is durable; `alongside` is as the venue's orders have it. All throw account_stopped once the account can't go on. */
export interface GttVenue {
  /** A refused one is a report with status `rejected` and its reason. */
  place(gtt: NewGtt, steps?: Steps, alongside?: Alongside<GttReport>): Promise<GttReport>
  /** Replaces triggers, prices, price type and quantity as a whole. Throws gtt_not_found, gtt_unchangeable. */
  modify(id: string, terms: GttTerms, steps?: Steps, alongside?: Alongside<GttReport>): Promise<GttReport>
  /** Throws gtt_not_found when it isn't active. */
  cancel(id: string, steps?: Steps, alongside?: Alongside<GttReport>): Promise<GttReport>
  /** Why it would be refused whatever the market does and the account holds; undefined when it may be taken. */
  refusalOf(gtt: NewGtt): string | undefined
  /** Active ones and those that ended in this session, oldest first. */
  all(): Promise<readonly GttReport[]>
  /** One of any session. Throws gtt_not_found. */
  find(id: string): Promise<GttReport>
  /** All with that tag, of any session. Throws when that can't be told. */
  byTag(tag: string): Promise<readonly GttReport[]>
}
