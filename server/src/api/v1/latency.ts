import Type from 'typebox'
import { WINDOWS } from '../../monitor/latency.ts'
import { choice, flag, text } from '../field.ts'
import { defineOperation } from '../operation.ts'
import { instantOut, success, textOrNull } from './caller.ts'
import { belowOf, cursorOf, paging } from './paging.ts'

export const latency = defineOperation({
  name: 'latency',
  method: 'GET',
  tag: 'Monitoring',
  summary: 'How long operations take, step by step',
  description:
    'Of each operation and each of its steps (`read`, `authenticate`, `validate`, `risk`, `venue`, `journal`, `serialise`) and in total: percentiles to within one percent. Requests that a rate limit refused, or whose client left before the answer, are left out: `traffic/stats` counts those.',
  access: 'admin',
  rateClass: 'read',
  input: {
    window: choice(WINDOWS, { description: 'Since the start, or the last 1, 5 or 60 minutes.' }).optional('5m', '5m'),
    operation: text({ max: 64, description: 'Only this one.' }).optional(),
  },
  output: Type.Object({
    data: Type.Array(
      Type.Object({
        count: Type.Integer(),
        max_ms: Type.Number(),
        mean_ms: Type.Number(),
        operation: Type.String(),
        p50_ms: Type.Number(),
        p90_ms: Type.Number(),
        p999_ms: Type.Number(),
        p99_ms: Type.Number(),
        step: Type.String(),
      }),
    ),
    status: success,
  }),
  example: { window: '5m' },
  handle: async ({ window, operation }, { services }) => ({
    data: (await services.latency.times(window, operation)).map((times) => ({
      count: times.count,
      max_ms: times.maxMs,
      mean_ms: times.meanMs,
      operation: times.operation,
      p50_ms: times.p50Ms,
      p90_ms: times.p90Ms,
      p999_ms: times.p999Ms,
      p99_ms: times.p99Ms,
      step: times.step,
    })),
    status: 'success' as const,
  }),
})

const exactly = (what: string) => text({ max: 256, description: `Exactly this ${what}.` }).optional()

const rounded = (ms: number): number => Math.round(ms * 1000) / 1000

export const latencyorders = defineOperation({
  name: 'latency/orders',
  method: 'GET',
  tag: 'Monitoring',
  summary: 'How long each of the last orders took',
  description:
    "The venue's share, the wait for the disk, and ours, of the account's newest requests on orders since the start. An admin may ask for all accounts'.",
  access: 'read',
  rateClass: 'read',
  input: {
    ...paging,
    operation: exactly('operation, such as placeorder'),
    orderid: exactly('order id'),
    request_id: exactly('request id'),
    symbol: exactly('symbol'),
    all: flag({ description: 'For an admin: of every account.' }).optional(false, false),
  },
  output: Type.Object({
    data: Type.Array(
      Type.Object({
        account: Type.String(),
        at: instantOut,
        journal_ms: Type.Number(),
        operation: Type.String(),
        orderid: Type.String(),
        ours_ms: Type.Number(),
        request_id: Type.String(),
        status: Type.Integer(),
        symbol: Type.String(),
        total_ms: Type.Number(),
        venue_ms: Type.Number(),
      }),
    ),
    next_cursor: textOrNull,
    status: success,
  }),
  example: {},
  handle({ limit, cursor, all, operation, orderid, request_id: requestId, symbol }, { caller, account, services }) {
    const isAll = all && caller.scopes.has('admin')
    const filter = { account: isAll ? undefined : account, operation, orderId: orderid, requestId, symbol }
    const orders = services.latency.orders(limit, belowOf(cursor), filter)
    return {
      data: orders.map((order) => ({
        account: order.account,
        at: order.at,
        journal_ms: rounded(order.journalMs),
        operation: order.operation,
        orderid: order.orderId,
        ours_ms: rounded(order.totalMs - order.venueMs - order.journalMs),
        request_id: order.requestId,
        status: order.status,
        symbol: order.symbol,
        total_ms: rounded(order.totalMs),
        venue_ms: rounded(order.venueMs),
      })),
      next_cursor: cursorOf(orders.length === limit ? orders.at(-1)?.id : undefined),
      status: 'success' as const,
    }
  },
})
