import { expect, test } from 'vitest'
import { overrideSet } from '../market/calendar/override.ts'
import { createCalendar } from '../market/exchange-calendar.ts'
import type { Exchange } from '../market/instrument.ts'
import { sessionFacts } from './session-facts.ts'

const at = (text: string): number => Date.parse(`${text}+05:30`)
const setUp = () => {
  const calendar = createCalendar({ hours: 'exchange' })
  return { calendar, of: sessionFacts({ calendar, squareOffMinutes: () => undefined, sessionBoundaryMinutes: 0 }) }
}
const cash = { symbol: 'SBIN', exchange: 'NSE' as Exchange, expiry: undefined }
const coin = { symbol: 'BTC27NOV26FUT', exchange: 'CRYPTO' as Exchange, expiry: '2026-11-27' }

test('a contract that ended while its exchange is open is closed, and says when it ended', () => {
  const { of } = setUp()
  expect(of(coin, at('2026-11-27T17:29:59.999'))).toMatchObject({ open: true })
  expect(of(coin, at('2026-11-27T17:30:00'))).toEqual({
    open: false,
    closedReason: 'BTC27NOV26FUT on CRYPTO expired on 2026-11-27: it ended at 2026-11-27 17:30:00 IST',
    squareOffAt: at('2026-11-27T17:30:00'),
  })
  const perpetual = { ...coin, expiry: undefined }
  expect(of(perpetual, at('2026-11-27T17:30:00'))).toMatchObject({ open: true })
})

test('what is remembered of a session is forgotten when the calendar changes', () => {
  const { calendar, of } = setUp()
  const noon = at('2026-11-27T12:00:00')
  expect(of(cash, noon)).toEqual({ open: true, closedReason: '', squareOffAt: at('2026-11-27T15:30:00') })
  const said = { date: '2026-11-27', exchange: 'NSE' as const, reason: '', setAt: 0, setBy: '' }
  calendar.override(overrideSet([{ ...said, window: { opensAtMinute: 555, closesAtMinute: 750 } }]))
  expect(of(cash, noon)).toMatchObject({ open: true, squareOffAt: at('2026-11-27T12:30:00') })
  calendar.override(overrideSet([{ ...said, window: undefined }]))
  expect(of(cash, noon)).toMatchObject({
    open: false,
    closedReason: 'NSE is closed; it opens at 2026-11-30 09:15:00 IST',
  })
  calendar.override(overrideSet([]))
  expect(of(cash, noon)).toMatchObject({ open: true, squareOffAt: at('2026-11-27T15:30:00') })
})
