import Type from 'typebox'
import { add, greatest, subtract, toNumber, ZERO_MONEY } from '../../kernel/fixed.ts'
import { defineOperation } from '../operation.ts'
import { orderRequestsOf, positions } from './position-fields.ts'
import { mode } from './wire.ts'

const rupees = Type.Number()

export const margin = defineOperation({
  name: 'margin',
  method: 'POST',
  tag: 'Account',
  summary: 'What the venue would block for positions together',
  description:
    'On paper: exactly what is blocked on top when these orders are placed as a basket on the same market, purchases first, together with what the account holds and has working. `span_margin` comes from scenarios of price and volatility, `exposure_margin` from the rest; they add up to `total_margin_required`, which is 0 when the orders free more than they need (`margin_change` has the sign). `margin_benefit` is what each alone would block less what they block together. Nothing is placed.',
  access: 'read',
  rateClass: 'read',
  input: { positions },
  output: Type.Object({
    data: Type.Object({
      available: rupees,
      blocked_now: rupees,
      exposure_margin: rupees,
      margin_benefit: rupees,
      margin_change: rupees,
      positions: Type.Array(
        Type.Object({
          action: Type.String(),
          exchange: Type.String(),
          margin: rupees,
          product: Type.String(),
          quantity: Type.Number(),
          symbol: Type.String(),
        }),
      ),
      span_margin: rupees,
      total_margin_required: rupees,
    }),
    mode,
    status: Type.Literal('success'),
  }),
  example: {
    positions: [
      {
        symbol: 'SBIN',
        exchange: 'NSE',
        action: 'BUY',
        quantity: '10',
        product: 'MIS',
        pricetype: 'MARKET',
        price: '0',
      },
    ],
  },
  refusals: ['symbol_not_found', 'order_rejected', 'quote_unavailable', 'not_implemented'],
  async handle(input, { account, services }) {
    const report = await services.trading.margin(account, orderRequestsOf(input.positions))
    const { blocked, exposure, alone, reserved, available } = report
    const total = greatest(ZERO_MONEY, blocked)
    const separately = alone.reduce((sum, one) => add(sum, one), ZERO_MONEY)
    return {
      data: {
        available: toNumber.money(available),
        blocked_now: toNumber.money(reserved),
        exposure_margin: toNumber.money(exposure),
        margin_benefit: toNumber.money(greatest(ZERO_MONEY, subtract(separately, blocked))),
        margin_change: toNumber.money(blocked),
        positions: input.positions.map(({ action, exchange, product, quantity, symbol }, index) => ({
          action,
          exchange,
          margin: toNumber.money(alone[index] ?? ZERO_MONEY),
          product,
          quantity: toNumber.quantity(quantity),
          symbol,
        })),
        span_margin: toNumber.money(subtract(total, exposure)),
        total_margin_required: toNumber.money(total),
      },
      mode: services.trading.venue(account).mode,
      status: 'success' as const,
    }
  },
})
