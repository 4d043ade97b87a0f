import {
  DAY_MS,
  dateOf,
  dayNumberAt,
  dayNumberOf,
  dayStartAt,
  type ExchangeDate,
  MINUTE_MS,
} from '../kernel/exchange-time.ts'
import type { TradingCalendar } from '../market/calendar.ts'
import { contractEnd } from '../market/contract-end.ts'
import type { Exchange } from '../market/instrument.ts'

/** Something the exchange does by the clock. `at` is when it is due, `effectiveAt` the instant it is booked at. */
export type Due =
  | {
      readonly kind: 'square-off'
      readonly at: number
      readonly effectiveAt: number
      readonly exchanges: readonly Exchange[]
    }
  | {
      readonly kind: 'expire'
      readonly at: number
      readonly effectiveAt: number
      readonly exchange: Exchange
      readonly date: ExchangeDate
    }
  | { readonly kind: 'open-session'; readonly at: number; readonly effectiveAt: number; readonly date: ExchangeDate }

export const TRADED_EXCHANGES: readonly Exchange[] = [
  'NSE',
  'BSE',
  'NFO',
  'BFO',
  'CDS',
  'BCD',
  'MCX',
  'NCDEX',
  'NCO',
  'CRYPTO',
]

export interface SessionRules {
  readonly calendar: TradingCalendar
  /** Minutes after 00:00 at which an exchange squares off; undefined squares off at the session's very end. */
  readonly squareOffMinutes: (exchange: Exchange) => number | undefined
  /** Minutes after 00:00 at which one trading day ends and the next begins. */
  readonly sessionBoundaryMinutes: number
}

/** The trading day that an instant belongs to. */
export const sessionDateAt = (rules: SessionRules, at: number): ExchangeDate =>
  dateOf(dayNumberAt(at - rules.sessionBoundaryMinutes * MINUTE_MS))

export function squareOffAt(rules: SessionRules, exchange: Exchange, dayNumber: number): number | undefined {
  const session = rules.calendar.sessionOn(exchange, dayNumber)
  if (session === undefined) return undefined
  const minutes = rules.squareOffMinutes(exchange)
  if (minutes === undefined) return session.closesAt
  // A special session may open after the usual time; its intraday business ends with it.
  const at = dayStartAt(dayNumber) + minutes * MINUTE_MS
  return at <= session.opensAt ? session.closesAt : Math.min(at, session.closesAt)
}

const RANK = { 'square-off': 0, expire: 1, 'open-session': 2 } as const

/** All that falls due in (after, upTo], in the order in which it must be done. */
export function dueBetween(rules: SessionRules, after: number, upTo: number): Due[] {
  const dues: Due[] = []
  for (let day = dayNumberAt(after) - 1; day <= dayNumberAt(upTo); day += 1) dues.push(...dueOn(rules, day))
  return dues
    .filter((due) => due.at > after && due.at <= upTo)
    .sort((a, b) => a.at - b.at || RANK[a.kind] - RANK[b.kind])
}

function dueOn(rules: SessionRules, dayNumber: number): Due[] {
  const dues: Due[] = []
  const squareOffs = new Map<number, Exchange[]>()
  for (const exchange of TRADED_EXCHANGES) {
    const session = rules.calendar.sessionOn(exchange, dayNumber)
    const at = squareOffAt(rules, exchange, dayNumber)
    if (session === undefined || at === undefined) continue
    const together = squareOffs.get(at)
    if (together === undefined) squareOffs.set(at, [exchange])
    else together.push(exchange)
    const expiresAt = contractEnd({ exchange, expiry: session.date }, rules.calendar)?.expiresAt ?? session.closesAt
    // Contracts that end before the next session end with this one
    const { date: next } = rules.calendar.nextSession(exchange, session.opensAt)
    const date = dateOf(dayNumberOf(next) - 1)
    dues.push({ kind: 'expire', at: expiresAt, effectiveAt: expiresAt - 1, exchange, date })
  }
  for (const [at, exchanges] of squareOffs) dues.push({ kind: 'square-off', at, effectiveAt: at - 1, exchanges })
  const boundary = dayStartAt(dayNumber) + rules.sessionBoundaryMinutes * MINUTE_MS
  dues.push({ kind: 'open-session', at: boundary, effectiveAt: boundary, date: dateOf(dayNumber) })
  return dues
}

/** The next instant after `now` at which something falls due. There is one every day. */
export function nextDueAt(rules: SessionRules, now: number): number {
  return dueBetween(rules, now, now + 2 * DAY_MS)[0]?.at ?? now + DAY_MS
}
