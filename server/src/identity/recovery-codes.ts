import { randomBytes } from 'node:crypto'
import type { Clock } from '../kernel/clock.ts'
import type { Database } from '../storage/open.ts'
import type { MoneyDatabase } from '../storage/schema.ts'
import type { Statement } from '../storage/writer.ts'
import { type HeldCode, heldCode } from './held-code.ts'
import type { KeyedHash } from './keyed-hash.ts'

export const RECOVERY_CODES = 10
const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789'
const CODE_LENGTH = 12

/** Codes for who has lost the second factor; each works once. */
export class RecoveryCodes {
  readonly #money: Database<MoneyDatabase>
  readonly #hash: KeyedHash
  readonly #clock: Clock
  /** Being used right now: two requests can't both use one. */
  readonly #inUse = new Set<string>()

  constructor(money: Database<MoneyDatabase>, hash: KeyedHash, clock: Clock) {
    this.#money = money
    this.#hash = hash
    this.#clock = clock
  }

  /** Makes new codes. They count, in place of all earlier ones, once the statements are on disk; no file has them. */
  make(userId: string): { readonly codes: readonly string[]; readonly statements: readonly Statement[] } {
    const { kysely, compile } = this.#money
    const codes = Array.from({ length: RECOVERY_CODES }, newCode)
    const at = this.#clock.now()
    const inserts = codes.map((code) =>
      compile(
        kysely
          .insertInto('recovery_code')
          .values({ user_id: userId, hash: this.#hash(plainOf(code)), created_at: at, used_at: null }),
      ),
    )
    return { codes, statements: [this.dropping(userId), ...inserts] }
  }

  async renew(userId: string): Promise<readonly string[]> {
    const { codes, statements } = this.make(userId)
    await this.#money.writer.write(statements)
    return codes
  }

  /** Makes all codes of a user useless once it is on disk. */
  dropping(userId: string): Statement {
    const { kysely, compile } = this.#money
    return compile(kysely.deleteFrom('recovery_code').where('user_id', '=', userId))
  }

  /** An unused code of this user; undefined when it is none. */
  async hold(userId: string, code: string): Promise<HeldCode | undefined> {
    const hash = this.#hash(plainOf(code))
    if (this.#inUse.has(hash)) return undefined
    this.#inUse.add(hash)
    const release = (): void => void this.#inUse.delete(hash)
    try {
      const held = (await this.#isUnused(userId, hash)) ? heldCode(this.#using(userId, hash), release) : undefined
      if (held === undefined) release()
      return held
    } catch (error) {
      release()
      throw error
    }
  }

  async #isUnused(userId: string, hash: string): Promise<boolean> {
    const unused = this.#money.kysely
      .selectFrom('recovery_code')
      .select('hash')
      .where('user_id', '=', userId)
      .where('hash', '=', hash)
      .where('used_at', 'is', null)
    return (await unused.executeTakeFirst()) !== undefined
  }

  #using(userId: string, hash: string): Statement {
    const { kysely, compile } = this.#money
    const using = kysely.updateTable('recovery_code').set({ used_at: this.#clock.now() })
    return compile(using.where('user_id', '=', userId).where('hash', '=', hash))
  }

  async left(userId: string): Promise<number> {
    const { kysely } = this.#money
    const rows = await kysely
      .selectFrom('recovery_code')
      .select('hash')
      .where('user_id', '=', userId)
      .where('used_at', 'is', null)
      .execute()
    return rows.length
  }
}

/** Twelve letters that aren't mistaken for others, in groups of four: 59 random bits. */
function newCode(): string {
  let code = ''
  while (code.length < CODE_LENGTH) {
    for (const byte of randomBytes(CODE_LENGTH)) {
      const letter = LETTERS[byte & 31] // of 32 values one has no letter and is drawn again
      if (letter !== undefined && code.length < CODE_LENGTH) code += letter
    }
  }
  return `${code.slice(0, 4)}-${code.slice(4, 8)}-${code.slice(8)}`
}

const plainOf = (code: string): string => code.toLowerCase().replace(/[^a-z0-9]/g, '')
