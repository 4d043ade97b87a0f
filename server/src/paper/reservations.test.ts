import { describe, expect, test } from 'vitest'
import { quantityOf } from '../kernel/fixed.ts'
import { Desk, RELIANCE, SBIN } from './test-desk.ts'

describe('reservations', () => {
  test('another fill does not hand back what a resting order reserved (W2)', () => {
    const desk = new Desk()
    const resting = desk
      .quote(RELIANCE, 1400, 1399, 1401)
      .buy({ on: RELIANCE, quantity: 10, type: 'LIMIT', price: 1300 })
    expect(desk.funds.used).toBe('2600.00')
    desk.quote(SBIN, 500).buy({ quantity: 100 })
    expect(desk.funds.used).toBe('12600.00')
    desk.cancel(resting)
    expect(desk.funds.used).toBe('10000.00')
    desk.quote(SBIN, 505).sell({ quantity: 100 })
    expect(desk.funds).toEqual({ available: '10000500.00', used: '0.00', realised: '500.00' })
  })

  test('of two exits of one position the second is margined, and both fills book their profit (W4)', () => {
    const desk = new Desk()
    desk.quote(SBIN, 500).buy({ quantity: 100 })
    const target = desk.sell({ quantity: 100, type: 'LIMIT', price: 520 })
    expect(desk.funds.used).toBe('10000.00')
    const stop = desk.sell({ quantity: 100, type: 'SL-M', trigger: 490 })
    expect(desk.funds.used).toBe('19800.00')
    desk.quote(SBIN, 520).tick()
    expect([target.status, stop.status]).toEqual(['complete', 'trigger pending'])
    expect(desk.funds).toEqual({ available: '9992200.00', used: '9800.00', realised: '2000.00' })
    desk.quote(SBIN, 489).tick()
    expect(stop.status).toBe('complete')
    desk.quote(SBIN, 479).buy({ quantity: 100 })
    expect(desk.funds).toEqual({ available: '10003000.00', used: '0.00', realised: '3000.00' })
  })

  test('an exit whose position is gone is cancelled when it cannot be margined', () => {
    const desk = new Desk('20000')
    desk.quote(SBIN, 500).buy({ quantity: 100 })
    const stop = desk.sell({ quantity: 100, type: 'SL-M', trigger: 490 })
    desk.quote(SBIN, 390).sell({ quantity: 100 })
    expect(stop).toMatchObject({
      status: 'cancelled',
      reason: expect.stringContaining('The position it would have closed is gone'),
    })
    expect(desk.funds).toEqual({ available: '9000.00', used: '0.00', realised: '-11000.00' })
  })

  test('a reversal margins exactly the excess (W5)', () => {
    const desk = new Desk()
    desk.quote(SBIN, 500).buy({ quantity: 60 })
    desk.sell({ quantity: 100 })
    expect(desk.position()?.quantity).toBe(quantityOf(-40))
    expect(desk.funds.used).toBe('4000.00')
  })

  test('a modified order is margined again, up and down, and refused when it cannot be paid (W8)', () => {
    const desk = new Desk('100000')
    const order = desk.quote(SBIN, 500).buy({ quantity: 1, type: 'LIMIT', price: 400 })
    expect(desk.funds.used).toBe('80.00')
    desk.modify(order, { quantity: 10 })
    expect(desk.funds.used).toBe('800.00')
    desk.modify(order, { price: 410 })
    expect(desk.funds.used).toBe('820.00')
    expect(() => desk.modify(order, { quantity: 1_000_000, price: 450 })).toThrow(/Insufficient funds. Required: ₹/)
    expect(desk.funds.used).toBe('820.00')
    desk.modify(order, { quantity: 1 })
    expect(desk.funds.used).toBe('82.00')
  })

  test('a new capital comes with a reset alone and never adds unrealised profit (W7)', () => {
    const desk = new Desk()
    desk.quote(SBIN, 500).buy({ quantity: 100, product: 'CNC' })
    desk.openSession('2026-08-05')
    desk.quote(SBIN, 520).buy({ quantity: 100 })
    desk.reset('500000')
    expect(desk.funds).toEqual({ available: '500000.00', used: '0.00', realised: '0.00' })
    expect(desk.state.holdings.size + desk.state.positions.size).toBe(0)
  })
})
