import { describe, expect, test } from 'vitest'
import { priceOf, quantityOf } from '../kernel/fixed.ts'
import { Steps } from '../kernel/steps.ts'
import { QUEUE_STATEMENTS_MAX } from '../storage/writer.ts'
import { instrumentOf } from './order.ts'
import type { PaperVenue } from './paper-venue.ts'
import { NIFTY_FUT } from './test-desk.ts'
import { LIMIT, order, start } from './test-running-exchange.ts'

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
