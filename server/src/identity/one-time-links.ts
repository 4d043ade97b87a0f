import { randomBytes } from 'node:crypto'
import type { Clock } from '../kernel/clock.ts'
import type { Database } from '../storage/open.ts'
import type { MoneyDatabase } from '../storage/schema.ts'
import type { Statement } from '../storage/writer.ts'
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

  /** Makes a link's token. What is used or too old is forgotten; `also` is written in the same commit. */
  async make(
    purpose: LinkPurpose,
    userId: string | undefined,
    validMs: number,
    also: readonly Statement[] = [],
  ): Promise<string> {
    const { kysely, writer, compile } = this.#money
    const token = randomBytes(TOKEN_BYTES).toString('base64url')
    const now = this.#clock.now()
    const row = {
      hash: this.#hash(token),
      purpose,
      user_id: userId ?? null,
      expires_at: now + validMs,
      used_at: null,
    }
    const useless = kysely
      .deleteFrom('one_time_link')
      .where((link) => link.or([link('expires_at', '<=', now), link('used_at', 'is not', null)]))
    await writer.write([...also, compile(useless), compile(kysely.insertInto('one_time_link').values(row))])
    return token
  }

  /** Makes the links of a purpose, of a user or of nobody, useless once it is on disk. */
  dropping(purpose: LinkPurpose, userId: string | undefined): Statement {
    const { kysely, compile } = this.#money
    const links = kysely.deleteFrom('one_time_link').where('purpose', '=', purpose)
    return compile(userId === undefined ? links.where('user_id', 'is', null) : links.where('user_id', '=', userId))
  }

  /** How many links of a user would work now. */
  async count(purpose: LinkPurpose, userId: string): Promise<number> {
    const rows = await this.#usable(purpose).where('user_id', '=', userId).execute()
    return rows.length
  }

  /** Whose a link is that would work now; undefined when it wouldn't. */
  async look(purpose: LinkPurpose, token: string): Promise<{ readonly userId: string | undefined } | undefined> {
    const row = await this.#usable(purpose).where('hash', '=', this.#hash(token)).executeTakeFirst()
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

  #usable(purpose: LinkPurpose) {
    return this.#money.kysely
      .selectFrom('one_time_link')
      .select('user_id')
      .where('purpose', '=', purpose)
      .where('used_at', 'is', null)
      .where('expires_at', '>', this.#clock.now())
  }
}
