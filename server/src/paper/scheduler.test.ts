import { describe, expect, test } from 'vitest'
import { MINUTE_MS, timestampOf } from '../kernel/exchange-time.ts'
import { formatMoney, moneyOf, priceOf, quantityOf } from '../kernel/fixed.ts'
import { instrumentOf } from './order.ts'
import { NIFTY_CE, NIFTY_FUT } from './test-desk.ts'
import { ALWAYS, EXCHANGE_HOURS, LIMIT, order, type Running, start } from './test-running-exchange.ts'

describe('the exchange by the clock, always open', () => {
  test.each([
    ['a Sunday at 03:00', '2026-11-22T03:00:00+05:30'],
    ['a weekday at 15:16', '2026-11-25T15:16:00+05:30'],
    ['a weekday at 23:59', '2026-11-25T23:59:00+05:30'],
    ['a holiday', '2026-12-25T12:00:00+05:30'],
    ['the first instant of a day', '2026-11-25T00:00:00+05:30'],
    ['the last instant of a day', '2026-11-25T23:59:59.999+05:30'],
  ])('a first MIS order fills on %s', async (_, at) => {
    const { venue, board } = await start(Temporal.Instant.from(at).toString())
    board.set('SBIN', 500)
    expect(await venue.place(order())).toMatchObject({ status: 'complete', averagePrice: priceOf('500.05') })
  })

  test('intraday positions are squared off in the last instant of the day, at its price, and shown in its books', async () => {
    const { exchange, venue, board, clock, databases } = await start('2026-11-25T05:00:00Z')
    board.set('SBIN', 500)
    await venue.place(order())
    const resting = await venue.place(order(LIMIT))
    clock.moveTo(Date.parse('2026-11-25T18:29:58Z'))
    board.set('SBIN', 510)
    clock.moveTo(Date.parse('2026-11-25T18:30:00Z'))
    board.set('SBIN', 400)
    expect(await venue.orders()).toEqual([])
    expect(await venue.order(resting.id)).toMatchObject({ status: 'cancelled', reason: 'Intraday square-off' })
    await exchange.close()
    const closing = await databases.record.kysely
      .selectFrom('paper_trade')
      .selectAll()
      .orderBy('traded_at', 'desc')
      .executeTakeFirstOrThrow()
    expect([closing.session_date, timestampOf(closing.traded_at)]).toEqual(['2026-11-25', '2026-11-25 23:59:59'])
    expect(formatMoney((await venue.funds()).realised)).toBe('99.00')
    expect(formatMoney((await venue.funds()).reserved)).toBe('0.00')
  })

  test('an order that arrives just after midnight belongs to the new day, whatever was overdue', async () => {
    const { venue, board, clock } = await start('2026-11-25T05:00:00Z')
    board.set('SBIN', 500)
    await venue.place(order())
    clock.moveTo(Date.parse('2026-11-25T18:30:00.001Z'))
    const report = await venue.place(order())
    expect(report.id).toMatch(/^261126/)
    expect((await venue.orders()).map((row) => row.id)).toEqual([report.id])
    expect(await venue.positions()).toMatchObject([{ quantity: quantityOf(10), realisedToday: 0 }])
  })

  test('what fell due while the server was down is made up for in order, at the prices of those instants', async () => {
    const first = await start('2026-08-20T05:00:00Z')
    first.board.set('SBIN', 500)
    first.board.set('NIFTY25AUG26FUT', 25_000)
    await first.venue.place(order())
    await first.venue.place(order({ product: 'CNC' }))
    await first.venue.place(order({ instrument: instrumentOf(NIFTY_FUT), quantity: quantityOf(65), product: 'NRML' }))
    first.board.set('SBIN', 520, Date.parse('2026-08-20T18:29:00Z'))
    first.board.set('NIFTY25AUG26FUT', 25_100, Date.parse('2026-08-25T18:29:00Z'))
    first.board.set('SBIN', 900, Date.parse('2026-08-26T05:00:00Z'))
    const second = await first.again('2026-08-27T05:00:00Z')
    expect(await second.venue.positions()).toEqual([])
    expect(await second.venue.holdings()).toMatchObject([
      { symbol: 'SBIN', quantity: quantityOf(10), settledOn: '2026-08-21' },
    ])
    // MIS: 10 × (519.95 − 500.05); future: 65 × (25,100 − 25,000.05)
    expect(formatMoney((await second.venue.funds()).realised)).toBe('6695.75')
    await second.exchange.close()
    const trades = await second.databases.record.kysely
      .selectFrom('paper_trade')
      .selectAll()
      .orderBy('traded_at')
      .execute()
    expect(trades.map((trade) => [trade.session_date, JSON.parse(trade.body).strategy])).toEqual([
      ['2026-08-20', 'test'],
      ['2026-08-20', 'test'],
      ['2026-08-20', 'test'],
      ['2026-08-20', 'AUTO_SQUARE_OFF'],
      ['2026-08-25', 'EXPIRY_SETTLEMENT'],
    ])
  })

  test('charges are booked for what happened meanwhile too, and an order keeps the terms that it was placed with', async () => {
    const brokerage = { perOrder: moneyOf(20), sharePerMillion: 300 }
    const first = await start('2026-08-25T05:00:00Z', ALWAYS, undefined, undefined, brokerage)
    first.board.set('SBIN', 500)
    first.board.set('NIFTY25AUG2625000CE', 200)
    await first.venue.place(order())
    const option = { instrument: instrumentOf(NIFTY_CE), quantity: quantityOf(65), product: 'NRML' as const }
    await first.venue.place(order(option))
    await first.venue.placeTogether([order(), order({ action: 'SELL' })], true)
    const resting = await first.venue.place(order({ ...LIMIT, product: 'CNC' }))
    const uncharged = await first.again('2026-08-25T06:00:00Z')
    first.clock.advance(60 * MINUTE_MS) // the board's
    uncharged.board.set('SBIN', 489)
    await uncharged.exchange.tick()
    await uncharged.venue.place(order())
    const chargesOf = async (exchange: Running) =>
      (await exchange.venue.trades()).map(({ strategy, charges }) => [strategy, charges])
    // 10 × 500.05, 65 × 200.05, 10 × 500.05, 10 × 499.95, and 10 × 490 for delivery
    const booked = [211, 2945, 211, 320, 582].map((charges) => ['test', charges])
    expect(await chargesOf(uncharged)).toEqual([...booked, ['test', undefined]])
    expect((await uncharged.venue.order(resting.id)).status).toBe('complete')
    await uncharged.exchange.close()
    uncharged.board.set('NIFTY25AUG2625000CE', 150, Date.parse('2026-08-25T18:29:00Z'))
    const later = await uncharged.again('2026-08-26T05:00:00Z', undefined, brokerage)
    expect(await later.venue.trades()).toEqual([])
    await later.exchange.close()
    const rows = await later.databases.record.kysely.selectFrom('paper_trade').select('body').execute()
    const closings = rows.map(({ body }) => JSON.parse(body)).filter(({ strategy }) => strategy !== 'test')
    expect(closings.map(({ strategy, value, charges }) => [strategy, value, charges])).toEqual([
      ['AUTO_SQUARE_OFF', 977_900, 626],
      ['EXPIRY_SETTLEMENT', 975_000, 1463],
    ])
    const realised = rows.reduce((sum, { body }) => sum + JSON.parse(body).realised, 0)
    expect((await later.venue.funds()).realised).toBe(realised)
  })

  test('shares bought before a long stop are holdings since the day after the purchase', async () => {
    const first = await start('2026-11-16T05:00:00Z')
    first.board.set('SBIN', 500)
    await first.venue.place(order({ product: 'CNC' }))
    const second = await first.again('2026-11-25T05:00:00Z')
    expect(await second.venue.holdings()).toMatchObject([{ settledOn: '2026-11-17' }])
    await second.venue.place(order())
    expect((await second.venue.orders()).length).toBe(1)
    expect(second.committed.map((entry) => entry.seq)).toEqual([2, 3, 4])
  })
})

describe('the exchange by the clock, exchange hours', () => {
  test('orders are refused while the exchange is closed, with the time it opens', async () => {
    const { venue, board } = await start('2026-11-22T05:00:00Z', EXCHANGE_HOURS)
    board.set('SBIN', 500)
    expect(await venue.place(order())).toMatchObject({
      status: 'rejected',
      reason: 'NSE is closed; it opens at 2026-11-23 09:15:00 IST',
    })
  })

  test('from 15:15 on intraday orders may only reduce, and positions are closed', async () => {
    const { venue, board, clock } = await start('2026-11-25T09:40:00Z', EXCHANGE_HOURS)
    board.set('SBIN', 500)
    await venue.place(order())
    clock.advance(5 * MINUTE_MS)
    expect(await venue.positions()).toMatchObject([{ quantity: 0 }])
    expect(await venue.place(order())).toMatchObject({
      status: 'rejected',
      reason: expect.stringContaining('MIS orders cannot be placed after square-off time (15:15 IST)'),
    })
    expect(await venue.place(order({ product: 'CNC' }))).toMatchObject({ status: 'complete' })
  })

  test('books start again at 03:00, not at midnight', async () => {
    const { venue, board, clock } = await start('2026-11-25T09:40:00Z', EXCHANGE_HOURS)
    board.set('SBIN', 500)
    await venue.place(order({ product: 'CNC' }))
    clock.moveTo(Temporal.Instant.from('2026-11-26T02:59:59+05:30').epochMilliseconds)
    expect((await venue.orders()).length).toBe(1)
    clock.advance(1_000)
    expect(await venue.orders()).toEqual([])
    expect((await venue.holdings()).length).toBe(1)
  })
})
