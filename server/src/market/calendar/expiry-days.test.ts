import { describe, expect, test } from 'vitest'
import { dateOf, dayNumberOf } from '../../kernel/exchange-time.ts'
import { monthlyExpiry, monthOf, weeklyListings } from '../simulator/expiries.ts'
import { EXPIRY_DAYS, type ExpiryExchange, SHARE_EXPIRY_DAYS } from './data/expiry-days.ts'
import { expiryDayOn } from './expiry-days.ts'

const monthly = (exchange: ExpiryExchange, root: string, month: string): string =>
  dateOf(monthlyExpiry({ exchange, root }, monthOf(dayNumberOf(`${month}-01`))))

describe('contracts of a month expired on', () => {
  test.each<[ExpiryExchange, string, string, why: string]>([
    ['NFO', 'NIFTY', '2024-01-25', 'the last Thursday'],
    ['NFO', 'NIFTY', '2025-08-28', 'the last Thursday'],
    ['NFO', 'NIFTY', '2025-09-30', 'the last Tuesday'],
    ['NFO', 'NIFTY', '2026-03-30', 'the Monday before a holiday'],
    ['NFO', 'NIFTY', '2026-11-23', 'the Monday before a holiday'],
    ['NFO', 'BANKNIFTY', '2024-02-29', 'the last Thursday'],
    ['NFO', 'BANKNIFTY', '2024-03-27', 'the last Wednesday'],
    ['NFO', 'BANKNIFTY', '2024-12-24', 'the Tuesday before a holiday'],
    ['NFO', 'BANKNIFTY', '2025-01-30', 'the last Thursday'],
    ['NFO', 'BANKNIFTY', '2025-09-30', 'the last Tuesday'],
    ['NFO', 'FINNIFTY', '2024-12-31', 'the last Tuesday'],
    ['NFO', 'FINNIFTY', '2025-01-30', 'the last Thursday'],
    ['NFO', 'MIDCPNIFTY', '2024-12-30', 'the last Monday'],
    ['NFO', 'MIDCPNIFTY', '2025-09-30', 'the last Tuesday'],
    ['NFO', 'NIFTYNXT50', '2024-12-27', 'the last Friday'],
    ['NFO', 'RELIANCE', '2025-08-28', 'the last Thursday'],
    ['NFO', 'RELIANCE', '2025-10-28', 'the last Tuesday'],
    ['BFO', 'SENSEX', '2024-12-27', 'the last Friday'],
    ['BFO', 'SENSEX', '2025-01-28', 'the last Tuesday'],
    ['BFO', 'SENSEX', '2025-09-25', 'the last Thursday'],
    ['BFO', 'SENSEX', '2025-12-24', 'the Wednesday before a holiday'],
    ['BFO', 'BANKEX', '2024-12-30', 'the last Monday'],
    ['BFO', 'BANKEX', '2025-09-25', 'the last Thursday'],
  ])('%s %s: %s, %s', (exchange, root, date) => {
    expect(monthly(exchange, root, date.slice(0, 7))).toBe(date)
  })
})

describe('contracts of a week', () => {
  const weeklies = (exchange: ExpiryExchange, root: string, from: string): string[] =>
    weeklyListings({ exchange, root }, dayNumberOf(from), 4).map(({ expiryDay }) => dateOf(expiryDay))

  test.each<[ExpiryExchange, string, string, string[]]>([
    ['NFO', 'NIFTY', '2025-08-25', ['2025-08-28', '2025-09-02', '2025-09-09', '2025-09-16']],
    ['NFO', 'NIFTY', '2026-11-23', ['2026-11-23', '2026-12-01', '2026-12-08', '2026-12-15']],
    ['NFO', 'NIFTY', '2026-11-24', ['2026-12-01', '2026-12-08', '2026-12-15', '2026-12-22']],
    ['BFO', 'SENSEX', '2024-12-23', ['2024-12-27', '2025-01-07', '2025-01-14', '2025-01-21']],
    ['BFO', 'SENSEX', '2026-01-09', ['2026-01-14', '2026-01-22', '2026-01-29', '2026-02-05']],
  ])('%s %s, from %s: %j', (exchange, root, from, expected) => {
    expect(weeklies(exchange, root, from)).toEqual(expected)
  })

  test.each<[ExpiryExchange, string, string, boolean]>([
    ['NFO', 'BANKNIFTY', '2024-11-13', true],
    ['NFO', 'BANKNIFTY', '2024-11-20', false],
    ['NFO', 'FINNIFTY', '2024-11-19', true],
    ['NFO', 'FINNIFTY', '2024-11-26', false],
    ['NFO', 'MIDCPNIFTY', '2024-11-18', true],
    ['BFO', 'BANKEX', '2024-11-25', false],
    ['BFO', 'SENSEX', '2026-11-26', true],
    ['NFO', 'NIFTY', '2026-11-26', true],
    ['NFO', 'RELIANCE', '2026-11-26', false],
  ])('%s %s has them on %s: %s', (exchange, root, date, weekly) => {
    expect(expiryDayOn(exchange, root, date).weekly).toBe(weekly)
  })

  test('are listed until they expire, also where the day of the week changes', () => {
    const series = { exchange: 'NFO', root: 'NIFTY' } as const
    const listed = new Set<number>()
    for (let day = dayNumberOf('2025-07-01'); day < dayNumberOf('2025-11-01'); day += 1) {
      const expiries = weeklyListings(series, day, 5)
      for (const expected of [...listed].filter((expiry) => expiry >= day))
        expect(expiries.map(({ expiryDay }) => expiryDay)).toContain(expected)
      for (const { expiryDay, listedOn } of expiries) {
        listed.add(expiryDay)
        expect(listedOn).toBeLessThanOrEqual(day)
      }
    }
  })
})

test('rules are in order of time', () => {
  const all = [
    ...Object.values(EXPIRY_DAYS).flatMap((rules) => Object.values(rules)),
    ...Object.values(SHARE_EXPIRY_DAYS),
  ]
  for (const rules of all) {
    const froms = rules.map(({ from }) => from)
    expect(froms.length).toBeGreaterThan(0)
    expect(froms).toEqual([...new Set(froms)].sort())
  }
})
