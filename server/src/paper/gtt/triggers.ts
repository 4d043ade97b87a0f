import { legReached } from '../../brokers/gtt.ts'
import type { Action } from '../../brokers/venue.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Quantity } from '../../kernel/fixed.ts'
import type { Exchange } from '../../market/instrument.ts'
import { opposingSide, QUOTE_AGE_MAX_MS } from '../books.ts'
import type { ChargeTable } from '../charge-table.ts'
import type { Book } from '../command.ts'
import type { AccountEngine } from '../engine.ts'
import type { TermsOf } from '../margin-terms.ts'
import { type InstrumentFacts, instrumentKey, instrumentOf, type Product } from '../order.ts'
import type { OrderIds } from '../order-ids.ts'
import { SESSION_ORDERS_MAX } from '../place.ts'
import type { SessionOf } from '../session-facts.ts'
import type { Gtt } from './gtt.ts'

/** What a trigger is about to place. */
export interface Firing {
  readonly symbol: string
  readonly exchange: Exchange
  readonly action: Action
  readonly product: Product
  readonly quantity: Quantity
  readonly strategy: string
}

/** Whether an account's triggers may place orders now; those that mayn't keep waiting. */
export type MayFire = (account: string, firing: Firing) => boolean

export interface TriggersOptions {
  readonly engine: AccountEngine
  readonly orderIds: OrderIds
  readonly termsOf: TermsOf
  /** Without one orders cost nothing. */
  readonly charges: ChargeTable | undefined
  readonly sessionOf: SessionOf
  readonly mayFire: MayFire
  readonly clock: Clock
}

/** What happens to an account's triggers without its owner. */
export class Triggers {
  readonly #options: TriggersOptions

  constructor(options: TriggersOptions) {
    this.#options = options
  }

  /** Fires what this book reaches in one instrument, oldest first. `isDue`: something must happen before anything else. */
  async fire(key: string, book: Book, isDue: (now: number) => boolean): Promise<void> {
    const { engine, orderIds, termsOf, sessionOf, clock } = this.#options
    const reached = (engine.state.watched.get(key) ?? []).filter((gtt) => this.#fires(gtt, book))
    if (reached.length === 0) return
    const terms = await Promise.all(
      reached.map((gtt) => termsOf(instrumentOf(gtt.instrument), gtt.action, gtt.product)),
    )
    await orderIds.prepare(reached.length)
    // From here on without waiting. Until here each may have been changed or ended, and the quote grown old.
    const at = clock.now()
    const commits: Promise<unknown>[] = []
    for (const [index, gtt] of reached.entries()) {
      const known = terms[index]
      const leg = legReached(gtt.legs, book.ltp)
      const session = sessionOf(gtt.instrument, at)
      if (isDue(at) || at - book.at > QUOTE_AGE_MAX_MS || !session.open || !orderIds.has(1)) break
      if (known === undefined || leg === undefined || !this.#fires(gtt, book)) continue
      const side = opposingSide(book, gtt.action)
      const charges = this.#options.charges?.ofOrder(gtt.instrument, gtt.action, gtt.product, at)
      const command = { kind: 'fire-gtt' as const, at, gttId: gtt.id, leg, terms: known, charges, session, book: side }
      commits.push(engine.submit({ ...command, orderId: orderIds.take(at) }))
    }
    await Promise.all(commits)
  }

  #fires(gtt: Gtt, book: Book): boolean {
    const { engine, mayFire, clock } = this.#options
    const { symbol, exchange } = gtt.instrument
    const { action, product, quantity, strategy } = gtt
    return (
      gtt.status === 'active' &&
      gtt.expiresAt > clock.now() &&
      legReached(gtt.legs, book.ltp) !== undefined &&
      engine.state.orders.size < SESSION_ORDERS_MAX &&
      mayFire(engine.state.account, { symbol, exchange, action, product, quantity, strategy })
    )
  }

  /** Ends those that have waited until their expiry. */
  async expireWaiting(): Promise<void> {
    const now = this.#options.clock.now()
    const over = [...this.#options.engine.state.watched.values()].flat().filter((gtt) => gtt.expiresAt <= now)
    await this.#expire(over, now, 'Not triggered until its expiry')
  }

  /** Ends those on a contract that has expired. */
  async expireContract(instrument: InstrumentFacts, at: number): Promise<void> {
    const waiting = this.#options.engine.state.watched.get(instrumentKey(instrument)) ?? []
    await this.#expire(waiting, at, 'The contract expired')
  }

  async #expire(gtts: readonly Gtt[], at: number, reason: string): Promise<void> {
    if (gtts.length === 0) return
    await this.#options.engine.submit({ kind: 'expire-gtt', at, gttIds: gtts.map(({ id }) => id), reason })
  }
}
