import { describe, expect, it, test } from 'vitest'
import { type BrokerageTerms, chargesOf } from '../charges/index.ts'
import { dateAt } from '../kernel/exchange-time.ts'
import { formatMoney, type Money, moneyOf, priceOf, subtract } from '../kernel/fixed.ts'
import { EXPIRY_STRATEGY, SQUARE_OFF_STRATEGY } from './attribution/attribution.ts'
import { ChargeTable } from './charge-table.ts'
import type { PlaceCommand } from './command.ts'
import { GttDesk } from './gtt/test-gtt-desk.ts'
import { apply, applyPlace } from './machine.ts'
import type { InstrumentFacts, Order, Product, Trade } from './order.ts'
import { tradeReportOf } from './reports.ts'
import { tryOrders } from './scratch.ts'
import { encodeState } from './snapshot.ts'
import { openAccount } from './state.ts'
import { Desk, NIFTY_CE, NIFTY_FUT, RELIANCE, SBIN } from './test-desk.ts'

/** What trades cost in an account that is charged. */

const BROKERAGE: BrokerageTerms = { perOrder: moneyOf(20), sharePerMillion: 300 }

function charged<D extends Desk>(desk: D): D {
  desk.charges = new ChargeTable(BROKERAGE)
  return desk
}

/** What the operation `charges` tells of an order that trades for that value. */
const costOf = ({ instrument, action, product, filledValue }: Order, at: number): Money =>
  chargesOf({ instrument, action, product, value: filledValue }, BROKERAGE, dateAt(at)).total

const paid = (trades: readonly Trade[]): number[] => trades.map(({ charges }) => charges ?? Number.NaN)
const sum = (amounts: readonly number[]): number => amounts.reduce((total, amount) => total + amount, 0)

/** Worked by hand: brokerage + tax on transactions + exchange fee + SEBI fee + stamp duty + GST, bought and sold. */
const ROUND_TRIPS: readonly [string, InstrumentFacts, Product, number, number, number, string][] = [
  // 15 + 0 + 1.54 + 0.05 + 1.50 + 2.99; 15.30 + 12.75 + 1.57 + 0.05 + 0 + 3.05
  ['shares intraday', SBIN, 'MIS', 100, 500, 510, '946.20'],
  // 0 + 50 + 1.54 + 0.05 + 7.50 + 0.29; 0 + 51 + 1.57 + 0.05 + 0 + 0.29
  ['shares for delivery', SBIN, 'CNC', 100, 500, 510, '887.71'],
  // 20 + 0 + 29.74 + 1.63 + 32.50 + 9.25; 20 + 815.75 + 29.86 + 1.63 + 0 + 9.27
  ['a future', NIFTY_FUT, 'NRML', 65, 25_000, 25_100, '5530.37'],
  // 20 + 0 + 4.62 + 0.01 + 0.39 + 4.43; 20 + 20.48 + 4.85 + 0.01 + 0 + 4.47
  ['an option', NIFTY_CE, 'NRML', 65, 200, 210, '570.74'],
  // 20 + 0 + 4.62 + 0.01 + 0.39 + 4.43; 20 + 18.53 + 4.39 + 0.01 + 0 + 4.39
  ['an option that loses', NIFTY_CE, 'MIS', 65, 200, 190, '-726.77'],
]

describe('an order bought and sold ends at its profit without what charges tells of both:', () => {
  test.each(ROUND_TRIPS)('%s', (_what, on, product, quantity, bought, sold, expected) => {
    const desk = charged(new Desk())
    const buy = desk.quote(on, bought).buy({ on, product, quantity })
    const cost = costOf(buy, desk.now)
    expect(cost).toBeGreaterThan(0)
    expect([desk.state.realised, desk.position(on, product)?.realisedToday]).toEqual([-cost, -cost])
    const sell = desk.quote(on, sold).sell({ on, product, quantity })
    const [first, second] = desk.state.trades
    expect(paid(desk.state.trades)).toEqual([cost, costOf(sell, desk.now)])
    expect([first?.realised, (first?.realised ?? 0) + (second?.realised ?? 0)]).toEqual([-cost, desk.state.realised])
    expect(formatMoney(desk.state.realised)).toBe(expected)
    expect(desk.position(on, product)?.realisedToday).toBe(desk.state.realised)
    expect(desk.state.attribution.strategies.get('test')?.realised).toBe(desk.state.realised)
    expect(desk.funds.available).toBe(formatMoney((desk.state.capital + desk.state.realised) as Money))
  })
})

describe('an order that trades in parts', () => {
  it.each([
    ['shares', SBIN, 'MIS' as const, 'BUY' as const, 7],
    ['an option, whose brokerage is the same for one lot as for many', NIFTY_CE, 'NRML' as const, 'SELL' as const, 65],
  ])('costs what one that trades whole does: %s', (_what, on, product, side, lot) => {
    const desk = charged(new Desk())
    const levels = [
      [500, lot],
      [500, lot * 2],
      [500, lot * 3],
    ] as const
    const order = desk.book(on, 500, levels, levels).place(side, { on, product, quantity: lot * 11 })
    desk.book(on, 500, levels, levels).tick(on)
    expect([order.status, order.trades]).toEqual(['complete', 6])
    const charges = paid(desk.state.trades)
    const whole = charged(new Desk())
      .quote(on, 500)
      .place(side, { on, product, quantity: lot * 11 })
    expect(sum(charges)).toBe(costOf(whole, desk.now))
    expect(Math.min(...charges)).toBeGreaterThanOrEqual(0)
    expect(-sum(charges)).toBe(desk.state.realised)
  })

  it('is charged for what it traded when the rest is cancelled', () => {
    const desk = charged(new Desk())
    const order = desk.book(SBIN, 500, [], [[500, 30]]).buy({ quantity: 100 })
    desk.cancel(order)
    expect(paid(desk.state.trades)).toEqual([costOf(order, desk.now)])
  })

  it('is not kept from its rest by its own charges', () => {
    const desk = charged(new Desk('50000.00'))
    const order = desk
      .book(SBIN, 500, [], [[500, 60]])
      .buy({ quantity: 100, product: 'CNC', type: 'LIMIT', price: 500 })
    expect(desk.funds.available).toMatch(/^-/)
    desk.book(SBIN, 500, [], [[500, 40]]).tick()
    expect([order.status, order.filledQuantity]).toEqual(['complete', order.quantity])
    expect(desk.funds.available).toBe(formatMoney(-costOf(order, desk.now) as Money))
  })
})

describe('what the exchange does by itself is charged', () => {
  it('square-off, to the strategies that held what it closes', () => {
    const desk = charged(new Desk())
    desk.quote(SBIN, 500)
    desk.buy({ quantity: 2, strategy: 'A' })
    desk.buy({ quantity: 1, strategy: 'B' })
    const before = new Map([...desk.state.attribution.strategies].map(([name, { realised }]) => [name, realised]))
    desk.squareOff(SBIN)
    const closing = desk.state.trades.at(-1)
    expect(closing).toMatchObject({ strategy: SQUARE_OFF_STRATEGY, charges: 97 }) // 0.45 + 0.38 + 0.05 + 0.09
    const parts = [...desk.state.attribution.strategies].map(([name, { realised }]) => [
      name,
      realised - (before.get(name) ?? 0),
    ])
    expect(parts).toEqual([
      ['A', -64],
      ['B', -33],
    ])
  })

  it('the order of a trigger', () => {
    const desk = charged(new GttDesk())
    const gtt = desk.quote(RELIANCE, 1400).placeGtt('BUY', { on: RELIANCE, quantity: 10, below: [1350, 1355] })
    expect(desk.state.realised).toBe(0)
    desk.quote(RELIANCE, 1349).fire(RELIANCE)
    expect(paid(desk.state.trades)).toEqual([costOf(desk.order(gtt.orderId), desk.now)])
  })

  it.each([
    // 65 × 150 × 0.15 %
    ['a bought option in the money', NIFTY_CE, 'BUY' as const, 150, '14.63'],
    ['a bought option without value', NIFTY_CE, 'BUY' as const, 0, '0.00'],
    ['a sold option', NIFTY_CE, 'SELL' as const, 150, '0.00'],
    ['a future', NIFTY_FUT, 'BUY' as const, 25_100, '0.00'],
  ])('settlement at expiry, of which only the tax on exercise remains: %s', (_what, on, side, price, expected) => {
    const desk = charged(new Desk())
    desk.quote(on, on === NIFTY_CE ? 200 : 25_000).place(side, { on, quantity: 65 })
    desk.expire(on, price)
    const settled = desk.state.trades.at(-1)
    expect(settled?.strategy).toBe(EXPIRY_STRATEGY)
    expect(formatMoney(settled?.charges as Money)).toBe(expected)
  })
})

it('a sale of holdings is realised without its charges, those of the purchase were realised with it', () => {
  const desk = charged(new Desk())
  const buy = desk.quote(SBIN, 500).buy({ quantity: 100, product: 'CNC' })
  const bought = costOf(buy, desk.now)
  desk.openSession('2026-08-05')
  expect([desk.state.realised, desk.state.realisedToday]).toEqual([-bought, 0])
  expect(desk.state.holdings.get('NSE:SBIN')?.cost).toBe(moneyOf(50_000))
  const sell = desk.quote(SBIN, 510).sell({ quantity: 100, product: 'CNC' })
  expect(desk.state.realisedToday).toBe(subtract(moneyOf(1_000), costOf(sell, desk.now)))
  expect(desk.position(SBIN, 'CNC')?.realisedToday).toBe(desk.state.realisedToday)
})

it('charges refuse no order themselves; what they take is missing for the next one', () => {
  const desk = charged(new Desk('50000.00'))
  expect(desk.quote(SBIN, 500).buy({ quantity: 100, product: 'CNC' }).status).toBe('complete')
  expect(desk.buy({ quantity: 1, product: 'CNC' })).toMatchObject({
    status: 'rejected',
    reason: expect.stringContaining('Available: ₹-'),
  })
  expect(desk.sell({ quantity: 100, product: 'CNC' }).status).toBe('complete')
})

it('what orders would block is what they block, and orders are placed together with the funds for no more', () => {
  const desk = charged(new Desk('50000.00'))
  desk.quote(SBIN, 500).buy({ quantity: 1 })
  desk.reset('50000.00')
  const [placed] = desk.commands as PlaceCommand[]
  if (placed === undefined) throw new Error('an order was placed')
  const orders = [60, 40].map(
    (quantity, index): PlaceCommand => ({
      ...placed,
      orderId: `${index + 1}`,
      product: 'CNC',
      terms: { ...placed.terms, leverageHundredths: 100 },
      quantity: (quantity * 1_000_000) as PlaceCommand['quantity'],
    }),
  )
  const { blocked, needed } = tryOrders(desk.state, orders, applyPlace)
  expect([blocked, needed]).toEqual([moneyOf(50_000), moneyOf(50_000)])
  desk.apply({ kind: 'place-together', at: desk.now, orders, stopsAtRefusal: true })
  expect(orders.map(({ orderId }) => desk.order(orderId).status)).toEqual(['complete', 'complete'])
  expect(desk.state.reserved).toBe(blocked)
  expect(desk.state.realised).toBe(-sum(paid(desk.state.trades)))
})

it('an account is charged as it was when the order was placed, whatever the rates are when that is applied again', () => {
  const desk = charged(new Desk())
  desk.quote(SBIN, 500)
  const terms = { brokerage: moneyOf(7), transactionTax: 0, transactionFee: 0, sebiFee: 0, stampDuty: 0, gst: 0 }
  desk.buy({ quantity: 10 })
  const [command] = JSON.parse(JSON.stringify(desk.commands)) as PlaceCommand[]
  if (command === undefined) throw new Error('an order was placed')
  const replay = (given: PlaceCommand) => {
    const state = openAccount('default', desk.state.capital, Date.parse('2026-08-04T04:30:00Z'), '2026-08-04')
    apply(state, given)
    return state
  }
  expect(encodeState(replay(command))).toBe(encodeState(desk.state))
  expect(replay({ ...command, charges: terms }).realised).toBe(-moneyOf(7))
  const { charges: _, ...old } = command
  const uncharged = replay(old)
  expect([uncharged.realised, 'charges' in JSON.parse(JSON.stringify(uncharged.trades[0]))]).toEqual([0, false])
})

it('an order keeps its terms when an account is charged, or not any more, only later', () => {
  const desk = charged(new Desk())
  const first = desk.quote(SBIN, 500).buy({ quantity: 10, type: 'LIMIT', price: 490 })
  desk.charges = undefined
  const second = desk.buy({ quantity: 10, type: 'LIMIT', price: 490 })
  desk.quote(SBIN, 489).tick()
  expect(desk.state.trades.map(({ orderId, charges }) => [orderId, charges])).toEqual([
    [first.id, costOf(first, desk.now)],
    [second.id, undefined],
  ])
  expect(desk.state.trades.map((trade) => tradeReportOf(trade).charges)).toEqual([costOf(first, desk.now), undefined])
  expect(first.filledValue).toBe(moneyOf(4_900))
  expect(first.referencePrice).toBe(priceOf(490))
})
