import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Statement } from '../storage/writer.ts'
import { type Actor, type Audit, entryOf } from './audit.ts'
import type { FailureCounts } from './failure-counts.ts'
import type { LoginChallenges } from './login-challenges.ts'
import { type Attempt, LoginThrottle } from './login-throttle.ts'
import type { PasswordHasher } from './password.ts'
import type { SecondFactor } from './second-factor.ts'
import type { BegunSession, SessionStore } from './sessions.ts'
import { hasTotp, type User, type UserStore } from './users.ts'

/** Where a request to sign in comes from. */
export interface From {
  readonly address: string
  /** What the browser calls itself. */
  readonly device: string
  readonly requestId: string
}

export type LoginResult =
  | { readonly kind: 'session'; readonly begun: BegunSession; readonly user: User }
  /** The password was right; a code must follow with this challenge. */
  | { readonly kind: 'totp'; readonly challenge: string }

export interface SignInOptions {
  readonly users: UserStore
  readonly sessions: SessionStore
  readonly hasher: PasswordHasher
  readonly secondFactor: SecondFactor
  readonly challenges: LoginChallenges
  readonly clock: Clock
  readonly audit: Audit
  readonly failures: FailureCounts
  readonly failedLogin: (address: string) => void
}

/** How people prove who they are. */
export class SignIn {
  readonly #options: SignInOptions
  readonly #throttle: LoginThrottle

  constructor(options: SignInOptions) {
    this.#options = options
    this.#throttle = new LoginThrottle(options.clock, options.failures)
  }

  /** Throws login_failed, the same for a wrong password and an unknown name, or login_locked. */
  async login(name: string, password: string, from: From): Promise<LoginResult> {
    const { users, hasher, challenges } = this.#options
    const user = users.findByName(name)
    const attempt = this.#throttle.attempt(name, user?.id, from.address)
    const right = await undoneOnError(attempt, hasher.verify(user?.passwordHash, password))
    if (!right || user === undefined || user.disabledAt !== undefined || attempt.isTooSoon) {
      throw this.failed(user, from, 'login.failed', WRONG_LOGIN)
    }
    if (hasTotp(user)) {
      attempt.undone()
      return { kind: 'totp', challenge: await challenges.make(user) }
    }
    attempt.succeeded()
    return { kind: 'session', begun: await this.begin(user, from), user }
  }

  /** Second half of a login: a code of the authenticator, or a recovery code. Throws login_failed or login_locked. */
  loginWithCode(token: string, code: string, from: From): Promise<BegunSession> {
    return this.#options.challenges.answer(token, async (challenge) => {
      if (challenge === undefined)
        throw new Refusal('login_failed', 'This login took too long. Sign in again with your name and password.')
      const { user, countTry, ending } = challenge
      const attempt = this.attemptOf(user, from)
      await undoneOnError(attempt, countTry())
      await this.requireCode(user, code, attempt, from, 'login.code-failed', [ending])
      return await this.begin(user, from)
    })
  }

  /** Throws login_failed unless the code is one of this user's; it is used from now on, in one commit with `also`. */
  async requireCode(
    user: User,
    code: string,
    attempt: Attempt,
    from: From,
    action: string,
    also: readonly Statement[] = [],
  ): Promise<void> {
    const { secondFactor, sessions } = this.#options
    const isAtHome = sessions.list(user.id).some(({ address }) => address === from.address)
    // Whoever gets here knows the password. Their guesses must not keep the owner out where the owner is signed in.
    const keys = isAtHome ? undefined : { told: user.id }
    if (!(await undoneOnError(attempt, secondFactor.useCode(user.id, code, keys, also))))
      throw this.failed(user, from, action, 'The code is wrong, or was used before.')
    attempt.succeeded()
  }

  /** The password of who is signed in, once more. Throws login_failed with the field it was in, or login_locked. */
  async requirePassword(user: User, field: string, password: string, from: From): Promise<void> {
    const attempt = this.attemptOf(user, from)
    if (await undoneOnError(attempt, this.#options.hasher.verify(user.passwordHash, password))) {
      attempt.succeeded()
      return
    }
    const { code, message } = this.failed(user, from, 'password.failed', 'The password is wrong.')
    throw new Refusal(code, message, { errors: [{ field, message }] })
  }

  /** Counts a try by a name, whoever it finds. Throws login_locked. */
  attempt(name: string, user: User | undefined, from: From): Attempt {
    return this.#throttle.attempt(name, user?.id, from.address)
  }

  /** Counts a try of who is signed in, or had the password right. Throws login_locked. */
  attemptOf(user: User, from: From): Attempt {
    return this.#throttle.attemptOf(user, from.address)
  }

  /**
   * Tries a link, which names nobody. A wrong one, of which `act` throws link_invalid, is a failed login: audited as
   * `action`, and counted before it is known, so that many at once don't slip through. Throws login_locked.
   */
  async tryLink<T>(from: From, action: string, act: () => Promise<T>): Promise<T> {
    const attempt = this.#throttle.attemptAt(from.address)
    let isWrong = false
    try {
      return await act()
    } catch (error) {
      isWrong = error instanceof Refusal && error.code === 'link_invalid'
      if (isWrong) this.#noteFailure(undefined, from, action)
      throw error
    } finally {
      if (!isWrong) attempt.undone()
    }
  }

  /** Throws login_failed when what was proved of this user doesn't count any more: the password was changed or the user disabled. */
  requireUnchanged({ id, passwordHash }: User): void {
    const present = this.#options.users.find(id)
    if (present?.passwordHash === passwordHash && present.disabledAt === undefined) return
    throw new Refusal('login_failed', 'Your password was changed meanwhile. Sign in again.')
  }

  /** Signs in who proved to be this user. Throws login_failed as `requireUnchanged`. */
  async begin(user: User, from: From): Promise<BegunSession> {
    const { sessions, audit } = this.#options
    this.requireUnchanged(user)
    const begun = await sessions.begin(user.id, from.device, from.address)
    audit(entryOf(actorFrom(user, from), 'session.begun', begun.session.id, { device: begun.session.device }))
    return begun
  }

  /** Notes a failure, and answers what to throw. */
  failed(user: User | undefined, from: From, action: string, message: string): Refusal {
    this.#noteFailure(user, from, action)
    return new Refusal('login_failed', message)
  }

  /** Counts it towards a ban. A name that nobody has isn't noted: it may be a password in the wrong field. */
  #noteFailure(user: User | undefined, from: From, action: string): void {
    const { audit, failedLogin } = this.#options
    failedLogin(from.address)
    const actor = user === undefined ? { name: 'unknown', ...withoutDevice(from) } : actorFrom(user, from)
    audit(entryOf(actor, action, user?.id ?? '', { device: from.device.slice(0, DEVICE_LENGTH_MAX) }))
  }
}

const DEVICE_LENGTH_MAX = 200
/** Also of a right password that came too soon after wrong ones by another name of the same user. */
const WRONG_LOGIN = 'The name or the password is wrong. After several that were, wait a while before the next.'

/** What was cut short by us is no failure of theirs. */
async function undoneOnError<T>(attempt: Attempt, proving: Promise<T>): Promise<T> {
  try {
    return await proving
  } catch (error) {
    attempt.undone()
    throw error
  }
}

const withoutDevice = ({ address, requestId }: From) => ({ address, requestId })

export const actorFrom = (user: User, from: From): Actor => ({ name: user.name, ...withoutDevice(from) })
