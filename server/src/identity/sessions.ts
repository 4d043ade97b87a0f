import { randomBytes } from 'node:crypto'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Database } from '../storage/open.ts'
import type { MoneyDatabase } from '../storage/schema.ts'
import type { KeyedHash } from './keyed-hash.ts'
import { newId } from './new-id.ts'

/** Browsers that one user may be signed in with; the one seen longest ago makes room. */
export const SESSIONS_PER_USER_MAX = 20
const DEVICE_LENGTH_MAX = 200
const SEEN_WRITTEN_EVERY_MS = 60_000
const TOKEN_BYTES = 32

export interface Session {
  readonly id: string
  readonly userId: string
  /** What the browser called itself. */
  readonly device: string
  readonly address: string
  readonly createdAt: number
  /** When the password was last given. */
  readonly confirmedAt: number
  readonly lastSeenAt: number
}

export interface SessionRules {
  readonly idleMs: number
  readonly absoluteMs: number
}

export interface BegunSession {
  readonly session: Session
  /** For the cookie. It is known here and now only. */
  readonly token: string
  readonly expiresAt: number
}

interface Live {
  session: Session
  readonly hash: string
  isUnwritten: boolean
}

export interface SessionStoreOptions {
  readonly money: Database<MoneyDatabase>
  readonly hash: KeyedHash
  readonly clock: Clock
  readonly rules: SessionRules
  readonly onError: (error: unknown) => void
}

/** Who is signed in with which browser. All of it is in memory, so that a request costs a hash and a look-up. */
export class SessionStore {
  readonly #options: SessionStoreOptions
  readonly #byHash = new Map<string, Live>()
  readonly #byId = new Map<string, Live>()
  readonly #stopWriting: () => void

  private constructor(options: SessionStoreOptions) {
    this.#options = options
    this.#stopWriting = options.clock.every(SEEN_WRITTEN_EVERY_MS, () => {
      this.tidy().catch(options.onError)
    })
  }

  static async open(options: SessionStoreOptions): Promise<SessionStore> {
    const store = new SessionStore(options)
    for (const row of await options.money.kysely.selectFrom('session').selectAll().execute()) {
      const session: Session = {
        id: row.id,
        userId: row.user_id,
        device: row.device,
        address: row.address,
        createdAt: row.created_at,
        confirmedAt: row.confirmed_at,
        lastSeenAt: row.last_seen_at,
      }
      store.#add({ session, hash: row.hash, isUnwritten: false })
    }
    return store
  }

  /**
   * Signs a browser in, always under a new token. Throws login_failed when the session was ended, with all of the user's,
   * before it was on disk.
   */
  async begin(userId: string, device: string, address: string): Promise<BegunSession> {
    const { money, hash, clock, rules } = this.#options
    const now = clock.now()
    const token = randomBytes(TOKEN_BYTES).toString('base64url')
    const session: Session = {
      id: newId('ses'),
      userId,
      device: device.slice(0, DEVICE_LENGTH_MAX),
      address,
      createdAt: now,
      confirmedAt: now,
      lastSeenAt: now,
    }
    const live: Live = { session, hash: hash(token), isUnwritten: false }
    const { kysely, writer, compile } = money
    const row = {
      id: session.id,
      hash: live.hash,
      user_id: userId,
      device: session.device,
      address,
      created_at: now,
      confirmed_at: now,
      last_seen_at: now,
    }
    this.#add(live) // nobody knows its token yet, but who ends the user's sessions must find it
    try {
      await writer.write([compile(kysely.insertInto('session').values(row))])
    } catch (error) {
      this.#forget(session.id)
      throw error
    }
    await this.#makeRoom(session)
    if (!this.#byId.has(session.id))
      throw new Refusal('login_failed', 'This session was ended before it had begun. Sign in again.')
    return { session, token, expiresAt: now + rules.absoluteMs }
  }

  /** The session of a token; undefined when there is none or it is over. */
  check(token: string, now: number): Session | undefined {
    const live = this.#byHash.get(this.#options.hash(token))
    if (live === undefined || this.#isOver(live.session, now)) return undefined
    if (live.session.lastSeenAt < now) {
      live.session = { ...live.session, lastSeenAt: now }
      live.isUnwritten = true
    }
    return live.session
  }

  find(id: string): Session | undefined {
    const live = this.#byId.get(id)
    return live === undefined || this.#isOver(live.session, this.#options.clock.now()) ? undefined : live.session
  }

  /** Newest first. */
  list(userId: string): readonly Session[] {
    const now = this.#options.clock.now()
    return Array.from(this.#byId.values(), ({ session }) => session)
      .filter((session) => session.userId === userId && !this.#isOver(session, now))
      .sort((one, other) => other.createdAt - one.createdAt)
  }

  /** The password was given again. */
  async confirm(id: string): Promise<void> {
    const live = this.#byId.get(id)
    if (live === undefined) return
    const now = this.#options.clock.now()
    live.session = { ...live.session, confirmedAt: now }
    const { kysely, writer, compile } = this.#options.money
    await writer.write([compile(kysely.updateTable('session').set({ confirmed_at: now }).where('id', '=', id))])
  }

  /** Ends one session: from this call on its cookie is worth nothing. */
  end(id: string): Promise<void> {
    return this.#end([id])
  }

  /** Ends every session of a user but one; answers how many. */
  async endAll(userId: string, exceptId?: string): Promise<number> {
    const ids = Array.from(this.#byId.values(), ({ session }) => session)
      .filter((session) => session.userId === userId && session.id !== exceptId)
      .map(({ id }) => id)
    await this.#end(ids)
    return ids.length
  }

  /** Forgets what is over, and writes when the others were last seen. */
  async tidy(): Promise<void> {
    const now = this.#options.clock.now()
    const lives = [...this.#byId.values()]
    const { kysely, writer, compile } = this.#options.money
    await this.#end(lives.filter(({ session }) => this.#isOver(session, now)).map(({ session }) => session.id))
    const unwritten = lives.filter((live) => live.isUnwritten && this.#byId.has(live.session.id))
    if (unwritten.length === 0) return
    for (const live of unwritten) live.isUnwritten = false
    await writer.write(
      unwritten.map(({ session }) =>
        compile(kysely.updateTable('session').set({ last_seen_at: session.lastSeenAt }).where('id', '=', session.id)),
      ),
    )
  }

  async close(): Promise<void> {
    this.#stopWriting()
    await this.tidy()
  }

  #isOver(session: Session, now: number): boolean {
    const { idleMs, absoluteMs } = this.#options.rules
    return now >= session.createdAt + absoluteMs || now >= session.lastSeenAt + idleMs
  }

  async #makeRoom(begun: Session): Promise<void> {
    const others = this.list(begun.userId).filter(({ id }) => id !== begun.id)
    if (others.length < SESSIONS_PER_USER_MAX) return
    const longestAgo = others.reduce((oldest, other) => (other.lastSeenAt <= oldest.lastSeenAt ? other : oldest))
    await this.end(longestAgo.id)
  }

  #forget(id: string): void {
    const live = this.#byId.get(id)
    if (live !== undefined) this.#byHash.delete(live.hash)
    this.#byId.delete(id)
  }

  #add(live: Live): void {
    this.#byHash.set(live.hash, live)
    this.#byId.set(live.session.id, live)
  }

  async #end(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return
    for (const id of ids) this.#forget(id)
    const { kysely, writer, compile } = this.#options.money
    await writer.write(ids.map((id) => compile(kysely.deleteFrom('session').where('id', '=', id))))
  }
}
