import Type, { type TString } from 'typebox'
import type { OrderReport } from '../../brokers/venue.ts'
import { Refusal } from '../../kernel/errors.ts'
import { timestampOf } from '../../kernel/exchange-time.ts'
import { subtract, toNumber, ZERO_PRICE, ZERO_QUANTITY } from '../../kernel/fixed.ts'
import { placedReport } from '../../trading/plan.ts'
import { singlePlan } from '../../trading/plans/single.ts'
import type { ModifyRequest } from '../../trading/trading.ts'
import { defineOperation } from '../operation.ts'
import type { Services } from '../services.ts'
import {
  action,
  clientOrderId,
  disclosedQuantity,
  exchange,
  limitPrice,
  missingPrices,
  orderFields,
  orderId,
  orderQuantity,
  priceType,
  product,
  strategy,
  symbol,
  triggerPrice,
  VAIN_ORDER_FIELDS,
} from './order-fields.ts'
import { orderRequestOf } from './order-request.ts'
import { mode, roundedPrice } from './wire.ts'

const acknowledgement = Type.Object({
  message: Type.Optional(Type.String()),
  mode,
  orderid: Type.String(),
  status: Type.Literal('success'),
})

/** Not required by the schema. To the compiler it is always there: who trades in automatic mode needn't ask. */
const orderIdUnlessQueued = Type.Optional(
  Type.String({ description: 'Absent when the order waits for approval.' }),
) as unknown as TString

/** In semi-automatic mode there is no order yet, only its place in the queue. */
const placed = Type.Object({
  message: Type.Optional(Type.String()),
  mode: Type.Union([mode, Type.Literal('semi_auto')]),
  orderid: orderIdUnlessQueued,
  pending_order_id: Type.Optional(Type.Integer({ description: 'Of an order that waits in approvals.' })),
  status: Type.Literal('success'),
})

/** Columns of an order, in the order book and in orderstatus. */
export const orderRowFields = {
  action: Type.String(),
  average_price: Type.Number(),
  exchange: Type.String(),
  filled_quantity: Type.Number(),
  order_status: Type.String(),
  orderid: Type.String(),
  pending_quantity: Type.Number(),
  price: Type.Number(),
  pricetype: Type.String(),
  product: Type.String(),
  quantity: Type.Number(),
  rejection_reason: Type.String(),
  strategy: Type.String(),
  symbol: Type.String(),
  timestamp: Type.String(),
  trigger_price: Type.Number(),
}

const placeInput = { strategy, ...orderFields }

export const placeorder = defineOperation({
  name: 'placeorder',
  method: 'POST',
  tag: 'Orders',
  summary: 'Place an order',
  description:
    'Answers once the order is on disk. An order that the exchange or a limit refuses answers 400 with its `orderid` and stands in the order book as `rejected` with the reason.',
  access: 'trade',
  rateClass: 'order',
  writesIntent: true,
  inSemiAuto: 'queue',
  input: placeInput,
  ignored: VAIN_ORDER_FIELDS,
  check: missingPrices,
  output: placed,
  example: {
    strategy: 'my-strategy',
    exchange: 'NSE',
    symbol: 'SBIN',
    action: 'BUY',
    quantity: 1,
    pricetype: 'LIMIT',
    price: 500,
    product: 'CNC',
  },
  refusals: ['symbol_not_found', 'order_rejected', 'account_stopped'],
  beforeQueue: (input, account, services) =>
    services.trading.checkOrder(account, orderRequestOf(input, input.strategy)),
  handle(input, { account, caller, services, visit, orderTag }) {
    return services.orders.run({
      account,
      caller,
      visit,
      orderTag,
      expand: () => singlePlan(orderRequestOf(input, input.strategy)),
      answer: (_plan, [outcome]) => ({
        mode: services.trading.venue(account).mode,
        orderid: placedReport(outcome).id,
        status: 'success' as const,
      }),
    })
  },
})

export const modifyorder = defineOperation({
  name: 'modifyorder',
  method: 'POST',
  tag: 'Orders',
  summary: 'Change quantity, price or trigger of a working order',
  description:
    '`quantity` is the new total, filled part included. A price or trigger of 0 stays as it is. The change is judged like a new order and margined again. Symbol, exchange, action, product and price type must be those of the order.',
  access: 'trade',
  rateClass: 'order',
  writesIntent: true,
  inSemiAuto: {
    refuse: 'Modify order operation is not allowed in Semi-Auto mode. Please switch to Auto mode to modify orders.',
  },
  input: {
    strategy,
    orderid: orderId,
    exchange,
    symbol,
    action,
    product,
    pricetype: priceType,
    price: limitPrice,
    quantity: orderQuantity,
    disclosed_quantity: disclosedQuantity.optional(ZERO_QUANTITY, 0),
    trigger_price: triggerPrice.optional(ZERO_PRICE, 0),
  },
  output: acknowledgement,
  example: {
    strategy: 'my-strategy',
    orderid: '26112500000001',
    exchange: 'NSE',
    symbol: 'SBIN',
    action: 'BUY',
    product: 'CNC',
    pricetype: 'LIMIT',
    price: 500.5,
    quantity: 2,
  },
  refusals: ['order_not_found', 'order_not_open', 'order_unchangeable', 'account_stopped'],
  handle(input, { account, caller, services, visit }) {
    const wanted: ModifyRequest = {
      orderId: input.orderid,
      symbol: input.symbol,
      exchange: input.exchange,
      action: input.action,
      priceType: input.pricetype,
      product: input.product,
      quantity: input.quantity,
      disclosedQuantity: input.disclosed_quantity,
      price: input.price,
      triggerPrice: input.trigger_price,
    }
    const { mode } = services.trading.venue(account)
    return services.trading.modifyOrder({ account, keyId: caller.keyId ?? '', visit }, wanted, ({ id: orderid }) => ({
      message: 'Order modified successfully',
      mode,
      orderid,
      status: 'success' as const,
    }))
  },
})

export const cancelorder = defineOperation({
  name: 'cancelorder',
  method: 'POST',
  tag: 'Orders',
  summary: 'Cancel a working order',
  description: 'What the order had reserved is free again when the answer arrives.',
  access: 'trade',
  rateClass: 'order',
  writesIntent: true,
  inSemiAuto: {
    refuse: 'Cancel order operation is not allowed in Semi-Auto mode. Please switch to Auto mode to cancel orders.',
  },
  input: { strategy, orderid: orderId },
  output: acknowledgement,
  example: { strategy: 'my-strategy', orderid: '26112500000001' },
  refusals: ['order_not_found', 'order_not_open', 'account_stopped'],
  handle(input, { account, services, visit }) {
    const { mode } = services.trading.venue(account)
    return services.trading.cancelOrder({ account, visit }, input.orderid, ({ id: orderid }) => ({
      message: 'Order cancelled successfully',
      mode,
      orderid,
      status: 'success' as const,
    }))
  },
})

export const cancelallorder = defineOperation({
  name: 'cancelallorder',
  method: 'POST',
  tag: 'Orders',
  summary: 'Cancel every working order of the account',
  description: 'Limit orders and waiting stops alike. `strategy` is a tag, not a filter.',
  access: 'trade',
  rateClass: 'order',
  writesIntent: true,
  inSemiAuto: {
    refuse:
      'Cancel all orders operation is not allowed in Semi-Auto mode. Please switch to Auto mode to cancel orders.',
  },
  input: { strategy },
  output: Type.Object({
    canceled_orders: Type.Array(Type.String()),
    failed_cancellations: Type.Array(Type.Object({ message: Type.String(), orderid: Type.String() })),
    message: Type.String(),
    mode,
    status: Type.Literal('success'),
  }),
  example: { strategy: 'my-strategy' },
  async handle(_input, { account, services, visit }) {
    const { cancelled, failed } = await services.trading.cancelAllOrders({ account, visit })
    const nothing = cancelled.length === 0 && failed.length === 0
    return {
      canceled_orders: cancelled,
      failed_cancellations: failed.map(({ orderId: orderid, message }) => ({ message, orderid })),
      message: nothing
        ? 'No open orders to cancel'
        : `Canceled ${cancelled.length} orders. Failed to cancel ${failed.length} orders.`,
      mode: services.trading.venue(account).mode,
      status: 'success' as const,
    }
  },
})

export const closeposition = defineOperation({
  name: 'closeposition',
  method: 'POST',
  tag: 'Orders',
  summary: 'Close every open position at market',
  description:
    'Working orders of each position are cancelled first, so that none opens it the other way. `failures` names each position that could not be closed and why. Sent again by name after a crash, it goes on with what is still held; `orderids` then has those of before too.',
  access: 'trade',
  rateClass: 'order',
  inSemiAuto: {
    refuse: 'Close position operation is not allowed in Semi-Auto mode. Please switch to Auto mode to close positions.',
  },
  input: { strategy },
  output: Type.Object({
    closed_positions: Type.Optional(Type.Integer()),
    failed_closures: Type.Optional(Type.Integer()),
    failures: Type.Optional(
      Type.Array(
        Type.Object({ exchange: Type.String(), message: Type.String(), product: Type.String(), symbol: Type.String() }),
      ),
    ),
    message: Type.String(),
    mode,
    orderids: Type.Optional(Type.Array(Type.String())),
    status: Type.Literal('success'),
  }),
  example: { strategy: 'my-strategy' },
  async handle(_input, { account, caller, services, visit }) {
    const { rows, outcomes } = await services.closings.closeAll({ account, caller, visit })
    const { mode } = services.trading.venue(account)
    if (rows === 0 && outcomes.length === 0)
      return { message: 'No open positions to close', mode, status: 'success' as const }
    const failures = outcomes.flatMap(({ symbol, exchange, product, failure }) =>
      failure === undefined ? [] : [{ exchange, message: failure, product, symbol }],
    )
    const closed = outcomes.length - failures.length
    return {
      closed_positions: closed,
      failed_closures: failures.length,
      failures,
      message: `Closed ${closed} positions${failures.length === 0 ? '' : ` (Failed to close ${failures.length} positions)`}`,
      mode,
      orderids: outcomes.flatMap((outcome) => outcome.orderIds),
      status: 'success' as const,
    }
  },
})

export const orderstatus = defineOperation({
  name: 'orderstatus',
  method: 'POST',
  tag: 'Orders',
  summary: 'One order, of this session or an earlier one',
  description:
    'Found by `orderid`, or by the `client_order_id` of the request that it came from, for a day. `average_price` is that of all its trades.',
  access: 'read',
  rateClass: 'read',
  input: { strategy, orderid: orderId.optional(), client_order_id: clientOrderId.optional() },
  check: ({ orderid, client_order_id: name }) =>
    orderid === undefined && name === undefined
      ? [{ field: 'orderid', message: 'Order ID is missing. Send orderid, or client_order_id.' }]
      : [],
  output: Type.Object({
    data: Type.Object({
      ...orderRowFields,
      price_type: Type.String({ description: 'The same as `pricetype`, for clients that read this name.' }),
    }),
    mode,
    status: Type.Literal('success'),
  }),
  example: { strategy: 'my-strategy', orderid: '26112500000001' },
  refusals: ['order_not_found'],
  async handle(input, { account, services }) {
    const { orderid, client_order_id: name } = input
    const order =
      orderid === undefined
        ? await namedOrder(account, name ?? '', services)
        : await services.trading.order(account, orderid)
    return {
      data: { ...orderRow(order), price_type: order.priceType },
      mode: services.trading.venue(account).mode,
      status: 'success' as const,
    }
  },
})

/** The first order that the request of that name led to, by itself or when it was approved. Throws order_not_found. */
async function namedOrder(account: string, name: string, services: Services): Promise<OrderReport> {
  const { idempotency, trading, approvals } = services
  const shown = name.slice(0, 64)
  const tag = idempotency.tagOf(account, name)
  const orders = tag === undefined ? [] : await trading.ordersByTag(account, tag)
  const [first] = orders.toSorted((one, other) => (one.id < other.id ? -1 : 1))
  if (first !== undefined) return first
  const approval = tag === undefined ? undefined : await approvals.byIntent(tag)
  const [approved] = approval?.orderIds ?? []
  if (approved !== undefined) return await trading.order(account, approved)
  throw new Refusal(
    'order_not_found',
    approval === undefined
      ? `No order of a request named ${shown} found`
      : `The request named ${shown} has led to no order: its approval ${approval.id} is ${approval.status}`,
  )
}

/** An order as the order book shows it. */
export function orderRow(order: OrderReport) {
  const working = order.status === 'open' || order.status === 'trigger pending'
  return {
    action: order.action,
    average_price: roundedPrice(order.averagePrice, order.exchange),
    exchange: order.exchange,
    filled_quantity: toNumber.quantity(order.filledQuantity),
    order_status: order.status,
    orderid: order.id,
    pending_quantity: working ? toNumber.quantity(subtract(order.quantity, order.filledQuantity)) : 0,
    price: toNumber.price(order.price),
    pricetype: order.priceType,
    product: order.product,
    quantity: toNumber.quantity(order.quantity),
    rejection_reason: order.reason,
    strategy: order.strategy,
    symbol: order.symbol,
    timestamp: timestampOf(order.placedAt),
    trigger_price: toNumber.price(order.triggerPrice),
  }
}
