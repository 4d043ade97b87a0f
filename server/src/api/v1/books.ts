import Type from 'typebox'
import { ORDER_STATUSES, type OrderReport, type TradeReport } from '../../brokers/venue.ts'
import { timestampOf } from '../../kernel/exchange-time.ts'
import { toNumber } from '../../kernel/fixed.ts'
import { choice, integer, text } from '../field.ts'
import { makeField, problem, shown } from '../field-type.ts'
import { asBody } from '../json-text.ts'
import { defineOperation } from '../operation.ts'
import { BookText } from './book-text.ts'
import { textOrNull } from './caller.ts'
import { exchange, symbol } from './order-fields.ts'
import { orderRow, orderRowFields } from './orders.ts'
import { instant } from './paging.ts'
import { BOOK_ROWS_MAX, mode, newestRows, omitted } from './wire.ts'

const success = Type.Literal('success')

const CURSOR = /^\d{1,20}$/

/** What a book may be asked for besides being whole. */
const filterFields = {
  symbol: symbol.optional(),
  exchange: exchange.optional(),
  strategy_filter: text({ description: 'Exactly this strategy; `""` is what was traded without one.' }).optional(),
  since: instant('What was placed, changed or traded since: epoch milliseconds, or ISO 8601 with its zone.').optional(),
  limit: integer({
    min: 1,
    max: BOOK_ROWS_MAX,
    description: 'Rows of one page at most; left out, the whole book.',
  }).optional(),
  cursor: makeField<string, string>(
    { type: 'string' },
    { description: '`next_cursor` of the page before; left out for the newest rows.' },
    (value) =>
      typeof value === 'string' && CURSOR.test(value)
        ? value
        : problem(`Not a cursor. Got ${shown(value)}; send next_cursor of the page before as it is.`),
  ).optional(),
}

const nextCursor = Type.Optional({
  ...textOrNull,
  description: 'For the next page, null at the end; only when a `limit` or a `cursor` was sent.',
})

interface Filter {
  readonly symbol: string | undefined
  readonly exchange: string | undefined
  readonly strategy_filter: string | undefined
}

const isWanted = (filter: Filter, row: { symbol: string; exchange: string; strategy: string }): boolean =>
  (filter.symbol === undefined || row.symbol === filter.symbol) &&
  (filter.exchange === undefined || row.exchange === filter.exchange) &&
  (filter.strategy_filter === undefined || row.strategy === filter.strategy_filter)

interface BookPage<Report> {
  readonly rows: readonly Report[]
  readonly omitted: number | undefined
  /** Undefined when no page was asked for. */
  readonly nextCursor: string | null | undefined
}

/** Cuts a page out of rows, newest first. */
function pageOf<Report>(
  rows: readonly Report[],
  { limit, cursor }: { limit: number | undefined; cursor: string | undefined },
  isBelow: (row: Report, cursor: string) => boolean,
  cursorOf: (row: Report) => string,
): BookPage<Report> {
  if (limit === undefined && cursor === undefined) {
    const newest = newestRows(rows)
    return { rows: newest.rows, omitted: newest.omitted, nextCursor: undefined }
  }
  const from = cursor === undefined ? 0 : rows.findIndex((row) => isBelow(row, cursor))
  const page = from < 0 ? [] : rows.slice(from, from + (limit ?? BOOK_ROWS_MAX))
  const last = page.at(-1)
  const isEnd = last === undefined || last === rows.at(-1)
  return { rows: page, omitted: undefined, nextCursor: isEnd ? null : cursorOf(last) }
}

/** Of a book that is shown whole. */
const omittedOf = (rows: readonly unknown[]): number | undefined =>
  rows.length > BOOK_ROWS_MAX ? rows.length - BOOK_ROWS_MAX : undefined

const omittedText = (count: number | undefined): string => (count === undefined ? '' : `"omitted":${count},`)
const cursorText = (cursor: string | null | undefined): string =>
  cursor === undefined ? '' : `"next_cursor":${JSON.stringify(cursor)},`

const isWhole = (input: object): boolean => Object.values(input).every((value) => value === undefined)

const orderRows = Type.Object(orderRowFields)
const orderText = new BookText<OrderReport>(orderRows, orderRow)

function statisticsText(orders: readonly OrderReport[]): string {
  const byAction = { BUY: 0, SELL: 0 }
  const byStatus = { cancelled: 0, complete: 0, open: 0, rejected: 0, 'trigger pending': 0 }
  for (const { action, status } of orders) {
    byAction[action] += 1
    byStatus[status] += 1
  }
  return JSON.stringify({
    total_buy_orders: byAction.BUY,
    total_cancelled_orders: byStatus.cancelled,
    total_completed_orders: byStatus.complete,
    total_open_orders: byStatus.open,
    total_rejected_orders: byStatus.rejected,
    total_sell_orders: byAction.SELL,
    total_trigger_pending_orders: byStatus['trigger pending'],
  })
}

export const orderbook = defineOperation({
  name: 'orderbook',
  method: 'POST',
  tag: 'Account',
  summary: "The session's orders, newest first",
  description:
    'Rejected orders with their reason included. Earlier sessions: orderstatus. Without fields the whole book; filters combine, and `statistics` counts the orders that fit them.',
  access: 'read',
  rateClass: 'read',
  input: {
    order_status: choice(ORDER_STATUSES, { description: 'Only orders of this status.' }).optional(),
    ...filterFields,
  },
  output: Type.Object({
    data: Type.Object({
      omitted,
      orders: Type.Array(orderRows),
      statistics: Type.Object({
        total_buy_orders: Type.Integer(),
        total_cancelled_orders: Type.Integer(),
        total_completed_orders: Type.Integer(),
        total_open_orders: Type.Integer(),
        total_rejected_orders: Type.Integer(),
        total_sell_orders: Type.Integer(),
        total_trigger_pending_orders: Type.Integer(),
      }),
    }),
    mode,
    next_cursor: nextCursor,
    status: success,
  }),
  example: {},
  async handle(input, { account, services }) {
    const venue = services.trading.venue(account)
    const all = await venue.orders()
    const answer = (rows: string, orders: readonly OrderReport[], page: Omit<BookPage<OrderReport>, 'rows'>) =>
      `{"data":{${omittedText(page.omitted)}"orders":${rows},"statistics":${statisticsText(orders)}},"mode":"${venue.mode}",${cursorText(page.nextCursor)}"status":"success"}`
    if (isWhole(input)) {
      const page = { omitted: omittedOf(all), nextCursor: undefined }
      return asBody(orderText.book(account, all, BOOK_ROWS_MAX, (rows) => answer(rows, all, page)))
    }
    const { order_status: status, since } = input
    const wanted = all
      .filter(
        (order) =>
          (status === undefined || order.status === status) &&
          (since === undefined || order.updatedAt >= since) &&
          isWanted(input, order),
      )
      .reverse()
    const page = pageOf(
      wanted,
      input,
      (order, cursor) => order.id.length < cursor.length || (order.id.length === cursor.length && order.id < cursor),
      (order) => order.id,
    )
    return asBody(answer(orderText.list(page.rows), wanted, page))
  },
})

/** A trade as the trade book shows it. */
export const tradeRow = (trade: TradeReport) => ({
  action: trade.action,
  average_price: toNumber.price(trade.price),
  charges: trade.charges === undefined ? undefined : toNumber.money(trade.charges),
  exchange: trade.exchange,
  orderid: trade.orderId,
  price: toNumber.price(trade.price),
  product: trade.product,
  quantity: toNumber.quantity(trade.quantity),
  strategy: trade.strategy,
  symbol: trade.symbol,
  timestamp: timestampOf(trade.at),
  trade_value: toNumber.money(trade.value),
  tradeid: trade.id,
})

const tradeRows = Type.Object({
  action: Type.String(),
  average_price: Type.Number(),
  charges: Type.Optional(
    Type.Number({ description: 'Brokerage, taxes and fees of this trade; absent where none are booked.' }),
  ),
  exchange: Type.String(),
  orderid: Type.String(),
  price: Type.Number(),
  product: Type.String(),
  quantity: Type.Number(),
  strategy: Type.String(),
  symbol: Type.String(),
  timestamp: Type.String(),
  trade_value: Type.Number(),
  tradeid: Type.String(),
})
const tradeText = new BookText<TradeReport>(tradeRows, tradeRow)

export const tradebook = defineOperation({
  name: 'tradebook',
  method: 'POST',
  tag: 'Account',
  summary: "The session's trades, newest first",
  description: 'One row for each price an order traded at. Without fields the whole book; filters combine.',
  access: 'read',
  rateClass: 'read',
  input: filterFields,
  output: Type.Object({
    data: Type.Array(tradeRows),
    mode,
    next_cursor: nextCursor,
    omitted,
    status: success,
  }),
  example: {},
  async handle(input, { account, services }) {
    const venue = services.trading.venue(account)
    const all = await venue.trades()
    const answer = (rows: string, page: Omit<BookPage<TradeReport>, 'rows'>) =>
      `{"data":${rows},"mode":"${venue.mode}",${cursorText(page.nextCursor)}${omittedText(page.omitted)}"status":"success"}`
    if (isWhole(input)) {
      const page = { omitted: omittedOf(all), nextCursor: undefined }
      return asBody(tradeText.book(account, all, BOOK_ROWS_MAX, (rows) => answer(rows, page)))
    }
    const { since } = input
    // Nothing but their place in the book puts trades in order: the oldest is number 1
    const wanted = all
      .map((trade, index) => ({ trade, number: index + 1 }))
      .filter(({ trade }) => (since === undefined || trade.at >= since) && isWanted(input, trade))
      .reverse()
    const { rows, ...page } = pageOf(
      wanted,
      input,
      ({ number }, cursor) => number < Number(cursor),
      ({ number }) => String(number),
    )
    return asBody(answer(tradeText.list(rows.map(({ trade }) => trade)), page))
  },
})
