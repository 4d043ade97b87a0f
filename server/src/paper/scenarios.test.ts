import { describe, expect, test } from 'vitest'
import { moneyOf, priceOf, quantityOf } from '../kernel/fixed.ts'
import type { Command } from './command.ts'
import { judge } from './machine.ts'
import { SESSION_ORDERS_MAX } from './place.ts'
import {
  BTC_PERP,
  BTC_SPOT,
  Desk,
  instrument,
  NIFTY_CE,
  NIFTY_FUT,
  NIFTY_INDEX,
  OPEN,
  RELIANCE,
  SBIN,
  USDINR,
} from './test-desk.ts'

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

describe('refusals name the value and what would be right', () => {
  const cases: [string, (desk: Desk) => ReturnType<Desk['buy']>, string][] = [
    [
      'an index',
      (desk) => desk.buy({ on: NIFTY_INDEX, quantity: 1, product: 'MIS' }),
      "NIFTY on NSE_INDEX is an index and can't be traded. Trade its futures or options instead.",
    ],
    [
      'NRML on equity',
      (desk) => desk.buy({ quantity: 1, product: 'NRML' }),
      'NRML product not allowed for NSE equity segment. Use CNC for delivery or MIS for intraday.',
    ],
    [
      'CNC on a future',
      (desk) => desk.buy({ on: NIFTY_FUT, quantity: 65, product: 'CNC' }),
      'CNC product not allowed for NFO derivatives segment. Use NRML for carryforward or MIS for intraday.',
    ],
    [
      'a quantity off the lot',
      (desk) => desk.buy({ on: NIFTY_FUT, quantity: 100 }),
      'Quantity must be in multiples of lot size 65 for NIFTY25AUG26FUT on NFO, got 100; 65 or 130 would be',
    ],
    [
      'a fraction of a share',
      (desk) => desk.buy({ quantity: '1.5' }),
      'Quantity must be a whole number for SBIN on NSE, got 1.5',
    ],
    [
      'a quantity above the freeze',
      (desk) => desk.buy({ on: NIFTY_FUT, quantity: 1820 }),
      'Quantity 1820 exceeds the freeze quantity 1800 of NIFTY25AUG26FUT on NFO; split the order',
    ],
    [
      'a price off the tick',
      (desk) => desk.buy({ quantity: 1, type: 'LIMIT', price: '100.03' }),
      "Price 100.03 isn't a multiple of the tick size 0.05 of SBIN; 100 or 100.05 would be",
    ],
    [
      'a trigger off the tick',
      (desk) => desk.buy({ quantity: 1, type: 'SL-M', trigger: '503.02' }),
      "Trigger price 503.02 isn't a multiple of the tick size 0.05 of SBIN; 503 or 503.05 would be",
    ],
    [
      'a BUY stop above its limit',
      (desk) => desk.buy({ quantity: 1, type: 'SL', trigger: 510, price: 490 }),
      'A BUY SL needs its trigger price at or below its price, got trigger 510 and price 490',
    ],
    [
      'a SELL stop below its limit',
      (desk) => desk.sell({ quantity: 1, type: 'SL', trigger: 490, price: 510 }),
      'A SELL SL needs its trigger price at or above its price, got trigger 490 and price 510',
    ],
    [
      'a disclosed quantity above the quantity',
      (desk) => desk.buy({ quantity: 5, disclosed: 6 }),
      'Disclosed quantity 6 exceeds the quantity 5',
    ],
    [
      'an expired contract',
      (desk) =>
        desk.buy({
          on: instrument({ symbol: 'X04AUG26FUT', exchange: 'NFO', kind: 'FUT', expiry: '2026-08-03' }),
          quantity: 1,
        }),
      'X04AUG26FUT on NFO expired on 2026-08-03',
    ],
    [
      'more than the account has',
      (desk) => desk.buy({ quantity: 200_000 }),
      'Insufficient funds. Required: ₹20000000.00, Available: ₹10000000.00, Shortage: ₹10000000.00',
    ],
    [
      'a value beyond the exact range',
      (desk) => desk.buy({ quantity: 9_000_000_000, type: 'LIMIT', price: 90_000_000 }),
      'Order value of about ₹8.10e+17 exceeds the largest the exchange takes, ₹1.00e+12',
    ],
    [
      'a closed exchange',
      (desk) =>
        desk.buy({
          quantity: 1,
          session: { open: false, closedReason: 'NSE is closed; it opens at 2026-08-05 09:15:00 IST', squareOffAt: 0 },
        }),
      'NSE is closed; it opens at 2026-08-05 09:15:00 IST',
    ],
  ]
  test.each(cases)('%s', (_, place, reason) => {
    const desk = new Desk().quote(SBIN, 500).quote(NIFTY_FUT, 25000).quote(NIFTY_INDEX, 25000)
    const order = place(desk)
    expect(order).toMatchObject({ status: 'rejected', reason, margin: 0 })
    expect(desk.funds).toEqual({ available: '10000000.00', used: '0.00', realised: '0.00' })
  })

  test('what the next order like it would meet, too, is told by its cause', () => {
    const desk = new Desk().quote(SBIN, 500).quote(NIFTY_INDEX, 25000)
    const session = { open: false, closedReason: 'NSE is closed', squareOffAt: 0 }
    expect([
      desk.buy({ quantity: 200_000 }).cause,
      desk.buy({ on: NIFTY_INDEX, quantity: 1 }).cause,
      desk.buy({ quantity: 1, product: 'NRML' }).cause,
      desk.buy({ quantity: 1, session }).cause,
      desk.buy({ quantity: 1, session: { ...OPEN, squareOffAt: desk.now } }).cause,
    ]).toEqual(['funds', 'instrument', 'instrument', 'session', 'session'])
    expect(desk.buy({ quantity: 1, type: 'LIMIT', price: '500.02' })).not.toHaveProperty('cause')
    expect(desk.buy({ quantity: 1 })).not.toHaveProperty('cause')
  })

  test('after square-off an intraday order may only reduce: a reversal is refused whole', () => {
    const desk = new Desk()
    desk.quote(SBIN, 500).buy({ quantity: 100 })
    const late = { ...OPEN, squareOffAt: desk.now }
    expect(desk.sell({ quantity: 150, session: late })).toMatchObject({
      status: 'rejected',
      reason: expect.stringContaining('MIS orders cannot be placed after square-off time'),
    })
    expect(desk.sell({ quantity: 100, session: late }).status).toBe('complete')
    expect(desk.buy({ quantity: 1, session: late }).status).toBe('rejected')
  })

  test('finished and unknown orders can be neither modified nor cancelled', () => {
    const desk = new Desk()
    const done = desk.quote(SBIN, 500).buy({ quantity: 1 })
    expect(() => desk.cancel(done)).toThrow('Cannot cancel order in complete status')
    expect(() => desk.modify(done, { quantity: 2 })).toThrow('Cannot modify order in complete status')
    expect(() => desk.apply({ kind: 'cancel', at: desk.now, orderId: 'zz' })).toThrow('Order zz not found')
    expect(desk.state).toMatchObject({ seq: 1, requestCount: 1 })
  })

  test('a modification is judged like a new order and refused whole', () => {
    const desk = new Desk()
    const limit = desk.quote(SBIN, 500).buy({ quantity: 10, type: 'LIMIT', price: 450 })
    expect(() => desk.modify(limit, { price: '450.02' })).toThrow("Price 450.02 isn't a multiple of the tick size 0.05")
    expect(() => desk.modify(limit, { trigger: 440 })).toThrow(
      'LIMIT orders do not accept a trigger_price, got 440; send 0',
    )
    expect(() => desk.modify(limit, { quantity: 0 })).toThrow(/must be above that, got 0/)
    expect(limit).toMatchObject({ quantity: quantityOf(10), price: priceOf(450) })
    const market = desk.book(RELIANCE, 1400, [[1399, 1]], [[1401, 1]]).buy({ on: RELIANCE, quantity: 5 })
    expect(() => desk.modify(market, { price: 1400 })).toThrow('MARKET orders do not accept a price, got 1400; send 0')
  })
})

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

test('a session has room for so many orders; the next one is refused without becoming an order', () => {
  const desk = new Desk()
  const order = desk.quote(SBIN, 500).buy({ quantity: 1 })
  // Filled by hand: placing them would take minutes.
  for (let number = desk.state.orders.size; number < SESSION_ORDERS_MAX; number += 1)
    desk.state.orders.set({ ...order, id: `x${number}` })
  expect(() => judge(desk.state, { ...desk.commands[0], orderId: 'one more' } as Command)).toThrow(
    /500000 orders in the session of 2026-08-04/,
  )
})

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
