import type { Venue } from '../../brokers/venue.ts'
import type { Clock } from '../../kernel/clock.ts'
import { Refusal } from '../../kernel/errors.ts'
import { TurnsByName } from '../../kernel/turns.ts'
import type { CloseOutcome, Closings } from '../closings.ts'
import type { LimitStore, RiskActor, StoredRule } from './limit-store.ts'
import type { LimitsGate } from './risk-gate.ts'
import type { RiskScope } from './scope.ts'

export interface KillSwitchOptions {
  readonly store: LimitStore
  readonly gate: LimitsGate
  readonly clock: Clock
  /** Ids of every account of the instance. */
  readonly accounts: () => readonly string[]
  readonly venueOf: (account: string) => Venue | undefined
  readonly closings: Closings
  readonly onError: (error: unknown) => void
}

/** Orders that were allowed before get so long to reach their venue and be cancelled there. */
export const ON_THEIR_WAY_MS_MAX = 2_000
const LOOK_MS = 10
/** Looks for what still works: after the first, only what was on its way can have come. */
const ROUNDS_MAX = 5

export interface SweptAccount {
  readonly account: string
  readonly cancelledOrders: readonly string[]
  readonly cancelledGtts: readonly string[]
  /** What couldn't be cancelled, and why. */
  readonly failed: readonly { readonly id: string; readonly message: string }[]
  readonly closed: readonly CloseOutcome[]
  /** Orders that no venue had answered in time. */
  readonly onTheirWay: number
}

type SweepScope = Exclude<RiskScope, { kind: 'key' }>

/** Stops all that trades in a scope, at once and until somebody ends it. */
export class KillSwitch {
  readonly #options: KillSwitchOptions
  /** Two that close the same position at once would open it the other way. */
  readonly #turns = new TurnsByName()

  constructor(options: KillSwitchOptions) {
    this.#options = options
  }

  /**
   * Halts a scope: before anything else of it runs, nothing more is let through. Then cancels what works and waits there
   * and, if asked, closes what is held at market. The halt is on disk when this resolves; what a crash leaves undone, the
   * next start does.
   */
  async engage(
    scope: SweepScope,
    squareOff: boolean,
    actor: RiskActor,
  ): Promise<{ readonly rule: StoredRule; readonly accounts: readonly SweptAccount[] }> {
    const { store } = this.#options
    const halting = store.halt(scope, { squareOff }, actor)
    const [halted, swept] = await Promise.allSettled([halting, this.#sweep(scope, squareOff)])
    if (halted.status === 'rejected') throw halted.reason
    if (swept.status === 'rejected') throw swept.reason
    await store.swept(scope)
    return { rule: store.rule(scope) ?? halted.value, accounts: swept.value }
  }

  release(scope: SweepScope, actor: RiskActor): Promise<StoredRule> {
    return this.#options.store.release(scope, actor)
  }

  /** Goes on with what a crash left undone, or a command without a server asked for. */
  async resume(): Promise<void> {
    const { store, onError } = this.#options
    for (const { scope, sweep } of store.rules()) {
      if (sweep === undefined || scope.kind === 'key') continue
      try {
        await this.#sweep(scope, sweep.squareOff)
        await store.swept(scope)
      } catch (error) {
        onError(error)
      }
    }
  }

  async #sweep(scope: SweepScope, squareOff: boolean): Promise<SweptAccount[]> {
    const accounts = scope.kind === 'instance' ? this.#options.accounts() : [scope.account]
    const strategy = scope.kind === 'strategy' ? scope.strategy : undefined
    return Promise.all(
      accounts.map((account) => this.#turns.run(account, () => this.#sweepAccount(account, strategy, squareOff))),
    )
  }

  async #sweepAccount(account: string, strategy: string | undefined, squareOff: boolean): Promise<SweptAccount> {
    const { venueOf, gate } = this.#options
    const venue = venueOf(account)
    if (venue === undefined) throw new Refusal('venue_unavailable', `Account ${account} has no venue to trade at`)
    const cancelled = new Cancelled()
    await cancelRound(venue, strategy, cancelled)
    // What was let through just before has to arrive before it can be cancelled
    for (let round = 1; round < ROUNDS_MAX && gate.onTheirWay(account) > 0; round += 1) {
      await this.#untilIdle(account)
      await cancelRound(venue, strategy, cancelled)
    }
    if (cancelled.missed) await cancelRound(venue, strategy, cancelled)
    const closed = squareOff ? await this.#close(account, strategy) : []
    return {
      account,
      cancelledOrders: [...cancelled.orders],
      cancelledGtts: [...cancelled.gtts],
      failed: [...cancelled.failed].map(([id, message]) => ({ id, message })),
      closed,
      onTheirWay: gate.onTheirWay(account),
    }
  }

  async #untilIdle(account: string): Promise<void> {
    const { gate, clock } = this.#options
    const until = clock.elapsedMs() + ON_THEIR_WAY_MS_MAX
    let stop = (): void => undefined
    const overdue = new Promise<void>((resolve) => {
      stop = clock.every(LOOK_MS, () => {
        if (clock.elapsedMs() >= until) resolve()
      })
    })
    try {
      await Promise.race([gate.idle(account), overdue])
    } finally {
      stop()
    }
  }

  async #close(account: string, strategy: string | undefined): Promise<readonly CloseOutcome[]> {
    const { closings } = this.#options
    if (strategy !== undefined) return closings.closeStrategy(account, strategy)
    return (await closings.closeAll({ account, caller: {} }, 'despite-halts')).outcomes
  }
}

class Cancelled {
  readonly orders = new Set<string>()
  readonly gtts = new Set<string>()
  readonly failed = new Map<string, string>()
  /** A trigger ended otherwise: its order may have come. */
  missed = false
}

/** Triggers first: one that fires meanwhile leaves an order, which is seen then. */
async function cancelRound(venue: Venue, strategy: string | undefined, found: Cancelled): Promise<void> {
  const isMeant = (row: { readonly strategy: string }): boolean => strategy === undefined || row.strategy === strategy
  const { gtt } = venue
  found.missed = false
  if (gtt !== undefined) {
    const active = (await gtt.all()).filter((row) => row.status === 'active' && isMeant(row))
    await cancelEach(active, (id) => gtt.cancel(id), found, found.gtts)
  }
  const orders = await venue.orders()
  const working = orders.filter(({ status }) => status === 'open' || status === 'trigger pending').filter(isMeant)
  await cancelEach(working, (id) => venue.cancel(id), found, found.orders)
}

async function cancelEach(
  rows: readonly { readonly id: string }[],
  cancel: (id: string) => Promise<unknown>,
  found: Cancelled,
  done: Set<string>,
): Promise<void> {
  const outcomes = await Promise.allSettled(rows.map(({ id }) => cancel(id)))
  for (const [index, outcome] of outcomes.entries()) {
    const id = rows[index]?.id ?? ''
    if (outcome.status === 'fulfilled') {
      done.add(id)
      found.failed.delete(id)
    } else if (outcome.reason instanceof Refusal) {
      found.failed.set(id, outcome.reason.message)
      found.missed ||= outcome.reason.code === 'gtt_not_found'
    } else throw outcome.reason
  }
}
