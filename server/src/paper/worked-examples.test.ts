import { describe, expect, test } from 'vitest'
import { averagePrice, formatPrice, priceOf, toNumber, tradeValue } from '../kernel/fixed.ts'
import { GttDesk } from './gtt/test-gtt-desk.ts'
import { BTC_PERP, Desk, NIFTY_CE, NIFTY_FUT, RELIANCE, SBIN, termsFor, USDINR } from './test-desk.ts'

const averageOf = (desk: Desk, on = SBIN, product: 'MIS' | 'NRML' | 'CNC' = 'MIS'): string => {
  const held = desk.position(on, product)
  return held === undefined ? 'none' : formatPrice(averagePrice(held.cost, held.quantity, held.instrument.multiplier))
}

describe('MIS round trip with partial close, reversal and square-off', () => {
  test('each step has the funds of the worked example, except that a reversal keeps its whole margin (OpenAlgo keeps 1,616 of 4,040)', () => {
    const desk = new Desk()
    desk.quote(SBIN, 500, '499.95', '500.05').buy({ quantity: 100 })
    expect(desk.funds).toEqual({ available: '9990000.00', used: '10000.00', realised: '0.00' })
    expect(averageOf(desk)).toBe('500.05')

    desk.quote(SBIN, 510, '509.95', '510.05').sell({ quantity: 40 })
    expect(desk.funds).toEqual({ available: '9994396.00', used: '6000.00', realised: '396.00' })
    expect(averageOf(desk)).toBe('500.05')

    desk.quote(SBIN, 505, '504.95', '505.05').sell({ quantity: 100 })
    expect(desk.funds).toEqual({ available: '9996650.00', used: '4040.00', realised: '690.00' })
    expect(desk.position()?.quantity).toBe(-40_000_000)
    expect(averageOf(desk)).toBe('504.95')

    desk.quote(SBIN, 500, '499.95', '500.05').squareOff(SBIN)
    expect(desk.funds).toEqual({ available: '10000886.00', used: '0.00', realised: '886.00' })
    expect(desk.state.trades.at(-1)).toMatchObject({ strategy: 'AUTO_SQUARE_OFF', action: 'BUY' })
    expect([...desk.state.orders.values()].at(-1)).toMatchObject({ status: 'complete', strategy: 'AUTO_SQUARE_OFF' })
  })
})

test('averaging: 100 at 500 and 50 at 510 is worth exactly 2,500 more at 520 (OpenAlgo shows 2,500.50 from a rounded average)', () => {
  const desk = new Desk()
  desk.quote(SBIN, 500).buy({ quantity: 100 })
  desk.quote(SBIN, 510).buy({ quantity: 50 })
  expect(desk.funds).toEqual({ available: '9984900.00', used: '15100.00', realised: '0.00' })
  expect(averageOf(desk)).toBe('503.33333333')
  const held = desk.position()
  expect(
    held === undefined
      ? undefined
      : toNumber.money(tradeValue(priceOf(520), held.quantity, SBIN.multiplier, 'down')) - toNumber.money(held.cost),
  ).toBe(2500)
})

test('a resting order reserves, and its cancellation gives back, the whole amount', () => {
  const desk = new Desk()
  const order = desk
    .quote(SBIN, 500, '499.95', '500.05')
    .buy({ quantity: 100, type: 'LIMIT', price: 495, product: 'CNC' })
  expect(desk.funds).toEqual({ available: '9950500.00', used: '49500.00', realised: '0.00' })
  desk.cancel(order)
  expect(desk.funds).toEqual({ available: '10000000.00', used: '0.00', realised: '0.00' })
})

describe('future and options, lot 65', () => {
  test('a short future blocks a tenth of its notional and books its profit', () => {
    const desk = new Desk()
    desk.quote(NIFTY_FUT, 25000, 24999, 25001).sell({ on: NIFTY_FUT, quantity: 65 })
    expect(desk.funds).toEqual({ available: '9837500.00', used: '162500.00', realised: '0.00' })
    desk.quote(NIFTY_FUT, 24900, 24899, 24901).buy({ on: NIFTY_FUT, quantity: 65 })
    expect(desk.funds).toEqual({ available: '10006370.00', used: '0.00', realised: '6370.00' })
  })

  test('a short option with OPTION_SELL_MARGIN=premium blocks its premium, as OpenAlgo does', () => {
    const desk = new Desk()
    desk.quote(NIFTY_CE, 200, '199.5', '200.5').sell({ on: NIFTY_CE, quantity: 65 })
    expect(desk.funds).toEqual({ available: '9987000.00', used: '13000.00', realised: '0.00' })
    desk.quote(NIFTY_CE, 150, '149.5', '150.5').buy({ on: NIFTY_CE, quantity: 65 })
    expect(desk.funds).toEqual({ available: '10003185.00', used: '0.00', realised: '3185.00' })
  })

  test('a short option is margined like a future by default (OpenAlgo blocks 13,000 against an unbounded loss)', () => {
    const desk = new Desk()
    const terms = termsFor(NIFTY_CE, 'NRML', 'SELL', priceOf(25000))
    desk.quote(NIFTY_CE, 200, '199.5', '200.5').sell({ on: NIFTY_CE, quantity: 65, terms })
    expect(desk.funds.used).toBe('162500.00')
  })

  test('a loss beyond the margin is taken from cash, to the paisa', () => {
    const desk = new Desk()
    desk.quote(NIFTY_CE, 200, '199.5', '200.5').sell({ on: NIFTY_CE, quantity: 65 })
    desk.quote(NIFTY_CE, 2_000_000, 2_000_000, 2_000_000).buy({ on: NIFTY_CE, quantity: 65 })
    expect(desk.funds).toEqual({ available: '-119987032.50', used: '0.00', realised: '-129987032.50' })
    expect(desk.quote(SBIN, 500).buy({ quantity: 1 })).toMatchObject({
      status: 'rejected',
      reason: expect.stringContaining('Insufficient funds'),
    })
  })
})

test('delivery life cycle: the purchase is paid once and the sale realised against the holding (OpenAlgo ends 50,010 too rich)', () => {
  const desk = new Desk()
  desk.quote(SBIN, 500, '499.90', '500.10').buy({ quantity: 100, product: 'CNC' })
  expect(desk.funds).toEqual({ available: '9949990.00', used: '50010.00', realised: '0.00' })
  desk.openSession('2026-08-05')
  expect(desk.funds).toEqual({ available: '9949990.00', used: '0.00', realised: '0.00' })
  expect(desk.state.holdings.get('NSE:SBIN')).toMatchObject({ quantity: 100_000_000, settledOn: '2026-08-05' })
  desk.quote(SBIN, 520, '519.90', '520.10').sell({ quantity: 60, product: 'CNC' })
  expect(desk.funds).toEqual({ available: '9981184.00', used: '0.00', realised: '1188.00' })
  const again = desk.sell({ quantity: 60, product: 'CNC' })
  expect(again).toMatchObject({
    status: 'rejected',
    reason:
      'Cannot sell 60 shares of SBIN in CNC. Only 40 shares available (Position: 0, Holdings: 40, Pending sells: 0)',
  })
  desk.openSession('2026-08-06')
  expect(desk.funds.available).toBe('9981184.00')
  expect(
    averagePrice(
      desk.state.holdings.get('NSE:SBIN')?.cost ?? (0 as never),
      desk.state.holdings.get('NSE:SBIN')?.quantity ?? (0 as never),
      SBIN.multiplier,
    ),
  ).toBe(priceOf('500.10'))
})

describe('one cancels the other', () => {
  const twoWay = { on: RELIANCE, quantity: 10, below: [1350, 1345], above: [1500, 1495] } as const

  test('selling shares that are held reserves nothing; the upper trigger fires and its order fills at the bid', () => {
    const desk = new GttDesk()
    desk.quote(RELIANCE, 1400).buy({ on: RELIANCE, quantity: 10, product: 'CNC' })
    desk.openSession('2026-08-05')
    const gtt = desk.placeGtt('SELL', twoWay)
    expect(desk.funds).toEqual({ available: '9986000.00', used: '0.00', realised: '0.00' }) // OpenAlgo reserves 14,950
    desk.quote(RELIANCE, 1501).fire(RELIANCE)
    expect(desk.order(gtt.orderId)).toMatchObject({ status: 'complete', price: priceOf(1495), filledValue: 1_501_000 })
    expect(gtt).toMatchObject({ status: 'triggered', legs: [{ status: 'cancelled' }, { status: 'triggered' }] })
    expect(desk.funds).toEqual({ available: '10001010.00', used: '0.00', realised: '1010.00' })
  })

  test('selling what is not held reserves the larger leg, and returns it before its order is judged', () => {
    const desk = new GttDesk()
    const gtt = desk.quote(RELIANCE, 1400).placeGtt('SELL', twoWay)
    expect(desk.funds).toEqual({ available: '9985050.00', used: '14950.00', realised: '0.00' })
    desk.quote(RELIANCE, 1501).fire(RELIANCE)
    expect([gtt.status, desk.order(gtt.orderId).status]).toEqual(['rejected', 'rejected'])
    expect(desk.funds).toEqual({ available: '10000000.00', used: '0.00', realised: '0.00' })
  })
})

test('a stop order is margined on its trigger', () => {
  const desk = new Desk()
  const order = desk.quote(SBIN, 500, '499.95', '500.05').buy({ quantity: 10, type: 'SL', trigger: 503, price: 505 })
  expect(order.status).toBe('trigger pending')
  expect(desk.funds.used).toBe('1006.00')
  desk.quote(SBIN, 504, '503.95', 504).tick()
  expect(order).toMatchObject({ status: 'complete', filledValue: 504_000 })
  expect(desk.funds.used).toBe('1006.00')
})

test('currency prices keep four decimals: 1000 bought at 87.4525 and sold at 87.4550 earn 2.50 (OpenAlgo books 5.00)', () => {
  const desk = new Desk()
  desk.quote(USDINR, '87.4525').buy({ on: USDINR, quantity: 1000 })
  desk.quote(USDINR, '87.4550').sell({ on: USDINR, quantity: 1000 })
  expect(desk.funds.realised).toBe('2.50')
})

test('the contract multiplier counts in margin and profit (OpenAlgo blocks 60,000 for what is worth 600)', () => {
  const desk = new Desk()
  desk.quote(BTC_PERP, 60000).buy({ on: BTC_PERP, quantity: 10 })
  expect(desk.funds.used).toBe('60.00')
  desk.quote(BTC_PERP, 61000).sell({ on: BTC_PERP, quantity: 10 })
  expect(desk.funds).toEqual({ available: '10000010.00', used: '0.00', realised: '10.00' })
})

test('buying 1 at 100 and 2 at 100.05 and selling 3 at 100.10 earns 0.20 (OpenAlgo books 0.21 from a rounded average)', () => {
  const desk = new Desk()
  desk.quote(RELIANCE, 100).buy({ on: RELIANCE, quantity: 1 })
  desk.quote(RELIANCE, '100.05').buy({ on: RELIANCE, quantity: 2 })
  desk.quote(RELIANCE, '100.10').sell({ on: RELIANCE, quantity: 3 })
  expect(desk.funds.realised).toBe('0.20')
})
