import { randomBytes } from 'node:crypto'
import type { Clock } from '../kernel/clock.ts'
import { TurnsByName } from '../kernel/turns.ts'
import type { Database } from '../storage/open.ts'
import type { MoneyDatabase } from '../storage/schema.ts'
import type { Statement } from '../storage/writer.ts'
import type { KeyedHash } from './keyed-hash.ts'
import type { User, UserStore } from './users.ts'

export const CHALLENGE_MS = 5 * 60_000
/** Codes that may be tried for one login. */
export const CHALLENGE_TRIES = 5
/** Logins that wait for their code; the one that waits longest makes room. */
export const CHALLENGES_MAX = 1_000
const TOKEN_BYTES = 32

/** A login whose password was right, and that waits for its code. */
export interface Challenge {
  readonly user: User
  /** Counts a try of a code. It is on disk before the code is judged, so that no restart gives one back. */
  readonly countTry: () => Promise<void>
  /** Ends it in the commit of what it led to. */
  readonly ending: Statement
}

export interface LoginChallengesOptions {
  readonly money: Database<MoneyDatabase>
  readonly users: UserStore
  readonly hash: KeyedHash
  readonly clock: Clock
}

/** The first halves of logins with a second factor, on disk, as hashes under the server's secret. */
export class LoginChallenges {
  readonly #options: LoginChallengesOptions
  /** Codes for one login are tried one after another. */
  readonly #turns = new TurnsByName()

  constructor(options: LoginChallengesOptions) {
    this.#options = options
  }

  /** Answers the token that the second half needs, for a while and until a code was right. */
  async make(user: User): Promise<string> {
    const { money, hash, clock } = this.#options
    const { kysely, writer, compile } = money
    const token = randomBytes(TOKEN_BYTES).toString('base64url')
    const now = clock.now()
    const newest = kysely.selectFrom('login_challenge').select('hash').orderBy('expires_at', 'desc')
    const row = {
      hash: hash(token),
      user_id: user.id,
      password_mark: this.#markOf(user),
      expires_at: now + CHALLENGE_MS,
      tries: 0,
    }
    await writer.write([
      compile(kysely.deleteFrom('login_challenge').where('expires_at', '<=', now)),
      compile(kysely.deleteFrom('login_challenge').where('hash', 'in', newest.limit(-1).offset(CHALLENGES_MAX - 1))),
      compile(kysely.insertInto('login_challenge').values(row)),
    ])
    return token
  }

  /**
   * Lets `act` answer a challenge, one at a time. It gets undefined when there is none (any more): too old, tried too
   * often, or the password was changed or the user disabled meanwhile.
   */
  answer<T>(token: string, act: (challenge: Challenge | undefined) => Promise<T>): Promise<T> {
    const hash = this.#options.hash(token)
    return this.#turns.run(hash, async () => act(await this.#find(hash)))
  }

  async #find(hash: string): Promise<Challenge | undefined> {
    const { users, clock } = this.#options
    const { kysely, writer, compile } = this.#options.money
    const row = await kysely
      .selectFrom('login_challenge')
      .select(['user_id', 'password_mark'])
      .where('hash', '=', hash)
      .where('expires_at', '>', clock.now())
      .where('tries', '<', CHALLENGE_TRIES)
      .executeTakeFirst()
    const user = row === undefined ? undefined : users.find(row.user_id)
    if (user === undefined || user.disabledAt !== undefined || row?.password_mark !== this.#markOf(user))
      return undefined
    const counting = kysely.updateTable('login_challenge').set((column) => ({ tries: column('tries', '+', 1) }))
    return {
      user,
      countTry: () => writer.write([compile(counting.where('hash', '=', hash))]),
      ending: compile(kysely.deleteFrom('login_challenge').where('hash', '=', hash)),
    }
  }

  /** Another one after each change of the password. */
  #markOf(user: User): string {
    return this.#options.hash(`password of a login\n${user.passwordHash}`)
  }
}
