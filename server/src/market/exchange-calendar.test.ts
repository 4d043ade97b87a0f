import { describe, expect, test } from 'vitest'
import { dayNumberOf, timestampOf } from '../kernel/exchange-time.ts'
import { lastSecondOf, previousSession, sessionOpenedBy } from './calendar.ts'
import { createCalendar } from './exchange-calendar.ts'
import { EXCHANGES, type Exchange } from './instrument.ts'

const real = createCalendar({ hours: 'exchange' })
const always = createCalendar({ hours: 'always' })
const at = (text: string): number => Date.parse(`${text}+05:30`)

function hoursOn(exchange: Exchange, date: string): string {
  const session = real.sessionOn(exchange, dayNumberOf(date))
  if (session === undefined) return 'closed'
  return `${timestampOf(session.opensAt)} to ${timestampOf(session.closesAt)}`
}

describe('exchange hours', () => {
  test.each<[Exchange, string, string, string]>([
    ['NSE', '2026-03-10', '09:15', '15:30'],
    ['BSE', '2026-03-10', '09:15', '15:30'],
    ['NFO', '2026-03-10', '09:15', '15:40'],
    ['BFO', '2026-03-10', '09:15', '15:40'],
    ['CDS', '2026-03-10', '09:00', '17:00'],
    ['BCD', '2026-03-10', '09:00', '17:00'],
    ['MCX', '2026-03-10', '09:00', '23:55'],
    ['NCO', '2026-03-10', '09:00', '23:55'],
    ['NCDEX', '2026-03-10', '09:00', '17:00'],
    ['NSE_INDEX', '2026-03-10', '09:15', '15:30'],
    ['MCX_INDEX', '2026-03-10', '09:00', '23:55'],
    ['GLOBAL_INDEX', '2026-03-10', '09:15', '15:30'],
    ['MCX', '2026-03-03', '17:00', '23:55'],
    ['MCX_INDEX', '2026-03-03', '17:00', '23:55'],
    ['NCDEX', '2026-03-19', '09:00', '17:00'],
    ['NSE', '2026-11-08', '18:00', '19:15'],
    ['NSE_INDEX', '2026-11-08', '18:00', '19:15'],
    ['CDS', '2026-11-08', '18:00', '19:15'],
  ])('%s trades on %s from %s to %s', (exchange, date, opens, closes) => {
    expect(hoursOn(exchange, date)).toBe(`${date} ${opens}:00 to ${date} ${closes}:00`)
  })

  test.each<[Exchange, string, string]>([
    ['NSE', '2026-03-14', 'a Saturday'],
    ['MCX', '2026-03-15', 'a Sunday'],
    ['NSE', '2026-03-03', 'Holi'],
    ['BFO', '2026-03-03', 'Holi'],
    ['GLOBAL_INDEX', '2026-03-03', 'Holi'],
    ['MCX', '2026-01-26', 'Republic Day'],
    ['NSE', '2026-12-25', 'Christmas'],
    ['NCDEX', '2026-11-08', 'the Muhurat Sunday, which it takes no part in'],
  ])('%s is closed on %s, %s', (exchange, date) => {
    expect(hoursOn(exchange, date)).toBe('closed')
  })

  test('coins trade on every day from midnight to midnight', () => {
    expect(hoursOn('CRYPTO', '2026-01-26')).toBe('2026-01-26 00:00:00 to 2026-01-27 00:00:00')
    expect(hoursOn('CRYPTO', '2026-03-15')).toBe('2026-03-15 00:00:00 to 2026-03-16 00:00:00')
  })

  test('a year without a holiday list has weekends only', () => {
    expect(hoursOn('NSE', '2028-01-26')).toBe('2028-01-26 09:15:00 to 2028-01-26 15:30:00')
  })

  test('a session that runs past midnight is found on both days', () => {
    const muhurat = real.sessionOn('MCX', dayNumberOf('2026-11-08'))
    expect(real.sessionAt('MCX', at('2026-11-08T23:59:59'))).toBe(muhurat)
    expect(real.sessionAt('MCX', at('2026-11-09T00:14:59'))).toBe(muhurat)
    expect(real.sessionAt('MCX', at('2026-11-09T00:15:00'))).toBeUndefined()
  })

  test('a session holds its opening and not its close', () => {
    expect(real.sessionAt('NSE', at('2026-03-10T09:14:59'))).toBeUndefined()
    expect(real.sessionAt('NSE', at('2026-03-10T09:15:00'))).toBeDefined()
    expect(real.sessionAt('NSE', at('2026-03-10T15:29:59.999'))).toBeDefined()
    expect(real.sessionAt('NSE', at('2026-03-10T15:30:00'))).toBeUndefined()
  })

  test('the next session after a Friday, with a holiday behind the weekend', () => {
    expect(real.nextSession('NSE', at('2026-01-23T15:30:00')).date).toBe('2026-01-27')
    expect(real.nextSession('NSE', at('2026-01-27T09:14:59')).date).toBe('2026-01-27')
    expect(real.nextSession('NSE', at('2026-01-27T09:15:00')).date).toBe('2026-01-28')
  })

  test('the session before, and the one that opened last', () => {
    expect(previousSession(real, 'NSE', dayNumberOf('2026-01-27')).date).toBe('2026-01-23')
    expect(sessionOpenedBy(real, 'NSE', at('2026-01-27T09:14:59')).date).toBe('2026-01-23')
    expect(sessionOpenedBy(real, 'NSE', at('2026-01-27T09:15:00')).date).toBe('2026-01-27')
    expect(timestampOf(lastSecondOf(previousSession(real, 'NSE', dayNumberOf('2026-01-27'))))).toBe(
      '2026-01-23 15:29:59',
    )
  })
})

test.each(EXCHANGES)('with hours always, %s trades around the clock on any day', (exchange) => {
  const day = dayNumberOf('2026-01-25')
  const session = always.sessionOn(exchange, day)
  expect(session).toEqual({
    date: '2026-01-25',
    opensAt: at('2026-01-25T00:00:00'),
    closesAt: at('2026-01-26T00:00:00'),
  })
  expect(always.sessionOn(exchange, day)).toBe(session)
  expect(always.nextSession(exchange, at('2026-01-25T12:00:00')).date).toBe('2026-01-26')
})
