import { hash, randomBytes } from 'node:crypto'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Database } from '../storage/open.ts'
import type { ApiKeyTable, MoneyDatabase } from '../storage/schema.ts'
import { isScope, parseScopes, SCOPES, type Scope } from './scope.ts'
import { openSecret } from './secret.ts'

/** Keys that aren't revoked. */
export const LIVE_KEYS_MAX = 1_000
export const KEY_NAME_LENGTH_MAX = 64

const KEY_BYTES = 32
const ID_LENGTH = 10
const ID_ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'

export interface KeyIdentity {
  readonly keyId: string
  readonly account: string
  readonly scopes: ReadonlySet<Scope>
}

export interface KeyInfo {
  readonly id: string
  readonly account: string
  readonly name: string
  readonly scopes: readonly Scope[]
  readonly createdAt: number
}

export interface NewKey {
  readonly account: string
  readonly name: string
  readonly scopes: readonly string[]
}

/** `text` is the key itself. It is known here and now only: no file and no list has it. */
export interface CreatedKey extends KeyInfo {
  readonly text: string
}

interface LiveKey {
  readonly info: KeyInfo
  readonly hash: string
}

/**
 * The API keys of an instance: `sk_` and 256 random bits, kept as a hash under the server's secret. Checking one is a
 * hash and a look-up, whether it is known or not. Random keys need no slow hash: there is nothing to guess.
 */
export class KeyStore {
  readonly #money: Database<MoneyDatabase>
  readonly #clock: Clock
  readonly #secret: string
  readonly #byHash = new Map<string, KeyIdentity>()
  readonly #byId = new Map<string, LiveKey>()
  /** Keys on their way to the disk: they count towards the limit. */
  #creating = 0
  #everCreated: boolean

  private constructor(money: Database<MoneyDatabase>, secret: Buffer, clock: Clock, everCreated: boolean) {
    this.#money = money
    this.#secret = secret.toString('base64url')
    this.#clock = clock
    this.#everCreated = everCreated
  }

  /** Reads the keys of a data folder. Throws StartRefused when there are keys but the secret is missing. */
  static async open(money: Database<MoneyDatabase>, dataDir: string, clock: Clock): Promise<KeyStore> {
    const { kysely } = money
    const oldest = await kysely.selectFrom('api_key').select('id').limit(1).executeTakeFirst()
    const live = await kysely
      .selectFrom('api_key')
      .selectAll()
      .where('revoked_at', 'is', null)
      .orderBy('created_at')
      .execute()
    const store = new KeyStore(money, openSecret(dataDir, live.length > 0), clock, oldest !== undefined)
    for (const row of live) store.#add({ info: infoOf(row), hash: row.hash })
    return store
  }

  /** Who a key belongs to; undefined when it is unknown or revoked. */
  check(key: string): KeyIdentity | undefined {
    return this.#byHash.get(this.#hash(key))
  }

  /** Live keys, oldest first, without their text. */
  list(): readonly KeyInfo[] {
    return Array.from(this.#byId.values(), ({ info }) => info)
  }

  /**
   * Creates a key, which works once it is on disk. Throws validation_failed when the name, a scope or the account isn't
   * possible, or when there are `LIVE_KEYS_MAX` keys already.
   */
  async createKey({ account, name, scopes }: NewKey): Promise<CreatedKey> {
    const given = { account, name: checkedName(name), scopes: checkedScopes(scopes) }
    if (this.#byId.size + this.#creating >= LIVE_KEYS_MAX) {
      throw new Refusal(
        'validation_failed',
        `There are ${LIVE_KEYS_MAX} keys, as many as there may be: revoke one first.`,
      )
    }
    this.#creating += 1
    try {
      return await this.#store(given)
    } finally {
      this.#creating -= 1
    }
  }

  /** The key of a fresh instance, for its owner; undefined when a key was ever created, also if it is revoked by now. */
  async createFirstKey(): Promise<CreatedKey | undefined> {
    if (this.#everCreated) return undefined
    return await this.createKey({ account: 'default', name: 'first', scopes: SCOPES })
  }

  /**
   * Revokes a key: from this call on it is refused, whatever happens on the way to the disk. Throws not_found when no
   * live key has that id. When the disk fails, try again: otherwise the key lives again after a restart.
   */
  async revoke(id: string): Promise<void> {
    const key = this.#byId.get(id)
    if (key === undefined) throw new Refusal('not_found', `No live key has the id "${id}".`)
    this.#byHash.delete(key.hash)
    const { kysely, writer, compile } = this.#money
    const revoking = kysely.updateTable('api_key').set({ revoked_at: this.#clock.now() })
    await writer.write([compile(revoking.where('id', '=', id).where('revoked_at', 'is', null))])
    this.#byId.delete(id)
  }

  async #store(given: Omit<KeyInfo, 'id' | 'createdAt'>): Promise<CreatedKey> {
    const { kysely, writer, compile } = this.#money
    const account = await kysely.selectFrom('account').select('id').where('id', '=', given.account).executeTakeFirst()
    if (account === undefined) throw refusedField('account', `There is no account "${given.account}".`)
    const info: KeyInfo = { ...given, id: newKeyId(), createdAt: this.#clock.now() }
    const text = `sk_${randomBytes(KEY_BYTES).toString('base64url')}`
    const hash = this.#hash(text)
    const row: ApiKeyTable = {
      id: info.id,
      account: info.account,
      name: info.name,
      scopes: info.scopes.join(','),
      hash,
      created_at: info.createdAt,
      revoked_at: null,
    }
    await writer.write([compile(kysely.insertInto('api_key').values(row))])
    this.#everCreated = true
    this.#add({ info, hash })
    return { ...info, text }
  }

  #add(key: LiveKey): void {
    const { id, account, scopes } = key.info
    this.#byId.set(id, key)
    this.#byHash.set(key.hash, Object.freeze({ keyId: id, account, scopes: new Set(scopes) }))
  }

  /**
   * Keyed by the secret in front, of fixed length. HMAC would guard against extended messages, which nobody can present
   * here: what is compared is the hash of a whole text. It would take four times as long, on every request.
   */
  #hash(text: string): string {
    return hash('sha256', this.#secret + text, 'base64url')
  }
}

function infoOf(row: ApiKeyTable): KeyInfo {
  const scopes = parseScopes(row.scopes)
  if (scopes === undefined)
    throw new Error(`money.db: key ${row.id} has the scopes "${row.scopes}", which aren't known`)
  return { id: row.id, account: row.account, name: row.name, scopes, createdAt: row.created_at }
}

function newKeyId(): string {
  // 32 letters: five bits of each byte choose one evenly
  return `key_${Array.from(randomBytes(ID_LENGTH), (byte) => ID_ALPHABET.charAt(byte & 31)).join('')}`
}

function checkedName(name: string): string {
  const trimmed = name.trim()
  if (trimmed === '' || trimmed.length > KEY_NAME_LENGTH_MAX || /\p{Cc}/u.test(trimmed)) {
    const shown = JSON.stringify(name.slice(0, KEY_NAME_LENGTH_MAX + 1))
    throw refusedField('name', `A key's name has 1 to ${KEY_NAME_LENGTH_MAX} printable characters; ${shown} doesn't.`)
  }
  return trimmed
}

function checkedScopes(scopes: readonly string[]): readonly Scope[] {
  const unknown = scopes.find((scope) => !isScope(scope))
  if (unknown !== undefined || scopes.length === 0) {
    const wrong = unknown === undefined ? 'The key has no scope' : `"${unknown}" isn't a scope`
    throw refusedField('scopes', `${wrong}: choose from ${SCOPES.join(', ')}.`)
  }
  return SCOPES.filter((scope) => scopes.includes(scope))
}

const refusedField = (field: string, message: string): Refusal =>
  new Refusal('validation_failed', message, { errors: [{ field, message }] })
