import type { Logger } from 'pino'
import type { Clock } from '../kernel/clock.ts'
import type { Price } from '../kernel/fixed.ts'
import type { Instrument } from '../market/instrument.ts'
import type { MarketData } from '../market/market-data.ts'
import { hasOpenLine } from './attribution/attribution.ts'
import { freshBook, pastBook } from './books.ts'
import type { ChargeTable } from './charge-table.ts'
import type { Book } from './command.ts'
import { type Due, dueBetween, nextDueAt, type SessionRules } from './due.ts'
import type { AccountEngine } from './engine.ts'
import type { Triggers } from './gtt/triggers.ts'
import { wouldAct } from './matching.ts'
import { type Action, type InstrumentFacts, instrumentKey, instrumentOf, type Position } from './order.ts'
import type { OrderIds } from './order-ids.ts'

export interface SchedulerOptions {
  readonly engine: AccountEngine
  readonly triggers: Triggers
  readonly orderIds: OrderIds
  /** Without one trades cost nothing. */
  readonly charges: ChargeTable | undefined
  readonly marketData: MarketData
  readonly settlementPrice: (instrument: Instrument, at: number) => Promise<Price | undefined>
  readonly rules: SessionRules
  readonly clock: Clock
  readonly log: Logger
}

/** How often working orders meet the market. */
export const TICK_MS = 1_000

/**
 * What happens to an account without its owner: working orders meet quotes; intraday positions are squared off;
 * contracts expire; the trading day changes. After a stop it makes up for what fell due meanwhile, in order, at the
 * prices of those instants.
 */
export class Scheduler {
  readonly #options: SchedulerOptions
  #nextDueAt: number
  /** Version of the calendar that `#nextDueAt` was found in. */
  #calendarVersion: number
  #running: Promise<void> | undefined
  #round: Promise<void> | undefined
  #stopTimer: (() => void) | undefined

  constructor(options: SchedulerOptions) {
    this.#options = options
    this.#nextDueAt = options.engine.state.lastAt
    this.#calendarVersion = options.rules.calendar.version
  }

  start(): void {
    this.#stopTimer = this.#options.clock.every(TICK_MS, () => {
      void this.tick()
    })
  }

  /** Resolves when the round under way, if any, is over. */
  async stop(): Promise<void> {
    this.#stopTimer?.()
    await this.#round
  }

  /** One round, never two at a time; errors are logged and the next round tries again. */
  tick(): Promise<void> {
    this.#round ??= this.#tick().finally(() => {
      this.#round = undefined
    })
    return this.#round
  }

  async #tick(): Promise<void> {
    try {
      await this.catchUp()
      await this.#options.triggers.expireWaiting()
      await this.matchMarket()
    } catch (error) {
      this.#options.log.error(
        { err: error, account: this.#options.engine.state.account },
        "the paper exchange's round failed; the next one tries again",
      )
    }
  }

  /** True when something fell due and isn't done: nothing else may happen before `catchUp`. */
  isDue(now: number): boolean {
    const { engine, rules } = this.#options
    if (this.#calendarVersion !== rules.calendar.version) {
      this.#calendarVersion = rules.calendar.version
      this.#nextDueAt = Math.min(this.#nextDueAt, engine.state.lastAt)
    }
    return now >= this.#nextDueAt
  }

  /** Does all that fell due up to now. Every order waits for it, so that none lands in a day that is over. */
  async catchUp(): Promise<void> {
    while (this.isDue(this.#options.clock.now())) {
      this.#running ??= this.#runDue(this.#options.clock.now()).finally(() => {
        this.#running = undefined
      })
      await this.#running
    }
  }

  async #runDue(now: number): Promise<void> {
    const { engine, rules } = this.#options
    const dues = dueBetween(rules, engine.state.lastAt, now)
    const firstChange = dues.find((due) => due.kind === 'open-session')
    for (const [index, due] of dues.entries()) {
      // The first day change settles what was bought. Of those that follow in a row only the last one matters, unless
      // business of a day in between falls due.
      const later = dues.slice(index + 1)
      if (
        due.kind === 'open-session' &&
        due !== firstChange &&
        later.some((other) => other.kind === 'open-session') &&
        !later.some((other) => this.#hasBusiness(other))
      )
        continue
      await this.#run(due)
    }
    this.#nextDueAt = nextDueAt(rules, now)
  }

  #hasBusiness(due: Due): boolean {
    if (due.kind === 'open-session') return false
    if (due.kind === 'square-off')
      return this.#intraday(due.exchanges).length > 0 || this.#crossed(due.exchanges).length > 0
    return this.#expiring(due.exchange, due.date).size > 0
  }

  async #run(due: Due): Promise<void> {
    const { engine } = this.#options
    switch (due.kind) {
      case 'square-off':
        return this.#squareOff(due)
      case 'expire':
        return this.#expire(due)
      case 'open-session':
        if (due.date > engine.state.sessionDate)
          await engine.submit({ kind: 'open-session', at: due.effectiveAt, date: due.date })
    }
  }

  #intraday(exchanges: readonly string[]): Position[] {
    return [...this.#options.engine.state.positions.values()].filter(
      (position) =>
        position.product === 'MIS' && position.quantity !== 0 && exchanges.includes(position.instrument.exchange),
    )
  }

  async #squareOff(due: Extract<Due, { kind: 'square-off' }>): Promise<void> {
    const { engine, marketData, orderIds, charges, log } = this.#options
    const books = new Map<string, Book>()
    const held = this.#intraday(due.exchanges).map((position) => position.instrument)
    for (const instrument of [...held, ...this.#crossed(due.exchanges)]) {
      const book = await pastBook(marketData, instrumentOf(instrument), due.effectiveAt)
      if (book !== undefined) books.set(instrumentKey(instrument), book)
    }
    await orderIds.prepare(books.size)
    // From here on without waiting: what is squared off is what is held now.
    const closes = this.#intraday(due.exchanges).flatMap((position) => {
      const book = books.get(instrumentKey(position.instrument))
      if (book !== undefined) {
        const { instrument, product } = position
        const { symbol, exchange } = instrument
        const orderId = orderIds.take(due.effectiveAt)
        const terms = charges?.ofOrder(instrument, closingAction(position), product, due.effectiveAt)
        return [{ symbol, exchange, orderId, book, charges: terms }]
      }
      log.error(
        { symbol: position.instrument.symbol },
        'no price to square off an intraday position; it is carried over',
      )
      return []
    })
    const crossings = this.#crossed(due.exchanges).flatMap((instrument) => {
      const book = books.get(instrumentKey(instrument))
      return book === undefined ? [] : [{ symbol: instrument.symbol, exchange: instrument.exchange, price: book.ltp }]
    })
    const cancels = [...engine.state.working.values()].some((orders) =>
      orders.some((order) => order.product === 'MIS' && due.exchanges.includes(order.instrument.exchange)),
    )
    if (closes.length === 0 && crossings.length === 0 && !cancels) return
    await engine.submit({
      kind: 'square-off',
      at: due.effectiveAt,
      exchanges: due.exchanges,
      closes,
      crossings: crossings.length === 0 ? undefined : crossings,
    })
  }

  /** What the account holds nothing of intraday, and its strategies hold against each other. */
  #crossed(exchanges: readonly string[]): InstrumentFacts[] {
    const { positions, attribution } = this.#options.engine.state
    const crossed: InstrumentFacts[] = []
    for (const [key, lines] of attribution.lines) {
      const [line] = lines.values()
      if (line === undefined || line.product !== 'MIS' || !exchanges.includes(line.instrument.exchange)) continue
      if ((positions.get(key)?.quantity ?? 0) === 0 && hasOpenLine(lines)) crossed.push(line.instrument)
    }
    return crossed
  }

  /** Contracts of that exchange whose last day is over, with positions, working orders or triggers. */
  #expiring(exchange: string, date: string): Map<string, InstrumentFacts> {
    const { positions, working, watched, attribution } = this.#options.engine.state
    const expired = new Map<string, InstrumentFacts>()
    const consider = (instrument: InstrumentFacts): void => {
      if (instrument.exchange === exchange && instrument.expiry !== undefined && instrument.expiry <= date)
        expired.set(instrumentKey(instrument), instrument)
    }
    for (const position of positions.values()) if (position.quantity !== 0) consider(position.instrument)
    for (const orders of working.values()) for (const order of orders) consider(order.instrument)
    for (const [gtt] of watched.values()) if (gtt !== undefined) consider(gtt.instrument)
    for (const lines of attribution.lines.values())
      for (const line of lines.values()) if (line.quantity !== 0) consider(line.instrument)
    return expired
  }

  async #expire(due: Extract<Due, { kind: 'expire' }>): Promise<void> {
    const { engine, orderIds, charges, triggers, settlementPrice, log } = this.#options
    for (const instrument of this.#expiring(due.exchange, due.date).values())
      await triggers.expireContract(instrument, due.effectiveAt)
    for (const instrument of this.#expiring(due.exchange, due.date).values()) {
      const price = await settlementPrice(instrumentOf(instrument), due.effectiveAt)
      if (price === undefined) {
        log.error(
          { symbol: instrument.symbol },
          'no settlement price for an expired contract; its positions stay until there is one',
        )
        continue
      }
      await orderIds.prepare(2)
      const held = [...engine.state.positions.values()].filter(
        (position) => position.quantity !== 0 && instrumentKey(position.instrument) === instrumentKey(instrument),
      )
      const closes = held.map((position) => ({
        product: position.product,
        orderId: orderIds.take(due.effectiveAt),
        charges: charges?.ofSettlement(instrument, closingAction(position), position.product, due.effectiveAt),
      }))
      const { symbol, exchange } = instrument
      await engine.submit({ kind: 'expire', at: due.effectiveAt, symbol, exchange, settlementPrice: price, closes })
    }
  }

  /** Lets working orders and triggers meet the current books. Only a quote that changes something becomes a command. */
  async matchMarket(): Promise<void> {
    const { engine, triggers, marketData, clock, rules } = this.#options
    const { working, watched } = engine.state
    for (const key of new Set([...working.keys(), ...watched.keys()])) {
      const instrument = (working.get(key)?.[0] ?? watched.get(key)?.[0])?.instrument
      const now = clock.now()
      if (instrument === undefined || rules.calendar.sessionAt(instrument.exchange, now) === undefined) continue
      const book = await freshBook(marketData, instrumentOf(instrument), now)
      if (book === undefined || this.isDue(clock.now())) continue
      const orders = working.get(key) ?? []
      const taken = engine.state.taken.get(key)
      if (orders.some((order) => wouldAct(order, book, taken))) {
        await engine.submit({ kind: 'quote', at: now, symbol: instrument.symbol, exchange: instrument.exchange, book })
      }
      await triggers.fire(key, book, (at) => this.isDue(at))
    }
  }
}

const closingAction = ({ quantity }: Position): Action => (quantity > 0 ? 'SELL' : 'BUY')
