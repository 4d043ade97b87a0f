import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ManualClock } from '../kernel/clock.ts'
import { formatMoney, moneyOf, priceOf, quantityOf } from '../kernel/fixed.ts'
import { type Databases, openDatabases } from '../storage/open.ts'
import type { PaperExchange } from './paper-exchange.ts'
import type { PaperVenue } from './paper-venue.ts'
import { QuoteBoard } from './quote-board.ts'
import { TICK_MS } from './scheduler.ts'
import { openTestExchange } from './test-exchange.ts'
import { order } from './test-running-exchange.ts'

const clock = new ManualClock('2026-11-25T05:00:00Z')
const board = new QuoteBoard(() => clock.now())

let folder: string
let databases: Databases
let exchange: PaperExchange
async function open(accounts: readonly string[], capital = 10_000_000): Promise<void> {
  databases = await openDatabases(folder, clock)
  exchange = await openTestExchange({
    databases,
    accounts,
    capital: moneyOf(capital),
    marketData: board,
    clock,
    settlementPrice: async () => priceOf(500),
    publish: () => {},
  })
}
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sauda-paper-'))
  board.set('SBIN', 500)
  await open(['default'])
})
afterEach(async () => {
  await databases.close()
  rmSync(folder, { recursive: true })
})

function venue(account: string): PaperVenue {
  const found = exchange.venue(account)
  if (found === undefined) throw new Error(`account ${account} has no venue`)
  return found
}

const cash = async (account: string): Promise<string> => formatMoney((await venue(account).funds()).available)
const orderIds = async (account: string) => (await venue(account).orders()).map(({ id }) => id)

describe('an account that is opened while others trade', () => {
  it('has books and funds of its own, also after a restart', async () => {
    const first = await venue('default').place(order())
    const others = await cash('default')
    expect(exchange.venue('acc_new')).toBeUndefined()
    await exchange.openAccount('acc_new')
    expect(await cash('acc_new')).toBe('10000000.00')
    const second = await venue('acc_new').place(order({ quantity: quantityOf(20) }))
    expect([await orderIds('default'), await orderIds('acc_new')]).toEqual([[first.id], [second.id]])
    const own = await cash('acc_new')
    expect([await cash('default'), own === others]).toEqual([others, false])

    await exchange.close()
    await databases.close()
    await open(['default', 'acc_new'], 5)
    expect([await orderIds('default'), await orderIds('acc_new')]).toEqual([[first.id], [second.id]])
    expect([await cash('default'), await cash('acc_new')]).toEqual([others, own])
  })

  it('has its orders watched when the exchange runs', async () => {
    const limit = order({ priceType: 'LIMIT', price: priceOf(490) })
    exchange.start()
    await exchange.openAccount('acc_new')
    const { id } = await venue('acc_new').place(limit)
    board.set('SBIN', 489)
    clock.advance(TICK_MS)
    await expect.poll(async () => (await venue('acc_new').order(id))?.status).toBe('complete')
    await exchange.close()
  })

  it('asked for many times at once is opened once: each order is in the one book', async () => {
    const { writer } = databases.money
    const count = 'BEGIN INSERT INTO opened VALUES (NEW.account); END'
    await writer.write([
      { sql: 'CREATE TABLE opened (account TEXT)', parameters: [] },
      { sql: `CREATE TRIGGER opening BEFORE INSERT ON snapshot ${count}`, parameters: [] },
    ])
    await Promise.all(Array.from({ length: 5 }, () => exchange.openAccount('acc_new')))
    const before = venue('acc_new')
    const placed = await before.place(order())
    await exchange.openAccount('acc_new')
    expect(venue('acc_new')).toBe(before)
    expect(await orderIds('acc_new')).toEqual([placed.id])
    expect(await writer.query('SELECT account FROM opened')).toEqual([{ account: 'acc_new' }])
  })

  it('under way when the exchange closes is closed with the others; a later one is refused', async () => {
    await databases.close()
    await open([])
    const opening = exchange.openAccount('acc_new')
    await exchange.close()
    expect(exchange.venue('acc_new')).toBeDefined()
    await opening
    await expect(exchange.openAccount('acc_late')).rejects.toMatchObject({ code: 'shutting_down' })
    await databases.close()
    await open(['default', 'acc_new'])
    expect(await cash('acc_new')).toBe('10000000.00')
  })

  it('that the disk refused is not there, and can be asked for again', async () => {
    const { writer } = databases.money
    await writer.write([
      {
        sql: "CREATE TRIGGER full BEFORE INSERT ON snapshot BEGIN SELECT RAISE(ABORT, 'disk full'); END",
        parameters: [],
      },
    ])
    await expect(exchange.openAccount('acc_new')).rejects.toThrow('disk full')
    expect(exchange.venue('acc_new')).toBeUndefined()
    await writer.write([{ sql: 'DROP TRIGGER full', parameters: [] }])
    await exchange.openAccount('acc_new')
    expect(await cash('acc_new')).toBe('10000000.00')
  })
})
