import Type from 'typebox'
import type { OrderReport, OrderStep, StoryReport, TradeReport } from '../../brokers/venue.ts'
import { timestampOf } from '../../kernel/exchange-time.ts'
import { type Price, type Quantity, toNumber, ZERO_PRICE } from '../../kernel/fixed.ts'
import { defineOperation } from '../operation.ts'
import { instantOut } from './caller.ts'
import { gttRow } from './gtt.ts'
import { orderId } from './order-fields.ts'
import { orderRow, orderRowFields } from './orders.ts'
import { mode } from './wire.ts'

interface Chapter {
  readonly at: number
  readonly event: string
  readonly orderid: string
  readonly order_status: string
  readonly quantity: number
  readonly price: number
  readonly trigger_price: number
  readonly tradeid: string
  readonly charges?: number
  readonly reason: string
}

export const orderstory = defineOperation({
  name: 'orderstory',
  method: 'POST',
  tag: 'Orders',
  summary: 'All that became of an order, and of what belongs to it',
  description:
    'Orders that come from one request or one trigger share a root: the legs of a basket, the parts of a split order, the order that a GTT placed. `orderid` takes the id of any of them, of a GTT, or the root itself; `events` are in order of time. Of an order that was modified very often the last 100 changes are known, and `changes_forgotten` counts the others.',
  access: 'read',
  rateClass: 'read',
  input: { orderid: orderId },
  output: Type.Object({
    data: Type.Object({
      changes_forgotten: Type.Integer(),
      events: Type.Array(
        Type.Object({
          at: instantOut,
          charges: Type.Optional(
            Type.Number({ description: 'Of `traded`: its brokerage, taxes and fees; absent where none are booked.' }),
          ),
          event: Type.String({
            description: 'placed, modified, triggered, traded, complete, cancelled, rejected.',
          }),
          order_status: Type.String({ description: 'After it; empty where it is not known.' }),
          orderid: Type.String(),
          price: Type.Number(),
          quantity: Type.Number(),
          reason: Type.String(),
          timestamp: Type.String(),
          tradeid: Type.String({ description: 'Of `traded`; empty otherwise.' }),
          trigger_price: Type.Number(),
        }),
      ),
      gtt: Type.Optional(Type.Unknown({ description: 'The trigger that is the root, as gttorderbook shows it.' })),
      orders: Type.Array(Type.Object({ ...orderRowFields, root: Type.String() })),
      root: Type.String(),
    }),
    mode,
    status: Type.Literal('success'),
  }),
  example: { orderid: '26112500000001' },
  refusals: ['order_not_found'],
  async handle(input, { account, services }) {
    const story = await services.trading.story(account, input.orderid)
    return {
      data: {
        changes_forgotten: story.orders.reduce((sum, { stepsForgotten }) => sum + stepsForgotten, 0),
        events: chaptersOf(story).map((chapter) => ({ ...chapter, timestamp: timestampOf(chapter.at) })),
        ...(story.gtt === undefined ? {} : { gtt: gttRow(story.gtt) }),
        orders: story.orders.map(({ order }) => ({ ...orderRow(order), root: order.root })),
        root: story.root,
      },
      mode: services.trading.venue(account).mode,
      status: 'success' as const,
    }
  },
})

const numbers = ({ quantity, price, triggerPrice }: { quantity: Quantity; price: Price; triggerPrice: Price }) => ({
  quantity: toNumber.quantity(quantity),
  price: toNumber.price(price),
  trigger_price: toNumber.price(triggerPrice),
})

/** What happened, in order of time; at the same instant in the order in which it can only have happened. */
const chaptersOf = ({ orders, trades }: StoryReport): Chapter[] =>
  orders.flatMap(({ order, steps }) => chaptersOfOrder(order, steps, trades)).sort((one, other) => one.at - other.at)

function chaptersOfOrder(order: OrderReport, steps: readonly OrderStep[], trades: readonly TradeReport[]): Chapter[] {
  const common = { orderid: order.id, tradeid: '', reason: '' }
  const { placedAt, updatedAt, status, reason } = order
  if (status === 'rejected')
    return [{ ...common, ...numbers(order), at: placedAt, event: status, order_status: status, reason }]
  const isWorking = status === 'open' || status === 'trigger pending'
  // How it was after a change is how it was before the next one
  const after = (index: number) => ({
    ...numbers(steps[index] ?? order),
    order_status: steps[index]?.status ?? (isWorking ? status : ''),
  })
  return [
    { ...common, ...after(0), at: placedAt, event: 'placed' },
    ...steps.map(({ at, kind }, index) => ({ ...common, ...after(index + 1), at, event: kind })),
    ...trades
      .filter(({ orderId: id }) => id === order.id)
      .map(({ id, at, quantity, price, charges }) => ({
        ...common,
        ...numbers({ quantity, price, triggerPrice: ZERO_PRICE }),
        at,
        event: 'traded',
        order_status: '',
        tradeid: id,
        ...(charges === undefined ? {} : { charges: toNumber.money(charges) }),
      })),
    ...(isWorking
      ? []
      : [{ ...common, ...numbers(order), at: updatedAt, event: status, order_status: status, reason }]),
  ]
}
