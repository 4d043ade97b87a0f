import { describe, expect, test } from 'vitest'
import { priceOf, quantityOf } from '../kernel/fixed.ts'
import type { Command } from './command.ts'
import { judge } from './machine.ts'
import { SESSION_ORDERS_MAX } from './place.ts'
import { Desk, instrument, NIFTY_FUT, NIFTY_INDEX, OPEN, RELIANCE, SBIN } from './test-desk.ts'

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
