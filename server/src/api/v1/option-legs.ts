import Type, { type Static } from 'typebox'
import { assert } from '../../kernel/assert.ts'
import { Refusal } from '../../kernel/errors.ts'
import { formatQuantity, type Price, toNumber } from '../../kernel/fixed.ts'
import type { Instrument } from '../../market/instrument.ts'
import { type OptionResolver, type OptionWanted, offsetText, parseUnderlying } from '../../options/index.ts'
import type { LegOutcome } from '../../trading/plan.ts'
import {
  type OnLegFailure,
  type OptionPiece,
  type OptionsMultiPlan,
  optionsMultiOrderPlan,
} from '../../trading/plans/options-multi-order.ts'
import { type OptionOrder, pieceOf } from '../../trading/plans/options-order.ts'
import { PIECES_MAX, pieceCount, piecesOf } from '../../trading/plans/pieces.ts'
import type { OrderRequest } from '../../trading/trading.ts'
import { NOT_SENT, type OutcomeRow, outcomeFields, outcomeRow, pieceRow } from './order-rows.ts'

/** Legs of one request. */
export const OPTION_LEGS_MAX = 20

export interface LegInput extends OptionWanted {
  /** As it was typed. */
  readonly typedOffset: string
  readonly order: OptionOrder
}

/** What was found for a leg. */
interface FoundLeg {
  /** Undefined when there is none. */
  readonly option: Instrument | undefined
  /** Why it can't be sent. */
  readonly refusal: Pick<Refusal, 'code' | 'message'> | undefined
  readonly underlyingPrice: Price | undefined
}

/** The orders that a request comes to, with its legs and what was found for each. */
export interface LegsPlan extends OptionsMultiPlan {
  readonly inputs: readonly LegInput[]
  readonly found: readonly FoundLeg[]
  /** Of the first leg that has one. */
  readonly underlyingPrice: Price | undefined
}

/**
 * Finds the options of the legs and plans their orders. `check` throws what makes an order impossible, whatever the
 * market does. With `stop` the refusal of the first leg that can't be sent is thrown, naming it, and those of others are
 * told as errors; with `continue` the plan leaves those legs out.
 */
export async function planLegs(
  options: OptionResolver,
  check: (order: OrderRequest) => void,
  inputs: readonly LegInput[],
  onLegFailure: OnLegFailure,
): Promise<LegsPlan> {
  const resolved = await options.resolveAll(inputs)
  const found = inputs.map((input, index): FoundLeg => {
    const each = resolved[index]
    assert(each !== undefined, 'every leg was looked for')
    const { underlyingPrice } = each
    if ('refusal' in each) return { option: undefined, refusal: plain(each.refusal), underlyingPrice }
    return { option: each.option, refusal: refusalOf(input.order, each.option, check), underlyingPrice }
  })
  if (onLegFailure === 'stop') refuseUnsendable(inputs, found)
  const legs = inputs.map(({ series, choice, order }, index) => ({
    order,
    type: choice.type,
    expiry: series.expiry ?? parseUnderlying(series.underlying).expiry,
    option: found[index]?.refusal === undefined ? found[index]?.option : undefined,
  }))
  const plan = optionsMultiOrderPlan(legs, onLegFailure)
  const underlyingPrice = found.find((each) => each.underlyingPrice !== undefined)?.underlyingPrice
  return { ...plan, inputs, found, underlyingPrice }
}

/** Why a leg can't be sent: its pieces are too many, or one of them is no order. Only the last differs in size. */
function refusalOf(order: OptionOrder, option: Instrument, check: (order: OrderRequest) => void): FoundLeg['refusal'] {
  const { quantity, splitSize } = order
  const count = pieceCount(quantity, splitSize)
  if (count > PIECES_MAX) {
    const message = `Split orders would exceed maximum limit of ${PIECES_MAX} per leg. Got ${count} from a quantity of ${formatQuantity(quantity)}; use a larger splitsize.`
    return { code: 'too_many_orders', message }
  }
  try {
    for (const piece of new Set(piecesOf(quantity, splitSize))) check(pieceOf(order, option, piece))
    return undefined
  } catch (error) {
    if (error instanceof Refusal) return plain(error)
    throw error
  }
}

const plain = ({ code, message }: Refusal): NonNullable<FoundLeg['refusal']> => ({ code, message })

function refuseUnsendable(inputs: readonly LegInput[], found: readonly FoundLeg[]): void {
  const errors = found.flatMap(({ refusal }, index) =>
    refusal === undefined ? [] : [{ field: `legs[${index}]`, message: refusal.message }],
  )
  const index = found.findIndex(({ refusal }) => refusal !== undefined)
  const [refusal, input] = [found[index]?.refusal, inputs[index]]
  if (refusal === undefined || input === undefined) return
  const what = `${input.order.action} ${offsetText(input.choice.offset)} ${input.choice.type}`
  throw new Refusal(refusal.code, `Nothing was sent, because of leg ${index + 1} (${what}): ${refusal.message}`, {
    errors,
  })
}

export const legRow = Type.Object({
  action: Type.String(),
  exchange: Type.Optional(Type.String()),
  leg: Type.Integer({ description: 'Its place in the request, from 1.' }),
  mode: Type.Optional(Type.String()),
  offset: Type.String(),
  option_type: Type.String(),
  product: Type.Optional(Type.String()),
  split_results: Type.Optional(Type.Array(pieceRow)),
  split_size: Type.Optional(Type.Number()),
  symbol: Type.Optional(Type.String({ description: 'Absent when no option was found.' })),
  total_quantity: Type.Optional(Type.Number()),
  ...outcomeFields,
})
type LegRow = Static<typeof legRow>

/** What became of a leg. A split one has succeeded when any of its pieces has. */
export function legRowOf(
  plan: LegsPlan,
  index: number,
  outcomes: ReadonlyMap<number, LegOutcome>,
  mode: 'analyze' | 'live',
): LegRow {
  const [input, found, pieces = []] = [plan.inputs[index], plan.found[index], plan.pieces[index]]
  assert(input !== undefined && found !== undefined, `there is no leg ${index}`)
  const { order, choice, typedOffset } = input
  const { option, refusal } = found
  const { exchange, symbol } = option ?? {}
  const named = {
    ...(exchange === undefined || symbol === undefined ? {} : { exchange, symbol }),
    action: order.action,
    leg: index + 1,
    offset: typedOffset,
    option_type: choice.type,
  }
  if (refusal !== undefined) return { ...named, code: refusal.code, message: refusal.message, status: 'error' }

  const rows = pieces.map((piece) => pieceOutcome(plan, piece, outcomes))
  const [first] = rows
  assert(first !== undefined, 'a leg that can be sent has orders')
  const taken = rows.some(({ status }) => status === 'success')
  const row = { ...named, ...(taken ? { mode, product: order.product } : {}) }
  if (order.splitSize === 0) return { ...row, ...first }
  const split = {
    split_results: rows.map((piece, number) => ({
      order_num: number + 1,
      quantity: toNumber.quantity(pieces[number]?.quantity ?? order.quantity),
      ...piece,
    })),
    split_size: toNumber.quantity(order.splitSize),
    total_quantity: toNumber.quantity(order.quantity),
  }
  if (taken) return { ...row, ...split, status: 'success' }
  const { orderid: _, ...why } = first
  return { ...row, ...split, ...why }
}

/** What became of one order, told in terms of the request's legs. */
function pieceOutcome(plan: LegsPlan, piece: OptionPiece, outcomes: ReadonlyMap<number, LegOutcome>): OutcomeRow {
  const { position, unhedgedBy } = piece
  if (position === undefined) {
    const legs = unhedgedBy.map((leg) => `leg ${leg + 1}`).join(' and ')
    return { code: NOT_SENT, message: `Not sent: ${legs}, which was to hedge it, can't be sent.`, status: 'error' }
  }
  const outcome = outcomes.get(position)
  assert(outcome !== undefined, `order ${position} has no outcome`)
  const hedge = outcome.leg.needs?.find((needed) => outcomes.get(needed)?.kind === 'refused')
  const cause = hedge === undefined ? undefined : outcomes.get(hedge)
  if (outcome.kind !== 'not-sent' || cause?.kind !== 'refused') return outcomeRow(outcome)
  const leg = plan.pieces.findIndex((pieces) => pieces.some((each) => each.position === hedge))
  const message = `Not sent: leg ${leg + 1}, which was to hedge it, was refused: ${cause.refusal.message}`
  return { code: NOT_SENT, message, status: 'error' }
}
