import { assert } from '../kernel/assert.ts'
import type { Databases } from '../storage/open.ts'
import type { Statement } from '../storage/writer.ts'
import type { Command } from './command.ts'
import { commandText } from './command-text.ts'
import type { Event } from './event.ts'
import type { EventKeeper } from './event-keeper.ts'
import type { Gtt } from './gtt/gtt.ts'
import { apply } from './machine.ts'
import type { Order, Trade } from './order.ts'
import { decodeState } from './snapshot.ts'
import { type AccountState, assertInvariants } from './state.ts'

export interface Snapshot {
  readonly seq: number
  readonly at: number
  readonly body: string
}

/** Rows of finished books written in one statement group, so that the record file's writer is never held long. */
const ARCHIVE_CHUNK = 1_000
/** Commands read at once when an account is recovered. */
const REPLAY_PAGE = 2_000
/** Commands that an account may have, and where the ids of the next one's rows begin. */
const COMMANDS_MAX = 2 ** 36
/** Orders that one intent may have led to. */
const TAGGED_ORDERS_MAX = 1_000

/**
 * The paper accounts' commands and snapshots in the money file, and their finished sessions in the record file.
 * Recovery is the latest snapshot and the commands after it, applied again.
 */
export class Journal {
  readonly #databases: Databases
  readonly #insertSql: string
  /** The id of each account's row 0, of those that were recovered. */
  readonly #begins = new Map<string, number>()

  constructor(databases: Databases) {
    this.#databases = databases
    this.#insertSql = databases.money.compile(
      databases.money.kysely.insertInto('journal').values({ id: 0, account: '', seq: 0, at: 0, kind: '', body: '' }),
    ).sql
  }

  /** Throws Refusal overloaded when so many rows could not be taken now. */
  requireRoom(rows: number): void {
    this.#databases.money.writer.requireRoom(rows)
  }

  /** Resolves when the row is on disk, and with it what belongs to it. The account must have been recovered before. */
  append(account: string, seq: number, command: Command, alongside?: Statement): Promise<void> {
    const { kind, at } = command
    const id = this.#beginOf(account) + seq
    const row = { sql: this.#insertSql, parameters: [id, account, seq, at, kind, commandText(command)] }
    return this.#databases.money.writer.write(alongside === undefined ? [row] : [row, alongside])
  }

  async saveSnapshot(account: string, snapshot: Snapshot): Promise<void> {
    const { kysely, writer, compile } = this.#databases.money
    await writer.write([
      compile(
        kysely
          .insertInto('snapshot')
          .values({ account, ...snapshot })
          .onConflict((row) => row.doNothing()),
      ),
      compile(kysely.deleteFrom('snapshot').where('account', '=', account).where('seq', '<', snapshot.seq)),
    ])
  }

  /** Safe to repeat: a row that is there already stays. */
  async archive(account: string, closed: Extract<Event, { kind: 'session-closed' }>): Promise<void> {
    const { kysely, writer, compile } = this.#databases.record
    const statements: Statement[] = []
    for (const order of closed.orders) {
      statements.push(
        compile(
          kysely
            .insertInto('paper_order')
            .values({
              account,
              order_id: order.id,
              session_date: closed.date,
              placed_at: order.placedAt,
              body: JSON.stringify(order),
              tag: order.tag ?? null,
              root: order.root ?? null,
            })
            .onConflict((row) => row.doNothing()),
        ),
      )
    }
    for (const trade of closed.trades) {
      statements.push(
        compile(
          kysely
            .insertInto('paper_trade')
            .values({
              account,
              trade_id: trade.id,
              order_id: trade.orderId,
              session_date: closed.date,
              traded_at: trade.at,
              body: JSON.stringify(trade),
            })
            .onConflict((row) => row.doNothing()),
        ),
      )
    }
    for (const gtt of closed.gtts) {
      statements.push(
        compile(
          kysely
            .insertInto('paper_gtt')
            .values({
              account,
              gtt_id: gtt.id,
              session_date: closed.date,
              placed_at: gtt.placedAt,
              status: gtt.status,
              body: JSON.stringify(gtt),
              tag: gtt.tag ?? null,
            })
            .onConflict((row) => row.doNothing()),
        ),
      )
    }
    for (let from = 0; from < statements.length; from += ARCHIVE_CHUNK)
      await writer.write(statements.slice(from, from + ARCHIVE_CHUNK))
  }

  /** An order of a finished session. */
  async archivedOrder(account: string, orderId: string): Promise<Order | undefined> {
    const row = await this.#databases.record.kysely
      .selectFrom('paper_order')
      .select('body')
      .where('account', '=', account)
      .where('order_id', '=', orderId)
      .executeTakeFirst()
    return row === undefined ? undefined : (JSON.parse(row.body) as Order)
  }

  /** Orders of finished sessions that carry a tag. */
  async archivedOrdersByTag(account: string, tag: string): Promise<readonly Order[]> {
    const rows = await this.#databases.record.kysely
      .selectFrom('paper_order')
      .select('body')
      .where('account', '=', account)
      .where('tag', '=', tag)
      .limit(TAGGED_ORDERS_MAX)
      .execute()
    return rows.map((row) => JSON.parse(row.body) as Order)
  }

  /** Orders of finished sessions that share a root, and their trades. */
  async archivedStory(account: string, root: string): Promise<{ orders: readonly Order[]; trades: readonly Trade[] }> {
    const { kysely } = this.#databases.record
    const children = await kysely
      .selectFrom('paper_order')
      .select('body')
      .where('account', '=', account)
      .where('root', '=', root)
      .limit(TAGGED_ORDERS_MAX)
      .execute()
    const own = await this.archivedOrder(account, root)
    const orders = [
      ...(own === undefined ? [] : [own]),
      ...children.map(({ body }) => JSON.parse(body) as Order).filter(({ id }) => id !== root),
    ]
    if (orders.length === 0) return { orders, trades: [] }
    const trades = await kysely
      .selectFrom('paper_trade')
      .select('body')
      .where('account', '=', account)
      .where(
        'order_id',
        'in',
        orders.map(({ id }) => id),
      )
      .execute()
    return { orders, trades: trades.map(({ body }) => JSON.parse(body) as Trade) }
  }

  /** A trigger that ended in a finished session. */
  async archivedGtt(account: string, gttId: string): Promise<Gtt | undefined> {
    const row = await this.#databases.record.kysely
      .selectFrom('paper_gtt')
      .select('body')
      .where('account', '=', account)
      .where('gtt_id', '=', gttId)
      .executeTakeFirst()
    return row === undefined ? undefined : (JSON.parse(row.body) as Gtt)
  }

  /** Triggers that ended in finished sessions and carry a tag. */
  async archivedGttsByTag(account: string, tag: string): Promise<readonly Gtt[]> {
    const rows = await this.#databases.record.kysely
      .selectFrom('paper_gtt')
      .select('body')
      .where('account', '=', account)
      .where('tag', '=', tag)
      .limit(TAGGED_ORDERS_MAX)
      .execute()
    return rows.map((row) => JSON.parse(row.body) as Gtt)
  }

  /**
   * The account as its last durable command left it; undefined when it never had one. The keeper is told what it missed.
   */
  async recover(account: string, keeper?: EventKeeper): Promise<{ state: AccountState; replayed: number } | undefined> {
    const { kysely } = this.#databases.money
    await this.#enter(account)
    const snapshot = await kysely
      .selectFrom('snapshot')
      .selectAll()
      .where('account', '=', account)
      .orderBy('seq', 'desc')
      .executeTakeFirst()
    if (snapshot === undefined) return undefined
    const state = decodeState(snapshot.body)
    const kept = (await keeper?.keptUntil(account)) ?? 0
    await keeper?.begin(account, Math.max(kept, state.seq))
    let replayed = 0
    for (;;) {
      const rows = await this.#rowsAfter(account, state.seq)
      for (const row of rows) {
        if (row.seq !== state.seq + 1)
          throw new Error(`journal of account ${account} has no row ${state.seq + 1} before row ${row.seq}`)
        const command = JSON.parse(row.body)
        command.kind = row.kind
        command.at = row.at
        const events = apply(state, command as Command)
        for (const event of events) if (event.kind === 'session-closed') await this.archive(account, event)
        if (row.seq > kept) keeper?.keep({ account, seq: row.seq, at: row.at, events, requestId: '' })
      }
      if (state.seq > kept) await keeper?.settled(account, state.seq)
      replayed += rows.length
      if (rows.length < REPLAY_PAGE) break
    }
    if (kept > state.seq) await keeper?.begin(account, state.seq)
    assertInvariants(state)
    return { state, replayed }
  }

  /** Gives the account its place in the journal, unless it has one. */
  async #enter(account: string): Promise<void> {
    const { kysely, writer, compile } = this.#databases.money
    const numbers = kysely.selectFrom('journal_account').select('number').where('account', '=', account)
    let found = await numbers.executeTakeFirst()
    if (found === undefined) {
      await writer.write([compile(kysely.insertInto('journal_account').values({ account }))])
      found = await numbers.executeTakeFirstOrThrow()
    }
    const begin = found.number * COMMANDS_MAX
    assert(Number.isSafeInteger(begin + COMMANDS_MAX), `the journal has no place for account number ${found.number}`)
    this.#begins.set(account, begin)
  }

  #beginOf(account: string): number {
    const begin = this.#begins.get(account)
    assert(begin !== undefined, () => `account ${account} was recovered before it is written to`)
    return begin
  }

  /** The next page of commands. Pages, since a row at a time costs more than applying it. */
  #rowsAfter(account: string, seq: number): Promise<{ seq: number; at: number; kind: string; body: string }[]> {
    const begin = this.#beginOf(account)
    return this.#databases.money.kysely
      .selectFrom('journal')
      .select(['seq', 'at', 'kind', 'body'])
      .where('id', '>', begin + seq)
      .where('id', '<', begin + COMMANDS_MAX)
      .orderBy('id')
      .limit(REPLAY_PAGE)
      .execute()
  }
}
