import Type from 'typebox'
import type { Charges } from '../../charges/index.ts'
import { dateAt } from '../../kernel/exchange-time.ts'
import { toNumber } from '../../kernel/fixed.ts'
import { defineOperation } from '../operation.ts'
import { orderRequestsOf, positions } from './position-fields.ts'
import { mode } from './wire.ts'

const rupees = Type.Number()

const chargeFields = {
  brokerage: rupees,
  gst: rupees,
  sebi_fee: rupees,
  stamp_duty: rupees,
  total_charges: rupees,
  transaction_fee: rupees,
  transaction_tax: Type.Number({ description: 'Securities or commodities transaction tax.' }),
}

const chargesRow = (charges: Charges) => ({
  brokerage: toNumber.money(charges.brokerage),
  gst: toNumber.money(charges.gst),
  sebi_fee: toNumber.money(charges.sebiFee),
  stamp_duty: toNumber.money(charges.stampDuty),
  total_charges: toNumber.money(charges.total),
  transaction_fee: toNumber.money(charges.transactionFee),
  transaction_tax: toNumber.money(charges.transactionTax),
})

export const charges = defineOperation({
  name: 'charges',
  method: 'POST',
  tag: 'Account',
  summary: 'What orders cost besides their prices',
  description:
    'Brokerage as set for this server, and the taxes and fees in force today, of each order when it is filled whole at its limit, its trigger or the last price, and of all together. Each charge is rounded to the nearest paisa. With the setting PAPER_CHARGES=on paper accounts pay them as their orders trade, else nothing. Nothing is placed.',
  access: 'read',
  rateClass: 'read',
  input: { positions },
  output: Type.Object({
    data: Type.Object({
      ...chargeFields,
      date: Type.String({ description: 'Of the rates.' }),
      positions: Type.Array(
        Type.Object({
          ...chargeFields,
          action: Type.String(),
          exchange: Type.String(),
          price: Type.Number(),
          product: Type.String(),
          quantity: Type.Number(),
          segment: Type.String(),
          symbol: Type.String(),
        }),
      ),
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
        product: 'CNC',
        pricetype: 'LIMIT',
        price: '500',
      },
    ],
  },
  refusals: ['symbol_not_found', 'quote_unavailable'],
  async handle(input, { account, now, services }) {
    const date = dateAt(now)
    const { total, legs } = await services.trading.charges(orderRequestsOf(input.positions), date)
    return {
      data: {
        ...chargesRow(total),
        date,
        positions: input.positions.flatMap(({ action, exchange, product, quantity, symbol }, index) => {
          const leg = legs[index]
          if (leg === undefined) return []
          return {
            ...chargesRow(leg.charges),
            action,
            exchange,
            price: toNumber.price(leg.price),
            product,
            quantity: toNumber.quantity(quantity),
            segment: leg.segment,
            symbol,
          }
        }),
      },
      mode: services.trading.venue(account).mode,
      status: 'success' as const,
    }
  },
})
