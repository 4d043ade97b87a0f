import Type from 'typebox'
import { toNumber, ZERO_QUANTITY } from '../../kernel/fixed.ts'
import { placedReport } from '../../trading/plan.ts'
import { effectivePosition, smartPlan } from '../../trading/plans/smart.ts'
import { quantity } from '../number-fields.ts'
import { defineOperation } from '../operation.ts'
import { missingPrices, orderFields, strategy, VAIN_ORDER_FIELDS } from './order-fields.ts'
import { orderRequestOf } from './order-request.ts'
import { queuedFields } from './order-rows.ts'
import { mode } from './wire.ts'

export const placesmartorder = defineOperation({
  name: 'placesmartorder',
  method: 'POST',
  tag: 'Orders',
  summary: 'Bring a position to a size',
  description:
    'Places the one order that brings the position to `position_size`, or none when it is there. `action` and `quantity` count only when nothing is held and `position_size` is 0: then they are an entry. Signals of one symbol and product are taken one after the other, and what earlier ones still have working counts as held: the same signal ten times over is one order. `action` and `quantity` of the answer are those of the order.',
  access: 'trade',
  rateClass: 'smart-order',
  writesIntent: true,
  inSemiAuto: 'queue',
  input: {
    strategy,
    ...orderFields,
    quantity: quantity({ sign: 'non-negative', description: 'Units of an entry; 0 for none.', example: 0 }),
    position_size: quantity({
      noun: 'Position size',
      sign: 'any',
      description: 'Position that is wanted; negative is short.',
      example: 10,
    }),
  },
  ignored: VAIN_ORDER_FIELDS,
  check: missingPrices,
  output: Type.Object({
    ...queuedFields,
    action: Type.Optional(Type.String()),
    mode: Type.Union([mode, Type.Literal('semi_auto')]),
    orderid: Type.Optional(Type.String({ description: 'Absent when no order was needed.' })),
    quantity: Type.Optional(Type.Number()),
    status: Type.Literal('success'),
  }),
  example: {
    strategy: 'my-strategy',
    exchange: 'NSE',
    symbol: 'SBIN',
    action: 'BUY',
    quantity: 0,
    position_size: 10,
    pricetype: 'MARKET',
    product: 'MIS',
  },
  refusals: ['symbol_not_found', 'order_rejected', 'account_stopped'],
  beforeQueue(input, account, services) {
    const order = orderRequestOf(input, input.strategy)
    if (input.quantity > ZERO_QUANTITY) services.trading.checkOrder(account, order)
    else services.trading.checkSymbol(order)
  },
  handle(input, { account, caller, services, visit, orderTag }) {
    const { symbol, exchange, product } = input
    const order = orderRequestOf(input, input.strategy)
    return services.orders.run({
      account,
      caller,
      visit,
      orderTag,
      position: { symbol, exchange, product },
      async expand() {
        services.trading.checkSymbol(order)
        const standing = await services.trading.standing(account, order)
        return smartPlan(order, effectivePosition(standing), input.position_size)
      },
      answer({ decision }, [outcome]) {
        const { mode } = services.trading.venue(account)
        if (outcome === undefined) {
          const message =
            decision === 'matched'
              ? 'Positions Already Matched. No Action needed.'
              : 'No OpenPosition Found. Not placing Exit order.'
          return { message, mode, status: 'success' as const }
        }
        const { id, action, quantity } = placedReport(outcome)
        return { action, mode, orderid: id, quantity: toNumber.quantity(quantity), status: 'success' as const }
      },
    })
  },
})
