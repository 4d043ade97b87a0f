import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { GttReport, NewGtt } from '../../brokers/gtt.ts'
import { ManualClock } from '../../kernel/clock.ts'
import { DAY_MS } from '../../kernel/exchange-time.ts'
import { formatMoney, moneyOf, type Price, priceOf, quantityOf } from '../../kernel/fixed.ts'
import { createCalendar } from '../../market/exchange-calendar.ts'
import type { Instrument } from '../../market/instrument.ts'
import type { Depth } from '../../market/market-data.ts'
import { type Databases, openDatabases } from '../../storage/open.ts'
import { QUOTE_AGE_MAX_MS } from '../books.ts'
import type { SessionRules } from '../due.ts'
import { instrumentOf } from '../order.ts'
import type { PaperExchange } from '../paper-exchange.ts'
import type { PaperVenue } from '../paper-venue.ts'
import { QuoteBoard } from '../quote-board.ts'
import { NIFTY_FUT, SBIN } from '../test-desk.ts'
import { openTestExchange } from '../test-exchange.ts'
import type { Firing } from './triggers.ts'

/** Triggers on a paper exchange with its clock, its journal and its files. */

const ALWAYS: SessionRules = {
  calendar: createCalendar({ hours: 'always' }),
  squareOffMinutes: () => undefined,
  sessionBoundaryMinutes: 0,
}
const EXCHANGE_HOURS: SessionRules = {
  calendar: createCalendar({ hours: 'exchange' }),
  squareOffMinutes: () => 15 * 60 + 15,
  sessionBoundaryMinutes: 180,
}

/** Tells prices that are some time old. */
class LateBoard extends QuoteBoard {
  lateMs = 0

  override async depth(instrument: Instrument, at?: number): Promise<Depth> {
    const depth = await super.depth(instrument, at)
    return { ...depth, at: depth.at - this.lateMs }
  }
}

interface Running {
  readonly folder: string
  readonly exchange: PaperExchange
  readonly venue: PaperVenue
  readonly clock: ManualClock
  readonly board: LateBoard
  readonly databases: Databases
  /** One round of the exchange's own work. */
  round(): Promise<void>
}

const opened: Running[] = []
const folders: string[] = []
afterEach(async () => {
  for (const { exchange, databases } of opened) {
    await exchange.close()
    await databases.close()
  }
  for (const folder of folders) rmSync(folder, { recursive: true })
  opened.length = 0
  folders.length = 0
})

interface Options {
  readonly rules?: SessionRules
  readonly folder?: string
  readonly mayFire?: (account: string, firing: Firing) => boolean
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sauda-gtt-'))
  folders.push(folder)
  return folder
}

async function start(at: string | number, { rules = ALWAYS, mayFire, ...more }: Options = {}): Promise<Running> {
  const folder = more.folder ?? newFolder()
  const clock = new ManualClock(at)
  const board = new LateBoard(() => clock.now())
  const databases = await openDatabases(folder, clock)
  const exchange = await openTestExchange({
    databases,
    accounts: ['default'],
    marketData: board,
    rules,
    clock,
    settlementPrice: async (instrument, when): Promise<Price> => (await board.depth(instrument, when)).ltp,
    mayFire,
  })
  const venue = exchange.venue('default')
  if (venue === undefined) throw new Error('the default account has a venue')
  const round = async (): Promise<void> => {
    clock.advance(1_000)
    await exchange.tick()
  }
  const running = { folder, exchange, venue, clock, board, databases, round }
  opened.push(running)
  return running
}

function gtt(over: Partial<NewGtt> = {}): NewGtt {
  return {
    instrument: instrumentOf(SBIN),
    action: 'BUY',
    product: 'CNC',
    quantity: quantityOf(10),
    priceType: 'LIMIT',
    legs: [{ direction: 'below', triggerPrice: priceOf(490), price: priceOf(491) }],
    strategy: 'test',
    expiresAt: undefined,
    ...over,
  }
}

const OCO: Partial<NewGtt> = {
  legs: [
    { direction: 'below', triggerPrice: priceOf(490), price: priceOf(489) },
    { direction: 'above', triggerPrice: priceOf(510), price: priceOf(511) },
  ],
}
const OPEN_AT = '2026-11-25T05:00:00Z'
const only = async ({ venue }: Running): Promise<GttReport> => {
  const [report] = await venue.gtt.all()
  if (report === undefined) throw new Error('there is no GTT')
  return report
}

describe('the market', () => {
  test('fires a trigger on the tick that reaches it, once, and tells the whole story under its id', async () => {
    const running = await start(OPEN_AT)
    const { venue, board, round } = running
    board.set('SBIN', 500)
    const placed = await venue.gtt.place(gtt(OCO))
    expect(placed).toMatchObject({ id: 'GTT-261125-00000001', status: 'active', lastPrice: priceOf(500) })
    await round()
    expect(await venue.orders()).toEqual([])
    board.set('SBIN', 510)
    for (let count = 0; count < 3; count += 1) await round()
    const orders = await venue.orders()
    expect(orders).toMatchObject([{ root: placed.id, status: 'complete', price: priceOf(511), strategy: 'test' }])
    expect(await only(running)).toMatchObject({ status: 'triggered', orderId: orders[0]?.id, margin: 0 })
  })

  test('that is too old fires nothing; the next fresh quote does', async () => {
    const { venue, board, round } = await start(OPEN_AT)
    board.set('SBIN', 500)
    await venue.gtt.place(gtt())
    board.set('SBIN', 489)
    board.lateMs = QUOTE_AGE_MAX_MS + 1
    await round()
    expect(await venue.orders()).toEqual([])
    board.lateMs = QUOTE_AGE_MAX_MS - 2_000
    await round()
    expect(await venue.orders()).toHaveLength(1)
  })

  test('that is closed takes triggers and fires none until it opens', async () => {
    const { venue, board, clock, round } = await start('2026-11-22T05:00:00Z', { rules: EXCHANGE_HOURS })
    board.set('SBIN', 489)
    expect(await venue.gtt.place(gtt())).toMatchObject({ status: 'active' })
    await round()
    expect(await venue.orders()).toEqual([])
    clock.moveTo(Date.parse('2026-11-23T03:45:00Z'))
    await round()
    expect(await venue.orders()).toMatchObject([{ status: 'complete' }])
  })

  test('fires nothing of an account that may not trade; what waited fires when it may again', async () => {
    const asked: unknown[] = []
    let allowed = false
    const mayFire = (account: string, firing: Firing): boolean => {
      asked.push({ account, ...firing })
      return allowed
    }
    const { venue, board, round } = await start(OPEN_AT, { mayFire })
    board.set('SBIN', 489)
    await venue.gtt.place(gtt())
    await round()
    expect(await venue.orders()).toEqual([])
    const firing = {
      symbol: 'SBIN',
      exchange: 'NSE',
      action: 'BUY',
      product: 'CNC',
      quantity: quantityOf(10),
      strategy: 'test',
    }
    expect(asked[0]).toEqual({ account: 'default', ...firing })
    allowed = true
    await round()
    expect(await venue.orders()).toHaveLength(1)
  })

  test('of which nothing is known lets a trigger wait', async () => {
    const { venue, round } = await start(OPEN_AT)
    expect(await venue.gtt.place(gtt())).toMatchObject({ status: 'active', lastPrice: 0 })
    await round()
    expect(await venue.orders()).toEqual([])
  })

  test('fires a changed trigger at its new price alone', async () => {
    const { venue, board, round } = await start(OPEN_AT)
    board.set('SBIN', 500)
    const { id, legs } = await venue.gtt.place(gtt())
    const leg = { direction: 'below' as const, triggerPrice: priceOf(480), price: priceOf(481) }
    const change = { quantity: quantityOf(5), priceType: 'LIMIT' as const, legs: [leg] }
    expect(await venue.gtt.modify(id, change)).toMatchObject({ legs: [{ ...leg, status: 'pending' }] })
    board.set('SBIN', Number(legs[0]?.triggerPrice) / 1e8)
    await round()
    expect(await venue.orders()).toEqual([])
    board.set('SBIN', 480)
    await round()
    expect(await venue.orders()).toMatchObject([{ quantity: quantityOf(5), price: priceOf(481) }])
  })
})

describe('time', () => {
  test('ends what has waited long enough before it could fire, also while the server was down', async () => {
    const first = await start(OPEN_AT)
    first.board.set('SBIN', 500)
    const soon = Date.parse(OPEN_AT) + 60_000
    await first.venue.gtt.place(gtt({ expiresAt: soon }))
    await first.venue.gtt.place(gtt({ expiresAt: soon + 10 * DAY_MS }))
    const second = await start(soon + DAY_MS, { folder: first.folder })
    second.board.set('SBIN', 480)
    await second.round()
    const reports = await second.venue.gtt.all()
    expect(reports.map(({ status }) => status)).toEqual(['expired', 'triggered'])
    expect(reports[0]).toMatchObject({ reason: 'Not triggered until its expiry', margin: 0 })
    expect(await second.venue.orders()).toHaveLength(1)
  })

  test('lets one wait for a year when it names no end', async () => {
    const { venue, board } = await start(OPEN_AT)
    board.set('SBIN', 500)
    const { placedAt, expiresAt } = await venue.gtt.place(gtt())
    expect(expiresAt - placedAt).toBe(365 * DAY_MS)
  })

  test('takes the triggers of a contract along when it expires, even without a price to settle at', async () => {
    const { venue, board, clock, round } = await start('2026-08-20T05:00:00Z')
    board.set('SBIN', 500)
    const legs = [{ direction: 'below' as const, triggerPrice: priceOf(24000), price: priceOf(24000) }]
    const instrument = instrumentOf(NIFTY_FUT)
    const { id } = await venue.gtt.place(gtt({ instrument, product: 'NRML', quantity: quantityOf(65), legs }))
    const { id: other } = await venue.gtt.place(gtt())
    clock.moveTo(Date.parse('2026-08-25T18:30:01Z'))
    await round()
    expect(await venue.gtt.find(id)).toMatchObject({ status: 'expired', reason: 'The contract expired' })
    expect(await venue.gtt.find(other)).toMatchObject({ status: 'active' })
    expect(formatMoney((await venue.funds()).reserved)).toBe('4910.00')
  })

  test('leaves the story of an ended one readable in later sessions and other processes', async () => {
    const first = await start(OPEN_AT)
    first.board.set('SBIN', 500)
    const { id } = await first.venue.gtt.place(gtt({ tag: 'apv-7' }))
    await first.venue.gtt.place(gtt({ tag: 'apv-70' }))
    const cancelled = await first.venue.gtt.cancel(id)
    first.clock.advance(DAY_MS)
    for (let look = 0; look < 20; look += 1) expect(await first.venue.gtt.find(id)).toEqual(cancelled)
    expect((await first.venue.gtt.all()).map((report) => report.id)).not.toContain(id)
    await first.exchange.close()
    const second = await start(Date.parse(OPEN_AT) + 2 * DAY_MS, { folder: first.folder })
    expect(await second.venue.gtt.find(id)).toEqual(cancelled)
    expect(await second.venue.gtt.byTag('apv-7')).toEqual([cancelled])
    expect(await second.venue.gtt.byTag('apv-70')).toMatchObject([{ status: 'active' }])
    await expect(second.venue.gtt.find('GTT-261125-00000009')).rejects.toMatchObject({ code: 'gtt_not_found' })
  })
})

test('a reset takes all of them along', async () => {
  const running = await start(OPEN_AT)
  const { venue, board, round } = running
  board.set('SBIN', 500)
  const { id } = await venue.gtt.place(gtt(OCO))
  await venue.reset(moneyOf(1_000_000))
  board.set('SBIN', 480)
  await round()
  expect([await venue.orders(), await venue.gtt.all()]).toEqual([[], []])
  expect(await venue.gtt.find(id)).toMatchObject({ status: 'cancelled', reason: 'The account was reset' })
  expect(formatMoney((await venue.funds()).available)).toBe('1000000.00')
})

test('cancelling while it fires has one winner', async () => {
  const winners = new Set<boolean>()
  for (let delay = 0; delay < 24; delay += 3) {
    const running = await start(OPEN_AT)
    const { venue, board, exchange } = running
    board.set('SBIN', 500)
    const { id } = await venue.gtt.place(gtt())
    board.set('SBIN', 489)
    const firing = exchange.tick()
    for (let turn = 0; turn < delay; turn += 1) await Promise.resolve()
    const cancelled = await venue.gtt.cancel(id).then(
      () => true,
      () => false,
    )
    await firing
    await running.round()
    winners.add(cancelled)
    const { status } = await only(running)
    expect([cancelled, status, (await venue.orders()).length]).toEqual(
      cancelled ? [true, 'cancelled', 0] : [false, 'triggered', 1],
    )
  }
  expect(winners.size).toBe(2)
})

describe('killed after any row of the journal, and started again', () => {
  /** The same files, as if only the first rows of the journal had reached the disk. */
  async function killedAfter(rows: number, folder: string): Promise<string> {
    const copy = newFolder()
    cpSync(folder, copy, { recursive: true })
    const databases = await openDatabases(copy, new ManualClock(OPEN_AT))
    await databases.money.writer.write([{ sql: 'DELETE FROM journal WHERE seq > ?', parameters: [rows] }])
    await databases.close()
    return copy
  }

  test('every trigger fires exactly once, with one order, and never both legs', async () => {
    const first = await start(OPEN_AT)
    first.board.set('SBIN', 500)
    await first.venue.gtt.place(gtt(OCO))
    await first.venue.gtt.place(gtt())
    const { id } = await first.venue.gtt.place(gtt({ quantity: quantityOf(1) }))
    const leg = { direction: 'below' as const, triggerPrice: priceOf(485), price: priceOf(486) }
    await first.venue.gtt.modify(id, { quantity: quantityOf(2), priceType: 'MARKET', legs: [leg] })
    first.board.set('SBIN', 484)
    await first.round()
    expect(await first.venue.orders()).toHaveLength(3)
    const last = await first.databases.money.kysely.selectFrom('journal').select('seq').orderBy('seq', 'desc').execute()
    expect(last.length).toBe(7)
    for (let rows = 0; rows <= last.length; rows += 1) {
      const folder = await killedAfter(rows, first.folder)
      const again = await start(Date.parse(OPEN_AT) + 5_000, { folder })
      for (const price of [484, 520, 484, 520]) {
        again.board.set('SBIN', price)
        await again.round()
      }
      const gtts = await again.venue.gtt.all()
      const orders = await again.venue.orders()
      expect(gtts).toHaveLength(Math.min(rows, 3))
      expect(gtts.map(({ status }) => status)).toEqual(gtts.map(() => 'triggered'))
      expect(orders.map(({ root }) => root).sort()).toEqual(gtts.map((one) => one.id).sort())
      expect(orders.map((order) => order.id).sort()).toEqual(gtts.map((one) => one.orderId).sort())
      for (const { legs } of gtts) expect(legs.filter(({ status }) => status === 'triggered')).toHaveLength(1)
    }
  })
})
