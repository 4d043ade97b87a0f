import Type from 'typebox'
import { csvLine } from '../../monitor/csv.ts'
import type { OrderLog, OrderLogFilter, OrderLogRow } from '../../monitor/order-log.ts'
import { Download, download } from '../download.ts'
import { text } from '../field.ts'
import type { ValueOf } from '../field-type.ts'
import { type Context, defineOperation } from '../operation.ts'
import { instantOut, success, textOrNull } from './caller.ts'
import { belowOf, cursorOf, instant, paging, status } from './paging.ts'

const exactly = (what: string) => text({ max: 256, description: `Exactly this ${what}.` }).optional()

const filterFields = {
  from: instant('Requests from this instant on: epoch milliseconds or ISO 8601.').optional(),
  to: instant('Requests before this instant.').optional(),
  operation: exactly('operation, such as placeorder'),
  strategy: exactly('strategy'),
  symbol: exactly('symbol, as it was sent'),
  orderid: exactly('order id'),
  request_id: exactly('request id'),
  key_id: exactly('id of a key'),
  mode: exactly('mode: analyze or live'),
  code: exactly('error code'),
  status: status.optional(),
}

/** Rows of the account that is asked about; nobody sees another's. */
function filterOf(input: ValueOf<typeof filterFields>, { account }: Context): OrderLogFilter {
  return {
    account,
    from: input.from,
    until: input.to,
    operation: input.operation,
    strategy: input.strategy,
    symbol: input.symbol,
    orderId: input.orderid,
    requestId: input.request_id,
    keyId: input.key_id,
    mode: input.mode,
    code: input.code,
    status: input.status,
  }
}

export const logsorders = defineOperation({
  name: 'logs/orders',
  method: 'GET',
  tag: 'Monitoring',
  summary: 'Order operations that were asked for, and their answers',
  description:
    'Of the account, on paper and live, newest first, a page at a time; refused ones too, once it was known who asked. Keys and passwords are taken out. A page may have fewer rows than asked for and still have a `next_cursor`.',
  access: 'read',
  rateClass: 'read',
  input: { ...paging, ...filterFields },
  output: Type.Object({
    data: Type.Array(
      Type.Object({
        answer: Type.Unknown(),
        at: instantOut,
        code: Type.String(),
        exchange: Type.String(),
        key_id: Type.String(),
        mode: Type.String(),
        operation: Type.String(),
        orderid: Type.String(),
        request: Type.Unknown(),
        request_id: Type.String(),
        status: Type.Integer(),
        strategy: Type.String(),
        symbol: Type.String(),
      }),
    ),
    next_cursor: textOrNull,
    status: success,
  }),
  example: {},
  async handle({ limit, cursor, ...filter }, context) {
    const { rows, below } = await context.services.orderLog.list(filterOf(filter, context), limit, belowOf(cursor))
    return { data: rows.map(shownRow), next_cursor: cursorOf(below), status: 'success' as const }
  },
})

const shownRow = (row: OrderLogRow) => ({
  answer: row.answer,
  at: row.at,
  code: row.code,
  exchange: row.exchange,
  key_id: row.keyId,
  mode: row.mode,
  operation: row.operation,
  orderid: row.orderId,
  request: row.request,
  request_id: row.requestId,
  status: row.status,
  strategy: row.strategy,
  symbol: row.symbol,
})

export const logsordersexport = defineOperation({
  name: 'logs/orders/export',
  method: 'GET',
  tag: 'Monitoring',
  summary: 'The log of order operations, as CSV',
  description: 'Everything of the account that fits the filter, newest first, sent as it is read.',
  access: 'read',
  rateClass: 'heavy',
  input: filterFields,
  output: download('text/csv'),
  example: {},
  handle: (input, context) =>
    new Download('text/csv; charset=utf-8', 'orders.csv', csvOf(context.services.orderLog, filterOf(input, context))),
})

/** Handed on at once: several wait for a slow reader. */
const CHUNK_LENGTH = 65_536

async function* csvOf(log: OrderLog, filter: OrderLogFilter): AsyncGenerator<string> {
  yield csvLine([
    'time',
    'operation',
    'mode',
    'strategy',
    'symbol',
    'exchange',
    'orderid',
    'request_id',
    'key_id',
    'status',
    'code',
    'request',
    'answer',
  ])
  for await (const rows of log.pages(filter)) {
    let lines = ''
    for (const row of rows) {
      lines += csvLine([
        new Date(row.at).toISOString(),
        row.operation,
        row.mode,
        row.strategy,
        row.symbol,
        row.exchange,
        row.orderId,
        row.requestId,
        row.keyId,
        row.status,
        row.code,
        JSON.stringify(row.request),
        JSON.stringify(row.answer),
      ])
      if (lines.length >= CHUNK_LENGTH) {
        yield lines
        lines = ''
      }
    }
    if (lines !== '') yield lines
  }
}
