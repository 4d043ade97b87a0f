import { randomBytes } from 'node:crypto'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Database } from '../storage/open.ts'
import type { ApiKeyTable, MoneyDatabase } from '../storage/schema.ts'
import type { Statement } from '../storage/writer.ts'
import { type Actor, type Audit, entryOf } from './audit.ts'
import {
  type CreatedKey,
  identityOf,
  infoOf,
  isReplaced,
  type KeyIdentity,
  type KeyInfo,
  type KeyOwner,
  type KeyStanding,
  MACHINE_OWNER,
} from './key.ts'
import { KeyRequests } from './key-requests.ts'
import { type KeyedHash, keyedHash } from './keyed-hash.ts'
import { newId } from './new-id.ts'
import { checkedKey, type NewKey, refuseMoreThanRole, wholeNumber } from './new-key.ts'
import { refusedField } from './refused-field.ts'
import { SCOPES } from './scope.ts'
import { openSecret } from './secret.ts'

export type { CreatedKey, KeyIdentity, KeyInfo, KeyStanding } from './key.ts'
export { KEY_DAYS_MAX, KEY_NAME_LENGTH_MAX, type NewKey } from './new-key.ts'

/** Keys that aren't revoked. */
export const LIVE_KEYS_MAX = 1_000
/** Those that one user may have made, so that nobody takes the room of all others. */
export const KEYS_PER_USER_MAX = 100
export const OVERLAP_HOURS_MAX = 24
/** Keys that were replaced and are told so; those replaced before are unknown. */
export const LAPSED_KEYS_MAX = 10_000
/** Keys whose hash is remembered, and as many texts that are none. */
const HASHES_KEPT_MAX = 1_000
/** How often the instants of last use are brought to disk. */
const USE_WRITTEN_EVERY_MS = 60_000
const KEY_BYTES = 32
const HOUR_MS = 3_600_000

export interface KeyStoreOptions {
  readonly money: Database<MoneyDatabase>
  readonly dataDir: string
  readonly clock: Clock
  readonly audit: Audit
  /** Undefined when there is no such user. */
  readonly ownerOf: (userId: string) => KeyOwner | undefined
  /** Told when the instants of last use couldn't be written. */
  readonly onError: (error: unknown) => void
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
  readonly requests: KeyRequests
  readonly #options: KeyStoreOptions
  readonly #hash: KeyedHash
  /** One look-up for every key, known or not. `expired` are those in `#lapsed`. */
  readonly #byHash = new Map<string, KeyIdentity | 'expired'>()
  readonly #byId = new Map<string, LiveKey>()
  /** Hashes of keys whose successors took over, the latest last. */
  readonly #lapsed = new Set<string>()
  /** Instant of the last use of each key used since this was last written. */
  readonly #used = new Map<string, number>()
  readonly #stopWriting: () => void
  /** Hash of each key that was right lately: hashing costs more than all else that a check does. */
  readonly #hashes = new Map<string, string>()
  /** The same of texts that were no keys, apart, so that they push no key out: those cost no more, either. */
  readonly #strangers = new Map<string, string>()
  /** Keys that are refused for good, until that is on disk: nothing that happens meanwhile makes them work again. */
  readonly #revoked = new Set<string>()
  readonly #rotating = new Set<string>()
  /** Who owns what belonged to nobody; undefined until the instance has a user. */
  #heir: string | undefined
  /** Keys on their way to the disk: they count towards the limit. */
  readonly #creating = new Set<{ readonly userId: string | undefined }>()
  #everCreated: boolean

  private constructor(options: KeyStoreOptions, hash: KeyedHash, everCreated: boolean) {
    this.#options = options
    this.requests = new KeyRequests(options.money, hash)
    this.#hash = hash
    this.#everCreated = everCreated
    this.#stopWriting = options.clock.every(USE_WRITTEN_EVERY_MS, () => {
      this.writeUses().catch(options.onError)
    })
  }

  /** Reads the keys of a data folder. Throws StartRefused when there are keys but the secret is missing. */
  static async open(options: KeyStoreOptions): Promise<KeyStore> {
    const { kysely } = options.money
    const oldest = await kysely.selectFrom('api_key').select('id').limit(1).executeTakeFirst()
    const live = await kysely
      .selectFrom('api_key')
      .selectAll()
      .where((row) => row.or([row('revoked_at', 'is', null), row('revoked_at', '>', options.clock.now())]))
      .orderBy('created_at')
      .execute()
    const hash = keyedHash(openSecret(options.dataDir, live.length > 0))
    const store = new KeyStore(options, hash, oldest !== undefined)
    for (const row of live) store.#add({ info: infoOf(row), hash: row.hash })
    const lapsed = await kysely
      .selectFrom('api_key')
      .select('hash')
      .where('replaced_by', 'is not', null)
      .where('revoked_at', '<=', options.clock.now())
      .orderBy('revoked_at', 'desc')
      .limit(LAPSED_KEYS_MAX)
      .execute()
    for (const row of lapsed.reverse()) store.#addLapsed(row.hash)
    return store
  }

  /**
   * Who a key belongs to. What came to its end as planned, at its expiry or because it was replaced, is `expired`, for
   * good; what was revoked or never was is unknown.
   */
  check(key: string, now: number): KeyStanding {
    const known = this.#hashes.get(key) ?? this.#strangers.get(key)
    const hash = known ?? this.#hash(key)
    const identity = this.#byHash.get(hash)
    if (known === undefined) remember(identity === undefined ? this.#strangers : this.#hashes, key, hash)
    if (identity === undefined) return 'unknown'
    if (identity === 'expired') return identity
    if (identity.expiresAt !== undefined && identity.expiresAt <= now) return 'expired'
    if (identity.disabled) return 'disabled'
    this.#used.set(identity.keyId, now)
    return identity
  }

  /** Whether a key may be used from an address. */
  mayComeFrom(identity: KeyIdentity, address: string): boolean {
    return identity.networks === undefined || identity.networks.contains(address)
  }

  /** Keys that can be used now or until they expire, oldest first, without their text. */
  list(userId?: string): readonly KeyInfo[] {
    const infos = Array.from(this.#byId.values(), ({ info }) => ({
      ...info,
      lastUsedAt: this.#used.get(info.id) ?? info.lastUsedAt,
    }))
    const now = this.#options.clock.now()
    return infos.filter((info) => (userId === undefined || info.userId === userId) && !isReplaced(info, now))
  }

  /** Who a key belongs to, by its id; undefined when it may do nothing now. */
  callerOf(id: string): KeyIdentity | undefined {
    const key = this.#byId.get(id)
    const identity = key === undefined ? undefined : this.#byHash.get(key.hash)
    if (identity === undefined || identity === 'expired' || identity.disabled) return undefined
    const isOver = identity.expiresAt !== undefined && identity.expiresAt <= this.#options.clock.now()
    return isOver ? undefined : identity
  }

  find(id: string): KeyInfo | undefined {
    return this.#byId.get(id)?.info
  }

  /**
   * Creates a key, which works once it is on disk. Throws validation_failed when a part of it isn't possible, or when
   * there are `LIVE_KEYS_MAX` keys already, or `KEYS_PER_USER_MAX` of the user who makes it.
   */
  async createKey(wanted: NewKey, actor: Actor): Promise<CreatedKey> {
    const { clock, audit } = this.#options
    const { account, userId, requestHash } = wanted
    const created = await this.#counted(userId, () =>
      this.#store({ account, userId, ...checkedKey(wanted, clock.now()) }, requestHash),
    )
    const { id, name, scopes, networks } = created
    audit(entryOf(actor, 'key.created', id, { name, account, scopes, networks, expiresAt: created.expiresAt ?? null }))
    return created
  }

  /** The key of a fresh instance, for its owner; undefined when a key was ever created, also if it is revoked by now. */
  async createFirstKey(actor: Actor): Promise<CreatedKey | undefined> {
    if (this.#everCreated) return undefined
    return await this.createKey({ account: 'default', name: 'first', scopes: SCOPES }, actor)
  }

  /**
   * Revokes a key: from this call on it is refused, whatever happens on the way to the disk. Throws not_found when no
   * live key has that id. When the disk fails, try again: otherwise the key lives again after a restart.
   */
  async revoke(id: string, actor: Actor): Promise<void> {
    const { clock, audit, money } = this.#options
    const key = this.#live(id)
    this.#revoked.add(id)
    this.#byHash.delete(key.hash)
    const { kysely, writer, compile } = money
    const at = clock.now()
    // One that was replaced and is revoked before its overlap ends didn't lapse
    const revoking = kysely.updateTable('api_key').set({ revoked_at: at, replaced_by: null }).where('id', '=', id)
    await writer.write([
      compile(revoking.where((row) => row.or([row('revoked_at', 'is', null), row('revoked_at', '>', at)]))),
    ])
    this.#forget(id)
    audit(entryOf(actor, 'key.revoked', id, { name: key.info.name }))
  }

  /**
   * Replaces a key by one with the same rights, in one commit. The old one goes on working for so many hours, 0 to 24.
   * Throws not_found when no live key has that id, validation_failed when it was replaced or has expired.
   */
  async rotate(id: string, overlapHours: number, actor: Actor, requestHash?: string): Promise<CreatedKey> {
    const { clock, audit } = this.#options
    const hours = wholeNumber('overlap_hours', overlapHours, 0, OVERLAP_HOURS_MAX)
    const { info } = this.#live(id)
    if (info.replacedBy !== undefined) throw refusedField('id', `Key ${id} was replaced by ${info.replacedBy} already.`)
    if (info.expiresAt !== undefined && info.expiresAt <= clock.now())
      throw refusedField('id', `Key ${id} has expired, and so would its successor. Create a new key.`)
    if (this.#rotating.has(id)) throw refusedField('id', `Key ${id} is being replaced already.`)
    this.#rotating.add(id)
    try {
      const revokedAt = clock.now() + hours * HOUR_MS
      const created = await this.#counted(info.userId, () =>
        this.#store(info, requestHash, (newId) => this.#replacing(id, newId, revokedAt)),
      )
      const old = this.#byId.get(id)
      if (hours === 0) this.#lapse(id)
      else if (old !== undefined) this.#add({ ...old, info: { ...old.info, revokedAt, replacedBy: created.id } })
      audit(entryOf(actor, 'key.rotated', id, { name: info.name, replacedBy: created.id, overlapHours: hours }))
      return created
    } finally {
      this.#rotating.delete(id)
    }
  }

  /** A user's role changed, or it was disabled or enabled: its keys follow at once. */
  userChanged(userId: string): void {
    for (const key of this.#byId.values()) if (key.info.userId === userId) this.#add(key)
  }

  /** Keys that were made before the instance had a user now belong to it. The caller has written that already. */
  adopt(userId: string): void {
    this.#heir = userId
    for (const { info, hash } of [...this.#byId.values()])
      if (info.userId === undefined) this.#add({ info: { ...info, userId }, hash })
  }

  /** Brings the instants of last use to disk. */
  async writeUses(): Promise<void> {
    if (this.#used.size === 0) return
    const { kysely, writer, compile } = this.#options.money
    const uses = [...this.#used]
    this.#used.clear()
    for (const [id, at] of uses) {
      const key = this.#byId.get(id)
      if (key !== undefined) this.#byId.set(id, { ...key, info: { ...key.info, lastUsedAt: at } })
    }
    await writer.write(
      uses.map(([id, at]) => compile(kysely.updateTable('api_key').set({ last_used_at: at }).where('id', '=', id))),
    )
  }

  async close(): Promise<void> {
    this.#stopWriting()
    await this.writeUses()
  }

  #live(id: string): LiveKey {
    const key = this.#byId.get(id)
    if (key === undefined || isReplaced(key.info, this.#options.clock.now()))
      throw new Refusal('not_found', `No live key has the id "${id}".`)
    return key
  }

  #forget(id: string): void {
    const key = this.#byId.get(id)
    if (key !== undefined) this.#byHash.delete(key.hash)
    this.#byId.delete(id)
    this.#used.delete(id)
    this.#revoked.delete(id)
  }

  /** Its successor has taken over. */
  #lapse(id: string): void {
    const key = this.#byId.get(id)
    if (key === undefined || this.#revoked.has(id)) return
    this.#forget(id)
    this.#addLapsed(key.hash)
  }

  #addLapsed(hash: string): void {
    this.#byHash.set(hash, 'expired')
    this.#lapsed.add(hash)
    const [oldest] = this.#lapsed
    if (this.#lapsed.size <= LAPSED_KEYS_MAX || oldest === undefined) return
    this.#lapsed.delete(oldest)
    this.#byHash.delete(oldest)
  }

  #replacing(id: string, replacedBy: string, revokedAt: number): Statement {
    if (this.#revoked.has(id)) throw new Refusal('not_found', `Key ${id} was revoked meanwhile.`)
    this.#live(id)
    const { kysely, compile } = this.#options.money
    const change = { revoked_at: revokedAt, replaced_by: replacedBy }
    return compile(kysely.updateTable('api_key').set(change).where('id', '=', id))
  }

  async #counted(userId: string | undefined, create: () => Promise<CreatedKey>): Promise<CreatedKey> {
    const now = this.#options.clock.now()
    const over = Array.from(this.#byId.values(), ({ info }) => info).filter((info) => isReplaced(info, now))
    for (const { id } of over.sort((one, other) => (one.revokedAt ?? 0) - (other.revokedAt ?? 0))) this.#lapse(id)
    const all = [...Array.from(this.#byId.values(), ({ info }) => info), ...this.#creating]
    const own = userId === undefined ? 0 : all.filter((key) => key.userId === userId).length
    const [who, most] = own >= KEYS_PER_USER_MAX ? ['You have', KEYS_PER_USER_MAX] : ['There are', LIVE_KEYS_MAX]
    if (own >= most || all.length >= most)
      throw new Refusal('validation_failed', `${who} ${most} keys, as many as there may be: revoke one first.`)
    const creating = { userId }
    this.#creating.add(creating)
    try {
      return await create()
    } finally {
      this.#creating.delete(creating)
    }
  }

  /** Writes a new key and, in the same commit, what `also` says of it. */
  async #store(
    given: Pick<KeyInfo, 'account' | 'userId' | 'name' | 'scopes' | 'networks' | 'expiresAt'>,
    requestHash: string | undefined,
    also?: (id: string) => Statement,
  ): Promise<CreatedKey> {
    const { kysely, writer, compile } = this.#options.money
    const accounts = kysely.selectFrom('account').select('user_id').where('id', '=', given.account)
    const account = await accounts.executeTakeFirst()
    if (account === undefined || (given.userId !== undefined && account.user_id !== given.userId))
      throw refusedField('account', `There is no account "${given.account}".`)
    const owner = account.user_id === null ? undefined : this.#options.ownerOf(account.user_id)
    if (also === undefined && owner !== undefined) refuseMoreThanRole(given.scopes, owner.role)
    const info: KeyInfo = {
      account: given.account,
      userId: account.user_id ?? undefined,
      name: given.name,
      scopes: given.scopes,
      networks: given.networks,
      expiresAt: given.expiresAt,
      id: newId('key'),
      createdAt: this.#options.clock.now(),
      lastUsedAt: undefined,
      revokedAt: undefined,
      replacedBy: undefined,
    }
    const text = `sk_${randomBytes(KEY_BYTES).toString('base64url')}`
    const hash = this.#hash(text)
    const row: Omit<ApiKeyTable, 'user_id'> = {
      id: info.id,
      account: info.account,
      name: info.name,
      scopes: info.scopes.join(','),
      hash,
      created_at: info.createdAt,
      revoked_at: null,
      expires_at: info.expiresAt ?? null,
      networks: info.networks,
      last_used_at: null,
      replaced_by: null,
      request_hash: requestHash ?? null,
    }
    // Its owner is read when it is written: the account may find one meanwhile
    const inserting = compile(kysely.insertInto('api_key').values({ ...row, user_id: accounts }))
    await writer.write(also === undefined ? [inserting] : [inserting, also(info.id)])
    this.#everCreated = true
    const stored = { ...info, userId: info.userId ?? this.#heir }
    this.#add({ info: stored, hash })
    return { ...stored, text }
  }

  #add(key: LiveKey): void {
    const { id, userId } = key.info
    this.#byId.set(id, key)
    const owner = userId === undefined ? MACHINE_OWNER : this.#options.ownerOf(userId)
    if (owner === undefined || this.#revoked.has(id)) this.#byHash.delete(key.hash)
    else this.#byHash.set(key.hash, identityOf(key.info, owner))
  }
}

function remember(hashes: Map<string, string>, key: string, hash: string): void {
  if (hashes.size >= HASHES_KEPT_MAX) hashes.clear()
  hashes.set(key, hash)
}
