import { expect, test } from 'vitest'
import { timestampOf } from '../kernel/exchange-time.ts'
import { overrideSet } from '../market/calendar/override.ts'
import { createCalendar } from '../market/exchange-calendar.ts'
import type { Exchange } from '../market/instrument.ts'
import { dueBetween, nextDueAt, type SessionRules } from './due.ts'

const at = (text: string): number => Date.parse(`${text}+05:30`)
const rulesOf = (): SessionRules & { readonly calendar: ReturnType<typeof createCalendar> } => ({
  calendar: createCalendar({ hours: 'exchange' }),
  squareOffMinutes: (exchange) => (exchange === 'NFO' ? 15 * 60 + 15 : undefined),
  sessionBoundaryMinutes: 180,
})

/** When contracts of that exchange expire, and which: those up to that date. */
const expiries = (rules: SessionRules, exchange: Exchange, from: string, to: string): string[] =>
  dueBetween(rules, at(`${from}T00:00:00`), at(`${to}T23:59:59`)).flatMap((due) =>
    due.kind === 'expire' && due.exchange === exchange ? [`${timestampOf(due.at)}: ${due.date}`] : [],
  )

test('contracts expire with their session, coins when they settle, and before a weekend those that end on it', () => {
  const rules = rulesOf()
  expect(expiries(rules, 'NFO', '2026-11-26', '2026-11-30')).toEqual([
    '2026-11-26 15:40:00: 2026-11-26',
    '2026-11-27 15:40:00: 2026-11-29',
    '2026-11-30 15:40:00: 2026-11-30',
  ])
  expect(expiries(rules, 'CRYPTO', '2026-11-28', '2026-11-29')).toEqual([
    '2026-11-28 17:30:00: 2026-11-28',
    '2026-11-29 17:30:00: 2026-11-29',
  ])
})

test('a day that an admin closes expires the day before', () => {
  const rules = rulesOf()
  rules.calendar.override(
    overrideSet([{ date: '2026-11-26', exchange: 'NFO', window: undefined, reason: '', setAt: 0, setBy: '' }]),
  )
  expect(expiries(rules, 'NFO', '2026-11-25', '2026-11-27')).toEqual([
    '2026-11-25 15:40:00: 2026-11-26',
    '2026-11-27 15:40:00: 2026-11-29',
  ])
})

test('what falls due next follows the calendar as it is now', () => {
  const rules = rulesOf()
  const now = at('2026-11-27T15:00:00')
  expect(timestampOf(nextDueAt(rules, now))).toBe('2026-11-27 15:15:00')
  const window = { opensAtMinute: 9 * 60, closesAtMinute: 15 * 60 + 5 }
  rules.calendar.override(
    overrideSet([{ date: '2026-11-27', exchange: 'NFO', window, reason: '', setAt: 0, setBy: '' }]),
  )
  expect(timestampOf(nextDueAt(rules, now))).toBe('2026-11-27 15:05:00')
})
