import { Refusal } from '../../kernel/errors.ts'
import type { ExchangeDate } from '../../kernel/exchange-time.ts'
import { least, type Quantity, subtract } from '../../kernel/fixed.ts'
import type { Instrument } from '../../market/instrument.ts'
import type { OptionType } from '../../market/option-chain-index.ts'
import { type Leg, PLAN_LEGS_MAX, type Plan } from '../plan.ts'
import { type OptionOrder, pieceOf } from './options-order.ts'
import { piecesOf } from './pieces.ts'

export type OnLegFailure = 'stop' | 'continue'

/** One leg of a request, all on options of one underlying. */
export interface OptionLeg {
  readonly order: OptionOrder
  readonly type: OptionType
  /** Undefined when the request doesn't tell. */
  readonly expiry: ExchangeDate | undefined
  /** Undefined when there is no such option: the leg can't be sent. */
  readonly option: Instrument | undefined
}

/** One order of a leg: the whole of it, or a piece. */
export interface OptionPiece {
  readonly quantity: Quantity
  /** Place of its order in the plan; undefined when it isn't sent. */
  readonly position: number | undefined
  /** Indices of legs that can't be sent and were to hedge this one. */
  readonly unhedgedBy: readonly number[]
}

export interface OptionsMultiPlan extends Plan {
  /** Of each leg, in the order of the request; empty when it can't be sent. */
  readonly pieces: readonly (readonly OptionPiece[])[]
}

/** What is left of a purchase to hedge sales with. */
interface Hedge {
  readonly leg: number
  readonly position: number | undefined
  readonly type: OptionType
  readonly expiry: ExchangeDate | undefined
  left: Quantity
}

/**
 * BUY legs in the order of the request, then SELL legs. A sale needs the purchases that hedge it: those of the same type
 * (all are of one underlying) that don't expire before it, first those of its own expiry, each in the order of the
 * request, as far as their quantity isn't spoken for by a sale before. A purchase that covers a part of a sale hedges it
 * too. So a sale is never sent with less cover than the request gave it.
 *
 * With `stop` the legs are one thing: margin is judged on all together, and nothing is sent after a refusal. With
 * `continue` each stands for itself, and its margin is judged when its turn comes: of the whole, parts may be missing.
 *
 * Pieces of each leg are at most PIECES_MAX, which callers see to. Throws too_many_orders when the legs come to more
 * than PLAN_LEGS_MAX orders.
 */
export function optionsMultiOrderPlan(legs: readonly OptionLeg[], onLegFailure: OnLegFailure): OptionsMultiPlan {
  const pieces: OptionPiece[][] = legs.map(() => [])
  const ordered: Leg[] = []
  const hedges: Hedge[] = []
  const send = (order: OptionOrder, option: Instrument, piece: Quantity, needs?: readonly number[]): number => {
    const position = ordered.length
    if (position >= PLAN_LEGS_MAX)
      throw new Refusal(
        'too_many_orders',
        `The legs come to more than ${PLAN_LEGS_MAX} orders, the most of one request. Use larger splitsizes or fewer legs.`,
      )
    const leg = { position, order: pieceOf(order, option, piece) }
    ordered.push(needs === undefined || needs.length === 0 ? leg : { ...leg, needs })
    return position
  }

  for (const [index, { order, type, expiry, option }] of legs.entries()) {
    if (order.action !== 'BUY') continue
    if (option === undefined) {
      hedges.push({ leg: index, position: undefined, type, expiry, left: order.quantity })
      continue
    }
    for (const piece of piecesOf(order.quantity, order.splitSize)) {
      const position = send(order, option, piece)
      pieces[index]?.push({ quantity: piece, position, unhedgedBy: [] })
      hedges.push({ leg: index, position, type, expiry: option.expiry, left: piece })
    }
  }

  for (const [index, { order, type, option }] of legs.entries()) {
    if (order.action !== 'SELL' || option === undefined) continue
    for (const piece of piecesOf(order.quantity, order.splitSize)) {
      const cover = takeCover(hedges, type, option.expiry, piece)
      const missing = cover.filter(({ position }) => position === undefined).map(({ leg }) => leg)
      const needs = cover.flatMap(({ position }) => (position === undefined ? [] : [position]))
      const position = missing.length > 0 ? undefined : send(order, option, piece, needs)
      pieces[index]?.push({ quantity: piece, position, unhedgedBy: missing })
    }
  }
  const stop = onLegFailure === 'stop'
  return { legs: ordered, onRefusal: stop ? 'stop' : 'continue', marginTogether: stop && ordered.length > 1, pieces }
}

/** Purchases that cover a sale of that quantity, which is taken from them. */
function takeCover(
  hedges: readonly Hedge[],
  type: OptionType,
  expiry: ExchangeDate | undefined,
  wanted: Quantity,
): Hedge[] {
  const own = hedges.filter((hedge) => hedge.type === type && hedge.expiry === expiry)
  const later = hedges.filter(
    (hedge) => hedge.type === type && hedge.expiry !== expiry && (hedge.expiry ?? '9999') > (expiry ?? ''),
  )
  const used: Hedge[] = []
  let left = wanted
  for (const hedge of [...own, ...later]) {
    const taken = least(hedge.left, left)
    if (taken === 0) continue
    hedge.left = subtract(hedge.left, taken)
    left = subtract(left, taken)
    used.push(hedge)
  }
  return used
}
