import Type from 'typebox'
import { toNumber } from '../../kernel/fixed.ts'
import type { ProfitSum } from '../../trading/strategy-book.ts'
import { text } from '../field.ts'
import { defineOperation } from '../operation.ts'
import { mode, roundedPrice } from './wire.ts'

const money = Type.Number()
const profit = { realized_pnl: money, total_pnl: money, unrealized_pnl: money }

const shownProfit = ({ realised, unrealised, total }: ProfitSum) => ({
  realized_pnl: toNumber.money(realised),
  total_pnl: toNumber.money(total),
  unrealized_pnl: toNumber.money(unrealised),
})

export const strategybook = defineOperation({
  name: 'strategybook',
  method: 'POST',
  tag: 'Account',
  summary: 'Positions, trades and profit of each strategy',
  description: `Every fill belongs to the strategy that its order named; \`""\` is what was traded without one. Each strategy has a position of its own in each symbol and product, at its own average price, as if it traded alone, also where the account's is netted with other strategies': \`total_pnl\` of all strategies is that of the account, to the paisa.

While strategies hold opposite positions, the account has realised what they have not: \`netting\` is that difference. Realised and unrealised profit of all strategies and \`netting\` are the account's, and the total of \`netting\` is 0. Profit is since the last reset and includes delivery holdings.

Square-off, closing of positions and expiry close the positions of the strategies that have them, oldest first, and what strategies then hold against each other at the same price.`,
  access: 'read',
  rateClass: 'read',
  input: {
    strategy_filter: text({ description: 'Only this strategy; `account` and `netting` stay whole.' }).optional(),
  },
  output: Type.Object({
    data: Type.Object({
      account: Type.Object(profit),
      netting: Type.Object(profit),
      strategies: Type.Array(
        Type.Object({
          ...profit,
          positions: Type.Array(
            Type.Object({
              average_price: Type.Number(),
              exchange: Type.String(),
              ltp: Type.Union([Type.Number(), Type.Null()], { description: 'null when the source has no price.' }),
              product: Type.String(),
              quantity: Type.Number({ description: 'Signed. Delivery: with holdings.' }),
              symbol: Type.String(),
              today_realized_pnl: money,
              unrealized_pnl: money,
            }),
          ),
          strategy: Type.String(),
          today_realized_pnl: money,
          today_trades: Type.Integer({ description: 'Fills; tradebook lists them.' }),
          trades: Type.Integer({ description: 'Fills since the last reset.' }),
        }),
      ),
    }),
    mode,
    status: Type.Literal('success'),
  }),
  example: {},
  async handle({ strategy_filter: wanted }, { account, services }) {
    const book = await services.trading.strategyBook(account)
    const strategies = book.strategies.filter(({ strategy }) => wanted === undefined || strategy === wanted)
    return {
      data: {
        account: shownProfit(book.account),
        netting: shownProfit(book.netting),
        strategies: strategies.map((strategy) => ({
          ...shownProfit(strategy),
          positions: strategy.positions.map((position) => ({
            average_price: roundedPrice(position.averagePrice, position.exchange),
            exchange: position.exchange,
            ltp: position.ltp === undefined ? null : toNumber.price(position.ltp),
            product: position.product,
            quantity: toNumber.quantity(position.quantity),
            symbol: position.symbol,
            today_realized_pnl: toNumber.money(position.realisedToday),
            unrealized_pnl: toNumber.money(position.unrealised),
          })),
          strategy: strategy.strategy,
          today_realized_pnl: toNumber.money(strategy.realisedToday),
          today_trades: strategy.tradesToday,
          trades: strategy.trades,
        })),
      },
      mode: services.trading.venue(account).mode,
      status: 'success' as const,
    }
  },
})
