import { describe, expect, test } from 'vitest'
import { moneyOf, priceOf } from '../kernel/fixed.ts'
import { BTC_PERP, Desk, NIFTY_CE, SBIN, USDINR } from './test-desk.ts'

describe('the exchange by the clock', () => {
  test('square-off cancels intraday orders and closes positions whole, past the end of the book', () => {
    const desk = new Desk()
    desk.quote(SBIN, 500).buy({ quantity: 100 })
    const working = desk.sell({ quantity: 100, type: 'LIMIT', price: 600 })
    desk
      .book(
        SBIN,
        495,
        [
          ['494.95', 30],
          ['494.90', 20],
        ],
        [['495.05', 10]],
      )
      .squareOff(SBIN)
    expect(working).toMatchObject({ status: 'cancelled', reason: 'Intraday square-off' })
    expect(desk.position()?.quantity).toBe(0)
    expect(desk.funds.realised).toBe('-508.50')
  })

  test('an expiring option settles at intrinsic value with an order and a trade', () => {
    const desk = new Desk()
    desk.quote(NIFTY_CE, 100).buy({ on: NIFTY_CE, quantity: 65 })
    const resting = desk.sell({ on: NIFTY_CE, quantity: 65, type: 'LIMIT', price: 500 })
    desk.expire(NIFTY_CE, 150)
    expect(resting).toMatchObject({ status: 'cancelled', reason: 'The contract expired' })
    expect(desk.state.trades.at(-1)).toMatchObject({
      strategy: 'EXPIRY_SETTLEMENT',
      price: priceOf(150),
      realised: moneyOf(3250),
    })
    expect(desk.funds).toEqual({ available: '10003250.00', used: '0.00', realised: '3250.00' })
  })

  test('a worthless option settles at 0', () => {
    const desk = new Desk()
    desk.quote(NIFTY_CE, 100).buy({ on: NIFTY_CE, quantity: 65 })
    desk.expire(NIFTY_CE, 0)
    expect(desk.funds).toEqual({ available: '9993500.00', used: '0.00', realised: '-6500.00' })
  })

  test('a new session lapses day orders, keeps carried positions and starts the day at zero', () => {
    const desk = new Desk()
    desk.quote(USDINR, '87.5').buy({ on: USDINR, quantity: 1000 })
    const resting = desk.buy({ on: USDINR, quantity: 1000, type: 'LIMIT', price: 87 })
    desk.quote(SBIN, 500).buy({ quantity: 10 })
    desk.quote(SBIN, 510).sell({ quantity: 10 })
    expect(desk.state.realisedToday).toBe(moneyOf(100))
    desk.openSession('2026-08-05')
    expect(resting).toMatchObject({ status: 'cancelled', reason: 'Day order lapsed at the end of the session' })
    expect(desk.state).toMatchObject({ realised: moneyOf(100), realisedToday: 0, sessionDate: '2026-08-05' })
    expect([...desk.state.positions.keys()]).toEqual(['CDS:USDINR27AUG26FUT:NRML'])
    expect(desk.state.orders.size + desk.state.trades.length).toBe(0)
    const closed = desk.events.find((event) => event.kind === 'session-closed')
    expect(closed).toMatchObject({ date: '2026-08-04', orders: { length: 4 }, trades: { length: 3 } })
  })

  test('a reset ends working orders in the same step, so that none fills into the new account (W13)', () => {
    const desk = new Desk()
    const resting = desk.quote(SBIN, 500).buy({ quantity: 10, type: 'LIMIT', price: 450 })
    desk.quote(BTC_PERP, 60000).buy({ on: BTC_PERP, quantity: 10 })
    desk.reset('2500000')
    expect(resting).toMatchObject({ status: 'cancelled', reason: 'The account was reset' })
    desk.quote(SBIN, 440).tick()
    expect(desk.funds).toEqual({ available: '2500000.00', used: '0.00', realised: '0.00' })
    expect(desk.state.resetCount).toBe(1)
  })

  test('a position reopened today is a new episode, whatever was held before (W3)', () => {
    const desk = new Desk()
    desk.quote(SBIN, 500).buy({ quantity: 10 })
    desk.sell({ quantity: 10 })
    desk.quote(SBIN, 505).buy({ quantity: 10 })
    expect(desk.position()).toMatchObject({ openedAt: desk.now, cost: moneyOf(5050) })
  })
})
