import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../kernel/clock.ts'
import { dayNumberOf, dayStartAt, MINUTE_MS } from '../../kernel/exchange-time.ts'
import { minuteOf } from '../calendar/day.ts'
import type { Market } from '../calendar/hours.ts'
import { overrideSet } from '../calendar/override.ts'
import { createCalendar } from '../exchange-calendar.ts'
import type { Instrument } from '../instrument.ts'
import { InstrumentStore } from '../instrument-store.ts'
import { createSimulator, createUniverse } from './index.ts'

/** The simulated market goes on when an admin says what exchanges do on a day, and forgets what was otherwise. */

const DATE = '2026-11-26'
const at = (text: string): number => Date.parse(`${DATE}T${text}+05:30`)
const store = new InstrumentStore(createUniverse({ date: DATE, seed: 5 }))
const later = (root: string, exchange: Market): Instrument | undefined =>
  store.futures(root, exchange).find(({ expiry }) => (expiry ?? '') > DATE)
const sample = [
  store.find('SBIN', 'NSE'),
  store.find('SBIN', 'BSE'),
  store.find('NIFTY', 'NSE_INDEX'),
  later('NIFTY', 'NFO'),
  later('SENSEX', 'BFO'),
  later('USDINR', 'CDS'),
  later('EURINR', 'BCD'),
  later('CRUDEOIL', 'MCX'),
  later('GOLD', 'NCO'),
  later('CASTOR', 'NCDEX'),
  store.find('BTCUSDFUT', 'CRYPTO'),
].filter((instrument): instrument is Instrument => instrument !== undefined)

const said = (exchange: Market, hours: readonly [from: string, to: string] | undefined) => ({
  date: DATE,
  exchange,
  window: hours && { opensAtMinute: minuteOf(hours[0]), closesAtMinute: minuteOf(hours[1]) },
  reason: '',
  setAt: 0,
  setBy: '',
})

function market(now: string) {
  const clock = new ManualClock(at(now))
  const calendar = createCalendar({ hours: 'exchange' })
  return { calendar, simulator: createSimulator({ seed: 5, clock, calendar }) }
}

test('the sample is whole', () => {
  expect(sample).toHaveLength(11)
})

describe.each<[Market, readonly [string, string] | undefined]>([
  ['NSE', undefined],
  ['BSE', undefined],
  ['NFO', undefined],
  ['BSE', ['18:00', '18:15']],
  ['NSE', ['06:00', '07:00']],
  ['NFO', ['10:00', '28:30']],
  ['BFO', ['16:00', '23:00']],
  ['BCD', ['20:00', '21:00']],
  ['MCX', ['09:00', '24:15']],
  ['NCO', undefined],
  ['CRYPTO', ['10:00', '12:00']],
  ['NCDEX', undefined],
])('when %s has the hours %j', (exchange, hours) => {
  test('every quote is that of the session that opened last, and the candles of the day agree', () => {
    const { calendar, simulator } = market('23:50:00')
    for (const instrument of sample) simulator.quoteNow(instrument)
    calendar.override(overrideSet([said(exchange, hours)]))
    for (const instrument of sample) {
      const name = `${instrument.symbol} on ${instrument.exchange}`
      const session = calendar.session(instrument.exchange, DATE)
      const quote = simulator.quoteNow(instrument)
      const startAt = dayStartAt(dayNumberOf(DATE))
      const minutes = simulator.candlesNow(instrument, '1m', startAt, at('23:50:01'))
      const [day] = simulator.candlesNow(instrument, 'D', startAt, startAt + 1)
      if (session === undefined) {
        expect([minutes, day], name).toEqual([[], undefined])
        expect(quote.at, name).toBeLessThan(startAt)
        continue
      }
      const until = Math.min(session.closesAt, at('23:50:01'))
      expect(minutes[0]?.startAt, name).toBe(session.opensAt)
      expect(minutes.length, name).toBe(Math.ceil((until - session.opensAt) / MINUTE_MS))
      expect(quote, name).toMatchObject({ ltp: minutes.at(-1)?.close, volume: day?.volume, high: day?.high })
      expect(quote.at, name).toBeLessThan(until)
    }
  })
})

test('what an exchange did before comes back with its hours', () => {
  const { calendar, simulator } = market('14:00:00')
  const before = sample.map((instrument) => simulator.quoteNow(instrument))
  calendar.override(overrideSet([said('NSE', undefined), said('NFO', ['11:00', '13:00']), said('MCX', undefined)]))
  expect(sample.map((instrument) => simulator.quoteNow(instrument))).not.toEqual(before)
  calendar.override(overrideSet([]))
  expect(sample.map((instrument) => simulator.quoteNow(instrument))).toEqual(before)
})
