import { sql } from 'kysely'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Database } from '../storage/open.ts'
import type { AccountTable, MoneyDatabase } from '../storage/schema.ts'
import { type Actor, type Audit, entryOf } from './audit.ts'
import { newId } from './new-id.ts'
import { refusedField } from './refused-field.ts'

export const ACCOUNTS_PER_USER_MAX = 20
export const ACCOUNT_NAME_LENGTH_MAX = 32
const NAME = /^[A-Za-z0-9][A-Za-z0-9 ._-]{0,31}$/

/** `semi_auto`: orders sent by key wait for a person's yes. */
export const ORDER_MODES = ['auto', 'semi_auto'] as const
export type OrderMode = (typeof ORDER_MODES)[number]

/** A book and funds of their own at one venue. Every order, position and fund belongs to exactly one. */
export interface Account {
  readonly id: string
  /** Undefined until the instance has a user. */
  readonly userId: string | undefined
  /** Unique for its user. */
  readonly name: string
  readonly venue: string
  readonly orderMode: OrderMode
  readonly createdAt: number
}

export interface AccountStoreOptions {
  readonly money: Database<MoneyDatabase>
  readonly clock: Clock
  readonly audit: Audit
  /** Opens a new account's books at its venue. */
  readonly openBooks: (accountId: string) => Promise<void>
}

/** The trading accounts of an instance, in memory. */
export class AccountStore {
  readonly #options: AccountStoreOptions
  readonly #byId = new Map<string, Account>()
  /** Names of each user's accounts that are on their way to the disk. */
  readonly #creating = new Map<string, Set<string>>()
  /** The latest change of each account's order mode that was asked for. */
  readonly #modeChanges = new Map<string, symbol>()

  private constructor(options: AccountStoreOptions) {
    this.#options = options
  }

  static async open(options: AccountStoreOptions): Promise<AccountStore> {
    const store = new AccountStore(options)
    const all = options.money.kysely.selectFrom('account').selectAll()
    for (const row of await all.orderBy('created_at').orderBy(sql`rowid`).execute())
      store.#byId.set(row.id, accountOf(row))
    return store
  }

  /** A user's accounts, oldest first. */
  list(userId: string): readonly Account[] {
    return [...this.#byId.values()].filter((account) => account.userId === userId)
  }

  find(id: string): Account | undefined {
    return this.#byId.get(id)
  }

  /** The account that a user acts on without naming one: the oldest. Empty when there is none. */
  defaultOf(userId: string): string {
    for (const account of this.#byId.values()) if (account.userId === userId) return account.id
    return ''
  }

  /** Of an account that isn't known, the careful one. */
  orderMode(id: string): OrderMode {
    return this.#byId.get(id)?.orderMode ?? 'semi_auto'
  }

  /** Creates an account on paper and opens its books. Throws validation_failed. */
  async create(userId: string, name: string, actor: Actor): Promise<Account> {
    const trimmed = name.trim()
    if (!NAME.test(trimmed)) {
      throw refusedField('name', "An account's name has 1 to 32 letters, digits, spaces, dots, hyphens or underscores.")
    }
    const creating = this.#creating.get(userId) ?? new Set()
    const names = [...this.list(userId).map((account) => account.name), ...creating]
    if (names.some((taken) => taken.toLowerCase() === trimmed.toLowerCase()))
      throw refusedField('name', `You have an account "${trimmed}" already.`)
    if (names.length >= ACCOUNTS_PER_USER_MAX)
      throw refusedField('name', `You have ${ACCOUNTS_PER_USER_MAX} accounts, as many as there may be.`)
    this.#creating.set(userId, creating.add(trimmed))
    try {
      return await this.#create(userId, trimmed, actor)
    } finally {
      creating.delete(trimmed)
      if (creating.size === 0) this.#creating.delete(userId)
    }
  }

  async #create(userId: string, name: string, actor: Actor): Promise<Account> {
    const { money, clock, audit, openBooks } = this.#options
    const account: Account = {
      id: newId('acc'),
      userId,
      name,
      venue: 'paper',
      orderMode: 'auto',
      createdAt: clock.now(),
    }
    // Books without an account are never found again, an account without books would refuse every order
    await openBooks(account.id)
    const { kysely, writer, compile } = money
    await writer.write([compile(kysely.insertInto('account').values(rowOf(account)))])
    this.#byId.set(account.id, account)
    audit(entryOf(actor, 'account.created', account.id, { name, venue: account.venue }))
    return account
  }

  /** Throws not_found when there is no such account. */
  async setOrderMode(id: string, orderMode: OrderMode, actor: Actor): Promise<Account> {
    const account = this.#byId.get(id)
    if (account === undefined) throw new Refusal('not_found', `There is no account "${id}".`)
    const change = Symbol(orderMode)
    this.#modeChanges.set(id, change)
    // The careful mode counts at once, the other one when it is on disk and nobody has asked for another since
    if (orderMode === 'semi_auto') this.#byId.set(id, { ...account, orderMode })
    const { kysely, writer, compile } = this.#options.money
    await writer.write([compile(kysely.updateTable('account').set({ order_mode: orderMode }).where('id', '=', id))])
    const changed = { ...(this.#byId.get(id) ?? account), orderMode }
    if (this.#modeChanges.get(id) === change) {
      this.#modeChanges.delete(id)
      this.#byId.set(id, changed)
    }
    this.#options.audit(entryOf(actor, 'account.order-mode', id, { from: account.orderMode, to: orderMode }))
    return changed
  }

  /** Accounts of nobody now belong to the first user. The caller has written that already. */
  adopt(userId: string): void {
    for (const account of [...this.#byId.values()])
      if (account.userId === undefined) this.#byId.set(account.id, { ...account, userId })
  }
}

function accountOf(row: AccountTable): Account {
  return {
    id: row.id,
    userId: row.user_id ?? undefined,
    name: row.name,
    venue: row.venue,
    orderMode: row.order_mode === 'auto' ? 'auto' : 'semi_auto',
    createdAt: row.created_at,
  }
}

const rowOf = (account: Account): AccountTable => ({
  id: account.id,
  user_id: account.userId ?? null,
  name: account.name,
  venue: account.venue,
  order_mode: account.orderMode,
  created_at: account.createdAt,
})
