import { type GttStatus, legReached } from '../../brokers/gtt.ts'
import { assert } from '../../kernel/assert.ts'
import { ZERO_MONEY, ZERO_PRICE, ZERO_QUANTITY } from '../../kernel/fixed.ts'
import type { PlaceCommand } from '../command.ts'
import type { Event } from '../event.ts'
import { instrumentKey } from '../order.ts'
import type { AccountState } from '../state.ts'
import type {
  CancelGttCommand,
  ExpireGttCommand,
  FireGttCommand,
  GttCommand,
  ModifyGttCommand,
  PlaceGttCommand,
} from './commands.ts'
import type { Gtt } from './gtt.ts'
import { judgeCancelGtt, judgeModifyGtt, judgePlaceGtt } from './judge.ts'
import { reserveForGtt } from './margin.ts'

/** Places an order as any other and tells what came of it; the machine's own. */
export type Place = (state: AccountState, command: PlaceCommand, events: Event[]) => void

/** Of an order whose trigger names no strategy. */
const GTT_STRATEGY = 'GTT'

export function applyGtt(state: AccountState, command: GttCommand, events: Event[], place: Place): void {
  switch (command.kind) {
    case 'place-gtt':
      applyPlaceGtt(state, command, events)
      break
    case 'modify-gtt':
      applyModifyGtt(state, command, events)
      break
    case 'cancel-gtt':
      applyCancelGtt(state, command, events)
      break
    case 'fire-gtt':
      applyFireGtt(state, command, events, place)
      break
    case 'expire-gtt':
      applyExpireGtt(state, command, events)
      break
  }
}

const told = (gtt: Gtt): Event => ({ kind: 'gtt', gtt: { ...gtt } })

function applyPlaceGtt(state: AccountState, command: PlaceGttCommand, events: Event[]): void {
  assert(!state.gtts.has(command.gttId), `trigger id ${command.gttId} is used twice`)
  state.requestCount += 1
  const { gttId, gttKind, instrument, action, product, strategy, tag, lastPrice, at, expiresAt } = command
  const verdict = judgePlaceGtt(state, command)
  const gtt: Gtt = {
    id: gttId,
    kind: gttKind,
    instrument,
    action,
    product,
    strategy,
    tag,
    lastPrice,
    placedAt: at,
    expiresAt,
    quantity: command.quantity,
    priceType: command.priceType,
    terms: command.terms,
    legs: command.legs.map((leg) => ({ ...leg, status: 'refusal' in verdict ? 'cancelled' : 'pending' })),
    status: 'refusal' in verdict ? 'rejected' : 'active',
    margin: ZERO_MONEY,
    reason: 'refusal' in verdict ? verdict.refusal : '',
    orderId: '',
    updatedAt: at,
  }
  state.gtts.set(gtt.id, gtt)
  if ('margin' in verdict) {
    watch(state, gtt)
    reserveForGtt(state, gtt, verdict.margin)
  }
  events.push(told(gtt))
}

function applyModifyGtt(state: AccountState, command: ModifyGttCommand, events: Event[]): void {
  const { gtt, margin } = judgeModifyGtt(state, command)
  state.requestCount += 1
  gtt.quantity = command.quantity
  gtt.priceType = command.priceType
  gtt.terms = command.terms
  gtt.legs = command.legs.map((leg) => ({ ...leg, status: 'pending' }))
  gtt.updatedAt = command.at
  reserveForGtt(state, gtt, margin)
  events.push(told(gtt))
}

function applyCancelGtt(state: AccountState, command: CancelGttCommand, events: Event[]): void {
  const gtt = judgeCancelGtt(state, command)
  state.requestCount += 1
  end(state, gtt, 'cancelled', '', command.at)
  events.push(told(gtt))
}

/** The reservation ends before the order is judged, so that its money is there for it. */
function applyFireGtt(state: AccountState, command: FireGttCommand, events: Event[], place: Place): void {
  const gtt = state.gtts.get(command.gttId)
  assert(gtt?.status === 'active', `GTT ${command.gttId} is ${gtt?.status ?? 'unknown'} and can't fire`)
  assert(command.at < gtt.expiresAt, `GTT ${gtt.id} has expired and can't fire`)
  assert(legReached(gtt.legs, command.book.ltp) === command.leg, `leg ${command.leg} of GTT ${gtt.id} isn't reached`)
  const { price } = gtt.legs[command.leg] ?? { price: ZERO_PRICE } // asserted above
  end(state, gtt, 'triggered', '', command.at, command.leg)
  gtt.orderId = command.orderId
  place(
    state,
    {
      kind: 'place',
      at: command.at,
      orderId: command.orderId,
      instrument: gtt.instrument,
      action: gtt.action,
      quantity: gtt.quantity,
      priceType: gtt.priceType,
      product: gtt.product,
      price,
      triggerPrice: ZERO_PRICE,
      disclosedQuantity: ZERO_QUANTITY,
      strategy: gtt.strategy === '' ? GTT_STRATEGY : gtt.strategy,
      root: gtt.id,
      terms: command.terms,
      charges: command.charges,
      risks: command.risks,
      session: command.session,
      book: command.book,
    },
    events,
  )
  const order = state.orders.get(command.orderId)
  assert(order !== undefined, `GTT ${gtt.id} placed no order`)
  if (order.status === 'rejected') {
    gtt.status = 'rejected'
    gtt.reason = order.reason
  }
  events.push(told(gtt))
}

function applyExpireGtt(state: AccountState, command: ExpireGttCommand, events: Event[]): void {
  const ending = command.gttIds.map((id) => {
    const gtt = state.gtts.get(id)
    assert(gtt?.status === 'active', `GTT ${id} is ${gtt?.status ?? 'unknown'} and can't expire`)
    return gtt
  })
  endGtts(state, ending, 'expired', command.reason, command.at, events)
}

export function endGtts(
  state: AccountState,
  gtts: readonly Gtt[],
  status: Exclude<GttStatus, 'active'>,
  reason: string,
  at: number,
  events: Event[],
): void {
  for (const gtt of gtts) {
    end(state, gtt, status, reason, at)
    events.push(told(gtt))
  }
}

/** The only way into a final state. The leg that fired is told; every other one is cancelled. */
function end(
  state: AccountState,
  gtt: Gtt,
  status: Exclude<GttStatus, 'active'>,
  reason: string,
  at: number,
  fired?: number,
): void {
  assert(gtt.status === 'active', `GTT ${gtt.id} is already ${gtt.status}`)
  reserveForGtt(state, gtt, ZERO_MONEY)
  gtt.status = status
  gtt.reason = reason
  gtt.updatedAt = at
  gtt.legs = gtt.legs.map((leg, index) => ({ ...leg, status: index === fired ? 'triggered' : 'cancelled' }))
  unwatch(state, gtt)
}

/** Takes those that ended out of the state, oldest first; active ones stay over sessions. */
export function takeEndedGtts(state: AccountState): Gtt[] {
  const ended = [...state.gtts.values()].filter((gtt) => gtt.status !== 'active')
  for (const gtt of ended) state.gtts.delete(gtt.id)
  return ended
}

type Watched = Pick<AccountState, 'gtts' | 'watched' | 'activeGttCount'>

/** The triggers of a snapshot, and what follows from them. */
export function decodeGtts(gtts: readonly Gtt[]): Watched {
  const decoded: Watched = { gtts: new Map(gtts.map((gtt) => [gtt.id, gtt])), watched: new Map(), activeGttCount: 0 }
  for (const gtt of gtts) if (gtt.status === 'active') watch(decoded, gtt)
  return decoded
}

function watch(state: Watched, gtt: Gtt): void {
  const key = instrumentKey(gtt.instrument)
  const list = state.watched.get(key)
  if (list === undefined) state.watched.set(key, [gtt])
  else list.push(gtt)
  state.activeGttCount += 1
}

function unwatch(state: AccountState, gtt: Gtt): void {
  const key = instrumentKey(gtt.instrument)
  const list = state.watched.get(key) ?? []
  const index = list.indexOf(gtt)
  assert(index >= 0, `active GTT ${gtt.id} isn't watched`)
  list.splice(index, 1)
  if (list.length === 0) state.watched.delete(key)
  state.activeGttCount -= 1
}
