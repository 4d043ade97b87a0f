import { assert } from '../kernel/assert.ts'
import { dateOf, dayNumberAt, timestampOf } from '../kernel/exchange-time.ts'
import type { Exchange } from '../market/instrument.ts'
import type { SessionFacts } from './command.ts'
import { type SessionRules, squareOffAt } from './due.ts'

/** What a command must know of the exchange's session at an instant. Remembered as long as it holds. */
export function sessionFacts(rules: SessionRules): (exchange: Exchange, at: number) => SessionFacts {
  const known = new Map<Exchange, { readonly from: number; readonly until: number; readonly facts: SessionFacts }>()
  let version = rules.calendar.version
  return (exchange, at) => {
    if (version !== rules.calendar.version) {
      version = rules.calendar.version
      known.clear()
    }
    const last = known.get(exchange)
    if (last !== undefined && at >= last.from && at < last.until) return last.facts
    const session = rules.calendar.sessionAt(exchange, at)
    if (session === undefined) {
      const { opensAt } = rules.calendar.nextSession(exchange, at)
      const closedReason = `${exchange} is closed; it opens at ${timestampOf(opensAt)} IST`
      const facts = { open: false, closedReason, squareOffAt: at }
      known.set(exchange, { from: at, until: opensAt, facts })
      return facts
    }
    const dayNumber = dayNumberAt(session.opensAt)
    const until = squareOffAt(rules, exchange, dayNumber)
    assert(until !== undefined, `${exchange} has a session on ${dateOf(dayNumber)} and no square-off time`)
    const facts = { open: true, closedReason: '', squareOffAt: until }
    known.set(exchange, { from: session.opensAt, until: session.closesAt, facts })
    return facts
  }
}
