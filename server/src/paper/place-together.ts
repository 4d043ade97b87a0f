import { Refusal } from '../kernel/errors.ts'
import type { PlaceCommand, PlaceTogetherCommand } from './command.ts'
import type { Event } from './event.ts'
import { judgeTogether } from './margin.ts'
import type { Place } from './scratch.ts'
import type { AccountState } from './state.ts'

/**
 * Places orders in order. Margin is judged on what all of them lead to, so that a purchase which hedges a sale counts for
 * it; where it doesn't suffice none is taken. `place` takes an order, and `placeJudged` one whose funds were judged.
 */
export function applyPlaceTogether(
  state: AccountState,
  command: PlaceTogetherCommand,
  events: Event[],
  place: Place,
  placeJudged: Place,
): void {
  const unaffordable = judgeTogether(state, command.orders, place)
  const root = command.orders[0]?.orderId
  let stopped: string | undefined
  for (const [index, order] of command.orders.entries()) {
    const denied = order.denied ?? unaffordable?.refusal ?? stopped
    placeJudged(state, { ...order, root: order.root ?? (index === 0 ? undefined : root), denied }, events)
    if (!command.stopsAtRefusal || stopped !== undefined || unaffordable !== undefined) continue
    const placed = state.orders.get(order.orderId)
    if (placed?.status === 'rejected')
      stopped = `Not placed, because an order before it, which was asked for together with it, was refused: ${placed.reason}`
  }
}

/** Throws too_many_orders when the session has no room for them all. */
export function judgeRoom(state: AccountState, orders: readonly PlaceCommand[], roomMax: number): void {
  if (state.orders.size + orders.length <= roomMax) return
  throw new Refusal(
    'too_many_orders',
    `The account has had ${state.orders.size} orders in the session of ${state.sessionDate}, and may have ${roomMax}: there is no room for ${orders.length} more. Place them in the next session.`,
  )
}
