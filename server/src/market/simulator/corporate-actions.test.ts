import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../kernel/clock.ts'
import { DAY_MS, dayNumberOf, dayStartAt } from '../../kernel/exchange-time.ts'
import { createCalendar } from '../exchange-calendar.ts'
import { InstrumentStore } from '../instrument-store.ts'
import { CorporateActions } from './corporate-actions.ts'
import { createSimulator, createUniverse } from './index.ts'
import { STOCKS, simulatedUnderlying, underlyingByKey } from './underlyings.ts'

const SEED = 2
const at = (text: string): number => Date.parse(`${text}+05:30`)
const clock = new ManualClock(at('2026-11-20T14:30:00'))
const calendar = createCalendar({ hours: 'exchange' })
const market = createSimulator({ seed: SEED, clock, calendar })
const store = new InstrumentStore(createUniverse({ date: '2026-11-20', seed: SEED }))
const FROM = at('2022-11-20T00:00:00')

/** Every action of four years whose ex-day has a session on it and on the days around. */
const events = [...store.byExchange('NSE')].flatMap((share) =>
  market
    .corporateActions(share, FROM, clock.now() - DAY_MS)
    .filter(({ exDay }) => [-1, 0].every((days) => calendar.sessionOn('NSE', exDay + days) !== undefined))
    .map((action) => ({ share, action })),
)

describe('corporate actions', () => {
  test('of every kind appear', () => {
    const kinds = events.map(({ action }) => action.kind)
    for (const kind of ['dividend', 'bonus', 'split'])
      expect(kinds.filter((each) => each === kind).length).toBeGreaterThan(5)
  })

  test('are dividends alone from 2026 on: what is held on paper is not multiplied', () => {
    const kinds = events
      .filter(({ action }) => action.exDay >= dayNumberOf('2026-01-01'))
      .map(({ action }) => action.kind)
    expect(new Set(kinds)).toEqual(new Set(['dividend']))
  })

  test('shares with contracts pay dividends and are never split, others the other way round', () => {
    for (const { share, action } of events) {
      const hasContracts = store.futures(share.symbol, 'NFO').length > 0
      expect(action.kind === 'dividend').toBe(hasContracts)
    }
  })

  test('a bonus or split lowers the price overnight, and yesterday’s close is restated', () => {
    for (const { share, action } of events.filter(({ action: { kind } }) => kind !== 'dividend').slice(0, 40)) {
      const opening = market.quoteNow(share, calendar.sessionOn('NSE', action.exDay)?.opensAt)
      const [before] = market.candlesNow(share, 'D', dayStartAt(action.exDay - 1), dayStartAt(action.exDay))
      expect(Math.abs(opening.prevClose - (before?.close ?? 0) * action.factor)).toBeLessThanOrEqual(
        share.tickSize / 2 + 1,
      )
      expect(opening.open / opening.prevClose).toBeGreaterThan(0.79)
      expect(opening.open / opening.prevClose).toBeLessThan(1.21)
    }
  })

  test('a dividend lowers the price, while futures that end later stay where they are', () => {
    const changes: { spot: number; dividend: number }[] = []
    for (const { share, action } of events.filter(({ action: { kind } }) => kind === 'dividend')) {
      const opening = market.quoteNow(share, calendar.sessionOn('NSE', action.exDay)?.opensAt)
      changes.push({ spot: Math.log(opening.open / opening.prevClose), dividend: Math.log(action.factor) })
    }
    const meanOf = (of: (change: { spot: number; dividend: number }) => number) =>
      changes.reduce((sum, change) => sum + of(change), 0) / changes.length
    expect(meanOf(({ dividend }) => dividend)).toBeLessThan(-0.003)
    expect(Math.abs(meanOf(({ spot, dividend }) => spot - dividend))).toBeLessThan(0.002)

    const [future] = store.futures('RELIANCE', 'NFO').slice(-1)
    const underlying = future && simulatedUnderlying(future)
    if (underlying === undefined) throw new Error('not listed')
    const actions = new CorporateActions(SEED)
    const day = dayNumberOf('2026-01-01')
    const { exDay, factor } = actions.between(underlying, day, day + 365)[0] ?? { exDay: 0, factor: 0 }
    expect(actions.factorBetween(underlying, exDay - 1, exDay + 30)).toBe(factor)
    expect(actions.factorBetween(underlying, exDay, exDay + 30)).toBe(1)
  })

  test('make no price drift: what dividends take is gained before', () => {
    const actions = new CorporateActions(SEED)
    for (const { symbol } of STOCKS.slice(0, 50)) {
      const underlying = underlyingByKey(`EQ:${symbol}`)
      if (underlying === undefined) throw new Error(`${symbol} is not known`)
      for (const date of ['2004-06-01', '2015-03-03', '2026-08-08', '2039-12-31']) {
        const factor = actions.adjustmentOn(underlying, dayNumberOf(date))
        expect(Math.abs(Math.log(factor))).toBeLessThanOrEqual(-Math.log(1 - underlying.dividendYield) + 1e-12)
      }
    }
  })

  test('a factor of days is that of the actions in them', () => {
    const actions = new CorporateActions(SEED)
    for (const { symbol } of STOCKS) {
      const underlying = underlyingByKey(`EQ:${symbol}`)
      if (underlying === undefined) throw new Error(`${symbol} is not known`)
      for (const [from, to] of [
        ['2001-05-05', '2026-07-15'],
        ['2025-12-31', '2031-01-01'],
        ['2010-01-01', '2010-01-01'],
      ] as const) {
        const [fromDay, toDay] = [dayNumberOf(from), dayNumberOf(to)]
        const product = actions.between(underlying, fromDay + 1, toDay).reduce((all, { factor }) => all * factor, 1)
        expect(actions.factorBetween(underlying, fromDay, toDay)).toBeCloseTo(product, 10)
      }
    }
  })
})
