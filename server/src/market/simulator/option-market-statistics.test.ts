import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../kernel/clock.ts'
import { PRICE_ONE } from '../../kernel/fixed.ts'
import { contractEnd } from '../contract-end.ts'
import { createCalendar } from '../exchange-calendar.ts'
import type { Exchange, Instrument } from '../instrument.ts'
import { InstrumentStore } from '../instrument-store.ts'
import { impliedDeviation } from '../pricing/index.ts'
import { yearsUntil } from './forward.ts'
import { createSimulator, createUniverse } from './index.ts'
import { varianceAt, varianceAtTheMoney } from './smile.ts'
import { mean } from './test-statistics.ts'
import { type Underlying, underlyingByKey } from './underlyings.ts'

const SEED = 2
const at = (text: string): number => Date.parse(`${text}+05:30`)
const NOW = at('2026-03-10T14:20:07')
const calendar = createCalendar({ hours: 'exchange' })
const market = createSimulator({ seed: SEED, clock: new ManualClock(at('2026-03-30T15:40:00')), calendar })
const store = new InstrumentStore(createUniverse({ date: '2026-03-10', seed: SEED }))

interface Strike {
  readonly strike: number
  readonly call: Instrument
  readonly put: Instrument
}

/** Strikes of an expiry, ascending. */
function chainOf(root: string, exchange: Exchange, expiry: string): Strike[] {
  return [...store.byExchange(exchange)]
    .filter((row) => row.name === root && row.kind === 'CE' && row.expiry === expiry)
    .map((call) => {
      const put = store.find(`${call.symbol.slice(0, -2)}PE`, exchange)
      if (put === undefined) throw new Error(`${call.symbol} has no put`)
      return { strike: call.strike, call, put }
    })
    .sort((a, b) => a.strike - b.strike)
}

const CHAINS: readonly (readonly [root: string, exchange: Exchange, expiry: string])[] = [
  ['NIFTY', 'NFO', '2026-03-10'],
  ['NIFTY', 'NFO', '2026-03-17'],
  ['NIFTY', 'NFO', '2026-03-30'],
  ['NIFTY', 'NFO', '2026-06-30'],
  ['BANKNIFTY', 'NFO', '2026-03-30'],
  ['RELIANCE', 'NFO', '2026-03-30'],
  ['SENSEX', 'BFO', '2026-03-12'],
]
const MOMENTS = ['2026-03-10T09:15:00', '2026-03-10T14:20:07', '2026-03-10T15:28:11'].map(at)

describe.each(CHAINS)('the chain of %s on %s of %s', (root, exchange, expiry) => {
  const chain = chainOf(root, exchange, expiry)
  const tick = chain[0]?.call.tickSize ?? 0

  test('allows no profit without risk: prices fall or rise with the strike, and are convex', () => {
    expect(chain.length).toBeGreaterThan(20)
    for (const moment of MOMENTS) {
      for (const side of ['call', 'put'] as const) {
        const prices = chain.map((row) => market.quoteNow(row[side], moment).ltp)
        const sign = side === 'call' ? 1 : -1
        for (let i = 1; i < chain.length; i += 1) {
          const step = (chain[i]?.strike ?? 0) - (chain[i - 1]?.strike ?? 0)
          const fall = sign * ((prices[i - 1] ?? 0) - (prices[i] ?? 0))
          expect(fall).toBeGreaterThanOrEqual(0)
          expect(fall).toBeLessThanOrEqual(step + tick)
          const after = (chain[i + 1]?.strike ?? 0) - (chain[i]?.strike ?? 0)
          // Three prices that are rounded to ticks may be two ticks off together.
          if (i + 1 < chain.length && after === step) {
            expect((prices[i - 1] ?? 0) - 2 * (prices[i] ?? 0) + (prices[i + 1] ?? 0)).toBeGreaterThanOrEqual(-2 * tick)
          }
        }
      }
    }
  })

  test('keeps call, put and future in line within their spreads', () => {
    const future = store.futures(root, exchange).find((row) => row.expiry === expiry)
    for (const moment of MOMENTS) {
      const forwards = chain.map(({ strike, call, put }) => {
        const bought = market.quoteNow(call, moment)
        const sold = market.quoteNow(put, moment)
        return { low: bought.bid - sold.ask + strike, high: bought.ask - sold.bid + strike }
      })
      // One forward suits all strikes, and it is the future's price where there is a future.
      const low = Math.max(...forwards.map((forward) => forward.low))
      const high = Math.min(...forwards.map((forward) => forward.high))
      // What is worth nothing costs a tick all the same.
      expect(low).toBeLessThanOrEqual(high + 2 * tick)
      if (future === undefined) continue
      const { bid, ask } = market.quoteNow(future, moment)
      expect(low).toBeLessThanOrEqual(ask)
      expect(high).toBeGreaterThanOrEqual(bid)
    }
  })

  test('has spreads of at least a tick, wider in the wings', () => {
    const middle = market.quoteNow(chain[0]?.call as Instrument, NOW).ltp + (chain[0]?.strike ?? 0)
    const near: number[] = []
    const wing: number[] = []
    for (const { strike, call, put } of chain) {
      for (const row of [call, put]) {
        const { bid, ask, ltp } = market.quoteNow(row, NOW)
        expect(ask - bid).toBeGreaterThanOrEqual(row.tickSize)
        expect(ask).toBeGreaterThanOrEqual(ltp)
        expect(bid).toBeLessThanOrEqual(ltp)
        const outOfTheMoney = row.kind === 'CE' ? strike > middle : strike < middle
        if (outOfTheMoney) (Math.abs(Math.log(strike / middle)) < 0.02 ? near : wing).push((ask - bid) / ltp)
      }
    }
    // In its last hour nearly all of a chain costs a tick.
    if (expiry > '2026-03-10') expect(mean(wing)).toBeGreaterThan(1.5 * mean(near))
  })
})

describe('variance', () => {
  const known = ['INDEX:NIFTY', 'EQ:SBIN', 'MCX:CRUDEOIL', 'COIN:BTC'].map((key) => underlyingByKey(key) as Underlying)

  test('never falls with time, whatever the strike and however unquiet the day', () => {
    const times = fc.double({ min: 0, max: 2, noNaN: true })
    fc.assert(
      fc.property(
        fc.constantFrom(...known),
        fc.double({ min: 0.3, max: 4, noNaN: true }),
        times,
        times,
        fc.double({ min: -0.5, max: 0.5, noNaN: true }),
        (underlying, unrest, one, other, distance) => {
          const [sooner, later] = [Math.min(one, other), Math.max(one, other)].map((years) =>
            varianceAt(underlying, varianceAtTheMoney(underlying, unrest, 1, years), distance),
          )
          expect(later).toBeGreaterThanOrEqual((sooner ?? 0) * (1 - 1e-12))
        },
      ),
      // A time that is less than the rounding of its exponential.
      { examples: [[underlyingByKey('INDEX:NIFTY') as Underlying, 0.3, 0, 4.562560375171877e-18, 0]] },
    )
  })

  test('of the options at the money grows from expiry to expiry', () => {
    const spot = market.quoteNow(store.find('NIFTY', 'NSE_INDEX') as Instrument, NOW).ltp
    const expiries = CHAINS.slice(0, 4).map(([, , expiry]) => expiry)
    const variances = expiries.map((expiry) => {
      const chain = chainOf('NIFTY', 'NFO', expiry)
      const [nearest] = [...chain].sort((a, b) => Math.abs(a.strike - spot) - Math.abs(b.strike - spot))
      if (nearest === undefined) throw new Error('no strikes')
      const call = market.quoteNow(nearest.call, NOW).ltp
      const forward = call - market.quoteNow(nearest.put, NOW).ltp + nearest.strike
      return impliedDeviation(call / PRICE_ONE, forward / PRICE_ONE, nearest.strike / PRICE_ONE, 1) ** 2
    })
    for (let i = 1; i < variances.length; i += 1) expect(variances[i]).toBeGreaterThan(variances[i - 1] ?? 0)
    const end = contractEnd(chainOf('NIFTY', 'NFO', '2026-06-30')[0]?.call as Instrument, calendar)
    const yearly = Math.sqrt((variances[3] ?? 0) / yearsUntil(NOW, end?.settlesAt ?? 0))
    expect(yearly).toBeGreaterThan(0.08)
    expect(yearly).toBeLessThan(0.25)
  })
})

describe('open interest', () => {
  const chain = chainOf('NIFTY', 'NFO', '2026-03-30')
  const interestOf = (row: Strike, moment: number): number =>
    market.quoteNow(row.call, moment).openInterest + market.quoteNow(row.put, moment).openInterest

  test('is concentrated at round strikes', () => {
    const round: number[] = []
    const others: number[] = []
    for (let i = 2; i + 2 < chain.length; i += 1) {
      const row = chain[i]
      if (row === undefined || row.strike % (500 * PRICE_ONE) !== 0 || interestOf(row, NOW) === 0) continue
      round.push(interestOf(row, NOW))
      others.push(
        mean(
          chain
            .slice(i - 2, i + 3)
            .filter((other) => other !== row)
            .map((other) => interestOf(other, NOW)),
        ),
      )
    }
    expect(round.length).toBeGreaterThan(5)
    for (const [i, interest] of round.entries()) expect(interest).toBeGreaterThan(1.2 * (others[i] ?? 0))
  })

  test('grows until the contracts expire', () => {
    const totals = ['02-12', '02-20', '03-02', '03-10', '03-18', '03-25', '03-30'].map((day) =>
      chain.reduce((sum, row) => sum + interestOf(row, at(`2026-${day}T15:25:00`)), 0),
    )
    for (let i = 1; i < totals.length; i += 1) expect(totals[i]).toBeGreaterThan(totals[i - 1] ?? 0)
    expect(totals[6]).toBeGreaterThan(3 * (totals[0] ?? 0))
  })

  test('of a day begins where the day before left it', () => {
    for (const row of chain.slice(20, 60)) {
      const evening = market.quoteNow(row.call, at('2026-03-09T15:39:59')).openInterest
      const morning = market.quoteNow(row.call, at('2026-03-10T09:15:00')).openInterest
      expect(Math.abs(morning - evening)).toBeLessThanOrEqual(0.01 * evening + row.call.lotSize)
    }
  })
})
