import { sql } from 'kysely'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import { canonicalAddress, type Networks, ownerOf } from '../kernel/networks.ts'
import type { Database } from '../storage/open.ts'
import type { BanTable, MoneyDatabase } from '../storage/schema.ts'
import type { Statement } from '../storage/writer.ts'
import { type Actor, type Audit, entryOf, ITSELF } from './audit.ts'
import { refusedField } from './refused-field.ts'

export const BAN_HOURS_MAX = 87_600
export const BAN_REASON_LENGTH_MAX = 200
/** Bans in force. */
export const BANS_MAX = 10_000
/** Bans that are kept, those in force and those that were; the oldest that are over make room. */
export const HISTORY_ROWS_MAX = 100_000
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
  /** Canonical; or a network of IPv6, such as `2001:db8:0:0::/64`, which is one client with all its addresses. */
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
  /** Proxies, which many come through: never banned by itself. */
  readonly proxies: Networks
  readonly onError: (error: unknown) => void
}

interface Count {
  readonly since: number
  counts: Record<Misdeed, number>
}

/** Never banned: the machine itself. */
const isLoopback = (address: string): boolean =>
  address.startsWith('127.') || address === '::1' || address === ownerOf('::1')

/** Addresses that are refused, in memory; what is written happens after the request that caused it. */
export class BanList {
  readonly #options: BanListOptions
  readonly #inForce = new Map<string, Ban>()
  readonly #counts = new Map<string, Count>()
  /** In force while their length is found out; the disk doesn't know them yet. */
  readonly #provisional = new Set<Ban>()

  readonly #keptRowsMax: number

  private constructor(options: BanListOptions, keptRowsMax: number) {
    this.#options = options
    this.#keptRowsMax = keptRowsMax
  }

  static async open(options: BanListOptions, keptRowsMax = HISTORY_ROWS_MAX): Promise<BanList> {
    const list = new BanList(options, keptRowsMax)
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

  /** The ban that is in force for a canonical address: its own, or that of its network of IPv6. */
  of(address: string): Ban | undefined {
    if (this.#inForce.size === 0) return undefined
    return this.#exactly(address) ?? (address.includes(':') ? this.#exactly(ownerOf(address)) : undefined)
  }

  #exactly(subject: string): Ban | undefined {
    const ban = this.#inForce.get(subject)
    if (ban === undefined || ban.expiresAt === undefined || ban.expiresAt > this.#options.clock.now()) return ban
    this.#inForce.delete(subject)
    return undefined
  }

  /** Bans in force, newest first. */
  list(): readonly Ban[] {
    return [...this.#inForce.keys()]
      .map((subject) => this.#exactly(subject))
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

  /** Bans an address, or a network of IPv6 written as `2001:db8::/64`, for so many hours or for ever. In force at once. */
  async ban(address: string, reason: string, hours: number | undefined, actor: Actor): Promise<Ban> {
    const subject = subjectOf(address)
    if (subject === undefined)
      throw refusedField(
        'address',
        `"${address.slice(0, 64)}" is no IP address, and no network of IPv6 that ends in /64.`,
      )
    if (isLoopback(subject)) throw refusedField('address', 'This machine itself is never banned.')
    if (subject === actor.address || subject === ownerOf(actor.address))
      throw refusedField('address', 'This is your own address: you would lock yourself out.')
    if (hours !== undefined && !(Number.isInteger(hours) && hours >= 1 && hours <= BAN_HOURS_MAX))
      throw refusedField('hours', `Must be a whole number from 1 to ${BAN_HOURS_MAX}. Got ${hours}.`)
    if (!this.#inForce.has(subject) && this.#isFull())
      throw new Refusal('validation_failed', `There are ${BANS_MAX} bans, as many as there may be: lift one first.`)
    const now = this.#options.clock.now()
    const ban: Ban = {
      address: subject,
      reason: reason.slice(0, BAN_REASON_LENGTH_MAX),
      cause: 'manual',
      createdBy: actor.name,
      createdAt: now,
      expiresAt: hours === undefined ? undefined : now + hours * HOUR_MS,
    }
    await this.#put(ban, actor)
    return ban
  }

  /** Lets an address come again, or a network of IPv6. Throws not_found unless it is banned now. */
  async lift(address: string, actor: Actor): Promise<void> {
    const subject = subjectOf(address) ?? address
    const lifted = [subject, ownerOf(subject)].map((one) => this.#exactly(one)).filter((ban) => ban !== undefined)
    if (lifted.length === 0) throw new Refusal('not_found', `${address.slice(0, 64)} isn't banned.`)
    const { money, clock, audit } = this.#options
    const now = clock.now()
    for (const ban of lifted) if (this.#provisional.has(ban)) this.#inForce.delete(ban.address)
    const subjects = new Set(lifted.map((ban) => ban.address))
    await money.writer.write([...subjects].map((one) => this.#lifting(one, now, actor)))
    for (const ban of lifted) if (this.#inForce.get(ban.address) === ban) this.#inForce.delete(ban.address)
    this.#counts.delete(ownerOf(subject))
    for (const one of subjects) audit(entryOf(actor, 'ban.lifted', one))
  }

  /**
   * Counts a misdeed of a canonical address; the one that is too many bans it, if that is switched on. Never waits. IPv6
   * is counted and banned by networks of 64 bits.
   */
  note(address: string, misdeed: Misdeed): void {
    const { rules, clock, proxies } = this.#options
    if (!rules.automatic || address === '' || isLoopback(address) || proxies.contains(address)) return
    const subject = ownerOf(address)
    const now = clock.now()
    let count = this.#counts.get(subject)
    if (count === undefined || now >= count.since + rules.windowMs) {
      this.#counts.delete(subject) // so that the map is ordered by when the counts began
      count = { since: now, counts: { not_found: 0, bad_key: 0, failed_login: 0 } }
      this.#counts.set(subject, count)
      if (this.#counts.size > COUNTED_ADDRESSES_MAX) {
        const [oldest] = this.#counts.keys()
        if (oldest !== undefined) this.#counts.delete(oldest)
      }
    }
    count.counts[misdeed] += 1
    if (count.counts[misdeed] < rules.thresholds[misdeed] || this.of(address) !== undefined) return
    this.#counts.delete(subject)
    this.#banItself(subject, misdeed, now).catch(this.#options.onError)
  }

  async #banItself(address: string, cause: Misdeed, now: number): Promise<void> {
    const { rules } = this.#options
    const provisional: Ban = {
      address,
      reason: REASONS[cause],
      cause,
      createdBy: ITSELF.name,
      createdAt: now,
      expiresAt: now + rules.firstMs,
    }
    if (this.#isFull()) throw new Error(`there are ${BANS_MAX} bans already, so ${address} isn't banned`)
    this.#inForce.set(address, provisional)
    this.#provisional.add(provisional)
    const earlier = await this.#earlierBans(address, now).finally(() => this.#provisional.delete(provisional))
    if (this.#inForce.get(address) !== provisional) return // somebody lifted it, or banned by hand, meanwhile
    const lengthMs = Math.min(rules.firstMs * 2 ** Math.min(earlier, 30), AUTOMATIC_MS_MAX)
    await this.#put({ ...provisional, expiresAt: now + lengthMs }, ITSELF)
  }

  /** Automatic bans of an address that count for the length of the next one. */
  async #earlierBans(address: string, now: number): Promise<number> {
    const { count } = await this.#options.money.kysely
      .selectFrom('ban')
      .select((row) => row.fn.countAll<number>().as('count'))
      .where('address', '=', address)
      .where('cause', '!=', 'manual')
      .where('created_at', '>', now - HISTORY_MS)
      .executeTakeFirstOrThrow()
    return count
  }

  /** Drops what has expired when there are many. */
  #isFull(): boolean {
    if (this.#inForce.size >= BANS_MAX) for (const subject of [...this.#inForce.keys()]) this.#exactly(subject)
    return this.#inForce.size >= BANS_MAX
  }

  #lifting(address: string, now: number, actor: Actor): Statement {
    const { kysely, compile } = this.#options.money
    const lifting = kysely.updateTable('ban').set({ lifted_at: now, lifted_by: actor.name })
    return compile(
      lifting
        .where('address', '=', address)
        .where('lifted_at', 'is', null)
        .where((row) => row.or([row('expires_at', 'is', null), row('expires_at', '>', now)])),
    )
  }

  #forgetting(now: number): Statement {
    const { kysely, compile } = this.#options.money
    const newest = kysely.selectFrom('ban').select((row) => row.fn.max('id').as('id'))
    return compile(
      kysely
        .deleteFrom('ban')
        .where((row) => row('id', '<=', sql<number>`(${newest}) - ${this.#keptRowsMax}`))
        .where((row) => row.or([row('lifted_at', 'is not', null), row('expires_at', '<=', now)])),
    )
  }

  /** In place of a ban of the same address that is in force. */
  async #put(ban: Ban, actor: Actor): Promise<void> {
    this.#inForce.delete(ban.address) // so that the map is ordered by when they began
    this.#inForce.set(ban.address, ban)
    const { kysely, writer, compile } = this.#options.money
    await writer.write([
      this.#lifting(ban.address, ban.createdAt, actor),
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
      this.#forgetting(ban.createdAt),
    ])
    const { reason, cause, expiresAt } = ban
    this.#options.audit(entryOf(actor, 'ban.created', ban.address, { reason, cause, expiresAt: expiresAt ?? null }))
  }
}

/** What a ban of this text is of; undefined when it is neither an address nor a network of one client. */
function subjectOf(text: string): string | undefined {
  const network = /^(.+)\/64$/.exec(text.trim())?.[1]
  const address = canonicalAddress(network ?? text)
  if (network === undefined || address === undefined) return address
  return address.includes(':') ? ownerOf(address) : undefined
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
