import type { Logger } from 'pino'
import type { Clock } from '../kernel/clock.ts'
import type { Money, Price } from '../kernel/fixed.ts'
import type { Instrument } from '../market/instrument.ts'
import type { MarketData } from '../market/market-data.ts'
import type { Databases } from '../storage/open.ts'
import { type SessionRules, sessionDateAt } from './due.ts'
import { AccountEngine, type Committed } from './engine.ts'
import { Journal } from './journal.ts'
import { OrderIds } from './order-ids.ts'
import { type MarginSettings, PaperVenue } from './paper-venue.ts'
import { Scheduler } from './scheduler.ts'
import { encodeState } from './snapshot.ts'
import { openAccount } from './state.ts'

export interface PaperExchangeOptions {
  readonly databases: Databases
  readonly accounts: readonly string[]
  /** Capital of an account that is opened now; an existing one keeps its own. */
  readonly capital: Money
  readonly marketData: MarketData
  readonly underlyingPrice: (instrument: Instrument) => Promise<Price | undefined>
  readonly settlementPrice: (instrument: Instrument, at: number) => Promise<Price | undefined>
  readonly rules: SessionRules
  readonly margin: MarginSettings
  readonly clock: Clock
  readonly log: Logger
  /** Called with every committed command, in order for each account. */
  readonly publish: (committed: Committed) => void
}

/** The built-in paper exchange: one engine, one scheduler and one venue for each account. */
export class PaperExchange {
  readonly #accounts: ReadonlyMap<string, { engine: AccountEngine; scheduler: Scheduler; venue: PaperVenue }>

  private constructor(
    accounts: ReadonlyMap<string, { engine: AccountEngine; scheduler: Scheduler; venue: PaperVenue }>,
  ) {
    this.#accounts = accounts
  }

  /** Recovers every account from its journal. */
  static async open(options: PaperExchangeOptions): Promise<PaperExchange> {
    const { databases, clock, log, marketData, rules, margin, publish } = options
    const orderIds = await OrderIds.open(databases)
    const journal = new Journal(databases)
    const accounts = new Map<string, { engine: AccountEngine; scheduler: Scheduler; venue: PaperVenue }>()
    for (const account of options.accounts) {
      const startedAt = clock.now()
      const recovered = await journal.recover(account)
      const state =
        recovered?.state ?? openAccount(account, options.capital, startedAt, sessionDateAt(rules, startedAt))
      // The opening itself is the first snapshot: a replay must not depend on settings or the clock of a later start.
      if (recovered === undefined)
        await journal.saveSnapshot(account, { seq: 0, at: startedAt, body: encodeState(state) })
      else if (recovered.replayed > 0)
        log.info({ account, replayed: recovered.replayed, ms: clock.now() - startedAt }, 'recovered from the journal')
      const engine = new AccountEngine(state, journal, log, publish)
      const scheduler = new Scheduler({
        engine,
        orderIds,
        marketData,
        settlementPrice: options.settlementPrice,
        rules,
        clock,
        log,
      })
      const venue = new PaperVenue({
        engine,
        scheduler,
        orderIds,
        marketData,
        underlyingPrice: options.underlyingPrice,
        rules,
        margin,
        clock,
      })
      accounts.set(account, { engine, scheduler, venue })
    }
    return new PaperExchange(accounts)
  }

  start(): void {
    for (const { scheduler } of this.#accounts.values()) scheduler.start()
  }

  venue(account: string): PaperVenue | undefined {
    return this.#accounts.get(account)?.venue
  }

  /** Stops the schedulers and leaves every account on disk with a snapshot. */
  async close(): Promise<void> {
    for (const { scheduler, engine } of this.#accounts.values()) {
      await scheduler.stop()
      await engine.close()
    }
  }
}
