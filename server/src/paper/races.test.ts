import { describe, expect, test } from 'vitest'
import { quantityOf } from '../kernel/fixed.ts'
import { Desk, SBIN } from './test-desk.ts'

describe('races that other engines lose', () => {
  test('one quote evaluated twice fills an order once (R1)', () => {
    const desk = new Desk()
    const order = desk.quote(SBIN, 500).buy({ quantity: 100, type: 'LIMIT', price: 490 })
    desk.quote(SBIN, 489).tick()
    desk.tick()
    expect(order).toMatchObject({ status: 'complete', trades: 1 })
    expect(desk.position()?.quantity).toBe(quantityOf(100))
  })

  test('of a cancel and a fill at the same instant one wins, whole (R2)', () => {
    const filled = new Desk()
    const first = filled.quote(SBIN, 500).buy({ quantity: 100, type: 'LIMIT', price: 490 })
    filled.quote(SBIN, 489).tick()
    expect(() => filled.cancel(first)).toThrow('Cannot cancel order in complete status')
    expect(filled.funds.used).toBe('9800.00')

    const cancelled = new Desk()
    const second = cancelled.quote(SBIN, 500).buy({ quantity: 100, type: 'LIMIT', price: 490 })
    cancelled.quote(SBIN, 489).cancel(second)
    cancelled.tick()
    expect(second).toMatchObject({ status: 'cancelled', trades: 0 })
    expect(cancelled.funds).toEqual({ available: '10000000.00', used: '0.00', realised: '0.00' })
  })

  test('a square-off that comes twice, or after the user closed, opens nothing the other way (R3)', () => {
    const desk = new Desk()
    desk.quote(SBIN, 500).buy({ quantity: 100 })
    desk.squareOff(SBIN)
    desk.squareOff(SBIN)
    expect(desk.position()?.quantity).toBe(0)
    expect(desk.state.trades.length).toBe(2)
  })

  test('an order, its trade, the position and the money change in one command (R4, R6)', () => {
    const desk = new Desk()
    const before = desk.state.seq
    desk.quote(SBIN, 500).buy({ quantity: 100 })
    expect(desk.state.seq).toBe(before + 1)
    expect(desk.state.trades.length).toBe(1)
    expect([desk.position()?.quantity, desk.funds.used]).toEqual([quantityOf(100), '10000.00'])
  })
})
