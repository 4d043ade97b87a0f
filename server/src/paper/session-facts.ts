import { assert } from '../kernel/assert.ts'
import { dateOf, dayNumberAt, timestampOf } from '../kernel/exchange-time.ts'
import { endsWhileOpen, expiryInstant } from '../market/contract-end.ts'
import type { Exchange } from '../market/instrument.ts'
import type { SessionFacts } from './command.ts'
import { type SessionRules, squareOffAt } from './due.ts'
import type { InstrumentFacts } from './order.ts'

/** What a command must know of the session of an instrument at an instant. */
export type SessionOf = (
  instrument: Pick<InstrumentFacts, 'symbol' | 'exchange' | 'expiry'>,
  at: number,
) => SessionFacts

/** Remembers what holds for an exchange as long as it does. */
export function sessionFacts(rules: SessionRules): SessionOf {
  const ofExchange = exchangeFacts(rules)
  return (instrument, at) => {
    const { symbol, exchange, expiry } = instrument
    const facts = ofExchange(exchange, at)
    if (!facts.open || expiry === undefined || !endsWhileOpen(exchange)) return facts
    const endedAt = expiryInstant({ exchange, expiry }, rules.calendar)
    if (endedAt === undefined || at < endedAt) return facts
    const closedReason = `${symbol} on ${exchange} expired on ${expiry}: it ended at ${timestampOf(endedAt)} IST`
    return { open: false, closedReason, squareOffAt: endedAt }
  }
}

function exchangeFacts(rules: SessionRules): (exchange: Exchange, at: number) => SessionFacts {
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
