import { describe, expect, test } from 'vitest'
import { moneyOf, quantityOf } from '../kernel/fixed.ts'
import { Desk, SBIN } from './test-desk.ts'

describe('delivery', () => {
  test('bought above the last price, settled, sold and bought back: the money is exact (W1)', () => {
    const desk = new Desk()
    desk.quote(SBIN, 500, '499.90', '500.10').buy({ quantity: 100, product: 'CNC' })
    desk.openSession('2026-08-05')
    desk.quote(SBIN, 520, '519.90', '520.10').sell({ quantity: 100, product: 'CNC' })
    expect(desk.funds).toEqual({ available: '10001980.00', used: '0.00', realised: '1980.00' })
    desk.quote(SBIN, 510, '509.90', '510.00').buy({ quantity: 100, product: 'CNC' })
    desk.openSession('2026-08-06')
    expect(desk.state.holdings.get('NSE:SBIN')).toMatchObject({ quantity: quantityOf(100), cost: moneyOf(51_000) })
    expect(desk.funds).toEqual({ available: '9950980.00', used: '0.00', realised: '1980.00' })
  })

  test('two pending sells of the same shares: the second is refused (W10)', () => {
    const desk = new Desk()
    desk.quote(SBIN, 500).buy({ quantity: 100, product: 'CNC' })
    desk.openSession('2026-08-05')
    expect(desk.sell({ quantity: 100, type: 'LIMIT', price: 550, product: 'CNC' }).status).toBe('open')
    const second = desk.sell({ quantity: 100, type: 'LIMIT', price: 560, product: 'CNC' })
    expect(second).toMatchObject({ status: 'rejected', reason: expect.stringContaining('Only 0 shares available') })
    desk.quote(SBIN, 560).tick()
    expect(desk.state.holdings.size).toBe(0)
    expect(desk.funds.realised).toBe('5000.00')
  })

  test('shares bought today are sold before older ones, each at its own cost', () => {
    const desk = new Desk()
    desk.quote(SBIN, 400).buy({ quantity: 10, product: 'CNC' })
    desk.openSession('2026-08-05')
    desk.quote(SBIN, 500).buy({ quantity: 10, product: 'CNC' })
    desk.quote(SBIN, 510).sell({ quantity: 15, product: 'CNC' })
    expect(desk.funds.realised).toBe('650.00')
    expect(desk.state.holdings.get('NSE:SBIN')?.quantity).toBe(quantityOf(5))
  })

  test('without shares a delivery sale is refused and kept as a rejected order', () => {
    const desk = new Desk()
    const order = desk.quote(SBIN, 500).sell({ quantity: 1, product: 'CNC' })
    expect(order).toMatchObject({
      status: 'rejected',
      reason: expect.stringContaining('Cannot sell SBIN in CNC. No positions or holdings available.'),
    })
    expect(desk.funds.available).toBe('10000000.00')
  })

  test('a delivery buyer must afford the worst level its market order reaches', () => {
    const desk = new Desk('1000')
    desk.book(
      SBIN,
      100,
      [['99.95', 100]],
      [
        [100, 5],
        [120, 100],
      ],
    )
    expect(desk.buy({ quantity: 10, product: 'CNC' })).toMatchObject({
      status: 'rejected',
      reason: 'Insufficient funds. Required: ₹1200.00, Available: ₹1000.00, Shortage: ₹200.00',
    })
    expect(desk.buy({ quantity: 8, product: 'CNC' })).toMatchObject({ status: 'complete', filledValue: moneyOf(860) })
    expect(desk.funds.available).toBe('140.00')
  })
})
