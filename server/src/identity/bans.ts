import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { canonicalAddress, Networks } from '../kernel/networks.ts'
import type { Database } from '../storage/open.ts'
import type { BanTable, MoneyDatabase } from '../storage/schema.ts'
import { type Actor, type Audit, entryOf, ITSELF } from './audit.ts'
import { refusedField } from './refused-field.ts'

export const BAN_HOURS_MAX = 87_600
export const BAN_REASON_LENGTH_MAX = 200
/** Bans in force. */
export const BANS_MAX = 10_000
/** Addresses whose misdeeds are counted; the one whose count began first is forgotten when there are more. */
export const COUNTED_ADDRESSES_MAX = 10_000
/** Automatic bans grow with earlier ones of the last so many days. */
const HISTORY_MS = 90 * 86_400_000
const AUTOMATIC_MS_MAX = 30 * 86_400_000
const HOUR_MS = 3_600_000

export const BAN_CAUSES = ['manual', 'not_found', 'bad_key', 'failed_login'] as const
export type BanCause = (typeof BAN_CAUSES)[number]
type Misdeed = Exclude<BanCause, 'manual'>

export interface Ban {
  readonly address: string
  readonly reason: string
  readonly cause: BanCause
  readonly createdBy: string
  readonly createdAt: number
  /** Undefined for ever. */
  readonly expiresAt: number | undefined
}

/** One that was, or is: `id` grows with time. */
export interface PastBan extends Ban {
  readonly id: number
  readonly liftedAt: number | undefined
  readonly liftedBy: string | undefined
}

export interface BanRules {
  readonly automatic: boolean
  readonly windowMs: number
  /** So many misdeeds of an address within the window ban it. */
  readonly thresholds: Readonly<Record<Misdeed, number>>
  /** Length of an address's first automatic ban; each later one is twice as long. */
  readonly firstMs: number
}

export interface BanListOptions {
  readonly money: Database<MoneyDatabase>
  readonly clock: Clock
  readonly rules: BanRules
  readonly audit: Audit
  readonly onError: (error: unknown) => void
}

interface Count {
  readonly since: number
  counts: Record<Misdeed, number>
}

/** Never banned: the machine itself. */
const LOOPBACK = Networks.parse('127.0.0.0/8,::1')
const isLoopback = (address: string): boolean => LOOPBACK instanceof Networks && LOOPBACK.contains(address)

/** Addresses that are refused, in memory; what is written happens after the request that caused it. */
export class BanList {
  readonly #options: BanListOptions
  readonly #inForce = new Map<string, Ban>()
  readonly #counts = new Map<string, Count>()

  private constructor(options: BanListOptions) {
    this.#options = options
  }

  static async open(options: BanListOptions): Promise<BanList> {
    const list = new BanList(options)
    const now = options.clock.now()
    const rows = await options.money.kysely
      .selectFrom('ban')
      .selectAll()
      .where('lifted_at', 'is', null)
      .where((row) => row.or([row('expires_at', 'is', null), row('expires_at', '>', now)]))
      .orderBy('id')
      .execute()
    for (const row of rows) list.#inForce.set(row.address, banOf(row))
    return list
  }

  /** The ban that is in force for a canonical address. */
  of(address: string): Ban | undefined {
    if (this.#inForce.size === 0) return undefined
    const ban = this.#inForce.get(address)
    if (ban === undefined || ban.expiresAt === undefined || ban.expiresAt > this.#options.clock.now()) return ban
    this.#inForce.delete(address)
    return undefined
  }

  /** Bans in force, newest first. */
  list(): readonly Ban[] {
    return [...this.#inForce.keys()]
      .map((address) => this.of(address))
      .filter((ban) => ban !== undefined)
      .reverse()
  }

  /** Every ban that ever was, newest first, from below an id. */
  async history(limit: number, below: number | undefined): Promise<readonly PastBan[]> {
    const query = this.#options.money.kysely.selectFrom('ban').selectAll().orderBy('id', 'desc').limit(limit)
    const rows = await (below === undefined ? query : query.where('id', '<', below)).execute()
    return rows.map((row) => ({
      ...banOf(row),
      id: row.id,
      liftedAt: row.lifted_at ?? undefined,
      liftedBy: row.lifted_by ?? undefined,
    }))
  }

  /** Bans by hand, for so many hours or for ever. In force at once. */
  async ban(address: string, reason: string, hours: number | undefined, actor: Actor): Promise<Ban> {
    const canonical = canonicalAddress(address)
    if (canonical === undefined) throw refusedField('address', `"${address.slice(0, 64)}" is no IP address.`)
    if (isLoopback(canonical)) throw refusedField('address', 'This machine itself is never banned.')
    if (canonical === actor.address)
      throw refusedField('address', 'This is your own address: you would lock yourself out.')
    if (hours !== undefined && !(Number.isInteger(hours) && hours >= 1 && hours <= BAN_HOURS_MAX))
      throw refusedField('hours', `Must be a whole number from 1 to ${BAN_HOURS_MAX}. Got ${hours}.`)
    if (this.#inForce.size >= BANS_MAX) throw new Refusal('validation_failed', `There are ${BANS_MAX} bans already.`)
    const now = this.#options.clock.now()
    const ban: Ban = {
      address: canonical,
      reason: reason.slice(0, BAN_REASON_LENGTH_MAX),
      cause: 'manual',
      createdBy: actor.name,
      createdAt: now,
      expiresAt: hours === undefined ? undefined : now + hours * HOUR_MS,
    }
    await this.#put(ban, actor)
    return ban
  }

  /** Throws not_found unless the address is banned now. */
  async lift(address: string, actor: Actor): Promise<void> {
    const canonical = canonicalAddress(address) ?? address
    if (this.of(canonical) === undefined) throw new Refusal('not_found', `${address.slice(0, 64)} isn't banned.`)
    const { money, clock, audit } = this.#options
    const { kysely, writer, compile } = money
    const lifting = kysely.updateTable('ban').set({ lifted_at: clock.now(), lifted_by: actor.name })
    await writer.write([compile(lifting.where('address', '=', canonical).where('lifted_at', 'is', null))])
    this.#inForce.delete(canonical)
    this.#counts.delete(canonical)
    audit(entryOf(actor, 'ban.lifted', canonical))
  }

  /** Counts a misdeed; the one that is too many bans the address, if that is switched on. Never waits. */
  note(address: string, misdeed: Misdeed): void {
    const { rules, clock } = this.#options
    if (!rules.automatic || isLoopback(address) || address === '') return
    const now = clock.now()
    let count = this.#counts.get(address)
    if (count === undefined || now >= count.since + rules.windowMs) {
      this.#counts.delete(address)
      count = { since: now, counts: { not_found: 0, bad_key: 0, failed_login: 0 } }
      this.#counts.set(address, count)
      if (this.#counts.size > COUNTED_ADDRESSES_MAX) {
        const [oldest] = this.#counts.keys()
        if (oldest !== undefined) this.#counts.delete(oldest)
      }
    }
    count.counts[misdeed] += 1
    if (count.counts[misdeed] < rules.thresholds[misdeed] || this.of(address) !== undefined) return
    this.#counts.delete(address)
    this.#banItself(address, misdeed, now).catch(this.#options.onError)
  }

  async #banItself(address: string, cause: Misdeed, now: number): Promise<void> {
    const { rules, money } = this.#options
    const provisional: Ban = {
      address,
      reason: REASONS[cause],
      cause,
      createdBy: ITSELF.name,
      createdAt: now,
      expiresAt: now + rules.firstMs,
    }
    if (this.#inForce.size >= BANS_MAX) return
    this.#inForce.set(address, provisional) // while its history is looked up
    const earlier = await money.kysely
      .selectFrom('ban')
      .select((row) => row.fn.countAll<number>().as('count'))
      .where('address', '=', address)
      .where('created_at', '>', now - HISTORY_MS)
      .executeTakeFirstOrThrow()
    const lengthMs = Math.min(rules.firstMs * 2 ** Math.min(earlier.count, 30), AUTOMATIC_MS_MAX)
    await this.#put({ ...provisional, expiresAt: now + lengthMs }, ITSELF)
  }

  async #put(ban: Ban, actor: Actor): Promise<void> {
    this.#inForce.set(ban.address, ban)
    const { kysely, writer, compile } = this.#options.money
    await writer.write([
      compile(
        kysely.insertInto('ban').values({
          address: ban.address,
          reason: ban.reason,
          cause: ban.cause,
          created_by: ban.createdBy,
          created_at: ban.createdAt,
          expires_at: ban.expiresAt ?? null,
          lifted_at: null,
          lifted_by: null,
        }),
      ),
    ])
    const { reason, cause, expiresAt } = ban
    this.#options.audit(entryOf(actor, 'ban.created', ban.address, { reason, cause, expiresAt: expiresAt ?? null }))
  }
}

const REASONS: Readonly<Record<Misdeed, string>> = {
  not_found: 'Asked for too many pages that do not exist.',
  bad_key: 'Tried too many API keys that do not exist.',
  failed_login: 'Failed to sign in too often.',
}

function banOf(row: Omit<BanTable, 'id'>): Ban {
  return {
    address: row.address,
    reason: row.reason,
    cause: BAN_CAUSES.find((cause) => cause === row.cause) ?? 'manual',
    createdBy: row.created_by,
    createdAt: row.created_at,
    expiresAt: row.expires_at ?? undefined,
  }
}
