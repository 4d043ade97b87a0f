import { assert } from '../kernel/assert.ts'
import { Refusal } from '../kernel/errors.ts'
import { judgeCancel, judgeModify } from './change.ts'
import { moneyBefore, noteChanges } from './changes.ts'
import type { CancelCommand, Command, ModifyCommand, PlaceCommand, QuoteCommand } from './command.ts'
import type { Event } from './event.ts'
import { enlist, execute, finish } from './fills.ts'
import { applyGtt } from './gtt/apply.ts'
import { isGttCommand } from './gtt/commands.ts'
import { judgeGtt } from './gtt/judge.ts'
import { rebalance, requirements, reserve } from './margin.ts'
import { fillsOf, triggersOn } from './matching.ts'
import { instrumentKey, isWorking, type Order } from './order.ts'
import { judgePlace, orderOf, SESSION_ORDERS_MAX } from './place.ts'
import { applyPlaceTogether, judgeRoom } from './place-together.ts'
import { joinPortfolio, settlePortfolio, touchPortfolio } from './portfolio.ts'
import { applyExpire, applyOpenSession, applyReset, applySquareOff } from './session.ts'
import type { AccountState } from './state.ts'
import { noteStep } from './steps.ts'

/**
 * Throws a Refusal when a command can't be done; it must then not be applied or journalled. A place that the exchange
 * refuses isn't among these: it becomes a rejected order.
 */
export function judge(state: AccountState, command: Command): void {
  if (isGttCommand(command)) judgeGtt(state, command)
  else if (command.kind === 'modify') judgeModify(state, command)
  else if (command.kind === 'cancel') judgeCancel(state, command)
  else if (command.kind === 'place-together') judgeRoom(state, command.orders, SESSION_ORDERS_MAX)
  else if (command.kind === 'place' && state.orders.size >= SESSION_ORDERS_MAX) {
    throw new Refusal(
      'too_many_orders',
      `The account has had ${state.orders.size} orders in the session of ${state.sessionDate}, the most allowed. Place the next one in the next session.`,
    )
  }
}

/**
 * The paper exchange: applies one command to the account's state and says what happened. Deterministic: no clock, no
 * I/O, no chance. The same commands on the same state always give the same events and the same state.
 */
export function apply(state: AccountState, command: Command): Event[] {
  const events: Event[] = []
  const before = moneyBefore(state)
  switch (command.kind) {
    case 'place':
      applyPlace(state, command, events)
      break
    case 'place-together':
      applyPlaceTogether(state, command, events, applyPlace, applyJudgedPlace)
      break
    case 'modify':
      applyModify(state, command, events)
      break
    case 'cancel':
      applyCancel(state, command, events)
      break
    case 'quote':
      applyQuote(state, command, events)
      break
    case 'square-off':
      applySquareOff(state, command, events)
      break
    case 'expire':
      applyExpire(state, command, events)
      break
    case 'open-session':
      applyOpenSession(state, command, events)
      break
    case 'reset':
      applyReset(state, command, events)
      break
    default:
      applyGtt(state, command, events, applyPlace)
  }
  settlePortfolio(state)
  state.seq += 1
  state.lastAt = Math.max(state.lastAt, command.at)
  noteChanges(state, command, before, events)
  return events
}

/** Takes an order whose funds were judged with others'. */
const applyJudgedPlace = (state: AccountState, command: PlaceCommand, events: Event[]): void =>
  applyPlace(state, command, events, 'judged')

export function applyPlace(
  state: AccountState,
  command: PlaceCommand,
  events: Event[],
  funds: 'judge' | 'judged' = 'judge',
): void {
  state.requestCount += 1
  joinPortfolio(state, command.instrument, command.risks)
  const order = orderOf(command)
  const verdict = judgePlace(state, order, command, funds)
  const { size } = state.orders
  state.orders.set(order)
  assert(state.orders.size > size, () => `order id ${order.id} is used twice`)
  if ('refusal' in verdict) {
    order.status = 'rejected'
    order.reason = verdict.refusal
    if (verdict.cause !== undefined) order.cause = verdict.cause
    settlePortfolio(state)
    events.push({ kind: 'order', order: { ...order } })
    return
  }
  for (const { order: other, margin } of verdict.needs) reserve(state, other, margin)
  enlist(state, order)
  const key = instrumentKey(order.instrument)
  const fills = command.book === undefined ? [] : fillsOf(order, command.book, state.taken.get(key), false)
  execute(state, order, fills, command.book, command.at, events)
  settlePortfolio(state)
}

function applyModify(state: AccountState, command: ModifyCommand, events: Event[]): void {
  const changed = judgeModify(state, command)
  const order = state.orders.get(command.orderId)
  assert(order !== undefined, 'judged above')
  state.requestCount += 1
  noteStep(order, 'modified', command.at)
  order.quantity = changed.quantity
  order.disclosedQuantity = changed.disclosedQuantity
  order.price = changed.price
  order.triggerPrice = changed.triggerPrice
  order.status = changed.status
  order.triggered = changed.triggered
  order.referencePrice = changed.referencePrice
  order.updatedAt = command.at
  for (const { order: other, margin } of requirements(state, order.instrument, order.product))
    reserve(state, other, margin)
  touchPortfolio(state, order.instrument)
  const fills =
    command.book === undefined
      ? []
      : fillsOf(order, command.book, state.taken.get(instrumentKey(order.instrument)), false)
  execute(state, order, fills, command.book, command.at, events)
}

function applyCancel(state: AccountState, command: CancelCommand, events: Event[]): void {
  const order = judgeCancel(state, command)
  state.requestCount += 1
  finish(state, order, 'cancelled', '', command.at)
  // Its cover passes to younger orders, which can only need less than before.
  assert(
    rebalance(state, order.instrument, order.product).length === 0,
    'a cancel never makes another order unaffordable',
  )
  events.push({ kind: 'order', order: { ...order } })
}

function applyQuote(state: AccountState, command: QuoteCommand, events: Event[]): void {
  const key = instrumentKey(command)
  for (const order of [...(state.working.get(key) ?? [])]) {
    if (!isWorking(order)) continue // cancelled by the fill of an earlier one
    const released = triggersOn(order, command.book)
    if (released) release(order, command)
    const fills = fillsOf(order, command.book, state.taken.get(key), !released)
    if (released || fills.length > 0) execute(state, order, fills, command.book, command.at, events)
  }
}

/** A stop's trigger is reached: from now on it is an ordinary limit or market order. */
function release(order: Order, command: QuoteCommand): void {
  noteStep(order, 'triggered', command.at)
  order.triggered = true
  order.status = 'open'
  order.updatedAt = command.at
}
