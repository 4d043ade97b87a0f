import type { Logger } from 'pino'
import { Refusal } from '../kernel/errors.ts'
import type { Steps } from '../kernel/steps.ts'
import type { Statement } from '../storage/writer.ts'
import type { Command } from './command.ts'
import type { Event } from './event.ts'
import type { EventKeeper } from './event-keeper.ts'
import type { Gtt } from './gtt/gtt.ts'
import type { Journal } from './journal.ts'
import { apply, judge } from './machine.ts'
import type { Order, Trade } from './order.ts'
import { prepared } from './prepared.ts'
import { encodeState } from './snapshot.ts'
import { type AccountState, assertInvariants } from './state.ts'

/** What one committed command did. `seq` numbers the account's commands without gaps. */
export interface Committed {
  readonly account: string
  readonly seq: number
  readonly at: number
  readonly events: readonly Event[]
  /** Of the request that caused it; empty for what the exchange did by itself. */
  readonly requestId: string
}

/**
 * One account of the paper exchange: the only writer of its state. A command is applied at once, so that the next one
 * needn't wait; nothing about it leaves before its journal row is on disk. When applying or writing fails the account
 * stops, and a restart recovers it from the journal.
 */
export class AccountEngine {
  readonly state: AccountState
  readonly #journal: Journal
  readonly #log: Logger
  readonly #publish: (committed: Committed) => void
  readonly #keeper: EventKeeper | undefined
  #stopped: Refusal | undefined
  #lastCommit: Promise<unknown> = Promise.resolve()
  #archiving: Promise<void> = Promise.resolve()
  /** Orders that left the state and aren't in the archive yet. */
  readonly #leaving = new Map<string, Readonly<Order>>()
  /** Their books. */
  readonly #closing = new Set<Extract<Event, { kind: 'session-closed' }>>()
  readonly #leavingGtts = new Map<string, Readonly<Gtt>>()

  constructor(
    state: AccountState,
    journal: Journal,
    log: Logger,
    publish: (committed: Committed) => void,
    keeper?: EventKeeper,
  ) {
    this.state = state
    this.#journal = journal
    this.#log = log
    this.#keeper = keeper
    this.#publish = (committed) => {
      keeper?.keep(committed)
      publish(committed)
    }
  }

  /**
   * Applies and journals a command; resolves with its events once they are durable. What belongs `alongside` is in the
   * same commit.
   * Throws Refusal: order_not_found, order_not_open, order_unchangeable, overloaded (nothing was changed), account_stopped.
   */
  async submit(
    given: Command,
    steps?: Steps,
    alongside?: (events: readonly Event[]) => Statement,
  ): Promise<readonly Event[]> {
    if (this.#stopped !== undefined) throw this.#stopped
    this.#journal.requireRoom(alongside === undefined ? 1 : 2) // what was applied must get there
    const command = prepared(this.state, given)
    try {
      judge(this.state, command)
    } catch (refusal) {
      await this.durable() // the reason may rest on a command whose row isn't on disk yet
      throw refusal
    }
    steps?.lap('risk')
    const events = this.#apply(command)
    steps?.lap('venue')
    const { account, seq } = this.state
    const closed = events.find((event) => event.kind === 'session-closed')
    const snapshot = closed === undefined ? undefined : encodeState(this.state)
    for (const order of closed?.orders ?? []) this.#leaving.set(order.id, order)
    if (closed !== undefined) this.#closing.add(closed)
    for (const gtt of closed?.gtts ?? []) this.#leavingGtts.set(gtt.id, gtt)
    const commit = this.#journal.append(account, seq, command, alongside && this.#beside(alongside, events))
    this.#lastCommit = commit
    try {
      await commit
    } catch (error) {
      throw this.#stop(error, `journal row ${seq} of account ${account} couldn't be written`)
    }
    steps?.lap('journal')
    this.#publish({ account, seq, at: command.at, events, requestId: steps?.requestId ?? '' })
    if (closed !== undefined && snapshot !== undefined) this.#archive(closed, { seq, at: command.at, body: snapshot })
    return events
  }

  #apply(command: Command): Event[] {
    try {
      return apply(this.state, command)
    } catch (error) {
      throw this.#stop(
        error,
        `command ${this.state.seq + 1} (${command.kind}) of account ${this.state.account} broke an invariant`,
      )
    }
  }

  #beside(alongside: (events: readonly Event[]) => Statement, events: readonly Event[]): Statement {
    try {
      return alongside(events)
    } catch (error) {
      throw this.#stop(error, `command ${this.state.seq} of account ${this.state.account} couldn't be told of`)
    }
  }

  #stop(error: unknown, what: string): Refusal {
    this.#log.fatal(
      { err: error, account: this.state.account },
      `${what}; the account is stopped until a restart recovers it`,
    )
    this.#stopped ??= new Refusal(
      'account_stopped',
      `Account ${this.state.account} is stopped after an internal failure, to keep its books right. Nothing was lost; restart the server to recover it.`,
    )
    return this.#stopped
  }

  /** Written behind: the finished books first, then the snapshot that makes replaying their day unnecessary. */
  #archive(
    closed: Extract<Event, { kind: 'session-closed' }>,
    snapshot: { seq: number; at: number; body: string },
  ): void {
    const { account } = this.state
    this.#archiving = this.#archiving
      .then(() => this.#journal.archive(account, closed))
      .then(() => {
        for (const order of closed.orders) this.#leaving.delete(order.id)
        this.#closing.delete(closed)
        for (const gtt of closed.gtts) this.#leavingGtts.delete(gtt.id)
      })
      .then(() => this.#keeper?.settled(account, snapshot.seq))
      .then(() => this.#journal.saveSnapshot(account, snapshot))
      .catch((error: unknown) => {
        this.#log.error(
          { err: error, account, date: closed.date },
          "the session's books couldn't be archived; a restart tries again from the journal",
        )
      })
  }

  /** An order of this session or of an earlier one. */
  async order(orderId: string): Promise<Readonly<Order> | undefined> {
    return (
      this.state.orders.get(orderId) ??
      this.#leaving.get(orderId) ??
      (await this.#journal.archivedOrder(this.state.account, orderId))
    )
  }

  /** Orders of this session and of earlier ones that share a root, oldest first, and their trades. */
  async story(root: string): Promise<{ orders: readonly Readonly<Order>[]; trades: readonly Trade[] }> {
    const orders = new Map<string, Readonly<Order>>()
    const trades = new Map<string, Trade>()
    for (const book of [...this.#closing, { orders: this.state.orders.values(), trades: this.state.trades }]) {
      const own = new Set<string>()
      for (const order of book.orders) {
        if ((order.root ?? order.id) !== root) continue
        own.add(order.id)
        orders.set(order.id, { ...order })
      }
      if (own.size === 0) continue
      for (const trade of book.trades) if (own.has(trade.orderId)) trades.set(trade.id, trade)
    }
    const archived = await this.#journal.archivedStory(this.state.account, root)
    for (const order of archived.orders) if (!orders.has(order.id)) orders.set(order.id, order)
    for (const trade of archived.trades) trades.set(trade.id, trade)
    return {
      orders: [...orders.values()].sort((one, other) => (one.id < other.id ? -1 : 1)),
      trades: [...trades.values()].sort((one, other) => one.at - other.at),
    }
  }

  /** Orders of this session and of earlier ones that carry a tag. */
  async ordersByTag(tag: string): Promise<readonly Readonly<Order>[]> {
    const live = [...this.state.orders.values(), ...this.#leaving.values()].filter((order) => order.tag === tag)
    const archived = await this.#journal.archivedOrdersByTag(this.state.account, tag)
    const byId = new Map([...archived, ...live].map((order) => [order.id, order]))
    return [...byId.values()]
  }

  /** A trigger of this session or of an earlier one. */
  async gtt(gttId: string): Promise<Readonly<Gtt> | undefined> {
    return (
      this.state.gtts.get(gttId) ??
      this.#leavingGtts.get(gttId) ??
      (await this.#journal.archivedGtt(this.state.account, gttId))
    )
  }

  /** Triggers of this session and of earlier ones that carry a tag. */
  async gttsByTag(tag: string): Promise<readonly Readonly<Gtt>[]> {
    const live = [...this.state.gtts.values(), ...this.#leavingGtts.values()].filter((gtt) => gtt.tag === tag)
    const archived = await this.#journal.archivedGttsByTag(this.state.account, tag)
    return [...new Map([...archived, ...live].map((gtt) => [gtt.id, gtt])).values()]
  }

  /** Why the account takes no commands; undefined while it does. */
  get stopped(): Refusal | undefined {
    return this.#stopped
  }

  /** Resolves when all that the state shows is on disk. Reads wait for it. */
  async durable(): Promise<void> {
    if (this.#stopped !== undefined) throw this.#stopped
    try {
      await this.#lastCommit
    } catch {
      throw this.#stopped ?? new Refusal('account_stopped', `Account ${this.state.account} is stopped`)
    }
  }

  /** Waits for all writes and leaves a snapshot, so that the next start has nothing to replay. */
  async close(): Promise<void> {
    if (this.#stopped !== undefined) return
    await this.durable()
    await this.#archiving
    assertInvariants(this.state)
    try {
      await this.#keeper?.settled(this.state.account, this.state.seq)
    } catch (error) {
      this.#log.error({ err: error }, 'no snapshot is left, so that the next start finds the events again')
      return
    }
    await this.#journal.saveSnapshot(this.state.account, {
      seq: this.state.seq,
      at: this.state.lastAt,
      body: encodeState(this.state),
    })
  }
}
