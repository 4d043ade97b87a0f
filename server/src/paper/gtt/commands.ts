import type { GttKind, GttPriceType, NewGttLeg } from '../../brokers/gtt.ts'
import type { ChargeTerms } from '../../charges/index.ts'
import type { Price, Quantity } from '../../kernel/fixed.ts'
import type { Book, SessionFacts } from '../command.ts'
import type { Action, InstrumentFacts, MarginTerms, Product } from '../order.ts'

export interface PlaceGttCommand {
  readonly kind: 'place-gtt'
  readonly at: number
  readonly gttId: string
  readonly gttKind: GttKind
  readonly instrument: InstrumentFacts
  readonly action: Action
  readonly product: Product
  readonly quantity: Quantity
  readonly priceType: GttPriceType
  readonly legs: readonly NewGttLeg[]
  readonly expiresAt: number
  readonly strategy: string
  readonly tag?: string | undefined
  /** Why it may not be placed; absent when it may. */
  readonly denied?: string | undefined
  readonly terms: MarginTerms
  /** 0 when there is none. */
  readonly lastPrice: Price
}

import type { RiskFacts } from '../portfolio.ts'

/** Everything that can change, as a whole. */
export interface ModifyGttCommand {
  readonly kind: 'modify-gtt'
  readonly at: number
  readonly gttId: string
  readonly quantity: Quantity
  readonly priceType: GttPriceType
  readonly legs: readonly NewGttLeg[]
  readonly terms: MarginTerms
}

export interface CancelGttCommand {
  readonly kind: 'cancel-gtt'
  readonly at: number
  readonly gttId: string
}

/**
 * A quote reaches a trigger: the reservation ends and the order is placed, in one command. So whatever is killed when,
 * either all of it is in the journal or none.
 */
export interface FireGttCommand {
  readonly kind: 'fire-gtt'
  readonly at: number
  readonly gttId: string
  readonly leg: number
  readonly orderId: string
  readonly terms: MarginTerms
  /** Of the order's trades; absent when they cost nothing. */
  readonly charges?: ChargeTerms | undefined
  readonly risks?: RiskFacts | undefined
  readonly session: SessionFacts
  /** The side that the order trades against, with the last price that reached the trigger. */
  readonly book: Book
}

/** The exchange ends what has waited long enough, or can't fire any more. */
export interface ExpireGttCommand {
  readonly kind: 'expire-gtt'
  readonly at: number
  readonly gttIds: readonly string[]
  readonly reason: string
}

const GTT_COMMANDS: ReadonlySet<string> = new Set([
  'place-gtt',
  'modify-gtt',
  'cancel-gtt',
  'fire-gtt',
  'expire-gtt',
] satisfies GttCommand['kind'][])

export const isGttCommand = (command: { readonly kind: string }): command is GttCommand =>
  GTT_COMMANDS.has(command.kind)

export type GttCommand = PlaceGttCommand | ModifyGttCommand | CancelGttCommand | FireGttCommand | ExpireGttCommand
