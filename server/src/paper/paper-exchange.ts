import type { Logger } from 'pino'
import type { BrokerageTerms } from '../charges/index.ts'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Money, Price } from '../kernel/fixed.ts'
import type { Instrument } from '../market/instrument.ts'
import type { Databases } from '../storage/open.ts'
import type { PricesNow } from './books.ts'
import { ChargeTable } from './charge-table.ts'
import { type SessionRules, sessionDateAt } from './due.ts'
import { AccountEngine, type Committed } from './engine.ts'
import type { EventKeeper } from './event-keeper.ts'
import { PaperGttVenue } from './gtt/paper-gtt-venue.ts'
import { type MayFire, Triggers } from './gtt/triggers.ts'
import { Journal } from './journal.ts'
import { type MarginSettings, marginTerms, type TermsOf } from './margin-terms.ts'
import { OrderIds } from './order-ids.ts'
import { PaperMarginVenue } from './paper-margin-venue.ts'
import { PaperVenue } from './paper-venue.ts'
import type { RiskReference } from './portfolio.ts'
import { Scheduler } from './scheduler.ts'
import { type SessionOf, sessionFacts } from './session-facts.ts'
import { encodeState } from './snapshot.ts'
import { openAccount } from './state.ts'

export interface PaperExchangeOptions {
  readonly databases: Databases
  readonly accounts: readonly string[]
  /** Capital of an account that is opened now; an existing one keeps its own. */
  readonly capital: Money
  readonly marketData: PricesNow
  readonly underlyingPrice: (instrument: Instrument) => Promise<Price | undefined>
  /** Needed for portfolio margin; without it every order is margined by leverage. */
  readonly riskReference?: ((instrument: Instrument) => Promise<RiskReference | undefined>) | undefined
  readonly settlementPrice: (instrument: Instrument, at: number) => Promise<Price | undefined>
  readonly rules: SessionRules
  readonly margin: MarginSettings
  /** Of a broker that orders placed from now on are charged for, with taxes and fees; without it they cost nothing. */
  readonly brokerage?: BrokerageTerms | undefined
  /** Whether triggers may place orders now; without it they always may. */
  readonly mayFire?: MayFire | undefined
  readonly clock: Clock
  readonly log: Logger
  /** Keeps the events of every account; without one nobody can read them later. */
  readonly keeper?: EventKeeper | undefined
  /** Called with every committed command, in order for each account. */
  readonly publish: (committed: Committed) => void
}

interface Desk {
  readonly engine: AccountEngine
  readonly scheduler: Scheduler
  readonly venue: PaperVenue
}

/** The built-in paper exchange: one engine, one scheduler and one venue for each account. */
export class PaperExchange {
  readonly #options: Omit<PaperExchangeOptions, 'accounts'>
  readonly #orderIds: OrderIds
  readonly #gttIds: OrderIds
  readonly #journal: Journal
  readonly #termsOf: TermsOf
  readonly #charges: ChargeTable | undefined
  readonly #sessionOf: SessionOf
  readonly #desks = new Map<string, Desk>()
  readonly #opening = new Map<string, Promise<void>>()
  #isRunning = false
  #isClosed = false

  private constructor(options: PaperExchangeOptions, orderIds: OrderIds, gttIds: OrderIds) {
    this.#options = options
    this.#orderIds = orderIds
    this.#gttIds = gttIds
    this.#journal = new Journal(options.databases)
    this.#termsOf = marginTerms(options.margin, options.underlyingPrice, options.riskReference)
    this.#charges = options.brokerage && new ChargeTable(options.brokerage)
    this.#sessionOf = sessionFacts(options.rules)
  }

  /** Recovers every account from its journal. */
  static async open(options: PaperExchangeOptions): Promise<PaperExchange> {
    const { databases } = options
    const gttIds = await OrderIds.openSeries(databases, 'gtt')
    const exchange = new PaperExchange(options, await OrderIds.open(databases), gttIds)
    for (const account of options.accounts) await exchange.openAccount(account)
    return exchange
  }

  /**
   * Opens an account, also while others trade: with the capital of the settings when it is new, else as its journal left
   * it. One that is open stays as it is. Throws shutting_down after `close()`.
   */
  async openAccount(account: string): Promise<void> {
    if (this.#desks.has(account)) return
    if (this.#isClosed) throw new Refusal('shutting_down', 'The server is stopping: it opens no account any more.')
    // Asked for twice, it is opened once: two engines would write one journal
    let opening = this.#opening.get(account)
    if (opening === undefined) {
      opening = this.#open(account).finally(() => this.#opening.delete(account))
      this.#opening.set(account, opening)
    }
    await opening
  }

  async #open(account: string): Promise<void> {
    const { clock, log, marketData, rules, publish, capital, keeper } = this.#options
    const journal = this.#journal
    const orderIds = this.#orderIds
    const startedAt = clock.now()
    const recovered = await journal.recover(account, keeper)
    const state = recovered?.state ?? openAccount(account, capital, startedAt, sessionDateAt(rules, startedAt))
    // The opening itself is the first snapshot: a replay must not depend on settings or the clock of a later start.
    if (recovered === undefined) {
      await keeper?.begin(account, 0)
      await journal.saveSnapshot(account, { seq: 0, at: startedAt, body: encodeState(state) })
    } else if (recovered.replayed > 0)
      log.info({ account, replayed: recovered.replayed, ms: clock.now() - startedAt }, 'recovered from the journal')
    const engine = new AccountEngine(state, journal, log, publish, keeper)
    const triggers = new Triggers({
      engine,
      orderIds,
      termsOf: this.#termsOf,
      charges: this.#charges,
      sessionOf: this.#sessionOf,
      mayFire: this.#options.mayFire ?? (() => true),
      clock,
    })
    const scheduler = new Scheduler({
      engine,
      triggers,
      orderIds,
      charges: this.#charges,
      marketData,
      settlementPrice: this.#options.settlementPrice,
      rules,
      clock,
      log,
    })
    const gtt = new PaperGttVenue({
      engine,
      scheduler,
      triggers,
      ids: this.#gttIds,
      marketData,
      termsOf: this.#termsOf,
      clock,
    })
    const margin = new PaperMarginVenue({
      engine,
      scheduler,
      marketData,
      termsOf: this.#termsOf,
      sessionOf: this.#sessionOf,
      clock,
    })
    const venue = new PaperVenue({
      gtt,
      margin,
      engine,
      scheduler,
      orderIds,
      marketData,
      termsOf: this.#termsOf,
      charges: this.#charges,
      sessionOf: this.#sessionOf,
      clock,
    })
    this.#desks.set(account, { engine, scheduler, venue })
    if (this.#isRunning) scheduler.start()
  }

  start(): void {
    this.#isRunning = true
    for (const { scheduler } of this.#desks.values()) scheduler.start()
  }

  /** One round of all that happens to accounts without their owners; the clock begins one each second. */
  async tick(): Promise<void> {
    await Promise.all([...this.#desks.values()].map(({ scheduler }) => scheduler.tick()))
  }

  venue(account: string): PaperVenue | undefined {
    return this.#desks.get(account)?.venue
  }

  /** Ids of all that are open. */
  get accounts(): readonly string[] {
    return [...this.#desks.keys()]
  }

  /** Accounts that stopped after a failure; a restart recovers them. */
  get stoppedAccounts(): readonly string[] {
    return [...this.#desks].filter(([, { engine }]) => engine.stopped !== undefined).map(([account]) => account)
  }

  /** Stops the schedulers and leaves every account on disk with a snapshot. */
  async close(): Promise<void> {
    this.#isRunning = false
    this.#isClosed = true
    await Promise.allSettled(this.#opening.values()) // who asked for it is told when it failed
    for (const { scheduler, engine } of this.#desks.values()) {
      await scheduler.stop()
      await engine.close()
    }
  }
}
