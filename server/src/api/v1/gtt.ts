import Type, { type TString } from 'typebox'
import { GTT_STATUSES, type GttReport, legReached } from '../../brokers/gtt.ts'
import type { Venue } from '../../brokers/venue.ts'
import { timestampOf } from '../../kernel/exchange-time.ts'
import { formatPrice, toNumber } from '../../kernel/fixed.ts'
import type { GttRequest } from '../../trading/index.ts'
import type { ValueOf } from '../field.ts'
import { defineOperation } from '../operation.ts'
import { choice } from '../text-fields.ts'
import { expiresAt, gttFields, gttProblems, legsOf, triggerId } from './gtt-fields.ts'
import { strategy } from './order-fields.ts'
import { mode, newestRows, omitted } from './wire.ts'

const acknowledgement = Type.Object({ mode, status: Type.Literal('success'), trigger_id: Type.String() })
const acknowledged = ({ id }: GttReport, { mode }: Pick<Venue, 'mode'>) => ({
  mode,
  status: 'success' as const,
  trigger_id: id,
})

/** Not required by the schema. To the compiler it is always there: who trades in automatic mode needn't ask. */
const triggerIdUnlessQueued = Type.Optional(
  Type.String({ description: 'Absent when the order waits for approval.' }),
) as unknown as TString

const placeInput = { ...gttFields, expires_at: expiresAt }

const gttRequestOf = (input: ValueOf<typeof placeInput>, tag: string | undefined): GttRequest => ({
  symbol: input.symbol,
  exchange: input.exchange,
  action: input.action,
  product: input.product,
  quantity: input.quantity,
  priceType: input.pricetype,
  legs: legsOf(input),
  strategy: input.strategy,
  expiresAt: input.expires_at,
  tag,
})

const exampleFields = {
  strategy: 'my-strategy',
  trigger_type: 'SINGLE',
  exchange: 'NSE',
  symbol: 'IDEA',
  action: 'BUY',
  product: 'CNC',
  quantity: 1,
} as const

export const placegttorder = defineOperation({
  name: 'placegttorder',
  method: 'POST',
  tag: 'Orders',
  summary: 'Place an order that waits for a price',
  description:
    'Waits, over sessions, until the last price reaches a trigger, then places one order: a SINGLE at `price`, an OCO at `stoploss` or `target`. It fires on a fresh quote of an open session, once; the other trigger of an OCO is cancelled with it. The order is a day order as any other. Until then it reserves what the dearest of its orders would need; that is free again when the order is judged. Where the last price has reached a trigger already, it fires on the next quote, and `message` says so.',
  access: 'trade',
  rateClass: 'order',
  writesIntent: true,
  inSemiAuto: 'queue',
  input: placeInput,
  check: gttProblems,
  output: Type.Object({
    message: Type.Optional(Type.String()),
    mode: Type.Union([mode, Type.Literal('semi_auto')]),
    pending_order_id: Type.Optional(Type.Integer({ description: 'Of an order that waits in approvals.' })),
    status: Type.Literal('success'),
    trigger_id: triggerIdUnlessQueued,
  }),
  example: { ...exampleFields, price: 9.5, triggerprice_sl: 9.55 },
  refusals: ['symbol_not_found', 'order_rejected', 'too_many_orders', 'not_implemented', 'account_stopped'],
  beforeQueue: (input, account, services) => services.gtts.check(account, gttRequestOf(input, undefined)),
  handle(input, { account, caller, services, visit, orderTag }) {
    const asker = { account, keyId: caller.keyId ?? '', visit }
    return services.gtts.place(asker, gttRequestOf(input, orderTag), (report) => ({
      ...firesAtOnce(report),
      ...acknowledged(report, services.trading.venue(account)),
    }))
  },
})

function firesAtOnce({ legs, lastPrice }: GttReport): { readonly message?: string } {
  const leg = lastPrice > 0 ? legs[legReached(legs, lastPrice) ?? -1] : undefined
  if (leg === undefined) return {}
  const [side, field] =
    leg.direction === 'below' ? ['at or below', 'triggerprice_sl'] : ['at or above', 'triggerprice_tg']
  return {
    message: `It fires on the next quote: the last price ${formatPrice(lastPrice)} is already ${side} ${field} ${formatPrice(leg.triggerPrice)}.`,
  }
}

export const modifygttorder = defineOperation({
  name: 'modifygttorder',
  method: 'POST',
  tag: 'Orders',
  summary: 'Replace the triggers, prices and quantity of a GTT order',
  description:
    'Everything that can change is replaced, and reserved for again; until when it waits stays. Symbol, exchange, action, product and trigger type must be those of the order.',
  access: 'trade',
  rateClass: 'order',
  writesIntent: true,
  inSemiAuto: { refuse: 'Modify GTT order is not allowed in Semi-Auto mode. Switch to Auto mode.' },
  input: { ...gttFields, trigger_id: triggerId },
  check: gttProblems,
  output: acknowledgement,
  example: { ...exampleFields, trigger_id: 'GTT-261125-00000001', price: 9.6, triggerprice_sl: 9.65 },
  refusals: ['gtt_not_found', 'gtt_unchangeable', 'symbol_not_found', 'not_implemented', 'account_stopped'],
  handle(input, { account, caller, services, visit }) {
    const change = {
      id: input.trigger_id,
      symbol: input.symbol,
      exchange: input.exchange,
      action: input.action,
      product: input.product,
      quantity: input.quantity,
      priceType: input.pricetype,
      legs: legsOf(input),
    }
    return services.gtts.modify({ account, keyId: caller.keyId ?? '', visit }, change, (report) =>
      acknowledged(report, services.trading.venue(account)),
    )
  },
})

export const cancelgttorder = defineOperation({
  name: 'cancelgttorder',
  method: 'POST',
  tag: 'Orders',
  summary: 'Cancel a GTT order',
  description: 'What it had reserved is free again when the answer arrives. One that has fired is not active any more.',
  access: 'trade',
  rateClass: 'order',
  writesIntent: true,
  inSemiAuto: { refuse: 'Cancel GTT order is not allowed in Semi-Auto mode. Switch to Auto mode.' },
  input: { strategy, trigger_id: triggerId },
  output: acknowledgement,
  example: { strategy: 'my-strategy', trigger_id: 'GTT-261125-00000001' },
  refusals: ['gtt_not_found', 'not_implemented', 'account_stopped'],
  handle(input, { account, services, visit }) {
    return services.gtts.cancel({ account, visit }, input.trigger_id, (report) =>
      acknowledged(report, services.trading.venue(account)),
    )
  },
})

export const gttorderbook = defineOperation({
  name: 'gttorderbook',
  method: 'POST',
  tag: 'Orders',
  summary: 'GTT orders that wait, newest first',
  description:
    'Those that are active. `status` asks for others: what ended in this session, by how it ended, or `all`. `trigger_id` asks for one, of any session and status. A fired one names its order in `orderid`, whose root is the trigger id.',
  access: 'read',
  rateClass: 'read',
  input: {
    status: choice([...GTT_STATUSES, 'all'], { description: 'Which ones to show.' }).optional('active', 'active'),
    trigger_id: triggerId.optional(),
  },
  output: Type.Object({
    data: Type.Array(
      Type.Object({
        action: Type.String(),
        created_at: Type.String({ description: 'In the zone of the exchange, as all times.' }),
        exchange: Type.String(),
        expires_at: Type.String(),
        last_price: Type.Number({ description: 'When it was placed; 0 when there was none.' }),
        legs: Type.Array(
          Type.Object({
            action: Type.String(),
            price: Type.Number(),
            pricetype: Type.String(),
            product: Type.String(),
            quantity: Type.Number(),
            status: Type.String({ description: '`pending`, `triggered` or `cancelled`.' }),
            trigger_direction: Type.String({ description: '`below` or `above`.' }),
            trigger_price: Type.Number(),
          }),
        ),
        margin_blocked: Type.Number(),
        orderid: Type.String({ description: 'Of the order that it placed; empty before.' }),
        rejection_reason: Type.String({ description: 'Why it was refused, or ended by itself; empty otherwise.' }),
        status: Type.String(),
        strategy: Type.String(),
        symbol: Type.String(),
        trigger_id: Type.String(),
        trigger_prices: Type.Array(Type.Number(), { description: 'The lower first.' }),
        trigger_type: Type.String({ description: '`single` or `two-leg`.' }),
        updated_at: Type.String(),
      }),
    ),
    mode,
    omitted,
    status: Type.Literal('success'),
  }),
  example: {},
  refusals: ['gtt_not_found', 'not_implemented'],
  async handle(input, { account, services }) {
    const gtts =
      input.trigger_id === undefined
        ? (await services.gtts.all(account)).filter(({ status }) => input.status === 'all' || status === input.status)
        : [await services.gtts.find(account, input.trigger_id)]
    const { rows, ...more } = newestRows(gtts)
    return {
      data: rows.map(gttRow),
      mode: services.trading.venue(account).mode,
      status: 'success' as const,
      ...more,
    }
  },
})

const isoOf = (at: number): string => timestampOf(at).replace(' ', 'T')

/** A trigger as gttorderbook shows it. */
export function gttRow(gtt: GttReport) {
  return {
    action: gtt.action,
    created_at: isoOf(gtt.placedAt),
    exchange: gtt.exchange,
    expires_at: isoOf(gtt.expiresAt),
    last_price: toNumber.price(gtt.lastPrice),
    legs: gtt.legs.map((leg) => ({
      action: gtt.action,
      price: toNumber.price(leg.price),
      pricetype: gtt.priceType,
      product: gtt.product,
      quantity: toNumber.quantity(gtt.quantity),
      status: leg.status,
      trigger_direction: leg.direction,
      trigger_price: toNumber.price(leg.triggerPrice),
    })),
    margin_blocked: toNumber.money(gtt.margin),
    orderid: gtt.orderId,
    rejection_reason: gtt.reason,
    status: gtt.status,
    strategy: gtt.strategy,
    symbol: gtt.symbol,
    trigger_id: gtt.id,
    trigger_prices: gtt.legs.map((leg) => toNumber.price(leg.triggerPrice)),
    trigger_type: gtt.kind,
    updated_at: isoOf(gtt.updatedAt),
  }
}
