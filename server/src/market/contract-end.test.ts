import { expect, test } from 'vitest'
import { timestampOf } from '../kernel/exchange-time.ts'
import { overrideSet } from './calendar/override.ts'
import { contractEnd, expiryInstant } from './contract-end.ts'
import { createCalendar } from './exchange-calendar.ts'
import type { Exchange } from './instrument.ts'

const exchangeHours = createCalendar({ hours: 'exchange' })
const always = createCalendar({ hours: 'always' })

test.each<[Exchange, string, string, string]>([
  ['NFO', '2026-03-10', '2026-03-10 15:40:00', '2026-03-10 15:30:00'],
  ['BFO', '2026-03-12', '2026-03-12 15:40:00', '2026-03-12 15:30:00'],
  ['CDS', '2026-03-13', '2026-03-13 17:00:00', '2026-03-13 17:00:00'],
  ['MCX', '2026-03-19', '2026-03-19 23:55:00', '2026-03-19 23:55:00'],
  ['CRYPTO', '2026-03-10', '2026-03-10 17:30:00', '2026-03-10 17:30:00'],
  ['CRYPTO', '2026-01-26', '2026-01-26 17:30:00', '2026-01-26 17:30:00'],
  ['NFO', '2026-03-31', '2026-03-30 15:40:00', '2026-03-30 15:30:00'],
])('contracts on %s that expire on %s end at %s, and settle by prices up to %s', (exchange, expiry, ends, settles) => {
  const end = contractEnd({ exchange, expiry }, exchangeHours)
  expect([timestampOf(end?.expiresAt ?? 0), timestampOf(end?.settlesAt ?? 0)]).toEqual([ends, settles])
  expect(expiryInstant({ exchange, expiry }, exchangeHours)).toBe(end?.expiresAt)
})

test('around the clock, contracts end with their day, and coins when they settle', () => {
  const ends = (['NFO', 'CRYPTO'] as const).map((exchange) => expiryInstant({ exchange, expiry: '2026-03-10' }, always))
  expect(ends.map((at) => timestampOf(at ?? 0))).toEqual(['2026-03-11 00:00:00', '2026-03-10 17:30:00'])
})

test('a changed day moves the end', () => {
  const calendar = createCalendar({ hours: 'exchange' })
  const said = { reason: '', setAt: 0, setBy: '' }
  const window = { opensAtMinute: 18 * 60, closesAtMinute: 20 * 60 }
  calendar.override(
    overrideSet([
      { ...said, date: '2026-03-10', exchange: 'NFO', window: undefined },
      { ...said, date: '2026-03-11', exchange: 'CRYPTO', window },
    ]),
  )
  const ends = [
    expiryInstant({ exchange: 'NFO', expiry: '2026-03-10' }, calendar),
    expiryInstant({ exchange: 'CRYPTO', expiry: '2026-03-11' }, calendar),
  ]
  expect(ends.map((at) => timestampOf(at ?? 0))).toEqual(['2026-03-09 15:40:00', '2026-03-11 20:00:00'])
})

test('what does not expire has no end', () => {
  expect(contractEnd({ exchange: 'NSE', expiry: undefined }, exchangeHours)).toBeUndefined()
})
