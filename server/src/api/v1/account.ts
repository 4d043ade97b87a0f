import Type from 'typebox'
import { timestampOf } from '../../kernel/exchange-time.ts'
import { absolute, add, type Money, subtract, toNumber, ZERO_MONEY } from '../../kernel/fixed.ts'
import type { ValuedPosition } from '../../trading/valuation.ts'
import { defineOperation } from '../operation.ts'
import { exchange, product, strategy, symbol } from './order-fields.ts'
import { mode, percentOf, roundedPrice } from './wire.ts'

const success = Type.Literal('success')
const price = Type.Number()
const money = Type.Number()
const lastPrice = Type.Union([Type.Number(), Type.Null()], { description: 'null when the source has no price.' })

const sumOf = <Row>(rows: readonly Row[], amount: (row: Row) => Money): Money =>
  rows.reduce<Money>((total, row) => add(total, amount(row)), ZERO_MONEY)

const profitTotals = {
  total_pnl: money,
  total_pnl_today: money,
  total_today_realized_pnl: money,
  total_unrealized_pnl: money,
}

function profitTotalsOf(positions: readonly ValuedPosition[]) {
  const total = toNumber.money(sumOf(positions, (position) => position.profitToday))
  return {
    total_pnl: total,
    total_pnl_today: total,
    total_today_realized_pnl: toNumber.money(sumOf(positions, (position) => position.realisedToday)),
    total_unrealized_pnl: toNumber.money(sumOf(positions, (position) => position.unrealised)),
  }
}

export const positionbook = defineOperation({
  name: 'positionbook',
  method: 'POST',
  tag: 'Account',
  summary: 'Positions, open and closed today',
  description:
    '`quantity` is signed; `pnl` is what was realised today and what is unrealised now. `lot_size` is the contract multiplier.',
  access: 'read',
  rateClass: 'read',
  input: {},
  output: Type.Object({
    data: Type.Array(
      Type.Object({
        average_price: price,
        exchange: Type.String(),
        lot_size: Type.Number(),
        ltp: lastPrice,
        pnl: money,
        pnlpercent: Type.Number(),
        product: Type.String(),
        quantity: Type.Number(),
        symbol: Type.String(),
        today_realized_pnl: money,
        total_pnl_today: money,
        unrealized_pnl: money,
      }),
    ),
    mode,
    status: success,
    ...profitTotals,
  }),
  example: {},
  async handle(_input, { account, services }) {
    const positions = await services.trading.positions(account)
    return {
      data: positions.map((position) => ({
        average_price: roundedPrice(position.averagePrice, position.exchange),
        exchange: position.exchange,
        lot_size: toNumber.multiplier(position.multiplier),
        ltp: position.ltp === undefined ? null : toNumber.price(position.ltp),
        pnl: toNumber.money(position.profitToday),
        pnlpercent: percentOf(position.profitToday, absolute(position.cost)),
        product: position.product,
        quantity: toNumber.quantity(position.quantity),
        symbol: position.symbol,
        today_realized_pnl: toNumber.money(position.realisedToday),
        total_pnl_today: toNumber.money(position.profitToday),
        unrealized_pnl: toNumber.money(position.unrealised),
      })),
      mode: services.trading.venue(account).mode,
      status: 'success' as const,
      ...profitTotalsOf(positions),
    }
  },
})

export const pnlsymbols = defineOperation({
  name: 'pnl/symbols',
  method: 'POST',
  tag: 'Account',
  summary: "Today's profit and loss of each position",
  description:
    'Realised today and unrealised now, of positions open or closed today; the totals are the sums of the rows, to the paisa. Profit on shares sold from holdings counts to the delivery position of their symbol.',
  access: 'read',
  rateClass: 'read',
  input: {},
  output: Type.Object({
    data: Type.Array(
      Type.Object({
        exchange: Type.String(),
        pnl: money,
        product: Type.String(),
        quantity: Type.Number(),
        symbol: Type.String(),
        today_realized_pnl: money,
        total_pnl_today: money,
        unrealized_pnl: money,
      }),
    ),
    mode,
    status: success,
    ...profitTotals,
  }),
  example: {},
  async handle(_input, { account, services }) {
    const positions = await services.trading.positions(account)
    return {
      data: positions.map((position) => ({
        exchange: position.exchange,
        pnl: toNumber.money(position.profitToday),
        product: position.product,
        quantity: toNumber.quantity(position.quantity),
        symbol: position.symbol,
        today_realized_pnl: toNumber.money(position.realisedToday),
        total_pnl_today: toNumber.money(position.profitToday),
        unrealized_pnl: toNumber.money(position.unrealised),
      })),
      mode: services.trading.venue(account).mode,
      status: 'success' as const,
      ...profitTotalsOf(positions),
    }
  },
})

export const openposition = defineOperation({
  name: 'openposition',
  method: 'POST',
  tag: 'Account',
  summary: 'Quantity of one position',
  description: 'Signed; 0 when there is no such position.',
  access: 'read',
  rateClass: 'read',
  input: { strategy, symbol, exchange, product },
  output: Type.Object({ mode, quantity: Type.Number(), status: success }),
  example: { strategy: 'my-strategy', symbol: 'SBIN', exchange: 'NSE', product: 'MIS' },
  async handle(input, { account, services }) {
    const quantity = await services.trading.openQuantity(account, input.symbol, input.exchange, input.product)
    return {
      mode: services.trading.venue(account).mode,
      quantity: toNumber.quantity(quantity),
      status: 'success' as const,
    }
  },
})

export const holdings = defineOperation({
  name: 'holdings',
  method: 'POST',
  tag: 'Account',
  summary: 'Shares held for delivery',
  description: 'Bought shares arrive here on the next trading day; sold ones leave at once.',
  access: 'read',
  rateClass: 'read',
  input: {},
  output: Type.Object({
    data: Type.Object({
      holdings: Type.Array(
        Type.Object({
          average_price: price,
          current_value: money,
          exchange: Type.String(),
          ltp: lastPrice,
          pnl: money,
          pnlpercent: Type.Number(),
          product: Type.Literal('CNC'),
          quantity: Type.Number(),
          settlement_date: Type.String(),
          symbol: Type.String(),
        }),
      ),
      statistics: Type.Object({
        totalholdingvalue: money,
        totalinvvalue: money,
        totalpnlpercentage: Type.Number(),
        totalprofitandloss: money,
      }),
    }),
    mode,
    status: success,
  }),
  example: {},
  async handle(_input, { account, services }) {
    const held = await services.trading.holdings(account)
    const value = sumOf(held, (holding) => holding.value)
    const cost = sumOf(held, (holding) => holding.cost)
    return {
      data: {
        holdings: held.map((holding) => ({
          average_price: roundedPrice(holding.averagePrice, holding.exchange),
          current_value: toNumber.money(holding.value),
          exchange: holding.exchange,
          ltp: holding.ltp === undefined ? null : toNumber.price(holding.ltp),
          pnl: toNumber.money(holding.profit),
          pnlpercent: percentOf(holding.profit, holding.cost),
          product: 'CNC' as const,
          quantity: toNumber.quantity(holding.quantity),
          settlement_date: holding.settledOn,
          symbol: holding.symbol,
        })),
        statistics: {
          totalholdingvalue: toNumber.money(value),
          totalinvvalue: toNumber.money(cost),
          totalpnlpercentage: percentOf(subtract(value, cost), cost),
          totalprofitandloss: toNumber.money(subtract(value, cost)),
        },
      },
      mode: services.trading.venue(account).mode,
      status: 'success' as const,
    }
  },
})

export const funds = defineOperation({
  name: 'funds',
  method: 'POST',
  tag: 'Account',
  summary: 'Cash, margin and profit',
  description:
    '`availablecash` + `utiliseddebits` = capital + `total_realized_pnl` − cost of holdings, to the paisa. `utiliseddebits` is what orders and positions block.',
  access: 'read',
  rateClass: 'read',
  input: {},
  output: Type.Object({
    data: Type.Object({
      availablecash: money,
      collateral: money,
      grossexposure: money,
      last_reset: Type.String(),
      m2mrealized: money,
      m2munrealized: money,
      reset_count: Type.Integer(),
      today_realized_pnl: money,
      total_realized_pnl: money,
      totalpnl: money,
      utiliseddebits: money,
    }),
    mode,
    status: success,
  }),
  example: {},
  async handle(_input, { account, services }) {
    const [funds, positions] = [
      await services.trading.venue(account).funds(),
      await services.trading.positions(account),
    ]
    const unrealised = sumOf(positions, (position) => position.unrealised)
    return {
      data: {
        availablecash: toNumber.money(funds.available),
        collateral: 0,
        grossexposure: toNumber.money(funds.reserved),
        last_reset: timestampOf(funds.resetAt),
        m2mrealized: toNumber.money(funds.realisedToday),
        m2munrealized: toNumber.money(unrealised),
        reset_count: funds.resetCount,
        today_realized_pnl: toNumber.money(funds.realisedToday),
        total_realized_pnl: toNumber.money(funds.realised),
        totalpnl: toNumber.money(add(funds.realised, unrealised)),
        utiliseddebits: toNumber.money(funds.reserved),
      },
      mode: services.trading.venue(account).mode,
      status: 'success' as const,
    }
  },
})
