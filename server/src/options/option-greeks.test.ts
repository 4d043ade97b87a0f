import { describe, expect, test } from 'vitest'
import { assert } from '../kernel/assert.ts'
import { ManualClock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import {
  createCalendar,
  createSimulator,
  createUniverse,
  type Exchange,
  type Instrument,
  InstrumentStore,
} from '../market/index.ts'
import { Forwards } from './forwards.ts'
import { OptionChains } from './option-chains.ts'
import { OptionGreeks } from './option-greeks.ts'

const calendar = createCalendar({ hours: 'exchange' })
const store = new InstrumentStore(createUniverse({ date: '2026-11-25', seed: 1 }))

function setUp() {
  const clock = new ManualClock('2026-11-25T12:00:00+05:30')
  const market = createSimulator({ seed: 1, clock, calendar })
  const asked: (readonly Instrument[])[] = []
  const marketData = {
    async quotes(instruments: readonly Instrument[]) {
      asked.push(instruments)
      return market.quotes(instruments)
    },
  }
  const options = { store: () => store, marketData, calendar, clock }
  const forwards = new Forwards(options)
  return {
    asked,
    chains: new OptionChains({ ...options, forwards, history: market }),
    greeks: new OptionGreeks({ forwards, calendar, clock }),
  }
}

const wanted = (option: Instrument) => ({ option, underlying: undefined, forward: undefined })

describe('greeks of options', () => {
  test.each<[string, Exchange, string, string]>([
    ['NIFTY', 'NSE_INDEX', '2026-12-01', 'synthetic'],
    ['NIFTY', 'NSE_INDEX', '2026-12-29', 'future'],
    ['M&M', 'NSE', '2026-12-29', 'future'],
    ['CRUDEOIL', 'MCX', '2026-12-16', 'future'],
    ['USDINR', 'CDS', '2026-11-27', 'synthetic'],
  ])('of %s on %s for %s are those of its chain, by %s', async (underlying, exchange, expiry, source) => {
    const { chains, greeks } = setUp()
    const chain = await chains.read({
      series: { underlying, exchange, expiry },
      strikesPerSide: 10,
      withGreeks: true,
      interestRate: 6.5,
    })
    const legs = chain.rows.flatMap(({ call, put }) => [call, put]).filter((leg) => leg !== undefined)
    expect(legs.length).toBeGreaterThan(10)
    const readings = await greeks.read(
      legs.map(({ option }) => wanted(option)),
      { interestRate: 6.5, expiryMinutes: undefined },
    )
    let solved = 0
    for (const [index, { analysis, option }] of legs.entries()) {
      const reading = readings[index]
      assert(reading !== undefined && !(reading instanceof Refusal), 'every leg has greeks')
      expect([reading.option, reading.forwardSource]).toEqual([option, source])
      expect(reading.forward).toBe(chain.forward?.price)
      expect(reading.analysis?.outcome).toBe(analysis?.outcome)
      expect(reading.analysis?.volatility).toBeCloseTo(analysis?.volatility ?? Number.NaN, 12)
      expect(reading.analysis?.greeks.delta).toBeCloseTo(analysis?.greeks.delta ?? Number.NaN, 12)
      if (analysis?.outcome === 'solved') solved += 1
    }
    expect(solved).toBeGreaterThan(10)
  })

  test('of several series are asked for together, each price once', async () => {
    const { greeks, asked } = setUp()
    const options = ['NIFTY29DEC2626000CE', 'NIFTY29DEC2626000PE', 'NIFTY26JAN2726000CE', 'BANKNIFTY29DEC2658000CE']
      .map((symbol) => store.find(symbol, 'NFO'))
      .filter((option) => option !== undefined)
    expect(options.length).toBeGreaterThan(2)
    const readings = await greeks.read(
      [...options, ...options].map((option) => wanted(option)),
      { interestRate: 0, expiryMinutes: undefined },
    )
    expect(readings.some((reading) => reading instanceof Refusal)).toBe(false)
    expect(asked).toHaveLength(1)
    const symbols = asked.flat().map(({ symbol, exchange }) => `${symbol} ${exchange}`)
    expect(new Set(symbols).size).toBe(symbols.length)
  })
})
