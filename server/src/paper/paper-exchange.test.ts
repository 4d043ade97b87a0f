import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { NewOrder } from '../brokers/venue.ts'
import type { BrokerageTerms } from '../charges/index.ts'
import { ManualClock } from '../kernel/clock.ts'
import { MINUTE_MS, timestampOf } from '../kernel/exchange-time.ts'
import { formatMoney, moneyOf, type Price, priceOf, quantityOf } from '../kernel/fixed.ts'
import { Steps } from '../kernel/steps.ts'
import { createCalendar } from '../market/exchange-calendar.ts'
import type { Exchange } from '../market/instrument.ts'
import { type Databases, openDatabases } from '../storage/open.ts'
import { QUEUE_STATEMENTS_MAX } from '../storage/writer.ts'
import type { SessionRules } from './due.ts'
import type { Committed } from './engine.ts'
import { instrumentOf } from './order.ts'
import type { PaperExchange } from './paper-exchange.ts'
import type { PaperVenue } from './paper-venue.ts'
import { QuoteBoard } from './quote-board.ts'
import { NIFTY_CE, NIFTY_FUT, SBIN } from './test-desk.ts'
import { openTestExchange } from './test-exchange.ts'

const ALWAYS: SessionRules = {
  calendar: createCalendar({ hours: 'always' }),
  squareOffMinutes: () => undefined,
  sessionBoundaryMinutes: 0,
}
const squareOffMinutes = (exchange: Exchange): number => (exchange === 'MCX' ? 23 * 60 + 30 : 15 * 60 + 15)
const EXCHANGE_HOURS: SessionRules = {
  calendar: createCalendar({ hours: 'exchange' }),
  squareOffMinutes,
  sessionBoundaryMinutes: 180,
}

const opened: { databases: Databases; folder: string }[] = []
afterEach(async () => {
  for (const { databases } of opened) await databases.close()
  for (const folder of new Set(opened.map((entry) => entry.folder))) rmSync(folder, { recursive: true })
  opened.length = 0
})

interface Running {
  readonly exchange: PaperExchange
  readonly venue: PaperVenue
  readonly clock: ManualClock
  readonly board: QuoteBoard
  readonly databases: Databases
  readonly committed: Committed[]
  /** Another process on the same files, as after a kill, at another time. */
  again(at: string, board?: QuoteBoard, brokerage?: BrokerageTerms): Promise<Running>
}

async function start(
  at: string,
  rules: SessionRules = ALWAYS,
  folder = mkdtempSync(join(tmpdir(), 'sauda-paper-')),
  told?: QuoteBoard,
  brokerage?: BrokerageTerms,
): Promise<Running> {
  const clock = new ManualClock(at)
  const board = told ?? new QuoteBoard(() => clock.now())
  const databases = await openDatabases(folder, clock)
  opened.push({ databases, folder })
  const committed: Committed[] = []
  const exchange = await openTestExchange({
    databases,
    accounts: ['default'],
    marketData: board,
    rules,
    clock,
    settlementPrice: async (instrument, when): Promise<Price> => (await board.depth(instrument, when)).ltp,
    brokerage,
    publish: (command) => committed.push(command),
  })
  const venue = exchange.venue('default')
  if (venue === undefined) throw new Error('the default account has a venue')
  const again: Running['again'] = (later, other = board, terms) => start(later, rules, folder, other, terms)
  return { exchange, venue, clock, board, databases, committed, again }
}

function order(over: Partial<NewOrder> = {}): NewOrder {
  return {
    instrument: instrumentOf(SBIN),
    action: 'BUY',
    quantity: quantityOf(10),
    priceType: 'MARKET',
    product: 'MIS',
    price: priceOf(0),
    triggerPrice: priceOf(0),
    disclosedQuantity: quantityOf(0),
    strategy: 'test',
    ...over,
  }
}

const LIMIT = { priceType: 'LIMIT' as const, price: priceOf(490) }

describe('recovery', () => {
  test('a new process on the same files has the same account, without and with a clean stop', async () => {
    const first = await start('2026-11-25T05:00:00Z')
    first.board.set('SBIN', 500)
    await first.venue.place(order())
    const resting = await first.venue.place(order(LIMIT))
    await first.venue.place(order({ ...LIMIT, quantity: quantityOf(5) }))
    await first.venue.cancel(resting.id)
    const second = await first.again('2026-11-25T06:00:00Z')
    expect(await second.venue.orders()).toEqual(await first.venue.orders())
    expect(await second.venue.funds()).toEqual(await first.venue.funds())
    await second.exchange.close()
    const third = await second.again('2026-11-25T07:00:00Z')
    expect(await third.venue.orders()).toEqual(await first.venue.orders())
    expect(await third.venue.positions()).toEqual(await first.venue.positions())
  })

  test('order ids are 14 digits, start with the date, and none comes twice across restarts', async () => {
    const first = await start('2026-11-25T05:00:00Z')
    first.board.set('SBIN', 500)
    const ids = [await first.venue.place(order()), await first.venue.place(order())].map((report) => report.id)
    const second = await first.again('2026-11-25T06:00:00Z')
    ids.push((await second.venue.place(order())).id)
    for (const id of ids) expect(id).toMatch(/^261125\d{8}$/)
    expect([...ids].sort()).toEqual([...new Set(ids)])
  })

  test('an account whose journal cannot be written stops and says so', async () => {
    const { venue, board, databases } = await start('2026-11-25T05:00:00Z')
    board.set('SBIN', 500)
    await databases.money.writer.close()
    await expect(venue.place(order())).rejects.toMatchObject({ code: 'account_stopped' })
    await expect(venue.place(order())).rejects.toMatchObject({ code: 'account_stopped' })
    await expect(venue.funds()).rejects.toMatchObject({ code: 'account_stopped' })
  })

  test('what belongs beside an order is on disk with it', async () => {
    const first = await start('2026-11-25T05:00:00Z')
    first.board.set('SBIN', 500)
    const beside = ({ id }: { readonly id: string }) => ({
      sql: `INSERT INTO setting (name, value) VALUES ('last order', ?)`,
      parameters: [id],
    })
    const { id } = await first.venue.place(order(), undefined, beside)
    const rows = await first.databases.money.kysely.selectFrom('setting').select('value').execute()
    expect(rows).toEqual([{ value: id }])
  })

  test.each([
    ['refused by the file', () => ({ sql: 'INSERT INTO nowhere VALUES (1)', parameters: [] })],
    [
      'a bug',
      () => {
        throw new Error('a bug')
      },
    ],
  ])('an order isn’t there when what belongs beside it is %s, and its account stops', async (_what, beside) => {
    const first = await start('2026-11-25T05:00:00Z')
    first.board.set('SBIN', 500)
    await expect(first.venue.place(order(), undefined, beside)).rejects.toMatchObject({ code: 'account_stopped' })
    await expect(first.venue.place(order())).rejects.toMatchObject({ code: 'account_stopped' })
    const second = await first.again('2026-11-25T05:01:00Z')
    expect(await second.venue.orders()).toEqual([])
    await second.venue.place(order())
    expect(await second.venue.orders()).toHaveLength(1)
  })
})

describe('working orders meet the market', () => {
  test('a resting order fills on the tick that reaches it, once', async () => {
    const { venue, board, clock, exchange, committed } = await start('2026-11-25T05:00:00Z')
    board.set('SBIN', 500)
    const resting = await venue.place(order(LIMIT))
    exchange.start()
    board.set('SBIN', 489)
    for (let second = 0; second < 3; second += 1) {
      clock.advance(1_000)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    expect(await venue.order(resting.id)).toMatchObject({ status: 'complete', averagePrice: priceOf(490) })
    expect((await venue.trades()).length).toBe(1)
    expect(committed.map((entry) => entry.seq)).toEqual([1, 2])
    await exchange.close()
  })
})

describe('the tag of an order', () => {
  const tagged = { ...order(), tag: 'apv-1' }
  const ids = async (venue: PaperVenue, tag: string) => (await venue.ordersByTag(tag)).map(({ id }) => id)

  test('finds it again, refused ones too, in its session and later ones, and in a new process', async () => {
    const first = await start('2026-11-25T05:00:00Z')
    first.board.set('SBIN', 500)
    const filled = await first.venue.place(tagged)
    const refused = await first.venue.place({ ...tagged, quantity: quantityOf(1_000_000_000) })
    const other = await first.venue.place({ ...tagged, tag: 'apv-12' })
    await first.venue.place(order())
    expect(refused.status).toBe('rejected')
    const expected = [filled.id, refused.id]
    expect(await ids(first.venue, 'apv-1')).toEqual(expected)
    const second = await first.again('2026-11-25T06:00:00Z')
    expect(await ids(second.venue, 'apv-1')).toEqual(expected)
    second.clock.moveTo(Temporal.Instant.from('2026-11-26T06:00:00Z').epochMilliseconds)
    const ofToday = second.venue.orders() // closes the old session
    for (let look = 0; look < 20; look += 1) expect(await ids(second.venue, 'apv-1')).toEqual(expected)
    expect(await ofToday).toEqual([])
    await second.exchange.close()
    const third = await second.again('2026-11-27T06:00:00Z')
    expect(await ids(third.venue, 'apv-1')).toEqual(expected)
    expect(await ids(third.venue, 'apv-12')).toEqual([other.id])
    expect(await ids(third.venue, 'apv-2')).toEqual([])
    const count = 'SELECT count(*) AS tagged FROM paper_order WHERE tag IS NOT NULL'
    expect(await third.databases.record.writer.query(count)).toEqual([{ tagged: 3 }])
  })

  test('is looked up by an index, however many orders the archive has', async () => {
    const { databases } = await start('2026-11-25T05:00:00Z')
    const plan = await databases.record.writer.query(
      'EXPLAIN QUERY PLAN SELECT body FROM paper_order WHERE account = ? AND tag = ? LIMIT 1000',
      ['default', 'apv-1'],
    )
    expect(plan.map(({ detail }) => detail).join()).toContain('paper_order_by_tag')
  })
})

test('an order tells how long its steps took', async () => {
  const { venue, board } = await start('2026-11-25T05:00:00Z')
  board.set('SBIN', 500)
  let elapsedMs = 0
  const ticking = () => new Steps(() => (elapsedMs += 1))
  const placing = ticking()
  const { id } = await venue.place(order(LIMIT), placing)
  const modifying = ticking()
  const change = {
    quantity: quantityOf(5),
    disclosedQuantity: quantityOf(0),
    price: priceOf(0),
    triggerPrice: priceOf(0),
  }
  await venue.modify(id, change, modifying)
  const cancelling = ticking()
  await venue.cancel(id, cancelling)
  for (const steps of [placing, modifying, cancelling])
    expect(steps).toMatchObject({ read: 0, authenticate: 0, validate: 0, risk: 1, venue: 1, journal: 1, serialise: 0 })
})

test('what a venue would refuse whatever the market does is told without placing it', async () => {
  const { venue, committed } = await start('2026-11-25T05:00:00Z')
  const reasons = [
    {},
    { quantity: quantityOf('1.5') },
    { priceType: 'LIMIT' as const, price: priceOf('490.02') },
    { product: 'NRML' as const },
    {
      instrument: instrumentOf({ ...NIFTY_FUT, expiry: '2026-12-29' }),
      product: 'NRML' as const,
      quantity: quantityOf(66),
    },
    {
      instrument: instrumentOf({ ...NIFTY_FUT, expiry: '2026-11-24' }),
      product: 'NRML' as const,
      quantity: quantityOf(65),
    },
  ].map((over) => venue.refusalOf(order(over)))
  expect(reasons).toEqual([
    undefined,
    expect.stringContaining('whole number'),
    expect.stringContaining('tick size'),
    expect.stringContaining('NRML product not allowed'),
    expect.stringContaining('lot size 65'),
    expect.stringContaining('expired'),
  ])
  expect(committed).toEqual([])
})

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

test('an order that the disk has no room for is refused before anything is done, and the account goes on', async () => {
  const { venue, board, databases } = await start('2026-11-25T05:00:00Z')
  board.set('SBIN', 500)
  const nothing = { sql: "DELETE FROM journal WHERE account = 'nobody'", parameters: [] }
  const before = await venue.funds()
  const waiting = databases.money.writer.write(Array.from({ length: QUEUE_STATEMENTS_MAX }, () => nothing))
  await expect(venue.place(order())).rejects.toMatchObject({ code: 'overloaded' })
  await waiting
  expect(await venue.orders()).toEqual([])
  expect(await venue.funds()).toEqual(before)
  expect(await venue.place(order())).toMatchObject({ status: 'complete' })
})
