import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Database } from '../storage/open.ts'
import type { AccountTable, MoneyDatabase } from '../storage/schema.ts'
import { type Actor, type Audit, entryOf } from './audit.ts'
import { newId } from './new-id.ts'
import { refusedField } from './refused-field.ts'

export const ACCOUNTS_PER_USER_MAX = 20
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
  /** `user name` pairs on their way to the disk. */
  readonly #creating = new Set<string>()

  private constructor(options: AccountStoreOptions) {
    this.#options = options
  }

  static async open(options: AccountStoreOptions): Promise<AccountStore> {
    const store = new AccountStore(options)
    for (const row of await options.money.kysely.selectFrom('account').selectAll().orderBy('created_at').execute()) {
      store.#byId.set(row.id, accountOf(row))
    }
    return store
  }

  /** Oldest first. */
  list(userId?: string): readonly Account[] {
    const all = [...this.#byId.values()]
    return userId === undefined ? all : all.filter((account) => account.userId === userId)
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
    const taken = `${userId} ${trimmed.toLowerCase()}`
    const existing = this.list(userId)
    if (this.#creating.has(taken) || existing.some((account) => account.name.toLowerCase() === trimmed.toLowerCase()))
      throw refusedField('name', `You have an account "${trimmed}" already.`)
    if (existing.length >= ACCOUNTS_PER_USER_MAX)
      throw refusedField('name', `You have ${ACCOUNTS_PER_USER_MAX} accounts, as many as there may be.`)
    this.#creating.add(taken)
    try {
      const { money, clock, audit, openBooks } = this.#options
      const account: Account = {
        id: newId('acc'),
        userId,
        name: trimmed,
        venue: 'paper',
        orderMode: 'auto',
        createdAt: clock.now(),
      }
      const { kysely, writer, compile } = money
      await writer.write([compile(kysely.insertInto('account').values(rowOf(account)))])
      await openBooks(account.id)
      this.#byId.set(account.id, account)
      audit(entryOf(actor, 'account.created', account.id, { name: trimmed, venue: account.venue }))
      return account
    } finally {
      this.#creating.delete(taken)
    }
  }

  async setOrderMode(id: string, orderMode: OrderMode, actor: Actor): Promise<Account> {
    const account = this.#byId.get(id)
    if (account === undefined) throw new Refusal('not_found', `There is no account "${id}".`)
    const changed = { ...account, orderMode }
    // The careful mode counts at once, the other one when it is on disk
    if (orderMode === 'semi_auto') this.#byId.set(id, changed)
    const { kysely, writer, compile } = this.#options.money
    await writer.write([compile(kysely.updateTable('account').set({ order_mode: orderMode }).where('id', '=', id))])
    this.#byId.set(id, changed)
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
