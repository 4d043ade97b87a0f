import Type from 'typebox'
import { basketPlan } from '../../trading/plans/basket.ts'
import { list, object } from '../field.ts'
import { defineOperation } from '../operation.ts'
import { missingPrices, orderFields, strategy } from './order-fields.ts'
import { orderRequestOf } from './order-request.ts'
import { outcomeFields, outcomeRow, queuedFields, unlessQueued } from './order-rows.ts'
import { mode } from './wire.ts'

/** Orders of one basket. */
export const BASKET_ORDERS_MAX = 100

export const basketorder = defineOperation({
  name: 'basketorder',
  method: 'POST',
  tag: 'Orders',
  summary: 'Place several orders as one thing',
  description:
    'Nothing is sent unless every order could be one. BUY orders come first, then SELL orders, each in the order of the request, and margin is judged on what all of them lead to: where it does not suffice, none is taken. `results` are in the order of the request; `index` counts them from 0. The answer is 200 whatever became of each: look at its `status`.',
  access: 'trade',
  rateClass: 'order',
  writesIntent: true,
  inSemiAuto: 'queue',
  cost: ({ orders }) => Math.max(1, orders.length),
  input: {
    strategy,
    orders: list(object(orderFields, { check: missingPrices }), {
      min: 0,
      max: BASKET_ORDERS_MAX,
      noun: 'Orders',
      description: 'What placeorder takes, without `strategy`.',
    }),
  },
  output: Type.Object({
    ...queuedFields,
    mode: Type.Union([mode, Type.Literal('semi_auto')]),
    results: unlessQueued(
      Type.Array(
        Type.Object({
          batch_order: Type.Optional(Type.Boolean()),
          exchange: Type.String(),
          index: Type.Integer(),
          is_last_order: Type.Optional(Type.Boolean()),
          product: Type.String(),
          symbol: Type.String(),
          ...outcomeFields,
        }),
      ),
    ),
    status: Type.Literal('success'),
  }),
  example: {
    strategy: 'my-strategy',
    orders: [
      { exchange: 'NSE', symbol: 'BHEL', action: 'BUY', quantity: 1 },
      { exchange: 'NSE', symbol: 'ITC', action: 'SELL', quantity: 1 },
    ],
  },
  refusals: ['account_stopped'],
  handle(input, { account, caller, services, visit, orderTag }) {
    return services.orders.run({
      account,
      caller,
      visit,
      orderTag,
      expand: () => basketPlan(input.orders.map((order) => orderRequestOf(order, input.strategy))),
      answer: (_plan, outcomes) => ({
        mode: services.trading.venue(account).mode,
        results: outcomes.map((outcome, index) => ({
          ...(outcome.kind === 'placed' ? { batch_order: true, is_last_order: index === outcomes.length - 1 } : {}),
          exchange: outcome.leg.order.exchange,
          index,
          product: outcome.leg.order.product,
          symbol: outcome.leg.order.symbol,
          ...outcomeRow(outcome),
        })),
        status: 'success' as const,
      }),
    })
  },
})
