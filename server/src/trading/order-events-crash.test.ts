import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import pino from 'pino'
import { expect, it } from 'vitest'
import type { NewOrder } from '../brokers/venue.ts'
import { ManualClock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { DAY_MS } from '../kernel/exchange-time.ts'
import { moneyOf, type Price, priceOf, quantityOf } from '../kernel/fixed.ts'
import { type Committed, type PaperExchange, venueEventsOf } from '../paper/index.ts'
import { instrumentOf } from '../paper/order.ts'
import { QuoteBoard } from '../paper/quote-board.ts'
import { RELIANCE, SBIN } from '../paper/test-desk.ts'
import { openTestExchange } from '../paper/test-exchange.ts'
import { type Databases, openDatabases } from '../storage/open.ts'
import { OrderEvents } from './order-events.ts'

/** A paper exchange that is killed, stopped and started again on the same files while readers read on from where they were. */

const log = pino({ level: 'silent' })
const SYMBOLS = [SBIN, RELIANCE]

interface Running {
  readonly exchange: PaperExchange
  readonly events: OrderEvents
  /** From now on nothing that it writes arrives. */
  readonly kill: () => void
}

class World {
  clock = new ManualClock('2026-11-25T05:00:00Z')
  readonly board = new QuoteBoard(() => this.clock.now())
  /** All that was ever told, by number. */
  readonly told: Committed[] = []
  readonly errors: unknown[] = []
  readonly databases: Databases
  running: Running

  private constructor(databases: Databases, running: Running) {
    this.databases = databases
    this.running = running
  }

  static async open(databases: Databases): Promise<World> {
    const world = new World(databases, undefined as unknown as Running)
    world.quote(500)
    await world.start()
    return world
  }

  quote(price: number): void {
    this.board.set('SBIN', price)
    this.board.set('RELIANCE', price * 2)
  }

  async start(): Promise<void> {
    const { databases, board } = this
    const clock = new ManualClock(this.clock.now()) // or timers of who is dead would go on
    this.clock = clock
    let isDead = false
    const { record } = databases
    const events = new OrderEvents({
      record: {
        ...record,
        writer: {
          write: (statements: Parameters<typeof record.writer.write>[0]) =>
            isDead ? new Promise<void>(() => undefined) : record.writer.write(statements),
        } as typeof record.writer,
      },
      clock,
      retentionMs: 30 * DAY_MS,
      onError: (error) => this.errors.push(error),
    })
    const exchange = await openTestExchange({
      databases,
      accounts: ['default'],
      capital: moneyOf(1_000_000),
      marketData: board,
      clock,
      log,
      settlementPrice: async (instrument, when): Promise<Price> => (await board.depth(instrument, when)).ltp,
      keeper: {
        keptUntil: (account) => events.keptUntil(account),
        begin: (account, seq) => events.begin(account, seq),
        keep: (committed) => {
          events.keep(committed.account, committed.seq, committed.at, venueEventsOf(committed))
        },
        settled: (account, seq) => events.settled(account, seq),
      },
      publish: (committed) => this.told.push(committed),
    })
    const kill = () => {
      isDead = true
    }
    this.running = { exchange, events, kill }
  }

  async crash(): Promise<void> {
    this.running.kill()
    await this.databases.record.writer.query('SELECT 1') // what was sent before has arrived
    await this.start()
  }

  async stop(): Promise<void> {
    await this.running.exchange.close()
    await this.running.events.close()
    await this.start()
  }

  get venue() {
    const venue = this.running.exchange.venue('default')
    if (venue === undefined) throw new Error('the account has a venue')
    return venue
  }
}

type Step =
  | { readonly do: 'place'; readonly of: number; readonly order: Partial<NewOrder> }
  | { readonly do: 'modify' | 'cancel'; readonly nth: number; readonly price: number }
  | { readonly do: 'quote'; readonly price: number }
  | { readonly do: 'day' | 'reset' | 'crash' | 'stop' | 'flush' }

const price = fc.integer({ min: 480, max: 520 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc
      .record({
        of: fc.nat({ max: 1 }),
        action: fc.constantFrom('BUY' as const, 'SELL' as const),
        quantity: fc.integer({ min: 1, max: 20 }),
        price,
        isLimit: fc.boolean(),
        product: fc.constantFrom('MIS' as const, 'CNC' as const),
        strategy: fc.constantFrom('', 'A', 'B'),
      })
      .map(({ of, action, quantity, price: at, isLimit, product, strategy }) => ({
        do: 'place' as const,
        of,
        order: {
          action,
          quantity: quantityOf(quantity),
          product,
          strategy,
          priceType: isLimit ? ('LIMIT' as const) : ('MARKET' as const),
          price: priceOf(isLimit ? at * (of + 1) : 0),
        },
      })),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('modify' as const, 'cancel' as const), nth: fc.nat({ max: 9 }), price }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('quote' as const), price }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'day' as const,
        'reset' as const,
        'crash' as const,
        'crash' as const,
        'stop' as const,
        'flush' as const,
      ),
    }),
  },
)

async function perform(world: World, action: Step): Promise<void> {
  const { venue, clock } = world
  clock.advance(10)
  switch (action.do) {
    case 'place': {
      const instrument = instrumentOf(SYMBOLS[action.of] ?? SBIN)
      const none = { triggerPrice: priceOf(0), disclosedQuantity: quantityOf(0) }
      await venue.place({ ...(action.order as NewOrder), ...none, instrument })
      return
    }
    case 'modify':
    case 'cancel': {
      const orders = await venue.orders()
      const order = orders[action.nth % Math.max(1, orders.length)]
      if (order === undefined) return
      const change = { quantity: order.quantity, disclosedQuantity: quantityOf(0), triggerPrice: priceOf(0) }
      if (action.do === 'cancel') await venue.cancel(order.id)
      else await venue.modify(order.id, { ...change, price: priceOf(order.priceType === 'LIMIT' ? action.price : 0) })
      return
    }
    case 'quote':
      world.quote(action.price)
      return world.running.exchange.tick()
    case 'day':
      await world.running.events.flush()
      clock.advance(1_000) // ends the writing by the clock, which a day would have very often
      await new Promise((resolve) => setImmediate(resolve))
      clock.advance(DAY_MS)
      world.quote(500)
      await venue.orders()
      return
    case 'reset':
      return venue.reset(moneyOf(1_000_000))
    case 'crash':
      return world.crash()
    case 'stop':
      return world.stop()
    case 'flush':
      return world.running.events.flush()
  }
}

/** All events from the first, a page at a time, as what was told. */
async function readAll(events: OrderEvents, limit: number): Promise<unknown[]> {
  const reader = events.reader('default', 'reader')
  const rows: unknown[] = []
  for (let after = { seq: 0, index: Number.POSITIVE_INFINITY }; ; ) {
    const page = await reader.read(after, limit)
    if (page.parts.length === 0) break
    for (const { change, from, until } of page.parts)
      for (let index = from; index < until; index += 1) rows.push([change.seq, index, change.at, change.events[index]])
    after = page.after
  }
  reader.close()
  return JSON.parse(JSON.stringify(rows)) as unknown[]
}

const asTold = (told: readonly Committed[]): unknown[] =>
  JSON.parse(
    JSON.stringify(told.flatMap((one) => venueEventsOf(one).map((event, index) => [one.seq, index, one.at, event]))),
  ) as unknown[]

it('whatever is killed and when, every event can be read once, in order and as it was told first', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40, size: 'max' }),
      fc.integer({ min: 1, max: 30 }),
      async (steps, limit) => {
        const folder = mkdtempSync(join(tmpdir(), 'sauda-events-crash-'))
        const databases = await openDatabases(folder, new ManualClock('2026-11-25T05:00:00Z'))
        try {
          const world = await World.open(databases)
          for (const action of steps) {
            try {
              await perform(world, action)
            } catch (error) {
              if (!(error instanceof Refusal)) throw error
            }
          }
          expect(await readAll(world.running.events, limit)).toEqual(asTold(world.told))
          await world.crash()
          expect(await readAll(world.running.events, limit)).toEqual(asTold(world.told))
          expect(world.told.map(({ seq }) => seq)).toEqual(world.told.map((_, index) => index + 1))
          expect(world.errors).toEqual([])
          await world.stop()
        } finally {
          await databases.close()
          rmSync(folder, { recursive: true })
        }
      },
    ),
    { numRuns: 15 },
  )
}, 60_000)
