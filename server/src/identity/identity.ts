import { Refusal } from '../kernel/errors.ts'
import { InTurn } from '../kernel/turns.ts'
import type { Statement } from '../storage/writer.ts'
import { type Actor, entryOf } from './audit.ts'
import { type Caller, checkedRole, SESSION_SCOPES } from './caller.ts'
import { FailureLog } from './failure-log.ts'
import type { IdentityOptions, WantedUser } from './identity-options.ts'
import { keyedHash } from './keyed-hash.ts'
import { LoginChallenges } from './login-challenges.ts'
import { OneTimeLinks } from './one-time-links.ts'
import { checkPassword, PasswordHasher, passwordProblem, refusePassword } from './password.ts'
import { invalidLink, PasswordReset } from './password-reset.ts'
import { RecoveryCodes } from './recovery-codes.ts'
import { checkedFields, refusedField } from './refused-field.ts'
import { Sealer } from './sealed.ts'
import { SecondFactor } from './second-factor.ts'
import { openSecret } from './secret.ts'
import { type BegunSession, type Session, SessionStore } from './sessions.ts'
import { actorFrom, type From, type LoginResult, SignIn } from './sign-in.ts'
import type { TotpEnrolment } from './totp.ts'
import { hasTotp, type User, UserStore } from './users.ts'

export type { From, LoginResult }

export const SET_UP_LINK_MS = 30 * 60_000
/** What touches keys and users asks for the password again when it was given longer ago. */
export const FRESH_MS = 15 * 60_000

/** Who may use an instance, and how they prove it: users, passwords, second factors, sessions, set-up and reset. */
export class Identity {
  readonly users: UserStore
  readonly sessions: SessionStore
  readonly hasher: PasswordHasher
  readonly #options: IdentityOptions
  readonly #links: OneTimeLinks
  readonly #secondFactor: SecondFactor
  readonly #signIn: SignIn
  readonly #reset: PasswordReset
  /** Who is the first user or the last admin, and which password counts, is decided by one at a time. */
  readonly #deciding = new InTurn()
  readonly #failureLog: FailureLog

  private constructor(
    options: IdentityOptions,
    users: UserStore,
    sessions: SessionStore,
    failureLog: FailureLog,
    secret: Buffer,
  ) {
    const { clock, hasher = new PasswordHasher() } = options
    const { money } = options.databases
    const hash = keyedHash(secret)
    const links = new OneTimeLinks(money, hash, clock)
    const codes = new RecoveryCodes(money, hash, clock)
    const failures = failureLog.counts
    const sealer = new Sealer(secret, 'totp')
    const secondFactor = new SecondFactor({ money, users, codes, sealer, clock, failures })
    const challenges = new LoginChallenges({ money, users, hash, clock })
    const signIn = new SignIn({ ...options, users, sessions, hasher, secondFactor, challenges, failures })
    this.#options = options
    this.#failureLog = failureLog
    this.users = users
    this.sessions = sessions
    this.hasher = hasher
    this.#links = links
    this.#secondFactor = secondFactor
    this.#signIn = signIn
    this.#reset = new PasswordReset({
      ...{ ...options, users, links, signIn, secondFactor, checkPassword },
      setPassword: (user, password, also) => this.#setPassword(user, password, also),
    })
  }

  static async open(options: IdentityOptions): Promise<Identity> {
    const { databases, dataDir, clock, sessionRules, onError } = options
    const users = await UserStore.open(databases.money, clock)
    const secret = openSecret(dataDir, users.count > 0)
    const hash = keyedHash(secret)
    const sessions = await SessionStore.open({ money: databases.money, hash, clock, rules: sessionRules, onError })
    const failureLog = await FailureLog.open({ record: databases.record, hash, clock, onError })
    return new Identity(options, users, sessions, failureLog, secret)
  }

  async close(): Promise<void> {
    await Promise.all([this.sessions.close(), this.#failureLog.close()])
  }

  // Set-up

  get isSetUp(): boolean {
    return this.users.count > 0
  }

  get canMail(): boolean {
    return this.#options.mailer !== undefined
  }

  /** A token that sets the instance up, in place of every earlier one; undefined when it is set up. */
  async newSetUpToken(): Promise<string | undefined> {
    if (this.isSetUp) return undefined
    return await this.#links.make('set-up', undefined, SET_UP_LINK_MS, [this.#links.dropping('set-up', undefined)])
  }

  /** Throws already_set_up, login_locked, or link_invalid unless the token would set the instance up now. */
  requireSetUpToken(token: string, from: From): Promise<void> {
    return this.#tryToSetUp(from, async () => {
      if ((await this.#links.look('set-up', token)) === undefined) throw invalidSetUpLink()
    })
  }

  /** Creates the first user, an admin, who owns from now on what belonged to nobody, and signs them in. Throws likewise. */
  setUp(wanted: Omit<WantedUser, 'role'> & { readonly token: string }, from: From): Promise<BegunSession> {
    return this.#tryToSetUp(from, async () => {
      let created: User | undefined
      const worked = await this.#links.use('set-up', wanted.token, async () => {
        const checked = await this.#checkedUser({ ...wanted, role: 'admin' })
        created = await this.#deciding.run(() => {
          if (this.isSetUp) throw alreadySetUp()
          return this.#createFirst(checked, (user) => actorFrom(user, from))
        })
      })
      if (!worked || created === undefined) throw invalidSetUpLink()
      return await this.#signIn.begin(created, from)
    })
  }

  async #tryToSetUp<T>(from: From, act: () => Promise<T>): Promise<T> {
    if (this.isSetUp) throw alreadySetUp()
    return await this.#signIn.tryLink(from, 'set-up.failed', act)
  }

  // Signing in

  /** Throws login_failed, the same for a wrong password and an unknown name, or login_locked. */
  login(name: string, password: string, from: From): Promise<LoginResult> {
    return this.#signIn.login(name, password, from)
  }

  /** Second half of a login: a code of the authenticator, or a recovery code. Throws login_failed or login_locked. */
  loginWithCode(challenge: string, code: string, from: From): Promise<BegunSession> {
    return this.#signIn.loginWithCode(challenge, code, from)
  }

  async logout(session: Session, actor: Actor): Promise<void> {
    await this.sessions.end(session.id)
    this.#options.audit(entryOf(actor, 'session.ended', session.id))
  }

  /** Who is signed in with a cookie's token, on the account that `accountOf` names for the user. */
  callerOf(token: string, now: number, accountOf: (userId: string) => string): Caller | undefined {
    const session = this.sessions.check(token, now)
    const user = session === undefined ? undefined : this.users.find(session.userId)
    if (session === undefined || user === undefined || user.disabledAt !== undefined) return undefined
    return {
      kind: 'session',
      userId: user.id,
      userName: user.name,
      role: user.role,
      account: accountOf(user.id),
      keyId: undefined,
      sessionId: session.id,
      scopes: SESSION_SCOPES[user.role],
    }
  }

  /**
   * Throws reauthentication_required when the password of a session was given too long ago. A key passes: no browser
   * sends one by itself.
   */
  requireFresh(caller: Caller, now: number): void {
    if (caller.kind === 'key') return
    const session = caller.sessionId === undefined ? undefined : this.sessions.find(caller.sessionId)
    if (session !== undefined && now < session.confirmedAt + FRESH_MS) return
    throw new Refusal(
      'reauthentication_required',
      'Give your password again first: this touches what others sign in with.',
    )
  }

  /** The password of who is signed in, once more. Throws login_failed. */
  async confirm(caller: Caller, password: string, from: From): Promise<void> {
    const user = this.#userOf(caller)
    await this.#signIn.requirePassword(user, 'password', password, from)
    if (caller.sessionId === undefined) return
    await this.sessions.confirm(caller.sessionId)
    this.#options.audit(entryOf(actorFrom(user, from), 'session.confirmed', caller.sessionId))
  }

  // Passwords

  /** Ends every session of the user and begins a new one for this browser. Throws login_failed, validation_failed. */
  async changePassword(caller: Caller, current: string, wanted: string, from: From): Promise<BegunSession> {
    const user = this.#userOf(caller)
    await this.#signIn.requirePassword(user, 'current_password', current, from)
    await checkPassword('new_password', wanted, [user.name, user.email])
    const changed = await this.#setPassword(user, wanted)
    this.#options.audit(entryOf(actorFrom(user, from), 'password.changed', user.id))
    return await this.#signIn.begin(changed, from)
  }

  /** Mails a link to set a new password, if there is such a user and mail is set up, without telling which it was. */
  forgot(name: string, from: From): void {
    this.#reset.forgot(name, from)
  }

  /** Address of a page where the user sets a new password: for who the owner of the machine lets in again. */
  resetLink(user: User, actor: Actor): Promise<string> {
    return this.#reset.link(user, actor)
  }

  /** Throws link_invalid unless a link would set a password now, or login_locked after too many wrong ones. */
  requireResetLink(token: string, from: From): Promise<void> {
    return this.#reset.requireLink(token, from)
  }

  /** Sets a password with a link. Throws link_invalid, login_locked, or validation_failed: the link works on. */
  resetByLink(token: string, wanted: string, from: From): Promise<void> {
    return this.#reset.byLink(token, wanted, from)
  }

  /** Sets a password with a code of the authenticator or a recovery code. Throws login_failed or login_locked. */
  resetByCode(name: string, code: string, wanted: string, from: From): Promise<void> {
    return this.#reset.byCode(name, code, wanted, from)
  }

  /** Sets a password on the owner's word. */
  async overridePassword(user: User, wanted: string, actor: Actor): Promise<void> {
    await checkPassword('password', wanted, [user.name, user.email])
    await this.#setPassword(user, wanted, [], () => undefined)
    this.#options.audit(entryOf(actor, 'password.reset', user.id, { name: user.name, by: 'owner' }))
  }

  // Second factor

  /** Makes a secret, which counts once a code has proved it. */
  async enrolTotp(caller: Caller, password: string, from: From): Promise<TotpEnrolment> {
    const user = this.#userOf(caller)
    await this.#signIn.requirePassword(user, 'password', password, from)
    return await this.#secondFactor.enrol(user)
  }

  /** Proves the secret with a code and answers the recovery codes. Throws totp_invalid. */
  async confirmTotp(caller: Caller, code: string, from: From): Promise<readonly string[]> {
    const user = this.#userOf(caller)
    const codes = await this.#secondFactor.confirm(user, code)
    this.#options.audit(entryOf(actorFrom(user, from), 'totp.enabled', user.id))
    return codes
  }

  async disableTotp(caller: Caller, password: string, code: string, from: From): Promise<void> {
    const user = this.#userOf(caller)
    await this.#signIn.requirePassword(user, 'password', password, from)
    if (!hasTotp(user)) throw new Refusal('totp_missing', 'There is no second factor to remove.')
    const attempt = this.#signIn.attemptOf(user, from)
    await this.#signIn.requireCode(user, code, attempt, from, 'totp.failed')
    await this.removeTotp(user, actorFrom(user, from))
  }

  async removeTotp(user: User, actor: Actor): Promise<void> {
    await this.#secondFactor.remove(user)
    this.#options.audit(entryOf(actor, 'totp.disabled', user.id, { name: user.name }))
  }

  async renewRecoveryCodes(caller: Caller, password: string, from: From): Promise<readonly string[]> {
    const user = this.#userOf(caller)
    await this.#signIn.requirePassword(user, 'password', password, from)
    const codes = await this.#secondFactor.renewRecoveryCodes(user)
    this.#options.audit(entryOf(actorFrom(user, from), 'totp.codes-renewed', user.id))
    return codes
  }

  recoveryCodesLeft(userId: string): Promise<number> {
    return this.#secondFactor.recoveryCodesLeft(userId)
  }

  // Sessions and users

  async endSession(caller: Caller, id: string, actor: Actor): Promise<void> {
    const session = this.sessions.find(id)
    if (session === undefined || session.userId !== caller.userId)
      throw new Refusal('not_found', `You have no session with the id "${id}".`)
    await this.logout(session, actor)
  }

  async endOtherSessions(caller: Caller, actor: Actor): Promise<number> {
    const user = this.#userOf(caller)
    const ended = await this.sessions.endAll(user.id, caller.sessionId)
    this.#options.audit(entryOf(actor, 'session.others-ended', user.id, { ended }))
    return ended
  }

  /** Creates a user with an account; the first one must be an admin, and owns what belonged to nobody. */
  async createUser(wanted: WantedUser, actor: Actor): Promise<User> {
    const checked = await this.#checkedUser(wanted)
    return await this.#deciding.run(async () => {
      if (!this.isSetUp) return await this.#createFirst(checked, () => actor)
      const user = await this.users.create(checked)
      await this.#options.openAccount(user.id)
      this.#options.audit(entryOf(actor, 'user.created', user.id, { name: user.name, role: user.role }))
      return user
    })
  }

  /** Changes a role, or disables or enables; sessions of somebody who is disabled or has another role end at once. */
  changeUser(
    id: string,
    change: { readonly role?: string | undefined; readonly disabled?: boolean | undefined },
    actor: Actor,
  ): Promise<User> {
    return this.#deciding.run(async () => {
      const user = this.users.find(id)
      if (user === undefined) throw new Refusal('not_found', `There is no user with the id "${id}".`)
      const role = change.role === undefined ? user.role : checkedRole(change.role)
      const isDisabled = change.disabled ?? user.disabledAt !== undefined
      const wasAdmin = user.role === 'admin' && user.disabledAt === undefined
      if (wasAdmin && (role !== 'admin' || isDisabled) && this.users.enabledAdmins === 1) {
        throw new Refusal('last_admin', `${user.name} is the only admin. Make somebody else an admin first.`)
      }
      const disabledAt = isDisabled ? (user.disabledAt ?? this.#options.clock.now()) : undefined
      const changed = await this.users.update(id, { role, disabledAt })
      this.#options.userChanged(id)
      if (role !== user.role || isDisabled) await this.sessions.endAll(id)
      this.#options.audit(entryOf(actor, 'user.changed', id, { name: user.name, role, disabled: isDisabled }))
      return changed
    })
  }

  async #checkedUser({ name, email, password, role }: WantedUser) {
    const problem = await passwordProblem(password, [name, email])
    const [checked] = checkedFields(
      () => checkedRole(role),
      () => this.users.checkNew(name, email),
      () => refusePassword('password', problem),
    )
    if (!this.isSetUp && checked !== 'admin') throw refusedField('role', 'The first user must be an admin.')
    return { name, email, role: checked, passwordHash: await this.hasher.hash(password) }
  }

  async #createFirst(wanted: Parameters<UserStore['create']>[0], actorOf: (user: User) => Actor): Promise<User> {
    const { kysely, compile } = this.#options.databases.money
    const adopting = (id: string): readonly Statement[] => [
      compile(kysely.updateTable('account').set({ user_id: id }).where('user_id', 'is', null)),
      compile(kysely.updateTable('api_key').set({ user_id: id }).where('user_id', 'is', null)),
    ]
    const user = await this.users.create(wanted, adopting)
    this.#options.adopted(user.id)
    const { name, role } = user
    this.#options.audit(entryOf(actorOf(user), 'user.created', user.id, { name, role, isFirst: true }))
    return user
  }

  #userOf(caller: Caller): User {
    const user = caller.userId === undefined ? undefined : this.users.find(caller.userId)
    if (user === undefined) throw new Refusal('session_missing', 'Sign in first: this needs a signed-in person.')
    return user
  }

  /**
   * Ends all sessions of the user, and links that would set another password; `also` is written in the same commit. Throws
   * what `requireProved` does: by then another password may count than the one by which the user was proved.
   */
  async #setPassword(
    user: User,
    password: string,
    also: readonly Statement[] = [],
    requireProved = () => this.#signIn.requireUnchanged(user),
  ): Promise<User> {
    const passwordHash = await this.hasher.hash(password)
    return await this.#deciding.run(async () => {
      requireProved()
      const change = { passwordHash, passwordChangedAt: this.#options.clock.now() }
      const changed = await this.users.update(user.id, change, [this.#links.dropping('reset', user.id), ...also])
      await this.sessions.endAll(user.id)
      return changed
    })
  }
}

const alreadySetUp = (): Refusal => new Refusal('already_set_up', 'This instance is set up already. Sign in.')

const invalidSetUpLink = (): Refusal => invalidLink('Start Sauda again for a new set-up link.')
