import { Refusal } from '../kernel/errors.ts'
import { TurnsByName } from '../kernel/turns.ts'
import type { Database } from '../storage/open.ts'
import type { MoneyDatabase } from '../storage/schema.ts'
import type { CreatedKey } from './key.ts'
import type { KeyedHash } from './keyed-hash.ts'

/** Requests for a key that their clients have ids for: each makes one key, however often it is sent. */
export class KeyRequests {
  readonly #money: Database<MoneyDatabase>
  readonly #hash: KeyedHash
  readonly #turns = new TurnsByName()

  constructor(money: Database<MoneyDatabase>, hash: KeyedHash) {
    this.#money = money
    this.#hash = hash
  }

  /**
   * Makes a key, unless this request of the user made one already: throws key_exists then, with the key's id as `key_id`.
   * `make` stores the key with the hash that it gets. Without an id of the request it just makes one.
   */
  once(
    userId: string,
    requestId: string | undefined,
    make: (requestHash: string | undefined) => Promise<CreatedKey>,
  ): Promise<CreatedKey> {
    if (requestId === undefined) return make(undefined)
    const hash = this.#hash(`key request\n${userId}\n${requestId}`)
    return this.#turns.run(hash, async () => {
      const made = this.#money.kysely.selectFrom('api_key').select('id').where('request_hash', '=', hash)
      const key = await made.executeTakeFirst()
      if (key !== undefined) throw keyExists(key.id)
      return await make(hash)
    })
  }
}

const keyExists = (id: string): Refusal =>
  new Refusal(
    'key_exists',
    `This request made the key ${id} already. Its text was in the first answer alone and is kept nowhere: when that was lost, replace the key or revoke it.`,
    { extra: { key_id: id } },
  )
