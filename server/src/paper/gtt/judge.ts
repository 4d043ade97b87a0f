import type { GttTerms, NewGttLeg } from '../../brokers/gtt.ts'
import { Refusal } from '../../kernel/errors.ts'
import { timestampOf } from '../../kernel/exchange-time.ts'
import {
  formatPrice,
  type Money,
  type Price,
  subtract,
  toNumber,
  ZERO_PRICE,
  ZERO_QUANTITY,
} from '../../kernel/fixed.ts'
import type { SessionFacts } from '../command.ts'
import { insufficientFunds } from '../margin.ts'
import type { Order } from '../order.ts'
import { ORDER_VALUE_MAX_RUPEES, orderOf, standingRefusal } from '../place.ts'
import { type AccountState, availableOf } from '../state.ts'
import type { CancelGttCommand, GttCommand, ModifyGttCommand, PlaceGttCommand } from './commands.ts'
import { ACTIVE_GTTS_MAX, GTT_LIFE_MAX_MS, type Gtt, SESSION_GTTS_MAX } from './gtt.ts'
import { gttMargin, legReferencePrice } from './margin.ts'

const NO_SESSION: SessionFacts = { open: false, closedReason: '', squareOffAt: 0 }

type Wanted = Pick<PlaceGttCommand, 'at' | 'instrument' | 'action' | 'product' | 'terms'> & GttTerms

/** The order that a leg would place, for judging: its trigger stands where a stop's would. */
function legOrder(wanted: Wanted, leg: NewGttLeg): Order {
  const { at, instrument, action, product, terms, quantity, priceType } = wanted
  const order = orderOf({
    kind: 'place',
    at,
    orderId: '',
    instrument,
    action,
    quantity,
    priceType,
    product,
    price: leg.price,
    triggerPrice: ZERO_PRICE,
    disclosedQuantity: ZERO_QUANTITY,
    strategy: '',
    terms,
    session: NO_SESSION,
    book: undefined,
  })
  return { ...order, triggerPrice: leg.triggerPrice, referencePrice: legReferencePrice(wanted, leg) }
}

/** Why it can't be taken, whatever the market does and the account holds. */
export function standingGttRefusal(wanted: Wanted): string | undefined {
  if (wanted.product === 'MIS') return 'GTT supports only CNC (delivery) or NRML (overnight F&O); MIS is intraday-only.'
  const [first, second] = wanted.legs
  if (first !== undefined && second !== undefined && first.triggerPrice >= second.triggerPrice)
    return `Stoploss trigger must be less than target trigger, got ${formatPrice(first.triggerPrice)} and ${formatPrice(second.triggerPrice)}`
  for (const leg of wanted.legs) {
    const order = legOrder(wanted, leg)
    const refusal = legRefusal(order) ?? standingRefusal(order) ?? valueRefusal(order)
    if (refusal !== undefined) return refusal
  }
  return undefined
}

function legRefusal(order: Order): string | undefined {
  if (order.triggerPrice <= 0) return `Trigger price must be positive, got ${formatPrice(order.triggerPrice)}`
  if (order.priceType === 'LIMIT' && order.price <= 0)
    return `LIMIT orders require price. Got ${formatPrice(order.price)}; send the limit price, or MARKET as pricetype.`
  return undefined
}

function valueRefusal(order: Order): string | undefined {
  const dearest = Math.max(order.referencePrice, order.triggerPrice, order.terms.notionalPrice) as Price
  const { instrument, quantity } = order
  const rupees = toNumber.price(dearest) * toNumber.quantity(quantity) * toNumber.multiplier(instrument.multiplier)
  return rupees > ORDER_VALUE_MAX_RUPEES
    ? `Order value of about ₹${rupees.toPrecision(3)} exceeds the largest the exchange takes, ₹${ORDER_VALUE_MAX_RUPEES.toPrecision(3)}`
    : undefined
}

export function expiryRefusal(at: number, expiresAt: number): string | undefined {
  if (expiresAt <= at)
    return `expires_at must be in the future, got ${timestampOf(expiresAt)} IST; it is ${timestampOf(at)} IST`
  const latest = at + GTT_LIFE_MAX_MS
  return expiresAt > latest
    ? `expires_at must be within 365 days, by ${timestampOf(latest)} IST, got ${timestampOf(expiresAt)} IST`
    : undefined
}

/** Why a new one is refused, or what it reserves. */
export function judgePlaceGtt(
  state: AccountState,
  command: PlaceGttCommand,
): { readonly refusal: string } | { readonly margin: Money } {
  const refusal =
    command.denied ??
    standingGttRefusal(command) ??
    expiryRefusal(command.at, command.expiresAt) ??
    (state.activeGttCount >= ACTIVE_GTTS_MAX
      ? `The account already has ${ACTIVE_GTTS_MAX} active GTTs, the most allowed; cancel some first`
      : undefined)
  if (refusal !== undefined) return { refusal }
  const { margin, unaffordable } = marginNeeded(state, command, 0 as Money)
  return unaffordable === undefined ? { margin } : { refusal: unaffordable }
}

function marginNeeded(
  state: AccountState,
  wanted: Wanted,
  reserved: Money,
): { readonly margin: Money; readonly unaffordable: string | undefined } {
  const margin = gttMargin(
    state,
    wanted.legs.map((leg) => legOrder(wanted, leg)),
  )
  const required = subtract(margin, reserved)
  const available = availableOf(state)
  const missing = subtract(required, available)
  const unaffordable = required > 0 && missing > 0 ? insufficientFunds(required, available, missing) : undefined
  return { margin, unaffordable }
}

/** Throws gtt_not_found unless it is active and hasn't waited its time. */
function activeGtt(state: AccountState, { gttId, at }: { gttId: string; at: number }): Gtt {
  const gtt = state.gtts.get(gttId)
  if (gtt === undefined || gtt.status !== 'active' || gtt.expiresAt <= at)
    throw new Refusal('gtt_not_found', `No active GTT with trigger_id '${gttId}'`, { extra: { mode: 'analyze' } })
  return gtt
}

export const judgeCancelGtt = (state: AccountState, command: CancelGttCommand): Gtt => activeGtt(state, command)

/** The one to change and what it reserves afterwards. Throws gtt_not_found, gtt_unchangeable; nothing is changed then. */
export function judgeModifyGtt(
  state: AccountState,
  command: ModifyGttCommand,
): { readonly gtt: Gtt; readonly margin: Money } {
  const gtt = activeGtt(state, command)
  const refuse = (reason: string): never => {
    throw new Refusal('gtt_unchangeable', reason, { extra: { mode: 'analyze', trigger_id: gtt.id } })
  }
  if (command.legs.length !== gtt.legs.length)
    refuse(`Modify must keep the same trigger shape: this GTT has ${gtt.legs.length} leg(s).`)
  const { instrument, action, product } = gtt
  const wanted = { ...command, instrument, action, product }
  const refusal = standingGttRefusal(wanted)
  if (refusal !== undefined) refuse(`${refusal.replace(/\.$/, '')}. The GTT is unchanged.`)
  const { margin, unaffordable } = marginNeeded(state, wanted, gtt.margin)
  if (unaffordable !== undefined) refuse(`${unaffordable}. The GTT is unchanged.`)
  return { gtt, margin }
}

/** Throws a Refusal when a command can't be done; it must then not be applied or journalled. */
export function judgeGtt(state: AccountState, command: GttCommand): void {
  if (command.kind === 'modify-gtt') judgeModifyGtt(state, command)
  else if (command.kind === 'cancel-gtt') judgeCancelGtt(state, command)
  else if (command.kind === 'place-gtt' && state.gtts.size >= SESSION_GTTS_MAX) {
    throw new Refusal(
      'too_many_orders',
      `The account has had ${state.gtts.size} GTTs in the session of ${state.sessionDate}, the most allowed. Place the next one in the next session.`,
    )
  }
}
