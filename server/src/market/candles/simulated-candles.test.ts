import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../kernel/clock.ts'
import { dayNumberOf } from '../../kernel/exchange-time.ts'
import { createCalendar } from '../exchange-calendar.ts'
import type { Exchange, Instrument } from '../instrument.ts'
import { InstrumentStore } from '../instrument-store.ts'
import { INTERVALS, type Interval } from '../market-data.ts'
import { createSimulator, createUniverse } from '../simulator/index.ts'
import { canAggregate, isPeriod } from './buckets.ts'
import { CandleHistory } from './candle-history.ts'

/** The simulated market through the history: around Diwali's evening session, and commodities' days of evenings alone. */

const clock = new ManualClock('2026-11-11T13:07:42.310+05:30')
const calendar = createCalendar({ hours: 'exchange' })
const market = createSimulator({ seed: 3, clock, calendar })
const store = new InstrumentStore(createUniverse({ date: '2026-11-11', seed: 3 }))

function futureOn(exchange: Exchange): Instrument {
  const found = [...store.byExchange(exchange)].find(({ kind }) => kind === 'FUT')
  if (found === undefined) throw new Error(`no future on ${exchange}`)
  return found
}

const sbin = store.find('SBIN', 'NSE')
if (sbin === undefined) throw new Error('no SBIN')

const historyOf = (intervals: readonly Interval[]) =>
  new CandleHistory({
    source: { name: 'simulator', intervals, candles: market.candles.bind(market), candleDays: () => 3 },
    store: undefined,
    calendar,
    clock,
  })

describe.each([
  ['SBIN', sbin],
  ['a commodity', futureOn('MCX')],
])('%s', (_name, instrument) => {
  const { symbol, exchange } = instrument
  const range = (first: string, last: string) => ({ firstDay: dayNumberOf(first), lastDay: dayNumberOf(last) })
  const of = { symbol, exchange, instrument, origin: 'api' as const }

  it.each(INTERVALS.filter((interval) => canAggregate('1m', interval)))(
    'has %s that are its minutes put together',
    async (interval) => {
      const days = isPeriod(interval) ? range('2026-10-26', '2026-11-11') : range('2026-11-06', '2026-11-11')
      const made = await historyOf(['1m']).candles({ ...of, ...days, interval })
      expect(made).toEqual(await historyOf(INTERVALS).candles({ ...of, ...days, interval }))
      if (interval !== 'Q' && interval !== 'Y') expect(made.candles.length).toBeGreaterThan(0)
    },
  )

  it.each(['5s', '45s', '1m', '5m'] as const)('has %s that are its seconds put together', async (interval) => {
    const days = range('2026-11-11', '2026-11-11')
    const made = await historyOf(['1s']).candles({ ...of, ...days, interval })
    expect(made).toEqual(await historyOf(INTERVALS).candles({ ...of, ...days, interval }))
    expect(made.isLastRunning).toBe(true)
  })
})
