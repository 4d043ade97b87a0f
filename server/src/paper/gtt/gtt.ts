import type { GttDirection, GttKind, GttLegStatus, GttPriceType, GttStatus } from '../../brokers/gtt.ts'
import { DAY_MS } from '../../kernel/exchange-time.ts'
import type { Money, Price, Quantity } from '../../kernel/fixed.ts'
import type { Action, InstrumentFacts, MarginTerms, Product } from '../order.ts'

/** Longest that one may wait, and how long it waits unless it says otherwise. */
export const GTT_LIFE_MAX_MS = 365 * DAY_MS
/** Most that may wait at once in one account: the market is compared with each of them. */
export const ACTIVE_GTTS_MAX = 1_000
/** Most that an account may have, active or ended in this session: they are kept in memory until it ends. */
export const SESSION_GTTS_MAX = 20_000

export interface GttLeg {
  readonly direction: GttDirection
  readonly triggerPrice: Price
  /** Limit of the order that is placed; of no effect for MARKET. */
  readonly price: Price
  readonly status: GttLegStatus
}

/** An order that waits, over sessions, for a price. It places at most one order, ever. */
export interface Gtt {
  readonly id: string
  readonly kind: GttKind
  readonly instrument: InstrumentFacts
  readonly action: Action
  readonly product: Product
  readonly strategy: string
  readonly tag?: string | undefined
  /** Last price when it was placed; 0 when there was none. */
  readonly lastPrice: Price
  readonly placedAt: number
  readonly expiresAt: number
  quantity: Quantity
  priceType: GttPriceType
  terms: MarginTerms
  /** One, or the lower and the upper. */
  legs: readonly GttLeg[]
  status: GttStatus
  /** Reserved while it waits. */
  margin: Money
  /** Why it was rejected, or ended by the exchange; empty otherwise. */
  reason: string
  /** Of the order that it placed; empty before. */
  orderId: string
  updatedAt: number
}

/** A date and number of 14 digits as the id of a trigger: 26112600000001 is GTT-261126-00000001. */
export const gttIdOf = (digits: string): string => `GTT-${digits.slice(0, 6)}-${digits.slice(6)}`
