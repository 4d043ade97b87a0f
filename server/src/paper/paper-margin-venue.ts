import type { MarginReport, MarginVenue } from '../brokers/margin.ts'
import type { NewOrder } from '../brokers/venue.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { add, greatest, least, type Money, subtract, ZERO_MONEY } from '../kernel/fixed.ts'
import type { MarketData } from '../market/market-data.ts'
import { freshBook, opposingSide, pastBook } from './books.ts'
import type { Book, PlaceCommand, SessionFacts } from './command.ts'
import type { AccountEngine } from './engine.ts'
import { applyPlace } from './machine.ts'
import type { TermsOf } from './margin-terms.ts'
import { factsOf } from './order.ts'
import type { Scheduler } from './scheduler.ts'
import { type Trial, tryOrders } from './scratch.ts'
import type { SessionOf } from './session-facts.ts'
import { type AccountState, availableOf } from './state.ts'

export interface PaperMarginOptions {
  readonly engine: AccountEngine
  readonly scheduler: Scheduler
  readonly marketData: MarketData
  readonly termsOf: TermsOf
  readonly sessionOf: SessionOf
  readonly clock: Clock
}

/** The margin of an order that can't be placed now is told as if it could. */
const ALWAYS_OPEN: SessionFacts = { open: true, closedReason: '', squareOffAt: Number.MAX_SAFE_INTEGER }

/**
 * What the paper exchange would block for orders: they are placed, by the same function, on a copy of the account. So
 * what is told is exactly what is blocked when they are placed as a basket on the same market.
 */
export class PaperMarginVenue implements MarginVenue {
  readonly #options: PaperMarginOptions

  constructor(options: PaperMarginOptions) {
    this.#options = options
  }

  async preview(orders: readonly NewOrder[]): Promise<MarginReport> {
    const { engine, scheduler, clock } = this.#options
    await scheduler.catchUp()
    const at = clock.now()
    const commands = await Promise.all(orders.map((order, index) => this.#commandOf(order, index, at)))
    const { state } = engine
    // Purchases first, as a basket is placed
    const bought = commands.filter(({ action }) => action === 'BUY')
    const sold = commands.filter(({ action }) => action === 'SELL')
    const together = tryOrders(state, [...bought, ...sold], applyPlace)
    refuseRejected(together)
    return {
      blocked: together.blocked,
      exposure: exposureOf(together),
      alone: commands.map((command) => tryOrders(state, [command], applyPlace).blocked),
      reserved: state.reserved,
      available: availableOf(state),
    }
  }

  async #commandOf(order: NewOrder, index: number, at: number): Promise<PlaceCommand> {
    const { instrument, denied: _judgedElsewhere, ...wanted } = order
    const book = await this.#bookFor(order, at)
    return {
      ...wanted,
      kind: 'place',
      at,
      orderId: String(index + 1),
      instrument: factsOf(instrument),
      terms: await this.#options.termsOf(instrument, order.action, order.product),
      session: ALWAYS_OPEN,
      book: book === undefined ? undefined : opposingSide(book, order.action),
    }
  }

  /** The book that the order would see; without one, an order at market is margined on the last that was known. */
  async #bookFor(order: NewOrder, at: number): Promise<Book | undefined> {
    const { marketData, sessionOf } = this.#options
    const { open } = sessionOf(order.instrument, at)
    const fresh = open ? await freshBook(marketData, order.instrument, at) : undefined
    if (fresh !== undefined || order.priceType !== 'MARKET') return fresh
    const past = await pastBook(marketData, order.instrument, at)
    if (past !== undefined) return past
    const { symbol, exchange } = order.instrument
    throw new Refusal(
      'quote_unavailable',
      `No price of ${symbol} on ${exchange} is known. Send a LIMIT order with its price instead.`,
    )
  }
}

function refuseRejected(trial: Trial): void {
  const rejected = trial.orders.find(({ status }) => status === 'rejected')
  if (rejected !== undefined) throw new Refusal('order_rejected', `Position ${rejected.id}: ${rejected.reason}`)
}

/** All that doesn't come from scenarios: of margin by leverage everything. */
function exposureOf({ blocked, before, after }: Trial): Money {
  const fromScenarios = subtract(spanOf(after), spanOf(before))
  return greatest(ZERO_MONEY, least(blocked, subtract(blocked, fromScenarios)))
}

function spanOf({ portfolio }: AccountState): Money {
  let sum = ZERO_MONEY
  for (const { requirement } of portfolio.groups.values()) sum = add(sum, requirement.span)
  return sum
}
