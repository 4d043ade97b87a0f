import Type from 'typebox'
import { assert } from '../../kernel/assert.ts'
import { Refusal } from '../../kernel/errors.ts'
import { type Quantity, toNumber, ZERO_PRICE, ZERO_QUANTITY } from '../../kernel/fixed.ts'
import { type OptionOrder, optionsOrderPlan, refuseTooManyPieces } from '../../trading/plans/options-order.ts'
import { PIECES_MAX, pieceCount } from '../../trading/plans/pieces.ts'
import { list, object, type ValueOf } from '../field.ts'
import { defineOperation } from '../operation.ts'
import { choice } from '../text-fields.ts'
import {
  expiryDate,
  offset,
  optionProduct,
  optionQuantity,
  optionType,
  RESOLUTION_REFUSALS,
  splitSize,
  strikeInterval,
  underlying,
  underlyingExchange,
} from './option-fields.ts'
import { type LegInput, legRow, legRowOf, OPTION_LEGS_MAX, planLegs } from './option-legs.ts'
import {
  action,
  disclosedQuantity,
  limitPrice,
  missingPrices,
  priceType,
  strategy,
  triggerPrice,
} from './order-fields.ts'
import { pieceRow, pieceRowOf, queuedFields, unlessQueued } from './order-rows.ts'
import { mode } from './wire.ts'

/** What is ordered of an option, alone or as a leg. */
const orderFields = {
  offset,
  option_type: optionType,
  action,
  quantity: optionQuantity,
  splitsize: splitSize,
  pricetype: priceType.optional('MARKET', 'MARKET'),
  product: optionProduct.optional('MIS', 'MIS'),
  price: limitPrice.optional(ZERO_PRICE, 0),
  trigger_price: triggerPrice.optional(ZERO_PRICE, 0),
  disclosed_quantity: disclosedQuantity.optional(ZERO_QUANTITY, 0),
} as const

/** Which options are meant. */
const seriesFields = {
  strategy,
  underlying,
  exchange: underlyingExchange,
  expiry_date: expiryDate,
  strike_int: strikeInterval,
} as const

const orderOf = (input: ValueOf<typeof orderFields>, strategyName: string, tag: string | undefined): OptionOrder => ({
  action: input.action,
  quantity: input.quantity,
  splitSize: input.splitsize,
  priceType: input.pricetype,
  product: input.product,
  price: input.price,
  triggerPrice: input.trigger_price,
  disclosedQuantity: input.disclosed_quantity,
  strategy: strategyName,
  tag,
})

/** How many orders it is sent as. One of more pieces than there may be is refused later, and in other words. */
const ordersOf = (input: { quantity: Quantity; splitsize: Quantity }): number =>
  Math.min(PIECES_MAX, pieceCount(input.quantity, input.splitsize))

const RESOLUTION =
  'Of the strikes that are listed, the one nearest to the last price of the underlying is at the money (of two that are equally near, the lower). The price is that of the index or share; for commodities and currencies that of the future which expires with the options or next after them, or which `underlying` names; for coins that of the perpetual. While its exchange is open, a price that is older than 10 seconds is refused.'

export const optionsorder = defineOperation({
  name: 'optionsorder',
  method: 'POST',
  tag: 'Orders',
  summary: 'Order an option by its offset from the money',
  description: `${RESOLUTION} With \`splitsize\` the order is sent in pieces, one after the other; after a refusal whose cause would repeat, the rest is not sent.`,
  access: 'trade',
  rateClass: 'order',
  writesIntent: true,
  inSemiAuto: 'queue',
  cost: ordersOf,
  input: { ...seriesFields, ...orderFields },
  check: missingPrices,
  output: Type.Object({
    ...queuedFields,
    exchange: unlessQueued(Type.String()),
    mode: Type.Union([mode, Type.Literal('semi_auto')]),
    offset: unlessQueued(Type.String()),
    option_type: unlessQueued(Type.String()),
    orderid: Type.Optional(Type.String({ description: 'Absent when the order was split.' })),
    results: Type.Optional(Type.Array(pieceRow)),
    split_size: Type.Optional(Type.Number()),
    status: Type.Literal('success'),
    symbol: unlessQueued(Type.String()),
    total_quantity: Type.Optional(Type.Number()),
    underlying: unlessQueued(Type.String()),
    underlying_ltp: unlessQueued(Type.Number({ description: 'Price by which the strike was chosen.' })),
  }),
  example: {
    strategy: 'my-strategy',
    underlying: 'NIFTY',
    exchange: 'NSE_INDEX',
    expiry_date: '25AUG26',
    offset: 'ATM',
    option_type: 'CE',
    action: 'BUY',
    quantity: 65,
    pricetype: 'MARKET',
    product: 'NRML',
  },
  refusals: [...RESOLUTION_REFUSALS, 'too_many_orders', 'order_rejected', 'account_stopped'],
  beforeQueue(input, _account, { options }) {
    refuseTooManyPieces({ quantity: input.quantity, splitSize: input.splitsize })
    options.series({ underlying: input.underlying, exchange: input.exchange, expiry: input.expiry_date })
  },
  handle(input, { account, caller, services, visit, orderTag }) {
    const { options, orders, trading } = services
    return orders.run({
      account,
      caller,
      visit,
      orderTag,
      async expand() {
        const { option, underlyingPrice } = await options.resolve(
          { underlying: input.underlying, exchange: input.exchange, expiry: input.expiry_date },
          { offset: input.offset.offset, type: input.option_type, strikeInterval: input.strike_int },
        )
        return { ...optionsOrderPlan(orderOf(input, input.strategy, orderTag), option), underlyingPrice }
      },
      answer({ underlyingPrice }, outcomes) {
        const [first] = outcomes
        assert(first !== undefined, 'an order is at least one leg')
        const common = {
          exchange: first.leg.order.exchange,
          mode: trading.venue(account).mode,
          offset: input.offset.text,
          option_type: input.option_type,
          status: 'success' as const,
          symbol: first.leg.order.symbol,
          underlying: input.underlying,
          underlying_ltp: toNumber.price(underlyingPrice),
        }
        if (input.splitsize > 0) {
          return {
            ...common,
            results: outcomes.map((outcome, index) => pieceRowOf(index, outcome)),
            split_size: toNumber.quantity(input.splitsize),
            total_quantity: toNumber.quantity(input.quantity),
          }
        }
        if (first.kind === 'placed') return { ...common, orderid: first.report.id }
        throw first.kind === 'refused' ? first.refusal : new Refusal('order_rejected', first.reason)
      },
    })
  },
})

const multiInput = {
  ...seriesFields,
  legs: list(object({ ...orderFields, expiry_date: expiryDate }, { check: missingPrices }), {
    min: 1,
    max: OPTION_LEGS_MAX,
    noun: 'Legs',
    description: 'Options to order. `expiry_date` of a leg wins over the common one.',
  }),
  on_leg_failure: choice(['stop', 'continue'], {
    description: 'What a leg that fails means for the others.',
  }).optional('stop', 'stop'),
} as const

export const optionsmultiorder = defineOperation({
  name: 'optionsmultiorder',
  method: 'POST',
  tag: 'Orders',
  summary: 'Order several options of one underlying',
  description: `${RESOLUTION} BUY legs are sent first, then SELL legs, each in the order of the request; \`results\` are in the order of the request. A SELL leg is not sent when a BUY leg that was to hedge it failed: one of the same option type that doesn't expire before it, as far as its quantity isn't needed for SELL legs before. With \`on_leg_failure\` \`stop\`, the legs are one thing: a leg without an option, or that is no order the exchange would ever take, refuses the request before anything is sent, margin is judged on all together, and after a refused leg nothing more is sent. With \`continue\`, each leg stands for itself.`,
  access: 'trade',
  rateClass: 'order',
  writesIntent: true,
  inSemiAuto: 'queue',
  input: multiInput,
  output: Type.Object({
    ...queuedFields,
    mode: Type.Union([mode, Type.Literal('semi_auto')]),
    results: unlessQueued(Type.Array(legRow)),
    status: Type.Literal('success'),
    underlying: unlessQueued(Type.String()),
    underlying_ltp: unlessQueued(
      Type.Union([Type.Number(), Type.Null()], {
        description: 'Price by which the strikes were chosen; of the first leg, where legs have different ones.',
      }),
    ),
  }),
  example: {
    strategy: 'my-strategy',
    underlying: 'NIFTY',
    exchange: 'NSE_INDEX',
    expiry_date: '25AUG26',
    legs: [
      { offset: 'OTM4', option_type: 'CE', action: 'BUY', quantity: 65, product: 'NRML' },
      { offset: 'OTM2', option_type: 'CE', action: 'SELL', quantity: 65, product: 'NRML' },
    ],
  },
  refusals: [...RESOLUTION_REFUSALS, 'too_many_orders', 'order_rejected', 'account_stopped'],
  refusalStatus: { option_not_found: 400 },
  beforeQueue(input, _account, { options }) {
    if (input.on_leg_failure === 'continue') return
    for (const leg of legsOf(input, undefined)) options.series(leg.series)
  },
  handle(input, { account, caller, services, visit, orderTag }) {
    const { options, orders, trading } = services
    return orders.run({
      account,
      caller,
      visit,
      orderTag,
      expand: () =>
        planLegs(options, (order) => trading.checkOrder(account, order), legsOf(input, orderTag), input.on_leg_failure),
      answer(plan, outcomes) {
        const { mode } = trading.venue(account)
        const byPosition = new Map(outcomes.map((outcome) => [outcome.leg.position, outcome]))
        return {
          mode,
          results: plan.inputs.map((_, index) => legRowOf(plan, index, byPosition, mode)),
          status: 'success' as const,
          underlying: input.underlying,
          underlying_ltp: plan.underlyingPrice === undefined ? null : toNumber.price(plan.underlyingPrice),
        }
      },
    })
  },
})

function legsOf(input: ValueOf<typeof multiInput>, tag: string | undefined): LegInput[] {
  const { underlying, exchange, strategy } = input
  return input.legs.map((leg) => ({
    series: { underlying, exchange, expiry: leg.expiry_date ?? input.expiry_date },
    choice: { offset: leg.offset.offset, type: leg.option_type, strikeInterval: input.strike_int },
    typedOffset: leg.offset.text,
    order: orderOf(leg, strategy, tag),
  }))
}
