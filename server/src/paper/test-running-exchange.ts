import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import type { NewOrder } from '../brokers/venue.ts'
import type { BrokerageTerms } from '../charges/index.ts'
import { ManualClock } from '../kernel/clock.ts'
import { type Price, priceOf, quantityOf } from '../kernel/fixed.ts'
import { createCalendar } from '../market/exchange-calendar.ts'
import type { Exchange } from '../market/instrument.ts'
import { type Databases, openDatabases } from '../storage/open.ts'
import type { SessionRules } from './due.ts'
import type { Committed } from './engine.ts'
import { instrumentOf } from './order.ts'
import type { PaperExchange } from './paper-exchange.ts'
import type { PaperVenue } from './paper-venue.ts'
import { QuoteBoard } from './quote-board.ts'
import { SBIN } from './test-desk.ts'
import { openTestExchange } from './test-exchange.ts'

/** For tests: paper exchanges on files of their own, with clocks that the test moves; they are closed after each test. */

export const ALWAYS: SessionRules = {
  calendar: createCalendar({ hours: 'always' }),
  squareOffMinutes: () => undefined,
  sessionBoundaryMinutes: 0,
}
export const squareOffMinutes = (exchange: Exchange): number => (exchange === 'MCX' ? 23 * 60 + 30 : 15 * 60 + 15)
export const EXCHANGE_HOURS: SessionRules = {
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

export interface Running {
  readonly exchange: PaperExchange
  readonly venue: PaperVenue
  readonly clock: ManualClock
  readonly board: QuoteBoard
  readonly databases: Databases
  readonly committed: Committed[]
  /** Another process on the same files, as after a kill, at another time. */
  again(at: string, board?: QuoteBoard, brokerage?: BrokerageTerms): Promise<Running>
}

export async function start(
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

export function order(over: Partial<NewOrder> = {}): NewOrder {
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

export const LIMIT = { priceType: 'LIMIT' as const, price: priceOf(490) }
