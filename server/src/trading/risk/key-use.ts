import { dateAt, type ExchangeDate } from '../../kernel/exchange-time.ts'
import type { Database } from '../../storage/open.ts'
import type { MoneyDatabase } from '../../storage/schema.ts'

/** Written out: it is a part of every order of such a key, and the query builder would take longer than all limits. */
const PUT =
  'INSERT INTO risk_use (scope, date, orders) VALUES (?, ?, ?) ON CONFLICT (scope) DO UPDATE SET date = excluded.date, orders = excluded.orders'

/** Orders that keys with a limit per day have sent, in memory as well as on disk. */
export class KeyUse {
  readonly #money: Database<MoneyDatabase>
  readonly #onError: (error: unknown) => void
  readonly #use = new Map<string, { readonly date: ExchangeDate; readonly orders: number }>()

  constructor(money: Database<MoneyDatabase>, onError: (error: unknown) => void) {
    this.#money = money
    this.#onError = onError
  }

  /** Reads what is stored. */
  async load(): Promise<void> {
    for (const { scope, date, orders } of await this.#money.kysely.selectFrom('risk_use').selectAll().execute())
      this.#use.set(scope, { date, orders })
  }

  /** Orders that a key has sent on that day, as far as they were counted. */
  ordersOn(keyId: string, date: ExchangeDate): number {
    const use = this.#use.get(keyId)
    return use?.date === date ? use.orders : 0
  }

  /** Counts one. The count is on its way to the disk before the order is. */
  count(keyId: string, now: number): void {
    const date = dateAt(now)
    const orders = this.ordersOn(keyId, date) + 1
    this.#use.set(keyId, { date, orders })
    this.#money.writer.write([{ sql: PUT, parameters: [keyId, date, orders] }]).catch(this.#onError)
  }
}
