import { assert } from '../../kernel/assert.ts'
import { instrumentKey } from '../order.ts'
import type { AccountState } from '../state.ts'

/** Throws unless the triggers add up; returns what they reserve together. */
export function assertGtts(state: AccountState): number {
  let reserved = 0
  let active = 0
  for (const [id, gtt] of state.gtts) {
    assert(gtt.id === id, `GTT ${id} has a wrong key`)
    assert(gtt.margin >= 0, `GTT ${id} has margin ${gtt.margin}`)
    assert(gtt.legs.length === (gtt.kind === 'single' ? 1 : 2), `GTT ${id} has ${gtt.legs.length} legs`)
    const fired = gtt.legs.filter((leg) => leg.status === 'triggered').length
    assert(fired <= 1, `${fired} legs of GTT ${id} fired`)
    assert((fired === 1) === (gtt.orderId !== ''), `GTT ${id} fired ${fired} times and placed "${gtt.orderId}"`)
    assert(gtt.status !== 'triggered' || fired === 1, `GTT ${id} is triggered by no leg`)
    reserved += gtt.margin
    if (gtt.status === 'active') {
      active += 1
      assert(fired === 0, `active GTT ${id} has fired`)
      assert(state.watched.get(instrumentKey(gtt.instrument))?.includes(gtt) === true, `GTT ${id} isn't watched`)
    } else assert(gtt.margin === 0, `${gtt.status} GTT ${id} still holds margin`)
  }
  let watched = 0
  for (const list of state.watched.values()) watched += list.length
  assert(
    watched === active && active === state.activeGttCount,
    `${watched} watched, ${state.activeGttCount} counted, ${active} active GTTs`,
  )
  return reserved
}
