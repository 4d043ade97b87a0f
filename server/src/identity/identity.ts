import { randomBytes } from 'node:crypto'
import type { Clock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/errors.ts'
import type { Databases } from '../storage/open.ts'
import { type Actor, type Audit, entryOf } from './audit.ts'
import { type Caller, isRole, ROLES, type Role, SCOPES_OF_ROLE } from './caller.ts'
import { keyedHash } from './keyed-hash.ts'
import { LoginThrottle } from './login-throttle.ts'
import type { Mailer } from './mail.ts'
import { OneTimeLinks } from './one-time-links.ts'
import { PasswordHasher, passwordProblem } from './password.ts'
import { RecoveryCodes } from './recovery-codes.ts'
import { refusedField } from './refused-field.ts'
import { Sealer } from './sealed.ts'
import { openSecret } from './secret.ts'
import { type BegunSession, type Session, type SessionRules, SessionStore } from './sessions.ts'
import { newTotp, type TotpEnrolment, totpStep } from './totp.ts'
import { hasTotp, type User, UserStore } from './users.ts'

export const SET_UP_LINK_MS = 30 * 60_000
export const RESET_LINK_MS = 15 * 60_000
const CHALLENGE_MS = 5 * 60_000
export const CHALLENGE_TRIES = 5
export const CHALLENGES_MAX = 1_000
/** What touches keys and second factors asks for the password again when it was given longer ago. */
export const FRESH_MS = 15 * 60_000

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

export interface IdentityOptions {
  readonly databases: Databases
  readonly dataDir: string
  readonly clock: Clock
  readonly sessionRules: SessionRules
  readonly audit: Audit
  /** Undefined when no mail can be sent. */
  readonly mailer: Mailer | undefined
  /** Where browsers find Sauda, without a slash at the end: front of the links in mails. */
  readonly publicUrl: () => string
  readonly failedLogin: (address: string) => void
  /** A user's role changed, or it was disabled or enabled. */
  readonly userChanged: (userId: string) => void
  /** Opens the account that a new user starts with. */
  readonly openAccount: (userId: string) => Promise<void>
  /** The first user exists now, and owns what belonged to nobody. */
  readonly adopted: (userId: string) => void
  readonly onError: (error: unknown) => void
}

interface Challenge {
  readonly userId: string
  readonly expiresAt: number
  tries: number
}

/** Who may use an instance, and how they prove it: users, passwords, second factors, sessions, set-up and reset. */
export class Identity {
  readonly users: UserStore
  readonly sessions: SessionStore
  readonly hasher = new PasswordHasher()
  readonly #options: IdentityOptions
  readonly #links: OneTimeLinks
  readonly #codes: RecoveryCodes
  readonly #sealer: Sealer
  readonly #throttle: LoginThrottle
  readonly #challenges = new Map<string, Challenge>()
  #settingUp = false

  private constructor(options: IdentityOptions, users: UserStore, sessions: SessionStore, secret: Buffer) {
    const { databases, clock } = options
    const hash = keyedHash(secret)
    this.#options = options
    this.users = users
    this.sessions = sessions
    this.#links = new OneTimeLinks(databases.money, hash, clock)
    this.#codes = new RecoveryCodes(databases.money, hash, clock)
    this.#sealer = new Sealer(secret, 'totp')
    this.#throttle = new LoginThrottle(clock)
  }

  static async open(options: IdentityOptions): Promise<Identity> {
    const { databases, dataDir, clock, sessionRules, onError } = options
    const users = await UserStore.open(databases.money, clock)
    const secret = openSecret(dataDir, users.count > 0)
    const sessions = await SessionStore.open({
      money: databases.money,
      hash: keyedHash(secret),
      clock,
      rules: sessionRules,
      onError,
    })
    return new Identity(options, users, sessions, secret)
  }

  close(): Promise<void> {
    return this.sessions.close()
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
    return this.isSetUp ? undefined : await this.#links.make('set-up', undefined, SET_UP_LINK_MS)
  }

  /** Whether the token would set the instance up now. */
  async isSetUpToken(token: string): Promise<boolean> {
    return !this.isSetUp && (await this.#links.look('set-up', token)) !== undefined
  }

  /** Creates the first user, an admin, who owns from now on what belonged to nobody, and signs them in. */
  async setUp(
    wanted: { readonly token: string; readonly name: string; readonly email: string; readonly password: string },
    from: From,
  ): Promise<BegunSession> {
    if (this.isSetUp || this.#settingUp)
      throw new Refusal('already_set_up', 'This instance is set up already. Sign in.')
    this.#settingUp = true
    try {
      const { name, email, password } = wanted
      let created: User | undefined
      const worked = await this.#links.use('set-up', wanted.token, async () => {
        this.users.checkNew(name, email)
        await this.#checkPassword('password', password, [name, email])
        const passwordHash = await this.hasher.hash(password)
        const { kysely, compile } = this.#options.databases.money
        created = await this.users.create({ name, email, role: 'admin', passwordHash }, (id) => [
          compile(kysely.updateTable('account').set({ user_id: id }).where('user_id', 'is', null)),
          compile(kysely.updateTable('api_key').set({ user_id: id }).where('user_id', 'is', null)),
        ])
      })
      if (!worked || created === undefined) throw invalidLink('Start Sauda again for a new set-up link.')
      this.#options.adopted(created.id)
      this.#options.audit(
        entryOf(actorOf(created, from), 'user.created', created.id, { name, role: 'admin', setUp: true }),
      )
      return await this.#begin(created, from)
    } finally {
      this.#settingUp = false
    }
  }

  // Signing in

  /** Throws login_failed, the same for a wrong password and an unknown name, or login_locked. */
  async login(name: string, password: string, from: From): Promise<LoginResult> {
    this.#throttle.refuseTooSoon(name, from.address)
    const user = this.users.findByName(name)
    const right = await this.hasher.verify(user?.passwordHash, password)
    if (!right || user === undefined || user.disabledAt !== undefined) {
      throw this.#loginFailed(name, from, 'login.failed', 'The name or the password is wrong.')
    }
    if (!hasTotp(user)) return { kind: 'session', begun: await this.#begin(user, from), user }
    const challenge = randomBytes(32).toString('base64url')
    this.#challenges.set(challenge, { userId: user.id, expiresAt: this.#options.clock.now() + CHALLENGE_MS, tries: 0 })
    if (this.#challenges.size > CHALLENGES_MAX) {
      const [oldest] = this.#challenges.keys()
      if (oldest !== undefined) this.#challenges.delete(oldest)
    }
    return { kind: 'totp', challenge }
  }

  /** Second half of a login: a code of the authenticator, or a recovery code. Throws login_failed. */
  async loginWithCode(challenge: string, code: string, from: From): Promise<BegunSession> {
    const pending = this.#challenges.get(challenge)
    const user = pending === undefined ? undefined : this.users.find(pending.userId)
    if (pending === undefined || user === undefined || pending.expiresAt <= this.#options.clock.now()) {
      this.#challenges.delete(challenge)
      throw new Refusal('login_failed', 'This login took too long. Sign in again with your name and password.')
    }
    this.#throttle.refuseTooSoon(user.name, from.address)
    pending.tries += 1
    if (pending.tries >= CHALLENGE_TRIES) this.#challenges.delete(challenge)
    if (user.disabledAt !== undefined || !(await this.#isCodeOf(user, code))) {
      throw this.#loginFailed(user.name, from, 'login.code-failed', 'The code is wrong, or was used before.')
    }
    this.#challenges.delete(challenge)
    return await this.#begin(user, from)
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
      scopes: SCOPES[user.role],
    }
  }

  /** Throws reauthentication_required when the password of a session was given too long ago. */
  requireFresh(caller: Caller, now: number): void {
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
    await this.#requirePassword(user, 'password', password, from)
    if (caller.sessionId !== undefined) await this.sessions.confirm(caller.sessionId)
  }

  // Passwords

  /** Ends every session of the user and begins a new one for this browser. */
  async changePassword(caller: Caller, current: string, wanted: string, from: From): Promise<BegunSession> {
    const user = this.#userOf(caller)
    await this.#requirePassword(user, 'current_password', current, from)
    await this.#setPassword(user, 'new_password', wanted)
    this.#options.audit(entryOf(actorOf(user, from), 'password.changed', user.id))
    return await this.#begin(user, from)
  }

  /**
   * Mails a link, if there is such a user and mail is set up. Neither what it answers nor how long it takes tells which it
   * was: the rest happens afterwards.
   */
  forgot(name: string, from: From): void {
    this.#throttle.refuseTooSoon(name, from.address)
    this.#mailResetLink(name, from).catch(this.#options.onError)
  }

  async #mailResetLink(name: string, from: From): Promise<void> {
    const { mailer, publicUrl, audit } = this.#options
    const user = this.users.findByName(name)
    if (mailer === undefined || user === undefined || user.disabledAt !== undefined) return
    const token = await this.#links.make('reset', user.id, RESET_LINK_MS)
    const isSent = mailer.send(
      user.email,
      'Set a new Sauda password',
      `Somebody, hopefully you, asked for a new password for ${user.name}.\n\n` +
        `Open this link within 15 minutes to set it; it works once:\n\n${publicUrl()}/reset?token=${token}\n\n` +
        'If it was not you, do nothing: your password stays as it is.\n',
    )
    audit(entryOf(actorOf(user, from), 'password.reset-asked', user.id, { isSent }))
  }

  /** A link for somebody whom the owner of the machine lets in again. */
  async resetLink(user: User, actor: Actor): Promise<string> {
    const token = await this.#links.make('reset', user.id, RESET_LINK_MS)
    this.#options.audit(entryOf(actor, 'password.reset-link', user.id, { name: user.name }))
    return token
  }

  /** Sets a password with a mailed link. Throws link_invalid. */
  async resetByLink(token: string, wanted: string, from: From): Promise<void> {
    let user: User | undefined
    const worked = await this.#links.use('reset', token, async (userId) => {
      user = userId === undefined ? undefined : this.users.find(userId)
      if (user === undefined || user.disabledAt !== undefined) throw invalidLink('Ask for a new one.')
      await this.#setPassword(user, 'new_password', wanted)
    })
    if (!worked || user === undefined) throw invalidLink('Ask for a new one.')
    this.#options.audit(entryOf(actorOf(user, from), 'password.reset', user.id, { by: 'link' }))
  }

  /** Sets a password with a code of the authenticator or a recovery code. Throws login_failed. */
  async resetByCode(name: string, code: string, wanted: string, from: From): Promise<void> {
    this.#throttle.refuseTooSoon(name, from.address)
    const user = this.users.findByName(name)
    await this.#checkPassword('new_password', wanted, [name])
    if (user === undefined || user.disabledAt !== undefined || !hasTotp(user) || !(await this.#isCodeOf(user, code))) {
      throw this.#loginFailed(
        name,
        from,
        'password.reset-failed',
        'The name or the code is wrong, or the code was used.',
      )
    }
    await this.#setPassword(user, 'new_password', wanted)
    this.#throttle.succeeded(name, from.address)
    this.#options.audit(entryOf(actorOf(user, from), 'password.reset', user.id, { by: 'code' }))
  }

  /** Sets a password on the owner's word. */
  async overridePassword(user: User, wanted: string, actor: Actor): Promise<void> {
    await this.#setPassword(user, 'password', wanted)
    this.#options.audit(entryOf(actor, 'password.reset', user.id, { by: 'owner' }))
  }

  // Second factor

  /** Makes a secret, which counts once a code has proved it. */
  async enrolTotp(caller: Caller, password: string, from: From): Promise<TotpEnrolment> {
    const user = this.#userOf(caller)
    await this.#requirePassword(user, 'password', password, from)
    if (hasTotp(user)) throw new Refusal('totp_exists', 'There is a second factor already. Remove it first.')
    const enrolment = await newTotp(user.name)
    await this.users.update(user.id, { totpSecret: this.#sealer.seal(enrolment.secret) })
    return enrolment
  }

  /** Proves the secret with a code and answers the recovery codes. Throws totp_invalid. */
  async confirmTotp(caller: Caller, code: string, from: From): Promise<readonly string[]> {
    const user = this.#userOf(caller)
    if (hasTotp(user) || user.totpSecret === undefined)
      throw new Refusal('totp_exists', 'There is nothing to confirm: begin with a new second factor.')
    if (!(await this.#useTotp(user, code))) {
      throw new Refusal('totp_invalid', 'The code is wrong. Check that the clock of your device is right.')
    }
    const codes = await this.#codes.renew(user.id)
    await this.users.update(user.id, { totpConfirmedAt: this.#options.clock.now() })
    this.#options.audit(entryOf(actorOf(user, from), 'totp.enabled', user.id))
    return codes
  }

  async disableTotp(caller: Caller, password: string, code: string, from: From): Promise<void> {
    const user = this.#userOf(caller)
    await this.#requirePassword(user, 'password', password, from)
    if (!hasTotp(user)) throw new Refusal('totp_exists', 'There is no second factor to remove.')
    if (!(await this.#isCodeOf(user, code)))
      throw this.#loginFailed(user.name, from, 'totp.failed', 'The code is wrong, or was used before.')
    await this.removeTotp(user, actorOf(user, from))
  }

  async removeTotp(user: User, actor: Actor): Promise<void> {
    await this.users.update(user.id, { totpSecret: undefined, totpConfirmedAt: undefined })
    await this.#codes.drop(user.id)
    this.#options.audit(entryOf(actor, 'totp.disabled', user.id))
  }

  async renewRecoveryCodes(caller: Caller, password: string, from: From): Promise<readonly string[]> {
    const user = this.#userOf(caller)
    await this.#requirePassword(user, 'password', password, from)
    if (!hasTotp(user)) throw new Refusal('totp_exists', 'Recovery codes come with a second factor: set one up first.')
    const codes = await this.#codes.renew(user.id)
    this.#options.audit(entryOf(actorOf(user, from), 'totp.codes-renewed', user.id))
    return codes
  }

  recoveryCodesLeft(userId: string): Promise<number> {
    return this.#codes.left(userId)
  }

  // Sessions and users

  async endSession(caller: Caller, id: string, actor: Actor): Promise<void> {
    const session = this.sessions.find(id)
    if (session === undefined || session.userId !== caller.userId)
      throw new Refusal('not_found', `You have no session with the id "${id}".`)
    await this.logout(session, actor)
  }

  async endOtherSessions(caller: Caller, actor: Actor): Promise<number> {
    const ended = await this.sessions.endAll(caller.userId ?? '', caller.sessionId)
    this.#options.audit(entryOf(actor, 'session.others-ended', caller.userId ?? '', { ended }))
    return ended
  }

  /** Creates a user with an account of its own. */
  async createUser(
    wanted: { readonly name: string; readonly email: string; readonly password: string; readonly role: string },
    actor: Actor,
  ): Promise<User> {
    const { name, email, password } = wanted
    const role = checkedRole(wanted.role)
    this.users.checkNew(name, email)
    await this.#checkPassword('password', password, [name, email])
    const passwordHash = await this.hasher.hash(password)
    const user = await this.users.create({ name, email, role, passwordHash })
    await this.#options.openAccount(user.id)
    this.#options.audit(entryOf(actor, 'user.created', user.id, { name, role }))
    return user
  }

  /** Changes a role, or disables or enables; sessions of somebody who is disabled or may do less end at once. */
  async changeUser(
    id: string,
    change: { readonly role?: string | undefined; readonly disabled?: boolean | undefined },
    actor: Actor,
  ): Promise<User> {
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
  }

  #userOf(caller: Caller): User {
    const user = caller.userId === undefined ? undefined : this.users.find(caller.userId)
    if (user === undefined) throw new Refusal('session_missing', 'Sign in first: this needs a signed-in person.')
    return user
  }

  async #begin(user: User, from: From): Promise<BegunSession> {
    this.#throttle.succeeded(user.name, from.address)
    const begun = await this.sessions.begin(user.id, from.device, from.address)
    this.#options.audit(
      entryOf(actorOf(user, from), 'session.begun', begun.session.id, { device: begun.session.device }),
    )
    return begun
  }

  async #requirePassword(user: User, field: string, password: string, from: From): Promise<void> {
    this.#throttle.refuseTooSoon(user.name, from.address)
    if (await this.hasher.verify(user.passwordHash, password)) return
    const refusal = this.#loginFailed(user.name, from, 'password.failed', 'The password is wrong.')
    throw new Refusal(refusal.code, refusal.message, { errors: [{ field, message: refusal.message }] })
  }

  async #setPassword(user: User, field: string, password: string): Promise<void> {
    await this.#checkPassword(field, password, [user.name, user.email])
    const passwordHash = await this.hasher.hash(password)
    await this.users.update(user.id, { passwordHash, passwordChangedAt: this.#options.clock.now() })
    await this.sessions.endAll(user.id)
  }

  async #checkPassword(field: string, password: string, names: readonly string[]): Promise<void> {
    const problem = await passwordProblem(password, names)
    if (problem !== undefined) throw refusedField(field, problem)
  }

  async #isCodeOf(user: User, code: string): Promise<boolean> {
    return (await this.#useTotp(user, code)) || (await this.#codes.use(user.id, code))
  }

  async #useTotp(user: User, code: string): Promise<boolean> {
    if (user.totpSecret === undefined) return false
    const secret = this.#sealer.open(user.totpSecret)
    const step = await totpStep(secret, code, this.#options.clock.now(), user.totpLastStep)
    return step !== undefined && (await this.users.useStep(user.id, step))
  }

  #loginFailed(name: string, from: From, action: string, message: string): Refusal {
    const { audit, failedLogin } = this.#options
    this.#throttle.failed(name, from.address)
    failedLogin(from.address)
    audit(entryOf({ name: name.slice(0, 64), ...from }, action, '', { device: from.device }))
    return new Refusal('login_failed', message)
  }
}

const SCOPES: Readonly<Record<Role, Caller['scopes']>> = {
  admin: new Set(SCOPES_OF_ROLE.admin),
  trader: new Set(SCOPES_OF_ROLE.trader),
  viewer: new Set(SCOPES_OF_ROLE.viewer),
}

const actorOf = (user: User, from: From): Actor => ({
  name: user.name,
  address: from.address,
  requestId: from.requestId,
})

const invalidLink = (advice: string): Refusal =>
  new Refusal('link_invalid', `This link doesn't work: it was used, is too old, or isn't complete. ${advice}`)

function checkedRole(text: string): Role {
  if (isRole(text)) return text
  throw refusedField('role', `"${text}" isn't a role: choose from ${ROLES.join(', ')}.`)
}
