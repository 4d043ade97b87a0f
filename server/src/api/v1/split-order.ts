import Type from 'typebox'
import { least, toNumber } from '../../kernel/fixed.ts'
import { PIECES_MAX, pieceCount } from '../../trading/plans/pieces.ts'
import { splitPlan } from '../../trading/plans/split.ts'
import { quantity } from '../number-fields.ts'
import { defineOperation } from '../operation.ts'
import { missingPrices, orderFields, strategy } from './order-fields.ts'
import { orderRequestOf } from './order-request.ts'
import { pieceRow, pieceRowOf, queuedFields, unlessQueued } from './order-rows.ts'
import { mode } from './wire.ts'

export const splitorder = defineOperation({
  name: 'splitorder',
  method: 'POST',
  tag: 'Orders',
  summary: 'Place an order in pieces',
  description: `Orders of \`splitsize\`, and one of what remains, at most ${PIECES_MAX}, sent one after the other; they share the first one's \`root\`. After a refusal whose cause would repeat (funds, a halt, the instrument), the rest is not sent, and each row says so. The answer is 200 whatever became of each: look at its \`status\`.`,
  access: 'trade',
  rateClass: 'order',
  writesIntent: true,
  inSemiAuto: 'queue',
  cost: (input) => Math.min(PIECES_MAX, pieceCount(input.quantity, input.splitsize)),
  input: {
    strategy,
    ...orderFields,
    splitsize: quantity({ noun: 'Split size', description: 'Quantity of each order but the last.', example: 1 }),
  },
  check: missingPrices,
  output: Type.Object({
    ...queuedFields,
    mode: Type.Union([mode, Type.Literal('semi_auto')]),
    results: unlessQueued(Type.Array(pieceRow)),
    split_size: unlessQueued(Type.Number()),
    status: Type.Literal('success'),
    total_quantity: unlessQueued(Type.Number()),
  }),
  example: {
    strategy: 'my-strategy',
    exchange: 'NSE',
    symbol: 'SBIN',
    action: 'BUY',
    quantity: 105,
    splitsize: 20,
    pricetype: 'MARKET',
    product: 'MIS',
  },
  refusals: ['symbol_not_found', 'too_many_orders', 'account_stopped'],
  beforeQueue(input, account, services) {
    const order = orderRequestOf(input, input.strategy)
    splitPlan(order, input.splitsize)
    services.trading.checkOrder(account, { ...order, quantity: least(input.quantity, input.splitsize) })
  },
  handle(input, { account, caller, services, visit, orderTag }) {
    return services.orders.run({
      account,
      caller,
      visit,
      orderTag,
      expand: () => splitPlan(orderRequestOf(input, input.strategy), input.splitsize),
      answer: (_plan, outcomes) => ({
        mode: services.trading.venue(account).mode,
        results: outcomes.map((outcome, index) => pieceRowOf(index, outcome)),
        split_size: toNumber.quantity(input.splitsize),
        status: 'success' as const,
        total_quantity: toNumber.quantity(input.quantity),
      }),
    })
  },
})
