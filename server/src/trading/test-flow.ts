import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { OrderReport, Venue } from '../brokers/venue.ts'
import { assert } from '../kernel/assert.ts'
import { ManualClock } from '../kernel/clock.ts'
import { quantityOf, toNumber, ZERO_PRICE, ZERO_QUANTITY } from '../kernel/fixed.ts'
import type { Instrument } from '../market/instrument.ts'
import { instrumentOf } from '../paper/order.ts'
import type { PaperExchange } from '../paper/paper-exchange.ts'
import { QuoteBoard } from '../paper/quote-board.ts'
import { NIFTY_FUT, RELIANCE, SBIN } from '../paper/test-desk.ts'
import { openTestExchange } from '../paper/test-exchange.ts'
import { type Databases, openDatabases } from '../storage/open.ts'
import { OrderFlow } from './flow/order-flow.ts'
import { type Denial, OPEN_GATE, type RiskGate, type RiskRequest, type Verdicts } from './risk/gate.ts'
import type { OrderRequest } from './trading.ts'

/** For tests: the way of orders by itself, to a paper account with 1 crore. */

/** Denies what it is told to, and checks that it is told once of everything that it let pass. */
class TestGate implements RiskGate {
  readonly judgeChange = OPEN_GATE.judgeChange
  readonly settleChange = OPEN_GATE.settleChange
  readonly algoIdOf = OPEN_GATE.algoIdOf
  denial: (order: OrderRequest) => Denial | undefined = () => undefined
  halt: Denial | undefined
  readonly asked: RiskRequest[] = []
  readonly #onTheirWay = new Map<RiskRequest, Set<number>>()

  get onTheirWay(): number {
    return [...this.#onTheirWay.values()].reduce((sum, { size }) => sum + size, 0)
  }

  judge(request: RiskRequest): Verdicts {
    this.asked.push(request)
    const verdicts = request.orders.map(({ order }) => this.denial(order))
    const allowed = verdicts.flatMap((denial, index) => (denial === undefined ? [index] : []))
    this.#onTheirWay.set(request, new Set(allowed))
    return verdicts
  }

  settle(request: RiskRequest, index: number): void {
    assert(this.#onTheirWay.get(request)?.delete(index) === true, `order ${index} is settled that isn't on its way`)
  }

  haltOf(): Denial | undefined {
    return this.halt
  }
}

/** A paper exchange that accounts are opened at. */
export class TestFloor {
  readonly #paper: PaperExchange
  readonly #databases: Databases
  readonly #board: QuoteBoard
  readonly #folder: string
  #accounts = 0

  private constructor(paper: PaperExchange, databases: Databases, board: QuoteBoard, folder: string) {
    this.#paper = paper
    this.#databases = databases
    this.#board = board
    this.#folder = folder
  }

  static async open(): Promise<TestFloor> {
    const folder = mkdtempSync(join(tmpdir(), 'sauda-flow-'))
    const clock = new ManualClock('2026-08-04T05:30:00Z')
    const databases = await openDatabases(folder, clock)
    const board = new QuoteBoard(() => clock.now())
    const paper = await openTestExchange({
      databases,
      accounts: [],
      marketData: board,
      clock,
    })
    return new TestFloor(paper, databases, board, folder)
  }

  /** With an account of its own. Everything costs 100. */
  async flow(): Promise<TestFlow> {
    this.#accounts += 1
    const account = `acc_${this.#accounts}`
    await this.#databases.money.writer.write([
      { sql: `INSERT INTO account (id, venue, created_at) VALUES (?, 'paper', 0)`, parameters: [account] },
    ])
    await this.#paper.openAccount(account)
    const venue = this.#paper.venue(account)
    assert(venue !== undefined, 'the account is open')
    for (const { symbol } of [SBIN, RELIANCE, NIFTY_FUT]) this.#board.set(symbol, 100)
    return new TestFlow(venue)
  }

  async close(): Promise<void> {
    await this.#paper.close()
    await this.#databases.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

export class TestFlow {
  readonly venue: Venue
  readonly gate = new TestGate()
  readonly orders: OrderFlow
  /** What is listed today. */
  readonly listed = new Map([SBIN, RELIANCE, NIFTY_FUT].map((facts) => [facts.symbol, instrumentOf(facts)]))
  /** What the flow reaches; the account itself unless a test puts something before it. */
  reached: Venue | undefined

  constructor(venue: Venue) {
    this.venue = venue
    this.reached = venue
    this.orders = new OrderFlow({ find: this.find, nearest: () => [], venueOf: this.venueOf, gate: this.gate })
  }

  readonly find = (symbol: string): Instrument | undefined => this.listed.get(symbol)
  readonly venueOf = (): Venue | undefined => this.reached

  /** Signed, of each position that isn't closed. */
  async held(): Promise<Record<string, number>> {
    const open = (await this.venue.positions()).filter(({ quantity }) => quantity !== 0)
    return Object.fromEntries(open.map(({ symbol, quantity }) => [symbol, toNumber.quantity(quantity)]))
  }

  /** Oldest first. */
  async book(): Promise<readonly OrderReport[]> {
    return await this.venue.orders()
  }
}

export function wanted(symbol: string, quantity: number, more: Partial<OrderRequest> = {}): OrderRequest {
  return {
    symbol,
    exchange: symbol === NIFTY_FUT.symbol ? 'NFO' : 'NSE',
    action: quantity < 0 ? 'SELL' : 'BUY',
    quantity: quantityOf(Math.abs(quantity)),
    priceType: 'MARKET',
    product: symbol === NIFTY_FUT.symbol ? 'NRML' : 'MIS',
    price: ZERO_PRICE,
    triggerPrice: ZERO_PRICE,
    disclosedQuantity: ZERO_QUANTITY,
    strategy: 's',
    ...more,
  }
}

/** The venue, out of reach after so many orders. */
export function failingAfter(orders: number, venue: Venue): Venue {
  let left = orders
  return new Proxy(venue, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      if (name !== 'place') return value.bind(target)
      return (...sent: unknown[]) => {
        left -= 1
        return left < 0 ? Promise.reject(new Error('lost the venue')) : value.apply(target, sent)
      }
    },
  })
}
