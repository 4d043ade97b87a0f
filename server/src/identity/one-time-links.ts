import { randomBytes } from 'node:crypto'
import type { Clock } from '../kernel/clock.ts'
import type { Database } from '../storage/open.ts'
import type { MoneyDatabase } from '../storage/schema.ts'
import type { KeyedHash } from './keyed-hash.ts'

export type LinkPurpose = 'set-up' | 'reset'

const TOKEN_BYTES = 32

/** Links that work once, for a while, in any browser. */
export class OneTimeLinks {
  readonly #money: Database<MoneyDatabase>
  readonly #hash: KeyedHash
  readonly #clock: Clock
  readonly #inUse = new Set<string>()

  constructor(money: Database<MoneyDatabase>, hash: KeyedHash, clock: Clock) {
    this.#money = money
    this.#hash = hash
    this.#clock = clock
  }

  /** Makes a link's token, in place of all earlier ones for the same purpose and user. */
  async make(purpose: LinkPurpose, userId: string | undefined, validMs: number): Promise<string> {
    const { kysely, writer, compile } = this.#money
    const token = randomBytes(TOKEN_BYTES).toString('base64url')
    const earlier = kysely.deleteFrom('one_time_link').where('purpose', '=', purpose)
    await writer.write([
      compile(userId === undefined ? earlier.where('user_id', 'is', null) : earlier.where('user_id', '=', userId)),
      compile(
        kysely.insertInto('one_time_link').values({
          hash: this.#hash(token),
          purpose,
          user_id: userId ?? null,
          expires_at: this.#clock.now() + validMs,
          used_at: null,
        }),
      ),
    ])
    return token
  }

  /** Whether a link would work now; undefined when it wouldn't. */
  async look(purpose: LinkPurpose, token: string): Promise<{ readonly userId: string | undefined } | undefined> {
    const row = await this.#money.kysely
      .selectFrom('one_time_link')
      .select('user_id')
      .where('hash', '=', this.#hash(token))
      .where('purpose', '=', purpose)
      .where('used_at', 'is', null)
      .where('expires_at', '>', this.#clock.now())
      .executeTakeFirst()
    return row === undefined ? undefined : { userId: row.user_id ?? undefined }
  }

  /**
   * Uses a link up if `act` succeeds; false when it doesn't work (any more). Of two browsers that use it at once one
   * gets false.
   */
  async use(purpose: LinkPurpose, token: string, act: (userId: string | undefined) => Promise<void>): Promise<boolean> {
    const hash = this.#hash(token)
    if (this.#inUse.has(hash)) return false
    this.#inUse.add(hash)
    try {
      const link = await this.look(purpose, token)
      if (link === undefined) return false
      await act(link.userId)
      const { kysely, writer, compile } = this.#money
      const using = kysely.updateTable('one_time_link').set({ used_at: this.#clock.now() })
      await writer.write([compile(using.where('hash', '=', hash))])
      return true
    } finally {
      this.#inUse.delete(hash)
    }
  }
}
