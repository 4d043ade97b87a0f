import { ManualClock } from '../../kernel/clock.ts'
import { createCalendar, createSimulator, createUniverse } from '../index.ts'
import type { Instrument } from '../instrument.ts'
import { CountingClock, RemoteSource } from '../test-source.ts'

const SEED = 11
/** Tuesday, in the middle of the session. */
export const NOW = '2026-03-10T13:07:42.310+05:30'

const listed = [...createUniverse({ date: '2026-03-10', seed: SEED })]

export function listedAs(symbol: string, exchange: string): Instrument {
  const found = listed.find((each) => each.symbol === symbol && each.exchange === exchange)
  if (found === undefined) throw new Error(`${symbol} isn't listed on ${exchange}`)
  return found
}

/** So many instruments of NSE. */
export const equities = (count: number): readonly Instrument[] =>
  listed.filter(({ exchange }) => exchange === 'NSE').slice(0, count)

/** The simulated market, and a remote source that has its prices. */
export function markets(quotesMax?: number) {
  const clock = new ManualClock(NOW)
  const counting = new CountingClock(clock)
  const calendar = createCalendar({ hours: 'exchange' })
  const simulator = createSimulator({ seed: SEED, clock: counting, calendar })
  return { clock, counting, calendar, simulator, remote: new RemoteSource(simulator, quotesMax) }
}
