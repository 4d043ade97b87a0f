import { describe, expect, test } from 'vitest'
import { moneyOf, priceOf, quantityOf } from '../kernel/fixed.ts'
import { BTC_SPOT, Desk, NIFTY_FUT, SBIN } from './test-desk.ts'

describe('matching', () => {
  test('a market order walks the book and its rest waits for the next one', () => {
    const desk = new Desk()
    const order = desk
      .book(
        SBIN,
        500,
        [['499.95', 10]],
        [
          ['500.05', 30],
          ['500.10', 20],
        ],
      )
      .buy({ quantity: 60 })
    expect(order).toMatchObject({ status: 'open', filledQuantity: quantityOf(50) })
    expect(desk.state.trades.map((trade) => [trade.price, trade.quantity])).toEqual([
      [priceOf('500.05'), quantityOf(30)],
      [priceOf('500.10'), quantityOf(20)],
    ])
    desk.book(SBIN, 501, [['500.95', 10]], [['501.05', 30]]).tick()
    expect(order).toMatchObject({ status: 'complete', filledQuantity: quantityOf(60), trades: 3 })
  })

  test('what one order took from a book is gone for the next that sees the same one', () => {
    const desk = new Desk()
    desk.book(
      SBIN,
      500,
      [['499.95', 10]],
      [
        ['500.05', 10],
        ['500.10', 10],
      ],
    )
    desk.buy({ quantity: 10 })
    desk.buy({ quantity: 10 })
    expect(desk.state.trades.map((trade) => trade.price)).toEqual([priceOf('500.05'), priceOf('500.10')])
    expect(desk.buy({ quantity: 10 })).toMatchObject({ status: 'open', filledQuantity: 0 })
  })

  test('an arriving limit order takes better prices, a resting one trades at its own', () => {
    const desk = new Desk()
    const arriving = desk.quote(SBIN, 500, '499.95', '500.05').buy({ quantity: 10, type: 'LIMIT', price: 505 })
    expect(arriving).toMatchObject({ status: 'complete', filledValue: moneyOf('5000.50') })
    const resting = desk.buy({ quantity: 10, type: 'LIMIT', price: 495 })
    expect(resting.status).toBe('open')
    desk.quote(SBIN, 490, '489.95', '490.05').tick()
    expect(resting).toMatchObject({ status: 'complete', filledValue: moneyOf(4950) })
  })

  test('a limit order at the ask fills, one tick below it rests', () => {
    const desk = new Desk()
    desk.quote(SBIN, 500, '499.95', '500.05')
    expect(desk.buy({ quantity: 1, type: 'LIMIT', price: '500.05' }).status).toBe('complete')
    expect(desk.buy({ quantity: 1, type: 'LIMIT', price: 500 }).status).toBe('open')
  })

  test('a stop-limit that gaps past its limit stays an order and fills when the price returns (OpenAlgo asks for the trigger again)', () => {
    const desk = new Desk()
    const order = desk.quote(SBIN, 500, '499.95', '500.05').buy({ quantity: 10, type: 'SL', trigger: 503, price: 505 })
    desk.quote(SBIN, 506, '505.95', '506.05').tick()
    expect(order).toMatchObject({ status: 'open', triggered: true, filledQuantity: 0 })
    desk.quote(SBIN, 502, '501.95', '502.05').tick()
    expect(order).toMatchObject({ status: 'complete', filledValue: moneyOf(5050) })
  })

  test('a stop whose trigger is met on arrival is released at once', () => {
    const desk = new Desk()
    expect(desk.quote(SBIN, 510, '509.95', '510.05').buy({ quantity: 10, type: 'SL-M', trigger: 503 })).toMatchObject({
      status: 'complete',
      filledValue: moneyOf('5100.50'),
    })
    expect(desk.sell({ quantity: 10, type: 'SL', trigger: 520, price: 515 })).toMatchObject({
      status: 'open',
      triggered: true,
    })
  })

  test('a limit order modified to a marketable price fills at once', () => {
    const desk = new Desk()
    const order = desk.quote(SBIN, 500, '499.95', '500.05').buy({ quantity: 10, type: 'LIMIT', price: 450 })
    desk.modify(order, { price: 501 })
    expect(order).toMatchObject({ status: 'complete', filledValue: moneyOf('5000.50') })
  })

  test('only whole lots of a partial offer are taken', () => {
    const desk = new Desk()
    const order = desk.book(NIFTY_FUT, 25000, [[24999, 100]], [[25001, 100]]).buy({ on: NIFTY_FUT, quantity: 130 })
    expect(order).toMatchObject({ status: 'open', filledQuantity: quantityOf(65) })
  })

  test('crypto trades fractions of a unit exactly', () => {
    const desk = new Desk('100000000')
    desk.quote(BTC_SPOT, '8512345.67').buy({ on: BTC_SPOT, quantity: '0.00321' })
    expect(desk.state.trades[0]?.value).toBe(moneyOf('27324.63'))
    desk.sell({ on: BTC_SPOT, quantity: '0.00321' })
    expect(desk.funds.realised).toBe('-0.01')
  })

  test('an account that sees no fresh price refuses MARKET and lets LIMIT rest', () => {
    const desk = new Desk()
    expect(desk.buy({ quantity: 1 })).toMatchObject({
      status: 'rejected',
      reason: expect.stringContaining('no fresh price'),
    })
    expect(desk.buy({ quantity: 1, type: 'LIMIT', price: 500 }).status).toBe('open')
  })
})
